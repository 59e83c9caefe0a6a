#include "adapter/curl_attempt.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "adapter/curl_lane.h"
#include "adapter/curl_memory.h"
#include "adapter/curl_runtime.h"
#include "adapter/curl_shard.h"
#include "adapter/curl_transport.h"
#include "adapter/proxy_error.h"
#include "adapter/socket_factory.h"
#include "base/check.h"

namespace hc {
namespace {

constexpr long kNoAgeSeconds = 10L * 365 * 24 * 3600;  // idle connections end when the ledger says so
constexpr int kGo = CURL_PREREQFUNC_OK;
constexpr int kStop = CURL_PREREQFUNC_ABORT;

// 8.16.0 alone refuses -1 (curl #18959).
long never_prune_dns() {
  return CurlRuntime::version_number() == curl_version_of(8, 16, 0) ? kNoAgeSeconds : -1L;
}

}  // namespace

CurlAttempt::CurlAttempt(CurlTransport& transport) : transport_(transport), easy_(curl_easy_init()) {
  if (easy_ == nullptr) throw std::bad_alloc();
  set_constants();
}

CurlAttempt::~CurlAttempt() {
  curl_easy_cleanup(easy_);
  CurlMemory::on_handle_ended();
}

void CurlAttempt::set_constants() {
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, error_text_);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOPROXY, "");  // or the environment's no_proxy takes over
  set(CURLOPT_PROXYAUTH, CURLAUTH_BASIC);
  set(CURLOPT_SOCKS5_AUTH, CURLAUTH_BASIC);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_MAXAGE_CONN, kNoAgeSeconds);
  set(CURLOPT_MAXLIFETIME_CONN, 0L);  // 24 h by itself since 8.17
  set(CURLOPT_DNS_CACHE_TIMEOUT, never_prune_dns());
  set(CURLOPT_TCP_NODELAY, 0L);  // SocketFactory decides

  set(CURLOPT_ACCEPT_ENCODING, "");  // all that this libcurl has
  set(CURLOPT_WRITEFUNCTION, write_callback);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, header_callback);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_SEEKFUNCTION, seek_callback);
  set(CURLOPT_SEEKDATA, this);
  set(CURLOPT_DEBUGFUNCTION, debug_callback);
  set(CURLOPT_DEBUGDATA, this);
  set(CURLOPT_PREREQFUNCTION, prereq_callback);
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, open_callback);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_RESOLVER_START_FUNCTION, resolver_callback);
  set(CURLOPT_RESOLVER_START_DATA, this);
  // Copied into the connection, and called after this handle may be gone (curl PR #20521): the transport's data.
  set(CURLOPT_CLOSESOCKETFUNCTION, CurlTransport::close_callback);
  set(CURLOPT_CLOSESOCKETDATA, &transport_);

  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_CAPATH, nullptr);  // TlsIdentity takes the place of both
  set(CURLOPT_CAINFO, nullptr);
  set(CURLOPT_PROXY_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_PROXY_CAPATH, nullptr);
  set(CURLOPT_PROXY_CAINFO, nullptr);
  set(CURLOPT_SSL_CTX_FUNCTION, tls_callback);
  set(CURLOPT_SSL_CTX_DATA, this);
}

void CurlAttempt::recycle(const CurlLane& stay_in) {
  if (lane_ != stay_in.number()) {
    lane_ = 0;
    sessions_ = nullptr;
    set(CURLOPT_SHARE, nullptr);  // it may end before this handle is used again
  }
  if (std::exchange(is_raw_watched_, false)) set(CURLOPT_VERBOSE, 0L);
  set_if_new(CURLOPT_MAX_RECV_SPEED_LARGE, kAnySpeed, &speed_);
  findings_ = nullptr;
  unchoose();
  tls_contexts_ = 0;
  if (!pool_name_.empty()) {
    set(CURLOPT_CONNECT_TO, nullptr);
    pool_name_.clear();
  }
  plan_ = AttemptPlan{};
  socket_.reset();
  refusal_ = Status::ok();
  connection_ = nullptr;
  shard_ = nullptr;
  sink_ = nullptr;
  last_activity_ = connected_at_ = secured_at_ = 0;
  given_ = got_to_ = 0;
  source_ended_ = source_waits_ = false;
  is_held_ = made_socket_ = is_reused_ = was_ready_ = was_sent_ = was_heard_ = sends_on_ =
      found_nothing_idle_ = was_repeated_ = false;
  error_text_[0] = '\0';
}

TimePoint CurlAttempt::connected_at() const {
  return connected_at_ != 0 || !made_socket_ ? connected_at_ : time_of(CURLINFO_CONNECT_TIME_T);
}

