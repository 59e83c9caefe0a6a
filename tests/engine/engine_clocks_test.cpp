#include "engine_harness.h"
#include "support/sanitizer.h"

namespace hc {
namespace {

constexpr uint64_t kMs = 1000;
constexpr Duration kLength = kSecond;

using Field = uint64_t hc_timeouts::*;

Order with_clock(Field field, uint64_t ms = kMs) {
  Order order{.addresses = {}};
  order.timeouts.*field = ms;
  return order;
}

// Steps into a phase, each from the one before.
hc_id in_line(EngineHarness& h, const Order& order) { return h.start(order); }
hc_id resolving(EngineHarness& h, const Order& order) { return h.start(order); }
hc_id connecting(EngineHarness& h, const Order& order) {
  hc_id id = resolving(h, order);
  h.resolver.answer("a.test", {"192.0.2.1"});
  h.turn();
  return id;
}
hc_id sending(EngineHarness& h, const Order& order) {
  hc_id id = connecting(h, order);
  h.network->ready(h.attempt(id));
  h.turn();
  return id;
}
hc_id awaiting(EngineHarness& h, const Order& order) {
  hc_id id = sending(h, order);
  h.network->send(h.attempt(id));
  h.turn();
  return id;
}
hc_id receiving(EngineHarness& h, const Order& order) {
  hc_id id = awaiting(h, order);
  h.network->receive_head(h.attempt(id));
  h.turn();
  return id;
}

struct ClockCase {
  const char* name;
  Field field;
  hc_id (*step_into)(EngineHarness&, const Order&);
  Phase phase;
  hc_status code;  // HC_OK: the clock does not run here
};

void PrintTo(const ClockCase& c, std::ostream* out) { *out << c.name << " while " << phase_name(c.phase); }

class EngineClock : public testing::TestWithParam<ClockCase> {
 protected:
  // In line needs somebody who has the only slot.
  static SessionConfig config() {
    SessionConfig config = quiet_config();
    config.limit = 1;
    return config;
  }
};

TEST_P(EngineClock, NeverEarlyAndAtMostOneTurnLate) {
  const ClockCase& c = GetParam();
  EngineHarness h(config());
  if (c.phase == HC_PHASE_WAITING) h.start("http://b.test/");
  hc_id id = c.step_into(h, with_clock(c.field));
  ASSERT_EQ(h.phase(id), c.phase);
  h.pass(kLength - 1);
  EXPECT_FALSE(h.is_done(id)) << "early";
  h.pass(1);
  if (c.code == HC_OK) {
    EXPECT_FALSE(h.is_done(id)) << "this clock does not run in this phase";
    return;
  }
  ASSERT_EQ(h.code(id), c.code);
  EXPECT_EQ(h.outcome(id).phase(), c.phase);
  EXPECT_EQ(h.outcome(id).response->status().phase_ns(), static_cast<uint64_t>(kLength));
  EXPECT_NE(h.outcome(id).message().find(phase_name(c.phase)), std::string::npos) << h.outcome(id).message();
  EXPECT_NE(h.outcome(id).message().find("1.000 s"), std::string::npos) << h.outcome(id).message();
  EXPECT_EQ(h.engine->ledger().promised(), 0U);
  EXPECT_TRUE(h.attempts(id).empty());
}

#define HC_CLOCK_CASE(clock, step, phase, code) \
  ClockCase { #clock, &hc_timeouts::clock##_ms, step, phase, code }
INSTANTIATE_TEST_SUITE_P(
    EveryClockInEveryPhase, EngineClock,
    testing::Values(HC_CLOCK_CASE(total, in_line, HC_PHASE_WAITING, HC_E_TIMEOUT_TOTAL),
                    HC_CLOCK_CASE(total, resolving, HC_PHASE_RESOLVING, HC_E_TIMEOUT_TOTAL),
                    HC_CLOCK_CASE(total, connecting, HC_PHASE_CONNECTING, HC_E_TIMEOUT_TOTAL),
                    HC_CLOCK_CASE(total, sending, HC_PHASE_SENDING, HC_E_TIMEOUT_TOTAL),
                    HC_CLOCK_CASE(total, awaiting, HC_PHASE_AWAITING, HC_E_TIMEOUT_TOTAL),
                    HC_CLOCK_CASE(total, receiving, HC_PHASE_RECEIVING, HC_E_TIMEOUT_TOTAL),
                    HC_CLOCK_CASE(pool, in_line, HC_PHASE_WAITING, HC_E_TIMEOUT_POOL),
                    HC_CLOCK_CASE(pool, resolving, HC_PHASE_RESOLVING, HC_OK),
                    HC_CLOCK_CASE(pool, connecting, HC_PHASE_CONNECTING, HC_OK),
                    HC_CLOCK_CASE(pool, sending, HC_PHASE_SENDING, HC_OK),
                    HC_CLOCK_CASE(dns, in_line, HC_PHASE_WAITING, HC_OK),
                    HC_CLOCK_CASE(dns, resolving, HC_PHASE_RESOLVING, HC_E_TIMEOUT_DNS),
                    HC_CLOCK_CASE(dns, connecting, HC_PHASE_CONNECTING, HC_OK),
                    HC_CLOCK_CASE(connect, in_line, HC_PHASE_WAITING, HC_E_TIMEOUT_CONNECT),
                    HC_CLOCK_CASE(connect, resolving, HC_PHASE_RESOLVING, HC_E_TIMEOUT_CONNECT),
                    HC_CLOCK_CASE(connect, connecting, HC_PHASE_CONNECTING, HC_E_TIMEOUT_CONNECT),
                    HC_CLOCK_CASE(connect, sending, HC_PHASE_SENDING, HC_OK),
                    HC_CLOCK_CASE(sock_connect, in_line, HC_PHASE_WAITING, HC_OK),
                    HC_CLOCK_CASE(sock_connect, resolving, HC_PHASE_RESOLVING, HC_OK),
                    HC_CLOCK_CASE(sock_connect, connecting, HC_PHASE_CONNECTING, HC_E_TIMEOUT_SOCK_CONNECT),
                    HC_CLOCK_CASE(sock_connect, sending, HC_PHASE_SENDING, HC_OK),
                    HC_CLOCK_CASE(sock_write, connecting, HC_PHASE_CONNECTING, HC_OK),
                    HC_CLOCK_CASE(sock_write, sending, HC_PHASE_SENDING, HC_E_TIMEOUT_SOCK_WRITE),
                    HC_CLOCK_CASE(sock_write, awaiting, HC_PHASE_AWAITING, HC_OK),
                    HC_CLOCK_CASE(sock_read, sending, HC_PHASE_SENDING, HC_OK),
                    HC_CLOCK_CASE(sock_read, awaiting, HC_PHASE_AWAITING, HC_E_TIMEOUT_SOCK_READ),
                    HC_CLOCK_CASE(sock_read, receiving, HC_PHASE_RECEIVING, HC_E_TIMEOUT_SOCK_READ),
                    HC_CLOCK_CASE(first_byte, sending, HC_PHASE_SENDING, HC_OK),
                    HC_CLOCK_CASE(first_byte, awaiting, HC_PHASE_AWAITING, HC_E_TIMEOUT_FIRST_BYTE),
                    HC_CLOCK_CASE(first_byte, receiving, HC_PHASE_RECEIVING, HC_OK)),
    [](const testing::TestParamInfo<ClockCase>& test) {
      return std::string(test.param.name) + "_" + phase_name(test.param.phase);
    });
#undef HC_CLOCK_CASE

TEST(EngineClocks, TheShortestOfAllWins) {
  EngineHarness h;
  Order order{.addresses = {}};
  order.timeouts = {8000, 1000, 2000, 7000, 3000, 5000, 4000, 6000};
  hc_id dns = resolving(h, order);
  h.pass(2 * kSecond);
  EXPECT_EQ(h.code(dns), HC_E_TIMEOUT_DNS);
  hc_id sock_connect = h.start(Order{.timeouts = order.timeouts});
  h.pass(3 * kSecond);
  EXPECT_EQ(h.code(sock_connect), HC_E_TIMEOUT_SOCK_CONNECT);
  hc_id total = h.start(Order{.timeouts = order.timeouts});
  h.pass(2 * kSecond);
  h.network->ready(h.attempt(total));
  h.pass(3 * kSecond);
  h.network->send(h.attempt(total));
  h.pass(3 * kSecond - 1);
  EXPECT_FALSE(h.is_done(total));
  h.pass(1);
  EXPECT_EQ(h.code(total), HC_E_TIMEOUT_TOTAL);
}

TEST(EngineClocks, ARequestsClocksOverrideTheSessionsOneByOne) {
  SessionConfig config = quiet_config();
  config.timeouts.total_ms = 1000;
  config.timeouts.dns_ms = 500;
  EngineHarness h(config);
  Order off = with_clock(&hc_timeouts::total_ms, 0);
  Order longer = with_clock(&hc_timeouts::dns_ms, HC_FOREVER);
  hc_id id_off = h.start(off);
  hc_id id_longer = h.start(longer);
  h.pass(500 * kMillisecond);
  EXPECT_EQ(h.code(id_off), HC_E_TIMEOUT_DNS);
  h.pass(500 * kMillisecond);
  EXPECT_EQ(h.code(id_longer), HC_E_TIMEOUT_TOTAL);
}

TEST(EngineClocks, PoolMeetsOnlyThoseInLine) {
  SessionConfig config = quiet_config();
  config.limit = 1;
  config.timeouts.pool_ms = 1000;
  EngineHarness h(config);
  hc_id running = h.start();
  hc_id waiting = h.start();
  h.pass(kSecond);
  EXPECT_FALSE(h.is_done(running));
  EXPECT_EQ(h.code(waiting), HC_E_TIMEOUT_POOL);
  EXPECT_EQ(h.stats().waiting, 0U);
}

TEST(EngineClocks, ConnectIsNotCountedOnReuse) {
  EngineHarness h;
  h.fetch();
  hc_id id = h.start(with_clock(&hc_timeouts::connect_ms));
  ASSERT_TRUE(h.attempt(id).rides_idle());
  h.network->ready(h.attempt(id));
  h.pass(10 * kSecond);
  EXPECT_FALSE(h.is_done(id));
}

TEST(EngineClocks, ConnectRunsAgainWhenTheIdleConnectionWasDead) {
  EngineHarness h;
  h.fetch();
  h.network->poison(*h.network->connections(Connection::State::kIdle)[0]);
  Order order = with_clock(&hc_timeouts::connect_ms);
  hc_id id = h.start(order);
  h.pass(600 * kMillisecond);
  h.network->ready(h.attempt(id));
  h.turn();
  EXPECT_EQ(h.phase(id), HC_PHASE_RESOLVING);
  h.pass(kLength - 1);
  EXPECT_FALSE(h.is_done(id));
  h.pass(1);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_CONNECT);
}

TEST(EngineClocks, SockConnectRunsOverAllAddressesTogether) {
  EngineHarness h;
  Order order;
  order.addresses = {"192.0.2.1", "192.0.2.2", "192.0.2.3"};
  order.timeouts.sock_connect_ms = 1000;
  hc_id id = h.start(order);
  h.pass(900 * kMillisecond);
  h.network->fail(*h.attempts(id)[0], refused());
  h.pass(100 * kMillisecond - 1);
  EXPECT_FALSE(h.is_done(id));
  h.pass(1);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_SOCK_CONNECT);
}

TEST(EngineClocks, ActivityPutsSilenceOff) {
  EngineHarness h;
  hc_id id = receiving(h, with_clock(&hc_timeouts::sock_read_ms));
  for (int i = 0; i < 10; ++i) {
    h.pass(kLength - 1);
    ASSERT_FALSE(h.is_done(id)) << i;
    h.network->touch(h.attempt(id));
  }
  h.pass(kLength - 1);
  EXPECT_FALSE(h.is_done(id));
  h.pass(1);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_SOCK_READ);
}

