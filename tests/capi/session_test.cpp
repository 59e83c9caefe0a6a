// The life of a session: refusals, cancel, the ways to close it, and what is left behind (nothing).
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "serve/http_server.h"
#include "support/client.h"
#include "support/process.h"

namespace hc::test {
namespace {

class SessionTest : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  bool requests_are(uint64_t count) {
    return server_.wait_until([=](const serve::Counters& c) { return c.requests >= count; });
  }
  serve::HttpServer server_;
};

TEST_F(SessionTest, PerformWaitsForTheAnswer) {
  Client client;
  hc_request request;
  hc_request_init(&request, sizeof request);
  std::string url = server_.url(0, "/bytes/12");
  request.url = str(url);
  hc_response* response = nullptr;
  ASSERT_EQ(hc_session_perform(client.get(), &request, &response, nullptr), HC_OK);
  EXPECT_EQ(hc_response_body(response).len, 12u);
  hc_response_free(response);
}

TEST_F(SessionTest, PerformReportsFailuresAndLeavesTheOutputAlone) {
  Client client;
  hc_request request;
  hc_request_init(&request, sizeof request);
  std::string url = server_.url(0, "/reset");
  request.url = str(url);
  auto* const untouched = reinterpret_cast<hc_response*>(0x51);
  hc_response* response = untouched;
  hc_error error;
  hc_error_init(&error, sizeof error);
  EXPECT_EQ(hc_session_perform(client.get(), &request, &response, &error), HC_E_DISCONNECTED);
  EXPECT_EQ(error.status, HC_E_DISCONNECTED);
  EXPECT_EQ(error.phase, HC_PHASE_AWAITING);
  EXPECT_EQ(response, untouched);
}

TEST_F(SessionTest, PerformFromManyThreads) {
  Client client;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      hc_request request;
      hc_request_init(&request, sizeof request);
      std::string url = server_.url(0, "/bytes/12");
      request.url = str(url);
      for (int k = 0; k < 50; ++k) {
        hc_response* response = nullptr;
        ASSERT_EQ(hc_session_perform(client.get(), &request, &response, nullptr), HC_OK);
        hc_response_free(response);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(server_.counters().requests, 400u);
  EXPECT_LE(server_.counters().connections_accepted, 8u);
}

TEST_F(SessionTest, AClosedSessionRefusesEverything) {
  Client client;
  std::string url = server_.url(0, "/bytes/1");
  client.fetch(url);
  client.close();
  hc_error error;
  hc_error_init(&error, sizeof error);
  EXPECT_EQ(client.try_submit(url, {}, &error), HC_E_CLOSED);
  EXPECT_EQ(error.status, HC_E_CLOSED);
  hc_request request;
  hc_request_init(&request, sizeof request);
  request.url = str(url);
  hc_response* response = nullptr;
  EXPECT_EQ(hc_session_perform(client.get(), &request, &response, nullptr), HC_E_CLOSED);
  hc_str address = HC_STR("127.0.0.1");
  EXPECT_EQ(hc_session_resolve_add(client.get(), HC_STR("a"), 0, &address, 1, nullptr), HC_E_CLOSED);
  EXPECT_EQ(hc_session_dns_clear(client.get(), hc_str{}), HC_E_CLOSED);
  EXPECT_EQ(hc_session_cancel(client.get(), 1), HC_OK);
  EXPECT_EQ(hc_session_close(client.get(), HC_FOREVER), HC_OK);
  EXPECT_EQ(client.stats().succeeded, 1u);
  std::atomic<int> closed{0};
  auto count = [](void* counter) { ++*static_cast<std::atomic<int>*>(counter); };
  EXPECT_EQ(hc_session_close_async(client.get(), 0, count, &closed), HC_OK);
  EXPECT_EQ(closed, 1) << "at once, on this thread";
}

TEST_F(SessionTest, AFullLineIsAnOverload) {
  Client client([](hc_session_options& o) {
    o.limit = 1;
    o.max_waiting = 2;
  });
  for (int i = 0; i < 3; ++i) client.submit(server_.url(0, "/hang"));
  ASSERT_TRUE(client.stats_become([](const hc_stats& s) { return s.waiting == 2; }));
  hc_error error;
  hc_error_init(&error, sizeof error);
  EXPECT_EQ(client.try_submit(server_.url(0, "/bytes/1"), {}, &error), HC_E_OVERLOAD);
  EXPECT_NE(std::string(error.message).find("max_waiting"), std::string::npos) << error.message;
  EXPECT_EQ(client.stats().submitted, 3u);
}

TEST_F(SessionTest, CancelOfAFinishedOrUnknownIdIsFine) {
  Client client;
  hc_id id = client.submit(server_.url(0, "/bytes/1"));
  EXPECT_TRUE(is(client.wait(id), HC_OK));
  EXPECT_EQ(hc_session_cancel(client.get(), id), HC_OK);
  EXPECT_EQ(hc_session_cancel(client.get(), id + 1000), HC_OK);
  EXPECT_EQ(hc_session_cancel(client.get(), 0), HC_E_INVALID);
  EXPECT_TRUE(is(client.fetch(server_.url(0, "/bytes/1")), HC_OK));
  EXPECT_TRUE(client.queue().take_ready().empty());
}

TEST_F(SessionTest, EachCancelledRequestHasOneCompletion) {
  Client client([](hc_session_options& o) { o.limit = 10; });
  std::vector<hc_id> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(client.submit(server_.url(0, "/hang")));
  for (int twice = 0; twice < 2; ++twice) {
    for (hc_id id : ids) client.cancel(id);
  }
  for (const Outcome& outcome : client.collect(100)) EXPECT_TRUE(is(outcome, HC_E_CANCELLED));
  EXPECT_TRUE(is(client.fetch(server_.url(0, "/bytes/1")), HC_OK));
  EXPECT_TRUE(client.queue().take_ready().empty());
  EXPECT_EQ(client.stats().cancelled, 100u);
}

TEST_F(SessionTest, IdsAreNeverUsedTwice) {
  Client client;
  hc_id last = 0;
  for (int i = 0; i < 100; ++i) {
    hc_id id = client.submit(server_.url(0, "/bytes/1"));
    EXPECT_GT(id, last);
    last = id;
    if (i % 10 == 0) client.wait(id);
  }
  client.collect(90);
}

TEST_F(SessionTest, CloseEndsWaitingAndRunningOnes) {
  Client client([](hc_session_options& o) { o.limit = 2; });
  for (int i = 0; i < 5; ++i) client.submit(server_.url(0, "/hang"));
  ASSERT_TRUE(requests_are(2));
  client.close();
  size_t closed = 0;
  size_t cancelled = 0;
  for (const Outcome& outcome : client.queue().take_ready()) {
    closed += outcome.status == HC_E_CLOSED ? 1 : 0;
    cancelled += outcome.status == HC_E_CANCELLED ? 1 : 0;
  }
  EXPECT_EQ(closed, 3u);
  EXPECT_EQ(cancelled, 2u);
}

TEST_F(SessionTest, CloseLetsRunningOnesFinishWithinTheDrain) {
  Client client([](hc_session_options& o) { o.limit = 1; });
  hc_id running = client.submit(server_.url(0, "/delay/1000"));
  hc_id waiting = client.submit(server_.url(0, "/bytes/1"));
  ASSERT_TRUE(requests_are(1));
  client.close(20'000);
  EXPECT_TRUE(is(client.wait(running, milliseconds(0)), HC_OK));
  EXPECT_TRUE(is(client.wait(waiting, milliseconds(0)), HC_E_CLOSED, HC_PHASE_WAITING));
}

TEST_F(SessionTest, CloseEndsWithTheDrain) {
  Client client;
  hc_id running = client.submit(server_.url(0, "/hang"));
  ASSERT_TRUE(requests_are(1));
  Stopwatch watch;
  client.close(80);
  EXPECT_GE(watch.elapsed(), milliseconds(79));
  EXPECT_LT(watch.elapsed(), milliseconds(20'000));
  EXPECT_TRUE(is(client.wait(running, milliseconds(0)), HC_E_CANCELLED, HC_PHASE_AWAITING));
}

TEST_F(SessionTest, TheShortestDrainCounts) {
  Client client;
  client.submit(server_.url(0, "/hang"));
  ASSERT_TRUE(requests_are(1));
  ASSERT_EQ(hc_session_close_async(client.get(), HC_FOREVER, nullptr, nullptr), HC_OK);
  EXPECT_EQ(client.try_submit(server_.url(0, "/bytes/1")), HC_E_CLOSED);
  client.close(10);
  EXPECT_TRUE(is(client.collect(1)[0], HC_E_CANCELLED));
}

TEST_F(SessionTest, NothingIsLeftAfterClose) {
  LeakCheck leaks;
  size_t threads = thread_count();
  Client client;
  for (int i = 0; i < 20; ++i) client.submit(server_.url(0, "/bytes/1"));
  client.collect(20);
  EXPECT_EQ(thread_count(), threads + 1);
  client.close();
  EXPECT_EQ(thread_count(), threads) << "when close returns, not later";
  EXPECT_TRUE(server_.wait_until([](const serve::Counters& c) { return c.connections_open == 0; }));
}

TEST_F(SessionTest, FreeOfAnOpenSessionClosesItAndSaysSo) {
  LeakCheck leaks;
  LogLines log;
  hc_session_options options;
  hc_session_options_init(&options, sizeof options);
  log.attach(options);
  hc_session* session = nullptr;
  ASSERT_EQ(hc_session_create(&session, &options, nullptr), HC_OK);
  hc_request request;
  hc_request_init(&request, sizeof request);
  std::atomic<int> done{0};
  std::string url = server_.url(0, "/delay/500");  // all three are sent by then
  request.url = str(url);
  request.user_data = &done;
  request.on_done = [](const hc_completion* completion, void* counter) {
    hc_response_free(completion->response);
    ++*static_cast<std::atomic<int>*>(counter);
  };
  for (int i = 0; i < 3; ++i) ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
  ASSERT_TRUE(eventually([&] { return done == 3; }));
  hc_session_free(session);
  EXPECT_EQ(log.count("3 open connections"), 1u);
}

TEST_F(SessionTest, FreeOfAnOpenSessionDeliversEverything) {
  LeakCheck leaks;
  Queue queue;
  hc_session* session = nullptr;
  ASSERT_EQ(hc_session_create(&session, nullptr, nullptr), HC_OK);
  hc_request request;
  hc_request_init(&request, sizeof request);
  std::string url = server_.url(0, "/hang");
  request.url = str(url);
  request.queue = queue.get();
  for (int i = 0; i < 150; ++i) ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
  hc_session_free(session);
  EXPECT_EQ(queue.take_ready().size(), 150u);
}

TEST_F(SessionTest, FreeOfAClosedSessionSaysNothing) {
  LogLines log;
  {
    Client client([&](hc_session_options& o) { log.attach(o); });
    client.fetch(server_.url(0, "/bytes/1"));
  }
  EXPECT_EQ(log.count("released"), 0u);
}

TEST_F(SessionTest, ManySessionsComeAndGo) {
  LeakCheck leaks;
  for (int i = 0; i < 200; ++i) {
    Client client;
    if (i % 4 == 0) client.submit(server_.url(0, "/bytes/1"));
  }
}

TEST_F(SessionTest, SubmitRacesWithClose) {
  LeakCheck leaks;
  for (int round = 0; round < 30; ++round) {
    Client client;
    std::atomic<uint64_t> accepted{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 2; ++i) {
      callers.emplace_back([&] {
        hc_status status = HC_OK;
        while ((status = client.try_submit(server_.url(0, "/bytes/1"))) == HC_OK) ++accepted;
        EXPECT_EQ(status, HC_E_CLOSED);
      });
    }
    ASSERT_TRUE(eventually([&] { return accepted > 20; }));
    client.close(round % 2 == 0 ? 0 : 20);
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(client.queue().take_ready().size(), accepted);
  }
}

}  // namespace
}  // namespace hc::test
