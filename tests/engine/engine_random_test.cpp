// Thousands of random operations against one engine, with what must hold checked after each turn. A failure names
// its seed; --gtest_filter='*EngineRandom*/SEED' runs it again.

#include <algorithm>
#include <random>
#include <set>
#include <sstream>

#include "engine_harness.h"

namespace hc {
namespace {

constexpr int kOperations = 3000;
constexpr int kOrigins = 6;
constexpr Duration kDescriptorPause = 20 * kMillisecond;

class Dice {
 public:
  explicit Dice(uint32_t seed) : engine_(seed) {}
  /// From 0 to `count` - 1.
  uint64_t roll(uint64_t count) { return std::uniform_int_distribution<uint64_t>(0, count - 1)(engine_); }
  bool percent(uint64_t chance) { return roll(100) < chance; }
  template <typename T>
  const T& pick(const std::vector<T>& choices) {
    return choices[roll(choices.size())];
  }

 private:
  std::mt19937 engine_;
};

SessionConfig random_config(Dice& dice) {
  SessionConfig config = quiet_config();
  config.limit = dice.pick<uint64_t>({0, 1, 2, 5, 20});
  config.limit_per_host = dice.pick<uint64_t>({0, 0, 1, 3});
  config.max_connecting = dice.pick<uint64_t>({0, 0, 1, 3});
  config.max_waiting = dice.pick<uint64_t>({0, 0, 0, 12});
  config.keepalive_timeout = dice.pick<Duration>({15 * kSecond, 15 * kSecond, 500 * kMillisecond, 0});
  config.max_lifetime = dice.pick<Duration>({0, 0, 5 * kSecond});
  config.happy_eyeballs = dice.pick<Duration>({250 * kMillisecond, 250 * kMillisecond, 0});
  config.retry_stale = dice.percent(80);
  return config;
}

uint64_t random_budget(Dice& dice) { return dice.pick<uint64_t>({EngineHarness::kManyDescriptors, 30, 3}); }

hc_timeouts random_timeouts(Dice& dice) {
  auto clock = [&dice](uint64_t chance) { return dice.percent(chance) ? 50 + dice.roll(4000) : 0; };
  return {clock(50), clock(10), clock(10), clock(10), clock(10), clock(10), clock(10), clock(10)};
}

class EngineRandom : public testing::TestWithParam<uint32_t> {
 protected:
  EngineRandom() : dice_(GetParam()), h_(random_config(dice_), random_budget(dice_)) {
    h_.on_outcome = [this](hc_id id) { check_outcome(id); };
  }

  void run() {
    for (int i = 0; i < kOperations && !HasFailure(); ++i) {
      operate();
      if (dice_.percent(60)) turn();
    }
    close();
  }

 private:
  struct Expectation {
    hc_timeouts timeouts;
    TimePoint submitted;
    hc_status code = HC_OK;
    bool is_certain = false;  // `code` is what it must come to
  };

  // ------------------------------------------------------------------------------------------ what happens

  void operate() {
    switch (dice_.roll(16)) {
      case 0:
      case 1:
      case 2: return submit();
      case 3: return cancel();
      case 4: return pass(static_cast<Duration>(dice_.roll(300)) * kMillisecond);
      case 5: return answer_question();
      case 6: return disturb_idle();
      case 7: return h_.network->close_retired();
      case 8: return take_descriptors();
      default: return move_attempt();
    }
  }

  void submit() {
    if (h_.live().size() > 60) return;
    static const std::vector<std::string> kMethods = {"GET", "GET", "PUT", "POST"};
    static const std::vector<std::vector<std::string>> kAddresses = {
        {}, {"192.0.2.1"}, {"192.0.2.1", "192.0.2.2", "2001:db8::3"}};
    Order order;
    order.url = "http://o" + std::to_string(dice_.roll(kOrigins)) + ".test/";
    order.method = dice_.pick(kMethods);
    order.addresses = dice_.pick(kAddresses);
    order.priority = dice_.percent(80) ? 0 : static_cast<int32_t>(dice_.roll(3)) - 1;
    order.timeouts = random_timeouts(dice_);
    if (order.method == "POST") order.body = "body";
    if (dice_.percent(10)) order.force_close = HC_ON;
    hc_id id = h_.submit(order);
    expected_[id] = {order.timeouts, h_.clock.now()};
  }

  void cancel() {
    if (expected_.empty()) return;
    hc_id id = 1 + dice_.roll(expected_.size() + 2);
    if (h_.find(id) != nullptr) expect(id, HC_E_CANCELLED);
    h_.engine->cancel(id);
  }

  void answer_question() {
    if (h_.resolver.questions.empty()) return;
    std::string host = h_.resolver.questions[dice_.roll(h_.resolver.questions.size())].host;
    if (dice_.percent(80)) {
      h_.resolver.answer(host, {"192.0.2.7", "192.0.2.8"});
    } else {
      h_.resolver.fail(host);
    }
  }

