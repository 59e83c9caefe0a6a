#include "engine_harness.h"

namespace hc {
namespace {

constexpr Duration kHeadStart = 250 * kMillisecond;

const std::vector<std::string> kThree = {"192.0.2.1", "192.0.2.2", "192.0.2.3"};

Order to(std::vector<std::string> addresses) {
  Order order;
  order.addresses = std::move(addresses);
  return order;
}

// All of it in one go, as libcurl reads it.
void redirect_by(EngineHarness& h, FakeAttempt& attempt) {
  h.network->ready(attempt);
  h.network->receive_head(attempt, "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n");
  h.network->finish(attempt);
}

TEST(EngineRace, TheNextAddressStartsAfterTheHeadStart) {
  EngineHarness h;
  hc_id id = h.start(to(kThree));
  EXPECT_EQ(h.network->dialled.size(), 1U);
  h.pass(kHeadStart - 1);
  EXPECT_EQ(h.network->dialled.size(), 1U);
  h.pass(1);
  EXPECT_EQ(h.network->dialled.size(), 2U);
  h.pass(kHeadStart - 1);
  EXPECT_EQ(h.network->dialled.size(), 2U);
  h.pass(1);
  EXPECT_EQ(h.network->dialled, kThree);
  h.pass(10 * kSecond);
  EXPECT_EQ(h.attempts(id).size(), 3U);
}

TEST(EngineRace, AFailureStartsTheNextAtOnce) {
  EngineHarness h;
  hc_id id = h.start(to(kThree));
  h.network->fail(h.attempt(id), refused());
  EXPECT_EQ(h.network->dialled.size(), 2U);
  h.network->fail(h.attempt(id), refused());
  EXPECT_EQ(h.network->dialled, kThree);
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_EQ(h.outcome(id).response->remote_address(), "192.0.2.3");
  EXPECT_EQ(h.outcome(id).response->attempts, 3U);
}

TEST(EngineRace, AfterAFailureTheNextOneHasItsOwnHeadStart) {
  EngineHarness h;
  hc_id id = h.start(to(kThree));
  h.pass(100 * kMillisecond);
  h.network->fail(h.attempt(id), refused());
  h.pass(kHeadStart - 1);
  EXPECT_EQ(h.network->dialled.size(), 2U);
  h.pass(1);
  EXPECT_EQ(h.network->dialled.size(), 3U);
}

TEST(EngineRace, TheFirstReadyWinsAndTheOthersEnd) {
  EngineHarness h;
  hc_id id = h.start(to(kThree));
  h.pass(2 * kHeadStart);
  std::vector<FakeAttempt*> racing = h.attempts(id);
  ASSERT_EQ(racing.size(), 3U);
  EXPECT_TRUE(h.network->ready(*racing[1]));
  EXPECT_EQ(h.attempts(id).size(), 3U) << "nothing may be ended inside the callback";
  h.turn();
  EXPECT_EQ(h.network->aborted, 2U);
  EXPECT_EQ(h.engine->ledger().live(), 1U);
  h.network->receive_head(h.attempt(id));
  h.network->finish(h.attempt(id));
  h.turn();
  EXPECT_EQ(h.outcome(id).response->remote_address(), "192.0.2.2");
  EXPECT_EQ(h.stats().succeeded, 1U);
  EXPECT_EQ(h.stats().connect_failures, 2U);
}

TEST(EngineRace, ASecondThatIsReadyInTheSameTurnIsStopped) {
  EngineHarness h;
  hc_id id = h.start(to({"192.0.2.1", "192.0.2.2"}));
  h.pass(kHeadStart);
  std::vector<FakeAttempt*> racing = h.attempts(id);
  EXPECT_TRUE(h.network->ready(*racing[0]));
  EXPECT_FALSE(h.network->ready(*racing[1]));
  h.turn();
  h.network->receive_head(h.attempt(id));
  h.network->finish(h.attempt(id));
  h.turn();
  EXPECT_EQ(h.outcome(id).response->remote_address(), "192.0.2.1");
}

TEST(EngineRace, ALoserThatFailsAfterTheEndOfTheRaceIsNoMatter) {
  EngineHarness h;
  hc_id id = h.start(to(kThree));
  h.pass(kHeadStart);
  std::vector<FakeAttempt*> racing = h.attempts(id);
  h.network->ready(*racing[0]);
  h.network->fail(*racing[1], refused());
  EXPECT_EQ(h.network->dialled.size(), 2U) << "the race is over: nobody starts the third";
  h.turn();
  EXPECT_EQ(h.phase(id), HC_PHASE_SENDING);
}

TEST(EngineRace, TheWinnersFailureIsTheRequests) {
  EngineHarness h;
  hc_id id = h.start(to(kThree));
  h.network->ready(h.attempt(id));
  h.network->fail(h.attempt(id), Status(HC_E_DISCONNECTED, "reset"));
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_DISCONNECTED);
  EXPECT_EQ(h.network->dialled.size(), 1U);
}

TEST(EngineRace, ALoserInTheSameTurnAsTheWholeAnswer) {
  EngineHarness h;
  hc_id id = h.start(to(kThree));
  h.pass(kHeadStart);
  h.network->answer(*h.attempts(id)[1]);
  h.turn();
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_EQ(h.network->attempts().size(), 0U);
  EXPECT_EQ(h.idle(), 1U);
}

// A server says where to go before it was asked, and the other address is ready when libcurl looks on.
TEST(EngineRace, ALoserHasNoPartInTheNextHop) {
  EngineHarness h;
  hc_id id = h.start(to({"192.0.2.1", "192.0.2.2"}));
  h.pass(kHeadStart);
  redirect_by(h, *h.attempts(id)[0]);
  for (FakeAttempt* loser : h.attempts(id)) h.network->ready(*loser);
  h.turn();
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_EQ(h.network->aborted, 1U);
  EXPECT_EQ(h.outcome(id).response->history().size(), 1U);
  EXPECT_EQ(h.outcome(id).response->attempts, 3U);
}

TEST(EngineRace, ALoserThatIsResetDoesNotEndTheNextHop) {
  EngineHarness h;
  hc_id id = h.start(to({"192.0.2.1", "192.0.2.2"}));
  h.pass(kHeadStart);
  redirect_by(h, *h.attempts(id)[0]);
  for (FakeAttempt* loser : h.attempts(id)) h.network->fail(*loser, refused());
  h.turn();
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineRace, AddressesThatAreRefusedAtOnceTakeNoStack) {
  EngineHarness h;
  h.network->refuse_sockets(Status(HC_E_ADDRESS_DENIED, "not a public one"), 64);
  hc_id id = h.start(to(std::vector<std::string>(64, "10.0.0.1")));
  EXPECT_EQ(h.code(id), HC_E_ADDRESS_DENIED);
  EXPECT_EQ(h.network->refused, 64U);
  EXPECT_LE(h.network->refused_at.size(), 1U);
}

// The last address was refused: what runs goes on alone. It was asked for again and again, from behind their end.
void expect_no_more_addresses(EngineHarness& h, hc_id id, size_t dialled) {
  for (int turn = 0; turn < 5; ++turn) h.pass(kHeadStart);
  EXPECT_EQ(h.network->dialled.size(), dialled);
  EXPECT_EQ(h.network->refused, 1U);
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineRace, ALastAddressThatIsRefusedBesideOneThatRunsIsTheLast) {
  EngineHarness h;
  hc_id id = h.start(to({"192.0.2.1", "192.0.2.2"}));
  h.network->refuse_sockets(Status(HC_E_ADDRESS_DENIED, "not a public one"), 1);
  h.pass(kHeadStart);
  EXPECT_EQ(h.network->refused, 1U);
  expect_no_more_addresses(h, id, 1);
}

TEST(EngineRace, ALastAddressThatIsRefusedAfterAFailureIsTheLast) {
  EngineHarness h;
  hc_id id = h.start(to(kThree));
  h.pass(kHeadStart);
  h.network->refuse_sockets(Status(HC_E_ADDRESS_DENIED, "not a public one"), 1);
  h.network->fail(*h.attempts(id).front(), refused());
  expect_no_more_addresses(h, id, 2);
}

TEST(EngineRace, AllDeadIsOneClearError) {
  EngineHarness h;
  hc_id id = h.start(to(kThree));
  h.network->fail(h.attempt(id), refused());
  h.network->fail(h.attempt(id), Status(HC_E_CONNECT, "no route to host"));
  h.network->fail(h.attempt(id), Status(HC_E_CONNECT, "network is unreachable"));
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_CONNECT);
  EXPECT_EQ(h.outcome(id).message(), "connection refused (first of 3 addresses that failed)");
  EXPECT_EQ(h.outcome(id).response->status().native_domain(), HC_NATIVE_ERRNO);
  EXPECT_EQ(h.outcome(id).phase(), HC_PHASE_CONNECTING);
  EXPECT_EQ(h.outcome(id).response->connection, 0U);
}

