#include "event/poller.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace hc {
namespace {

class Watcher final : public FdWatcher {
 public:
  void on_ready(int fd, uint8_t readiness) override {
    events.emplace_back(fd, readiness);
    if (then) then();
  }

  std::vector<std::pair<int, uint8_t>> events;
  std::function<void()> then;
};

struct Pair {
  Pair() {
    int both[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both), 0);
    here.reset(both[0]);
    there.reset(both[1]);
  }
  void send() { EXPECT_EQ(write(there.get(), "x", 1), 1); }
  Fd here;
  Fd there;
};

class PollerTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(Poller::create(&poller).is_ok()); }
  void look() {
    poller.flush();
    poller.wait(0);
    poller.dispatch();
  }

  Poller poller;
  Watcher watcher;
  Watcher other;
  Pair pair;
};

TEST_F(PollerTest, TellsWhatIsReady) {
  poller.watch(pair.here.get(), watcher, kReadable);
  look();
  EXPECT_TRUE(watcher.events.empty());
  pair.send();
  look();
  ASSERT_EQ(watcher.events.size(), 1U);
  EXPECT_EQ(watcher.events[0], std::pair(pair.here.get(), uint8_t{kReadable}));
}

TEST_F(PollerTest, WritableIsItsOwnInterest) {
  poller.watch(pair.here.get(), watcher, kWritable);
  look();
  ASSERT_EQ(watcher.events.size(), 1U);
  EXPECT_EQ(watcher.events[0].second, kWritable);
  pair.send();
  poller.watch(pair.here.get(), watcher, kReadable | kWritable);
  look();
  EXPECT_EQ(watcher.events[1].second, kReadable | kWritable);
}

TEST_F(PollerTest, IsLevelTriggered) {
  poller.watch(pair.here.get(), watcher, kReadable);
  pair.send();
  for (int i = 0; i < 3; ++i) look();
  EXPECT_EQ(watcher.events.size(), 3U);
}

TEST_F(PollerTest, AHangUpIsReportedEvenWithoutInterest) {
  poller.watch(pair.here.get(), watcher, 0);
  pair.there.reset();
  look();
  ASSERT_EQ(watcher.events.size(), 1U);
  EXPECT_NE(watcher.events[0].second & kBroken, 0);
}

TEST_F(PollerTest, NothingHappensBeforeFlush) {
  pair.send();
  poller.watch(pair.here.get(), watcher, kReadable);
  poller.wait(0);
  EXPECT_TRUE(poller.found_nothing());
  poller.dispatch();
  EXPECT_TRUE(watcher.events.empty());
  look();
  EXPECT_EQ(watcher.events.size(), 1U);
}

TEST_F(PollerTest, TheLastInterestCounts) {
  poller.watch(pair.here.get(), watcher, kWritable);
  poller.watch(pair.here.get(), watcher, kReadable);
  look();
  EXPECT_TRUE(watcher.events.empty());
  poller.watch(pair.here.get(), watcher, kWritable);
  poller.watch(pair.here.get(), watcher, kReadable);
  look();
  EXPECT_TRUE(watcher.events.empty());
  pair.send();
  look();
  EXPECT_EQ(watcher.events.size(), 1U);
}

TEST_F(PollerTest, ForgottenMeansNoMoreEvents) {
  poller.watch(pair.here.get(), watcher, kReadable);
  pair.send();
  look();
  poller.forget(pair.here.get(), watcher);
  EXPECT_FALSE(poller.is_watched(pair.here.get()));
  look();
  EXPECT_EQ(watcher.events.size(), 1U);
  poller.forget(pair.here.get(), watcher);
}

TEST_F(PollerTest, ForgottenBeforeFlushWasNeverWatched) {
  pair.send();
  poller.watch(pair.here.get(), watcher, kReadable);
  poller.forget(pair.here.get(), watcher);
  look();
  EXPECT_TRUE(watcher.events.empty());
}

TEST_F(PollerTest, ForgottenAndWatchedAgainBeforeFlush) {
  poller.watch(pair.here.get(), watcher, kReadable);
  poller.forget(pair.here.get(), watcher);
  poller.watch(pair.here.get(), other, kReadable);
  pair.send();
  look();
  EXPECT_TRUE(watcher.events.empty());
  EXPECT_EQ(other.events.size(), 1U);
}

