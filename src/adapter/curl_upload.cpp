// The part of an attempt that sends a body which is not in memory.
#include <algorithm>
#include <cstring>

#include "adapter/curl_attempt.h"
#include "adapter/curl_shard.h"
#include "adapter/curl_transport.h"

namespace hc {
namespace {

// What is taken from a source at one time; of one whose length is not known, because it may be short.
constexpr uint64_t kUploadBuffer = 128 << 10;
constexpr uint64_t kUnknownBuffer = 64 << 10;

}  // namespace

// libcurl sends it chunked when the length is -1.
void CurlAttempt::set_source() {
  uint64_t length = plan_.request->source->length();
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDS, nullptr);
  set(CURLOPT_POSTFIELDSIZE_LARGE, length == HC_UNSET ? curl_off_t{-1} : static_cast<curl_off_t>(length));
  set(CURLOPT_READFUNCTION, read_callback);
  set(CURLOPT_READDATA, this);
  method_ = Method::kPost;
  upload_capacity_ =
      static_cast<size_t>(length == HC_UNSET ? kUnknownBuffer : std::min(length, kUploadBuffer));
  upload_ = std::make_unique_for_overwrite<char[]>(upload_capacity_);
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

// User code may not run in here, so libcurl gets what fill() took before, or has to wait for it.
size_t CurlAttempt::give(char* out, size_t capacity) {
  if (!refusal_.is_ok()) return CURL_READFUNC_ABORT;
  size_t count = std::min(capacity, upload_end_ - upload_begin_);
  if (count == 0 && !source_ended_) {
    is_starved_ = true;
    transport_.fill_later(*this);
    return CURL_READFUNC_PAUSE;
  }
  std::memcpy(out, upload_.get() + upload_begin_, count);
  upload_begin_ += count;
  given_ += count;
  if (upload_begin_ == upload_end_ && !is_all_given()) transport_.fill_later(*this);
  return count;
}

void CurlAttempt::fill() {
  if (source_waits_) return;
  if (upload_begin_ == upload_end_ && !source_ended_) pull();
  if (source_waits_) return;
  if (!is_starved_) {
    send_on();
    return;
  }
  is_starved_ = false;
  if (is_held_ && cannot_rest()) return;  // resume() lets it go on
  curl_easy_pause(easy_, is_held_ ? CURLPAUSE_RECV : CURLPAUSE_CONT);
  transport_.mark_active(*shard_);
}

// The socket most often has room for more: libcurl tries, before the loop goes round to ask.
void CurlAttempt::send_on() {
  if (connection_ != nullptr && !is_held_) shard_->look_at(connection_->fd(), CURL_CSELECT_OUT);
}

void CurlAttempt::pull() {
  BodySource& source = *plan_.request->source;
  uint64_t left = source.length() == HC_UNSET ? upload_capacity_ : source.length() - given_;
  size_t count = 0;
  Status status = source.read(upload_.get(), std::min<uint64_t>(upload_capacity_, left), &count);
  if (status.code() == HC_E_AGAIN) {
    source_waits_ = true;
    sink_->on_upload_waits(*this, true);
    return;
  }
  upload_begin_ = 0;
  upload_end_ = status.is_ok() ? count : 0;
  source_ended_ = upload_end_ == 0;
  if (!status.is_ok()) {
    refusal_ = std::move(status);
  } else if (count == 0 && source.length() != HC_UNSET && given_ < source.length()) {
    refusal_ = Status(HC_E_CALLBACK, "the body ended before its body_length");
  }
}

void CurlAttempt::resume_upload() {
  if (!source_waits_) return;
  source_waits_ = false;
  sink_->on_upload_waits(*this, false);
  fill();
}

bool CurlAttempt::is_all_given() const {
  const BodySource* source = plan_.request->source.get();
  if (source == nullptr) return uploaded() >= plan_.request->body.size();
  if (source->length() != HC_UNSET) return given_ >= source->length();
  return source_ended_ && upload_begin_ == upload_end_;
}

// When the server answers an expectation with anything else than 100, libcurl sends no body, and keeps the connection:
// the server would take the next request for that body.
Duration CurlAttempt::keepalive_hint() const {
  if (plan_.request->has_body && !is_all_given()) return 0;
  return builder().keepalive_hint();
}

void CurlAttempt::look_for_early_answer() {
  if (plan_.request->source != nullptr && is_answered_early()) transport_.fill_later(*this);
}

bool CurlAttempt::is_answered_early() const {
  return builder().is_head_complete() && builder().bytes_left() == 0 && builder().status().is_ok() &&
         !is_all_given();
}

// Before the request was: a server that has answered may stop reading, so that libcurl's last word is about the
// sending; or it refused an expectation, and libcurl wanted to send all again without it, there or over a new connection.
bool CurlAttempt::is_answer_whole() const {
  if (!refusal_.is_ok() || !builder().status().is_ok() || !builder().is_head_complete()) return false;
  bool wanted_to_repeat = was_repeated_ || found_nothing_idle_;
  return builder().bytes_left() == 0 || (wanted_to_repeat && builder().is_expectation_failed());
}

}  // namespace hc
