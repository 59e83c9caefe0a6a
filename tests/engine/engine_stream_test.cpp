// When the reader of a streamed body hears of it.
#include <string>
#include <utility>
#include <vector>

#include "engine_harness.h"

namespace hc {
namespace {

struct EngineStreamTest : testing::Test {
  /// A streamed request whose head has come.
  void SetUp() override {
    ASSERT_TRUE(CompletionQueue::create(&queue).is_ok());
    id = h.start(Order{.is_streamed = true, .queue = queue});
    attempt = &h.attempt(id);
    h.network->ready(*attempt);
    h.network->send(*attempt);
    h.network->receive_head(*attempt, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    h.turn();
    queue->drain(10, [this](Completion completion) { response = std::move(completion.response); });
    ASSERT_NE(response, nullptr);
  }
  void TearDown() override {
    h.network->fail(*attempt, refused());
    h.turn();
    h.forget(id);
  }
  void receive(size_t bytes) { h.network->receive_body(*attempt, std::string(bytes, 'x')); }
  size_t read() {
    char buffer[1 << 20];
    size_t all = 0;
    for (size_t count = 0; response->pipe->read(buffer, sizeof buffer, &count).is_ok(); all += count) {
    }
    return all;
  }
  std::vector<int32_t> news() {
    std::vector<int32_t> kinds;
    queue->drain(10, [&kinds](Completion completion) { kinds.push_back(completion.kind); });
    return kinds;
  }

  EngineHarness h;
  std::shared_ptr<CompletionQueue> queue;
  hc_id id = 0;
  FakeAttempt* attempt = nullptr;
  std::unique_ptr<Response> response;
};

TEST_F(EngineStreamTest, WaitingReaderHearsOfALittleAtTheEndOfTheTurn) {
  EXPECT_EQ(read(), 0U);
  receive(10'000);
  EXPECT_EQ(news(), std::vector<int32_t>{});
  h.turn();
  EXPECT_EQ(news(), std::vector<int32_t>{HC_BODY});
  EXPECT_EQ(read(), 10'000U);
}

TEST_F(EngineStreamTest, WaitingReaderHearsOfMuchAtOnce) {
  EXPECT_EQ(read(), 0U);
  receive(200'000);
  receive(200'000);
  EXPECT_EQ(news(), std::vector<int32_t>{HC_BODY});
  EXPECT_EQ(read(), 400'000U);
  h.turn();
  EXPECT_EQ(news(), std::vector<int32_t>{}) << "it has everything";
}

TEST_F(EngineStreamTest, ReaderWhoDoesNotWaitFindsMuchWithoutBeingTold) {
  receive(200'000);
  receive(200'000);
  EXPECT_EQ(read(), 400'000U);
  EXPECT_EQ(news(), std::vector<int32_t>{});
}

}  // namespace
}  // namespace hc
