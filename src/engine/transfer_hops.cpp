// What makes a transfer more than one exchange: a body that its reader takes piece by piece, and redirects.
#include <string>
#include <utility>

#include "engine/engine.h"
#include "engine/transfer.h"

namespace hc {
namespace {

// Of a body that nobody wants: what is drained so that the connection can serve again, rather than be closed.
constexpr uint64_t kMostDrained = 64 << 10;
constexpr Duration kLongestDrain = 100 * kMillisecond;

}  // namespace

void Transfer::on_head() {
  exchange_->http_status = exchange_->builder.http_status();
  std::unique_ptr<Response> response = exchange_->builder.take_head();
  describe(*response);
  Completion completion = news(HC_HEAD, HC_OK);
  completion.response = std::move(response);
  engine_->on_news(*this, std::move(completion));
}

void Transfer::on_body(size_t bytes) {
  engine_->note_body(id, bytes, std::exchange(exchange_->is_body_noted, true));
  BodyPipe& pipe = *exchange_->pipe;
  bool is_due = destination_.reads_in_callback() ? pipe.has_block() : pipe.has_much();
  if (!is_due || !pipe.publish()) return;
  engine_->on_news_in_turn(*this, news(HC_BODY, HC_OK));
}

void Transfer::publish_body() {
  exchange_->is_body_noted = false;
  if (exchange_->pipe->publish()) engine_->on_news(*this, news(HC_BODY, HC_OK));
}

void Transfer::on_body_held() {
  exchange_->is_body_held = true;
  clocks_.stop(Clocks::kSockRead);
}

void Transfer::on_body_room() {
  if (is_done() || winner() == nullptr) return;
  exchange_->is_body_held = false;
  if (!winner()->sends_on()) clocks_.start(Clocks::kSockRead, engine_->now());
  arm_timer();
  engine_->transport().resume(*exchange_->winner);
}

void Transfer::on_body_abandoned() {
  if (is_done() || winner() == nullptr) return;
  uint64_t left = exchange_->builder.bytes_left();
  if (left != HC_UNSET && left > kMostDrained) {
    finish({HC_E_CANCELLED, "released before its end, with more to come than is worth draining"});
    return;
  }
  exchange_->builder.discard_rest(kMostDrained);
  exchange_->drain_end = later(engine_->now(), kLongestDrain);
  arm_timer();
  engine_->transport().resume(*exchange_->winner);
}

void Transfer::on_redirect(Attempt&) {
  exchange_->drain_end = later(engine_->now(), kLongestDrain);
  arm_timer();
}

void Transfer::end_drain() {
  if (!exchange_->builder.is_redirect()) {
    finish({HC_E_CANCELLED, "released before its end, which did not come within 100 ms"});
    return;
  }
  count_upload();
  Attempt& attempt = *std::exchange(exchange_->winner, nullptr);
  exchange_->running.remove(attempt);
  engine_->transport().abort(attempt);
  follow();
}

// The next hop is a request of its own in its origin's line; only the id, the total clock and the history go on.
void Transfer::follow() {
  end_losers();  // they may be ready before the turn ends, and the next hop is not theirs
  int32_t http_status = exchange_->builder.http_status();
  if (exchange_->hops.size() >= request_->max_redirects) {
    finish({HC_E_TOO_MANY_REDIRECTS,
            "more than " + std::to_string(request_->max_redirects) + " redirects (max_redirects)"});
    return;
  }
  std::unique_ptr<Request> next;
  Status status = Request::redirect(*request_, http_status, exchange_->builder.location(), &next);
  if (!status.is_ok()) {
    finish(std::move(status));
    return;
  }
  std::vector<Response::Hop> hops = std::move(exchange_->hops);
  hops.push_back({take_response(Status::ok()), std::string(request_->method_name)});
  exchange_->hops = std::move(hops);
  report_redirect(*next, http_status);
  begin_hop(std::move(next));
}

void Transfer::begin_hop(std::unique_ptr<Request> request) {
  request->keep_previous(std::move(request_));
  request_ = std::move(request);
  Origin& last = *origin;
  origin =
      &engine_->admission().origin_of({request_->is_https, request_->port, request_->host, request_->route});
  last.row->submitted.subtract();
  origin->row->submitted.add();
  engine_->admission().release(last);
  exchange_->race.reset();
  expect_response();
  exchange_->drain_end = kNever;
  needs_new_socket = retried_stale_ = false;
  dead_idle_met_ = 0;
  waited_ = 0;
  clocks_.stop(Clocks::kConnect);
  forget_connection();
  engine_->admission().join(*this);
}

}  // namespace hc
