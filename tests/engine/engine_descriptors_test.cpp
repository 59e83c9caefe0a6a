#include <cerrno>

#include "engine_harness.h"

namespace hc {
namespace {

constexpr Duration kPause = 20 * kMillisecond;

TEST(EngineDescriptors, ExhaustionIsNeverTheCallersError) {
  EngineHarness h;
  h.network->refuse_sockets(out_of_descriptors(), 3);
  hc_id id = h.start();
  EXPECT_EQ(h.phase(id), HC_PHASE_WAITING);
  h.pass(3 * kPause);
  EXPECT_EQ(h.phase(id), HC_PHASE_CONNECTING);
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_EQ(h.outcome(id).response->attempts, 1U) << "only what was given to a connection";
}

TEST(EngineDescriptors, NobodyAsksAgainBeforeThePauseIsOver) {
  EngineHarness h;
  h.network->refuse_sockets(out_of_descriptors(), 1);
  hc_id id = h.submit();
  for (int i = 0; i < 10; ++i) h.submit();
  h.turn();
  EXPECT_EQ(h.stats().waiting, 11U);
  h.pass(kPause - 1);
  EXPECT_EQ(h.stats().waiting, 11U);
  h.pass(1);
  EXPECT_EQ(h.stats().waiting, 0U);
  EXPECT_EQ(h.phase(id), HC_PHASE_CONNECTING);
}

TEST(EngineDescriptors, OneTurnAsksOnce) {
  EngineHarness h;
  h.network->refuse_sockets(out_of_descriptors(), 1000);
  for (int i = 0; i < 50; ++i) h.submit("http://o" + std::to_string(i) + ".test/");
  h.turn();
  EXPECT_EQ(h.network->refused, 1U);
  h.pass(10 * kPause);
  EXPECT_EQ(h.network->refused, 11U);
  h.network->refuse_sockets(Status::ok(), 0);
  h.pass(kPause);
  EXPECT_EQ(h.network->attempts().size(), 50U);
}

TEST(EngineDescriptors, TheRefusedOneKeepsItsPlaceInLine) {
  SessionConfig config = quiet_config();
  config.limit = 1;
  EngineHarness h(config);
  h.network->refuse_sockets(out_of_descriptors(), 1);
  hc_id first = h.submit();
  h.submit();
  h.turn();
  h.pass(kPause);
  EXPECT_EQ(h.phase(first), HC_PHASE_CONNECTING);
}

TEST(EngineDescriptors, AnIdleConnectionIsRetiredForIt) {
  EngineHarness h;
  h.fetch("http://b.test/");
  h.network->refuse_sockets(out_of_descriptors(), 1);
  h.start("http://a.test/");
  EXPECT_EQ(h.stats().sockets_retired, 1U);
}

TEST(EngineDescriptors, ALookupWithoutOneWaitsToo) {
  EngineHarness h;
  hc_id id = h.start(Order{.addresses = {}});
  h.resolver.end("a.test", {.status = out_of_descriptors()});
  h.turn();
  EXPECT_EQ(h.phase(id), HC_PHASE_WAITING);
  h.pass(kPause);
  EXPECT_EQ(h.phase(id), HC_PHASE_RESOLVING);
  h.resolver.answer("a.test", {"192.0.2.1"});
  h.turn();
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
  EXPECT_EQ(h.resolver.asked, 2U);
}

TEST(EngineDescriptors, NoAddressIsSkippedForIt) {
  EngineHarness h;
  h.network->refuse_sockets(out_of_descriptors(), 1);
  hc_id id = h.start(Order{.addresses = {"192.0.2.1", "192.0.2.2"}});
  h.pass(kPause);
  EXPECT_EQ(h.network->dialled, (std::vector<std::string>{"192.0.2.1"}));
  h.answer(id);
}

TEST(EngineDescriptors, ASecondAddressThatGetsNoneWaitsForTheFirst) {
  EngineHarness h;
  hc_id id = h.start(Order{.addresses = {"192.0.2.1", "192.0.2.2"}});
  h.network->refuse_sockets(out_of_descriptors(), 1);
  h.pass(250 * kMillisecond);
  EXPECT_EQ(h.attempts(id).size(), 1U);
  h.pass(kPause);
  h.network->fail(h.attempt(id), refused());
  h.turn();
  EXPECT_EQ(h.network->dialled, (std::vector<std::string>{"192.0.2.1", "192.0.2.2"}));
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineDescriptors, AfterAFailedAddressTheRaceGoesOnWhereItWas) {
  EngineHarness h;
  hc_id id = h.start(Order{.addresses = {"192.0.2.1", "192.0.2.2"}});
  h.network->refuse_sockets(out_of_descriptors(), 1);
  h.network->fail(h.attempt(id), refused());
  EXPECT_EQ(h.phase(id), HC_PHASE_WAITING);
  h.pass(kPause);
  EXPECT_EQ(h.network->dialled, (std::vector<std::string>{"192.0.2.1", "192.0.2.2"}));
  h.network->fail(h.attempt(id), refused());
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_CONNECT);
}

TEST(EngineDescriptors, SockConnectCountsOverAWaitBetweenTwoAddresses) {
  EngineHarness h;
  Order order{.addresses = {"192.0.2.1", "192.0.2.2"}};
  order.timeouts.sock_connect_ms = 200;
  hc_id id = h.start(order);
  h.pass(150 * kMillisecond);
  h.network->refuse_sockets(out_of_descriptors(), 1);
  h.network->fail(h.attempt(id), refused());
  h.pass(kPause);
  EXPECT_EQ(h.phase(id), HC_PHASE_CONNECTING);
  h.pass(50 * kMillisecond - 1);
  EXPECT_FALSE(h.is_done(id)) << "the time in line does not count";
  h.pass(1);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_SOCK_CONNECT);
}

