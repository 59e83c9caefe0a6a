// Completion queues: what their descriptor says, and who outlives whom.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <ctime>
#include <set>

#include "serve/http_server.h"
#include "support/client.h"
#include "support/process.h"

namespace hc::test {
namespace {

bool is_readable(int fd, int timeout_ms = 0) {
  pollfd one{fd, POLLIN, 0};
  return poll(&one, 1, timeout_ms) == 1 && (one.revents & POLLIN) != 0;
}

class QueueTest : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }

  size_t wait(Queue& queue, uint64_t timeout_ms = 30'000) {
    size_t ready = 99;
    EXPECT_EQ(hc_queue_wait(queue.get(), timeout_ms, &ready), HC_OK);
    return ready;
  }
  void wait_for(Queue& queue, size_t count) {
    EXPECT_TRUE(eventually([&] { return wait(queue) >= count; }));
  }
  std::vector<Outcome> drain(Queue& queue, size_t capacity) {
    std::vector<hc_completion> items(capacity);
    size_t count = 0;
    EXPECT_EQ(hc_queue_drain(queue.get(), items.data(), sizeof items[0], capacity, &count), HC_OK);
    std::vector<Outcome> outcomes;
    for (size_t i = 0; i < count; ++i) outcomes.push_back(Outcome::of(items[i]));
    return outcomes;
  }

  serve::HttpServer server_;
  Client client_;
};

