#include <algorithm>

#include "engine_harness.h"

namespace hc {
namespace {

SessionConfig config_with(uint64_t limit, uint64_t limit_per_host = 0) {
  SessionConfig config = quiet_config();
  config.limit = limit;
  config.limit_per_host = limit_per_host;
  return config;
}

std::string origin(int number) { return "http://o" + std::to_string(number) + ".test/"; }

TEST(EngineLimits, HoldsRequestsBackAtTheLimit) {
  EngineHarness h(config_with(2));
  for (int i = 0; i < 5; ++i) h.submit();
  h.turn();
  EXPECT_EQ(h.network->attempts().size(), 2U);
  EXPECT_EQ(h.stats().waiting, 3U);
}

TEST(EngineLimits, AFreedSlotIsTakenInTheSameTurn) {
  EngineHarness h(config_with(1));
  hc_id first = h.submit(origin(1));
  hc_id second = h.submit(origin(2));
  h.turn();
  EXPECT_EQ(h.phase(second), HC_PHASE_WAITING);
  h.network->fail(h.attempt(first), refused());
  h.turn();
  EXPECT_EQ(h.phase(second), HC_PHASE_CONNECTING);
}

TEST(EngineLimits, ServesAnOriginFirstComeFirstServed) {
  EngineHarness h(config_with(1));
  std::vector<hc_id> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(h.submit());
  h.turn();
  for (hc_id id : ids) {
    ASSERT_EQ(h.attempts(id).size(), 1U);
    h.answer(id);
  }
  EXPECT_EQ(h.order_of_outcomes, ids);
  EXPECT_EQ(h.stats().sockets_opened, 1U);
}

TEST(EngineLimits, HigherPriorityGoesFirstWithinAnOrigin) {
  EngineHarness h(config_with(1));
  hc_id running = h.start();
  hc_id low = h.submit(Order{.priority = -1});
  hc_id plain = h.submit(Order{});
  hc_id high = h.submit(Order{.priority = 5});
  hc_id also_high = h.submit(Order{.priority = 5});
  h.turn();
  for (hc_id id : {running, high, also_high, plain, low}) h.answer(id);
  EXPECT_EQ(h.order_of_outcomes, (std::vector{running, high, also_high, plain, low}));
}

TEST(EngineLimits, OriginsTakeTurns) {
  EngineHarness h(config_with(1));
  std::vector<hc_id> busy;
  for (int i = 0; i < 4; ++i) busy.push_back(h.submit(origin(1)));
  hc_id other = h.submit(origin(2));
  h.turn();
  h.answer(busy[0]);
  EXPECT_EQ(h.phase(busy[1]), HC_PHASE_WAITING) << "an idle connection is no way to jump the queue";
  EXPECT_EQ(h.phase(other), HC_PHASE_CONNECTING);
  h.answer(other);
  EXPECT_EQ(h.phase(busy[1]), HC_PHASE_CONNECTING);
}

TEST(EngineLimits, ABusyOriginDoesNotStarveQuietOnes) {
  EngineHarness h(config_with(4));
  for (int i = 0; i < 2000; ++i) h.submit(origin(0));
  std::vector<hc_id> quiet;
  for (int i = 1; i <= 50; ++i) quiet.push_back(h.submit(origin(i)));
  h.turn();
  size_t finished = 0;
  auto is_done = [&h](hc_id id) { return h.is_done(id); };
  while (!std::all_of(quiet.begin(), quiet.end(), is_done)) {
    for (FakeAttempt* attempt : h.network->attempts()) {
      h.network->answer(*attempt);
      ++finished;
    }
    h.turn();
    h.network->close_retired();
  }
  EXPECT_LE(finished, 2 * 50 + 8U);
}

TEST(EngineLimits, BusyOriginsKeepTheirConnectionsAtTheLimit) {
  EngineHarness h(config_with(6));
  for (int i = 0; i < 300; ++i) h.submit(origin(i % 3));
  h.turn();
  while (!h.network->attempts().empty()) {  // one at a time, as on a loop that has time for each
    h.network->answer(*h.network->attempts().front());
    h.turn();
    h.network->close_retired();
  }
  EXPECT_EQ(h.stats().succeeded, 300U);
  EXPECT_LE(h.stats().sockets_opened, 6U + 3U)
      << "the last origins to have waiters take what the others leave";
}

TEST(EngineLimits, HoldsAnOriginToItsLimit) {
  EngineHarness h(config_with(10, 2));
  for (int i = 0; i < 5; ++i) h.submit(origin(1));
  hc_id other = h.submit(origin(2));
  h.turn();
  EXPECT_EQ(h.network->attempts().size(), 3U);
  EXPECT_EQ(h.phase(other), HC_PHASE_CONNECTING);
}

TEST(EngineLimits, SchemeAndPortMakeAnotherOrigin) {
  EngineHarness h(config_with(10, 1));
  for (const char* url : {"http://a.test/", "https://a.test/", "http://a.test:81/", "http://A.test:80/x"}) {
    h.submit(url);
  }
  h.turn();
  EXPECT_EQ(h.network->attempts().size(), 3U);
  EXPECT_EQ(h.stats().waiting, 1U);
}

TEST(EngineLimits, TheLimitOfAnOriginMayBeAboveTheLimit) {
  EngineHarness h(config_with(2, 5));
  for (int i = 0; i < 5; ++i) h.submit();
  h.turn();
  EXPECT_EQ(h.network->attempts().size(), 2U);
}

TEST(EngineLimits, WithoutALimitTheLimitOfAnOriginStands) {
  EngineHarness h(config_with(0, 3));
  for (int i = 0; i < 500; ++i) h.submit(origin(i % 100));
  for (size_t started = 0; started < 300; started += Admission::kPermitsInATurn) h.turn();
  EXPECT_EQ(h.network->attempts().size(), 300U);
}

TEST(EngineLimits, WithoutAnyLimitTheDescriptorBudgetBounds) {
  EngineHarness h(config_with(0), 20);
  for (int i = 0; i < 50; ++i) h.submit(origin(i % 3));
  h.turn();
  EXPECT_EQ(h.network->attempts().size(), 20U);
  while (!h.live().empty()) {
    ASSERT_FALSE(h.network->attempts().empty());
    for (FakeAttempt* attempt : h.network->attempts()) h.network->answer(*attempt);
    h.turn();
    h.network->close_retired();
    h.turn();
  }
  EXPECT_EQ(h.stats().succeeded, 50U);
}

TEST(EngineLimits, BoundsTheSocketsThatConnect) {
  SessionConfig config = config_with(10);
  config.max_connecting = 2;
  EngineHarness h(config);
  hc_id first = h.submit(origin(1));
  for (int i = 2; i <= 5; ++i) h.submit(origin(i));
  h.turn();
  EXPECT_EQ(h.network->attempts().size(), 2U);
  h.network->ready(h.attempt(first));
  h.turn();
  EXPECT_EQ(h.network->attempts().size(), 3U);
  h.network->fail(*h.network->attempts()[1], refused());
  h.turn();
  EXPECT_EQ(h.network->attempts().size(), 3U);
}

TEST(EngineLimits, AnIdleConnectionIsReusedWhileOthersConnect) {
  SessionConfig config = config_with(10);
  config.max_connecting = 1;
  EngineHarness h(config);
  h.fetch(origin(1));
  h.start(origin(2));
  hc_id waits = h.start(origin(3));
  EXPECT_EQ(h.phase(waits), HC_PHASE_WAITING);
  hc_id rides = h.start(origin(1));
  EXPECT_TRUE(h.attempt(rides).rides_idle());
}

TEST(EngineLimits, RetiresTheOldestIdleConnectionOfAnotherOrigin) {
  EngineHarness h(config_with(3));
  for (int i = 1; i <= 3; ++i) {
    h.fetch(origin(i));
    h.advance(kSecond);
  }
  h.start(origin(4));
  std::vector<Connection*> retired = h.network->connections(Connection::State::kRetired);
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0]->origin().host(), "o1.test");
  EXPECT_EQ(h.stats().sockets_retired, 1U);
  EXPECT_EQ(h.engine->ledger().live(), 3U) << "from then on it does not count";
}

