// HttpServer: a small, fast and on request ill-behaved HTTP/1.1 server for tests, demos and benchmarks.
//
//   hc::serve::HttpServer server;                       // plain HTTP on 127.0.0.1, ephemeral port
//   server.start();
//   get("http://127.0.0.1:" + std::to_string(server.port()) + "/bytes/1024");
//   EXPECT_EQ(server.counters().connections_accepted, 1u);
//
// ROUTES (any method; HEAD gets no body). Numbers in the query have the defaults shown.
//   /bytes/N                     N bytes of pattern()
//   /gzip/N[?cut=K&chunked=1]    the same, compressed, without the last K bytes of that
//   /delay/MS[/anything]         body "MS\n" after MS milliseconds
//   /drip?bytes=16&chunk=1&every_ms=10&head=0
//                                a slow body; head=1: the head is dripped, too
//   /status/N[?body=text]        that status; no body for 204 and 304
//   /echo                        the request body with its Content-Type
//   /echo/head                   the raw request head
//   /method                      the request method
//   /connection                  the number of the connection
//   /chunked?chunks=4&size=16&every_ms=0[&trailer=1]
//   /1xx?count=1[&status=103]    so many interim responses, then 200
//   /redirect/N[?status=302]     N hops to /redirect/0, which answers 200
//   /redirect-to?url=U[&status=302]
//   /keepalive/N                 answers with Keep-Alive: timeout=N
//   /cookies?set=NAME=VALUE      Set-Cookie; the body is the request's Cookie header
//   /upload[?checksum=0]         {"length":L,"checksum":"HEX"} of the body
//   /upload/slow?ms=100          reads nothing of the body for so long
//   /upload/early[?status=200&close=0|?body=N]
//                                answers before the body is read; close=1 closes, too; N bytes, with 200
//   /once/KEY[?die=before_reply|before_body&times=N]
//                                counts arrivals of KEY, at the end of the head; `die` closes without an
//                                answer, with `times` only on the first N arrivals
//   /once-count/KEY              that count
//   /count  /reset-counters      Counters as JSON; back to zero (open connections stay counted)
//
//   /close                       "Connection: close", then a clean close
//   /close/silent[?after_ms=0]   a keep-alive answer, then closed at once: the keep-alive race
//   /reset?after=STAGE[&after_ms=0]   RST at the stage
//   /fin?after=STAGE[&after_ms=0]     FIN at the stage
//        request-head            request head read, body not
//        request                 whole request read (default)
//        half-head  head  half-body  body     so much of the response sent (64 body bytes)
//        accept[&count=1]        answers 200 and does it to the next connections
//   /hang                        never answers
//   /truncate?claimed=100&sent=50     FIN after `sent` of the `claimed` bytes; &chunked=1: without the last
//   chunk /badchunk  /badstatus  /badheader
//   /headerbomb?count=1000&size=100   so many header lines X-Bomb-I with values of that size
//   /both                        Content-Length together with Transfer-Encoding
//   /late?after_ms=50[&poison=response|garbage]
//                                an answer; later unasked bytes on the idle connection (0: together with it)
// Anything else is 404. Requests that are not HTTP/1.x get 400 and a close; so do numbers that are none or make no sense
// (more bytes than a client can count, /gzip of more than 256 MiB, a status below 200), with a line that says which.
// Longer waits than a year last a year.
//
// RULES
//   A client that closes its sending side while an answer is waiting (/delay, /hang) counts as gone.
//   bytes_in/out count HTTP bytes; under TLS without the TLS framing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/exchange.h"

