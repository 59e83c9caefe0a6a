#include "engine_harness.h"

namespace hc {
namespace {

SessionConfig bounded(uint64_t limit, uint64_t max_waiting) {
  SessionConfig config = quiet_config();
  config.limit = limit;
  config.max_waiting = max_waiting;
  return config;
}

TEST(EngineWaiting, ABurstIsNotRefusedForWhatTheLoopHadNoTimeToStart) {
  EngineHarness h(bounded(10, 2));
  for (int i = 0; i < 12; ++i) h.submit();
  h.turn();
  EXPECT_EQ(h.outcomes.size(), 0U);
  EXPECT_EQ(h.stats().waiting, 2U);
}

TEST(EngineWaiting, NobodyIsRefusedWhileMoreFitThanATurnStarts) {
  EngineHarness h(bounded(1000, 2));
  constexpr size_t kInATurn = Admission::kPermitsInATurn;
  std::vector<hc_id> ids;
  for (size_t i = 0; i < 2 * kInATurn; ++i) ids.push_back(h.submit());
  h.turn();
  EXPECT_EQ(h.phase(ids[kInATurn - 1]), HC_PHASE_CONNECTING);
  EXPECT_EQ(h.phase(ids[kInATurn]), HC_PHASE_WAITING);
  EXPECT_TRUE(h.engine->has_more_to_start());
  h.turn();
  EXPECT_EQ(h.phase(ids.back()), HC_PHASE_CONNECTING);
  EXPECT_FALSE(h.engine->has_more_to_start());
  EXPECT_EQ(h.outcomes.size(), 0U);
}

TEST(EngineWaiting, WhoIsRefusedHearsOfItWhenAllThatFitHaveStarted) {
  EngineHarness h(bounded(Admission::kPermitsInATurn + 1, 1));
  std::vector<hc_id> ids;
  for (size_t i = 0; i < Admission::kPermitsInATurn + 3; ++i) ids.push_back(h.submit());
  h.turn();
  EXPECT_EQ(h.outcomes.size(), 0U);
  h.turn();
  EXPECT_EQ(h.code(ids.back()), HC_E_OVERLOAD);
  EXPECT_EQ(h.outcomes.size(), 1U);
}

TEST(EngineWaiting, WhoWasLetInOnceIsNotRefusedAnyMore) {
  EngineHarness h(bounded(10, 1));
  std::vector<hc_id> plain;
  for (int i = 0; i < 3; ++i) plain.push_back(h.submit());
  hc_id urgent = h.submit(Order{.priority = 1});
  h.network->refuse_sockets(out_of_descriptors(), 1);
  h.turn();
  EXPECT_EQ(h.phase(urgent), HC_PHASE_WAITING) << "the last to come, but it had a permit";
  for (hc_id id : plain) EXPECT_EQ(h.code(id), HC_E_OVERLOAD);
}

TEST(EngineWaiting, TheLastToComeAreRefused) {
  EngineHarness h(bounded(1, 2));
  std::vector<hc_id> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(h.submit());
  h.turn();
  EXPECT_EQ(h.outcomes.size(), 3U);
  for (size_t i = 3; i < 6; ++i) {
    EXPECT_EQ(h.code(ids[i]), HC_E_OVERLOAD);
    EXPECT_EQ(h.outcome(ids[i]).phase(), HC_PHASE_WAITING);
  }
  EXPECT_EQ(h.stats().failed, 3U);
  EXPECT_EQ(h.phase(ids[1]), HC_PHASE_WAITING);
}

TEST(EngineWaiting, WhoIsInLineStaysInLine) {
  EngineHarness h(bounded(1, 1));
  h.start();
  hc_id waits = h.start();
  hc_id refused = h.start();
  EXPECT_EQ(h.code(refused), HC_E_OVERLOAD);
  EXPECT_EQ(h.phase(waits), HC_PHASE_WAITING);
}

TEST(EngineWaiting, ASlotThatIsFreedInTheSameTurnCounts) {
  EngineHarness h(bounded(1, 1));
  hc_id running = h.start();
  hc_id waits = h.start();
  h.network->answer(h.attempt(running));
  hc_id newcomer = h.start();
  EXPECT_EQ(h.phase(waits), HC_PHASE_CONNECTING);
  EXPECT_EQ(h.phase(newcomer), HC_PHASE_WAITING);
}

TEST(EngineWaiting, ACancelledOneMakesRoom) {
  EngineHarness h(bounded(1, 1));
  h.start();
  hc_id waits = h.start();
  hc_id newcomer = h.submit();
  h.engine->cancel(waits);
  h.turn();
  EXPECT_EQ(h.phase(newcomer), HC_PHASE_WAITING);
}

TEST(EngineWaiting, WhoGoesBackInLineIsNotRefused) {
  EngineHarness h(bounded(1, 1));
  h.fetch();
  hc_id retried = h.start();
  h.network->ready(h.attempt(retried));
  h.start("http://b.test/");
  h.network->go_stale(h.attempt(retried));
  h.turn();
  EXPECT_EQ(h.outcomes.size(), 1U);
  EXPECT_EQ(h.stats().failed, 0U);
}

TEST(EngineWaiting, ZeroIsNoBound) {
  EngineHarness h(bounded(1, 0));
  for (int i = 0; i < 10'000; ++i) h.submit();
  h.turn();
  EXPECT_EQ(h.stats().waiting, 9'999U);
}

}  // namespace
}  // namespace hc
