// Transfer: the attempts that are to get it a connection, and who of them wins.
#include <algorithm>
#include <utility>

#include "engine/engine.h"
#include "engine/transfer.h"

namespace hc {

void Transfer::ride_idle(Permit permit) {
  clocks_.stop(Clocks::kConnect);
  enter(HC_PHASE_CONNECTING);
  Status refusal;
  if (run_attempt(std::move(permit), {}, &refusal) == Launch::kRefused) on_attempt_lost(std::move(refusal));
}

void Transfer::start_race(std::vector<IpAddress> addresses) {
  exchange_->race = std::make_unique<Race>(std::move(addresses));
  enter(HC_PHASE_CONNECTING);
  clocks_.start(Clocks::kSockConnect, engine_->now());
  try_next_address(std::move(exchange_->permit));
}

// A loop, for any number of them may be refused before there is a socket.
void Transfer::try_next_address(Permit permit) {
  Launch launch = Launch::kRefused;
  Status refusal;
  do {
    launch = run_attempt(std::move(permit), next_in_race(), &refusal);
  } while (launch == Launch::kRefused && goes_on_after(std::move(refusal), &permit));
  if (launch == Launch::kRuns) start_next_after(engine_->config().happy_eyeballs);
}

Endpoint Transfer::next_in_race() {
  const Proxy* proxy = request_->route->proxy.get();
  Endpoint remote{exchange_->race->take_next(), proxy != nullptr ? proxy->port : request_->port};
  if (remote.address.family == Family::kAny) remote.port = 0;  // a unix socket has none
  return remote;
}

// Unless one fails before.
void Transfer::start_next_after(Duration pause) {
  bool is_racing = engine_->config().happy_eyeballs != 0 && exchange_->race->has_next();
  exchange_->race->next_start = is_racing ? later(engine_->now(), pause) : kNever;
  arm_timer();
}

// One more socket than it was admitted with: only if nothing stands against it. Without room those that run have no
// more than their share of the time, and the next address takes the place of the oldest.
void Transfer::try_next_address_beside() {
  Permit permit;
  if (engine_->ledger().admit(*origin, true, &permit) == Refusal::kNone) {
    try_next_address(std::move(permit));
    return;
  }
  Attempt& oldest = *exchange_->running.front();
  Duration share = share_of(oldest);
  Duration left = later(oldest.beginning.time, share) - engine_->now();
  if (left > 0) {
    start_next_after(std::min(left, engine_->config().happy_eyeballs));
    return;
  }
  Status silent(HC_E_TIMEOUT_SOCK_CONNECT, "not ready after its share of " + seconds_text(share) +
                                               ", and no room for the next address beside it");
  end_attempt(oldest, silent);
  on_attempt_lost(std::move(silent));
}

// Of what was left when it began, until a clock ends: the same for those that may still start.
Duration Transfer::share_of(const Attempt& attempt) const {
  TimePoint end = clocks_.end(clocks_.earliest());
  return (end - attempt.beginning.time) / static_cast<Duration>(exchange_->race->left() + 1);
}

Transfer::Launch Transfer::run_attempt(Permit permit, const Endpoint& remote, Status* refusal) {
  if (request_->source != nullptr) {
    if (Status status = request_->source->rewind(); !status.is_ok()) {
      permit.give_back();
      finish(std::move(status));
      return Launch::kOver;
    }
  }
  Attempt* attempt = nullptr;
  AttemptPlan plan{request_.get(), origin, &exchange_->builder, std::move(permit), remote, exchange_->target};
  Status status = engine_->transport().start(std::move(plan), *this, &attempt);
  if (status.is_ok()) {
    note_attempt(*attempt, remote);
    return Launch::kRuns;
  }
  if (status.is_out_of_descriptors()) {
    wait_for_descriptors();
    return Launch::kOver;
  }
  record_refusal(remote, status);
  *refusal = std::move(status);
  return Launch::kRefused;
}

void Transfer::note_attempt(Attempt& attempt, const Endpoint& remote) {
  ++attempt_count_;
  exchange_->running.push_back(attempt);
  Connection* connection = attempt.connection();
  attempt.beginning = {engine_->now(), connection == nullptr ? 0 : connection->number(), remote};
  if (is_traced() && connection != nullptr) trace_attempt_start(attempt);
}

void Transfer::wait_for_descriptors() {
  if (exchange_->race != nullptr) exchange_->race->put_back();
  engine_->on_descriptor_shortage();
  if (exchange_->running.empty()) {
    back_in_line(false);
  } else {
    start_next_after(engine_->config().happy_eyeballs);
  }
}

void Transfer::on_attempt_lost(Status status) {
  Permit permit;
  if (goes_on_after(std::move(status), &permit)) try_next_address(std::move(permit));
}

// True: with the next address, on `permit`. False: others run, or it is done, or back in line.
bool Transfer::goes_on_after(Status status, Permit* permit) {
  if (exchange_->race == nullptr) {
    finish(std::move(status));
    return false;
  }
  exchange_->race->note_failure(std::move(status));
  if (!exchange_->race->has_next()) {
    exchange_->race->next_start = kNever;
    if (exchange_->running.empty()) finish(exchange_->race->failure());
    return false;
  }
  if (engine_->ledger().admit(*origin, true, permit) == Refusal::kNone) return true;
  if (exchange_->running.empty()) {
    back_in_line(true);
  } else {
    start_next_after(engine_->config().happy_eyeballs);
  }
  return false;
}

void Transfer::end_losers() {
  ListLink<Transfer>::unlink();
  auto& running = exchange_->running;
  for (Attempt *attempt = running.front(), *next = nullptr; attempt != nullptr; attempt = next) {
    next = running.next(*attempt);
    if (attempt != exchange_->winner) end_attempt(*attempt, beaten());
  }
}

void Transfer::end_attempt(Attempt& attempt, const Status& status) {
  exchange_->running.remove(attempt);
  record_failure(attempt, status);
  engine_->transport().abort(attempt);
}

}  // namespace hc
