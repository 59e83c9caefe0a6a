// The part of an attempt that sends a body, and of how that ends.
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "adapter/curl_attempt.h"
#include "adapter/curl_shard.h"
#include "adapter/curl_transport.h"
#include "base/check.h"

namespace hc {
namespace {

// Of an answer whose server has closed the connection: what its socket may hold by then, and a server says that refuses.
constexpr size_t kMostLastWords = 128 << 10;

std::string unread_of(int fd) {
  std::string bytes(kMostLastWords, '\0');
  ssize_t count = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return bytes;
}

}  // namespace

// libcurl sends it chunked when the length is -1.
void CurlAttempt::set_source() {
  uint64_t length = plan_.request->source->length();
  set_if_new(CURLOPT_UPLOAD_BUFFERSIZE, transport_.buffer_of_a_stream(), &upload_buffer_);
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDS, nullptr);
  curl_off_t size = length == HC_UNSET ? curl_off_t{-1} : static_cast<curl_off_t>(length);
  // Refused, it would be that of the handle's last request, and the rest of the body another request to the server.
  HC_CHECK(curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, size) == CURLE_OK);
  set(CURLOPT_READFUNCTION, read_callback);
  set(CURLOPT_READDATA, this);
  method_ = Method::kPost;
}

size_t CurlAttempt::read_callback(char* data, size_t size, size_t count, void* self) noexcept {
  auto& attempt = *static_cast<CurlAttempt*>(self);
  try {
    return attempt.give(data, size * count);
  } catch (...) {
    attempt.refusal_ = Status(HC_E_NOMEM, "");
    return CURL_READFUNC_ABORT;
  }
}

// A handle may owe its last request a rewind, and wants it of this one, of which nothing has been given.
int CurlAttempt::seek_callback(void* self, curl_off_t offset, int) noexcept {
  auto& attempt = *static_cast<CurlAttempt*>(self);
  return offset == 0 && attempt.given_ == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

size_t CurlAttempt::give(char* out, size_t capacity) {
  if (!refusal_.is_ok()) return CURL_READFUNC_ABORT;
  if (source_waits_) return CURL_READFUNC_PAUSE;
  size_t count = 0;
  Status status = read_source(out, capacity, &count);
  if (status.code() == HC_E_AGAIN) {
    source_waits_ = true;
    sink_->on_upload_waits(*this, true);
    return CURL_READFUNC_PAUSE;
  }
  if (!status.is_ok()) {
    refusal_ = std::move(status);
    return CURL_READFUNC_ABORT;
  }
  given_ += count;
  source_ended_ = count == 0;
  if (!is_all_given()) send_on();
  return count;
}

Status CurlAttempt::read_source(char* out, size_t capacity, size_t* count) {
  BodySource& source = *plan_.request->source;
  if (source.length() == HC_UNSET) return source.read(out, capacity, count);
  uint64_t left = source.length() - given_;
  if (left == 0) return Status::ok();
  Status status = source.read(out, std::min<uint64_t>(capacity, left), count);
  bool is_short = status.is_ok() && *count == 0;
  return is_short ? Status(HC_E_CALLBACK, "the body ended before its body_length") : status;
}

// The socket most often has room for more: libcurl tries, before the loop goes round to ask. It asks the socket itself what
// that is ready for: an answer that is there is read before sending fails because its server has closed the connection.
void CurlAttempt::send_on() {
  if (connection_ != nullptr && !is_held_) shard_->look_at(connection_->fd(), CurlShard::kWhatIsReady);
}

void CurlAttempt::resume_upload() {
  if (!source_waits_) return;
  source_waits_ = false;
  note_receipt();
  sink_->on_upload_waits(*this, false);
  if (is_held_ && cannot_rest()) return;  // resume() lets it go on
  curl_easy_pause(easy_, is_held_ ? CURLPAUSE_RECV : CURLPAUSE_CONT);
  transport_.mark_active(*shard_);
}

uint64_t CurlAttempt::uploaded() const {
  curl_off_t bytes = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &bytes);
  return static_cast<uint64_t>(bytes);
}

void CurlAttempt::check_sent() {
  if (!is_upload_pending() || !is_all_given()) return;
  if (std::exchange(sends_on_, false)) sink_->on_upload_end(*this);
  sent();
}

bool CurlAttempt::is_all_given() const {
  const BodySource* source = plan_.request->source.get();
  if (source == nullptr) return uploaded() >= plan_.request->body.size();
  return source->length() == HC_UNSET ? source_ended_ : given_ >= source->length();
}

// When the server answers an expectation with anything else than 100, libcurl sends no body, and keeps the connection:
// the server would take the next request for that body. Nor is a server trusted whose body had an end in its framing
// and none in its coding.
Duration CurlAttempt::keepalive_hint() const {
  if (forbids_reuse_ != 0) return 0;
  if (plan_.request->has_body && !is_all_given()) return 0;
  if (!builder().status().is_ok()) return 0;
  return builder().keepalive_hint();
}

void CurlAttempt::look_for_early_answer() {
  if (plan_.request->source != nullptr && is_answered_early()) transport_.finish_later(*this);
}

bool CurlAttempt::is_answered_early() const {
  return builder().is_head_complete() && builder().bytes_left() == 0 && builder().status().is_ok() &&
         !is_all_given();
}

// A server that refuses a body answers, and closes the connection while more is on its way: sending fails, which ends it for
// libcurl, though the answer came before.
void CurlAttempt::hear_last_words() noexcept {
  bool may_have_some = was_ready_ && has_plain_connection() && !builder().has_bytes() && refusal_.is_ok() &&
                       is_upload_pending() && uploaded() > 0;
  if (!may_have_some) return;
  try {
    hear_answer(unread_of(connection_->fd()));
  } catch (...) {
    refusal_ = Status(HC_E_NOMEM, "");
  }
}

// Of the framings only that of Content-Length is known here.
void CurlAttempt::hear_answer(std::string_view bytes) {
  while (!builder().is_head_complete()) {
    size_t end = bytes.find('\n');
    if (end == std::string_view::npos || !builder().on_header_line(bytes.substr(0, end + 1))) return;
    bytes.remove_prefix(end + 1);
  }
  hear(/*is_interim=*/false);
  uint64_t left = builder().bytes_left();
  if (left != HC_UNSET && left > 0) builder().on_body(bytes.substr(0, left));
}

// Before the request was: a server that has answered may stop reading, so that libcurl's last word is about the
// sending; or it refused an expectation, and libcurl wanted to send all again without it, there or over a new connection.
bool CurlAttempt::is_answer_whole() const {
  if (!refusal_.is_ok() || !builder().status().is_ok() || !builder().is_head_complete()) return false;
  bool wanted_to_repeat = was_repeated_ || found_nothing_idle_;
  return builder().bytes_left() == 0 || (wanted_to_repeat && builder().is_expectation_failed());
}

}  // namespace hc