TEST(EngineRace, ALateFailureLeavesTheOthersRunning) {
  EngineHarness h;
  hc_id id = h.start(to({"192.0.2.1", "192.0.2.2"}));
  h.pass(kHeadStart);
  h.network->fail(*h.attempts(id)[1], refused());
  EXPECT_FALSE(h.is_done(id));
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineRace, AtTheLimitAddressesAreTriedOneAfterAnother) {
  SessionConfig config = quiet_config();
  config.limit = 1;
  EngineHarness h(config);
  hc_id id = h.start(to(kThree));
  h.pass(10 * kSecond);
  EXPECT_EQ(h.attempts(id).size(), 1U);
  h.network->fail(h.attempt(id), refused());
  EXPECT_EQ(h.attempts(id).size(), 1U);
  h.network->fail(h.attempt(id), refused());
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_EQ(h.network->dialled, kThree);
  EXPECT_EQ(h.stats().sockets_peak, 1U);
}

TEST(EngineRace, ASilentAddressAtTheLimitHasItsShareOfTheTime) {
  SessionConfig config = quiet_config();
  config.limit_per_host = 1;
  EngineHarness h(config);
  Order order = to(kThree);
  order.timeouts.sock_connect_ms = 30'000;
  hc_id id = h.start(order);
  h.pass(10 * kSecond - 1);
  EXPECT_EQ(h.network->dialled.size(), 1U);
  h.pass(1);
  EXPECT_EQ(h.network->dialled.size(), 2U) << "a third of 30 s";
  h.pass(10 * kSecond - 1);
  EXPECT_EQ(h.network->dialled.size(), 2U);
  h.pass(1);
  EXPECT_EQ(h.network->dialled, kThree) << "half of what was left";
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_EQ(h.stats().sockets_peak, 1U);
  const std::vector<AttemptRecord>& records = h.outcome(id).response->attempt_records;
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].status.code(), HC_E_TIMEOUT_SOCK_CONNECT);
  EXPECT_EQ(records[1].status.code(), HC_E_TIMEOUT_SOCK_CONNECT);
}

