#include "adapter/socket_factory.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>
#include <optional>

#include "base/user_call.h"
#include "model/name_service.h"
#include "model/text.h"

namespace hc {
namespace {

void set_number(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

// What is too long for the kernel means "as long as possible".
int clamp_to_int(Duration value) { return static_cast<int>(std::clamp<Duration>(value, 1, INT_MAX)); }

// The kernel takes 32767 s at most for these.
int in_seconds(Duration duration) {
  return static_cast<int>(std::clamp<Duration>(duration / kSecond, 1, 32767));
}

}  // namespace

socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage* out) {
  *out = {};
  const IpAddress& address = endpoint.address;
  if (address.family == Family::kV6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(out);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    v6->sin6_scope_id = address.scope;
    std::memcpy(&v6->sin6_addr, address.bytes.data(), 16);
    return sizeof(sockaddr_in6);
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(out);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(endpoint.port);
  std::memcpy(&v4->sin_addr, address.bytes.data(), 4);
  return sizeof(sockaddr_in);
}

uint16_t local_port_of(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
  return 0;
}

socklen_t to_sockaddr(std::string_view unix_path, sockaddr_storage* out) {
  *out = {};
  auto* local = reinterpret_cast<sockaddr_un*>(out);
  local->sun_family = AF_UNIX;
  size_t length = std::min(unix_path.size(), sizeof local->sun_path - 1);
  std::memcpy(local->sun_path, unix_path.data(), length);
  bool is_abstract = unix_path.starts_with('@') || unix_path.starts_with('\0');
  if (is_abstract) local->sun_path[0] = '\0';
  // The length of an abstract name counts, and a path ends with its NUL.
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length + (is_abstract ? 0 : 1));
}

socklen_t to_sockaddr(const AttemptPlan& plan, sockaddr_storage* out) {
  const std::string& unix_path = plan.request->route->unix_path;
  return unix_path.empty() ? to_sockaddr(plan.remote, out) : to_sockaddr(unix_path, out);
}

Status SocketFactory::check_addresses(const AttemptPlan& plan) const {
  const AddressPolicy& policy = config_.addresses;
  if (policy.is_open()) return Status::ok();
  const Route& route = *plan.request->route;
  if (!route.unix_path.empty()) return policy.check_unix(route.unix_path);
  if (route.proxy == nullptr) return policy.check(plan.remote.address);
  if (!route.proxy->is_trusted) {
    if (Status status = policy.check(plan.remote.address); !status.is_ok()) return status;
  }
  // Behind a proxy only what is known here can be judged: the address that it is given, or those that the URL names, of
  // which it may take any.
  if (route.proxy->wants_address()) return policy.check(plan.target.address);
  for (const IpAddress& address : addresses_without_lookup(plan.request->host)) {
    if (Status status = policy.check(address); !status.is_ok()) return status;
  }
  return Status::ok();
}

Status SocketFactory::make(const AttemptPlan& plan, Fd* out) const {
  if (Status status = check_addresses(plan); !status.is_ok()) return status;
  const Endpoint& remote = plan.remote;
  if (!plan.request->route->unix_path.empty()) return make_unix(plan, out);
  int domain = remote.address.family == Family::kV6 ? AF_INET6 : AF_INET;
  Fd fd(socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd.is_open()) {
    // A kernel without this family is an address that cannot be reached, not a fault of the system.
    int error = errno;
    if (error != EAFNOSUPPORT) return Status::system("socket", error);
    return Status(HC_E_CONNECT, remote.address.to_string() + ": address family not supported")
        .with_native(HC_NATIVE_ERRNO, error);
  }
  set_options(fd.get());
  if (Status status = bind_to_local(fd.get(), remote.address.family); !status.is_ok()) return status;
  if (Status status = show_to_caller(fd.get(), plan); !status.is_ok()) return status;
  *out = std::move(fd);
  return Status::ok();
}

Status SocketFactory::make_unix(const AttemptPlan& plan, Fd* out) const {
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return Status::system("socket", errno);
  set_buffers(fd.get());
  if (Status status = show_to_caller(fd.get(), plan); !status.is_ok()) return status;
  *out = std::move(fd);
  return Status::ok();
}

void SocketFactory::set_options(int fd) const {
  if (config_.tcp_nodelay) set_number(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (config_.tcp_keepalive) {
    set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, in_seconds(config_.tcp_keepalive_idle));
    set_number(fd, IPPROTO_TCP, TCP_KEEPINTVL, in_seconds(config_.tcp_keepalive_interval));
  }
  if (config_.tcp_user_timeout > 0) {
    set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, clamp_to_int(config_.tcp_user_timeout / kMillisecond));
  }
  set_buffers(fd);
}

void SocketFactory::set_buffers(int fd) const {
  if (config_.receive_buffer > 0)
    set_number(fd, SOL_SOCKET, SO_RCVBUF, static_cast<int>(config_.receive_buffer));
  if (config_.send_buffer > 0) set_number(fd, SOL_SOCKET, SO_SNDBUF, static_cast<int>(config_.send_buffer));
}

Status SocketFactory::bind_to_local(int fd, Family family) const {
  if (!config_.interface_name.empty() &&
      setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, config_.interface_name.data(),
                 static_cast<socklen_t>(config_.interface_name.size())) != 0) {
    int error = errno;
    return Status(HC_E_CONNECT,
                  "cannot bind to interface " + config_.interface_name + ": " + std::strerror(error))
        .with_native(HC_NATIVE_ERRNO, error);
  }
  if (config_.local_addr.empty()) return Status::ok();
  std::optional<IpAddress> local = IpAddress::parse(config_.local_addr);
  if (!local || local->family != family) {
    return {HC_E_CONNECT,
            "local_addr " + config_.local_addr + " is of another family than the server's address"};
  }
  // The port is then chosen at connect(), so that one local address can hold more than 28,000 connections.
  set_number(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  sockaddr_storage address;
  socklen_t length = to_sockaddr({*local, 0}, &address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0) return Status::ok();
  int error = errno;
  return Status(HC_E_CONNECT, "cannot bind to " + config_.local_addr + ": " + std::strerror(error))
      .with_native(HC_NATIVE_ERRNO, error);
}

Status SocketFactory::show_to_caller(int fd, const AttemptPlan& plan) const {
  if (config_.on_socket == nullptr) return Status::ok();
  const std::string& unix_path = plan.request->route->unix_path;
  std::string address = unix_path.empty() ? plan.remote.address.to_string() : unix_path;
  hc_socket_info info{};
  info.struct_size = sizeof info;
  info.fd = fd;
  info.host = {plan.request->host.data(), plan.request->host.size()};
  info.address = {address.data(), address.size()};
  info.port = plan.remote.port;
  if (call_in_turn([&] { return config_.on_socket(&info, config_.on_socket_data); }) == 0)
    return Status::ok();
  return {HC_E_CALLBACK, "on_socket refused the socket to " + escaped(address)};
}

}  // namespace hc