// libcurl counts in microseconds from the start of the transfer; 0: it has not happened.
TimePoint CurlAttempt::time_of(CURLINFO moment) const {
  curl_off_t passed = 0;
  curl_easy_getinfo(easy_, moment, &passed);
  return passed == 0 ? 0 : started_ + passed * kMicrosecond;
}

void CurlAttempt::sent() {
  if (was_sent_) return;
  was_sent_ = true;
  sink_->on_sent(*this);
}

size_t CurlAttempt::write_callback(char* data, size_t size, size_t count, void* self) noexcept {
  auto& attempt = *static_cast<CurlAttempt*>(self);
  try {
    if (!attempt.builder().is_head_complete()) {
      return attempt.builder().foresee({data, size * count}) ? size * count : 0;
    }
    switch (attempt.builder().on_body({data, size * count})) {
      case Intake::kTakenAndHold: attempt.hold(); [[fallthrough]];
      case Intake::kTaken:
        attempt.note_receipt();
        if (attempt.transport_.config().on_trace != nullptr) attempt.sink_->on_chunk(attempt, size * count);
        attempt.look_for_early_answer();
        return size * count;
      case Intake::kHeld: attempt.stop_reading(); return CURL_WRITEFUNC_PAUSE;
      case Intake::kRefused: break;
    }
    return 0;
  } catch (...) {
    attempt.refusal_ = Status(HC_E_NOMEM, "");
    return 0;
  }
}

size_t CurlAttempt::header_callback(char* data, size_t size, size_t count, void* self) noexcept {
  auto& attempt = *static_cast<CurlAttempt*>(self);
  try {
    bool was_interim = attempt.builder().is_interim();
    bool was_redirect = attempt.builder().is_redirect();
    bool is_good = attempt.builder().on_header_line({data, size * count});
    attempt.hear(was_interim || attempt.builder().is_interim());
    if (!is_good) return 0;
    if (attempt.builder().is_redirect() && !was_redirect) attempt.sink_->on_redirect(attempt);
    attempt.note_receipt();
    if (attempt.builder().has_fields()) attempt.foresee(false);
    attempt.watch_raw();
    attempt.look_for_early_answer();
    return size * count;
  } catch (...) {
    attempt.refusal_ = Status(HC_E_NOMEM, "");
    return 0;
  }
}

// What a server says while the body is under way, as a 100 that was waited for, is no answer yet.
void CurlAttempt::hear(bool is_interim) {
  if (is_interim && !was_sent_ && plan_.request->has_body) {
    shard_->check_upload(*this);
    return;
  }
  if (std::exchange(was_heard_, true)) return;
  sends_on_ = !was_sent_;
  sent();
  sink_->on_first_byte(*this);
}

int CurlAttempt::prereq_callback(void* self, char* remote_ip, char*, int, int local_port) noexcept {
  auto& attempt = *static_cast<CurlAttempt*>(self);
  if (attempt.was_ready_) {
    attempt.was_repeated_ = true;
    return kStop;
  }
  if (!attempt.take_connection(remote_ip, local_port)) return kStop;
  attempt.was_ready_ = true;
  attempt.note_receipt();
  if (!attempt.sink_->on_ready(attempt, attempt.is_reused_)) return kStop;
  // After that: one that lost the race shares the winner's response.
  // Of a forwarding https proxy it would be the proxy's.
  bool keeps_certificates = attempt.plan_.request->certificates != HC_OFF && attempt.plan_.request->is_https;
  if (keeps_certificates && !attempt.keep_certificates()) return kStop;
  if (attempt.plan_.request->body.empty() && attempt.plan_.request->source == nullptr) {
    attempt.sent();
  } else {
    // A body that goes out in the call that ended the handshake changes nothing in what libcurl waits for.
    attempt.shard_->check_upload(attempt);
  }
  return kGo;
}

bool CurlAttempt::take_connection(std::string_view remote_ip, int local_port) {
  long new_connections = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &new_connections);
  is_reused_ = new_connections == 0;
  if (is_reused_) return ride_idle(remote_ip, local_port);
  HC_CHECK(connection_ != nullptr);
  note_times();
  read_ahead();
  connection_->of_transport = findings_;
  transport_.on_connected(*connection_, static_cast<uint16_t>(local_port));
  return true;
}