TEST(EngineRace, TheShareIsOfTheClockThatEndsFirst) {
  SessionConfig config = quiet_config();
  config.limit = 1;
  EngineHarness h(config);
  Order order = to({"192.0.2.1", "192.0.2.2"});
  order.timeouts.sock_connect_ms = 30'000;
  order.timeouts.total_ms = 4'000;
  hc_id id = h.start(order);
  h.pass(2 * kSecond);
  EXPECT_EQ(h.network->dialled.size(), 2U);
  h.pass(2 * kSecond);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_TOTAL);
}

TEST(EngineRace, OfTwoThatRunAtTheLimitTheOlderOneGoes) {
  SessionConfig config = quiet_config();
  config.limit_per_host = 2;
  EngineHarness h(config);
  Order order = to(kThree);
  order.timeouts.sock_connect_ms = 30'000;
  hc_id id = h.start(order);
  h.pass(15 * kSecond);
  EXPECT_EQ(h.network->dialled, kThree);
  std::vector<FakeAttempt*> racing = h.attempts(id);
  ASSERT_EQ(racing.size(), 2U);
  EXPECT_EQ(racing[0]->remote().address.to_string(), "192.0.2.2");
  h.network->answer(*racing[0]);
  h.turn();
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineRace, AtTheLimitForAMomentTheNextAddressIsLate) {
  SessionConfig config = quiet_config();
  config.limit = 2;
  EngineHarness h(config);
  hc_id other = h.start(Order{.url = "http://b.test/", .force_close = HC_ON});
  hc_id id = h.start(to({"192.0.2.1", "192.0.2.2"}));
  h.pass(kHeadStart);
  EXPECT_EQ(h.attempts(id).size(), 1U);
  h.answer(other);
  h.pass(kHeadStart);
  EXPECT_EQ(h.attempts(id).size(), 2U);
}

