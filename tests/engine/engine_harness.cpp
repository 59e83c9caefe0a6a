#include "engine_harness.h"

#include <cerrno>
#include <set>
#include <utility>

namespace hc {

EngineHarness::EngineHarness(SessionConfig given, uint64_t descriptors)
    : config(std::move(given)), reactor(clock), budget(descriptors) {
  engine = std::make_unique<Engine>(config, reactor, budget, listener_);
  network = std::make_unique<FakeTransport>(engine->ledger(), reactor);
  names = std::make_unique<NameService>(resolver, config.names, engine->stats(),
                                        [this] { return reactor.now(); });
  engine->bind(*network, *names);
}

EngineHarness::~EngineHarness() {
  engine->begin_close(0);
  turn();
  EXPECT_TRUE(engine->is_empty());
  EXPECT_TRUE(live_.empty()) << live_.size() << " requests without a completion";
  EXPECT_EQ(engine->ledger().promised(), 0U);
  EXPECT_TRUE(network->attempts().empty());
  network.reset();
  names.reset();
  EXPECT_EQ(stats().in_flight, 0U);
  EXPECT_EQ(stats().waiting, 0U);
  EXPECT_EQ(stats().sockets_opened, stats().sockets_closed);
  engine.reset();
  EXPECT_EQ(budget.used(), taken_by_others);
  EXPECT_TRUE(reactor.timers().empty());
}

hc_id EngineHarness::submit(const Order& order) {
  hc_request args = blank_request(order.url);
  args.method = as_hc_str(order.method);
  if (order.body) args.body = as_hc_str(*order.body);
  args.priority = order.priority;
  args.timeouts = order.timeouts;
  args.retry_stale = order.retry_stale;
  args.force_close = order.force_close;
  args.max_body = order.max_body;
  args.stream = order.is_streamed ? HC_ON : HC_OFF;
  std::vector<hc_str> addresses;
  for (const std::string& address : order.addresses) addresses.push_back(as_hc_str(address));
  args.addresses = addresses.data();
  args.address_count = addresses.size();

  std::unique_ptr<Request> request;
  Status status = Request::create(args, config, &request);
  EXPECT_TRUE(status.is_ok()) << status.message();
  Destination destination{order.queue, order.queue ? nullptr : on_done, this};
  auto transfer = std::make_unique<Transfer>(std::move(request), std::move(destination), clock.now());
  transfer->id = ++last_id_;
  live_[last_id_] = transfer.get();
  engine->accept(std::move(transfer));
  return last_id_;
}

hc_id EngineHarness::start(const Order& order) {
  hc_id id = submit(order);
  turn();
  return id;
}

hc_id EngineHarness::start(const std::string& url) {
  hc_id id = submit(url);
  turn();
  return id;
}

void EngineHarness::turn() {
  TimePoint now = reactor.refresh();
  if (std::exchange(listener_.has_room, false)) engine->on_descriptor_room();
  reactor.timers().expire(now);
  engine->settle();
  check_invariants();
  engine->deliver();
}

void EngineHarness::advance(Duration length) {
  clock.advance(length);
  turn();
}

void EngineHarness::pass(Duration length) {
  TimePoint end = clock.now() + length;
  while (reactor.timers().next_due() <= end) {
    clock.set(std::max(clock.now(), reactor.timers().next_due()));
    turn();
  }
  clock.set(end);
  turn();
}

const Outcome& EngineHarness::outcome(hc_id id) {
  if (!is_done(id)) {
    ADD_FAILURE() << "request " << id << " has no outcome yet; phase " << phase_name(phase(id));
    Outcome& none = outcomes[id];
    none.code = HC_E_INTERNAL;
    none.response = std::make_unique<Response>();
  }
  return outcomes[id];
}

Phase EngineHarness::phase(hc_id id) const {
  const Transfer* transfer = find(id);
  return transfer == nullptr ? static_cast<Phase>(HC_PHASE_DONE) : transfer->phase();
}

const Transfer* EngineHarness::find(hc_id id) const {
  auto place = live_.find(id);
  return place == live_.end() ? nullptr : place->second;
}

std::vector<FakeAttempt*> EngineHarness::attempts(hc_id id) const {
  const AttemptSink* sink = find(id);
  std::vector<FakeAttempt*> own;
  for (FakeAttempt* attempt : network->attempts()) {
    if (&attempt->sink() == sink) own.push_back(attempt);
  }
  return own;
}

FakeAttempt& EngineHarness::attempt(hc_id id) const {
  std::vector<FakeAttempt*> own = attempts(id);
  EXPECT_EQ(own.size(), 1U) << "attempts of request " << id << ", phase " << phase_name(phase(id));
  HC_CHECK(!own.empty());
  return *own.front();
}

void EngineHarness::answer(hc_id id, std::string_view body) {
  network->answer(attempt(id), body);
  turn();
}

hc_id EngineHarness::fetch(const Order& order) {
  hc_id id = start(order);
  answer(id);
  return id;
}

hc_id EngineHarness::fetch(const std::string& url) {
  hc_id id = start(url);
  answer(id);
  return id;
}

void EngineHarness::on_done(const hc_completion* completion, void* self) {
  auto& harness = *static_cast<EngineHarness*>(self);
  EXPECT_EQ(harness.outcomes.count(completion->id), 0U) << "request " << completion->id << " completed twice";
  Outcome& outcome = harness.outcomes[completion->id];
  outcome.response.reset(const_cast<Response*>(&from_handle(completion->response)));
  outcome.code = completion->status;
  outcome.time = harness.clock.now();
  EXPECT_EQ(outcome.response->status().code(), completion->status);
  harness.order_of_outcomes.push_back(completion->id);
  harness.live_.erase(completion->id);
  if (harness.on_outcome) harness.on_outcome(completion->id);
}

void EngineHarness::check_invariants() {
  check_sums();
  check_limits();
  check_attempts();
}

void EngineHarness::check_sums() {
  const Stats& s = stats();
  EXPECT_EQ(s.submitted, s.succeeded + s.failed + s.cancelled + s.in_flight);
  EXPECT_EQ(s.sockets_opened,
            s.sockets_closed + s.sockets_connecting + s.sockets_in_use + s.sockets_idle + s.sockets_retired);
  EXPECT_LE(s.waiting, s.in_flight);
  EXPECT_GE(s.sockets_peak, s.sockets_connecting + s.sockets_in_use + s.sockets_idle);
  EXPECT_EQ(budget.used(), engine->ledger().promised() + engine->ledger().open_count() + taken_by_others);
}

void EngineHarness::check_limits() {
  Ledger& ledger = engine->ledger();
  EXPECT_LE(ledger.live(), config.limit == 0 ? UINT64_MAX : config.limit);
  if (config.max_connecting != 0) {
    EXPECT_LE(ledger.connecting(), config.max_connecting);
  }
  std::map<Origin*, uint64_t> live_sockets;
  ledger.for_each([&](Connection& connection) {
    if (connection.state() != Connection::State::kRetired) ++live_sockets[&connection.origin()];
  });
  for (auto [origin, count] : live_sockets) {
    EXPECT_GE(origin->sockets, count);
    if (config.limit_per_host != 0) {
      EXPECT_LE(origin->sockets, config.limit_per_host);
    }
  }
}

void EngineHarness::check_attempts() {
  std::set<const Connection*> ridden;
  for (FakeAttempt* attempt : network->attempts()) {
    if (attempt->connection() == nullptr) continue;
    EXPECT_TRUE(ridden.insert(attempt->connection()).second) << "two attempts on one connection";
  }
  EXPECT_EQ(ridden.size(), stats().sockets_connecting + stats().sockets_in_use);
}

Status out_of_descriptors() { return Status::system("socket", EMFILE); }

Status refused() {
  return Status(HC_E_CONNECT, "connection refused").with_native(HC_NATIVE_ERRNO, ECONNREFUSED);
}

}  // namespace hc
