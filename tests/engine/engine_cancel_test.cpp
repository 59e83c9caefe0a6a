#include "engine_harness.h"

namespace hc {
namespace {

using StepInto = void (*)(EngineHarness&, hc_id);

struct CancelCase {
  const char* name;
  StepInto step;
};

void stay(EngineHarness&, hc_id) {}
void resolve(EngineHarness& h, hc_id) { h.turn(); }
void connect(EngineHarness& h, hc_id) {
  h.turn();
  h.resolver.answer("a.test", {"192.0.2.1", "192.0.2.2"});
}
void race(EngineHarness& h, hc_id id) {
  connect(h, id);
  h.pass(kSecond);
}
void get_ready(EngineHarness& h, hc_id id) {
  race(h, id);
  h.network->ready(*h.attempts(id)[0]);
}
void send(EngineHarness& h, hc_id id) {
  get_ready(h, id);
  h.network->send(*h.attempts(id)[0]);
}
void receive(EngineHarness& h, hc_id id) {
  send(h, id);
  h.turn();
  h.network->receive_head(h.attempt(id));
}

class EngineCancelEverywhere : public testing::TestWithParam<CancelCase> {};

TEST_P(EngineCancelEverywhere, OneCompletionAndTheSlotIsFreeInTheSameTurn) {
  SessionConfig config = quiet_config();
  config.limit_per_host = 2;
  config.limit = 2;
  EngineHarness h(config);
  hc_id id = h.submit(Order{.addresses = {}});
  GetParam().step(h, id);
  std::vector<hc_id> next = {h.submit("http://b.test/"), h.submit("http://c.test/")};
  h.engine->cancel(id);
  h.engine->cancel(id);
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_CANCELLED);
  EXPECT_EQ(h.stats().cancelled, 1U);
  for (hc_id other : next) EXPECT_EQ(h.phase(other), HC_PHASE_CONNECTING);
  h.pass(60 * kSecond);
  EXPECT_EQ(h.outcomes.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Phases, EngineCancelEverywhere,
                         testing::Values(CancelCase{"waiting", stay}, CancelCase{"resolving", resolve},
                                         CancelCase{"connecting", connect}, CancelCase{"racing", race},
                                         CancelCase{"sending", get_ready}, CancelCase{"awaiting", send},
                                         CancelCase{"receiving", receive}),
                         [](const testing::TestParamInfo<CancelCase>& test) { return test.param.name; });

TEST(EngineCancel, AFinishedIdIsNoMatter) {
  EngineHarness h;
  hc_id id = h.fetch();
  h.engine->cancel(id);
  h.turn();
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineCancel, AnUnknownIdIsNoMatter) {
  EngineHarness h;
  hc_id id = h.start();
  h.engine->cancel(id + 1000);
  h.engine->cancel(0);
  h.turn();
  EXPECT_FALSE(h.is_done(id));
}

TEST(EngineCancel, AResultThatIsAlreadyThereStands) {
  EngineHarness h;
  hc_id id = h.start();
  h.network->answer(h.attempt(id));
  h.engine->cancel(id);
  h.turn();
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineCancel, AStaleIdNeverReachesANewRequest) {
  EngineHarness h;
  hc_id old = h.fetch();
  hc_id fresh = h.start();
  h.engine->cancel(old);
  h.turn();
  EXPECT_FALSE(h.is_done(fresh));
}

TEST(EngineCancel, InLineItTouchesNoConnection) {
  SessionConfig config = quiet_config();
  config.limit = 1;
  EngineHarness h(config);
  hc_id running = h.start();
  hc_id waiting = h.start();
  h.engine->cancel(waiting);
  h.turn();
  EXPECT_EQ(h.stats().waiting, 0U);
  EXPECT_EQ(h.network->aborted, 0U);
  h.answer(running);
  EXPECT_EQ(h.code(running), HC_OK);
}

TEST(EngineCancel, ALateAnswerOfTheResolverIsNoMatter) {
  EngineHarness h;
  hc_id id = h.start(Order{.addresses = {}});
  h.engine->cancel(id);
  h.turn();
  h.resolver.answer("a.test", {"192.0.2.1"});
  h.turn();
  EXPECT_EQ(h.outcomes.size(), 1U);
  EXPECT_TRUE(h.network->dialled.empty());
}

TEST(EngineCancel, BeforeTheFirstTurn) {
  EngineHarness h;
  hc_id id = h.submit();
  h.engine->cancel(id);
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_CANCELLED);
  EXPECT_TRUE(h.network->dialled.empty());
}

TEST(EngineCancel, FromInsideACallback) {
  SessionConfig config = quiet_config();
  config.limit = 2;
  EngineHarness h(config);
  hc_id first = h.submit();
  hc_id second = h.submit();
  h.turn();
  h.on_outcome = [&](hc_id id) {
    if (id == first) h.engine->cancel(second);
  };
  h.answer(first);
  EXPECT_FALSE(h.is_done(second));
  h.turn();
  EXPECT_EQ(h.code(second), HC_E_CANCELLED);
}

TEST(EngineCancel, EveryOneOfThousands) {
  SessionConfig config = quiet_config();
  config.limit = 10;
  EngineHarness h(config);
  std::vector<hc_id> ids;
  for (int i = 0; i < 5000; ++i) ids.push_back(h.submit("http://o" + std::to_string(i % 20) + ".test/"));
  h.turn();
  for (hc_id id : ids) h.engine->cancel(id);
  h.turn();
  EXPECT_EQ(h.stats().cancelled, 5000U);
  EXPECT_EQ(h.engine->ledger().live(), 0U);
}

}  // namespace
}  // namespace hc
