#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapter/curl_error.h"
#include "adapter/tls_identity.h"
#include "base/fd.h"
#include "model/transport.h"

namespace hc {

class CurlLane;
class CurlShard;
class CurlTransport;

/// One attempt on one easy handle. The pair is reused for one request after another: the handle keeps the options
/// that never change, and prepare() sets the few that do.
///
/// Rules: libcurl gets exactly the one socket that was made for it, so it can neither connect on its own account
/// nor resolve a name; the request goes out at most once (docs/curl-notes.md F6, F10, F11).
class CurlAttempt final : public Attempt {
 public:
  explicit CurlAttempt(CurlTransport& transport);
  ~CurlAttempt();
  CurlAttempt(const CurlAttempt&) = delete;
  CurlAttempt& operator=(const CurlAttempt&) = delete;

  /// Makes it ready for a request. `socket` is the new connection's, or closed to ride an idle one.
  void prepare(AttemptPlan plan, AttemptSink& sink, CurlLane& lane, CurlShard& shard, Fd socket);
  /// Closes the socket if libcurl has not asked for it.
  void drop_unopened_socket() { socket_.reset(); }
  /// Forgets the request; the handle stays warm. It leaves its lane, if that is not the one to `stay_in`.
  void recycle(const CurlLane& stay_in);

  CURL* easy() const { return easy_; }
  CurlShard& shard() const { return *shard_; }
  AttemptSink& sink() const { return *sink_; }
  Permit& permit() { return plan_.permit; }
  ResponseBuilder& builder() const { return *plan_.builder; }
  Origin& origin() const { return *plan_.origin; }
  const Route& route() const { return *plan_.request->route; }
  const Endpoint& target() const { return plan_.target; }
  bool is_piecewise() const { return plan_.request != nullptr && plan_.request->is_piecewise(); }
  /// It goes to a proxy whole, and over any connection to that.
  bool is_forwarded() const {
    return route().proxy != nullptr && route().proxy->forwards(plan_.request->is_https);
  }

  /// How long its connection may idle: not at all, if only half of the request went out or the answer was refused.
  Duration keepalive_hint() const;

  /// The idle connection that it means to ride, where that is decided beforehand.
  Connection* choice() const { return choice_; }
  void choose(Connection& connection);
  void unchoose();
  /// libcurl is to look for, or to keep, its connection under this name (a line of CURLOPT_CONNECT_TO).
  void set_pool_name(const std::string& line);

  uint64_t uploaded() const override;
  TimePoint connected_at() const override;
  AttemptResult result(CURLcode code);

  /// The write callback told libcurl to pause: its connection is not read.
  bool is_held() const { return is_held_; }
  CURLcode resume();
  /// It may receive something in the call of libcurl that runs, or in the next one.
  void note_receipt();
  /// Outside libcurl, after that: has it go on with what it does not see.
  void look_again();

  void set_connection(Connection* connection) { connection_ = connection; }
  void touch(TimePoint now) { last_activity_ = now; }
  void resume_upload();
  /// The answer is whole although the body of the request has not been sent: nothing more will come of it.
  bool is_answered_early() const;
  /// libcurl gives its connection up: what the server had said by then, if it was to be sent a body.
  void hear_last_words() noexcept;
  /// Outside libcurl, after its socket's interest changed: tells the sink when the upload is over.
  void check_sent();
  bool sends_on() const override { return sends_on_; }
  bool is_upload_pending() const { return was_ready_ && (!was_sent_ || sends_on_); }

 private:
  static constexpr curl_off_t kAnySpeed = 0;
  static constexpr curl_off_t kSlowest = 1;  // byte in a second

