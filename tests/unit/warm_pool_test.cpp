#include "event/warm_pool.h"

#include <gtest/gtest.h>

namespace hc {
namespace {

using Pool = WarmPool<int>;

class WarmPoolTest : public testing::Test {
 protected:
  void put(size_t count) {
    for (size_t i = 0; i < count; ++i) pool_.put(std::make_unique<int>(static_cast<int>(i)), now_);
  }
  void pass_period() {
    now_ += Pool::kPeriod;
    timers_.expire(now_);
  }
  void use(size_t count) {
    std::vector<std::unique_ptr<int>> taken;
    for (size_t i = 0; i < count; ++i) taken.push_back(pool_.take());
    for (auto& object : taken) pool_.put(std::move(object), now_);
  }

  TimePoint now_ = 0;
  TimerQueue timers_;
  Pool pool_{timers_};
};

TEST_F(WarmPoolTest, GivesTheLastOneFirst) {
  put(2);
  EXPECT_EQ(*pool_.take(), 1);
  EXPECT_EQ(*pool_.take(), 0);
  EXPECT_EQ(pool_.take(), nullptr);
}

TEST_F(WarmPoolTest, AFewStayWithoutATimer) {
  put(Pool::kKept);
  EXPECT_TRUE(timers_.empty());
  EXPECT_EQ(pool_.size(), Pool::kKept);
}

TEST_F(WarmPoolTest, WhatNobodyTakesForAWholePeriodIsReleased) {
  put(100);
  pass_period();
  EXPECT_EQ(pool_.size(), 100U) << "they were not here for the whole period";
  pass_period();
  EXPECT_EQ(pool_.size(), Pool::kKept);
  EXPECT_TRUE(timers_.empty());
}

TEST_F(WarmPoolTest, WhatIsTakenOnceAPeriodStays) {
  put(100);
  for (int period = 0; period < 10; ++period) {
    use(60);
    pass_period();
  }
  EXPECT_EQ(pool_.size(), 60U);
}

TEST_F(WarmPoolTest, AnEmptiedPoolReleasesNothing) {
  put(100);
  pass_period();
  std::vector<std::unique_ptr<int>> taken;
  while (auto object = pool_.take()) taken.push_back(std::move(object));
  EXPECT_EQ(taken.size(), 100U);
  pass_period();
  EXPECT_TRUE(timers_.empty());
}

TEST_F(WarmPoolTest, MuchIsReleasedInParts) {
  put(3 * Pool::kReleasedAtOnce);
  pass_period();
  pass_period();
  EXPECT_EQ(pool_.size(), 2 * Pool::kReleasedAtOnce);
  for (int period = 0; period < 2; ++period) pass_period();
  EXPECT_EQ(pool_.size(), Pool::kKept);
}

TEST_F(WarmPoolTest, ClearLeavesNoTimer) {
  put(100);
  pool_.clear();
  EXPECT_EQ(pool_.size(), 0U);
  EXPECT_TRUE(timers_.empty());
}

}  // namespace
}  // namespace hc
