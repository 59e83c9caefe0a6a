#include "engine_harness.h"

namespace hc {
namespace {

/// A request that rides an idle connection and has been sent.
hc_id send_over_idle(EngineHarness& h, const Order& order) {
  h.fetch(order.url);
  hc_id id = h.start(order);
  h.network->ready(h.attempt(id));
  h.network->send(h.attempt(id));
  return id;
}

class EngineStaleByMethod : public testing::TestWithParam<const char*> {};

using EngineStaleIdempotent = EngineStaleByMethod;
TEST_P(EngineStaleIdempotent, IsSentOnceMoreOnAFreshConnection) {
  EngineHarness h;
  hc_id id = send_over_idle(h, Order{.method = GetParam()});
  h.network->go_stale(h.attempt(id));
  h.turn();
  EXPECT_FALSE(h.attempt(id).rides_idle());
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_EQ(h.outcome(id).response->attempts, 2U);
  EXPECT_EQ(h.stats().stale_retries, 1U);
}
INSTANTIATE_TEST_SUITE_P(Methods, EngineStaleIdempotent,
                         testing::Values("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"));

using EngineStaleOther = EngineStaleByMethod;
TEST_P(EngineStaleOther, IsNotSentTwice) {
  EngineHarness h;
  hc_id id = send_over_idle(h, Order{.method = GetParam()});
  h.network->go_stale(h.attempt(id));
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_STALE);
  EXPECT_NE(h.outcome(id).message().find("not sent again"), std::string::npos) << h.outcome(id).message();
  EXPECT_NE(h.outcome(id).message().find("reset by peer"), std::string::npos) << h.outcome(id).message();
  EXPECT_EQ(h.stats().stale_retries, 0U);
}
INSTANTIATE_TEST_SUITE_P(Methods, EngineStaleOther, testing::Values("POST", "PATCH", "get", "PURGE"));

TEST(EngineStale, ItsRetryCanBeTurnedOff) {
  EngineHarness h;
  hc_id id = send_over_idle(h, Order{.retry_stale = HC_OFF});
  h.network->go_stale(h.attempt(id));
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_STALE);
}

TEST(EngineStale, TheRetryPrefersAFreshConnectionToAnotherIdleOne) {
  EngineHarness h;
  hc_id first = h.submit();
  hc_id second = h.submit();
  h.turn();
  h.answer(first);
  h.answer(second);
  hc_id id = h.start();
  h.network->ready(h.attempt(id));
  h.network->go_stale(h.attempt(id));
  h.turn();
  EXPECT_EQ(h.idle(), 1U);
  EXPECT_FALSE(h.attempt(id).rides_idle());
}

TEST(EngineStale, AtTheLimitAnIdleConnectionMakesRoomForTheRetry) {
  SessionConfig config = quiet_config();
  config.limit = 2;
  config.limit_per_host = 2;
  EngineHarness h(config);
  hc_id first = h.submit();
  hc_id second = h.submit();
  h.turn();
  h.answer(first);
  h.answer(second);
  hc_id stale = h.submit();
  hc_id running = h.submit();
  h.turn();
  h.network->ready(h.attempt(stale));
  h.network->ready(h.attempt(running));
  h.network->go_stale(h.attempt(stale));
  h.answer(running);
  EXPECT_EQ(h.phase(stale), HC_PHASE_CONNECTING);
  EXPECT_FALSE(h.attempt(stale).rides_idle());
}

TEST(EngineStale, TheRetryGoesBeforeThoseWhoCameLater) {
  SessionConfig config = quiet_config();
  config.limit = 1;
  EngineHarness h(config);
  hc_id id = send_over_idle(h, Order{});
  hc_id later = h.start();
  h.network->go_stale(h.attempt(id));
  h.turn();
  EXPECT_EQ(h.phase(id), HC_PHASE_CONNECTING);
  EXPECT_EQ(h.phase(later), HC_PHASE_WAITING);
}

TEST(EngineStale, AFreshConnectionThatDiesIsAnError) {
  EngineHarness h;
  hc_id id = send_over_idle(h, Order{});
  h.network->go_stale(h.attempt(id));
  h.turn();
  h.network->ready(h.attempt(id));
  h.network->send(h.attempt(id));
  h.network->fail(h.attempt(id), Status(HC_E_DISCONNECTED, "reset"));
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_DISCONNECTED);
  EXPECT_EQ(h.outcome(id).response->attempts, 2U);
}

TEST(EngineStale, TimesOfTheDeadAttemptAreForgotten) {
  EngineHarness h;
  hc_id id = send_over_idle(h, Order{});
  h.advance(kSecond);
  h.network->go_stale(h.attempt(id));
  h.advance(kSecond);
  h.network->fail(h.attempt(id), refused());
  h.turn();
  const hc_timing& timing = h.outcome(id).response->timing;
  EXPECT_EQ(timing.started_ns, static_cast<uint64_t>(2 * kSecond));
  EXPECT_EQ(timing.ready_ns, HC_UNSET) << "of several attempts the last one counts";
  EXPECT_EQ(timing.sent_ns, HC_UNSET);
}

TEST(EngineStale, CancelDuringTheRetryIsOneCompletion) {
  EngineHarness h;
  hc_id id = send_over_idle(h, Order{});
  h.network->go_stale(h.attempt(id));
  h.engine->cancel(id);
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_CANCELLED);
  EXPECT_EQ(h.engine->ledger().live(), 0U);
}

TEST(EngineStale, TheTotalClockRunsOverTheRetry) {
  EngineHarness h;
  Order order;
  order.timeouts.total_ms = 3000;
  hc_id id = send_over_idle(h, order);
  h.pass(2 * kSecond);
  h.network->go_stale(h.attempt(id));
  h.pass(kSecond - 1);
  EXPECT_FALSE(h.is_done(id));
  h.pass(1);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_TOTAL);
}

}  // namespace
}  // namespace hc
