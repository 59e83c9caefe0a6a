// Many threads, many requests, and signals that are none of the library's business.
#include <gtest/gtest.h>

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <csignal>

#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>

#include "serve/http_server.h"
#include "stress/stress.h"
#include "support/process.h"

namespace hc::test {
namespace {

class Threads : public testing::Test {
 protected:
  void SetUp() override {
    server_.start();
    url_ = server_.url(0, "/bytes/20");
  }

  serve::HttpServer server_;
  std::string url_;
};

/// Queues, each with a thread that drains it.
class Outlets {
 public:
  Outlets(size_t count, const std::function<void(const hc_completion&)>& take) : queues_(count) {
    for (Queue& queue : queues_) drainers_.emplace_back(queue.get(), take);
  }
  hc_queue* operator[](size_t i) { return queues_[i].get(); }

 private:
  std::deque<Queue> queues_;
  std::deque<Drainer> drainers_;  // gone before their queues
};

TEST_F(Threads, EightThreadsTwoQueuesEach) {
  LeakCheck leaks;
  constexpr size_t kThreads = 8;
  const size_t each = scaled(100'000) / kThreads;
  Receipts receipts(kThreads * each);
  hc_session* session = make_session([](hc_session_options& options) { options.limit = 64; });
  {
    Outlets outlets(2 * kThreads, [&](const hc_completion& item) { receipts.take(item); });
    on_threads(kThreads, [&](size_t thread) {
      hc_request request = make_request(url_);
      for (size_t i = 0; i < each; ++i) {
        request.queue = outlets[2 * thread + i % 2];
        request.user_data = receipts.ticket(thread * each + i);
        ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
      }
    });
    EXPECT_TRUE(eventually([&] { return stats_of(session).in_flight == 0; }, 10 * kMustHappen));
    EXPECT_TRUE(eventually([&] { return receipts.total() == kThreads * each; })) << receipts.total();
  }
  receipts.expect_each_once();
  EXPECT_EQ(receipts.total(HC_OK), kThreads * each);
  hc_stats stats = stats_of(session);
  EXPECT_LE(stats.sockets_peak, 64u);
  EXPECT_LE(server_.counters().connections_peak, 64u);
  EXPECT_EQ(server_.counters().requests, kThreads * each);
  hc_session_free(session);
}

// Counters never go back, and the sums hold whenever somebody looks.
TEST_F(Threads, StatisticsHoldWhoeverLooks) {
  LeakCheck leaks;
  constexpr size_t kThreads = 4;
  const size_t each = scaled(20'000) / kThreads;
  Receipts receipts(kThreads * each);
  std::atomic<size_t> submitting{kThreads};
  hc_session* session = make_session([](hc_session_options& options) { options.limit = 16; });
  on_threads(kThreads + 2, [&](size_t thread) {
    if (thread >= kThreads) {
      hc_stats last = stats_of(session);
      while (submitting > 0 || last.in_flight > 0) {
        hc_stats now = stats_of(session);
        EXPECT_GE(now.submitted, last.submitted);
        EXPECT_GE(now.succeeded, last.succeeded);
        EXPECT_GE(now.sockets_opened, last.sockets_opened);
        EXPECT_LE(now.waiting, now.in_flight);
        EXPECT_LE(now.sockets_in_use + now.sockets_connecting + now.sockets_idle, 16u);
        last = now;
      }
      return;
    }
    hc_request request = make_request(url_);
    request.on_done = Receipts::on_done;
    for (size_t i = 0; i < each; ++i) {
      request.user_data = receipts.ticket(thread * each + i);
      ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
    }
    --submitting;
  });
  hc_session_free(session);
  receipts.expect_each_once();
}

// ---------------------------------------------------------------------------------------------- signals

std::atomic<size_t> signals_seen{0};
std::atomic<size_t> signals_on_a_loop{0};

void on_signal(int) {
  char name[16] = "";
  pthread_getname_np(pthread_self(), name, sizeof name);
  ++signals_seen;
  if (std::string_view(name).starts_with("libhc") || std::string_view(name).starts_with("hc-"))
    ++signals_on_a_loop;
}

/// A handler for a signal, until the end of the scope. Without SA_RESTART: what can be interrupted is.
class Handling {
 public:
  explicit Handling(int signal) : signal_(signal) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigaction(signal, &action, &before_);
  }
  ~Handling() { sigaction(signal_, &before_, nullptr); }

 private:
  int signal_;
  struct sigaction before_;
};

/// SIGALRM every 200 microseconds.
class AlarmStorm {
 public:
  AlarmStorm() : handling_(SIGALRM) { set(200); }
  ~AlarmStorm() { set(0); }

 private:
  static void set(suseconds_t microseconds) {
    itimerval every{{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &every, nullptr);
  }
  Handling handling_;
};

TEST_F(Threads, SignalsGoToTheProgramsThreadsOnly) {
  LeakCheck leaks;
  signals_seen = signals_on_a_loop = 0;
  const size_t requests = scaled(20'000);
  Receipts receipts(requests);
  {
    Handling users(SIGUSR1);
    AlarmStorm storm;
    Client client;
    hc_request request = make_request(url_);
    request.on_done = Receipts::on_done;
    for (size_t i = 0; i < requests; ++i) {
      request.user_data = receipts.ticket(i);
      ASSERT_EQ(hc_session_submit(client.get(), &request, nullptr, nullptr), HC_OK);
      if (i % 16 == 0) kill(getpid(), SIGUSR1);
      if (i % 512 == 0) {
        EXPECT_TRUE(is(client.fetch(url_), HC_OK)) << "waiting is interrupted, and goes on";
      }
    }
    EXPECT_TRUE(eventually([&] { return receipts.total() == requests; }));
  }
  receipts.expect_each_once();
  EXPECT_EQ(receipts.total(HC_OK), requests);
  EXPECT_GT(signals_seen, 0u);
  EXPECT_EQ(signals_on_a_loop, 0u);
}

// Everything that a signal could be blocked or not for, as the kernel tells.
TEST_F(Threads, TheLoopThreadBlocksEverySignal) {
  Client client;
  size_t loops = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    std::string word;
    std::string name;
    uint64_t blocked = 0;
    while (status >> word) {
      if (word == "Name:") status >> name;
      if (word == "SigBlk:") status >> std::hex >> blocked;
    }
    if (name != "libhc") continue;
    ++loops;
    for (int signal : {SIGALRM, SIGUSR1, SIGPIPE, SIGTERM, SIGINT, SIGCHLD, SIGRTMAX}) {
      EXPECT_TRUE((blocked >> (signal - 1) & 1) != 0) << strsignal(signal);
    }
  }
  EXPECT_EQ(loops, 1u);
}

// Servers that hang up while we write, with the default action for SIGPIPE, which is death.
TEST_F(Threads, SigpipeNeverKills) {
  LeakCheck leaks;
  struct sigaction by_default {};
  struct sigaction before;
  by_default.sa_handler = SIG_DFL;
  sigaction(SIGPIPE, &by_default, &before);
  {
    Client client([](hc_session_options& options) { options.limit = 20; });
    const std::string urls[] = {server_.url(0, "/reset?after=request-head"),
                                server_.url(0, "/fin?after=request-head"), server_.url(0, "/close/silent"),
                                server_.url(0, "/upload/early?close=1")};
    const std::string body(1 << 20, 'x');
    const size_t requests = scaled(400, 40);
    for (size_t i = 0; i < requests; ++i) client.submit(urls[i % 4], with_body("POST", body));
    EXPECT_EQ(client.collect(requests).size(), requests);
    hc_queue* closed = nullptr;
    ASSERT_EQ(hc_queue_create(&closed, nullptr), HC_OK);
    client.submit(server_.url(0, "/delay/5"), [&](hc_request& request) { request.queue = closed; });
    hc_queue_close(closed);
  }
  sigaction(SIGPIPE, &before, nullptr);
}

}  // namespace
}  // namespace hc::test
