// Servers of other people, as Debian packs them, for tests against something that we did not write.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hc::test {

/// A directory under /tmp that goes with its contents.
class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
  std::string write(std::string_view name, std::string_view text) const;
  std::string read(std::string_view name) const;

 private:
  std::string path_;
};

/// A TCP port on 127.0.0.1 that nobody uses, and that nobody else is given while this process runs. Servers that set
/// SO_REUSEADDR, as they all do, may listen on it.
uint16_t free_port();

/// A program in the foreground, with a configuration of its own, on loopback. Never a service; it ends with its
/// object, and with this process.
class RealServer {
 public:
  /// Starts `command` and waits until `port` of 127.0.0.1 accepts. Throws when it does not.
  RealServer(std::vector<std::string> command, uint16_t port, const std::string& log_file);
  ~RealServer();
  RealServer(const RealServer&) = delete;
  RealServer& operator=(const RealServer&) = delete;

 private:
  bool is_running();
  pid_t pid_ = -1;
};

/// nginx with `servers` in its http section, which listen on `port`. The directory keeps its files.
std::vector<std::string> nginx_command(const ScratchDirectory& directory, std::string_view servers);

}  // namespace hc::test
