#include "adapter/system_resolver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/resolver_loop.h"
#include "support/process.h"

namespace hc {
namespace {

/// A getaddrinfo() that answers when the test says so.
class Gate {
 public:
  LookupResult pass(const std::string&, Family) {
    std::unique_lock lock(mutex_);
    most_inside_ = std::max(most_inside_, ++inside_);
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
    --inside_;
    LookupResult result;
    result.addresses = {IpAddress::loopback(Family::kV4)};
    return result;
  }
  void open() {
    std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void wait_until_inside(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ == count; });
  }
  size_t most_inside() {
    std::lock_guard lock(mutex_);
    return most_inside_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t inside_ = 0;
  size_t most_inside_ = 0;
  bool is_open_ = false;
};

class SystemResolverTest : public testing::Test {
 protected:
  SystemResolverOptions through_gate() {
    SystemResolverOptions options;
    options.blocking_lookup = [gate = gate](const std::string& host, Family family) {
      return gate->pass(host, family);
    };
    return options;
  }
  /// One thread, which is inside `busy`, and a clock that stands still.
  void make_with_one_busy_thread(Lookup& busy) {
    SystemResolverOptions options = through_gate();
    options.max_threads = 1;
    options.now = [time = time] { return time->load(); };
    make(std::move(options));
    resolver->lookup("busy.local", Family::kAny, busy.done());
    gate->wait_until_inside(1);
  }
  void make(SystemResolverOptions options) {
    resolver = std::make_unique<SystemResolver>(loop.post(), std::move(options));
  }

