// The ways to end a session, with a lot going on: each accepted request is completed exactly once before close
// returns, and nothing is left.
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "serve/http_server.h"
#include "stress/stress.h"
#include "support/process.h"

namespace hc::test {
namespace {

using namespace std::chrono_literals;

// What the program itself, its server and its sessions need beside the sockets.
constexpr size_t kSpareDescriptors = 600;
constexpr size_t kMany = 10'000;

// A server whose /gate answers when it is told to.
class CloseTest : public testing::Test {
 protected:
  void SetUp() override {
    limit_ = raise_descriptor_limit();
    server_.handle("/gate", [this](const serve::RequestView&, serve::ResponseWriter& writer) {
      writer.stream([this](serve::ResponseWriter& more) {
        if (is_open_) {
          more.respond_text("through\n");
          return false;
        }
        more.wait(100ms);
        return true;
      });
    });
    server_.start();
  }

  // Both ends of a connection are in this process; the library takes 80 % of all descriptors at most.
  size_t in_flight() const { return std::min(scaled(kMany), (limit_ - kSpareDescriptors) / 2); }

  // Fills the session's connections with requests to `path`, and lines up as many as `waiting`.
  void fill(hc_session* session, hc_queue* queue, Receipts& receipts, size_t waiting, const char* path) {
    std::string url = server_.url(0, path);
    hc_request request = make_request(url);
    request.queue = queue;
    for (size_t i = 0; i < in_flight() + waiting; ++i) {
      request.user_data = receipts.ticket(i);
      ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
    }
    ASSERT_TRUE(eventually([&] { return stats_of(session).sockets_in_use == in_flight(); }, 120s))
        << stats_of(session).sockets_in_use;
    ASSERT_TRUE(server_.wait_until(
        [&](const serve::Counters& counters) { return counters.requests == in_flight(); }, 120s));
    // The loop may still have mail to read.
    EXPECT_TRUE(eventually([&] { return stats_of(session).waiting == waiting; }))
        << stats_of(session).waiting;
  }

  SessionSetup full_house() const {
    return [this](hc_session_options& options) {
      options.limit = in_flight();
      options.timeouts.total_ms = 0;
      options.timeouts.sock_connect_ms = 0;
    };
  }

  size_t limit_ = 0;
  std::atomic<bool> is_open_{false};
  serve::HttpServer server_;
};

void expect_nothing_left(hc_session* session) {
  hc_stats stats = stats_of(session);
  EXPECT_EQ(stats.in_flight, 0u);
  EXPECT_EQ(stats.waiting, 0u);
  EXPECT_EQ(stats.sockets_opened, stats.sockets_closed);
}

TEST_F(CloseTest, WithoutDrainTenThousandRunningAndTenThousandWaiting) {
  LeakCheck leaks;
  const size_t waiting = scaled(kMany);
  Receipts receipts(in_flight() + waiting);
  Queue queue;
  hc_session* session = make_session(full_house());
  fill(session, queue.get(), receipts, waiting, "/hang");
  Stopwatch watch;
  EXPECT_EQ(hc_session_close(session, 0), HC_OK);
  RecordProperty("close_ms", static_cast<int>(watch.elapsed().count()));
  drain_ready(queue.get(), [&](const hc_completion& item) { receipts.take(item); });
  receipts.expect_each_once();
  EXPECT_EQ(receipts.total(HC_E_CANCELLED), in_flight());
  EXPECT_EQ(receipts.total(HC_E_CLOSED), waiting);
  expect_nothing_left(session);
  hc_session_free(session);
}

TEST_F(CloseTest, ADrainThatSufficesLetsTheRunningOnesFinish) {
  LeakCheck leaks;
  const size_t waiting = scaled(kMany);
  Receipts receipts(in_flight() + waiting);
  Queue queue;
  hc_session* session = make_session(full_house());
  fill(session, queue.get(), receipts, waiting, "/gate");
  auto closing = std::async(std::launch::async, [&] { return hc_session_close(session, HC_FOREVER); });
  EXPECT_TRUE(eventually([&] { return stats_of(session).waiting == 0; }));
  is_open_ = true;
  EXPECT_EQ(closing.get(), HC_OK);
  drain_ready(queue.get(), [&](const hc_completion& item) { receipts.take(item); });
  receipts.expect_each_once();
  EXPECT_EQ(receipts.total(HC_OK), in_flight());
  EXPECT_EQ(receipts.total(HC_E_CLOSED), waiting);
  expect_nothing_left(session);
  hc_session_free(session);
}

TEST_F(CloseTest, ADrainThatDoesNotSufficeEnds) {
  LeakCheck leaks;
  const size_t waiting = scaled(kMany);
  Receipts receipts(in_flight() + waiting);
  Queue queue;
  hc_session* session = make_session(full_house());
  fill(session, queue.get(), receipts, waiting, "/hang");
  Stopwatch watch;
  EXPECT_EQ(hc_session_close(session, 300), HC_OK);
  EXPECT_GE(watch.elapsed(), 300ms);
  drain_ready(queue.get(), [&](const hc_completion& item) { receipts.take(item); });
  receipts.expect_each_once();
  EXPECT_EQ(receipts.total(HC_E_CANCELLED), in_flight());
  EXPECT_EQ(receipts.total(HC_E_CLOSED), waiting);
  hc_session_free(session);
}

// A session to close again and again, with something of everything going on.
class SmallCloseTest : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }

  std::string url(const char* path) const { return server_.url(0, path); }
  static void limit_of_ten(hc_session_options& options) { options.limit = 10; }

  serve::HttpServer server_;
};

TEST_F(SmallCloseTest, FromManyThreadsAtOnce) {
  LeakCheck leaks;
  const std::string urls[] = {url("/hang"), url("/bytes/100"), url("/delay/3"),
                              url("/drip?bytes=50&every_ms=1")};
  for (size_t round = 0; round < scaled(100, 5); ++round) {
    constexpr size_t kRequests = 40;
    Receipts receipts(kRequests);
    Queue queue;
    hc_session* session = make_session(limit_of_ten);
    for (size_t i = 0; i < kRequests; ++i) {
      hc_request request = make_request(urls[i % 4]);
      request.queue = queue.get();
      request.user_data = receipts.ticket(i);
      ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
    }
    on_threads(8, [&](size_t thread) {
      EXPECT_EQ(hc_session_close(session, (thread + round) % 4), HC_OK);
      EXPECT_EQ(stats_of(session).in_flight, 0u) << "closed, and yet something runs";
    });
    drain_ready(queue.get(), [&](const hc_completion& item) { receipts.take(item); });
    receipts.expect_each_once();
    hc_session_free(session);
  }
}

// What was accepted before the door closed is completed, what was not never is.
TEST_F(SmallCloseTest, AgainstThreadsThatSubmit) {
  LeakCheck leaks;
  constexpr size_t kThreads = 4;
  constexpr size_t kEach = 3'000;
  const std::string target = url("/bytes/10");
  for (size_t round = 0; round < scaled(40, 4); ++round) {
    Receipts receipts(kThreads * kEach);
    std::vector<std::atomic<bool>> accepted(kThreads * kEach);
    hc_session* session = make_session(limit_of_ten);
    on_threads(kThreads + 1, [&](size_t thread) {
      if (thread == kThreads) {
        busy_wait(std::chrono::microseconds(100 * round));
        EXPECT_EQ(hc_session_close(session, round % 3), HC_OK);
        EXPECT_EQ(stats_of(session).in_flight, 0u);
        return;
      }
      hc_request request = make_request(target);
      request.on_done = Receipts::on_done;
      for (size_t i = thread * kEach; i < (thread + 1) * kEach; ++i) {
        request.user_data = receipts.ticket(i);
        hc_status status = hc_session_submit(session, &request, nullptr, nullptr);
        if (status == HC_E_CLOSED) return;
        ASSERT_EQ(status, HC_OK);
        accepted[i] = true;
      }
    });
    size_t promised = static_cast<size_t>(std::count(accepted.begin(), accepted.end(), true));
    EXPECT_EQ(receipts.total(), promised);
    EXPECT_EQ(stats_of(session).submitted, promised);
    hc_session_free(session);
  }
}

TEST_F(SmallCloseTest, CloseLeavesNoDescriptorToTheHandle) {
  Queue queue;
  size_t threads = thread_count();
  auto before = open_descriptors();
  hc_session* session = make_session();
  std::string target = url("/bytes/10");
  hc_request request = make_request(target);
  request.queue = queue.get();
  hc_id id = 0;
  ASSERT_EQ(hc_session_submit(session, &request, &id, nullptr), HC_OK);
  EXPECT_TRUE(is(queue.wait(id), HC_OK));
  EXPECT_EQ(hc_session_close(session, 0), HC_OK);
  EXPECT_EQ(thread_count(), threads);
  EXPECT_TRUE(eventually([&] { return server_.counters().connections_open == 0; }));
  EXPECT_TRUE(eventually([&] { return open_descriptors() == before; }))
      << "hc.h: when close returns, the session's descriptors are gone";
  hc_session_free(session);
}

// The kernel and glibc give the identity of an ended thread to the next one.
TEST_F(SmallCloseTest, AClosedSessionTakesNoOtherThreadForItsLoop) {
  for (int i = 0; i < 20; ++i) {
    hc_session* session = make_session();
    EXPECT_EQ(hc_session_close(session, 0), HC_OK);
    std::thread([&] {
      EXPECT_EQ(hc_session_close(session, 0), HC_OK);
      std::string target = url("/bytes/1");
      hc_request request = make_request(target);
      hc_response* response = nullptr;
      EXPECT_EQ(hc_session_perform(session, &request, &response, nullptr), HC_E_CLOSED);
    }).join();
    hc_session_free(session);
  }
}

