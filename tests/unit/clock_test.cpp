#include "base/clock.h"

#include <gtest/gtest.h>

namespace hc {
namespace {

TEST(Clock, MillisecondsThatDoNotFitAreNever) {
  EXPECT_EQ(from_ms(0), 0);
  EXPECT_EQ(from_ms(1500), 1500 * kMillisecond);
  EXPECT_EQ(from_ms(UINT64_MAX), kNever);
  EXPECT_EQ(from_ms(UINT64_MAX - 1), kNever);
  EXPECT_EQ(from_ms(static_cast<uint64_t>(kNever / kMillisecond)), kNever);
  EXPECT_LT(from_ms(static_cast<uint64_t>(kNever / kMillisecond) - 1), kNever);
}

TEST(Clock, LaterStopsAtNever) {
  EXPECT_EQ(later(5, 7), 12);
  EXPECT_EQ(later(5, kNever), kNever);
  EXPECT_EQ(later(kNever - 1, 1), kNever);
  EXPECT_EQ(later(kNever - 2, 1), kNever - 1);
}

TEST(Clock, TheSystemsNeverGoesBack) {
  SystemClock clock;
  TimePoint before = clock.now();
  for (int i = 0; i < 1000; ++i) {
    TimePoint now = clock.now();
    ASSERT_GE(now, before);
    before = now;
  }
}

}  // namespace
}  // namespace hc