TEST(EngineClocks, SilenceCountsFromTheLastEventNotFromTheLastLook) {
  EngineHarness h;
  hc_id id = receiving(h, with_clock(&hc_timeouts::sock_read_ms));
  h.pass(300 * kMillisecond);
  h.network->receive_body(h.attempt(id), "x");
  h.pass(kLength - 1);
  EXPECT_FALSE(h.is_done(id));
  h.pass(1);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_SOCK_READ);
}

TEST(EngineClocks, ProgressOfTheUploadPutsSockWriteOff) {
  EngineHarness h;
  Order order{.method = "POST", .body = std::string(100, 'x')};
  order.timeouts.sock_write_ms = 1000;
  hc_id id = h.start(order);
  h.network->ready(h.attempt(id));
  for (int i = 0; i < 5; ++i) {
    h.pass(700 * kMillisecond);
    ASSERT_FALSE(h.is_done(id));
    h.network->upload(h.attempt(id), 10);
  }
  h.pass(kLength - 1);
  EXPECT_FALSE(h.is_done(id));
  h.pass(1);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_SOCK_WRITE);
}

TEST(EngineClocks, WhatTheServerSaysMeanwhileIsNoProgressOfTheUpload) {
  EngineHarness h;
  Order order{.method = "POST", .body = std::string(100, 'x')};
  order.timeouts.sock_write_ms = 1000;
  hc_id id = h.start(order);
  h.network->ready(h.attempt(id));
  h.pass(500 * kMillisecond);
  h.network->touch(h.attempt(id));
  h.pass(500 * kMillisecond - 1);
  EXPECT_FALSE(h.is_done(id));
  h.pass(1);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_SOCK_WRITE);
}

