#pragma once

#include <hc/hc.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/spares.h"
#include "base/status.h"
#include "model/body_pipe.h"
#include "model/compressed_end.h"
#include "model/ip_address.h"

namespace hc {

inline constexpr hc_timing kNothingHappened{HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET,
                                            HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET};

/// One connection that a request tried.
struct AttemptRecord {
  Status status;
  uint64_t connection = 0;
  std::string address;  // numeric, empty if unknown
  uint16_t port = 0;
  bool reused = false;
  uint32_t hop = 0;  // redirects followed before
  hc_timing timing = kNothingHappened;
};

/// What a request came to. Filled by ResponseBuilder on the loop, then immutable and readable from any thread; of a
/// streamed one the pipe knows what comes after the head.
class Response : public Recycled<Response> {
 public:
  Response();
  ~Response();
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;

  const Status& status() const { return status_; }
  /// The same, but what a streamed one has come to by now.
  Status outcome() const { return pipe == nullptr ? status_ : pipe->status(); }
  Code outcome_code() const noexcept { return pipe == nullptr ? status_.code() : pipe->code(); }
  int32_t http_status() const { return http_status_; }
  int32_t http_version() const { return http_version_; }
  std::string_view reason() const;
  /// As received, line ends included; a field of several lines is on one.
  std::string_view head() const { return std::string_view(head_).substr(0, head_size_); }
  std::string_view url() const { return std::string_view(head_).substr(head_size_); }
  /// Keeps the URL that answered behind the head, where there is memory for it already.
  void set_url(std::string_view url, std::string_view fragment);
  std::string_view body() const { return body_; }
  /// In the order of arrival. Taken apart when somebody looks for the first time.
  const std::vector<hc_header>& headers() const;
  const hc_header* find_header(std::string_view name, size_t nth) const;
  /// Redirects that were followed.
  const std::vector<hc_hop>& history() const { return lazy().history; }
  /// Numeric, made when somebody looks for the first time.
  const std::string& remote_address() const { return lazy().remote_address; }

  // Filled by the engine.
  std::shared_ptr<BodyPipe> pipe;  // of a streamed one
  hc_timing timing = kNothingHappened;
  Endpoint remote;
  uint64_t connection = 0;
  uint64_t attempt_started_ns = HC_UNSET;  // of the attempt that the fields above tell of
  uint32_t attempts = 0;
  uint32_t hop_number = 0;  // redirects followed before
  bool reused = false;
  struct Hop {
    std::unique_ptr<Response> response;
    std::string method;
  };
  std::vector<Hop> hops;
  std::vector<std::string> certificates;  // of the server, its own first; in the form that the request named
  /// All of them in the order of their start; empty if there was only the one that the fields above tell of, which
  /// is how nearly every request goes, and costs no memory.
  std::vector<AttemptRecord> attempt_records;
  /// The attempt that the fields above tell of.
  AttemptRecord last_attempt() const;

 private:
  friend class ResponseBuilder;
  struct Lazy {
    std::vector<hc_header> headers;
    std::vector<hc_hop> history;
    std::string remote_address;
  };
  const Lazy& lazy() const;

  Status status_;
  int32_t http_status_ = 0;
  int32_t http_version_ = 0;
  std::string head_;  // and the URL behind it
  size_t head_size_ = 0;
  std::string body_;
  mutable std::atomic<Lazy*> lazy_{nullptr};
};

/// A handle of the C interface is a response by another name.
inline hc_response* to_handle(Response* response) { return reinterpret_cast<hc_response*>(response); }
inline const Response& from_handle(const hc_response* handle) {
  return *reinterpret_cast<const Response*>(handle);
}

/// Follows a streamed response while it arrives. Called inside libcurl: it may only look and record.
class StreamListener {
 public:
  /// The head is whole.
  virtual void on_head() = 0;
  /// So many bytes came of the body: to be published in this turn, at its end or when there are many.
  virtual void on_body(size_t bytes) = 0;
  /// The window is full: the connection is not read until somebody resumes it.
  virtual void on_body_held() = 0;

 protected:
  ~StreamListener() = default;
};

/// What became of a piece of a body.
enum class Intake : uint8_t {
  kTaken,
  kTakenAndHold,  // taken, but the connection should not be read until the attempt is resumed
  kHeld,          // not even taken: give it again then
  kRefused,       // stop; see ResponseBuilder::status()
};

struct ResponseLimits {
  bool follows_redirects = false;
  bool decodes = false;
  uint64_t max_body = 0;  // 0: none
  uint64_t max_header_bytes = 65536;
  uint64_t max_headers = 128;
  bool is_head = false;  // of the answer to HEAD
};

/// Takes in what arrives, line by line and piece by piece, and refuses what is too much or not HTTP.
///
/// Life cycle: one per attempt that got a connection; reset() before another attempt; finish() gives the response
/// away.
class ResponseBuilder {
 public:
  explicit ResponseBuilder(const ResponseLimits& limits) : limits_(limits) {}