// ---------------------------------------------------------------------------------------------- close_async

void count_up(void* counter) { ++*static_cast<std::atomic<size_t>*>(counter); }

TEST_F(SmallCloseTest, AsyncThenFree) {
  LeakCheck leaks;
  const std::string urls[] = {url("/hang"), url("/bytes/100"), url("/delay/3")};
  for (size_t round = 0; round < scaled(200, 10); ++round) {
    constexpr size_t kRequests = 30;
    Receipts receipts(kRequests);
    std::atomic<size_t> closed{0};
    hc_session* session = make_session(limit_of_ten);
    for (size_t i = 0; i < kRequests; ++i) {
      hc_request request = make_request(urls[i % 3]);
      request.on_done = Receipts::on_done;
      request.user_data = receipts.ticket(i);
      ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
    }
    EXPECT_EQ(hc_session_close_async(session, round % 5, count_up, &closed), HC_OK);
    if (round % 2 == 0) {
      EXPECT_TRUE(eventually([&] { return closed == 1; }));
    }
    hc_session_free(session);
    receipts.expect_each_once();
    EXPECT_EQ(closed, 1u);
  }
}

TEST_F(SmallCloseTest, AsyncFromManyThreadsTellsEachOnce) {
  LeakCheck leaks;
  for (size_t round = 0; round < scaled(200, 10); ++round) {
    constexpr size_t kThreads = 8;
    std::atomic<size_t> closed{0};
    hc_session* session = make_session();
    on_threads(kThreads,
               [&](size_t) { EXPECT_EQ(hc_session_close_async(session, 0, count_up, &closed), HC_OK); });
    hc_session_free(session);
    EXPECT_EQ(closed, kThreads);
  }
}

// ---------------------------------------------------------------------------------------------- on the loop

// A session that somebody on its loop thread frees.
struct Doomed {
  hc_session* session = nullptr;
  std::atomic<size_t> completions{0};
  std::atomic<size_t> closed{0};
};

void free_on_completion(const hc_completion* completion, void* self) {
  auto& doomed = *static_cast<Doomed*>(self);
  hc_response_free(completion->response);
  if (doomed.completions++ == 0) hc_session_free(doomed.session);
}

void free_on_closed(void* self) {
  auto& doomed = *static_cast<Doomed*>(self);
  hc_session_free(doomed.session);
  ++doomed.closed;
}

void close_async_on_completion(const hc_completion* completion, void* self) {
  auto& doomed = *static_cast<Doomed*>(self);
  hc_response_free(completion->response);
  if (doomed.completions++ == 0) {
    EXPECT_EQ(hc_session_close(doomed.session, 0), HC_E_DEADLOCK);
    EXPECT_EQ(hc_session_close_async(doomed.session, 0, free_on_closed, self), HC_OK);
  }
}

TEST_F(SmallCloseTest, FreeInACompletionCompletesTheOthers) {
  LeakCheck leaks;
  const std::string first = url("/bytes/10");
  const std::string others = url("/hang");
  constexpr size_t kRequests = 8;  // all of them fit: the last one ends first
  std::vector<Doomed> doomed(scaled(300, 20));
  for (Doomed& one : doomed) {
    one.session = make_session(limit_of_ten);
    hc_request request = make_request(others);
    request.on_done = free_on_completion;
    request.user_data = &one;
    for (size_t i = 1; i < kRequests; ++i) {
      ASSERT_EQ(hc_session_submit(one.session, &request, nullptr, nullptr), HC_OK);
    }
    request.url = str(first);
    ASSERT_EQ(hc_session_submit(one.session, &request, nullptr, nullptr), HC_OK);
    EXPECT_TRUE(eventually([&] { return one.completions == kRequests; }));
  }
}

