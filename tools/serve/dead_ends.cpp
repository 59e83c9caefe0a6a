#include "serve/dead_ends.h"

#include <cerrno>
#include <utility>

namespace hc::serve {

namespace {

// Enough to fill a queue of length 0 (which holds one connection); the others' SYNs are dropped already.
constexpr int kFillers = 3;

}  // namespace

BlackHole::BlackHole(const std::string& address, std::uint16_t port) {
  Fd listener = bind_socket(SOCK_STREAM, SocketAddress::parse(address, port));
  if (::listen(listener.get(), 0) != 0) throw_errno("listen");
  const SocketAddress target = SocketAddress::of(listener.get());
  port_ = target.port();
  sockets_.push_back(std::move(listener));
  for (int i = 0; i < kFillers; ++i) {
    // Only the first may block: it is certain to succeed, and when it has, the queue is full.
    const int mode = i == 0 ? 0 : SOCK_NONBLOCK;
    Fd filler(::socket(target.family(), SOCK_STREAM | SOCK_CLOEXEC | mode, 0));
    if (!filler) throw_errno("socket");
    if (::connect(filler.get(), target.get(), target.length) != 0 && errno != EINPROGRESS)
      throw_errno("connect");
    sockets_.push_back(std::move(filler));
  }
}

RefusedPort::RefusedPort(const std::string& address, std::uint16_t port)
    : socket_(bind_socket(SOCK_STREAM, SocketAddress::parse(address, port))),
      port_(SocketAddress::of(socket_.get()).port()) {}

}  // namespace hc::serve
