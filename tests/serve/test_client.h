// A blocking client that shows the bytes: what the embedded server really sends, no HTTP library in between.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "serve/net.h"

namespace hc::serve::test {

/// Long enough for a loaded machine and a sanitizer; reached only when a test fails.
constexpr int kMustFireMs = 30'000;

enum class Outcome { kData, kEnd, kReset, kTimeout };

inline Fd connect_to(std::uint16_t port, const std::string& address = "127.0.0.1", int receive_buffer = 0) {
  SocketAddress target = SocketAddress::parse(address, port);
  Fd socket(::socket(target.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_buffer > 0) set_socket_option(socket.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
  if (::connect(socket.get(), target.get(), target.length) != 0) throw_errno("connect");
  return socket;
}

struct Response {
  int status = 0;
  std::string head;
  std::string body;
  Outcome outcome = Outcome::kData;  ///< how reading ended; kData: the response was complete
};

class TestClient {
 public:
  explicit TestClient(std::uint16_t port, const std::string& address = "127.0.0.1")
      : socket_(connect_to(port, address)) {}

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  /// Whether `count` bytes more could be sent without blocking.
  bool can_send_now(std::string_view bytes) {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
  }

  Response get(std::string_view target) { return request("GET", target); }

  Response request(std::string_view method, std::string_view target, std::string_view body = {},
                   std::string_view fields = {}) {
    std::string text(method);
    text.append(" ").append(target).append(" HTTP/1.1\r\nHost: test\r\n").append(fields);
    if (!body.empty()) text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    text.append("\r\n").append(body);
    send(text);
    return read_response(method == "HEAD");
  }

  Response read_response(bool is_head = false) {
    Response response;
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
      response.outcome = receive();
      if (response.outcome == Outcome::kData) continue;
      response.head = std::exchange(buffer_, {});
      return response;
    }
    const std::size_t head_size = buffer_.find("\r\n\r\n") + 4;
    response.head = buffer_.substr(0, head_size);
    buffer_.erase(0, head_size);
    response.status = std::atoi(response.head.c_str() + std::strlen("HTTP/1.1 "));
    const std::size_t at = response.head.find("Content-Length: ");
    std::size_t length = at == std::string::npos ? 0 : std::stoul(response.head.substr(at + 16));
    if (is_head) length = 0;
    while (buffer_.size() < length && response.outcome == Outcome::kData) response.outcome = receive();
    response.body = buffer_.substr(0, length);
    buffer_.erase(0, response.body.size());
    return response;
  }

  /// Everything up to the end of the connection, which `outcome` names.
  std::string read_to_end(Outcome& outcome) {
    do outcome = receive();
    while (outcome == Outcome::kData);
    return std::exchange(buffer_, {});
  }

  Outcome receive(int timeout_ms = kMustFireMs) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, timeout_ms) <= 0) return Outcome::kTimeout;
    char bytes[16384];
    const ssize_t count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (count < 0) return Outcome::kReset;
    buffer_.append(bytes, static_cast<std::size_t>(count));
    return count == 0 ? Outcome::kEnd : Outcome::kData;
  }

  int fd() const { return socket_.get(); }
  void close() { socket_.reset(); }
  void half_close() { ::shutdown(socket_.get(), SHUT_WR); }

 private:
  Fd socket_;
  std::string buffer_;
};

}  // namespace hc::serve::test
