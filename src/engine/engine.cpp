#include "engine/engine.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "base/user_call.h"

namespace hc {
namespace {

// How long nobody asks for a descriptor after the system had none: others in the process hold them, and nobody
// tells us when they let go.
constexpr Duration kDescriptorPause = 20 * kMillisecond;
// How often a session that the budget refused asks the others again for an idle socket: they may have had none.
constexpr Duration kBudgetPause = 100 * kMillisecond;

}  // namespace

Engine::Engine(const SessionConfig& config, Reactor& reactor, DescriptorBudget& budget,
               DescriptorBudget::Listener& listener, std::shared_ptr<Metrics> metrics)
    : config_(config),
      reactor_(reactor),
      budget_(budget),
      metrics_(std::move(metrics)),
      reporter_(config),
      ledger_(config, reactor.timers(), budget, stats_),
      admission_(ledger_, budget, listener, stats_, &metrics_->origins) {
  ledger_.set_observer(this);
}

Engine::~Engine() { HC_CHECK(is_empty()); }

void Engine::bind(Transport& transport, NameService& names) {
  transport_ = &transport;
  names_ = &names;
}

void Engine::accept(std::unique_ptr<Transfer> owned) {
  Transfer& transfer = *owned.release();
  if (transfer.submitted() > now()) reactor_.refresh();  // it was mailed while the loop woke
  transfers_.insert(transfer.id, &transfer);
  ++stats_.submitted;
  ++stats_.in_flight;
  transfer.start(*this);
  transfer.origin->row->submitted.add();
  if (is_closing_) transfer.finish({HC_E_CLOSED, "the session was closed before the request could start"});
  if (config_.max_waiting != 0) accepted_.push_back(transfer.id);
}

void Engine::cancel(hc_id id) {
  if (Transfer* transfer = transfers_.find(id)) transfer->finish({HC_E_CANCELLED, "cancelled"});
}

void Engine::cancel_orphans() {
  std::vector<Transfer*> orphans;
  transfers_.for_each([&](Transfer& transfer) {
    const auto& queue = transfer.destination().queue;
    if (queue != nullptr && queue->is_closed()) orphans.push_back(&transfer);
  });
  for (Transfer* orphan : orphans) orphan->finish({HC_E_CANCELLED, "its queue was closed"});
}

void Engine::cancel_all(Code code) {
  std::vector<Transfer*> all;
  transfers_.for_each([&](Transfer& transfer) { all.push_back(&transfer); });
  for (Transfer* transfer : all) transfer->finish({code, "the session was closed"});
}

void Engine::begin_close(Duration drain) {
  if (!is_closing_) {
    is_closing_ = true;
    while (Waiter* waiter = admission_.pop_any()) {
      static_cast<Transfer*>(waiter)->finish(
          {HC_E_CLOSED, "the session was closed while the request waited in line"});
    }
  }
  TimePoint end = later(now(), drain);
  if (drain == 0) {
    cancel_all(HC_E_CANCELLED);
  } else if (!drain_alarm_.is_armed() || end < drain_alarm_.due()) {
    timers().arm(drain_alarm_, end);
  }
}

void Engine::settle() {
  while (Transfer* transfer = with_losers_.pop_front()) transfer->end_losers();
  is_pumped_ = admission_.pump(*this);
  if (!joined_.empty() && is_pumped_) note_queued();
  if (admission_.is_short_of_descriptors() && !budget_alarm_.is_armed()) {
    timers().arm(budget_alarm_, later(now(), kBudgetPause));
  }
  if (!accepted_.empty() && is_pumped_) refuse_overflow();
  done_.clear();
}

// Once in a turn: a reader that was woken by each piece would meet the loop at the lock, and cost more than the bytes.
void Engine::publish_bodies() {
  std::vector<hc_id> ids;
  ids.swap(with_bodies_);
  body_bytes_in_turn_ = 0;
  for (hc_id id : ids) {
    if (Transfer* transfer = transfers_.find(id)) transfer->publish_body();
  }
}

void Engine::note_queued() {
  for (hc_id id : joined_) {
    Transfer* transfer = transfers_.find(id);
    if (transfer != nullptr && transfer->phase() == HC_PHASE_WAITING) transfer->note_queued();
  }
  joined_.clear();
}

// The line is bounded after those that fit have left it: a burst of submits is not refused for what the loop had no
// time to start. The last ones to come are the ones refused.
void Engine::refuse_overflow() {
  for (auto id = accepted_.rbegin(); id != accepted_.rend() && stats_.waiting > config_.max_waiting; ++id) {
    Transfer* transfer = transfers_.find(*id);
    if (transfer == nullptr || transfer->phase() != HC_PHASE_WAITING || transfer->was_granted()) continue;
    transfer->finish({HC_E_OVERLOAD,
                      "the waiting line is full (max_waiting " + std::to_string(config_.max_waiting) + ")"});
  }
  accepted_.clear();
}

void Engine::end_losers_later(Transfer& transfer) {
  if (!transfer.ListLink<Transfer>::is_linked()) with_losers_.push_back(transfer);
}

void Engine::on_lookup_failed(const Status& status, bool is_no_such_name) {
  if (is_no_such_name) {
    if (reporter_.wants(HC_LOG_INFO)) reporter_.log(HC_LOG_INFO, status.message());
  } else {
    reporter_.warn(Warning::kLookup, now(), status.message());
  }
}

void Engine::on_stall(Duration turn, Duration in_callbacks) {
  auto ms = [](Duration length) { return std::to_string(length / kMillisecond) + " ms"; };
  reporter_.warn(Warning::kStall, now(),
                 "a turn of the loop took " + ms(turn) + ", " + ms(in_callbacks) +
                     " of it in callbacks; nothing else moved meanwhile, and clocks ended late");
  reporter_.deliver();
}

void Engine::on_descriptor_shortage() {
  reporter_.warn(Warning::kDescriptors, now(),
                 "the system has no descriptor left: requests wait, and idle connections are closed");
  admission_.pause();
  ledger_.retire_one();
  budget_.ask_holders();
  timers().arm(descriptor_alarm_, later(now(), kDescriptorPause));
}

ResponseLimits Engine::response_limits(const Request& request) const {
  return {request.max_redirects > 0, request.decompress,  request.max_body,
          config_.max_header_bytes,  config_.max_headers, request.method == Method::kHead};
}

void Engine::on_body_room(hc_id id) {
  if (Transfer* transfer = transfers_.find(id)) transfer->on_body_room();
}

void Engine::resume_upload(hc_id id) {
  if (Transfer* transfer = transfers_.find(id)) transfer->resume_upload();
}

void Engine::on_body_abandoned(hc_id id) {
  if (Transfer* transfer = transfers_.find(id)) transfer->on_body_abandoned();
}

void Engine::on_done(Transfer& transfer, Completion completion, uint64_t body_bytes) {
  count_result(transfer, completion.status, body_bytes);
  transfers_.erase(transfer.id);
  transfer.ListLink<Transfer>::unlink();
  admission_.release(*transfer.origin);
  give(transfer.destination(), std::move(completion));
  done_.emplace_back(&transfer);
}

void Engine::give(const Destination& destination, Completion completion) {
  if (destination.queue != nullptr) {
    batch_for(destination.queue).push_back(std::move(completion));
  } else {
    callbacks_.emplace_back(destination, std::move(completion));
  }
}

void Engine::on_news_in_turn(const Transfer& transfer, Completion completion) {
  const Destination& destination = transfer.destination();
  if (destination.waits_at_pipe || process_.is_inherited()) return;
  if (destination.reads_in_callback()) {
    hc_completion item = to_c(completion);
    call_in_turn([&] { destination.on_done(&item, destination.user_data); });
    return;
  }
  std::vector<Completion> batch;
  batch.push_back(std::move(completion));
  destination.queue->push(batch);
}

std::vector<Completion>& Engine::batch_for(const std::shared_ptr<CompletionQueue>& queue) {
  auto place = std::find_if(batches_.begin(), batches_.end(),
                            [&](const Batch& batch) { return batch.queue == queue; });
  if (place == batches_.end()) place = batches_.insert(place, {queue, {}});
  return place->completions;
}

void Engine::count_result(const Transfer& transfer, Code code, uint64_t body_bytes) {
  --stats_.in_flight;
  stats_.bytes_received += body_bytes;
  OriginRow& row = *transfer.origin->row;
  Duration total = now() - transfer.submitted();
  metrics_->total.add(total);
  row.total_ns.add(static_cast<uint64_t>(total));
  if (code == HC_OK) {
    ++stats_.succeeded;
    row.succeeded.add();
  } else if (code == HC_E_CANCELLED || code == HC_E_CLOSED) {
    ++stats_.cancelled;
    row.cancelled.add();
  } else {
    ++stats_.failed;
    row.failed.add();
    metrics_->count_failure(code);
  }
}

void Engine::deliver() {
  admission_.begin_turn();
  publish_bodies();
  done_.clear();
  reporter_.deliver();
  if (process_.is_inherited()) return;
  for (Batch& batch : batches_) batch.queue->push(batch.completions);
  batches_.clear();
  std::vector<std::pair<Destination, Completion>> callbacks;
  callbacks.swap(callbacks_);
  for (auto& [destination, completion] : callbacks) {
    if (process_.is_inherited()) return;  // a callback forked and this is the child: see Loop::run()
    hc_completion item = to_c(completion);
    destination.on_done(&item, destination.user_data);
  }
}

void Engine::on_granted(Waiter& waiter, Permit permit) {
  static_cast<Transfer&>(waiter).on_granted(std::move(permit));
}

void Engine::on_retired(Connection& connection) {
  transport_->retire(connection);
  const char* why = text_of(connection.end_reason());
  if (reporter_.is_traced()) trace(HC_TRACE_CONNECTION_RETIRED, connection, why);
  if (reporter_.wants(HC_LOG_DEBUG)) log_connection(connection, why);
}

void Engine::on_idle(Connection& connection) { trace(HC_TRACE_CONNECTION_IDLE, connection, ""); }

void Engine::on_closed(Connection& connection) {
  if (reporter_.is_traced()) trace(HC_TRACE_CONNECTION_CLOSED, connection, "");
  if (connection.state() == Connection::State::kRetired || !reporter_.wants(HC_LOG_DEBUG)) return;
  log_connection(connection, "closed");
}

void Engine::trace(int32_t kind, const Connection& connection, const char* text) {
  reporter_.trace({kind, now(), 0, connection.number(), connection.origin().name(), text});
}

void Engine::log_connection(const Connection& connection, const char* what) {
  reporter_.log(HC_LOG_DEBUG, "connection " + std::to_string(connection.number()) + " to " +
                                  *connection.origin().name() + " at " + connection.remote().to_string() +
                                  " ends: " + what);
}

void Engine::on_room(Origin& origin) { admission_.on_room(origin); }

void Engine::on_connecting_room() { admission_.on_connecting_room(); }

}  // namespace hc
