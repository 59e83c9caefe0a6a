// An engine with a clock, names and a network that a test holds in its hand.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "support/fake_clock.h"
#include "support/fake_resolver.h"
#include "support/fake_transport.h"
#include "support/requests.h"

namespace hc {

/// What a test wants to send. The address is known unless a test is about names.
struct Order {
  std::string url = "http://a.test/";
  std::string method = "GET";
  std::optional<std::string> body;
  int32_t priority = 0;
  std::vector<std::string> addresses = {"192.0.2.1"};
  hc_timeouts timeouts = kAsTheSessionSays;
  uint8_t retry_stale = HC_UNSET_FLAG;
  uint8_t force_close = HC_UNSET_FLAG;
  uint64_t max_body = HC_UNSET;
  bool is_streamed = false;
  std::shared_ptr<CompletionQueue> queue;  // none: a callback
};

/// What came of it.
struct Outcome {
  hc_status code = HC_OK;
  std::unique_ptr<Response> response;
  TimePoint time = 0;

  const std::string& message() const { return response->status().message(); }
  Phase phase() const { return response->status().phase(); }
  std::string body() const { return std::string(response->body()); }
};

/// Options for tests in which no clock runs unless the test starts it.
inline SessionConfig quiet_config() {
  SessionConfig config;
  config.timeouts = kNoTimeouts;
  return config;
}

class EngineHarness {
 public:
  static constexpr uint64_t kManyDescriptors = 1'000'000;

  explicit EngineHarness(SessionConfig config = quiet_config(), uint64_t descriptors = kManyDescriptors);
  /// Closes, and checks that nothing is left.
  ~EngineHarness();

  /// Accepts a request as the loop does with its mail; it starts in the next turn.
  hc_id submit(const Order& order = {});
  hc_id submit(const std::string& url) {
    Order order;
    order.url = url;
    return submit(order);
  }
  /// One loop turn at the present time. Checks the invariants.
  void turn();
  /// Lets time pass, and takes one turn.
  void advance(Duration length);
  /// Lets time pass as a loop sees it: with a turn whenever a timer is due.
  void pass(Duration length);
  /// submit() and turn().
  hc_id start(const Order& order = {});
  hc_id start(const std::string& url);

  // By request.
  bool is_done(hc_id id) const { return outcomes.count(id) != 0; }
  /// What `id` came to; fails the test if it has not.
  const Outcome& outcome(hc_id id);
  hc_status code(hc_id id) { return outcome(id).code; }
  /// HC_PHASE_DONE when it is over.
  Phase phase(hc_id id) const;
  const Transfer* find(hc_id id) const;
  std::vector<FakeAttempt*> attempts(hc_id id) const;
  /// Its one attempt; fails the test when there is not exactly one.
  FakeAttempt& attempt(hc_id id) const;
  /// Answers its one attempt, and takes a turn.
  void answer(hc_id id, std::string_view body = "ok");
  /// start() and answer().
  hc_id fetch(const Order& order = {});
  hc_id fetch(const std::string& url);

  const Stats& stats() { return engine->stats(); }
  size_t idle() { return network->connections(Connection::State::kIdle).size(); }
  void check_invariants();
  /// Its outcome went to a queue, so that no outcome is expected here.
  void forget(hc_id id) { live_.erase(id); }
  /// Requests without an outcome, by id.
  const std::map<hc_id, const Transfer*>& live() const { return live_; }

  SessionConfig config;
  FakeClock clock;
  Reactor reactor;
  DescriptorBudget budget;
  FakeResolver resolver;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<FakeTransport> network;
  std::unique_ptr<NameService> names;
  std::map<hc_id, Outcome> outcomes;
  std::vector<hc_id> order_of_outcomes;
  /// Of the budget, by other sessions of the process.
  uint64_t taken_by_others = 0;
  /// Called for each outcome, as a user's callback.
  std::function<void(hc_id)> on_outcome;

 private:
  struct Listener final : DescriptorBudget::Listener {
    void on_room() override { has_room = true; }
    bool has_room = false;
  };
  static void on_done(const hc_completion* completion, void* self);
  void check_sums();
  void check_limits();
  void check_attempts();

  Listener listener_;
  hc_id last_id_ = 0;
  std::map<hc_id, const Transfer*> live_;
};

/// HC_E_SYSTEM as socket() gives it when the process has no descriptors left.
Status out_of_descriptors();
Status refused();

}  // namespace hc