namespace hc::serve {

enum class TlsVersion { kTls10, kTls11, kTls12, kTls13 };

/// TLS of one listener. Certificates come from TestPki.
struct TlsOptions {
  std::string certificate_pem;  ///< leaf first, then the chain
  std::string private_key_pem;
  std::string client_ca_pem;  ///< who may sign client certificates; asked for only when not empty
  bool require_client_certificate = false;
  bool session_tickets = true;  ///< false: no resumption at all (neither tickets nor session ids)
  TlsVersion minimum_version = TlsVersion::kTls12;
  TlsVersion maximum_version = TlsVersion::kTls13;
};

/// What a listener does to connections, whatever they ask for.
enum class Behaviour {
  kNormal,
  kSilent,          ///< accepts, reads, answers nothing (accept_then_silence)
  kNoReads,         ///< accepts and never reads (refuse_reads)
  kStallHandshake,  ///< TLS: new connections never get an answer to their ClientHello; others are served
  kCloseOnAccept,   ///< FIN right after accept
  kResetOnAccept,   ///< RST right after accept
  kPauseAccept,  ///< accepts nothing: the backlog fills, then SYNs are dropped; open connections are served
};

struct ListenerOptions {
  std::string address = "127.0.0.1";  ///< IPv4 or IPv6 literal
  std::uint16_t port = 0;             ///< 0: ephemeral; a restart keeps the port that was found
  int backlog = 4096;
  std::optional<TlsOptions> tls;
  Behaviour behaviour = Behaviour::kNormal;
  int receive_buffer = 0;  ///< SO_RCVBUF of the connections; 0: the system's
  int send_buffer = 0;     ///< SO_SNDBUF
};

struct HttpServerOptions {
  std::vector<ListenerOptions> listeners{ListenerOptions{}};
  std::uint64_t max_keepalive_requests = 0;  ///< the so-manyth answer on a connection says close; 0: no limit
  std::uint32_t keep_alive_header_seconds = 0;  ///< adds "Keep-Alive: timeout=N" to every answer; 0: absent
  std::chrono::milliseconds idle_timeout{0};    ///< closes connections idle for so long; 0: never
  std::size_t log_capacity = 0;                 ///< newest entries kept; 0: no log
  std::size_t max_body_buffer = 64u << 20;      ///< largest body kept for handlers; above it: 413 and close
};

/// A snapshot; of one listener or of all.
struct Counters {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_open =
      0;  ///< not yet closed by the server; a client's close is seen when its FIN arrives
  std::uint64_t connections_peak = 0;
  std::uint64_t requests = 0;  ///< request heads received whole
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t tls_full_handshakes = 0;
  std::uint64_t tls_resumptions = 0;
  std::uint64_t tls_failures = 0;
};

struct ConnectionRecord {
  std::uint64_t number = 0;  ///< counts from 1 in the order of accept, over all listeners
  std::size_t listener = 0;
  std::uint16_t peer_port = 0;
  std::uint64_t requests = 0;
  bool open = false;
};

struct LogEntry {
  std::uint64_t connection = 0;
  std::size_t listener = 0;
  std::uint16_t peer_port = 0;
  std::string method;
  std::string target;
  std::chrono::steady_clock::time_point time;  ///< when the head was complete
};

class HttpServer {
 public:
  /// Throws std::runtime_error when a certificate cannot be used.
  explicit HttpServer(HttpServerOptions options = {});
  /// Stops.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds, listens and starts the thread; connections are welcome when it returns. Throws std::system_error
  /// when an address cannot be bound. May follow a stop().
  void start();
  /// Closes all sockets (connections too) and joins. Idempotent. Counters stay readable. Not concurrent with
  /// itself, start() or the setters below.
  void stop();

  /// Port of a listener; valid after start(). Threads: any.
  std::uint16_t port(std::size_t listener = 0) const;
  /// "http://127.0.0.1:PORT" of a listener, https for TLS, [brackets] for IPv6; append the path.
  std::string url(std::size_t listener = 0, std::string_view path = {}) const;

  /// Registers a handler for all paths that start with `path_prefix`; the longest prefix wins, and handlers
  /// go before the built-in routes. Runs on the server's thread, after the whole body was read. An empty
  /// handler removes.
  void handle(std::string path_prefix, Handler handler);

  /// Takes effect, also for open connections, before it returns.
  void set_behaviour(Behaviour behaviour);
  void set_behaviour(std::size_t listener, Behaviour behaviour);
  /// The next `count` connections of the listener end right after accept, in that way.
  void fail_next_accepts(std::size_t listener, std::uint64_t count, Ending ending);
  /// Ends every open connection that way before it returns (kClose and kFin: the FIN is sent).
  void end_connections(Ending ending);
  /// Like end_connections, for those without a request under way.
  void end_idle_connections(Ending ending);

  // -- What happened. Threads: any, at any time.
  Counters counters() const;
  Counters counters(std::size_t listener) const;
  std::vector<ConnectionRecord> connections() const;
  std::uint64_t requests_on_connection(std::uint64_t number) const;
  std::uint64_t once_count(std::string_view key) const;
  std::vector<LogEntry> log() const;
  void reset_counters();
  /// Blocks until `condition` holds for counters(), woken by the server: no polling. False after `timeout`.
  /// The condition may ask for anything above, but call no setter: that would wait for the server, and the
  /// server for it.
  bool wait_until(const std::function<bool(const Counters&)>& condition,
                  std::chrono::milliseconds timeout = std::chrono::seconds(30)) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hc::serve
