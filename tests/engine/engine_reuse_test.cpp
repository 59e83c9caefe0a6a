#include "engine_harness.h"

namespace hc {
namespace {

TEST(EngineReuse, RidesAnIdleConnection) {
  EngineHarness h;
  h.fetch();
  EXPECT_EQ(h.idle(), 1U);
  hc_id id = h.start();
  EXPECT_TRUE(h.attempt(id).rides_idle());
  h.answer(id);
  EXPECT_EQ(h.stats().connections_made, 1U);
  EXPECT_EQ(h.stats().connections_reused, 1U);
}

TEST(EngineReuse, NeverRidesTheConnectionOfAnotherOrigin) {
  EngineHarness h;
  h.fetch("http://a.test/");
  for (const char* url : {"http://b.test/", "https://a.test/", "http://a.test:8080/"}) {
    EXPECT_FALSE(h.attempt(h.start(url)).rides_idle()) << url;
  }
}

TEST(EngineReuse, TwoRequestsNeverRideOneConnection) {
  EngineHarness h;
  h.fetch();
  hc_id first = h.submit();
  hc_id second = h.submit();
  h.turn();
  EXPECT_TRUE(h.attempt(first).rides_idle());
  EXPECT_FALSE(h.attempt(second).rides_idle());
}

TEST(EngineReuse, AnIdleConnectionIsRetiredWhenItsTimeIsOver) {
  EngineHarness h;
  h.fetch();
  h.pass(15 * kSecond - 1);
  EXPECT_EQ(h.idle(), 1U);
  h.pass(1);
  EXPECT_EQ(h.idle(), 0U);
  EXPECT_EQ(h.stats().sockets_retired, 1U);
  EXPECT_FALSE(h.attempt(h.start()).rides_idle());
}

TEST(EngineReuse, EachRequestGivesTheConnectionMoreTime) {
  EngineHarness h;
  for (int i = 0; i < 10; ++i) {
    h.fetch();
    h.pass(10 * kSecond);
  }
  EXPECT_EQ(h.stats().connections_made, 1U);
  h.pass(5 * kSecond);
  EXPECT_EQ(h.idle(), 0U);
}

TEST(EngineReuse, AServersHintShortensTheIdleTime) {
  EngineHarness h;
  hc_id id = h.start();
  h.network->ready(h.attempt(id));
  h.network->receive_head(h.attempt(id), "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\n\r\n");
  h.network->finish(h.attempt(id));
  h.turn();
  h.pass(4 * kSecond - 1);
  EXPECT_EQ(h.idle(), 1U);
  h.pass(1);
  EXPECT_EQ(h.idle(), 0U);
}

TEST(EngineReuse, AHintOfOneSecondMeansNotAtAll) {
  EngineHarness h;
  hc_id id = h.start();
  h.network->ready(h.attempt(id));
  h.network->receive_head(h.attempt(id), "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\n\r\n");
  h.network->finish(h.attempt(id));
  h.turn();
  EXPECT_EQ(h.idle(), 0U);
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineReuse, WithoutKeepAliveNothingIsReused) {
  SessionConfig config = quiet_config();
  config.keepalive_timeout = 0;
  EngineHarness h(config);
  for (int i = 0; i < 3; ++i) h.fetch();
  EXPECT_EQ(h.stats().connections_reused, 0U);
  EXPECT_EQ(h.stats().connections_made, 3U);
}

TEST(EngineReuse, AConnectionIsRetiredBetweenRequestsWhenItsLifeIsOver) {
  SessionConfig config = quiet_config();
  config.max_lifetime = 20 * kSecond;
  config.keepalive_timeout = kNever;
  EngineHarness h(config);
  h.fetch();
  hc_id running = h.start();
  h.network->ready(h.attempt(running));
  h.pass(30 * kSecond);
  EXPECT_EQ(h.phase(running), HC_PHASE_SENDING) << "never in the middle of a request";
  h.network->receive_head(h.attempt(running));
  h.network->finish(h.attempt(running));
  h.turn();
  EXPECT_EQ(h.code(running), HC_OK);
  EXPECT_EQ(h.idle(), 0U);
}

TEST(EngineReuse, AnIdleConnectionEndsWithItsLife) {
  SessionConfig config = quiet_config();
  config.max_lifetime = 20 * kSecond;
  config.keepalive_timeout = kNever;
  EngineHarness h(config);
  h.fetch();
  h.pass(18 * kSecond - 1);
  EXPECT_EQ(h.idle(), 1U);
  h.pass(4 * kSecond + 1);
  EXPECT_EQ(h.idle(), 0U);
}

TEST(EngineReuse, ADeadIdleConnectionCostsNothingButAnotherTry) {
  EngineHarness h;
  h.fetch();
  h.network->poison(*h.network->connections(Connection::State::kIdle)[0]);
  hc_id id = h.start();
  EXPECT_FALSE(h.network->ready(h.attempt(id)));
  EXPECT_EQ(h.phase(id), HC_PHASE_WAITING);
  h.turn();
  EXPECT_FALSE(h.attempt(id).rides_idle());
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_FALSE(h.outcome(id).response->reused);
  EXPECT_EQ(h.outcome(id).response->attempts, 2U);
}

TEST(EngineReuse, AfterTwoDeadIdleConnectionsItTakesANewOne) {
  EngineHarness h;
  std::vector<hc_id> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(h.submit());
  h.turn();
  for (hc_id id : ids) h.answer(id);
  for (Connection* idle : h.network->connections(Connection::State::kIdle)) h.network->poison(*idle);
  hc_id id = h.start();
  h.network->ready(h.attempt(id));
  h.turn();
  EXPECT_TRUE(h.attempt(id).rides_idle());
  h.network->ready(h.attempt(id));
  h.turn();
  EXPECT_FALSE(h.attempt(id).rides_idle());
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineReuse, WhoMetADeadConnectionKeepsItsPlaceInLine) {
  SessionConfig config = quiet_config();
  config.limit = 1;
  EngineHarness h(config);
  h.fetch();
  h.network->poison(*h.network->connections(Connection::State::kIdle)[0]);
  hc_id first = h.submit();
  hc_id second = h.submit();
  h.turn();
  h.network->ready(h.attempt(first));
  h.turn();
  EXPECT_EQ(h.phase(first), HC_PHASE_CONNECTING);
  EXPECT_EQ(h.phase(second), HC_PHASE_WAITING);
}

TEST(EngineReuse, AConnectionRetiredUnderItsRiderIsNoHarm) {
  EngineHarness h;
  h.fetch();
  hc_id id = h.start();
  ASSERT_TRUE(h.attempt(id).rides_idle());
  h.engine->ledger().retire(*h.network->connections(Connection::State::kIdle)[0], EndReason::kServer);
  EXPECT_FALSE(h.network->ready(h.attempt(id)));
  h.turn();
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_EQ(h.stats().connections_made, 2U);
}

TEST(EngineReuse, ForceCloseKeepsNothing) {
  EngineHarness h;
  h.fetch(Order{.force_close = HC_ON});
  EXPECT_EQ(h.idle(), 0U);
  EXPECT_EQ(h.stats().sockets_closed, 1U);
}

}  // namespace
}  // namespace hc
