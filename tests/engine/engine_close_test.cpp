#include "engine_harness.h"

namespace hc {
namespace {

SessionConfig one_at_a_time() {
  SessionConfig config = quiet_config();
  config.limit = 1;
  return config;
}

std::vector<Completion> drain(CompletionQueue& queue) {
  std::vector<Completion> all;
  queue.drain(1000, [&all](Completion completion) { all.push_back(std::move(completion)); });
  return all;
}

TEST(EngineClose, WithoutDrainWaitingEndWithClosedAndRunningWithCancelled) {
  EngineHarness h(one_at_a_time());
  hc_id running = h.start();
  hc_id waiting = h.start();
  hc_id parked = h.start("http://b.test/");
  h.engine->begin_close(0);
  h.turn();
  EXPECT_EQ(h.code(running), HC_E_CANCELLED);
  EXPECT_EQ(h.code(waiting), HC_E_CLOSED);
  EXPECT_EQ(h.code(parked), HC_E_CLOSED);
  EXPECT_EQ(h.stats().cancelled, 3U);
  EXPECT_TRUE(h.engine->is_empty());
}

TEST(EngineClose, WithDrainRunningOnesMayFinish) {
  EngineHarness h(one_at_a_time());
  hc_id running = h.start();
  hc_id waiting = h.start();
  h.engine->begin_close(5 * kSecond);
  h.turn();
  EXPECT_EQ(h.code(waiting), HC_E_CLOSED);
  EXPECT_FALSE(h.engine->is_empty());
  h.pass(5 * kSecond - 1);
  h.answer(running);
  EXPECT_EQ(h.code(running), HC_OK);
  EXPECT_TRUE(h.engine->is_empty());
}

TEST(EngineClose, WhatRunsAfterTheDrainIsCancelled) {
  EngineHarness h;
  hc_id resolving = h.start(Order{.addresses = {}});
  hc_id connecting = h.start();
  hc_id receiving = h.start();
  h.network->ready(h.attempt(receiving));
  h.network->receive_head(h.attempt(receiving));
  h.engine->begin_close(5 * kSecond);
  h.pass(5 * kSecond - 1);
  EXPECT_EQ(h.outcomes.size(), 0U);
  h.pass(1);
  for (hc_id id : {resolving, connecting, receiving}) EXPECT_EQ(h.code(id), HC_E_CANCELLED);
}

TEST(EngineClose, NobodyIsLetInAnyMore) {
  EngineHarness h;
  h.start();
  h.engine->begin_close(kSecond);
  hc_id late = h.start();
  EXPECT_EQ(h.code(late), HC_E_CLOSED);
  EXPECT_EQ(h.network->dialled.size(), 1U);
}

TEST(EngineClose, EvenWithABoundedLine) {
  SessionConfig config = one_at_a_time();
  config.max_waiting = 1;
  EngineHarness h(config);
  h.start();
  h.engine->begin_close(kSecond);
  std::vector<hc_id> late;
  for (int i = 0; i < 5; ++i) late.push_back(h.submit());
  h.turn();
  for (hc_id id : late) EXPECT_EQ(h.code(id), HC_E_CLOSED);
}

TEST(EngineClose, TheShortestDrainCounts) {
  EngineHarness h;
  hc_id id = h.start();
  h.engine->begin_close(10 * kSecond);
  h.engine->begin_close(2 * kSecond);
  h.engine->begin_close(20 * kSecond);
  h.pass(2 * kSecond - 1);
  EXPECT_FALSE(h.is_done(id));
  h.pass(1);
  EXPECT_EQ(h.code(id), HC_E_CANCELLED);
}

TEST(EngineClose, ForeverWaitsUntilASecondCloseSaysOtherwise) {
  EngineHarness h;
  hc_id id = h.start();
  h.engine->begin_close(from_ms(HC_FOREVER));
  h.pass(100'000 * kSecond);
  EXPECT_FALSE(h.is_done(id));
  h.engine->begin_close(kSecond);
  h.pass(kSecond);
  EXPECT_EQ(h.code(id), HC_E_CANCELLED);
}

TEST(EngineClose, AgainWithoutDrainEndsAtOnce) {
  EngineHarness h;
  hc_id id = h.start();
  h.engine->begin_close(10 * kSecond);
  h.engine->begin_close(0);
  h.turn();
  EXPECT_EQ(h.code(id), HC_E_CANCELLED);
}

TEST(EngineClose, ADrainingRequestMayStillBeRetried) {
  EngineHarness h;
  h.fetch();
  hc_id id = h.start();
  h.network->ready(h.attempt(id));
  h.engine->begin_close(10 * kSecond);
  h.network->go_stale(h.attempt(id));
  h.turn();
  h.answer(id);
  EXPECT_EQ(h.code(id), HC_OK);
}

TEST(EngineClose, ClocksStillRunDuringTheDrain) {
  EngineHarness h;
  Order order;
  order.timeouts.total_ms = 1000;
  hc_id id = h.start(order);
  h.engine->begin_close(10 * kSecond);
  h.pass(kSecond);
  EXPECT_EQ(h.code(id), HC_E_TIMEOUT_TOTAL);
}

TEST(EngineClose, ParkedOriginsAreFoundToo) {
  SessionConfig config = quiet_config();
  config.limit_per_host = 1;
  config.max_connecting = 1;
  EngineHarness h(config, 1);
  hc_id running = h.start("http://a.test/");
  std::vector<hc_id> waiting = {h.start("http://a.test/"), h.start("http://b.test/"),
                                h.start("http://c.test/")};
  h.network->ready(h.attempt(running));
  h.turn();
  h.engine->begin_close(kSecond);
  h.turn();
  for (hc_id id : waiting) EXPECT_EQ(h.code(id), HC_E_CLOSED);
}

TEST(EngineQueue, GetsWhatNamesIt) {
  EngineHarness h;
  std::shared_ptr<CompletionQueue> queue;
  ASSERT_TRUE(CompletionQueue::create(&queue).is_ok());
  hc_id first = h.start(Order{.queue = queue});
  hc_id second = h.start(Order{.queue = queue});
  h.network->answer(h.attempt(first), "one");
  h.network->answer(h.attempt(second), "two");
  EXPECT_EQ(queue->wait(0), 0U);
  h.turn();
  std::vector<Completion> all = drain(*queue);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, first);
  EXPECT_EQ(all[0].response->body(), "one");
  EXPECT_EQ(all[1].id, second);
  for (hc_id id : {first, second}) h.forget(id);
}

TEST(EngineQueue, ClosedCancelsItsRequestsAndNoOthers) {
  EngineHarness h(one_at_a_time());
  std::shared_ptr<CompletionQueue> queue;
  ASSERT_TRUE(CompletionQueue::create(&queue).is_ok());
  hc_id running = h.submit(Order{.queue = queue});
  hc_id other = h.submit();
  hc_id waiting = h.submit(Order{.queue = queue});
  h.turn();
  queue->close();
  h.engine->cancel_orphans();
  h.turn();
  EXPECT_EQ(h.stats().cancelled, 2U);
  EXPECT_EQ(h.phase(other), HC_PHASE_CONNECTING);
  for (hc_id id : {running, waiting}) h.forget(id);
  h.answer(other);
  EXPECT_EQ(h.code(other), HC_OK);
}

TEST(EngineQueue, SeveralQueuesGetTheirOwn) {
  EngineHarness h;
  std::vector<std::shared_ptr<CompletionQueue>> queues(3);
  for (auto& queue : queues) ASSERT_TRUE(CompletionQueue::create(&queue).is_ok());
  std::vector<hc_id> ids;
  for (size_t i = 0; i < 9; ++i) ids.push_back(h.submit(Order{.queue = queues[i % 3]}));
  h.turn();
  for (FakeAttempt* attempt : h.network->attempts()) h.network->answer(*attempt);
  h.turn();
  for (size_t i = 0; i < 3; ++i) {
    std::vector<Completion> all = drain(*queues[i]);
    ASSERT_EQ(all.size(), 3U);
    for (const Completion& completion : all) EXPECT_EQ(completion.id % 3, (i + 1) % 3);
  }
  for (hc_id id : ids) h.forget(id);
}

}  // namespace
}  // namespace hc