TEST(EngineClocks, EventsBeforeTheEndOfTheUploadAreNoExcuseAfterIt) {
  EngineHarness h;
  hc_id id = sending(h, with_clock(&hc_timeouts::sock_read_ms));
  h.network->touch(h.attempt(id));
  h.pass(500 * kMillisecond);
  h.network->send(h.attempt(id));
  h.pass(kLength - 1);
  EXPECT_FALSE(h.is_done(id));
  h.pass(1);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_SOCK_READ);
}

TEST(EngineClocks, AnAnswerInTimeStopsThemAll) {
  SessionConfig config = quiet_config();
  config.timeouts = {kMs, kMs, kMs, kMs, kMs, kMs, kMs, kMs};
  EngineHarness h(config);
  hc_id id = h.fetch();
  h.pass(10 * kSecond);
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_EQ(h.outcomes.size(), 1U);
}

TEST(EngineClocks, TimeIsCountedFromTheSubmitNotFromTheFirstTurn) {
  EngineHarness h;
  hc_id id = h.submit(with_clock(&hc_timeouts::total_ms));
  h.advance(kLength);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_TOTAL);
}

TEST(EngineClocks, ATurnThatComesLateEndsEachWithItsOwnClock) {
  EngineHarness h;
  Order dns = with_clock(&hc_timeouts::dns_ms, 300);
  dns.timeouts.total_ms = 500;
  hc_id first = h.start(dns);
  hc_id second = h.start(with_clock(&hc_timeouts::total_ms, 500));
  h.advance(5 * kSecond);
  EXPECT_EQ(h.code(first), HC_E_TIMEOUT_DNS);
  EXPECT_EQ(h.code(second), HC_E_TIMEOUT_TOTAL);
}

