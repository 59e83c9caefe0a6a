// The bytes of one connection, plain or through TLS; never blocks.
#pragma once

#include <sys/uio.h>

#include <cstddef>

#include "serve/net.h"
#include "serve/tls_context.h"

namespace hc::serve {

class Stream {
 public:
  enum class Status { kDone, kBlocked, kEnd, kError };
  struct Result {
    Status status;
    std::size_t bytes = 0;
  };

  /// `context` null: plain.
  Stream(Fd socket, SSL_CTX* context);

  int fd() const { return socket_.get(); }
  bool is_tls() const { return ssl_ != nullptr; }
  bool is_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  /// TLS may need the socket to be writable before it can read or shake hands.
  bool wants_write() const { return wants_write_; }

  Result handshake();
  Result read(char* buffer, std::size_t capacity);
  /// After kBlocked call again with the same bytes first.
  Result write(const iovec* views, std::size_t count);

  void send_close_notify();
  void shut_down_sending();
  void close();
  void reset();

 private:
  Result tls_result(int returned);

  Fd socket_;
  Ssl ssl_;
  bool wants_write_ = false;
  bool is_broken_ = false;  // a fatal TLS error forbids SSL_shutdown
};

}  // namespace hc::serve
