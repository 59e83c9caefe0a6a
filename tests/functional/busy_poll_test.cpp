// A loop that looks for work for a moment before it sleeps, by what its thread spends.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <mutex>

#include "serve/http_server.h"
#include "support/client.h"

namespace hc::test {
namespace {

using serve::HttpServer;

class BusyPolling : public testing::Test {
 protected:
  BusyPolling() { server_.start(); }

  SessionSetup looking_for(uint64_t microseconds) {
    return [this, microseconds](hc_session_options& o) {
      o.busy_poll_us = microseconds;
      o.on_trace = note_usage;
      o.on_trace_data = this;
    };
  }
  /// Of the session's thread, as it was in the turn that ended that request.
  rusage usage_after(Client& client, const Outcome& outcome) {
    EXPECT_TRUE(client.stats_become([](const hc_stats& s) { return s.in_flight == 0; }));
    std::lock_guard lock(mutex_);
    EXPECT_EQ(last_id_, outcome.id);
    return usage_;
  }
  static milliseconds cpu_time(const rusage& usage) {
    return milliseconds((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                        (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000);
  }

  HttpServer server_;

 private:
  static void note_usage(const hc_trace_event* event, void* self) {
    auto& test = *static_cast<BusyPolling*>(self);
    std::lock_guard lock(test.mutex_);
    if (event->id != 0) test.last_id_ = event->id;
    getrusage(RUSAGE_THREAD, &test.usage_);
  }

  std::mutex mutex_;
  hc_id last_id_ = 0;
  rusage usage_{};
};

TEST_F(BusyPolling, ALoopThatFindsWorkInTimeDoesNotSleep) {
  auto sleeps = [this](uint64_t microseconds) {
    Client client(looking_for(microseconds));
    long before = usage_after(client, client.fetch(server_.url(0, "/bytes/1"))).ru_nvcsw;
    for (int i = 0; i < 200; ++i) client.fetch(server_.url(0, "/bytes/1"));
    return usage_after(client, client.fetch(server_.url(0, "/bytes/1"))).ru_nvcsw - before;
  };
  EXPECT_LT(2 * sleeps(1'000'000), sleeps(0));
}

// 300 ms pass, in which the clock is all that happens.
TEST_F(BusyPolling, AsLongAsNothingComesItSleeps) {
  auto spent = [this](uint64_t microseconds) {
    Client client(looking_for(microseconds));
    Outcome outcome = client.fetch(server_.url(0, "/hang"), [](hc_request& r) { r.timeouts.total_ms = 300; });
    EXPECT_TRUE(is(outcome, HC_E_TIMEOUT_TOTAL));
    return cpu_time(usage_after(client, outcome));
  };
  EXPECT_LT(3 * spent(HC_UNSET), spent(1'000'000));
}

// While the loop sleeps more of it comes, to be read at once.
TEST_F(BusyPolling, ItSleepsBetweenThePiecesOfABody) {
  HttpServer server;
  server.handle("/pieces", [](const serve::RequestView& request, serve::ResponseWriter& writer) {
    bool is_head_first = request.parameter("head").has_value();
    if (!is_head_first) writer.wait(milliseconds(300));
    writer.raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
    if (is_head_first) writer.wait(milliseconds(300));
    writer.raw("b");
  });
  server.start();
  Client client(looking_for(1'000'000));
  auto spent = [&](std::string_view path) {
    milliseconds before = cpu_time(usage_after(client, client.fetch(server.url(0, "/bytes/1"))));
    Outcome outcome = client.fetch(server.url(0, path));
    EXPECT_TRUE(is(outcome, HC_OK));
    return cpu_time(usage_after(client, outcome)) - before;
  };
  EXPECT_LT(3 * spent("/pieces?head"), spent("/pieces"));
}

TEST_F(BusyPolling, ClocksDoNotWaitForItsEnd) {
  Client client([](hc_session_options& o) { o.busy_poll_us = 1'000'000; });
  client.fetch(server_.url(0, "/bytes/1"));
  Stopwatch watch;
  Outcome outcome = client.fetch(server_.url(0, "/hang"), [](hc_request& r) { r.timeouts.total_ms = 50; });
  EXPECT_TRUE(is(outcome, HC_E_TIMEOUT_TOTAL));
  EXPECT_LT(watch.elapsed(), milliseconds(900));
}

}  // namespace
}  // namespace hc::test
