// What may be done in a callback that reads a body: it may run while libcurl receives, and anything that may be done in
// other callbacks may be done there.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "capi/plain_or_tls.h"
#include "support/client.h"
#include "support/process.h"

namespace hc::test {
namespace {

constexpr std::string_view kLarge = "/bytes/3000000";
constexpr size_t kLargeBytes = 3'000'000;

/// Reads a body in its callbacks, with something to do in the first one after a few blocks.
class Reader {
 public:
  explicit Reader(std::function<void()> action = nullptr) : action_(std::move(action)) {}
  ~Reader() { release(); }

  void attach(hc_request& request) {
    request.stream = HC_ON;
    request.queue = nullptr;
    request.user_data = this;
    request.on_done = [](const hc_completion* news, void* self) {
      static_cast<Reader*>(self)->on_news(*news);
    };
  }
  Tune tune() {
    return [this](hc_request& request) { attach(request); };
  }
  void release() { hc_response_free(std::exchange(response_, nullptr)); }
  hc_response* response() const { return response_; }
  bool wait() const {
    return eventually([this] { return ends == 1; });
  }

  std::string body;  // once it has ended
  std::atomic<int> ends{0};
  std::atomic<hc_status> status{HC_E_INTERNAL};

 private:
  static constexpr size_t kBefore = 500'000;

  void on_news(const hc_completion& news) {
    EXPECT_EQ(ends, 0) << "nothing follows the end";
    if (news.response != nullptr) response_ = news.response;
    if (response_ != nullptr) body += read_ready(response_);
    if (body.size() > kBefore && action_) std::exchange(action_, nullptr)();
    if (news.kind != HC_DONE) return;
    status = news.status;
    release();
    ++ends;
  }

  std::function<void()> action_;
  hc_response* response_ = nullptr;
};

class StreamCallbacks : public testing::TestWithParam<bool>, protected PlainOrTls {
 protected:
  StreamCallbacks() : PlainOrTls(GetParam()) {}
};

TEST_P(StreamCallbacks, ReadEveryByteInOrder) {
  Client client(trust);
  Reader reader;
  client.submit(url(kLarge), reader.tune());
  ASSERT_TRUE(reader.wait());
  EXPECT_EQ(reader.status, HC_OK);
  EXPECT_TRUE(reader.body == client.fetch(url(kLarge)).body);
}

TEST_P(StreamCallbacks, BlockingCallsAreDeadlocks) {
  Client client(trust);
  Reader* self = nullptr;
  Reader reader([&] {
    EXPECT_EQ(hc_session_close(client.get(), 0), HC_E_DEADLOCK);
    EXPECT_EQ(hc_queue_wait(client.queue().get(), HC_FOREVER, nullptr), HC_E_DEADLOCK);
    EXPECT_EQ(hc_response_wait(self->response(), HC_FOREVER), HC_E_DEADLOCK);
  });
  self = &reader;
  client.submit(url(kLarge), reader.tune());
  ASSERT_TRUE(reader.wait());
  EXPECT_EQ(reader.status, HC_OK);
  EXPECT_EQ(reader.body.size(), kLargeBytes);
}

TEST_P(StreamCallbacks, MaySubmitAndReadTheNext) {
  Client client(trust);
  Reader second;
  Reader first([&] { client.submit(url(kLarge), second.tune()); });
  client.submit(url(kLarge), first.tune());
  ASSERT_TRUE(first.wait());
  ASSERT_TRUE(second.wait());
  EXPECT_EQ(first.body.size(), kLargeBytes);
  EXPECT_TRUE(first.body == second.body);
}

TEST_P(StreamCallbacks, MayCancelTheirRequest) {
  Client client(trust);
  std::atomic<hc_id> id{0};
  Reader reader([&] {
    EXPECT_TRUE(eventually([&] { return id != 0; })) << "submit returns when it has mailed the request";
    client.cancel(id);
  });
  id = client.submit(url("/bytes/1000000000"), reader.tune());
  ASSERT_TRUE(reader.wait());
  EXPECT_EQ(reader.status, HC_E_CANCELLED);
  EXPECT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
}

TEST_P(StreamCallbacks, MayReleaseTheResponse) {
  Client client(trust);
  Reader* self = nullptr;
  Reader reader([&] { self->release(); });
  self = &reader;
  client.submit(url("/bytes/1000000000"), reader.tune());
  ASSERT_TRUE(reader.wait());
  EXPECT_EQ(reader.status, HC_E_CANCELLED);
  EXPECT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
}

TEST_P(StreamCallbacks, MayLeaveTheRestToAnotherThread) {
  Client client(trust);
  std::atomic<hc_response*> handed_over{nullptr};
  client.submit(url(kLarge), [&](hc_request& request) {
    request.stream = HC_ON;
    request.queue = nullptr;
    request.user_data = &handed_over;
    request.on_done = [](const hc_completion* news, void* place) {
      if (news->response != nullptr) static_cast<std::atomic<hc_response*>*>(place)->store(news->response);
    };
  });
  ASSERT_TRUE(eventually([&] { return handed_over != nullptr; }));
  hc_status end = HC_E_INTERNAL;
  EXPECT_EQ(read_all(handed_over, &end).size(), kLargeBytes);
  EXPECT_EQ(end, HC_OK);
  hc_response_free(handed_over);
}

TEST_P(StreamCallbacks, MayCloseAsynchronously) {
  Client client(trust);
  std::atomic<int> closed{0};
  Reader reader([&] {
    auto on_closed = [](void* counter) { ++*static_cast<std::atomic<int>*>(counter); };
    EXPECT_EQ(hc_session_close_async(client.get(), 0, on_closed, &closed), HC_OK);
  });
  client.submit(url("/bytes/1000000000"), reader.tune());
  ASSERT_TRUE(reader.wait());
  EXPECT_EQ(reader.status, HC_E_CANCELLED);
  EXPECT_TRUE(eventually([&] { return closed == 1; }));
}

TEST_P(StreamCallbacks, MayFreeTheirOwnSession) {
  LeakCheck leaks;
  hc_session* session = open_session();
  ASSERT_NE(session, nullptr);
  Reader reader([&] { hc_session_free(session); });
  hc_request request;
  ASSERT_EQ(hc_request_init(&request, sizeof request), HC_OK);
  std::string target = url("/bytes/1000000000");
  request.url = str(target);
  reader.attach(request);
  ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
  ASSERT_TRUE(reader.wait());
  EXPECT_EQ(reader.status, HC_E_CANCELLED);
}

INSTANTIATE_TEST_SUITE_P(Over, StreamCallbacks, testing::Bool(),
                         [](const auto& way) { return std::string(way.param ? "Tls" : "Plain"); });

}  // namespace
}  // namespace hc::test