  /// The body goes into a pipe, as it comes.
  void stream_into(std::shared_ptr<BodyPipe> pipe, StreamListener& listener);

  /// The same line, before libcurl does anything with it; without this, on_header_line() refuses it. False: stop, see
  /// status().
  bool foresee(std::string_view line);
  /// One line of a head (or of a trailer, which is dropped), with its line end. False: stop, see status().
  bool on_header_line(std::string_view line);
  /// Some of the body.
  Intake on_body(std::string_view bytes);
  /// It wants on_raw(): to see that compressed data come to their end.
  bool wants_raw() const { return compressed_end_ != nullptr && compressed_end_->wants_raw(); }
  /// Some of the body as it was received: not decoded, chunk framing included.
  void on_raw(std::string_view bytes);
  /// The body has ended; whether that is all of it. False: see status().
  bool check_end();
  /// Nobody wants the rest of the body; more than `most` of it are refused.
  void discard_rest(uint64_t most);
  /// Forgets what another attempt had received.
  void reset();

  bool has_bytes() const { return header_bytes_ > 0; }
  /// Of the head that comes in.
  bool has_fields() const { return fields_ > 0; }
  /// Nothing else tells where the body ends.
  bool ends_with_connection() const { return ends_with_connection_; }
  bool is_head_complete() const { return is_head_complete_; }
  /// The head that comes in: the real one follows. 101 is the last one.
  bool is_interim() const { return http_status() >= 100 && http_status() < 200 && http_status() != 101; }
  /// Why it refused.
  const Status& status() const { return refusal_; }
  /// What the server lets the connection idle for: kNever without a word, 0 for "not at all".
  Duration keepalive_hint() const { return closes_ ? 0 : keepalive_hint_; }
  uint64_t body_bytes() const { return body_bytes_; }
  /// The head is that of a redirect to be followed; its body is of no interest.
  bool is_redirect() const { return is_redirect_; }
  const std::string& location() const { return location_; }
  bool is_expectation_failed() const { return is_expectation_failed_; }
  /// Of the body, as far as its head told; HC_UNSET: it did not.
  uint64_t bytes_left() const;

  /// Made when it is first asked for: what a request waits with should be small.
  Response& response() {
    if (response_ == nullptr) response_ = std::make_unique<Response>();
    return *response_;
  }
  int32_t http_status() const { return response_ == nullptr ? 0 : response_->http_status(); }
  /// Of a streamed response: to be given away before its body.
  std::unique_ptr<Response> take_head();
  std::unique_ptr<Response> finish(Status status);

 private:
  bool refuse(Code code, std::string message);
  Intake keep(std::string_view bytes);
  Intake stream(std::string_view bytes);
  bool is_followed() const;
  bool on_status_line(std::string_view line);
  bool begin_field(std::string_view line);
  bool continue_field(std::string_view line);
  struct Field {
    std::string_view name, value;
  };
  Field field() const;
  bool end_field();
  bool on_content_length(std::string_view value);
  bool on_transfer_encoding(std::string_view value);
  void on_content_encoding(std::string_view value);
  bool on_location(std::string_view value);
  void on_keep_alive(std::string_view value);
  void on_connection(std::string_view value);
  bool end_head();

  ResponseLimits limits_;
  std::unique_ptr<Response> response_;
  Status refusal_;
  uint64_t header_bytes_ = 0;  // of all heads, interim ones too, so that a flood of them ends
  uint64_t fields_ = 0;
  size_t field_start_ = 0;  // of the last one, in the head
  uint64_t content_length_ = HC_UNSET;
  Duration keepalive_hint_ = kNever;
  bool closes_ = false;  // the connection, after this response
  bool is_head_complete_ = false;
  bool ends_with_connection_ = false;
  bool has_no_body_ = false;  // whatever the fields say
  bool is_chunked_ = false;
  uint64_t body_bytes_ = 0;
  uint64_t raw_bytes_ = 0;  // of a compressed one, as they came
  std::string location_;
  std::unique_ptr<CompressedEnd> compressed_end_;  // of a body that libcurl decodes
  bool is_redirect_ = false;
  bool is_expectation_failed_ = false;
  bool is_discarding_ = false;
  uint64_t discards_left_ = 0;
  std::shared_ptr<BodyPipe> pipe_;
  StreamListener* listener_ = nullptr;
};

}  // namespace hc
