#include <cerrno>

#include "engine_harness.h"

namespace hc {
namespace {

TEST(EngineSubmit, AnswersARequest) {
  EngineHarness h;
  hc_id id = h.start();
  ASSERT_EQ(h.phase(id), HC_PHASE_CONNECTING);
  h.answer(id, "hello");
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_EQ(h.outcome(id).body(), "hello");
  EXPECT_EQ(h.outcome(id).response->http_status(), 200);
  EXPECT_EQ(h.stats().succeeded, 1U);
  EXPECT_EQ(h.stats().bytes_received, 5U);
}

TEST(EngineSubmit, PassesThePhasesInOrder) {
  EngineHarness h;
  Order order{.addresses = {}};
  hc_id id = h.submit(order);
  EXPECT_EQ(h.phase(id), HC_PHASE_WAITING);
  h.turn();
  EXPECT_EQ(h.phase(id), HC_PHASE_RESOLVING);
  h.resolver.answer("a.test", {"192.0.2.1"});
  EXPECT_EQ(h.phase(id), HC_PHASE_CONNECTING);
  FakeAttempt& attempt = h.attempt(id);
  h.network->ready(attempt);
  EXPECT_EQ(h.phase(id), HC_PHASE_SENDING);
  h.network->send(attempt);
  EXPECT_EQ(h.phase(id), HC_PHASE_AWAITING);
  h.network->receive_head(attempt);
  EXPECT_EQ(h.phase(id), HC_PHASE_RECEIVING);
  h.network->finish(attempt);
  EXPECT_FALSE(h.is_done(id)) << "outcomes are handed out at the end of the turn";
  h.turn();
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineSubmit, WhoIsMailedWhileTheLoopWakesWasNotSubmittedInTheFuture) {
  EngineHarness h;
  h.clock.advance(kMillisecond);  // since the loop looked
  hc_id id = h.submit();
  h.engine->settle();
  h.network->answer(h.attempt(id));
  h.engine->settle();
  h.engine->deliver();
  const hc_timing& timing = h.outcome(id).response->timing;
  EXPECT_EQ(timing.started_ns, 0U);
  EXPECT_EQ(timing.done_ns, 0U);
  EXPECT_EQ(h.stats().waited_ns, 0U);
}

TEST(EngineSubmit, TellsWhenThingsHappened) {
  EngineHarness h;
  Order order{.addresses = {}};
  hc_id id = h.submit(order);
  h.advance(10 * kMillisecond);
  h.advance(10 * kMillisecond);
  h.resolver.answer("a.test", {"192.0.2.1"});
  h.advance(10 * kMillisecond);
  FakeAttempt& attempt = h.attempt(id);
  h.network->ready(attempt);
  h.advance(10 * kMillisecond);
  h.network->send(attempt);
  h.advance(10 * kMillisecond);
  h.network->receive_head(attempt);
  h.advance(10 * kMillisecond);
  h.network->finish(attempt);
  h.turn();
  const hc_timing& timing = h.outcome(id).response->timing;
  EXPECT_EQ(timing.started_ns, 10'000'000U);
  EXPECT_EQ(timing.resolved_ns, 20'000'000U);
  EXPECT_EQ(timing.connected_ns, 30'000'000U);
  EXPECT_EQ(timing.secured_ns, HC_UNSET);
  EXPECT_EQ(timing.ready_ns, 30'000'000U);
  EXPECT_EQ(timing.sent_ns, 40'000'000U);
  EXPECT_EQ(timing.first_byte_ns, 50'000'000U);
  EXPECT_EQ(timing.done_ns, 60'000'000U);
  EXPECT_EQ(h.stats().waited_ns, 10'000'000U);
}

TEST(EngineSubmit, TellsTheConnection) {
  EngineHarness h;
  hc_id first = h.fetch("http://a.test:8080/");
  hc_id second = h.fetch("http://a.test:8080/");
  const Response& fresh = *h.outcome(first).response;
  EXPECT_EQ(fresh.connection, 1U);
  EXPECT_FALSE(fresh.reused);
  EXPECT_EQ(fresh.attempts, 1U);
  EXPECT_EQ(fresh.remote_address(), "192.0.2.1");
  EXPECT_EQ(fresh.remote.port, 8080);
  const Response& reusing = *h.outcome(second).response;
  EXPECT_EQ(reusing.connection, 1U);
  EXPECT_TRUE(reusing.reused);
  EXPECT_EQ(reusing.timing.connected_ns, HC_UNSET);
  EXPECT_EQ(reusing.timing.ready_ns, 0U);
}

TEST(EngineSubmit, CompletesEachOfManyExactlyOnce) {
  EngineHarness h;
  for (int i = 0; i < 300; ++i)
    h.submit("http://" + std::string(1, static_cast<char>('a' + i % 7)) + ".test/");
  h.turn();
  h.turn();  // one does not start as many as there may be
  while (!h.live().empty()) {
    std::vector<FakeAttempt*> attempts = h.network->attempts();
    ASSERT_FALSE(attempts.empty());
    for (FakeAttempt* attempt : attempts) h.network->answer(*attempt);
    h.turn();
  }
  EXPECT_EQ(h.outcomes.size(), 300U);
  EXPECT_EQ(h.stats().succeeded, 300U);
  EXPECT_EQ(h.stats().sockets_peak, 100U);
}

TEST(EngineSubmit, FailsWhenTheConnectionDiesInTheMiddle) {
  EngineHarness h;
  hc_id id = h.start();
  h.network->ready(h.attempt(id));
  h.network->receive_head(h.attempt(id));
  h.network->fail(h.attempt(id), Status(HC_E_DISCONNECTED, "reset").with_native(HC_NATIVE_ERRNO, ECONNRESET));
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_DISCONNECTED);
  EXPECT_EQ(h.outcome(id).phase(), HC_PHASE_RECEIVING);
  EXPECT_EQ(h.outcome(id).response->status().native_code(), ECONNRESET);
  EXPECT_EQ(h.stats().failed, 1U);
}

TEST(EngineSubmit, AnErrorTellsHowLongItsPhaseHadLasted) {
  EngineHarness h;
  hc_id id = h.start();
  h.advance(3 * kSecond);
  h.network->ready(h.attempt(id));
  h.network->send(h.attempt(id));
  h.advance(2 * kSecond);
  h.network->fail(h.attempt(id), Status(HC_E_DISCONNECTED, "reset"));
  h.turn();
  EXPECT_EQ(h.outcome(id).phase(), HC_PHASE_AWAITING);
  EXPECT_EQ(h.outcome(id).response->status().phase_ns(), static_cast<uint64_t>(2 * kSecond));
}

TEST(EngineSubmit, RefusesABodyBeyondMaxBody) {
  EngineHarness h;
  hc_id id = h.start(Order{.max_body = 4});
  h.network->ready(h.attempt(id));
  h.network->receive_head(h.attempt(id));
  EXPECT_TRUE(h.network->receive_body(h.attempt(id), "1234"));
  EXPECT_FALSE(h.network->receive_body(h.attempt(id), "5"));
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_TOO_LARGE);
  EXPECT_EQ(h.outcome(id).body(), "1234") << "what arrived stays readable";
  EXPECT_EQ(h.idle(), 0U);
}

