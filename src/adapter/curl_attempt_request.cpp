// CurlAttempt: the part of a handle that its request decides.
#include <cstring>
#include <new>
#include <utility>

#include "adapter/curl_attempt.h"
#include "adapter/curl_lane.h"
#include "adapter/curl_runtime.h"
#include "adapter/curl_shard.h"
#include "adapter/curl_transport.h"

namespace hc {
namespace {

constexpr long kNoTimeoutMs =
    24L * 24 * 3600 * 1000;                // every clock is ours; this is close to libcurl's maximum
constexpr long kUploadBuffer = 128 << 10;  // of bodies in memory that do not go out with the head

// Before 8.1.0 a handle points to the last field of its last response, which is freed when its next one begins, and a
// continuation without a field before it is appended there (docs/curl-notes.md F26).
bool keeps_a_lost_field() { return CurlRuntime::version_number() < curl_version_of(8, 1, 0); }

// What libcurl is told about an origin with each request, made once.
struct KnownOrigin {
  explicit KnownOrigin(const Request& request) : url(curl_url(), curl_url_cleanup) {
    if (url == nullptr) throw std::bad_alloc();
    std::string origin(request.origin());
    if (curl_url_set(url.get(), CURLUPART_URL, origin.c_str(), 0) != CURLUE_OK) url.reset();
    host_line = "Host: " + origin.substr(origin.find("//") + 2);
  }
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url;  // nothing when this libcurl does not like it
  std::string host_line;
};

const KnownOrigin& known(Origin& origin, const Request& request) {
  if (origin.of_transport == nullptr) origin.of_transport = std::make_shared<KnownOrigin>(request);
  return *static_cast<const KnownOrigin*>(origin.of_transport.get());
}

// 8.16.0 alone takes a lookup that resolver_callback() refused for a name that does not exist, and keeps that.
bool remembers_refused_lookups() { return CurlRuntime::version_number() == curl_version_of(8, 16, 0); }

}  // namespace

void CurlAttempt::prepare(AttemptPlan plan, AttemptSink& sink, CurlLane& lane, CurlShard& shard, Fd socket) {
  plan_ = std::move(plan);
  enter(lane);
  sink_ = &sink;
  shard_ = &shard;
  socket_ = std::move(socket);
  made_socket_ = socket_.is_open();
  started_ = transport_.reactor().now();
  foresee(keeps_a_lost_field());
  set_url();
  set_method();
  set_body();
  set_headers();
  set_connection_rule();
  set_buffer();
  if (plan_.request->decompress != decodes_) {
    decodes_ = plan_.request->decompress;
    set(CURLOPT_ACCEPT_ENCODING, decodes_ ? "" : nullptr);
  }
  if (!plan_.request->credentials.empty() || has_credentials_) {
    has_credentials_ = !plan_.request->credentials.empty();
    set(CURLOPT_USERPWD, has_credentials_ ? plan_.request->credentials.data() : nullptr);
  }
}

// The write callback is given each line before libcurl keeps it: about 600 instructions each, so only to the first field,
// which is then its own handle's last one.
void CurlAttempt::foresee(bool is_wanted) { set_if_new(CURLOPT_HEADER, is_wanted ? 1L : 0L, &foresees_); }

// A whole URL is parsed and spelled again by libcurl for each request, which takes 9,000 instructions of 79,000. So
// it gets the part before the path parsed once for the origin, and the rest as it goes out.
void CurlAttempt::set_url() {
  const Request& request = *plan_.request;
  CURLU* parsed = known(*plan_.origin, request).url.get();
  set_if_new(CURLOPT_CURLU, parsed, &url_);
  if (parsed == nullptr) set(CURLOPT_URL, request.url.data());  // and libcurl will say what is wrong
  // libcurl would send a target of ours to a forwarding proxy as it is, which wants the whole URL.
  set(CURLOPT_REQUEST_TARGET, is_forwarded() ? request.url.data() : request.target());
}

// GET needs no option at all when the handle's last request was one too.
void CurlAttempt::set_method() {
  const Request& request = *plan_.request;
  bool is_custom = request.method == Method::kOther ||
                   (request.method != Method::kPost && request.has_body) ||
                   (request.method == Method::kPost && !request.has_body);
  if (request.method == Method::kHead && !request.has_body) {
    set(CURLOPT_NOBODY, 1L);
  } else if (method_ != Method::kGet || has_custom_method_) {
    set(CURLOPT_NOBODY, 0L);
    set(CURLOPT_HTTPGET, 1L);
  }
  if (is_custom || has_custom_method_) {
    set(CURLOPT_CUSTOMREQUEST, is_custom ? request.method_name.data() : nullptr);
  }
  method_ = request.method;
  has_custom_method_ = is_custom;
}

void CurlAttempt::set_body() {
  const Request& request = *plan_.request;
  if (request.source != nullptr) {
    set_source();
    return;
  }
  if (!request.tells_length) return;
  set_if_new(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBuffer, &upload_buffer_);
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  set(CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  method_ = Method::kPost;  // so that the next one is set back to GET
}

void CurlAttempt::set_headers() {
  const Request& request = *plan_.request;
  fields_.clear();
  auto add = [this](const char* line) { fields_.push_back({const_cast<char*>(line), nullptr}); };
  if (writes_host()) {
    // libcurl formats its own line twice: 1,200 instructions of 72,000 more. An empty one of that name silences it. Accept
    // goes along, because libcurl would put its own before Host, which belongs in front (RFC 9110 7.2).
    add("Host:");
    add(known(*plan_.origin, request).host_line.c_str());
    if (!request.has_own_accept) {
      add("Accept:");
      add("Accept: */*");
    }
  }
  const char* line = request.headers;
  for (size_t i = 0; i < request.header_lines; ++i) {
    add(line);
    line += std::strlen(line) + 1;
  }
  if (request.sends_user_agent) add(transport_.user_agent_line().c_str());
  // libcurl formats its own twice: 4,700 instructions of 71,600.
  if (request.asks_for_encodings) add(transport_.encodings_line().c_str());
  for (size_t i = 1; i < fields_.size(); ++i) fields_[i - 1].next = &fields_[i];
  set(CURLOPT_HTTPHEADER, fields_.empty() ? nullptr : fields_.data());
}

// What libcurl writes before the lines that it is given would stand in front of it: credentials, a body's coding.
bool CurlAttempt::writes_host() const {
  const Request& request = *plan_.request;
  return !request.has_own_host && request.credentials.empty() && request.source == nullptr && !is_forwarded();
}

void CurlAttempt::set_connection_rule() {
  const Request& request = *plan_.request;
  // An abstract socket has no name for libcurl, which takes it for one whose host is still looked up: never to be reused.
  bool is_abstract = request.route->unix_path.starts_with('@') || request.route->unix_path.starts_with('\0');
  bool must_close = request.force_close || transport_.config().keepalive_timeout == 0 || is_abstract;
  set_if_new(CURLOPT_FORBID_REUSE, must_close ? 1L : 0L, &forbids_reuse_);
  set_if_new(CURLOPT_FRESH_CONNECT, made_socket_ ? 1L : 0L, &is_fresh_);
  // What rides an idle connection needs no timer of libcurl's: each costs it a place in a tree, with each request. 0 is its
  // 300 s, for which it sets none.
  set_if_new(CURLOPT_CONNECTTIMEOUT_MS, made_socket_ ? kNoTimeoutMs : 0L, &connect_timeout_ms_);
  // Every name has the same made-up address for libcurl; open_callback() puts in the real one. One wildcard entry a
  // port keeps its cache small, where an entry a name would grow with every host ever met.
  bool has_address = made_socket_ || remembers_refused_lookups();
  // libcurl takes a list in once, so it is given again although it is the same.
  if (has_address || has_addresses_) {
    has_addresses_ = has_address;
    set(CURLOPT_RESOLVE, has_address ? transport_.dummy_address(request) : nullptr);
  }
}

}  // namespace hc