bool CurlAttempt::ride_idle(std::string_view remote_ip, int local_port) {
  Connection* idle = transport_.find_idle(*this, remote_ip, static_cast<uint16_t>(local_port));
  // Bytes or an end waiting on an idle connection: they would become this request's answer (F11).
  char byte = 0;
  bool is_clean = idle != nullptr && recv(idle->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
                  (errno == EAGAIN || errno == EWOULDBLOCK) && tls_with_hidden_bytes() == nullptr;
  if (!is_clean) {
    found_nothing_idle_ = true;
    return false;
  }
  unchoose();
  findings_ = std::static_pointer_cast<TlsFindings>(idle->of_transport);
  transport_.on_taken(*idle, *this);
  return true;
}

void CurlAttempt::note_times() {
  connected_at_ =
      std::max(started_, time_of(CURLINFO_CONNECT_TIME_T));  // a unix socket may have taken no time
  secured_at_ = std::max(started_, time_of(CURLINFO_APPCONNECT_TIME_T));
  transport_.reactor().refresh();  // a handshake takes milliseconds; what comes next did not begin before it
}

curl_socket_t CurlAttempt::open_callback(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  auto& attempt = *static_cast<CurlAttempt*>(self);
  if (!attempt.socket_.is_open()) {
    attempt.found_nothing_idle_ = true;
    return CURL_SOCKET_BAD;
  }
  sockaddr_storage real;
  socklen_t length = to_sockaddr(attempt.plan_, &real);
  address->family = real.ss_family;
  address->addrlen = length;
  // The struct that libcurl lends has room for every family behind `addr` (CURLOPT_OPENSOCKETFUNCTION(3)).
  std::memcpy(static_cast<void*>(&address->addr), &real, length);
  return attempt.socket_.release();
}

// Called when libcurl has no address for a host: never for an attempt that brings its own socket.
int CurlAttempt::resolver_callback(void*, void*, void* self) noexcept {
  auto& attempt = *static_cast<CurlAttempt*>(self);
  if (attempt.made_socket_) return 0;
  attempt.found_nothing_idle_ = true;
  return 1;
}

AttemptResult CurlAttempt::result(CURLcode code) {
  using Kind = AttemptResult::Kind;
  if (code != CURLE_OK && is_answer_whole()) return {Kind::kAnswered, Status::ok()};
  if (code == CURLE_OK && builder().is_head_complete() && builder().check_end()) {
    if (!is_cut_short()) return {Kind::kAnswered, Status::ok()};
    return {Kind::kFailed, Status(HC_E_INCOMPLETE,
                                  "the connection, and with it the body, ended without TLS's close_notify")};
  }
  if (!refusal_.is_ok()) return {Kind::kFailed, refusal_};
  if (findings_ != nullptr && !findings_->rejected_pin.empty()) return {Kind::kFailed, pin_mismatch()};
  if (!builder().status().is_ok()) return {Kind::kFailed, builder().status()};
  // libcurl takes the end of the connection for the end of the head.
  if (code == CURLE_OK) return {Kind::kFailed, Status(HC_E_DISCONNECTED, "the response head has no end")};
  if (!was_ready_ && found_nothing_idle_) return {Kind::kNothingIdle, Status::ok()};
  CurlFailure details = failure(code);
  Status status = status_of(details);
  if (route().proxy != nullptr && !was_ready_) {
    auto fault = proxy_failure(easy_, details, *route().proxy, has_tunnel());
    if (fault) return {Kind::kFailed, std::move(*fault)};
  }
  const std::string& why = route().tls->why_nobody_is_trusted();
  if (status.code() == HC_E_TLS_VERIFY && !why.empty()) {
    status = Status(HC_E_TLS_VERIFY, status.message() + " (" + why + ")")
                 .with_native(status.native_domain(), status.native_code());
  }
  // Then libcurl's last word is about the connection that it wanted to open to send again.
  if (was_ready_ && (found_nothing_idle_ || was_repeated_)) {
    status = Status(HC_E_DISCONNECTED, "the server closed or reset the connection");
  }
  // Garbage in place of an answer is an answer.
  bool has_died = status.code() == HC_E_DISCONNECTED && !builder().has_bytes();
  if (is_reused_ && was_ready_ && has_died) return {Kind::kStale, std::move(status)};
  // libcurl keeps at most 100 KB of one line, and calls more of it a lack of memory.
  if (code == CURLE_OUT_OF_MEMORY && was_sent_ && !builder().is_head_complete()) {
    return {Kind::kFailed, Status(HC_E_TOO_LARGE, "a line of the response head is longer than 100 KB")};
  }
  return {Kind::kFailed, std::move(status)};
}

CurlFailure CurlAttempt::failure(CURLcode code) const {
  CurlFailure failure{code, error_text_, {}, 0, 0, builder().is_head_complete()};
  failure.where = where();
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &failure.os_errno);
  curl_easy_getinfo(easy_, CURLINFO_SSL_VERIFYRESULT, &failure.verify_result);
  if (failure.verify_result == 0) {
    curl_easy_getinfo(easy_, CURLINFO_PROXY_SSL_VERIFYRESULT, &failure.verify_result);
  }
  return failure;
}

}  // namespace hc
