// One HTTP exchange as a handler sees it: the request that arrived and the writer that scripts the answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hc::serve {

struct Script;

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

/// A request. All views are valid only while the handler runs; a generator given to ResponseWriter::stream()
/// must copy what it needs.
struct RequestView {
  std::string_view method;
  std::string_view target;              ///< as received, e.g. "/drip?bytes=10" or "http://host/x"
  std::string_view path;                ///< without scheme, authority and query; not percent-decoded
  std::string_view query;               ///< without the '?'
  std::string_view head;                ///< the raw head, from the method to the empty line included
  std::string_view body;                ///< empty when the route only counts bytes
  std::span<const HeaderView> headers;  ///< in the order received

  std::uint64_t body_length = 0;  ///< body bytes received, chunk framing removed
  std::uint64_t body_checksum =
      0;  ///< checksum() of the body where the route counts bytes only (/upload), else 0

  std::uint64_t connection = 0;             ///< number of the connection, the first one accepted is 1
  std::uint64_t request_on_connection = 0;  ///< 1 for the first request on its connection
  std::uint16_t peer_port = 0;
  std::size_t listener = 0;  ///< index into HttpServerOptions::listeners
  bool is_tls = false;

  /// First header of that name (case-insensitive), or nullopt.
  std::optional<std::string_view> header(std::string_view name) const;
  /// Query parameter, percent-decoded; nullopt when absent, "" for a bare `?name`.
  std::optional<std::string> parameter(std::string_view name) const;
};

/// How a connection ends.
enum class Ending {
  kClose,     ///< TLS close_notify, FIN, then what still arrives is read and dropped for up to a second
  kCloseNow,  ///< TLS close_notify and close() at once: a request already under way meets a RST
  kFin,       ///< like kClose without the close_notify: for TLS a truncation
  kReset,     ///< RST (SO_LINGER 0)
};

/// Scripts the answer to one request. Calls append steps; they are carried out in order after the handler
/// returned. Without any call the request is never answered (as with hang()). Threads: the server's own
/// thread only.
class ResponseWriter {
 public:
  /// Called each time all earlier steps are done, to append more; false says that it was the last time.
  using Generator = std::function<bool(ResponseWriter&)>;

  explicit ResponseWriter(Script& script) : script_(script) {}

  // -- Whole answers. Content-Length is right, HEAD gets no body, Connection is said when it must be.
  void respond(int status, std::string_view content_type, std::string_view body);
  void respond_text(std::string_view body) { respond(200, "text/plain", body); }
  /// 200 with `length` bytes of pattern().
  void respond_pattern(std::uint64_t length);

  // -- Answers in pieces. add_header() counts for the next head only.
  void add_header(std::string_view name, std::string_view value);
  /// Says `Connection: close` in the next head and closes after the last step.
  void announce_close();
  void begin(int status, std::string_view content_type, std::uint64_t content_length);
  void begin_chunked(int status, std::string_view content_type);
  void chunk(std::string_view data);
  /// One chunk of the pattern, of any length; costs no memory.
  void chunk_pattern(std::uint64_t length, std::uint64_t offset = 0);
  void end_chunks();

  // -- Bytes as they are: nothing is added, nothing is checked.
  void raw(std::string_view bytes);
  /// `length` bytes of the pattern from position `offset` on; costs no memory.
  void raw_pattern(std::uint64_t length, std::uint64_t offset = 0);

  // -- Time and order
  /// At most kLongestWait.
  void wait(std::chrono::milliseconds duration);
  /// One generator at a time; it starts after the steps scripted so far and ends the script.
  void stream(Generator generator);

  // -- Endings; steps after an ending are never reached.
  void end(Ending ending);
  /// Keeps the connection open and silent until the client closes it.
  void hang();

 private:
  void start_head(int status, std::string_view content_type);
  void finish_head();
  void start_chunk(std::uint64_t length);

  Script& script_;
};

/// A year, which nobody awaits, and which no clock overflows by.
constexpr std::chrono::milliseconds kLongestWait = std::chrono::hours(24 * 365);

/// What it throws is answered with 500; when the answer has begun already, the connection is closed.
using Handler = std::function<void(const RequestView&, ResponseWriter&)>;

/// What the server's bodies consist of: `length` bytes from position `offset` of an endless text of period
/// 251, so that a block that is lost, doubled or shifted by a power of two shows.
std::string pattern(std::uint64_t length, std::uint64_t offset = 0);
/// FNV-1a, 64 bit: what /upload reports.
std::uint64_t checksum(std::string_view bytes);
constexpr std::uint64_t kChecksumStart = 0xcbf29ce484222325;
/// The same piece by piece, beginning with kChecksumStart.
std::uint64_t checksum_continued(std::uint64_t state, std::string_view bytes);

}  // namespace hc::serve
