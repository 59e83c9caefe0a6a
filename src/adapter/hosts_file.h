#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adapter/watched_file.h"
#include "model/ip_address.h"

namespace hc {

/// /etc/hosts, read anew when it changes. We read it and not c-ares, which up to 1.22 opens and parses it for each
/// question, and asks a name server for the AAAA of a name that the file has only an IPv4 address for.
class HostsFile {
 public:
  explicit HostsFile(std::string path = "/etc/hosts") : file_(std::move(path)) {}

  /// The addresses of `host` (lower case) of `family`, in the file's order, from all of its lines.
  std::vector<IpAddress> find(const std::string& host, Family family, TimePoint now);

 private:
  void load();
  void add_line(std::string_view line);

  WatchedFile file_;
  std::unordered_map<std::string, std::vector<IpAddress>> addresses_;
};

}  // namespace hc
