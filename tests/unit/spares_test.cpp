#include "base/spares.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>

#include "support/sanitizer.h"

namespace hc {
namespace {

class SparesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (test::kAddressSanitizer) GTEST_SKIP() << "what ends there really ends";
  }
};

TEST_F(SparesTest, TheLastOneInIsTheFirstOneOut) {
  Spares<std::string> spares(2);
  std::string one = "one", two = "two", three = "three", out;
  EXPECT_TRUE(spares.keep(one));
  EXPECT_TRUE(spares.keep(two));
  EXPECT_FALSE(spares.keep(three)) << "more than it may have";
  EXPECT_EQ(three, "three") << "it stays with its owner";
  EXPECT_TRUE(spares.take(&out));
  EXPECT_EQ(out, "two");
  EXPECT_TRUE(spares.take(&out));
  EXPECT_EQ(out, "one");
  EXPECT_FALSE(spares.take(&out));
}

TEST_F(SparesTest, WhatOneThreadIsDoneWithAnotherHas) {
  struct Thing : Recycled<Thing> {
    std::array<char, 300> bytes{};
  };
  auto* first = new Thing;
  first->bytes[299] = 1;
  std::thread([&] { delete first; }).join();
  auto second = std::make_unique<Thing>();
  EXPECT_EQ(second.get(), first);
  EXPECT_EQ(second->bytes[299], 0) << "it begins anew";
}

// Each number is somewhere exactly once, whoever had to do without meanwhile.
TEST_F(SparesTest, NothingIsLostOrDoubledAmongThreads) {
  constexpr size_t kThreads = 4;
  constexpr int kEach = 2'000;
  Spares<std::unique_ptr<int>> spares(64);
  std::array<int, kThreads> kept{}, taken{};
  auto work = [&](size_t thread) {
    for (int i = 0; i < kEach; ++i) {
      auto mine = std::make_unique<int>(i);
      std::unique_ptr<int> other;
      kept[thread] += spares.keep(mine) ? 1 : 0;
      taken[thread] += spares.take(&other) ? 1 : 0;
    }
  };
  std::array<std::thread, kThreads> threads;
  for (size_t i = 0; i < kThreads; ++i) threads[i] = std::thread(work, i);
  for (std::thread& thread : threads) thread.join();
  int left = 0;
  for (std::unique_ptr<int> other; spares.take(&other);) ++left;
  int difference = left;
  for (size_t i = 0; i < kThreads; ++i) difference += taken[i] - kept[i];
  EXPECT_EQ(difference, 0);
}

}  // namespace
}  // namespace hc