  ResolverLoop loop;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  std::shared_ptr<std::atomic<TimePoint>> time = std::make_shared<std::atomic<TimePoint>>(1000 * kSecond);
  std::unique_ptr<SystemResolver> resolver;
};

TEST_F(SystemResolverTest, AsksTheSystem) {
  make({});
  Lookup lookup;
  resolver->lookup("localhost", Family::kV4, lookup.done());
  ASSERT_TRUE(loop.run_until([&] { return lookup.is_done; }));
  EXPECT_EQ(text_of(lookup.result), "127.0.0.1");
  EXPECT_EQ(lookup.result.ttl, kNever);
}

// "example..test" is refused before any server is asked, so this needs no network.
TEST_F(SystemResolverTest, TellsWhatTheSystemSaid) {
  make({});
  Lookup lookup;
  resolver->lookup("example..test", Family::kAny, lookup.done());
  ASSERT_TRUE(loop.run_until([&] { return lookup.is_done; }));
  EXPECT_EQ(lookup.result.status.code(), HC_E_DNS);
  EXPECT_EQ(lookup.result.status.native_domain(), HC_NATIVE_GAI);
  EXPECT_NE(lookup.result.status.native_code(), 0);
  EXPECT_NE(lookup.result.status.message().find("(getaddrinfo)"), std::string::npos);
}

TEST_F(SystemResolverTest, AnswersOnTheLoopThread) {
  gate->open();
  make(through_gate());
  std::thread::id answered_on;
  resolver->lookup("a.local", Family::kAny, [&](LookupResult) { answered_on = std::this_thread::get_id(); });
  EXPECT_EQ(answered_on, std::thread::id());
  EXPECT_TRUE(loop.run_until([&] { return answered_on != std::thread::id(); }));
  EXPECT_EQ(answered_on, std::this_thread::get_id());
}

TEST_F(SystemResolverTest, MakesNoThreadUntilItIsAsked) {
  size_t before = test::thread_count();
  make(through_gate());
  EXPECT_EQ(test::thread_count(), before);
}

TEST_F(SystemResolverTest, UsesAtMostFourThreads) {
  make(through_gate());
  std::vector<Lookup> lookups(20);
  for (Lookup& lookup : lookups) resolver->lookup("a.local", Family::kAny, lookup.done());
  gate->wait_until_inside(4);
  EXPECT_EQ(resolver->threads(), 4U);
  gate->open();
  EXPECT_TRUE(loop.run_until([&] {
    return std::all_of(lookups.begin(), lookups.end(), [](const Lookup& lookup) { return lookup.is_done; });
  }));
  EXPECT_EQ(gate->most_inside(), 4U);
}

TEST_F(SystemResolverTest, DoesNotAskForWhatHasWaitedTenSecondsForAThread) {
  Lookup busy;
  Lookup old;
  Lookup young;
  make_with_one_busy_thread(busy);
  resolver->lookup("old.local", Family::kAny, old.done());
  *time += 1;
  resolver->lookup("young.local", Family::kAny, young.done());
  *time += 10 * kSecond - 1;
  gate->open();
  ASSERT_TRUE(loop.run_until([&] { return busy.is_done && old.is_done && young.is_done; }));
  EXPECT_EQ(text_of(busy.result), "127.0.0.1") << "it was under way";
  EXPECT_EQ(old.result.status.code(), HC_E_DNS);
  EXPECT_EQ(text_of(old.result), "no thread for getaddrinfo was free within 10.000 s");
  EXPECT_FALSE(old.result.is_no_such_name);
  EXPECT_EQ(text_of(young.result), "127.0.0.1");
}

TEST_F(SystemResolverTest, KeepsNoLineOfOldLookupsBehindAThreadThatHangs) {
  Lookup busy;
  Lookup next;
  make_with_one_busy_thread(busy);
  std::vector<Lookup> old(100);
  for (Lookup& lookup : old) resolver->lookup("old.local", Family::kAny, lookup.done());
  *time += 10 * kSecond;
  resolver->lookup("next.local", Family::kAny, next.done());
  EXPECT_TRUE(loop.run_until([&] {
    return std::all_of(old.begin(), old.end(), [](const Lookup& lookup) { return lookup.is_done; });
  }));
  EXPECT_FALSE(busy.is_done);
  EXPECT_FALSE(next.is_done);
  gate->open();
  EXPECT_TRUE(loop.run_until([&] { return busy.is_done && next.is_done; }));
  EXPECT_EQ(text_of(next.result), "127.0.0.1");
}

TEST_F(SystemResolverTest, UsesAnIdleThreadAgain) {
  gate->open();
  make(through_gate());
  for (int i = 0; i < 20; ++i) {
    Lookup lookup;
    resolver->lookup("a.local", Family::kAny, lookup.done());
    EXPECT_TRUE(loop.run_until([&] { return lookup.is_done; }));
  }
  // The thread may not have become idle yet when the next lookup comes, but not twenty times.
  EXPECT_LE(resolver->threads(), 4U);
}

TEST_F(SystemResolverTest, EndsIdleThreads) {
  gate->open();
  SystemResolverOptions options = through_gate();
  options.idle_time = kMillisecond;
  make(std::move(options));
  Lookup lookup;
  resolver->lookup("a.local", Family::kAny, lookup.done());
  EXPECT_TRUE(loop.run_until([&] { return lookup.is_done; }));
  // Nothing tells the loop that a thread ended: look now and then.
  for (int i = 0; i < 2000 && resolver->threads() > 0; ++i) loop.run_for(kMillisecond);
  EXPECT_EQ(resolver->threads(), 0U);
  Lookup again;
  resolver->lookup("a.local", Family::kAny, again.done());
  EXPECT_TRUE(loop.run_until([&] { return again.is_done; }));
}

TEST_F(SystemResolverTest, HasNoThreadAfterItsEnd) {
  size_t before = test::thread_count();
  make(through_gate());
  std::vector<Lookup> lookups(10);
  for (Lookup& lookup : lookups) resolver->lookup("a.local", Family::kAny, lookup.done());
  gate->wait_until_inside(4);
  std::thread opener([this] { gate->open(); });
  resolver.reset();
  opener.join();
  EXPECT_EQ(test::thread_count(), before);
  loop.run_for(5 * kMillisecond);
  for (const Lookup& lookup : lookups) EXPECT_FALSE(lookup.is_done);
}

TEST_F(SystemResolverTest, LeavesAThreadThatDoesNotEndWithinTheGrace) {
  size_t before = test::thread_count();
  SystemResolverOptions options = through_gate();
  options.grace = 10 * kMillisecond;
  make(std::move(options));
  Lookup lookup;
  resolver->lookup("a.local", Family::kAny, lookup.done());
  gate->wait_until_inside(1);
  resolver.reset();
  gate->open();
  // A detached thread cannot be joined: look until it is gone.
  for (int i = 0; i < 5000 && test::thread_count() > before; ++i) loop.run_for(kMillisecond);
  EXPECT_EQ(test::thread_count(), before);
  EXPECT_FALSE(lookup.is_done);
}

TEST_F(SystemResolverTest, RunsItsThreadsWithSignalsBlocked) {
  std::atomic<bool> is_blocked{false};
  SystemResolverOptions options;
  options.blocking_lookup = [&](const std::string&, Family) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    is_blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGCHLD) == 1;
    return LookupResult{};
  };
  make(std::move(options));
  Lookup lookup;
  resolver->lookup("a.local", Family::kAny, lookup.done());
  EXPECT_TRUE(loop.run_until([&] { return lookup.is_done; }));
  EXPECT_TRUE(is_blocked);
}

}  // namespace
}  // namespace hc
