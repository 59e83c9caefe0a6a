// The part of an attempt that receives a body: how much of it at one time, when none, and as it was before decoding.
#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

#include "adapter/curl_attempt.h"
#include "adapter/curl_runtime.h"
#include "adapter/curl_shard.h"
#include "adapter/curl_transport.h"
#include "adapter/peer_certificates.h"

namespace hc {
namespace {

constexpr long kUsualBuffer = CURL_MAX_WRITE_SIZE;
constexpr long kBufferForDecoding = 60 << 10;

// Before 8.13 what a reader has no room for waits in libcurl decoded, and 64 MB of it are an error. One byte of deflate
// makes up to 1,032.
bool holds_decoded_bytes() { return CurlRuntime::version_number() < curl_version_of(8, 13, 0); }

// TLS records that OpenSSL takes from the socket at one time. More are only moved about in its buffer.
constexpr size_t kReadAhead = 2 * SSL3_RT_MAX_PACKET_SIZE;

// Later ones read until a socket is empty, and rest in another way.
bool may_read_ahead() { return CurlRuntime::version_number() < curl_version_of(8, 6, 0); }

}  // namespace

// Each read costs two system calls and a turn of libcurl's. What one gives must fit into the pipe when its window is
// nearly full: libcurl would copy what does not. Of TLS a read gives one record.
void CurlAttempt::set_buffer() {
  const Request& request = *plan_.request;
  long wanted = kUsualBuffer;
  if (request.is_streamed && !request.is_https) {
    long most =
        request.decompress && holds_decoded_bytes() ? kBufferForDecoding : transport_.buffer_of_a_stream();
    wanted = std::clamp(2 * static_cast<long>(request.body_window), kUsualBuffer, most);
  }
  if (std::exchange(buffer_, wanted) != wanted) set(CURLOPT_BUFFERSIZE, wanted);
}

// By itself OpenSSL takes the head of a record from the socket, and then the rest: two system calls. What it has read
// ahead neither libcurl (SSL_pending) nor epoll sees: look_again() and ride_idle() ask for it.
void CurlAttempt::read_ahead() {
  SSL* tls = plan_.request->is_https && may_read_ahead() ? tls_of(easy_) : nullptr;
  if (tls == nullptr) return;
  SSL_set_default_read_buffer_len(tls, kReadAhead);
  SSL_set_read_ahead(tls, 1);
}

void CurlAttempt::note_receipt() {
  if (plan_.request->is_https) shard_->note_receiver(*this);
}

SSL* CurlAttempt::tls_with_hidden_bytes() const {
  SSL* tls = plan_.request->is_https ? tls_of(easy_) : nullptr;
  return tls != nullptr && SSL_has_pending(tls) == 1 ? tls : nullptr;
}

// What libcurl gives tells nothing: of the frame of a chunk, or half a line, that is nothing. So it goes on for as long as
// OpenSSL gets on: it has taken something from the socket, or begun with another record.
void CurlAttempt::look_again() {
  if (is_held_ || !was_ready_ || connection_ == nullptr) return;
  SSL* tls = tls_with_hidden_bytes();
  if (tls == nullptr || findings_ == nullptr) return;
  uint64_t got_to = BIO_number_read(SSL_get_rbio(tls)) + findings_->records_begun;
  if (std::exchange(got_to_, got_to) != got_to) shard_->look_at(connection_->fd(), CURL_CSELECT_IN);
}

// A reused connection is watched from the time when it was idle. When its answer fills the window in the same call
// that sends the request, libcurl never asks for the socket, and so never tells that it has lost interest in it.
// Nor does it tell what it has told before: that it sends.
void CurlAttempt::stop_reading() {
  is_held_ = true;
  if (connection_ == nullptr) return;
  if (may_send_while_held()) {
    transport_.watch_for_sending(*connection_);
  } else {
    transport_.stop_watching(*connection_);
  }
}

// From 8.6 to 8.14 a transfer that is paused while its socket has more asks to be run again at once, and each time again;
// and when its sending is let go on, it reads on, too.
bool CurlAttempt::cannot_rest() {
  uint32_t version = CurlRuntime::version_number();
  return curl_version_of(8, 6, 0) <= version && version < curl_version_of(8, 15, 0);
}

// The server has answered before it had the whole body. How much is sent counts the frames of chunks, too: a few bytes may
// wait for the reader.
bool CurlAttempt::may_send_while_held() const {
  return sends_on_ && !source_waits_ && !cannot_rest() && !(is_all_given() && uploaded() >= given_);
}

// libcurl copies a piece that is not taken, and all behind it: so the window has room for what it has read, and it is
// told to stop only then. If sending may go on, it reads once more all the same. One that cannot rest is told that it
// has received too fast: until its time has come libcurl asks for nothing but a timer.
void CurlAttempt::hold() {
  if (is_held_) return;
  stop_reading();
  if (cannot_rest()) set_if_new(CURLOPT_MAX_RECV_SPEED_LARGE, kSlowest, &speed_);
  curl_easy_pause(easy_, may_send_while_held() ? CURLPAUSE_RECV : CURLPAUSE_ALL);
}

// libcurl gives the piece again that was not taken, from in here.
CURLcode CurlAttempt::resume() {
  is_held_ = false;
  note_receipt();
  set_if_new(CURLOPT_MAX_RECV_SPEED_LARGE, kAnySpeed, &speed_);
  return curl_easy_pause(easy_, source_waits_ ? CURLPAUSE_SEND : CURLPAUSE_CONT);
}

// Before 8.14.1 libcurl takes the end of a connection for the end of such a body, whoever ended it.
bool CurlAttempt::is_cut_short() const {
  return !has_plain_connection() && builder().ends_with_connection() && findings_ != nullptr &&
         !findings_->has_close_notify;
}

// The only place where libcurl shows what it receives before it is decoded is its trace.
void CurlAttempt::watch_raw() {
  if (is_raw_watched_ || !builder().is_head_complete() || !builder().wants_raw()) return;
  is_raw_watched_ = true;
  set(CURLOPT_VERBOSE, 1L);
}

int CurlAttempt::debug_callback(CURL*, curl_infotype type, char* data, size_t size, void* self) noexcept {
  auto& attempt = *static_cast<CurlAttempt*>(self);
  if (type == CURLINFO_DATA_IN && attempt.is_raw_watched_) attempt.builder().on_raw({data, size});
  return 0;
}

}  // namespace hc
