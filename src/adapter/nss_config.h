#pragma once

#include <string>
#include <utility>

#include "adapter/watched_file.h"

namespace hc {

/// The `hosts` line of /etc/nsswitch.conf: where the system looks for names besides the hosts file and DNS.
class NssConfig {
 public:
  explicit NssConfig(std::string path = "/etc/nsswitch.conf") : file_(std::move(path)) {}

  /// True when some module may know names that a name server does not.
  bool has_other_sources(TimePoint now);

 private:
  WatchedFile file_;
  bool has_other_sources_ = false;
};

}  // namespace hc