TEST_F(QueueTest, DescriptorIsReadableExactlyWhileSomethingWaits) {
  int fd = hc_queue_fd(client_.queue().get());
  ASSERT_GE(fd, 0);
  EXPECT_FALSE(is_readable(fd));
  for (int i = 0; i < 3; ++i) client_.submit(server_.url(0, "/bytes/1"));
  EXPECT_TRUE(is_readable(fd, 30'000));
  wait_for(client_.queue(), 3);
  for (int left = 3; left > 0; --left) {
    EXPECT_TRUE(is_readable(fd)) << left;
    EXPECT_EQ(drain(client_.queue(), 1).size(), 1u);
  }
  EXPECT_FALSE(is_readable(fd));
  EXPECT_EQ(drain(client_.queue(), 1).size(), 0u);
  client_.submit(server_.url(0, "/bytes/1"));
  EXPECT_TRUE(is_readable(fd, 30'000));
}

// Go's poller and Node's event loop close what they watch, so they get a copy.
TEST_F(QueueTest, ACopyOfTheDescriptorTellsTheSameAndMayBeClosed) {
  const int copy = dup(hc_queue_fd(client_.queue().get()));
  ASSERT_GE(copy, 0);
  EXPECT_FALSE(is_readable(copy));
  client_.submit(server_.url(0, "/bytes/1"));
  EXPECT_TRUE(is_readable(copy, 30'000));
  EXPECT_EQ(drain(client_.queue(), 10).size(), 1u);
  EXPECT_FALSE(is_readable(copy));
  close(copy);
  client_.submit(server_.url(0, "/bytes/1"));
  EXPECT_TRUE(is_readable(hc_queue_fd(client_.queue().get()), 30'000));
}

TEST_F(QueueTest, ALoopThatIsToldOfChangesOnlyMissesNothingIfItDrainsToTheEnd) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event interest{};
  interest.events = EPOLLIN | EPOLLET;
  ASSERT_EQ(epoll_ctl(epoll, EPOLL_CTL_ADD, hc_queue_fd(client_.queue().get()), &interest), 0);
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    const int submitted = 1 + round % 3;
    for (int i = 0; i < submitted; ++i) client_.submit(server_.url(0, "/bytes/1"));
    for (size_t taken = 0; taken < static_cast<size_t>(submitted);) {
      epoll_event told{};
      ASSERT_EQ(epoll_wait(epoll, &told, 1, 30'000), 1) << "round " << round;
      for (size_t part = 1; part > 0; taken += part) part = drain(client_.queue(), 1).size();
    }
  }
  close(epoll);
}

TEST_F(QueueTest, ReadingTheDescriptorByHandIsHarmless) {
  int fd = hc_queue_fd(client_.queue().get());
  for (int i = 0; i < 3; ++i) client_.submit(server_.url(0, "/bytes/1"));
  wait_for(client_.queue(), 3);
  char bytes[64];
  EXPECT_GT(read(fd, bytes, sizeof bytes), 0);
  EXPECT_LT(read(fd, bytes, sizeof bytes), 0);  // it does not block
  EXPECT_EQ(wait(client_.queue(), 0), 3u);
  EXPECT_EQ(drain(client_.queue(), 1).size(), 1u);
  EXPECT_TRUE(is_readable(fd)) << "two still wait";
  EXPECT_EQ(drain(client_.queue(), 10).size(), 2u);
  EXPECT_FALSE(is_readable(fd));
  client_.submit(server_.url(0, "/bytes/1"));
  EXPECT_TRUE(is_readable(fd, 30'000));
}

TEST_F(QueueTest, WhatComesAfterReadingByHandIsSeen) {
  int fd = hc_queue_fd(client_.queue().get());
  client_.submit(server_.url(0, "/bytes/1"));
  wait_for(client_.queue(), 1);
  char bytes[64];
  EXPECT_GT(read(fd, bytes, sizeof bytes), 0);
  client_.submit(server_.url(0, "/bytes/1"));
  EXPECT_TRUE(is_readable(fd, 5'000)) << "a new completion, and the loop that watches the descriptor sleeps";
  wait_for(client_.queue(), 2);
}

TEST_F(QueueTest, DrainInSmallPiecesGivesEachOnceInOrder) {
  std::set<hc_id> ids;
  for (int i = 0; i < 100; ++i) ids.insert(client_.submit(server_.url(0, "/bytes/1")));
  wait_for(client_.queue(), 100);
  std::set<hc_id> seen;
  for (size_t capacity = 1; seen.size() < 100; capacity = capacity % 7 + 1) {
    std::vector<Outcome> piece = drain(client_.queue(), capacity);
    ASSERT_LE(piece.size(), capacity);
    ASSERT_FALSE(piece.empty());
    for (const Outcome& outcome : piece) {
      EXPECT_TRUE(is(outcome, HC_OK));
      EXPECT_TRUE(seen.insert(outcome.id).second);
    }
  }
  EXPECT_EQ(seen, ids);
}

TEST_F(QueueTest, DrainRefusesWhatMakesNoSense) {
  hc_completion item;
  size_t count = 42;
  hc_queue* queue = client_.queue().get();
  EXPECT_EQ(hc_queue_drain(queue, &item, sizeof item, 0, &count), HC_E_INVALID);
  EXPECT_EQ(hc_queue_drain(queue, &item, sizeof item - 8, 1, &count), HC_E_INVALID);
  EXPECT_EQ(hc_queue_drain(queue, &item, sizeof item + 8, 1, &count), HC_E_INVALID);
  EXPECT_EQ(hc_queue_drain(queue, &item, 0, 1, &count), HC_E_INVALID);
  EXPECT_EQ(count, 42u);
}

TEST_F(QueueTest, WaitEndsWithItsTimeoutAndNotBefore) {
  for (uint64_t timeout : {0, 1, 30, 120}) {
    Stopwatch watch;
    EXPECT_EQ(wait(client_.queue(), timeout), 0u);
    EXPECT_GE(watch.elapsed().count() + 1, static_cast<int64_t>(timeout));
  }
}

TEST_F(QueueTest, WaitForeverEndsWithACompletion) {
  client_.submit(server_.url(0, "/delay/50"));
  EXPECT_EQ(wait(client_.queue(), HC_FOREVER), 1u);
  EXPECT_EQ(hc_queue_wait(client_.queue().get(), 0, nullptr), HC_OK);
}

// The byte that makes the descriptor readable is written after the completion is in: one who takes it at once leaves
// a byte behind, and a wait must not run in circles around it.
TEST_F(QueueTest, WaitSleepsAlsoAfterAHastyDrain) {
  auto cpu_time = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return milliseconds(time.tv_sec * 1'000 + time.tv_nsec / 1'000'000);
  };
  milliseconds used{0};
  for (int round = 0; round < 60; ++round) {
    client_.submit(server_.url(0, "/bytes/1"));
    while (drain(client_.queue(), 1).empty()) {
    }
    milliseconds before = cpu_time();
    EXPECT_EQ(wait(client_.queue(), 20), 0u);
    used += cpu_time() - before;
  }
  EXPECT_LT(used, milliseconds(60)) << "of 1200 ms spent waiting";
}

TEST_F(QueueTest, OneSessionDeliversToSeveralQueues) {
  Queue other;
  hc_id mine = client_.submit(server_.url(0, "/bytes/1"));
  hc_id theirs = client_.submit(server_.url(0, "/bytes/2"), [&](hc_request& r) { r.queue = other.get(); });
  EXPECT_EQ(other.wait(theirs).body.size(), 2u);
  EXPECT_EQ(client_.wait(mine).body.size(), 1u);
  EXPECT_TRUE(other.take_ready().empty());
  EXPECT_TRUE(client_.queue().take_ready().empty());
}

TEST_F(QueueTest, SeveralSessionsDeliverToOneQueue) {
  Client second;
  int mark = 0;
  for (int i = 0; i < 20; ++i) {
    client_.submit(server_.url(0, "/bytes/1"));
    second.submit(server_.url(0, "/bytes/2"), [&](hc_request& r) {
      r.queue = client_.queue().get();
      r.user_data = &mark;
    });
  }
  size_t of_second = 0;
  for (const Outcome& outcome : client_.collect(40)) {
    EXPECT_TRUE(is(outcome, HC_OK));
    EXPECT_EQ(outcome.user_data == &mark, outcome.body.size() == 2);
    of_second += outcome.user_data == &mark ? 1 : 0;
  }
  EXPECT_EQ(of_second, 20u);
}

TEST_F(QueueTest, ClosingCancelsWhatWouldComeToIt) {
  LeakCheck leaks;
  {
    Client client([](hc_session_options& o) { o.limit = 2; });
    Queue doomed;
    auto to_doomed = [&](hc_request& r) { r.queue = doomed.get(); };
    for (int i = 0; i < 5; ++i) client.submit(server_.url(0, "/hang"), to_doomed);
    ASSERT_TRUE(server_.wait_until([](const serve::Counters& c) { return c.requests == 2; }));
    hc_id kept = client.submit(server_.url(0, "/bytes/3"));
    doomed.close();
    EXPECT_TRUE(is(client.wait(kept), HC_OK));  // the slots are free again
    EXPECT_TRUE(client.stats_become([](const hc_stats& s) { return s.cancelled == 5 && s.in_flight == 0; }));
  }
}

TEST_F(QueueTest, ClosingReleasesWhatWasNotTaken) {
  LeakCheck leaks;
  Client client;
  for (int i = 0; i < 10; ++i) client.submit(server_.url(0, "/bytes/100"));
  wait_for(client.queue(), 10);
  client.close();
  // The destructor closes the queue; the sanitizer sees what would leak.
}

TEST_F(QueueTest, ResponsesOutliveQueueAndSession) {
  std::vector<Outcome> kept;
  {
    Client client;
    Outcome answered = client.fetch(server_.url(0, "/bytes/1000"));
    Outcome failed = client.fetch("http://127.0.0.1:1/");
    kept = {answered, failed};
  }
  server_.stop();
  EXPECT_EQ(text(hc_response_body(kept[0].response.get())), serve::pattern(1000));
  EXPECT_EQ(kept[0].header("content-length"), "1000");
  EXPECT_EQ(text(kept[0].info().remote_address), "127.0.0.1");
  EXPECT_TRUE(is(kept[1], HC_E_CONNECT, HC_PHASE_CONNECTING));
}

TEST_F(QueueTest, AClosedQueueOfALivingSessionDoesNotDisturbIt) {
  for (int round = 0; round < 20; ++round) {
    Queue brief;
    for (int i = 0; i < 5; ++i) {
      client_.submit(server_.url(0, "/bytes/1"), [&](hc_request& r) { r.queue = brief.get(); });
    }
    brief.close();
  }
  EXPECT_TRUE(is(client_.fetch(server_.url(0, "/bytes/1")), HC_OK));
  EXPECT_TRUE(client_.stats_become([](const hc_stats& s) { return s.in_flight == 0; }));
}

}  // namespace
}  // namespace hc::test
