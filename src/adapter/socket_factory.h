#pragma once

#include <sys/socket.h>

#include <string_view>

#include "base/fd.h"
#include "base/status.h"
#include "model/config.h"
#include "model/ip_address.h"
#include "model/transport.h"

namespace hc {

/// Writes `endpoint` as the kernel wants it; returns the length.
socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage* out);
/// The same for a unix socket; '@' or NUL begins an abstract name.
socklen_t to_sockaddr(std::string_view unix_path, sockaddr_storage* out);
/// The same for where an attempt goes.
socklen_t to_sockaddr(const AttemptPlan& plan, sockaddr_storage* out);
/// The port a socket is bound to, 0 if unknown.
uint16_t local_port_of(int fd);

/// Makes sockets the way the session's options say, outside libcurl, so that the caller's socket callback runs in no
/// libcurl callback and a lack of descriptors is met before a transfer starts.
///
/// Every socket to a server or proxy is made here, and here alone the address policy is asked: about the address that
/// the socket will be connected to, after every look-up, for each address of a race.
class SocketFactory {
 public:
  explicit SocketFactory(const SessionConfig& config) : config_(config) {}

  Status make(const AttemptPlan& plan, Fd* out) const;

 private:
  Status check_addresses(const AttemptPlan& plan) const;
  Status make_unix(const AttemptPlan& plan, Fd* out) const;
  Status bind_to_local(int fd, Family family) const;
  void set_options(int fd) const;
  void set_buffers(int fd) const;
  Status show_to_caller(int fd, const AttemptPlan& plan) const;

  const SessionConfig& config_;
};

}  // namespace hc