TEST(EngineSubmit, CountsWhatWasUploaded) {
  EngineHarness h;
  h.fetch(Order{.method = "POST", .body = "12345"});
  EXPECT_EQ(h.stats().bytes_sent, 5U);
  hc_id cut = h.start(Order{.method = "POST", .body = "12345"});
  h.network->ready(h.attempt(cut));
  h.network->upload(h.attempt(cut), 3);
  h.engine->cancel(cut);
  h.turn();
  EXPECT_EQ(h.stats().bytes_sent, 8U);
}

TEST(EngineSubmit, FailsWhenTheNameHasNoAddress) {
  EngineHarness h;
  hc_id id = h.start(Order{.addresses = {}});
  h.resolver.fail("a.test");
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_DNS);
  EXPECT_EQ(h.outcome(id).phase(), HC_PHASE_RESOLVING);
  EXPECT_EQ(h.engine->ledger().live(), 0U);
  EXPECT_EQ(h.stats().dns_failures, 1U);
}

TEST(EngineSubmit, AsksForANameOnlyWhenAConnectionIsNeeded) {
  EngineHarness h;
  Order order{.addresses = {}};
  hc_id id = h.start(order);
  h.resolver.answer("a.test", {"192.0.2.1"});
  h.answer(id);
  for (int i = 0; i < 5; ++i) h.fetch(order);
  EXPECT_EQ(h.resolver.asked, 1U);
  EXPECT_EQ(h.stats().dns_cache_hits, 0U);
  EXPECT_EQ(h.stats().connections_reused, 5U);
}

TEST(EngineSubmit, OneLookupServesAllThatWaitForIt) {
  EngineHarness h;
  std::vector<hc_id> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(h.submit(Order{.addresses = {}}));
  h.turn();
  h.engine->cancel(ids[0]);
  h.turn();
  EXPECT_EQ(h.resolver.asked, 1U);
  h.resolver.answer("a.test", {"192.0.2.1"});
  h.turn();
  for (size_t i = 1; i < ids.size(); ++i) EXPECT_EQ(h.phase(ids[i]), HC_PHASE_CONNECTING);
  EXPECT_EQ(h.code(ids[0]), HC_E_CANCELLED);
}

}  // namespace
}  // namespace hc