TEST(EngineDescriptors, ClocksRunOnWhileThereAreNone) {
  EngineHarness h;
  h.network->refuse_sockets(out_of_descriptors(), 1'000'000);
  Order order;
  order.timeouts.pool_ms = 1000;
  hc_id pool = h.submit(order);
  order.timeouts = kAsTheSessionSays;
  order.timeouts.connect_ms = 2000;
  hc_id connect = h.submit(order);
  h.turn();
  h.pass(kSecond);
  EXPECT_EQ(h.code(pool), HC_E_TIMEOUT_POOL);
  EXPECT_FALSE(h.is_done(connect));
  h.pass(kSecond);
  EXPECT_EQ(h.code(connect), HC_E_TIMEOUT_CONNECT);
  h.network->refuse_sockets(Status::ok(), 0);
}

TEST(EngineDescriptors, CancelWhileThereAreNone) {
  EngineHarness h;
  h.network->refuse_sockets(out_of_descriptors(), 1);
  hc_id id = h.start();
  h.engine->cancel(id);
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_CANCELLED);
  EXPECT_EQ(h.budget.used(), 0U);
}

TEST(EngineDescriptors, AnotherFailureOfSocketIsAnError) {
  EngineHarness h;
  h.network->refuse_sockets(Status::system("socket", EACCES), 1);
  hc_id id = h.start();
  EXPECT_EQ(h.code(id), HC_E_SYSTEM);
  EXPECT_EQ(h.outcome(id).response->status().native_code(), EACCES);
}

TEST(EngineDescriptors, AtTheBudgetRequestsWait) {
  EngineHarness h(quiet_config(), 2);
  for (int i = 0; i < 4; ++i) h.submit("http://o" + std::to_string(i) + ".test/");
  h.turn();
  EXPECT_EQ(h.stats().waiting, 2U);
  h.network->fail(*h.network->attempts()[0], refused());
  h.turn();  // the listener is told
  h.turn();  // as the loop: woken, it looks again
  EXPECT_EQ(h.stats().waiting, 1U);
}

TEST(EngineDescriptors, AtTheBudgetIdleConnectionsMakeRoomOneByOne) {
  EngineHarness h(quiet_config(), 2);
  h.fetch("http://a.test/");
  h.fetch("http://b.test/");
  hc_id id = h.start("http://c.test/");
  EXPECT_EQ(h.stats().sockets_retired, 1U) << "one at a time: its descriptor comes back when it is closed";
  EXPECT_EQ(h.phase(id), HC_PHASE_WAITING);
  h.network->close_retired();
  h.turn();
  EXPECT_EQ(h.phase(id), HC_PHASE_CONNECTING);
}

}  // namespace
}  // namespace hc
