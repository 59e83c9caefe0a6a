#include "serve/net.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace hc::serve {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this == &other) return *this;
  reset();
  number_ = other.release();
  return *this;
}

void Fd::reset() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

SocketAddress SocketAddress::parse(const std::string& address, std::uint16_t port) {
  SocketAddress result;
  auto* four = reinterpret_cast<sockaddr_in*>(&result.storage);
  if (inet_pton(AF_INET, address.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    result.length = sizeof(sockaddr_in);
    return result;
  }
  auto* six = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (inet_pton(AF_INET6, address.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    result.length = sizeof(sockaddr_in6);
    return result;
  }
  throw std::invalid_argument("not an IP address: " + address);
}

SocketAddress SocketAddress::of(int socket) {
  SocketAddress result;
  result.length = sizeof(result.storage);
  if (getsockname(socket, result.get(), &result.length) != 0) throw_errno("getsockname");
  return result;
}

std::uint16_t SocketAddress::port() const {
  // sin_port and sin6_port lie at the same place.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::string SocketAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> address{};
  const void* bytes =
      family() == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr)
          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr);
  inet_ntop(family(), bytes, address.data(), address.size());
  return endpoint_text(address.data(), port());
}

Fd bind_socket(int type, const SocketAddress& address) {
  Fd socket(::socket(address.family(), type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) throw_errno("socket");
  // Not before an ephemeral bind: the kernel might then pick a port that another such socket holds already.
  if (address.port() != 0) set_socket_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  // Or "::" would take the IPv4 port of the same number, too.
  if (address.family() == AF_INET6) set_socket_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(socket.get(), address.get(), address.length) != 0) {
    const int error = errno;
    throw std::system_error(error, std::generic_category(), "cannot bind " + address.text());
  }
  // Accepted sockets inherit it, and only then their TIME_WAIT does not stop a restart on this port.
  set_socket_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  return socket;
}

void start_listening(int socket, int backlog) {
  if (::listen(socket, backlog) == 0) return;
  const int error = errno;
  throw std::system_error(error, std::generic_category(),
                          "cannot listen on " + SocketAddress::of(socket).text());
}

std::string endpoint_text(const std::string& address, std::uint16_t port) {
  const bool is_six = address.find(':') != std::string::npos;
  return (is_six ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

void close_with_reset(Fd& socket) {
  const linger abort_on_close{1, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof abort_on_close);
  socket.reset();
}

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void set_socket_option(int socket, int level, int option, int value) {
  if (setsockopt(socket, level, option, &value, sizeof value) != 0) throw_errno("setsockopt");
}

void throw_errno(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace hc::serve