TEST_F(PollerTest, AForgottenClosedDescriptorsNumberMayBeAnothers) {
  int number = pair.here.get();
  poller.watch(number, watcher, kReadable);
  poller.flush();
  pair.here.reset();
  poller.forget_closed(number, watcher);
  EXPECT_FALSE(poller.is_watched(number));
  Pair second;
  ASSERT_EQ(second.here.get(), number) << "the kernel gives out the smallest free number";
  poller.watch(number, watcher, kReadable);
  second.send();
  look();
  EXPECT_EQ(watcher.events.size(), 1U);
}

TEST_F(PollerTest, OnlyItsWatcherMayForgetADescriptor) {
  poller.watch(pair.here.get(), watcher, kReadable);
  poller.forget(pair.here.get(), other);
  EXPECT_TRUE(poller.is_watched(pair.here.get()));
}

TEST_F(PollerTest, AnEventMeetsOnlyTheRegistrationItWasReportedFor) {
  int number = pair.here.get();
  poller.watch(number, watcher, kReadable);
  pair.send();
  poller.flush();
  poller.wait(0);
  poller.forget(number, watcher);
  poller.watch(number, other, kReadable);
  poller.dispatch();
  EXPECT_TRUE(watcher.events.empty());
  EXPECT_TRUE(other.events.empty()) << "a stale event";
  look();
  EXPECT_EQ(other.events.size(), 1U);
}

TEST_F(PollerTest, AWatcherMayForgetAnotherOfTheSameBatch) {
  Pair second;
  auto forget_both = [&] {
    poller.forget(pair.here.get(), watcher);
    poller.forget(second.here.get(), other);
  };
  watcher.then = other.then = forget_both;
  poller.watch(pair.here.get(), watcher, kReadable);
  poller.watch(second.here.get(), other, kReadable);
  pair.send();
  second.send();
  look();
  EXPECT_EQ(watcher.events.size() + other.events.size(), 1U);
}

TEST_F(PollerTest, ADescriptorOfTheSameNumberIsRegisteredAnew) {
  int number = pair.here.get();
  poller.watch(number, watcher, kReadable);
  look();
  poller.forget(number, watcher);
  Pair fresh;
  ASSERT_EQ(dup2(fresh.here.get(), number), number);
  poller.watch(number, watcher, kReadable);
  fresh.send();
  look();
  EXPECT_EQ(watcher.events.size(), 1U);
}

TEST_F(PollerTest, ANumberTakenOverWithoutAWordIsRegisteredAnew) {
  int number = pair.here.get();
  poller.watch(number, watcher, kReadable);
  look();
  Pair fresh;
  ASSERT_EQ(dup2(fresh.here.get(), number), number);  // closes what was there
  poller.watch(number, other, kReadable);
  fresh.send();
  look();
  EXPECT_TRUE(watcher.events.empty());
  EXPECT_EQ(other.events.size(), 1U);
  poller.forget(number, watcher);
  EXPECT_TRUE(poller.is_watched(number)) << "somebody else watches it by now";
}

TEST_F(PollerTest, ANumberTakenOverWithAnotherInterestIsRegisteredAnew) {
  int number = pair.here.get();
  poller.watch(number, watcher, kReadable);
  look();
  Pair fresh;
  ASSERT_EQ(dup2(fresh.here.get(), number), number);
  poller.watch(number, other, kWritable);
  look();
  EXPECT_EQ(other.events.size(), 1U);
}

TEST_F(PollerTest, MoreThanOneBatchIsFoundInTheEnd) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  constexpr size_t kCount = 100;
  if (limit.rlim_cur < kCount + 100) GTEST_SKIP() << "too few descriptors";
  std::vector<Fd> events;
  Watcher once;
  for (size_t i = 0; i < kCount; ++i) {
    events.emplace_back(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
    ASSERT_TRUE(events.back().is_open());
    poller.watch(events.back().get(), once, kReadable);
  }
  once.then = [&] { poller.forget(once.events.back().first, once); };
  look();
  look();
  EXPECT_EQ(once.events.size(), kCount);
}

TEST_F(PollerTest, WaitsNoLessThanAskedFor) {
  SystemClock clock;
  TimePoint start = clock.now();
  poller.wait(kMillisecond + 1);  // two whole ms: a timer is never met early
  EXPECT_GE(clock.now() - start, kMillisecond + 1);
  EXPECT_TRUE(poller.found_nothing());
}

TEST_F(PollerTest, UnknownDescriptorsAreNotWatched) {
  EXPECT_FALSE(poller.is_watched(0));
  EXPECT_FALSE(poller.is_watched(100'000));
  poller.forget(100'000, watcher);
}

}  // namespace
}  // namespace hc
