// Forks with a lot going on. In the child each inherited handle says so and a new session works; the parent does not
// notice.
#include <gtest/gtest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "serve/dead_ends.h"
#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "stress/fork_support.h"
#include "stress/stress.h"
#include "support/process.h"
#include "support/tls_server.h"

namespace hc::test {
namespace {

using namespace std::chrono_literals;

// GoogleTest's results stay in the process that found them: a child says what failed, and exits with 1.
class ChildReport {
 public:
  void expect(bool holds, const char* what) {
    if (holds) return;
    has_failed_ = true;
    dprintf(2, "in the child: %s\n", what);
  }
  void expect_forked(hc_status status, const char* function) {
    if (status == HC_E_FORKED) return;
    has_failed_ = true;
    dprintf(2, "in the child: %s gave %s\n", function, hc_status_name(status));
  }
  [[noreturn]] void exit() const { _exit(has_failed_ ? 1 : 0); }

 private:
  bool has_failed_ = false;
};

pid_t start_child(const std::function<void(ChildReport&)>& work) {
  pid_t child = fork();
  if (child != 0) return child;
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);  // forked on a loop thread, all are blocked
  alarm(kLongestChildSeconds);                   // a child that hangs dies
  ChildReport report;
  work(report);
  report.exit();
}

void in_child(const std::function<void(ChildReport&)>& work) { expect_exit(start_child(work)); }

class ForkTest : public testing::Test {
 protected:
  ForkTest() : server_(options()) {}

  void SetUp() override {
    if (kThreadSanitizer || kAddressSanitizer) {
      GTEST_SKIP() << kNoForksUnderSanitizers;
    }
    server_.handle("/gate", [this](const serve::RequestView&, serve::ResponseWriter& writer) {
      writer.stream([this](serve::ResponseWriter& more) {
        if (is_open_) more.respond_text("through\n");
        if (!is_open_) more.wait(5ms);
        return !is_open_;
      });
    });
    server_.start();
    url_ = server_.url(0, "/bytes/10");
    tls_url_ = server_.url(1, "/bytes/10");
  }

  serve::HttpServerOptions options() const {
    serve::HttpServerOptions options;
    options.listeners.resize(2);
    options.listeners[1].tls = tls_with(pki_.server());
    return options;
  }

  void trust(hc_session_options& options) const { options.ca_file = str(pki_.ca().certificate_path); }

  static bool get(hc_session* session, const std::string& url) {
    hc_request request = make_request(url);
    hc_response* response = nullptr;
    if (hc_session_perform(session, &request, &response, nullptr) != HC_OK) return false;
    bool is_right = hc_response_body(response).len == 10;
    hc_response_free(response);
    return is_right;
  }