  static size_t write_callback(char* data, size_t size, size_t count, void* self) noexcept;
  static size_t read_callback(char* data, size_t size, size_t count, void* self) noexcept;
  static size_t header_callback(char* data, size_t size, size_t count, void* self) noexcept;
  static int debug_callback(CURL* easy, curl_infotype type, char* data, size_t size, void* self) noexcept;
  static int seek_callback(void* self, curl_off_t offset, int origin) noexcept;
  static int prereq_callback(void* self, char* remote_ip, char* local_ip, int remote_port,
                             int local_port) noexcept;
  static curl_socket_t open_callback(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static int resolver_callback(void* state, void* reserved, void* self) noexcept;
  static CURLcode tls_callback(CURL* easy, void* context, void* self) noexcept;

  void set_constants();
  void foresee(bool is_wanted);
  void set_url();
  void set_buffer();
  void enter(CurlLane& lane);
  void set_proxy(const CurlLane& lane);
  std::string where() const;
  CURLcode set_up_tls(SSL_CTX* context);
  bool keep_certificates();
  void set_method();
  void set_body();
  void set_headers();
  void set_connection_rule();
  void watch_raw();
  static bool cannot_rest();
  bool may_send_while_held() const;
  void hold();
  void stop_reading();
  void read_ahead();
  SSL* tls_with_hidden_bytes() const;
  bool has_plain_connection() const;
  bool has_tunnel() const;
  bool writes_host() const;
  void set_source();
  size_t give(char* out, size_t capacity);
  Status read_source(char* out, size_t capacity, size_t* count);
  void send_on();
  bool is_all_given() const;
  bool is_answer_whole() const;
  void hear_answer(std::string_view bytes);
  bool is_cut_short() const;
  void look_for_early_answer();
  bool take_connection(std::string_view remote_ip, int local_port);
  bool ride_idle(std::string_view remote_ip, int local_port);
  void sent();
  void hear(bool is_interim);
  Status pin_mismatch() const;
  CurlFailure failure(CURLcode code) const;
  TimePoint time_of(CURLINFO moment) const;
  void note_times();
  /// The same for one that is set for each request, and seldom to something new.
  template <typename Option, typename Value>
  void set_if_new(Option option, Value value, Value* last) {
    if (*last == value) return;
    *last = value;
    set(option, value);
  }
  template <typename Option, typename Value>
  void set(Option option, Value value) {
    curl_easy_setopt(easy_, option, value);
  }

  CurlTransport& transport_;
  CURL* easy_;
  CurlShard* shard_ = nullptr;
  AttemptSink* sink_ = nullptr;
  AttemptPlan plan_;
  Fd socket_;  // made, and not yet given to libcurl
  TimePoint started_ = 0;
  std::vector<curl_slist> fields_;         // over the lines of the request and of the transport: no copy
  Status refusal_;                         // of a callback of ours that had to stop libcurl
  std::shared_ptr<TlsFindings> findings_;  // of its connection (the server's in a proxy's); none without TLS
  Connection* choice_ = nullptr;
  std::string pool_name_;
  curl_slist pool_name_field_{};
  uint8_t tls_contexts_ = 0;    // made for its connection; a proxy's comes first
  uint32_t lane_ = 0;           // what the handle is set to; 0: none
  CURLSH* sessions_ = nullptr;  // the same
  CURLU* url_ = nullptr;        // the same
  long forbids_reuse_ = 0;
  long is_fresh_ = 0;
  long connect_timeout_ms_ = 0;
  long foresees_ = 0;
  bool has_addresses_ = false;
  Method method_ = Method::kGet;
  bool decodes_ = true;
  long buffer_ = CURL_MAX_WRITE_SIZE;
  long upload_buffer_ = 0;
  curl_off_t speed_ = kAnySpeed;
  bool has_custom_method_ = false;
  bool has_credentials_ = false;
  uint64_t got_to_ = 0;  // OpenSSL, when look_again() last looked
  // Of a body that has a source.
  uint64_t given_ = 0;
  bool source_ended_ = false;
  bool source_waits_ = false;  // it said "not yet", and libcurl was told to pause its sending

  bool is_raw_watched_ = false;
  bool is_held_ = false;
  bool made_socket_ = false;
  bool is_reused_ = false;
  bool was_ready_ = false;
  bool was_sent_ = false;
  bool was_heard_ = false;
  bool sends_on_ = false;  // though it has an answer
  bool found_nothing_idle_ =
      false;                   // libcurl wanted a socket or an address, or the idle connection was not clean
  bool was_repeated_ = false;  // libcurl wanted to send it again
  char error_text_[CURL_ERROR_SIZE] = "";
};

}  // namespace hc
