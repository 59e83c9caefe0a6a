#pragma once

#include <hc/hc.h>

#include <memory>
#include <string_view>
#include <vector>

#include "base/spares.h"
#include "base/status.h"
#include "model/body_source.h"
#include "model/config.h"
#include "model/ip_address.h"
#include "model/route.h"

namespace hc {

enum class Method : uint8_t { kGet, kHead, kPost, kOther };

/// How a request behaves, whichever hop of a redirect it is.
struct RequestOptions {
  bool force_close = false;
  bool retry_stale = true;
  bool is_streamed = false;
  bool insecure_redirects = false;
  bool decompress = true;
  // Lines that all of a session's requests have in common are not in `headers`, but added on the way out.
  bool sends_user_agent = false;    // the session's
  bool asks_for_encodings = false;  // those that can be decoded
  bool has_own_host = false;        // one that the caller or the session gave
  bool has_own_accept = false;
  uint8_t certificates = HC_OFF;  // of the server, in which form
  int32_t priority = 0;
  uint64_t max_body = 0;
  uint64_t body_window = 0;
  uint64_t max_redirects = 0;
  std::shared_ptr<const hc_timeouts> timeouts;  // the session's, or lengths of its own
  std::vector<IpAddress> addresses;             // in place of DNS; usually empty, which allocates nothing
  RouteWish wish;
};

/// One request, checked and copied: what a transfer needs from its caller, in two blocks of memory (this and
/// `bytes`), because 100,000 of them may wait in line.
class Request : public RequestOptions, public Recycled<Request> {
 public:
  /// Checks everything about `args` that can be wrong. Session defaults are merged in here, on the caller's thread.
  static Status create(const hc_request& args, const SessionConfig& session, std::unique_ptr<Request>* out);

  /// The request that a redirect with this status and Location asks for, in place of `from`, which it must keep: the
  /// body stands in there. HC_E_REDIRECT: it must not be followed.
  static Status redirect(const Request& from, int32_t http_status, std::string_view location,
                         std::unique_ptr<Request>* out);
  void keep_previous(std::unique_ptr<Request> previous) { previous_ = std::move(previous); }

  Method method = Method::kGet;
  bool is_https = false;
  bool is_idempotent = true;
  bool has_body = false;
  bool tells_length = false;  // of its body, also when it has none
  uint16_t port = 0;
  uint16_t origin_size = 0;   // of `url`, see Url
  uint16_t header_lines = 0;  // how many NUL-terminated lines stand at `headers`

  // Views into bytes_, each NUL-terminated there. `body` may be borrowed from the caller.
  std::string_view method_name;
  std::string_view url;
  std::string_view host;
  const char* headers = nullptr;  // "Name: value" lines as libcurl takes them, one after another
  std::string_view body;
  std::string_view credentials;  // "user:password" or empty
  std::string_view fragment;     // of the URL; never sent

  RoutePointer route;  // of this hop

  std::shared_ptr<BodySource> source;    // of a body that is not in memory; all hops have the same one
  std::unique_ptr<BodyRelease> release;  // of the first hop
  /// Whether all of the body can be sent once more.
  bool can_repeat_body() const { return source == nullptr || source->can_repeat(); }

  /// One of its bodies comes or goes piece by piece.
  bool is_piecewise() const { return is_streamed || source != nullptr; }

  /// scheme://host[:port], not terminated; and the rest, /path?query, which is.
  std::string_view origin() const { return url.substr(0, origin_size); }
  const char* target() const { return url.data() + origin_size; }

 private:
  struct Text;
  void keep(const Text& text);

  std::unique_ptr<char[]> bytes_;
  std::unique_ptr<Request> previous_;  // the hop before
};

}  // namespace hc