TEST(EngineRace, WhoIsBackInLineStartsNoAddress) {
  EngineHarness h;
  hc_id other = h.start("http://b.test/");
  hc_id id = h.start(to({"192.0.2.1", "192.0.2.2"}));
  h.pass(100 * kMillisecond);
  h.config.limit = 1;  // as if somebody had been faster to take the descriptor that comes free
  h.network->fail(h.attempt(id), refused());
  EXPECT_EQ(h.phase(id), HC_PHASE_WAITING);
  h.config.limit = 0;
  h.clock.advance(kHeadStart);
  h.reactor.timers().expire(h.reactor.refresh());
  EXPECT_TRUE(h.attempts(id).empty()) << "its turn comes in the line";
  h.turn();
  h.answer(id);
  h.answer(other);
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineRace, EachAttemptCountsForTheOriginsLimit) {
  SessionConfig config = quiet_config();
  config.limit_per_host = 2;
  EngineHarness h(config);
  hc_id first = h.submit(to(kThree));
  hc_id second = h.submit(to(kThree));
  h.turn();
  h.pass(10 * kSecond);
  EXPECT_EQ(h.network->attempts().size(), 2U);
  h.answer(first);
  h.answer(second);
}

TEST(EngineRace, TheRaceHoldsToMaxConnecting) {
  SessionConfig config = quiet_config();
  config.max_connecting = 2;
  EngineHarness h(config);
  h.start(to(kThree));
  h.pass(10 * kSecond);
  EXPECT_EQ(h.network->attempts().size(), 2U);
}

TEST(EngineRace, WithoutAHeadStartAddressesAreTriedOneAfterAnother) {
  SessionConfig config = quiet_config();
  config.happy_eyeballs = 0;
  EngineHarness h(config);
  hc_id id = h.start(to(kThree));
  h.pass(60 * kSecond);
  EXPECT_EQ(h.attempts(id).size(), 1U);
  h.network->fail(h.attempt(id), refused());
  h.pass(60 * kSecond);
  EXPECT_EQ(h.attempts(id).size(), 1U);
  EXPECT_EQ(h.network->dialled.size(), 2U);
}

TEST(EngineRace, WhenTheSlotIsLostInBetweenItGoesOnLater) {
  SessionConfig config = quiet_config();
  config.limit = 1;
  EngineHarness h(config);
  hc_id id = h.submit(to({"192.0.2.1", "192.0.2.2"}));
  hc_id other = h.submit("http://b.test/");
  h.turn();
  h.network->fail(h.attempt(id), refused());
  EXPECT_EQ(h.network->dialled.size(), 2U) << "it keeps its turn";
  h.network->fail(h.attempt(id), refused());
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_CONNECT);
  h.answer(other);
}

TEST(EngineRace, CancelEndsAllOfIt) {
  EngineHarness h;
  hc_id id = h.start(to(kThree));
  h.pass(2 * kHeadStart);
  h.engine->cancel(id);
  EXPECT_EQ(h.engine->ledger().live(), 0U);
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_CANCELLED);
  EXPECT_EQ(h.network->aborted, 3U);
}

TEST(EngineRace, NoAddressStartsAfterTheEndOfTheRequest) {
  EngineHarness h;
  hc_id id = h.start(to(kThree));
  h.answer(id);
  h.pass(10 * kSecond);
  EXPECT_EQ(h.network->dialled.size(), 1U);
}

TEST(EngineRace, NameServersAddressesRaceToo) {
  EngineHarness h;
  hc_id id = h.start(to({}));
  h.resolver.answer("a.test", {"2001:db8::1", "192.0.2.1"});
  h.pass(kHeadStart);
  EXPECT_EQ(h.network->dialled, (std::vector<std::string>{"2001:db8::1", "192.0.2.1"}));
  h.network->fail(*h.attempts(id)[0], refused());
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
}

}  // namespace
}  // namespace hc
