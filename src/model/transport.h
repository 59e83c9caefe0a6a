#pragma once

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/status.h"
#include "model/ip_address.h"
#include "model/ledger.h"
#include "model/request.h"
#include "model/response.h"
#include "model/route.h"

namespace hc {

/// What an attempt came to.
struct AttemptResult {
  enum class Kind : uint8_t {
    kAnswered,     // the response is whole
    kNothingIdle,  // it was to ride an idle connection and there was none that lived; nothing was sent
    kStale,        // the reused connection died after the request went out and before any answer
    kFailed,       // status says why
  };

  Kind kind = Kind::kFailed;
  Status status;
};

/// One request on its way over one connection. Made by Transport::start(), gone after on_finished() or abort().
/// Its sink keeps it in a list of those that run.
class Attempt : public ListLink<Attempt> {
 public:
  /// Kept by its sink, and true to the end: the connection may be gone before the attempt.
  struct Beginning {
    TimePoint time = 0;
    uint64_t connection = 0;  // 0: an idle one, not found yet
    Endpoint remote;
  };
  Beginning beginning;

  /// The connection it rides, or nullptr before it is known.
  Connection* connection() const { return connection_; }
  /// When its socket was last ready: libcurl's callbacks only see whole lines (docs/curl-notes.md F12).
  TimePoint last_activity() const { return last_activity_; }
  /// When a new connection's TCP and TLS were up. Known from on_ready() on, or when it failed; 0: it was not.
  virtual TimePoint connected_at() const { return connected_at_; }
  TimePoint secured_at() const { return secured_at_; }
  /// Bytes of the request body that are written.
  virtual uint64_t uploaded() const = 0;
  /// The upload goes on, although the answer has begun.
  virtual bool sends_on() const { return false; }

 protected:
  ~Attempt() = default;
  Connection* connection_ = nullptr;
  TimePoint last_activity_ = 0;
  TimePoint connected_at_ = 0;
  TimePoint secured_at_ = 0;
};

/// Follows an attempt. All but on_finished() are called inside libcurl: they may only look and record.
class AttemptSink {
 public:
  /// The connection may carry the request now. False: it must not (a race was lost).
  virtual bool on_ready(Attempt& attempt, bool is_reused) = 0;
  /// The last byte of the request was handed to the socket, or the answer has begun before that.
  virtual void on_sent(Attempt& attempt) = 0;
  /// The end of one that went on.
  virtual void on_upload_end(Attempt& attempt) = 0;
  /// The first byte of the response is here.
  virtual void on_first_byte(Attempt& attempt) = 0;
  /// The head is that of a redirect: nobody waits long for its body.
  virtual void on_redirect(Attempt& attempt) = 0;
  /// The source of the body said "not yet", or goes on (outside libcurl).
  virtual void on_upload_waits(Attempt& attempt, bool waits) = 0;
  /// Some of the body is here. Told only while the session is traced.
  virtual void on_chunk(Attempt&, uint64_t) {}
  /// It is over, and `attempt` is gone when this returns.
  virtual void on_finished(Attempt& attempt, AttemptResult result) = 0;

 protected:
  ~AttemptSink() = default;
};

/// What an attempt is made of. Everything lives until its end.
struct AttemptPlan {
  const Request* request = nullptr;
  Origin* origin = nullptr;
  ResponseBuilder* builder = nullptr;
  Permit permit;    // kIdleSocket: ride an idle connection; kNewSocket: connect to `remote`
  Endpoint remote;  // of the server, or of the proxy; no family: the route's unix socket
  Endpoint target;  // of the server, behind a proxy that is given addresses
};

/// The third of three seams: does HTTP. Loop thread only.
class Transport {
 public:
  virtual ~Transport() = default;

  /// Starts an attempt, or says why not (HC_E_SYSTEM with EMFILE or ENFILE: try again when descriptors are back).
  /// Never calls the sink before it returns.
  virtual Status start(AttemptPlan plan, AttemptSink& sink, Attempt** out) = 0;
  /// Ends an attempt without on_finished(). Its connection is closed, unless it never had one.
  virtual void abort(Attempt& attempt) = 0;
  /// Goes on with an attempt whose builder wanted it held. It may end in here.
  virtual void resume(Attempt& attempt) = 0;
  /// Asks the body's source again, if it had said "not yet".
  virtual void resume_upload(Attempt& attempt) = 0;
  /// Shuts an idle connection down; its descriptor is closed soon.
  virtual void retire(Connection& connection) = 0;
};

}  // namespace hc
