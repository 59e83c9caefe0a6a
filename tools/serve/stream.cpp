#include "serve/stream.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <new>
#include <utility>

namespace hc::serve {

namespace {

Stream::Result system_result(ssize_t returned) {
  if (returned >= 0) return {Stream::Status::kDone, static_cast<std::size_t>(returned)};
  if (errno == EAGAIN || errno == EINTR) return {Stream::Status::kBlocked};
  return {Stream::Status::kError};
}

}  // namespace

Stream::Stream(Fd socket, SSL_CTX* context) : socket_(std::move(socket)) {
  if (context == nullptr) return;
  ssl_.reset(SSL_new(context));
  if (!ssl_) throw std::bad_alloc();
  SSL_set_fd(ssl_.get(), socket_.get());
  SSL_set_accept_state(ssl_.get());
}

Stream::Result Stream::handshake() { return tls_result(SSL_do_handshake(ssl_.get())); }

Stream::Result Stream::read(char* buffer, std::size_t capacity) {
  if (ssl_)
    return tls_result(
        SSL_read(ssl_.get(), buffer, static_cast<int>(std::min<std::size_t>(capacity, INT_MAX))));
  const Result result = system_result(::recv(socket_.get(), buffer, capacity, 0));
  return result.status == Status::kDone && result.bytes == 0 ? Result{Status::kEnd} : result;
}

Stream::Result Stream::write(const iovec* views, std::size_t count) {
  if (ssl_)
    return tls_result(SSL_write(ssl_.get(), views[0].iov_base,
                                static_cast<int>(std::min<std::size_t>(views[0].iov_len, INT_MAX))));
  if (count == 1)
    return system_result(::send(socket_.get(), views[0].iov_base, views[0].iov_len, MSG_NOSIGNAL));
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(views);
  message.msg_iovlen = count;
  return system_result(::sendmsg(socket_.get(), &message, MSG_NOSIGNAL));
}

Stream::Result Stream::tls_result(int returned) {
  wants_write_ = false;
  if (returned > 0) return {Status::kDone, static_cast<std::size_t>(returned)};
  const int error = SSL_get_error(ssl_.get(), returned);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ) return {Status::kBlocked};
  if (error == SSL_ERROR_WANT_WRITE) {
    wants_write_ = true;
    return {Status::kBlocked};
  }
  if (error == SSL_ERROR_ZERO_RETURN) return {Status::kEnd};
  is_broken_ = true;
  return {Status::kError};
}

void Stream::send_close_notify() {
  if (!ssl_ || is_broken_ || SSL_in_init(ssl_.get()) == 1) return;
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void Stream::shut_down_sending() { ::shutdown(socket_.get(), SHUT_WR); }

void Stream::close() { socket_.reset(); }

void Stream::reset() { close_with_reset(socket_); }

}  // namespace hc::serve
