#include "event/timer_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace hc {
namespace {

class Alarm final : public Timer {
 public:
  explicit Alarm(std::function<void(Alarm&)> then = nullptr) : then_(std::move(then)) {}
  void on_timer(TimePoint now) override {
    EXPECT_FALSE(is_armed());
    EXPECT_LE(due(), now) << "early";
    rung.push_back(now);
    if (then_) then_(*this);
  }

  std::vector<TimePoint> rung;

 private:
  std::function<void(Alarm&)> then_;
};

TEST(TimerQueue, NeverFiresEarly) {
  TimerQueue queue;
  Alarm alarm;
  queue.arm(alarm, 100);
  queue.expire(99);
  EXPECT_TRUE(alarm.rung.empty());
  queue.expire(100);
  EXPECT_EQ(alarm.rung, std::vector<TimePoint>{100});
  queue.expire(1000);
  EXPECT_EQ(alarm.rung.size(), 1U);
}

TEST(TimerQueue, KnowsWhoIsNext) {
  TimerQueue queue;
  Alarm early, late;
  EXPECT_EQ(queue.next_due(), kNever);
  queue.arm(late, 20);
  EXPECT_EQ(queue.next_due(), 20);
  queue.arm(early, 10);
  EXPECT_EQ(queue.next_due(), 10);
  queue.disarm(early);
  EXPECT_EQ(queue.next_due(), 20);
  queue.disarm(late);
  EXPECT_TRUE(queue.empty());
}

TEST(TimerQueue, FiresInTheOrderOfTime) {
  TimerQueue queue;
  std::vector<TimePoint> order;
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (TimePoint due : {50, 10, 40, 20, 30}) {
    alarms.push_back(std::make_unique<Alarm>([&order](Alarm& alarm) { order.push_back(alarm.due()); }));
    queue.arm(*alarms.back(), due);
  }
  queue.expire(100);
  EXPECT_EQ(order, (std::vector<TimePoint>{10, 20, 30, 40, 50}));
}

TEST(TimerQueue, AllOfATieFire) {
  TimerQueue queue;
  std::vector<Alarm> alarms(1000);
  for (Alarm& alarm : alarms) queue.arm(alarm, 7);
  queue.expire(7);
  for (const Alarm& alarm : alarms) EXPECT_EQ(alarm.rung.size(), 1U);
}

TEST(TimerQueue, NeverMeansDisarmed) {
  TimerQueue queue;
  Alarm alarm;
  queue.arm(alarm, kNever);
  EXPECT_FALSE(alarm.is_armed());
  queue.arm(alarm, 5);
  queue.arm(alarm, kNever);
  EXPECT_FALSE(alarm.is_armed());
  EXPECT_TRUE(queue.empty());
  queue.expire(kNever - 1);
  EXPECT_TRUE(alarm.rung.empty());
}

TEST(TimerQueue, ArmingAgainMovesIt) {
  TimerQueue queue;
  Alarm alarm;
  queue.arm(alarm, 10);
  queue.arm(alarm, 30);
  queue.expire(20);
  EXPECT_TRUE(alarm.rung.empty());
  queue.arm(alarm, 25);
  EXPECT_EQ(queue.size(), 1U);
  queue.expire(25);
  EXPECT_EQ(alarm.rung, std::vector<TimePoint>{25});
}

TEST(TimerQueue, OneThatArmsItselfWaitsForTheNextTime) {
  TimerQueue queue;
  Alarm alarm([&queue](Alarm& self) { queue.arm(self, self.due()); });
  queue.arm(alarm, 10);
  queue.expire(10);
  EXPECT_EQ(alarm.rung.size(), 1U) << "nobody can starve the loop";
  queue.expire(10);
  EXPECT_EQ(alarm.rung.size(), 2U);
  queue.disarm(alarm);
}

TEST(TimerQueue, OneThatIsArmedByAnotherWaitsForTheNextTime) {
  TimerQueue queue;
  Alarm other;
  Alarm alarm([&](Alarm&) { queue.arm(other, 1); });
  queue.arm(alarm, 10);
  queue.expire(10);
  EXPECT_TRUE(other.rung.empty());
  queue.expire(10);
  EXPECT_EQ(other.rung.size(), 1U);
}

TEST(TimerQueue, MayDisarmOthersOfTheSameBatch) {
  TimerQueue queue;
  std::vector<std::unique_ptr<Alarm>> alarms;
  auto disarm_all = [&](Alarm&) {
    for (auto& alarm : alarms) queue.disarm(*alarm);
  };
  for (int i = 0; i < 10; ++i) {
    alarms.push_back(std::make_unique<Alarm>(disarm_all));
    queue.arm(*alarms.back(), 5);
  }
  queue.expire(5);
  size_t rung = 0;
  for (auto& alarm : alarms) rung += alarm->rung.size();
  EXPECT_EQ(rung, 1U);
  for (auto& alarm : alarms) EXPECT_FALSE(alarm->is_armed());
}

TEST(TimerQueue, MayPutOthersOfTheSameBatchOff) {
  TimerQueue queue;
  Alarm second;
  Alarm first([&](Alarm&) { queue.arm(second, 50); });
  queue.arm(first, 1);
  queue.arm(second, 2);
  queue.expire(10);
  EXPECT_TRUE(second.rung.empty());
  EXPECT_EQ(queue.next_due(), 50);
  queue.expire(50);
  EXPECT_EQ(second.rung, std::vector<TimePoint>{50});
}

TEST(TimerQueue, ArmingAnotherOfTheSameBatchForItsOwnTimeChangesNothing) {
  TimerQueue queue;
  Alarm second;
  Alarm first([&](Alarm&) { queue.arm(second, 2); });
  queue.arm(first, 1);
  queue.arm(second, 2);
  queue.expire(10);
  EXPECT_EQ(second.rung.size(), 1U);
  queue.expire(10);
  EXPECT_EQ(second.rung.size(), 1U);
}

TEST(TimerQueue, MayDestroyOthersOfTheSameBatch) {
  TimerQueue queue;
  auto second = std::make_unique<Alarm>();
  Alarm first([&](Alarm&) { second.reset(); });
  queue.arm(first, 1);
  queue.arm(*second, 2);
  queue.expire(10);
  EXPECT_EQ(first.rung.size(), 1U);
}

TEST(TimerQueue, MayDestroyItself) {
  TimerQueue queue;
  std::unique_ptr<Alarm> alarm;
  alarm = std::make_unique<Alarm>([&alarm](Alarm&) { alarm.reset(); });
  queue.arm(*alarm, 1);
  queue.expire(1);
  EXPECT_EQ(alarm, nullptr);
}

TEST(TimerQueue, ADestroyedTimerIsGone) {
  TimerQueue queue;
  {
    Alarm alarm;
    queue.arm(alarm, 1);
  }
  EXPECT_TRUE(queue.empty());
  queue.expire(10);
}

TEST(TimerQueue, AHundredThousandEachAtTheirTime) {
  TimerQueue queue;
  std::vector<Alarm> alarms(100'000);
  std::mt19937 random(3);
  std::vector<TimePoint> dues;
  for (Alarm& alarm : alarms) {
    dues.push_back(static_cast<TimePoint>(random() % 1000));
    queue.arm(alarm, dues.back());
  }
  EXPECT_EQ(queue.size(), alarms.size());
  for (TimePoint now = 0; now < 1000; now += 10) queue.expire(now);
  queue.expire(1000);
  for (size_t i = 0; i < alarms.size(); ++i) {
    ASSERT_EQ(alarms[i].rung.size(), 1U);
    ASSERT_LT(alarms[i].rung[0] - dues[i], 10);
  }
}

class TimerQueueRandom : public testing::TestWithParam<uint32_t> {};

TEST_P(TimerQueueRandom, AgreesWithAModel) {
  std::mt19937 random(GetParam());
  TimerQueue queue;
  constexpr size_t kAlarms = 200;
  std::vector<TimePoint> model(kAlarms, kNever);  // when each is due
  std::vector<std::unique_ptr<Alarm>> alarms;
  auto disturb = [&](size_t victim, TimePoint now) {
    if (random() % 3 == 0) {
      queue.disarm(*alarms[victim]);
      model[victim] = kNever;
    } else {
      model[victim] = now + static_cast<TimePoint>(random() % 300);
      queue.arm(*alarms[victim], model[victim]);
    }
  };
  TimePoint now = 0;
  for (size_t i = 0; i < kAlarms; ++i) {
    alarms.push_back(std::make_unique<Alarm>([&, i](Alarm&) {
      ASSERT_LE(model[i], now);
      model[i] = kNever;
      if (random() % 4 == 0) disturb(random() % kAlarms, now + 1);
    }));
  }
  for (int step = 0; step < 20'000; ++step) {
    disturb(random() % kAlarms, now);
    if (random() % 4 == 0) {
      now += static_cast<TimePoint>(random() % 20);
      queue.expire(now);
      ASSERT_GT(*std::min_element(model.begin(), model.end()), now) << "late";
    }
    ASSERT_EQ(queue.next_due(), *std::min_element(model.begin(), model.end()));
    ASSERT_EQ(queue.size(), kAlarms - static_cast<size_t>(std::count(model.begin(), model.end(), kNever)));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TimerQueueRandom, testing::Range(0U, 5U));

}  // namespace
}  // namespace hc
