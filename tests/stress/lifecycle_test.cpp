// Sessions come and go by the thousand and leave nothing behind.
#include <gtest/gtest.h>

#include <fstream>

#include "serve/http_server.h"
#include "stress/stress.h"
#include "support/process.h"

namespace hc::test {
namespace {

class Lifecycle : public testing::Test {
 protected:
  void SetUp() override {
    server_.start();
    url_ = server_.url(0, "/bytes/100");
  }

  // One session, with a request or without, freed with or without a close.
  void live(size_t number, hc_queue* queue) {
    hc_session* session = make_session();
    hc_id id = 0;
    hc_request request = make_request(url_);
    request.queue = queue;
    switch (number % 4) {
      case 0: break;
      case 1: ASSERT_EQ(hc_session_submit(session, &request, &id, nullptr), HC_OK); break;
      default: {
        request.queue = nullptr;
        hc_response* response = nullptr;
        ASSERT_EQ(hc_session_perform(session, &request, &response, nullptr), HC_OK);
        hc_response_free(response);
      }
    }
    if (number % 2 == 0) {
      EXPECT_EQ(hc_session_close(session, 0), HC_OK);
    }
    hc_session_free(session);
    drain_ready(queue, [](const hc_completion& item) { hc_response_free(item.response); });
  }

  serve::HttpServer server_;
  std::string url_;
};

size_t resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "VmRSS:") continue;
    size_t kib = 0;
    status >> kib;
    return kib;
  }
  return 0;
}

TEST_F(Lifecycle, AThousandOneAfterTheOther) {
  LeakCheck leaks;
  Queue queue;  // outlives them all
  const size_t sessions = scaled(1'000, 100);
  for (size_t i = 0; i < sessions / 2; ++i) live(i, queue.get());
  size_t halfway = resident_kib();
  for (size_t i = sessions / 2; i < sessions; ++i) live(i, queue.get());
  size_t grown = resident_kib() - std::min(halfway, resident_kib());
  RecordProperty("grown_kib", static_cast<int>(grown));
  // A leaked session would be 100 KiB or more, its connection alone tens. The allocators of the sanitizers keep
  // freed memory for a while.
  if (!kAddressSanitizer && !kThreadSanitizer) {
    EXPECT_LT(grown, sessions * 2) << "KiB more after the second half of the sessions";
  }
}

TEST_F(Lifecycle, AHundredAtOnce) {
  LeakCheck leaks;
  const size_t sessions = scaled(100, 20);
  constexpr size_t kEach = 20;
  size_t threads = thread_count();
  Receipts receipts(sessions * kEach);
  Queue queue;
  std::vector<hc_session*> open;
  for (size_t i = 0; i < sessions; ++i) {
    open.push_back(make_session([](hc_session_options& options) { options.limit = 3; }));
  }
  EXPECT_EQ(thread_count(), threads + sessions) << "one thread a session, and no other";
  for (size_t i = 0; i < sessions * kEach; ++i) {
    hc_request request = make_request(url_);
    request.queue = queue.get();
    request.user_data = receipts.ticket(i);
    ASSERT_EQ(hc_session_submit(open[i % sessions], &request, nullptr, nullptr), HC_OK);
  }
  EXPECT_TRUE(eventually([&] {
    drain_ready(queue.get(), [&](const hc_completion& item) { receipts.take(item); });
    return receipts.total() == sessions * kEach;
  }));
  receipts.expect_each_once();
  EXPECT_EQ(receipts.total(HC_OK), sessions * kEach);
  EXPECT_LE(server_.counters().connections_peak, 3 * sessions);
  for (hc_session* session : open) hc_session_free(session);
}

TEST_F(Lifecycle, ManyThreadsMakeAndEndSessions) {
  LeakCheck leaks;
  on_threads(8, [&](size_t thread) {
    Queue queue;
    for (size_t i = 0; i < scaled(60, 5); ++i) live(thread + i, queue.get());
  });
}

}  // namespace
}  // namespace hc::test