TEST(EngineLimits, DoesNotRetireAConnectionThatWasPromised) {
  EngineHarness h(config_with(1));
  h.fetch(origin(1));
  hc_id rides = h.submit(origin(1));
  hc_id other = h.submit(origin(2));
  h.turn();
  EXPECT_TRUE(h.attempt(rides).rides_idle());
  EXPECT_EQ(h.phase(other), HC_PHASE_WAITING);
  EXPECT_EQ(h.stats().sockets_retired, 0U);
}

TEST(EngineLimits, AnOriginAtItsLimitRetiresNobodyElse) {
  EngineHarness h(config_with(10, 1));
  h.fetch(origin(2));
  h.start(origin(1));
  hc_id waits = h.start(origin(1));
  EXPECT_EQ(h.phase(waits), HC_PHASE_WAITING);
  EXPECT_EQ(h.idle(), 1U);
}

TEST(EngineLimits, WaitersSpreadOverManyOriginsAllGetTheirTurn) {
  EngineHarness h(config_with(5, 2));
  for (int i = 0; i < 1000; ++i) h.submit(origin(i * 7 % 40));
  h.turn();
  while (!h.live().empty()) {
    ASSERT_FALSE(h.network->attempts().empty()) << h.stats().waiting << " wait for nothing";
    h.network->answer(*h.network->attempts().front());
    h.network->close_retired();
    h.turn();
  }
  EXPECT_EQ(h.stats().succeeded, 1000U);
}

}  // namespace
}  // namespace hc
