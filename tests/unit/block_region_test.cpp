#include "base/block_region.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace hc {
namespace {

constexpr size_t kSize = 6000;
constexpr size_t kMost = 100;

std::vector<char*> take_all(BlockRegion& region) {
  std::vector<char*> all;
  while (void* block = region.take()) all.push_back(static_cast<char*>(block));
  return all;
}

bool is_resident(char* place) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  unsigned char state = 0;
  void* start = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(place) / page * page);
  EXPECT_EQ(mincore(start, page, &state), 0);
  return (state & 1) != 0;
}

TEST(BlockRegionTest, EachBlockHoldsItsSize) {
  BlockRegion region(kSize, kMost);
  std::vector<char*> all = take_all(region);
  ASSERT_EQ(all.size(), kMost);
  for (size_t i = 0; i < all.size(); ++i) std::memset(all[i], static_cast<int>(i), kSize);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(std::all_of(all[i], all[i] + kSize, [i](char c) { return c == static_cast<char>(i); }));
    EXPECT_TRUE(region.contains(all[i]));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(all[i]) % alignof(std::max_align_t), 0u);
  }
  EXPECT_FALSE(region.contains(&region));
  EXPECT_FALSE(region.contains(nullptr));
}

TEST(BlockRegionTest, TheLastInIsTheFirstOut) {
  BlockRegion region(kSize, kMost);
  void* first = region.take();
  void* second = region.take();
  region.give(second);
  region.give(first);
  EXPECT_EQ(region.take(), first);
  EXPECT_EQ(region.take(), second);
}

TEST(BlockRegionTest, BeginningsAreSpreadOverTheLinesOfACache) {
  BlockRegion region(kSize, kMost);
  std::set<uintptr_t> lines;
  for (char* block : take_all(region)) lines.insert(reinterpret_cast<uintptr_t>(block) % 4096);
  EXPECT_EQ(lines.size(), 32u);
}

TEST(BlockRegionTest, TheColdestAreReleasedFirst) {
  BlockRegion region(kSize, kMost);
  std::vector<char*> all = take_all(region);
  for (char* block : all) std::memset(block, 'x', kSize);
  for (char* block : all) region.give(block);
  region.release_one();
  region.release_one();
  EXPECT_FALSE(is_resident(all[0]));
  EXPECT_FALSE(is_resident(all[1]));
  EXPECT_TRUE(is_resident(all[2]));
  EXPECT_EQ(take_all(region).size(), kMost) << "they may be taken again";
  EXPECT_EQ(all[0][0], '\0');
  EXPECT_EQ(all[2][0], 'x');
}

TEST(BlockRegionTest, OneThatWasTakenAgainIsReleasedAgain) {
  BlockRegion region(kSize, kMost);
  for (int round = 0; round < 3; ++round) {
    auto* block = static_cast<char*>(region.take());
    std::memset(block, 'x', kSize);
    region.give(block);
    region.release_one();
    region.release_one();  // there is no other
    EXPECT_FALSE(is_resident(block));
  }
}

TEST(BlockRegionTest, ThreadsNeverGetTheSameBlock) {
  BlockRegion region(kSize, kMost);
  auto work = [&region](char mark) {
    for (int round = 0; round < 5'000; ++round) {
      auto* block = static_cast<char*>(region.take());
      ASSERT_NE(block, nullptr);
      std::memset(block, mark, 64);
      EXPECT_TRUE(std::all_of(block, block + 64, [mark](char c) { return c == mark; }));
      region.give(block);
      if (round % 16 == 0) region.release_one();
    }
  };
  std::vector<std::thread> threads;
  for (char mark : {'a', 'b', 'c'}) threads.emplace_back(work, mark);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(take_all(region).size(), kMost);
}

TEST(BlockRegionTest, AChildOfAForkGetsNoneAndGivesNoneBack) {
  BlockRegion region(kSize, kMost);
  void* block = region.take();
  pid_t child = fork();
  if (child == 0) {
    region.give(block);
    _exit(region.take() == nullptr ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace hc