  void disturb_idle() {
    std::vector<Connection*> idle = h_.network->connections(Connection::State::kIdle);
    if (idle.empty()) return;
    Connection& victim = *dice_.pick(idle);
    if (dice_.percent(50)) {
      h_.network->poison(victim);
    } else {
      h_.engine->ledger().retire(victim, EndReason::kServer);
    }
  }

  void take_descriptors() {
    if (dice_.percent(20)) {
      h_.network->refuse_sockets(out_of_descriptors(), static_cast<int>(1 + dice_.roll(3)));
    } else if (dice_.percent(50)) {
      if (h_.budget.try_take()) ++h_.taken_by_others;
    } else if (h_.taken_by_others > 0) {
      --h_.taken_by_others;
      h_.budget.give_back();
    }
  }

  void move_attempt() {
    std::vector<FakeAttempt*> attempts = h_.network->attempts();
    if (attempts.empty()) return;
    FakeAttempt& attempt = *dice_.pick(attempts);
    if (!attempt.is_ready()) return move_connecting(attempt);
    if (!attempt.is_sent()) return move_sending(attempt);
    if (!attempt.has_answer()) return move_awaiting(attempt);
    move_receiving(attempt);
  }

  void move_connecting(FakeAttempt& attempt) {
    if (!attempt.rides_idle() && dice_.percent(20)) return h_.network->fail(attempt, refused());
    h_.network->ready(attempt);
  }

  void move_sending(FakeAttempt& attempt) {
    if (dice_.percent(10)) return fail_for_good(attempt);
    if (dice_.percent(20)) return h_.network->upload(attempt, 1);
    h_.network->send(attempt);
  }

  void move_awaiting(FakeAttempt& attempt) {
    if (attempt.rides_idle() && dice_.percent(20)) return h_.network->go_stale(attempt);
    if (dice_.percent(10)) return fail_for_good(attempt);
    h_.network->receive_head(attempt, dice_.percent(10) ? "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2\r\n\r\n"
                                                        : "HTTP/1.1 200 OK\r\n\r\n");
  }

  void move_receiving(FakeAttempt& attempt) {
    if (dice_.percent(10)) return fail_for_good(attempt);
    if (dice_.percent(30)) {
      h_.network->receive_body(attempt, "x");
      return;
    }
    expect(id_of(attempt), HC_OK);
    if (attempt.request().force_close || dice_.percent(10)) return h_.network->finish_and_close(attempt);
    h_.network->finish(attempt);
  }

  void fail_for_good(FakeAttempt& attempt) {
    expect(id_of(attempt), HC_E_DISCONNECTED);
    h_.network->fail(attempt, Status(HC_E_DISCONNECTED, "reset"));
  }

  void pass(Duration length) {
    TimePoint end = h_.clock.now() + length;
    while (h_.reactor.timers().next_due() <= end && !HasFailure()) {
      h_.clock.set(std::max(h_.clock.now(), h_.reactor.timers().next_due()));
      turn();
    }
    h_.clock.set(end);
    turn();
  }

  void close() {
    h_.engine->begin_close(dice_.pick<Duration>({0, kSecond, kNever}));
    is_closing_ = true;
    for (; h_.taken_by_others > 0; --h_.taken_by_others) h_.budget.give_back();
    for (int i = 0; i < 2000 && !h_.live().empty() && !HasFailure(); ++i) {
      dice_.percent(50) ? answer_question() : move_attempt();
      if (dice_.percent(20)) pass(50 * kMillisecond);
      h_.network->close_retired();
      turn();
    }
    EXPECT_TRUE(HasFailure() || h_.live().empty()) << h_.live().size() << " requests never end";
  }

  // ------------------------------------------------------------------------------------------ what must hold

  hc_id id_of(const FakeAttempt& attempt) const {
    for (auto [id, transfer] : h_.live()) {
      if (&attempt.sink() == transfer) return id;
    }
    ADD_FAILURE() << "an attempt of nobody";
    return 0;
  }

  void expect(hc_id id, hc_status code) {
    Expectation& expectation = expected_[id];
    if (h_.phase(id) == HC_PHASE_DONE || std::exchange(expectation.is_certain, true)) return;
    expectation.code = code;
  }

  void check_outcome(hc_id id) {
    const Outcome& outcome = h_.outcome(id);
    const Expectation& expectation = expected_.at(id);
    if (expectation.is_certain) {
      EXPECT_EQ(outcome.code, expectation.code) << outcome.message();
    }
    if (outcome.code == HC_E_TIMEOUT_TOTAL) {
      EXPECT_GE(outcome.time, expectation.submitted + from_ms(expectation.timeouts.total_ms));
    }
    EXPECT_NE(outcome.code, HC_E_SYSTEM) << outcome.message();
    if (outcome.code == HC_OK) {
      EXPECT_EQ(outcome.response->http_status(), 200);
    }
    if (!is_closing_) {
      EXPECT_NE(outcome.code, HC_E_CLOSED);
    }
  }

