#include "model/descriptor_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace hc {
namespace {

class Listener final : public DescriptorBudget::Listener {
 public:
  void on_room() override { told.fetch_add(1); }
  std::atomic<int> told{0};
};

TEST(DescriptorBudget, GivesNoMoreThanItHas) {
  DescriptorBudget budget(2);
  EXPECT_TRUE(budget.try_take());
  EXPECT_TRUE(budget.try_take());
  EXPECT_FALSE(budget.try_take());
  EXPECT_EQ(budget.used(), 2U);
  budget.give_back();
  EXPECT_TRUE(budget.try_take());
  budget.give_back();
  budget.give_back();
  EXPECT_EQ(budget.used(), 0U);
}

TEST(DescriptorBudget, TellsAListenerOnceWhenThereIsRoom) {
  DescriptorBudget budget(1);
  Listener listener;
  ASSERT_TRUE(budget.try_take());
  budget.listen(listener);
  budget.listen(listener);
  EXPECT_EQ(listener.told, 0);
  budget.give_back();
  EXPECT_EQ(listener.told, 1);
  ASSERT_TRUE(budget.try_take());
  budget.give_back();
  EXPECT_EQ(listener.told, 1);
}

TEST(DescriptorBudget, TellsAllWhoWait) {
  DescriptorBudget budget(1);
  Listener first, second;
  ASSERT_TRUE(budget.try_take());
  budget.listen(first);
  budget.listen(second);
  budget.give_back();
  EXPECT_EQ(first.told, 1);
  EXPECT_EQ(second.told, 1) << "the first may have lost interest meanwhile";
}

TEST(DescriptorBudget, RoomThatCameBeforeTheListenerIsToldAtOnce) {
  DescriptorBudget budget(1);
  Listener listener;
  budget.listen(listener);
  EXPECT_EQ(listener.told, 1);
  budget.stop_listening(listener);
}

TEST(DescriptorBudget, WhoStopsListeningIsNotTold) {
  DescriptorBudget budget(1);
  Listener listener;
  ASSERT_TRUE(budget.try_take());
  budget.listen(listener);
  budget.stop_listening(listener);
  budget.stop_listening(listener);
  budget.give_back();
  EXPECT_EQ(listener.told, 0);
}

TEST(DescriptorBudget, StartsAnewAfterAFork) {
  DescriptorBudget budget(1);
  Listener listener;
  ASSERT_TRUE(budget.try_take());
  budget.listen(listener);
  budget.stop_listening(listener);
  budget.reset_after_fork();
  EXPECT_EQ(budget.used(), 0U);
  EXPECT_TRUE(budget.try_take());
  budget.give_back();
}

TEST(DescriptorBudget, TheProcessHasFourFifthsOfItsLimit) {
  DescriptorBudget& budget = DescriptorBudget::process();
  EXPECT_EQ(budget.capacity(), DescriptorBudget::descriptor_limit() * 4 / 5);
  EXPECT_EQ(&budget, &DescriptorBudget::process());
}

TEST(DescriptorBudget, ThreadsNeverTakeTooMuchAndLoseNoWakeUp) {
  constexpr uint64_t kCapacity = 3;
  DescriptorBudget budget(kCapacity);
  std::atomic<uint64_t> held{0};
  std::atomic<bool> was_exceeded{false};
  auto work = [&] {
    Listener listener;
    for (int i = 0; i < 2000; ++i) {
      while (!budget.try_take()) {
        int told_before = listener.told;
        budget.listen(listener);
        while (listener.told == told_before) std::this_thread::yield();
      }
      if (held.fetch_add(1) >= kCapacity) was_exceeded = true;
      held.fetch_sub(1);
      budget.give_back();
    }
    budget.stop_listening(listener);
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(was_exceeded);
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace hc
