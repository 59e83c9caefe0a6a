// A server that says the same bytes to whatever it is asked: what the test server is too well-behaved for.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "serve/net.h"

namespace hc::test {

/// Serves one connection after the other: reads a request's head, answers, and ends it.
class RawServer {
 public:
  enum class Then {
    kClose,  ///< at once: with a reset, when the client has sent more
    kHang,   ///< when the client closes, or the server ends; until then nothing more is read
  };
  RawServer(std::string answer, Then then)
      : answer_(std::move(answer)),
        then_(then),
        listener_(serve::bind_socket(SOCK_STREAM, serve::SocketAddress::parse("127.0.0.1", 0))) {
    if (listen(listener_.get(), 16) != 0) serve::throw_errno("listen");
    wait_when_there_is_nothing(listener_.get());
    port_ = serve::SocketAddress::of(listener_.get()).port();
    thread_ = std::thread([this] { serve_all(); });
  }
  /// To be called when its clients are gone.
  ~RawServer() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }

 private:
  static void wait_when_there_is_nothing(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK); }

  void serve_all() {
    for (int fd = -1; (fd = accept(listener_.get(), nullptr, nullptr)) >= 0;) {
      serve::Fd connection(fd);
      if (!read_head(fd)) continue;
      send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      if (then_ == Then::kHang) wait_for_the_end(fd);
    }
  }

  static bool read_head(int fd) {
    std::string head;
    char byte = 0;  // one by one: what follows the head stays unread
    while (!head.ends_with("\r\n\r\n")) {
      if (recv(fd, &byte, 1, 0) != 1) return false;
      head += byte;
    }
    return true;
  }

  // The client's end may stand behind what is not read. A listener that was shut down has hung up.
  void wait_for_the_end(int fd) const {
    pollfd ends[] = {{fd, POLLRDHUP, 0}, {listener_.get(), 0, 0}};
    poll(ends, 2, 30'000);
  }

  std::string answer_;
  Then then_;
  serve::Fd listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace hc::test
