#pragma once

#include <sys/socket.h>

#include <string_view>

#include "base/fd.h"
#include "base/status.h"
#include "model/config.h"
#include "model/ip_address.h"

namespace hc {

/// Writes `endpoint` as the kernel wants it; returns the length.
socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage* out);
/// The port a socket is bound to, 0 if unknown.
uint16_t local_port_of(int fd);

/// Makes sockets the way the session's options say, outside libcurl, so that the caller's socket callback runs in no
/// libcurl callback and a lack of descriptors is met before a transfer starts.
class SocketFactory {
 public:
  explicit SocketFactory(const SessionConfig& config) : config_(config) {}

  Status make(std::string_view host, const Endpoint& remote, Fd* out) const;

 private:
  Status bind_to_local(int fd, Family family) const;
  void set_options(int fd) const;
  Status show_to_caller(int fd, std::string_view host, const Endpoint& remote) const;

  const SessionConfig& config_;
};

}  // namespace hc
