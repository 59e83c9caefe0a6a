// The demo's server: `hcx serve` as a process of its own.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

#include "serve/net.h"

namespace hc::hcx {

class DemoServer {
 public:
  /// Starts /proc/self/exe and waits until it is ready. Throws std::runtime_error.
  DemoServer();
  /// Ends it and waits for that.
  ~DemoServer();
  DemoServer(const DemoServer&) = delete;
  DemoServer& operator=(const DemoServer&) = delete;

  const std::array<std::uint16_t, 3>& ports() const { return ports_; }
  const std::string& dns() const { return dns_; }  ///< "127.0.0.1:PORT"

 private:
  void start(serve::Fd input, serve::Fd output);
  void read_endpoints(serve::Fd from);
  void note_line(const std::string& line);

  pid_t pid_ = -1;
  serve::Fd stdin_;  // the server ends when it is closed
  std::array<std::uint16_t, 3> ports_{};
  std::size_t ports_known_ = 0;
  std::string dns_;
};

/// What the server counted; of one origin, or of all.
struct ServerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t open = 0;
  std::uint64_t peak = 0;
  std::uint64_t requests = 0;
};
struct ServerCount {
  bool is_known = false;
  ServerCounters all;
  std::array<ServerCounters, 3> origins;
};

/// Asks the server, through a session of its own, until it has seen all other connections closed; the question's
/// own connection and requests are taken off.
ServerCount ask_server(const DemoServer& server);
/// From the JSON of /count.
ServerCount parse_count(const std::string& json);

}  // namespace hc::hcx