  // A session, a queue, plain and TLS, from the beginning to the end.
  void expect_a_new_session_to_work(ChildReport& report) const {
    hc_session* session = make_session([this](hc_session_options& options) { trust(options); });
    report.expect(get(session, url_), "a new session answers over plain HTTP");
    report.expect(get(session, tls_url_), "a new session answers over TLS");
    hc_queue* queue = nullptr;
    report.expect(hc_queue_create(&queue, nullptr) == HC_OK, "a new queue");
    hc_request request = make_request(url_);
    request.queue = queue;
    report.expect(hc_session_submit(session, &request, nullptr, nullptr) == HC_OK,
                  "a submit to the new queue");
    size_t ready = 0;
    report.expect(hc_queue_wait(queue, 10'000, &ready) == HC_OK && ready == 1, "a wait for the new queue");
    hc_queue_close(queue);
    report.expect(hc_session_close(session, 0) == HC_OK, "close of the new session");
    hc_session_free(session);
  }

  serve::TestPki pki_;
  std::atomic<bool> is_open_{false};
  serve::HttpServer server_;
  std::string url_;
  std::string tls_url_;
};

// ---------------------------------------------------------------------------------------------- every function

std::atomic<hc_resolve_query*> taken{nullptr};

hc_status take_query(hc_resolve_query* query, hc_str, int32_t, void*) {
  taken = query;
  return HC_OK;
}

void ignore(const hc_completion*, void*) {}
void ignore_closed(void*) {}

void expect_session_calls_to_fail(ChildReport& report, hc_session* session, const std::string& url) {
  hc_request request = make_request(url);
  hc_response* response = nullptr;
  report.expect_forked(hc_session_perform(session, &request, &response, nullptr), "hc_session_perform");
  request.on_done = ignore;
  hc_id id = 0;
  report.expect_forked(hc_session_submit(session, &request, &id, nullptr), "hc_session_submit");
  report.expect_forked(hc_session_cancel(session, 1), "hc_session_cancel");
  hc_str address = HC_STR("127.0.0.1");
  report.expect_forked(hc_session_resolve_add(session, HC_STR("a.test"), 0, &address, 1, nullptr),
                       "hc_session_resolve_add");
  report.expect_forked(hc_session_dns_clear(session, hc_str{}), "hc_session_dns_clear");
  hc_stats stats{};
  stats.struct_size = sizeof stats;
  report.expect_forked(hc_session_stats(session, &stats), "hc_session_stats");
  report.expect_forked(hc_session_close_async(session, 0, ignore_closed, nullptr), "hc_session_close_async");
  report.expect_forked(hc_session_close(session, HC_FOREVER), "hc_session_close");
}

void expect_queue_calls_to_fail(ChildReport& report, hc_queue* queue, const std::string& url) {
  hc_completion item;
  size_t count = 0;
  report.expect_forked(hc_queue_drain(queue, &item, sizeof item, 1, &count), "hc_queue_drain");
  report.expect_forked(hc_queue_wait(queue, HC_FOREVER, nullptr), "hc_queue_wait");
  report.expect(hc_queue_fd(queue) == -1, "hc_queue_fd gives -1");
  hc_session* fresh = make_session();
  hc_request request = make_request(url);
  request.queue = queue;
  report.expect_forked(hc_session_submit(fresh, &request, nullptr, nullptr),
                       "a submit to an inherited queue");
  hc_session_free(fresh);
}

TEST_F(ForkTest, EveryCallSaysForkedAtOnce) {
  LeakCheck leaks;
  Client client([](hc_session_options& options) {
    options.on_resolve = take_query;
    options.limit = 10;
  });
  Outcome finished = client.fetch(url_);
  for (int i = 0; i < 20; ++i) client.submit(server_.url(0, "/gate"));
  client.submit("http://asked.test/");
  ASSERT_TRUE(client.stats_become([](const hc_stats& stats) { return stats.sockets_in_use > 5; }));
  client.submit("http://asked.test/", [](hc_request& request) { request.priority = 9; });
  is_open_ = true;
  ASSERT_TRUE(eventually([] { return taken != nullptr; }));
  is_open_ = false;
  client.submit(server_.url(0, "/gate"));
  in_child([&](ChildReport& report) {
    Stopwatch watch;
    expect_session_calls_to_fail(report, client.get(), url_);
    expect_queue_calls_to_fail(report, client.queue().get(), url_);
    hc_str address = HC_STR("127.0.0.1");
    report.expect_forked(hc_resolve_answer(taken, &address, 1, HC_UNSET), "hc_resolve_answer");
    report.expect_forked(hc_resolve_fail(taken, hc_str{}), "hc_resolve_fail");
    report.expect(finished.body.size() == 10, "a response is memory like any other");
    finished.response.reset();
    hc_session_free(client.get());
    hc_queue_close(client.queue().get());
    report.expect(watch.elapsed() < 5s, "at once");
  });
  hc_str address = HC_STR("127.0.0.1");
  EXPECT_EQ(hc_resolve_answer(taken, &address, 1, HC_UNSET), HC_OK) << "the parent's query is still its own";
  is_open_ = true;
}

// Its pipe's lock may be held for ever by a thread that the child does not have.
TEST_F(ForkTest, AStreamedResponseTellsItsHeadAndNothingElse) {
  LeakCheck leaks;
  Client client;
  std::string url = server_.url(0, "/gate");
  hc_request request = make_request(url);
  request.stream = HC_ON;
  hc_response* response = nullptr;
  is_open_ = true;
  ASSERT_EQ(hc_session_perform(client.get(), &request, &response, nullptr), HC_OK);
  in_child([&](ChildReport& report) {
    report.expect_forked(hc_response_status(response), "hc_response_status");
    hc_response_info info{};
    info.struct_size = sizeof info;
    report.expect(hc_response_get_info(response, &info) == HC_OK, "hc_response_get_info");
    report.expect_forked(info.status, "hc_response_info.status");
    report.expect(info.http_status == 200 && info.header_count > 0, "the head");
    hc_error error;
    hc_error_init(&error, sizeof error);
    report.expect(hc_response_error(response, &error) == HC_OK, "hc_response_error");
    report.expect_forked(error.status, "hc_error.status");
    hc_response_free(response);
  });
  hc_response_free(response);
}

// ---------------------------------------------------------------------------------------------- the parent

TEST_F(ForkTest, TheParentIsUndisturbed) {
  LeakCheck leaks;
  Client client([this](hc_session_options& options) {
    trust(options);
    options.limit_per_host = 10;
  });
  std::vector<hc_id> ids;
  for (int i = 0; i < 60; ++i) ids.push_back(client.submit(server_.url(i % 2, "/gate")));
  ASSERT_TRUE(client.stats_become([](const hc_stats& stats) { return stats.sockets_in_use == 20; }));
  for (int i = 0; i < 3; ++i) {
    in_child([&](ChildReport& report) {
      expect_a_new_session_to_work(report);
      hc_session_free(client.get());
      hc_queue_close(client.queue().get());
      // What a daemon does: close everything it can find.
      for (int fd = 3; fd < 1000; ++fd) close(fd);
    });
  }
  is_open_ = true;
  for (hc_id id : ids) EXPECT_TRUE(is(client.wait(id), HC_OK));
  hc_stats stats = client.stats();
  EXPECT_EQ(stats.stale_retries, 0u);
  EXPECT_EQ(stats.connections_made, 20u) << "the connections of before the forks went on";
}

constexpr const char* kServer = "HC_TEST_SERVER";

// How many connections the server believes in, this one not counted.
int64_t connections_at(const std::string& server) {
  Client client;
  std::string count = client.fetch(server + "/count").body;
  static constexpr std::string_view kName = "\"connections_open\":";
  return std::stoll(count.substr(count.find(kName) + kName.size())) - 1;
}

// A child that lives on has every socket of the parent in its hands. The parent closes its own all the same: its loop
// hears no more of them, and the server, which is another process here, learns of it.
TEST_F(ForkTest, WhatTheChildKeepsOpenIsClosedNevertheless) {
  if (!is_child()) {
    ChildResult result = run_this_test_in_child(1000, {{kServer, server_.url()}});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return;
  }
  const std::string server = std::getenv(kServer);
  serve::BlackHole hole("127.0.0.9");
  int pipe_to_child[2];
  ASSERT_EQ(pipe(pipe_to_child), 0);
  Client client;
  std::vector<hc_id> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(client.submit(server + "/hang"));
  for (int i = 0; i < 5; ++i)
    ids.push_back(client.submit("http://127.0.0.9:" + std::to_string(hole.port()) + "/"));
  client.fetch(server + "/bytes/1");
  ASSERT_TRUE(client.stats_become([](const hc_stats& stats) {
    return stats.sockets_in_use == 20 && stats.sockets_connecting == 5 && stats.sockets_idle > 0;
  }));
  pid_t child = start_child([&](ChildReport&) {
    close(pipe_to_child[1]);
    char byte = 0;
    [[maybe_unused]] ssize_t ended = read(pipe_to_child[0], &byte, 1);
  });
  for (hc_id id : ids) client.cancel(id);
  for (hc_id id : ids) EXPECT_TRUE(is(client.wait(id), HC_E_CANCELLED));
  EXPECT_TRUE(client.stats_become(
      [](const hc_stats& stats) { return stats.sockets_in_use + stats.sockets_connecting == 0; }));
  uint64_t turns = client.stats().loop_turns;
  std::this_thread::sleep_for(300ms);  // what is measured is that nothing happens
  EXPECT_LT(client.stats().loop_turns - turns, 20u) << "the loop is woken by sockets that it has closed";
  client.close();
  EXPECT_TRUE(eventually([&] { return connections_at(server) == 0; }, 5s)) << connections_at(server);
  close(pipe_to_child[0]);
  close(pipe_to_child[1]);
  expect_exit(child);
}

// ---------------------------------------------------------------------------------------------- anywhere

TEST_F(ForkTest, WhileOtherThreadsSubmit) {
  LeakCheck leaks;
  constexpr size_t kThreads = 4;
  std::atomic<bool> is_over{false};
  std::atomic<size_t> submitted{0};
  std::atomic<size_t> answered{0};
  hc_session* session = make_session([](hc_session_options& options) { options.limit = 10; });
  auto count = [](const hc_completion* completion, void* counter) {
    *static_cast<std::atomic<size_t>*>(counter) += completion->status == HC_OK ? 1 : 0;
    hc_response_free(completion->response);
  };
  on_threads(kThreads + 1, [&](size_t thread) {
    if (thread == kThreads) {
      for (size_t i = 0; i < scaled(60, 10); ++i) {
        in_child([&](ChildReport& report) {
          expect_session_calls_to_fail(report, session, url_);
          if (i % 4 == 0) expect_a_new_session_to_work(report);
          hc_session_free(session);
        });
      }
      is_over = true;
      return;
    }
    hc_request request = make_request(url_);
    request.on_done = count;
    request.user_data = &answered;
    while (!is_over) {
      if (submitted - answered > 500) {
        std::this_thread::yield();
      } else if (hc_session_submit(session, &request, nullptr, nullptr) == HC_OK) {
        ++submitted;
      }
    }
  });
  EXPECT_EQ(hc_session_close(session, HC_FOREVER), HC_OK);
  hc_stats stats = stats_of(session);
  EXPECT_EQ(stats.submitted, submitted);
  EXPECT_EQ(stats.succeeded, answered);
  EXPECT_EQ(stats.failed, 0u);
  hc_session_free(session);
}

struct ForkInCallback {
  std::function<pid_t()> fork_now;
  std::atomic<pid_t> child{0};
  std::atomic<size_t>* callbacks_in_the_child = nullptr;
  pid_t parent = getpid();
};

void fork_in_callback(const hc_completion* completion, void* self) {
  auto& forking = *static_cast<ForkInCallback*>(self);
  hc_response_free(completion->response);
  if (getpid() != forking.parent) ++*forking.callbacks_in_the_child;
  if (forking.child == 0) forking.child = forking.fork_now();
}

TEST_F(ForkTest, InACallback) {
  LeakCheck leaks;
  Client client;
  ForkInCallback forking;
  forking.fork_now = [&] {
    return start_child([&](ChildReport& report) {
      expect_session_calls_to_fail(report, client.get(), url_);
      expect_a_new_session_to_work(report);
      hc_session_free(client.get());
    });
  };
  for (int i = 0; i < 10; ++i) {
    client.submit(url_, [&](hc_request& request) {
      request.queue = nullptr;
      request.on_done = fork_in_callback;
      request.user_data = &forking;
    });
  }
  ASSERT_TRUE(client.stats_become([](const hc_stats& stats) { return stats.succeeded == 10; }));
  ASSERT_TRUE(eventually([&] { return forking.child != 0; }));
  expect_exit(forking.child);
  EXPECT_TRUE(is(client.fetch(url_), HC_OK));
}

// The child has returned into our loop: that is not its loop, and it ends there.
TEST_F(ForkTest, AChildThatReturnsFromTheCallbackDoesNothingMore) {
  LeakCheck leaks;
  void* shared =
      mmap(nullptr, sizeof(std::atomic<size_t>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  ForkInCallback forking;
  forking.callbacks_in_the_child = new (shared) std::atomic<size_t>{0};
  forking.fork_now = [&] {
    pid_t child = fork();
    if (child == 0) alarm(kLongestChildSeconds);
    return child == 0 ? -1 : child;
  };
  Client client([](hc_session_options& options) { options.limit = 10; });
  constexpr uint64_t kRequests = 200;
  for (uint64_t i = 0; i < kRequests; ++i) {
    client.submit(url_, [&](hc_request& request) {
      request.queue = nullptr;
      request.on_done = fork_in_callback;
      request.user_data = &forking;
    });
  }
  ASSERT_TRUE(client.stats_become([](const hc_stats& stats) { return stats.in_flight == 0; }));
  ASSERT_TRUE(eventually([&] { return forking.child > 0; }));
  expect_exit(forking.child);
  EXPECT_EQ(*forking.callbacks_in_the_child, 0u);
  EXPECT_EQ(client.stats().succeeded, kRequests);
  EXPECT_TRUE(is(client.fetch(url_), HC_OK));
  munmap(shared, sizeof(std::atomic<size_t>));
}

}  // namespace
}  // namespace hc::test
