#include "engine/transfer.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/check.h"
#include "engine/engine.h"

namespace hc {
namespace {

constexpr uint8_t kPatienceWithDeadIdle = 2;

// Where each phase may go, as a set of bits.
constexpr std::array<unsigned, 8> kEdges = [] {
  auto bit = [](Phase phase) { return 1U << phase; };
  std::array<unsigned, 8> edges{};
  unsigned end = bit(HC_PHASE_DONE);
  edges[HC_PHASE_NONE] = bit(HC_PHASE_WAITING) | end;
  edges[HC_PHASE_WAITING] = bit(HC_PHASE_RESOLVING) | bit(HC_PHASE_CONNECTING) | end;
  edges[HC_PHASE_RESOLVING] = bit(HC_PHASE_CONNECTING) | bit(HC_PHASE_WAITING) | end;
  edges[HC_PHASE_CONNECTING] = bit(HC_PHASE_SENDING) | bit(HC_PHASE_WAITING) | end;
  edges[HC_PHASE_SENDING] = bit(HC_PHASE_AWAITING) | bit(HC_PHASE_WAITING) | end;
  edges[HC_PHASE_AWAITING] = bit(HC_PHASE_RECEIVING) | bit(HC_PHASE_WAITING) | end;
  edges[HC_PHASE_RECEIVING] = bit(HC_PHASE_WAITING) | end;  // a redirect is followed
  return edges;
}();

}  // namespace

Transfer::Transfer(std::unique_ptr<Request> request, Destination destination, TimePoint submitted)
    : request_(std::move(request)),
      destination_(std::move(destination)),
      submitted_(submitted),
      phase_since_(submitted),
      clocks_(*request_->timeouts) {
  priority = request_->priority;
}

Transfer::~Transfer() { HC_CHECK(exchange_ == nullptr || exchange_->running.empty()); }

bool Transfer::moves_body(Phase phase) { return phase == HC_PHASE_SENDING || phase == HC_PHASE_RECEIVING; }

void Transfer::enter(Phase next) {
  HC_CHECK((kEdges[static_cast<size_t>(phase_)] >> next & 1U) != 0);
  engine_->count_moving(int{moves_body(next)} - int{moves_body(phase_)});
  phase_ = next;
  phase_since_ = engine_->now();
}

void Transfer::start(Engine& engine) {
  engine_ = &engine;
  origin =
      &engine.admission().origin_of({request_->is_https, request_->port, request_->host, request_->route});
  enter(HC_PHASE_WAITING);
  phase_since_ = line_since_ = submitted_;
  clocks_.start(Clocks::kTotal, submitted_);
  clocks_.start(Clocks::kPool, submitted_);
  clocks_.start(Clocks::kConnect, submitted_);
  arm_timer();
  engine.admission().join(*this);
  if (is_traced()) trace_start();
}

void Transfer::on_granted(Permit permit) {
  TimePoint now = engine_->now();
  clocks_.stop(Clocks::kPool);
  waited_ += now - line_since_;
  engine_->stats().waited_ns += static_cast<uint64_t>(now - line_since_);
  engine_->metrics().waiting.add(now - line_since_);
  origin->row->waited_ns.add(static_cast<uint64_t>(now - line_since_));
  if (exchange_ == nullptr) expect_response();
  exchange_->timing.started_ns = since_submit(now);
  if (is_traced()) trace_granted(permit.kind() != Permit::Kind::kIdleSocket);
  if (permit.kind() == Permit::Kind::kIdleSocket) {
    ride_idle(std::move(permit));
  } else if (exchange_->race != nullptr && exchange_->race->has_next()) {
    enter(HC_PHASE_CONNECTING);
    clocks_.resume(Clocks::kSockConnect, now, exchange_->race->used);
    try_next_address(std::move(permit));
  } else {
    exchange_->permit = std::move(permit);
    resolve();
  }
}

void Transfer::expect_response() {
  ResponseLimits limits = engine_->response_limits(*request_);
  if (exchange_ == nullptr) {
    exchange_ = std::make_unique<Exchange>(limits);
  } else {
    exchange_->builder = ResponseBuilder(limits);
  }
  if (!request_->is_streamed) return;
  exchange_->pipe = std::make_shared<BodyPipe>(request_->body_window, engine_->blocks(), stream_owner_, id);
  exchange_->builder.stream_into(exchange_->pipe, *this);
}

bool Transfer::on_ready(Attempt& attempt, bool is_reused) {
  if (exchange_->winner != nullptr || phase_ != HC_PHASE_CONNECTING) return false;
  exchange_->winner = &attempt;
  TimePoint now = engine_->now();
  clocks_.stop(Clocks::kConnect);
  clocks_.stop(Clocks::kSockConnect);
  clocks_.start(Clocks::kSockWrite, now);
  exchange_->uploaded = 0;
  exchange_->is_body_held = false;
  exchange_->timing.ready_ns = since_submit(now);
  exchange_->timing.connected_ns = is_reused ? HC_UNSET : since_submit(attempt.connected_at());
  exchange_->timing.secured_ns =
      is_reused || !request_->is_https ? HC_UNSET : since_submit(attempt.secured_at());
  was_reused_ = is_reused;
  if (!is_reused)
    engine_->metrics().connect.add(
        static_cast<Duration>(exchange_->timing.ready_ns - exchange_->timing.started_ns));
  exchange_->connection = attempt.connection()->number();
  exchange_->remote = attempt.connection()->remote();
  exchange_->attempt_started_ns = since_submit(attempt.beginning.time);
  if (exchange_->race != nullptr) exchange_->race->next_start = kNever;
  if (is_traced()) trace_ready(attempt);
  log_ready();
  enter(HC_PHASE_SENDING);
  arm_timer();
  if (exchange_->running.front() != exchange_->running.back()) engine_->end_losers_later(*this);
  return true;
}

void Transfer::on_sent(Attempt& attempt) {
  TimePoint now = engine_->now();
  if (!attempt.sends_on()) await_answer();
  clocks_.start(Clocks::kFirstByte, now);
  exchange_->timing.sent_ns = since_submit(now);
  if (is_traced() && request_->has_body) {
    trace(HC_TRACE_REQUEST_CHUNK_SENT, {.connection = exchange_->connection, .bytes = attempt.uploaded()});
  }
  enter(HC_PHASE_AWAITING);
  arm_timer();
}

// What a server does not say while we send is no silence, and what it has said already does not end the upload.
void Transfer::await_answer() {
  clocks_.stop(Clocks::kSockWrite);
  if (!exchange_->is_body_held) clocks_.start(Clocks::kSockRead, engine_->now());
}

void Transfer::on_upload_end(Attempt&) {
  await_answer();
  arm_timer();
}

void Transfer::on_first_byte(Attempt&) {
  clocks_.stop(Clocks::kFirstByte);
  exchange_->timing.first_byte_ns = since_submit(engine_->now());
  engine_->metrics().first_byte.add(
      static_cast<Duration>(exchange_->timing.first_byte_ns - exchange_->timing.sent_ns));
  if (is_traced()) trace(HC_TRACE_RESPONSE_START, {.connection = exchange_->connection});
  enter(HC_PHASE_RECEIVING);
}

void Transfer::resume_upload() {
  if (!is_done() && winner() != nullptr) engine_->transport().resume_upload(*winner());
}

// The caller has nothing to send just now: that is no silence of the network.
void Transfer::on_upload_waits(Attempt& attempt, bool waits) {
  if (phase_ != HC_PHASE_SENDING && !attempt.sends_on()) return;
  if (waits) {
    clocks_.stop(Clocks::kSockWrite);
    return;
  }
  clocks_.start(Clocks::kSockWrite, engine_->now());
  arm_timer();
}

void Transfer::on_finished(Attempt& attempt, AttemptResult result) {
  exchange_->running.remove(attempt);
  if (exchange_->winner != &attempt)
    record_failure(attempt, exchange_->winner == nullptr ? result.status : beaten());
  if (exchange_->winner != nullptr && exchange_->winner != &attempt) return;  // it lost the race
  count_upload();
  bool was_racing = exchange_->winner == nullptr;
  exchange_->winner = nullptr;
  if (exchange_->builder.is_redirect()) {
    follow();
    return;
  }
  switch (result.kind) {
    case AttemptResult::Kind::kAnswered: finish(Status::ok()); break;
    case AttemptResult::Kind::kNothingIdle: back_in_line(++dead_idle_met_ >= kPatienceWithDeadIdle); break;
    case AttemptResult::Kind::kStale: on_stale(std::move(result.status)); break;
    case AttemptResult::Kind::kFailed:
      if (was_racing) {
        on_attempt_lost(std::move(result.status));
      } else {
        finish(std::move(result.status));
      }
      break;
  }
}

void Transfer::on_stale(Status status) {
  if (request_->retry_stale && request_->is_idempotent && request_->can_repeat_body() && !retried_stale_) {
    retried_stale_ = true;
    ++engine_->stats().stale_retries;
    origin->row->stale_retries.add();
    report_stale(status);
    back_in_line(true);
    return;
  }
  Status stale(HC_E_STALE, "reused connection died before any answer, not sent again: " + status.message());
  finish(stale.with_native(status.native_domain(), status.native_code()));
}

void Transfer::count_upload() {
  if (exchange_->winner != nullptr && request_->has_body)
    engine_->stats().bytes_sent += exchange_->winner->uploaded();
}

void Transfer::back_in_line(bool needs_new) {
  TimePoint now = engine_->now();
  if (exchange_->race != nullptr) {
    exchange_->race->next_start = kNever;
    if (phase_ == HC_PHASE_CONNECTING) exchange_->race->used += now - phase_since_;
  }
  needs_new_socket = needs_new;
  exchange_->builder.reset();
  forget_connection();
  engine_->admission().rejoin(*this);
}

// Back in line, for whatever reason.
void Transfer::forget_connection() {
  TimePoint now = engine_->now();
  for (Clocks::Name name :
       {Clocks::kSockConnect, Clocks::kSockRead, Clocks::kSockWrite, Clocks::kFirstByte}) {
    clocks_.stop(name);
  }
  // What it waited for already counts; so does what it spent on a new connection, unless it rode an idle one since.
  clocks_.start(Clocks::kPool, now - waited_);
  if (!clocks_.is_running(Clocks::kConnect)) clocks_.start(Clocks::kConnect, now);
  exchange_->timing.connected_ns = exchange_->timing.secured_ns = exchange_->timing.ready_ns =
      exchange_->timing.sent_ns = HC_UNSET;
  line_since_ = now;
  enter(HC_PHASE_WAITING);
  arm_timer();
  if (is_traced()) engine_->note_joined(id);
}

void Transfer::on_timer(TimePoint now) {
  if (exchange_ != nullptr && exchange_->drain_end <= now) {
    end_drain();
    return;
  }
  if (race() != nullptr && race()->next_start <= now) try_next_address_beside();
  while (!is_done()) {
    Clocks::Name name = clocks_.earliest();
    if (clocks_.end(name) > now) break;
    if (!extend_socket_clock(name, now)) on_clock(name);
  }
  if (!is_done()) arm_timer();
}

// The clocks of silence are not set back at each event: when one ends, the time of the last event tells whether it
// really has. An upload must have got on as well: what the server says meanwhile is no progress.
bool Transfer::extend_socket_clock(Clocks::Name name, TimePoint now) {
  if (name != Clocks::kSockRead && name != Clocks::kSockWrite) return false;
  if (exchange_->winner == nullptr || later(exchange_->winner->last_activity(), clocks_.length(name)) <= now)
    return false;
  if (name == Clocks::kSockWrite &&
      std::exchange(exchange_->uploaded, exchange_->winner->uploaded()) == exchange_->winner->uploaded())
    return false;
  clocks_.start(name, exchange_->winner->last_activity());
  return true;
}

// By the clock of now: libcurl may have been at work since the timers of this turn began to fire.
void Transfer::on_clock(Clocks::Name name) {
  TimePoint now = engine_->now();
  std::string message = std::string(Clocks::name_of(name)) + " timeout of " +
                        seconds_text(clocks_.length(name)) + " passed while " + phase_name(phase_) + " for " +
                        seconds_text(now - phase_since_) + ", " + seconds_text(now - submitted_) +
                        " after the submit";
  finish(Status(Clocks::status_of(name), std::move(message)));
}

void Transfer::arm_timer() {
  TimePoint due = clocks_.end(clocks_.earliest());
  if (exchange_ != nullptr) due = std::min(due, exchange_->drain_end);
  if (race() != nullptr) due = std::min(due, race()->next_start);
  // Too early is fine, on_timer() looks again: clocks that stop cost nothing.
  if (is_armed() && this->due() <= due) return;
  engine_->timers().arm(*this, due);
}

void Transfer::finish(Status status) {
  HC_CHECK(!is_done());
  if (exchange_ == nullptr) exchange_ = std::make_unique<Exchange>(ResponseLimits{});
  TimePoint now = engine_->now();
  NameWaiter::unlink();
  engine_->admission().leave(*this);
  engine_->timers().disarm(*this);
  count_upload();
  while (Attempt* attempt = exchange_->running.pop_front()) {
    if (attempt != exchange_->winner) record_failure(*attempt, has_connection() ? beaten() : status);
    engine_->transport().abort(*attempt);
  }
  exchange_->winner = nullptr;
  exchange_->permit.give_back();

  if (!status.is_ok()) status.with_phase(phase_, static_cast<uint64_t>(now - phase_since_));
  exchange_->timing.done_ns = since_submit(now);
  enter(HC_PHASE_DONE);
  report_end(status);
  Completion completion = news(HC_DONE, status.code());
  if (exchange_->http_status != 0) {
    exchange_->pipe->end(std::move(status), exchange_->timing);
  } else {
    completion.response = take_response(std::move(status));
    completion.http_status = completion.response->http_status();
  }
  engine_->on_done(*this, std::move(completion), exchange_->builder.body_bytes());
}

Completion Transfer::news(int32_t kind, Code status) const {
  return {id, destination_.user_data, nullptr, status, exchange_->http_status, kind};
}

std::unique_ptr<Response> Transfer::take_response(Status status) {
  std::unique_ptr<Response> response = exchange_->builder.finish(std::move(status));
  describe(*response);
  return response;
}

}  // namespace hc
