#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/spares.h"
#include "engine/completion.h"
#include "engine/race.h"
#include "event/timer_queue.h"
#include "model/clocks.h"
#include "model/ledger.h"
#include "model/name_service.h"
#include "model/origin.h"
#include "model/request.h"
#include "model/response.h"
#include "model/transport.h"

namespace hc {

class Engine;

/// One request, from submit to its one completion.
///
/// Vocabulary: an *attempt* is one try over one connection; several race for a new connection, one rides an idle
/// one. The *phase* is the state, with the numbers of HC_PHASE_*.
/// Rules: enter() alone changes the phase; finish() is the only exit, whatever happened; what libcurl calls
/// (on_ready, on_sent, on_first_byte) only records.
/// Life cycle: WAITING -> RESOLVING -> CONNECTING -> SENDING -> AWAITING -> RECEIVING -> DONE. From each of them to
/// DONE; back to WAITING when the connection it was given turned out dead before the request was sent, or died
/// without an answer and the request may be repeated.
class Transfer final : public Waiter,
                       public NameWaiter,
                       public AttemptSink,
                       public StreamListener,
                       public ListLink<Transfer>,
                       public Recycled<Transfer>,
                       private Timer {
 public:
  Transfer(std::unique_ptr<Request> request, Destination destination, TimePoint submitted);
  ~Transfer();

  hc_id id = 0;

  /// Of a streamed request, before it starts: who hears of its reader.
  void set_stream_owner(std::weak_ptr<StreamOwner> owner) { stream_owner_ = std::move(owner); }

  const Request& request() const { return *request_; }
  const Destination& destination() const { return destination_; }
  TimePoint submitted() const { return submitted_; }
  Phase phase() const { return phase_; }
  bool is_done() const { return phase_ == HC_PHASE_DONE; }
  /// It has left the line once; it may be back in it.
  bool was_granted() const { return exchange_ != nullptr; }

  // Loop thread from here on.
  /// Joins the line.
  void start(Engine& engine);
  /// Its turn came.
  void on_granted(Permit permit);
  /// The only exit: ends everything it has running and hands over its completion.
  void finish(Status status);
  /// Ends the attempts that lost the race. Outside libcurl.
  void end_losers();

  void on_name(NameAnswer answer) override;
  bool on_ready(Attempt& attempt, bool is_reused) override;
  void on_sent(Attempt& attempt) override;
  void on_upload_end(Attempt& attempt) override;
  void on_first_byte(Attempt& attempt) override;
  void on_redirect(Attempt& attempt) override;
  void on_upload_waits(Attempt& attempt, bool waits) override;
  void on_chunk(Attempt& attempt, uint64_t bytes) override;
  void on_finished(Attempt& attempt, AttemptResult result) override;

  void on_head() override;
  void on_body(size_t bytes) override;
  void on_body_held() override;
  /// What came of the body in this turn goes to its reader. Outside libcurl.
  void publish_body();
  /// The reader made room in the window.
  void on_body_room();
  /// The reader is gone: what is left of the body is drained, or the connection closed.
  void on_body_abandoned();
  /// The caller's body callback has more to give.
  void resume_upload();
  /// It will have its one completion.
  void on_accepted() {
    if (request_->release != nullptr) request_->release->arm();
  }
  /// For the trace: still in line after those that fit have left it.
  void note_queued();

 private:
  void on_timer(TimePoint now) override;

  static bool moves_body(Phase phase);
  void enter(Phase next);
  void resolve();
  void look_up(std::string_view host, uint16_t port);
  void server_found(std::vector<IpAddress> addresses);
  void start_race(std::vector<IpAddress> addresses);

  // The attempts that are to get it a connection (transfer_race.cpp).
  enum class Launch : uint8_t {
    kRuns,
    kRefused,  // there was not even a socket
    kOver,     // the transfer is done, or back in line, or left to those that run
  };
  void ride_idle(Permit permit);
  void try_next_address(Permit permit);
  void try_next_address_beside();
  Endpoint next_in_race();
  void start_next_after(Duration pause);
  Duration share_of(const Attempt& attempt) const;
  Launch run_attempt(Permit permit, const Endpoint& remote, Status* refusal);
  void note_attempt(Attempt& attempt, const Endpoint& remote);
  void wait_for_descriptors();
  void on_attempt_lost(Status status);
  bool goes_on_after(Status status, Permit* permit);
  void end_attempt(Attempt& attempt, const Status& status);

  void back_in_line(bool needs_new);
  void on_stale(Status status);
  void end_drain();
  void follow();
  void begin_hop(std::unique_ptr<Request> request);
  void forget_connection();
  void count_upload();

  bool has_connection() const { return exchange_->timing.ready_ns != HC_UNSET; }

  // What others see of it (transfer_report.cpp).
  struct Detail {
    std::string text;
    uint64_t connection = 0;
    uint64_t bytes = 0;
    Code status = HC_OK;
    int32_t http_status = 0;
  };
  bool is_traced() const;
  void trace(int32_t kind, Detail detail);
  void trace_start();
  void trace_granted(bool needs_connection);
  void trace_lookup(const NameAnswer* answer);
  void trace_attempt_start(const Attempt& attempt);
  void trace_ready(const Attempt& attempt);
  int32_t http_status_so_far() const;
  uint64_t body_bytes_so_far() const;
  void report_end(const Status& status);
  void trace_end(const Status& status);
  void on_looked_up(NameAnswer answer);
  void record_failure(const Attempt& attempt, const Status& status);
  AttemptRecord failure_of(const Attempt& attempt, const Status& status) const;
  void record_refusal(const Endpoint& remote, const Status& status);
  void record_winner(const Status& status);
  void report_redirect(const Request& next, int32_t http_status);
  void complete_records(Response& response) const;
  void log_ready() const;
  void report_stale(const Status& status);
  void log_stale(const Status& status) const;
  void log_end(const Status& status) const;
  std::string end_line(const Status& status) const;

  void await_answer();
  bool extend_socket_clock(Clocks::Name name, TimePoint now);
  void on_clock(Clocks::Name name);
  void arm_timer();
  uint64_t since_submit(TimePoint time) const { return static_cast<uint64_t>(time - submitted_); }
  void expect_response();
  void describe(Response& response);
  Completion news(int32_t kind, Code status) const;
  std::unique_ptr<Response> take_response(Status status);

  Attempt* winner() const { return exchange_ == nullptr ? nullptr : exchange_->winner; }
  Race* race() const { return exchange_ == nullptr ? nullptr : exchange_->race.get(); }

  // What it needs beyond its place in line. One block more, so that the many that wait are small.
  struct Exchange {
    explicit Exchange(const ResponseLimits& limits) : builder(limits) {}

    ResponseBuilder builder;
    hc_timing timing = kNothingHappened;
    Permit permit;              // while the name is looked up
    Attempt* winner = nullptr;  // the attempt that has a connection
    IntrusiveList<Attempt, Attempt> running;
    std::unique_ptr<Race> race;
    uint64_t connection = 0;
    uint64_t attempt_started_ns = HC_UNSET;  // of the one with `connection`
    uint64_t uploaded = 0;                   // when sock_write was last looked at
    Endpoint remote;
    Endpoint target;                             // of the server, where the proxy wants an address
    std::vector<AttemptRecord> attempt_records;  // those that ended without ending the request
    std::vector<Response::Hop> hops;             // redirects followed so far

    TimePoint drain_end = kNever;  // when what is left of a body that nobody wants must be here

    // Of a streamed request.
    std::shared_ptr<BodyPipe> pipe;
    bool is_body_noted = false;  // for publish_body(), in this turn
    bool is_body_held = false;   // its window is full
    int32_t http_status = 0;     // of the head that was given away; 0: none was
  };

  Engine* engine_ = nullptr;
  std::unique_ptr<Request> request_;
  Destination destination_;
  TimePoint submitted_;
  TimePoint phase_since_;
  TimePoint line_since_ = 0;
  Duration waited_ = 0;  // in line, until it was last granted
  Phase phase_ = HC_PHASE_NONE;
  bool retried_stale_ = false;
  bool was_reused_ = false;
  bool is_queued_ = false;    // the trace was told so
  bool is_creating_ = false;  // a connection; the trace was told so
  uint8_t dead_idle_met_ = 0;
  uint32_t attempt_count_ = 0;
  uint32_t hop_ = 0;  // redirects followed
  Clocks clocks_;
  std::weak_ptr<StreamOwner> stream_owner_;  // of a streamed request
  std::unique_ptr<Exchange> exchange_;       // from its first grant on, or from its end
};

/// How an attempt ended that another one was faster than.
Status beaten();

}  // namespace hc