  void turn() {
    std::set<hc_id> waiting;
    for (auto [id, transfer] : h_.live()) {
      if (transfer->phase() == HC_PHASE_WAITING) waiting.insert(id);
    }
    h_.turn();
    check_order(waiting);
    check_clocks();
    h_.turn();  // as the loop, which was woken when the budget had room
    if (std::exchange(refused_, h_.network->refused) != h_.network->refused) {
      paused_until_ = h_.clock.now() + kDescriptorPause;
    }
    if (h_.clock.now() >= paused_until_) check_nobody_waits_in_vain();
    check_origins();
  }

  static bool goes_before(const Transfer& a, const Transfer& b) {
    return a.priority != b.priority ? a.priority > b.priority : a.turn < b.turn;
  }

  void check_order(const std::set<hc_id>& were_waiting) {
    for (hc_id id : were_waiting) {
      const Transfer* started = h_.find(id);
      if (started == nullptr || started->phase() == HC_PHASE_WAITING) continue;
      for (hc_id other : were_waiting) {
        const Transfer* left = h_.find(other);
        if (left == nullptr || left->phase() != HC_PHASE_WAITING || left->origin != started->origin) continue;
        EXPECT_FALSE(goes_before(*left, *started)) << id << " went before " << other;
      }
    }
  }

  void check_clocks() {
    for (auto [id, transfer] : h_.live()) {
      const Expectation& expectation = expected_.at(id);
      if (expectation.timeouts.total_ms == 0) continue;
      EXPECT_LT(h_.clock.now(), expectation.submitted + from_ms(expectation.timeouts.total_ms)) << "late";
    }
  }

  void check_nobody_waits_in_vain() {
    std::map<Origin*, const Transfer*> first_in_line;
    for (auto [id, transfer] : h_.live()) {
      if (transfer->phase() != HC_PHASE_WAITING) continue;
      const Transfer*& first = first_in_line[transfer->origin];
      if (first == nullptr || goes_before(*transfer, *first)) first = transfer;
    }
    EXPECT_EQ(first_in_line.empty(), h_.stats().waiting == 0);
    for (auto [origin, first] : first_in_line) EXPECT_TRUE(must_wait(*first)) << describe(*first);
  }

  static bool has_spare_idle(const Origin& origin) {
    return std::any_of(origin.shards.begin(), origin.shards.end(),
                       [](const OriginShard& shard) { return shard.has_spare_idle(); });
  }

  bool must_wait(const Transfer& first) {
    const Origin& origin = *first.origin;
    if (!first.needs_new_socket && has_spare_idle(origin)) return false;
    Ledger& ledger = h_.engine->ledger();
    if (h_.config.max_connecting != 0 && ledger.connecting() >= h_.config.max_connecting) return true;
    if (h_.config.limit_per_host != 0 && origin.sockets >= h_.config.limit_per_host) {
      return !has_spare_idle(origin);
    }
    if (h_.budget.used() >= h_.budget.capacity()) return true;
    return h_.config.limit != 0 && ledger.live() >= h_.config.limit && !is_anything_spare();
  }

  std::string describe(const Transfer& first) {
    Ledger& ledger = h_.engine->ledger();
    std::ostringstream out;
    out << "request " << first.id << " to " << first.origin->host() << " waits for nothing: needs new "
        << first.needs_new_socket << ", spare idle " << has_spare_idle(*first.origin) << ", its sockets "
        << first.origin->sockets << "/" << h_.config.limit_per_host << ", live " << ledger.live() << "/"
        << h_.config.limit << ", connecting " << ledger.connecting() << "/" << h_.config.max_connecting
        << ", descriptors " << h_.budget.used() << "/" << h_.budget.capacity();
    return out.str();
  }

  bool is_anything_spare() {
    std::vector<Connection*> idle = h_.network->connections(Connection::State::kIdle);
    return std::any_of(idle.begin(), idle.end(),
                       [](Connection* connection) { return has_spare_idle(connection->origin()); });
  }

  void check_origins() {
    std::map<const Origin*, uint32_t> descriptors;
    h_.engine->ledger().for_each([&](Connection& connection) { ++descriptors[&connection.origin()]; });
    for (auto [origin, count] : descriptors) EXPECT_EQ(origin->descriptors, count);
    std::map<const Origin*, size_t> waiting;
    for (auto [id, transfer] : h_.live()) waiting[transfer->origin] += transfer->phase() == HC_PHASE_WAITING;
    for (auto [origin, count] : waiting) EXPECT_EQ(origin->waiting, count);
  }

  Dice dice_;
  std::map<hc_id, Expectation> expected_;  // outlives the harness, which ends what is left
  EngineHarness h_;
  size_t refused_ = 0;  // sockets, when last looked
  TimePoint paused_until_ = 0;
  bool is_closing_ = false;
};

TEST_P(EngineRandom, EverythingHoldsAtEveryTurn) { run(); }

INSTANTIATE_TEST_SUITE_P(Seeds, EngineRandom, testing::Range(1U, 41U),
                         [](const testing::TestParamInfo<uint32_t>& test) {
                           return std::to_string(test.param);
                         });

}  // namespace
}  // namespace hc