// The loop may be done with the session before the submit that made it so has returned.
TEST_F(SmallCloseTest, FreeInTheCompletionOfTheOnlyRequest) {
  LeakCheck leaks;
  const std::string target = url("/bytes/10");
  std::vector<Doomed> doomed(scaled(1'000, 50));
  for (size_t i = 0; i < doomed.size(); ++i) {
    Doomed& one = doomed[i];
    one.session = make_session();
    hc_request request = make_request(i % 2 == 0 ? std::string_view(target) : "http://127.0.0.1:1/");
    request.on_done = free_on_completion;
    request.user_data = &one;
    ASSERT_EQ(hc_session_submit(one.session, &request, nullptr, nullptr), HC_OK);
    if (i % 10 == 9) {
      EXPECT_TRUE(eventually([&] { return one.completions == 1; }));
    }
  }
  for (Doomed& one : doomed) EXPECT_TRUE(eventually([&] { return one.completions == 1; }));
}

TEST_F(SmallCloseTest, FreeInOnClosed) {
  LeakCheck leaks;
  std::vector<Doomed> doomed(scaled(1'000, 50));
  for (size_t i = 0; i < doomed.size(); ++i) {
    Doomed& one = doomed[i];
    one.session = make_session();
    EXPECT_EQ(hc_session_close_async(one.session, 0, free_on_closed, &one), HC_OK);
    if (i % 10 == 9) {
      EXPECT_TRUE(eventually([&] { return one.closed == 1; }));
    }
  }
  for (Doomed& one : doomed) EXPECT_TRUE(eventually([&] { return one.closed == 1; }));
}

TEST_F(SmallCloseTest, CloseAsyncInACompletionAndFreeInOnClosed) {
  LeakCheck leaks;
  const std::string urls[] = {url("/bytes/10"), url("/hang")};
  std::vector<Doomed> doomed(scaled(300, 20));
  for (Doomed& one : doomed) {
    constexpr size_t kRequests = 8;
    one.session = make_session();
    hc_request request = make_request(urls[0]);
    request.on_done = close_async_on_completion;
    request.user_data = &one;
    for (size_t i = 1; i < kRequests; ++i) {
      request.url = str(urls[1]);
      ASSERT_EQ(hc_session_submit(one.session, &request, nullptr, nullptr), HC_OK);
    }
    request.url = str(urls[0]);
    ASSERT_EQ(hc_session_submit(one.session, &request, nullptr, nullptr), HC_OK);
    EXPECT_TRUE(eventually([&] { return one.closed == 1; }));
    EXPECT_EQ(one.completions, kRequests) << "on_closed comes last";
  }
}

// Two sessions, each of which is freed on the other's loop.
TEST_F(SmallCloseTest, FreeOnTheLoopOfAnotherSession) {
  LeakCheck leaks;
  const std::string target = url("/bytes/10");
  std::vector<Doomed> doomed(scaled(200, 20));
  hc_session* other = make_session();
  for (Doomed& one : doomed) {
    one.session = make_session();
    hc_request request = make_request(target);
    request.on_done = free_on_completion;
    request.user_data = &one;
    ASSERT_EQ(hc_session_submit(other, &request, nullptr, nullptr), HC_OK);
    EXPECT_TRUE(eventually([&] { return one.completions == 1; }));
  }
  hc_session_free(other);
}

// ---------------------------------------------------------------------------------------------- queues

// A queue outlives sessions, and its end cancels what any later session owes it.
TEST_F(SmallCloseTest, ClosingAQueueCancelsTheRequestsOfEverySession) {
  LeakCheck leaks;
  const std::string target = url("/hang");
  for (size_t round = 0; round < scaled(50, 5); ++round) {
    hc_queue* queue = nullptr;
    ASSERT_EQ(hc_queue_create(&queue, nullptr), HC_OK);
    // Sessions come and go at addresses that are used again.
    hc_session* session = nullptr;
    for (int life = 0; life < 4; ++life) {
      hc_session_free(session);
      session = make_session();
      hc_request request = make_request(target);
      request.queue = queue;
      for (int i = 0; i < 3; ++i) ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
    }
    hc_queue_close(queue);
    EXPECT_TRUE(eventually([&] { return stats_of(session).in_flight == 0; }, 5s))
        << "round " << round << ": requests to a closed queue go on";
    hc_session_free(session);
  }
}

TEST_F(SmallCloseTest, QueuesCloseWhileLoopsDeliver) {
  LeakCheck leaks;
  const std::string target = url("/bytes/10");
  hc_session* sessions[] = {make_session(), make_session()};
  on_threads(4, [&](size_t thread) {
    for (size_t round = 0; round < scaled(300, 20); ++round) {
      hc_queue* queue = nullptr;
      ASSERT_EQ(hc_queue_create(&queue, nullptr), HC_OK);
      hc_request request = make_request(target);
      request.queue = queue;
      for (size_t i = 0; i < 20; ++i) {
        ASSERT_EQ(hc_session_submit(sessions[(i + thread) % 2], &request, nullptr, nullptr), HC_OK);
      }
      busy_wait(std::chrono::microseconds(20 * (round % 40)));
      drain_ready(queue, [](const hc_completion& item) { hc_response_free(item.response); });
      hc_queue_close(queue);
    }
  });
  for (hc_session* session : sessions) {
    EXPECT_TRUE(eventually([&] { return stats_of(session).in_flight == 0; }));
    hc_session_free(session);
  }
}

}  // namespace
}  // namespace hc::test
