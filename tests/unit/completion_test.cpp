#include "engine/completion.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

namespace hc {
namespace {

class CompletionQueueTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(CompletionQueue::create(&queue).is_ok()); }

  void push(std::vector<hc_id> ids) {
    std::vector<Completion> batch;
    for (hc_id id : ids) batch.push_back({id, nullptr, std::make_unique<Response>()});
    queue->push(batch);
    EXPECT_TRUE(batch.empty());
  }
  std::vector<hc_id> drain(size_t capacity = 100) {
    std::vector<hc_id> ids;
    size_t count = queue->drain(capacity, [&ids](Completion completion) { ids.push_back(completion.id); });
    EXPECT_EQ(count, ids.size());
    return ids;
  }
  bool is_readable() {
    pollfd ready{queue->fd(), POLLIN, 0};
    return poll(&ready, 1, 0) == 1;
  }
  void read_by_hand() {
    char bytes[64];
    EXPECT_GT(read(queue->fd(), bytes, sizeof bytes), 0);
  }
  using Ids = std::vector<hc_id>;

  std::shared_ptr<CompletionQueue> queue;
};

TEST_F(CompletionQueueTest, GivesInTheOrderOfCompletion) {
  push({1, 2});
  push({3});
  EXPECT_EQ(drain(), (Ids{1, 2, 3}));
  EXPECT_EQ(drain(), Ids());
}

TEST_F(CompletionQueueTest, GivesNoMoreThanAskedFor) {
  push({1, 2, 3, 4, 5});
  EXPECT_EQ(drain(2), (Ids{1, 2}));
  push({6});
  EXPECT_EQ(drain(3), (Ids{3, 4, 5}));
  EXPECT_EQ(drain(3), Ids{6});
}

TEST_F(CompletionQueueTest, IsReadableWhileSomethingWaits) {
  EXPECT_FALSE(is_readable());
  push({1, 2, 3});
  EXPECT_TRUE(is_readable());
  drain(2);
  EXPECT_TRUE(is_readable());
  drain(1);
  EXPECT_FALSE(is_readable());
  push({4});
  EXPECT_TRUE(is_readable());
}

TEST_F(CompletionQueueTest, ReadingTheDescriptorDoesNoHarm) {
  push({1, 2});
  read_by_hand();
  drain(1);
  EXPECT_TRUE(is_readable()) << "one is left";
  read_by_hand();
  push({3});
  EXPECT_TRUE(is_readable());
  EXPECT_EQ(drain(), (Ids{2, 3}));
  EXPECT_FALSE(is_readable());
  push({4});
  EXPECT_TRUE(is_readable());
}

TEST_F(CompletionQueueTest, ManySmallDrainsLoseNothing) {
  Ids expected;
  Ids got;
  for (hc_id id = 1; id <= 1000; ++id) {
    expected.push_back(id);
    push({id});
    if (id % 3 == 0) {
      for (hc_id taken : drain(2)) got.push_back(taken);
    }
  }
  while (is_readable()) {
    for (hc_id taken : drain(7)) got.push_back(taken);
  }
  EXPECT_EQ(got, expected);
}

TEST_F(CompletionQueueTest, WaitTellsHowManyAreReady) {
  EXPECT_EQ(queue->wait(0), 0U);
  push({1, 2});
  EXPECT_EQ(queue->wait(0), 2U);
  EXPECT_EQ(queue->wait(HC_FOREVER), 2U);
}

TEST_F(CompletionQueueTest, WaitIsWokenByAPush) {
  std::thread other([this] { push({1}); });
  EXPECT_EQ(queue->wait(HC_FOREVER), 1U);
  other.join();
}

TEST_F(CompletionQueueTest, AClosedOneDropsWhatComes) {
  push({1});
  queue->close();
  EXPECT_TRUE(queue->is_closed());
  push({2});
  queue->close();
}

TEST_F(CompletionQueueTest, ManyLoopsAndOneDrainer) {
  constexpr hc_id kEach = 2000;
  std::vector<std::thread> loops;
  for (hc_id loop = 0; loop < 3; ++loop) {
    loops.emplace_back([this, loop] {
      for (hc_id i = 0; i < kEach; ++i) push({loop * kEach + i});
    });
  }
  std::vector<bool> seen(3 * kEach);
  size_t count = 0;
  while (count < seen.size()) {
    queue->wait(HC_FOREVER);
    for (hc_id id : drain(16)) {
      EXPECT_FALSE(seen[id]);
      seen[id] = true;
      ++count;
    }
  }
  for (std::thread& loop : loops) loop.join();
  EXPECT_EQ(drain(), Ids());
}

}  // namespace
}  // namespace hc
