// Addresses where connecting fails in a known way.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serve/net.h"

namespace hc::serve {

/// An address whose SYNs are dropped: connects neither succeed nor fail. A listening socket with backlog 0
/// whose queue is full; held until destruction. Throws std::system_error.
class BlackHole {
 public:
  /// `port` 0 picks one. 127.0.0.0/8 offers as many addresses for one port as a test may want.
  explicit BlackHole(const std::string& address = "127.0.0.1", std::uint16_t port = 0);

  std::uint16_t port() const { return port_; }

 private:
  std::vector<Fd> sockets_;
  std::uint16_t port_ = 0;
};

/// A port that answers SYN with RST. It stays bound, without listening, so that nobody else gets it
/// meanwhile.
class RefusedPort {
 public:
  explicit RefusedPort(const std::string& address = "127.0.0.1", std::uint16_t port = 0);

  std::uint16_t port() const { return port_; }

 private:
  Fd socket_;
  std::uint16_t port_ = 0;
};

}  // namespace hc::serve
