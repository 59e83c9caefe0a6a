#include "model/clocks.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace hc {
namespace {

constexpr hc_timeouts kDifferent{100, 200, 300, 400, 500, 600, 700, 800};

Clocks::Name name(int number) { return static_cast<Clocks::Name>(number); }

TEST(Clocks, NoneRunsUntilItIsStarted) {
  Clocks clocks(kDifferent);
  for (int i = 0; i < Clocks::kCount; ++i) EXPECT_FALSE(clocks.is_running(name(i)));
  EXPECT_EQ(clocks.end(clocks.earliest()), kNever);
}

TEST(Clocks, EachHasItsOwnLength) {
  Clocks clocks(kDifferent);
  for (int i = 0; i < Clocks::kCount; ++i) {
    clocks.start(name(i), 5);
    EXPECT_EQ(clocks.length(name(i)), (i + 1) * 100 * kMillisecond);
    EXPECT_EQ(clocks.end(name(i)), 5 + (i + 1) * 100 * kMillisecond);
  }
}

TEST(Clocks, KnowsWhichEndsFirst) {
  Clocks clocks(kDifferent);
  for (int i = Clocks::kCount - 1; i >= 0; --i) {
    clocks.start(name(i), 0);
    EXPECT_EQ(clocks.earliest(), name(i));
  }
  for (int i = 0; i < Clocks::kCount - 1; ++i) {
    clocks.stop(name(i));
    EXPECT_EQ(clocks.earliest(), name(i + 1));
  }
}

TEST(Clocks, StartingAgainPutsTheEndOff) {
  Clocks clocks(kDifferent);
  clocks.start(Clocks::kTotal, 0);
  clocks.start(Clocks::kTotal, kSecond);
  EXPECT_EQ(clocks.end(Clocks::kTotal), kSecond + 100 * kMillisecond);
}

TEST(Clocks, ResumesWithWhatIsLeft) {
  Clocks clocks(kDifferent);
  clocks.resume(Clocks::kTotal, kSecond, 30 * kMillisecond);
  EXPECT_EQ(clocks.end(Clocks::kTotal), kSecond + 70 * kMillisecond);
  clocks.resume(Clocks::kTotal, kSecond, 500 * kMillisecond);
  EXPECT_EQ(clocks.end(Clocks::kTotal), kSecond);
  constexpr hc_timeouts kNone{};
  Clocks off(kNone);
  off.resume(Clocks::kTotal, kSecond, 0);
  EXPECT_FALSE(off.is_running(Clocks::kTotal));
}

TEST(Clocks, ZeroAndForeverAreOff) {
  constexpr hc_timeouts kExtreme{0, HC_FOREVER, UINT64_MAX / 1'000'000, 0, 0, 0, 0, 0};
  Clocks clocks(kExtreme);
  for (int i = 0; i < Clocks::kCount; ++i) {
    clocks.start(name(i), 100);
    EXPECT_FALSE(clocks.is_running(name(i))) << i;
  }
  EXPECT_FALSE(clocks.is_on(Clocks::kTotal));
  EXPECT_FALSE(clocks.is_on(Clocks::kPool));
}

TEST(Clocks, EachHasItsOwnStatusAndName) {
  std::set<hc_status> codes;
  std::set<std::string> names;
  for (int i = 0; i < Clocks::kCount; ++i) {
    codes.insert(Clocks::status_of(name(i)));
    names.insert(Clocks::name_of(name(i)));
  }
  EXPECT_EQ(codes.size(), size_t{Clocks::kCount});
  EXPECT_EQ(names.size(), size_t{Clocks::kCount});
  EXPECT_EQ(Clocks::status_of(Clocks::kSockWrite), HC_E_TIMEOUT_SOCK_WRITE);
  EXPECT_STREQ(Clocks::name_of(Clocks::kSockWrite), "sock_write");
}

}  // namespace
}  // namespace hc
