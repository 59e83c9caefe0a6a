#include "support/fake_transport.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace hc {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

}  // namespace

FakeTransport::~FakeTransport() {
  HC_CHECK(attempts_.empty());
  std::vector<Connection*> left;
  ledger_.for_each([&left](Connection& connection) { left.push_back(&connection); });
  for (Connection* connection : left) ledger_.close(*connection);
}

Status FakeTransport::start(AttemptPlan plan, AttemptSink& sink, Attempt** out) {
  bool is_new = plan.permit.kind() == Permit::Kind::kNewSocket;
  HC_CHECK(plan.permit.kind() != Permit::Kind::kNone);
  if (is_new && refusals_left_ > 0) {
    --refusals_left_;
    ++refused;
    refused_at.insert(__builtin_frame_address(0));
    return refusal_;
  }
  Endpoint remote = plan.remote;
  std::unique_ptr<FakeAttempt> attempt(new FakeAttempt(std::move(plan), sink));
  if (is_new) {
    dialled.push_back(remote.address.to_string());
    attempt->connection_ =
        &ledger_.open(std::move(attempt->plan_.permit), ++last_fd_, remote, reactor_.now());
    attempt->connection_->rider = attempt.get();
  }
  *out = attempt.get();
  attempts_.push_back(std::move(attempt));
  return Status::ok();
}

void FakeTransport::abort(Attempt& attempt) {
  ++aborted;
  auto& fake = static_cast<FakeAttempt&>(attempt);
  settle(fake, Fate::kClosed);
  take_out(fake);
}

void FakeTransport::retire(Connection& connection) { retired_.push_back(&connection); }

void FakeTransport::refuse_sockets(Status status, int count) {
  refusal_ = std::move(status);
  refusals_left_ = count;
}

bool FakeTransport::ready(FakeAttempt& attempt) {
  HC_CHECK(!attempt.is_ready_);
  touch(attempt);
  if (attempt.rides_idle_) {
    if (!ride(attempt)) return false;
  } else {
    attempt.connected_at_ = attempt.secured_at_ = reactor_.now();
    ledger_.use_new(*attempt.connection_);
  }
  attempt.is_ready_ = true;
  if (attempt.sink_.on_ready(attempt, attempt.rides_idle_)) return true;
  end(attempt, {AttemptResult::Kind::kFailed, Status(HC_E_INTERNAL, "stopped by its sink")}, Fate::kClosed);
  return false;
}

bool FakeTransport::ride(FakeAttempt& attempt) {
  Connection* idle = find_idle(attempt);
  if (idle != nullptr && poisoned_.count(idle->number()) == 0) {
    ledger_.use_idle(*idle, std::move(attempt.plan_.permit));
    idle->rider = &attempt;
    attempt.connection_ = idle;
    return true;
  }
  if (idle != nullptr) close(*idle);
  end(attempt, {AttemptResult::Kind::kNothingIdle, Status::ok()}, Fate::kClosed);
  return false;
}

// The lowest number first, as libcurl.
Connection* FakeTransport::find_idle(const FakeAttempt& attempt) {
  Connection* found = nullptr;
  for (Connection* idle : connections(Connection::State::kIdle)) {
    bool fits = &idle->origin() == attempt.plan_.origin && idle->shard() == attempt.plan_.permit.shard();
    if (fits && found == nullptr) found = idle;
  }
  return found;
}

void FakeTransport::upload(FakeAttempt& attempt, uint64_t bytes) {
  attempt.uploaded_ += bytes;
  touch(attempt);
}

void FakeTransport::send(FakeAttempt& attempt) {
  HC_CHECK(attempt.is_ready_);
  if (std::exchange(attempt.is_sent_, true)) return;
  attempt.uploaded_ = attempt.request().body.size();
  attempt.sink_.on_sent(attempt);
}

bool FakeTransport::receive_head(FakeAttempt& attempt, std::string_view head) {
  touch(attempt);
  send(attempt);
  while (!head.empty()) {
    size_t end_of_line = std::min(head.find(kLineEnd), head.size() - kLineEnd.size()) + kLineEnd.size();
    if (!attempt.has_answer()) attempt.sink_.on_first_byte(attempt);
    if (!attempt.plan_.builder->on_header_line(head.substr(0, end_of_line))) {
      fail(attempt, attempt.plan_.builder->status());
      return false;
    }
    head.remove_prefix(end_of_line);
  }
  if (attempt.plan_.builder->is_redirect()) attempt.sink_.on_redirect(attempt);
  return true;
}

