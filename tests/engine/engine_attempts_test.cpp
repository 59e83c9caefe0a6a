// What a response tells about the connections that its request tried.
#include <gmock/gmock.h>

#include "engine_harness.h"

namespace hc {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kNsPerMs = kMillisecond;

TEST(EngineAttempts, TheUsualOneCostsNoRecord) {
  EngineHarness h;
  hc_id id = h.fetch();
  const Response& response = *h.outcome(id).response;
  EXPECT_THAT(response.attempt_records, IsEmpty());
  EXPECT_EQ(response.attempts, 1U);
  AttemptRecord only = response.last_attempt();
  EXPECT_TRUE(only.status.is_ok());
  EXPECT_EQ(only.address, "192.0.2.1");
  EXPECT_EQ(only.port, 80);
  EXPECT_EQ(only.connection, 1U);
  EXPECT_EQ(only.timing.started_ns, 0U);
  EXPECT_NE(only.timing.done_ns, HC_UNSET);
}

TEST(EngineAttempts, EachAddressOfARaceWithItsTimesAndItsEnd) {
  EngineHarness h;
  hc_id id = h.start(Order{.addresses = {"192.0.2.1", "192.0.2.2", "192.0.2.3"}});
  h.advance(100 * kMillisecond);
  h.network->fail(*h.attempts(id)[0], refused());
  h.advance(h.config.happy_eyeballs);
  h.network->answer(*h.attempts(id)[1]);
  h.turn();
  const Response& response = *h.outcome(id).response;
  ASSERT_THAT(response.attempt_records, SizeIs(3));
  EXPECT_EQ(response.attempts, 3U);

  const AttemptRecord& failed = response.attempt_records[0];
  EXPECT_EQ(failed.status.code(), HC_E_CONNECT);
  EXPECT_EQ(failed.status.message(), "connection refused");
  EXPECT_EQ(failed.address, "192.0.2.1");
  EXPECT_EQ(failed.timing.started_ns, 0U);
  EXPECT_EQ(failed.timing.done_ns, 100 * kNsPerMs);
  EXPECT_EQ(failed.timing.ready_ns, HC_UNSET);

  const AttemptRecord& beaten = response.attempt_records[1];
  EXPECT_EQ(beaten.status.code(), HC_E_CANCELLED);
  EXPECT_EQ(beaten.address, "192.0.2.2");
  EXPECT_EQ(beaten.timing.started_ns, 100 * kNsPerMs);

  const AttemptRecord& winner = response.attempt_records[2];
  EXPECT_TRUE(winner.status.is_ok());
  EXPECT_EQ(winner.address, "192.0.2.3");
  EXPECT_EQ(winner.timing.started_ns, 350 * kNsPerMs);
  EXPECT_EQ(winner.connection, response.connection);
}

TEST(EngineAttempts, AStaleConnectionAndTheFreshOneAfterIt) {
  EngineHarness h;
  h.fetch();
  hc_id id = h.start();
  h.network->ready(h.attempt(id));
  h.network->send(h.attempt(id));
  h.advance(7 * kMillisecond);
  h.network->go_stale(h.attempt(id));
  h.turn();
  h.answer(id);
  const Response& response = *h.outcome(id).response;
  ASSERT_THAT(response.attempt_records, SizeIs(2));
  const AttemptRecord& stale = response.attempt_records[0];
  EXPECT_EQ(stale.status.code(), HC_E_DISCONNECTED);
  EXPECT_TRUE(stale.reused);
  EXPECT_EQ(stale.connection, 1U);
  EXPECT_EQ(stale.timing.sent_ns, 0U);
  EXPECT_EQ(stale.timing.done_ns, 7 * kNsPerMs);
  const AttemptRecord& fresh = response.attempt_records[1];
  EXPECT_TRUE(fresh.status.is_ok());
  EXPECT_FALSE(fresh.reused);
  EXPECT_EQ(fresh.connection, 2U);
  EXPECT_EQ(fresh.timing.started_ns, 7 * kNsPerMs);
}

TEST(EngineAttempts, AnIdleConnectionThatWasDead) {
  EngineHarness h;
  h.fetch();
  h.network->poison(*h.network->connections(Connection::State::kIdle)[0]);
  hc_id id = h.start();
  h.network->ready(h.attempt(id));
  h.turn();
  h.answer(id);
  const Response& response = *h.outcome(id).response;
  ASSERT_THAT(response.attempt_records, SizeIs(2));
  EXPECT_EQ(response.attempt_records[0].status.code(), HC_E_STALE);
  EXPECT_EQ(response.attempt_records[0].connection, 0U);
  EXPECT_EQ(response.attempt_records[0].address, "");
  EXPECT_TRUE(response.attempt_records[1].status.is_ok());
}

TEST(EngineAttempts, WhatRunsWhenTheRequestEndsEndsWithIt) {
  EngineHarness h;
  hc_id id = h.start(Order{.addresses = {"192.0.2.1", "192.0.2.2"}});
  h.advance(h.config.happy_eyeballs);
  h.engine->cancel(id);
  h.turn();
  const Response& response = *h.outcome(id).response;
  ASSERT_THAT(response.attempt_records, SizeIs(2));
  for (const AttemptRecord& record : response.attempt_records) {
    EXPECT_EQ(record.status.code(), HC_E_CANCELLED);
    EXPECT_EQ(record.timing.done_ns, 250 * kNsPerMs);
  }
}

TEST(EngineAttempts, ASocketThatCouldNotBeMade) {
  EngineHarness h;
  h.network->refuse_sockets(Status(HC_E_CALLBACK, "on_socket refused"), 1);
  hc_id id = h.start();
  EXPECT_EQ(h.code(id), HC_E_CALLBACK);
  const Response& response = *h.outcome(id).response;
  EXPECT_EQ(response.attempts, 1U);
  ASSERT_THAT(response.attempt_records, SizeIs(1));
  EXPECT_EQ(response.attempt_records[0].status.code(), HC_E_CALLBACK);
  EXPECT_EQ(response.attempt_records[0].connection, 0U);
  EXPECT_EQ(response.attempt_records[0].address, "192.0.2.1");
}

TEST(EngineAttempts, NoneForWhoNeverLeftTheLine) {
  SessionConfig config = quiet_config();
  config.limit = 1;
  EngineHarness h(config);
  h.start();
  hc_id id = h.start();
  h.engine->cancel(id);
  h.turn();
  EXPECT_EQ(h.outcome(id).response->attempts, 0U);
  EXPECT_THAT(h.outcome(id).response->attempt_records, IsEmpty());
}

}  // namespace
}  // namespace hc