TEST(EngineClocks, ATimeoutFreesItsSlotInTheSameTurn) {
  SessionConfig config = quiet_config();
  config.limit = 1;
  EngineHarness h(config);
  hc_id slow = h.start(with_clock(&hc_timeouts::total_ms));
  hc_id next = h.start("http://b.test/");
  h.pass(kLength);
  EXPECT_EQ(h.code(slow), HC_E_TIMEOUT_TOTAL);
  EXPECT_EQ(h.phase(next), HC_PHASE_CONNECTING);
}

TEST(EngineClocks, WaitingForANameOthersAskedForHasItsOwnClock) {
  EngineHarness h;
  hc_id first = h.start(with_clock(&hc_timeouts::dns_ms, 1000));
  h.pass(600 * kMillisecond);
  hc_id second = h.start(with_clock(&hc_timeouts::dns_ms, 1000));
  h.pass(400 * kMillisecond);
  EXPECT_EQ(h.code(first), HC_E_TIMEOUT_DNS);
  EXPECT_FALSE(h.is_done(second)) << "another's timeout fails nobody else";
  h.resolver.answer("a.test", {"192.0.2.1"});
  h.turn();
  h.answer(second);
  EXPECT_EQ(h.code(second), HC_OK);
}

TEST(EngineClocks, AHundredThousandRunAtOneTime) {
  // A tenth under ThreadSanitizer: the whole takes 10 s of CPU and 0.9 GB there.
  SessionConfig config = quiet_config();
  config.limit = 1;
  EngineHarness h(config);
  constexpr int kRequests = test::kThreadSanitizer ? 10'000 : 100'000;
  std::vector<hc_id> ids;
  Order order;
  for (int i = 0; i < kRequests; ++i) {
    order.timeouts.total_ms = static_cast<uint64_t>(1000 + (i * 7919) % 1000);
    ids.push_back(h.submit(order));
  }
  h.turn();
  h.pass(kSecond - 1);
  EXPECT_EQ(h.outcomes.size(), 0U);
  h.pass(kSecond);
  ASSERT_EQ(h.outcomes.size(), static_cast<size_t>(kRequests));
  for (int i = 0; i < kRequests; ++i) {
    const hc_timing& timing = h.outcome(ids[static_cast<size_t>(i)]).response->timing;
    ASSERT_EQ(timing.done_ns,
              static_cast<uint64_t>(from_ms(static_cast<uint64_t>(1000 + (i * 7919) % 1000))));
  }
}

}  // namespace
}  // namespace hc