bool FakeTransport::receive_body(FakeAttempt& attempt, std::string_view bytes) {
  touch(attempt);
  HC_CHECK(attempt.held_.empty());
  switch (attempt.plan_.builder->on_body(bytes)) {
    case Intake::kTaken:
    case Intake::kTakenAndHold: return true;
    case Intake::kHeld: attempt.held_ = bytes; return true;
    case Intake::kRefused: break;
  }
  fail(attempt, attempt.plan_.builder->status());
  return false;
}

void FakeTransport::resume(Attempt& attempt) {
  auto& fake = static_cast<FakeAttempt&>(attempt);
  std::string held = std::exchange(fake.held_, {});
  if (!held.empty()) receive_body(fake, held);
}

void FakeTransport::finish(FakeAttempt& attempt) {
  end(attempt, {AttemptResult::Kind::kAnswered, Status::ok()}, Fate::kKept);
}

void FakeTransport::finish_and_close(FakeAttempt& attempt) {
  end(attempt, {AttemptResult::Kind::kAnswered, Status::ok()}, Fate::kClosed);
}

bool FakeTransport::answer(FakeAttempt& attempt, std::string_view body) {
  if (!attempt.is_ready_ && !ready(attempt)) return false;
  if (!attempt.has_answer() && !receive_head(attempt)) return false;
  if (!receive_body(attempt, body)) return false;
  if (attempt.request().force_close) {
    finish_and_close(attempt);
  } else {
    finish(attempt);
  }
  return true;
}

void FakeTransport::fail(FakeAttempt& attempt, Status status) {
  end(attempt, {AttemptResult::Kind::kFailed, std::move(status)}, Fate::kClosed);
}

void FakeTransport::go_stale(FakeAttempt& attempt) {
  HC_CHECK(attempt.rides_idle_ && attempt.is_ready_ && !attempt.has_answer());
  end(attempt,
      {AttemptResult::Kind::kStale, Status(HC_E_DISCONNECTED, "Recv failure: Connection reset by peer")},
      Fate::kClosed);
}

void FakeTransport::close_retired() {
  std::vector<Connection*> retired;
  retired.swap(retired_);
  for (Connection* connection : retired) ledger_.close(*connection);
}

std::vector<FakeAttempt*> FakeTransport::attempts() const {
  std::vector<FakeAttempt*> all;
  for (const auto& attempt : attempts_) all.push_back(attempt.get());
  return all;
}

std::vector<Connection*> FakeTransport::connections(Connection::State state) {
  std::vector<Connection*> found;
  ledger_.for_each([&](Connection& connection) {
    if (connection.state() == state) found.push_back(&connection);
  });
  std::sort(found.begin(), found.end(),
            [](Connection* a, Connection* b) { return a->number() < b->number(); });
  return found;
}

void FakeTransport::settle(FakeAttempt& attempt, Fate fate) {
  Connection* connection = std::exchange(attempt.connection_, nullptr);
  if (connection == nullptr) return;
  if (connection->state() == Connection::State::kInUse && fate == Fate::kKept) {
    ledger_.rest(*connection, attempt.plan_.builder->keepalive_hint(), reactor_.now());
  } else {
    close(*connection);
  }
}

void FakeTransport::end(FakeAttempt& attempt, AttemptResult result, Fate fate) {
  settle(attempt, fate);
  std::unique_ptr<FakeAttempt> owned = take_out(attempt);
  attempt.sink_.on_finished(attempt, std::move(result));
}

void FakeTransport::close(Connection& connection) {
  std::erase(retired_, &connection);
  ledger_.close(connection);
}

std::unique_ptr<FakeAttempt> FakeTransport::take_out(FakeAttempt& attempt) {
  auto is_it = [&attempt](const auto& place) { return place.get() == &attempt; };
  auto place = std::find_if(attempts_.begin(), attempts_.end(), is_it);
  HC_CHECK(place != attempts_.end());
  std::unique_ptr<FakeAttempt> owned = std::move(*place);
  attempts_.erase(place);
  return owned;
}

}  // namespace hc
