// Small helpers around sockets and descriptors.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace hc::serve {

/// Owns a descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  void reset();

 private:
  int number_ = -1;
};

/// An IPv4 or IPv6 address with a port.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  /// Throws std::invalid_argument when `address` is no literal.
  static SocketAddress parse(const std::string& address, std::uint16_t port);
  /// The address that the socket is bound to.
  static SocketAddress of(int socket);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  /// "127.0.0.1:80", "[::1]:80".
  std::string text() const;
  std::uint16_t port() const;
};

/// A bound socket: non-blocking, CLOEXEC, SO_REUSEADDR. `type` is SOCK_STREAM or SOCK_DGRAM. Throws
/// std::system_error.
Fd bind_socket(int type, const SocketAddress& address);
/// listen(); throws std::system_error, which names the endpoint, as bind_socket()'s does.
void start_listening(int socket, int backlog);
/// "127.0.0.1:80", "[::1]:80".
std::string endpoint_text(const std::string& address, std::uint16_t port);
/// Whatever is sent or unread is thrown away, and the peer gets a RST.
void close_with_reset(Fd& socket);
/// Whether accept() failed for want of descriptors or memory. The connection stays in the backlog, and epoll reports it
/// without end: look away for kShortagePause.
bool is_shortage(int error);
constexpr std::chrono::milliseconds kShortagePause{10};
void set_socket_option(int socket, int level, int option, int value);
[[noreturn]] void throw_errno(const std::string& what);

}  // namespace hc::serve
