// Several sessions in a process with few descriptors. The servers are in the parent process, so that all of the
// child's descriptors are the sessions'.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "serve/http_server.h"
#include "stress/stress.h"
#include "support/process.h"

namespace hc::test {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kDescriptors = 64;
constexpr size_t kBudget = kDescriptors * 4 / 5;
constexpr const char* kServer = "HC_TEST_SERVER";

class BudgetTest : public testing::Test {
 protected:
  // True in the child, which has the test's body before it; the parent waits for it and takes over its failures.
  bool is_in_child() {
    if (is_child()) {
      server_ = std::getenv(kServer);
      return true;
    }
    serve::HttpServer server;
    server.start();
    ChildResult child = run_this_test_in_child(kDescriptors, {{kServer, server.url()}});
    EXPECT_EQ(child.exit_code, 0) << child.output;
    return false;
  }

  void TearDown() override { EXPECT_LE(witness_.peak_open(), kBudget); }

  std::string url(const std::string& path) const { return server_ + path; }

  hc_session* make_witnessed_session() {
    return make_session([this](hc_session_options& options) { witness_.attach(options); });
  }
  hc_session* make_session_without_limit() {
    return make_session([this](hc_session_options& options) {
      options.limit = 0;
      options.log_level = HC_LOG_ERROR;  // it would warn
      witness_.attach(options);
    });
  }

  std::string server_;
  SocketWitness witness_;
};

void submit_all(hc_session* session, const std::string& url, Receipts& receipts, size_t first, size_t count) {
  hc_request request = make_request(url);
  request.on_done = Receipts::on_done;
  for (size_t i = first; i < first + count; ++i) {
    request.user_data = receipts.ticket(i);
    ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
  }
}

uint64_t descriptors_in_use() {
  hc_runtime_info info{};
  info.struct_size = sizeof info;
  EXPECT_EQ(hc_runtime_get_info(&info), HC_OK);
  EXPECT_LE(info.descriptors_in_use, info.descriptor_budget);
  EXPECT_EQ(info.descriptor_budget, kBudget);
  return info.descriptors_in_use;
}

TEST_F(BudgetTest, SessionsShareItAndAllFinish) {
  if (!is_in_child()) return;
  constexpr size_t kSessions = 5;
  const size_t each = scaled(2'000, 100);
  Receipts receipts(kSessions * each);
  std::vector<hc_session*> sessions;
  // Their own descriptors are not in the budget: all are made before the first connection.
  for (size_t i = 0; i < kSessions; ++i) sessions.push_back(make_session_without_limit());
  for (size_t i = 0; i < kSessions; ++i) {
    submit_all(sessions[i], url(i % 2 == 0 ? "/delay/2" : "/bytes/100"), receipts, i * each, each);
  }
  Stopwatch watch;
  while (receipts.total() < kSessions * each && watch.elapsed() < 2 * kMustHappen) {
    descriptors_in_use();
    std::this_thread::sleep_for(1ms);
  }
  receipts.expect_each_once();
  EXPECT_EQ(receipts.total(HC_OK), kSessions * each) << "the lack of descriptors is nobody's error";
  for (hc_session* session : sessions) hc_session_free(session);
  EXPECT_EQ(descriptors_in_use(), 0u);
}

// One session holds every descriptor with connections that it does not need.
TEST_F(BudgetTest, IdleConnectionsMakeRoomForAnotherSession) {
  if (!is_in_child()) return;
  Receipts receipts(2 * kBudget);
  hc_session* rich = make_witnessed_session();
  hc_session* poor = make_witnessed_session();
  submit_all(rich, url("/delay/1000"), receipts, 0, kBudget);  // all are sent before the first is answered
  ASSERT_TRUE(eventually([&] { return stats_of(rich).sockets_idle == kBudget; }));
  ASSERT_EQ(descriptors_in_use(), kBudget);
  Stopwatch watch;
  submit_all(poor, url("/bytes/10"), receipts, kBudget, kBudget);
  EXPECT_TRUE(eventually([&] { return receipts.total() == 2 * kBudget; })) << receipts.total() - kBudget;
  EXPECT_LT(watch.elapsed(), 10s) << "keepalive_timeout_ms of the other session is 15 s";
  hc_session_free(rich);
  hc_session_free(poor);
}

struct Glutton {
  hc_session* session;
  std::string url;
  std::atomic<bool> is_full{false};
  std::atomic<size_t> under_way{0};

  void eat() {
    hc_request request = make_request(url);
    request.on_done = on_done;
    request.user_data = this;
    ++under_way;
    EXPECT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
  }
  static void on_done(const hc_completion* completion, void* self) {
    auto& glutton = *static_cast<Glutton*>(self);
    hc_response_free(completion->response);
    if (!glutton.is_full) glutton.eat();
    --glutton.under_way;
  }
};

// One session never has an idle connection, because there is always somebody in line for it.
TEST_F(BudgetTest, ABusySessionDoesNotStarveAnother) {
  if (!is_in_child()) return;
  Glutton glutton{make_session_without_limit(), url("/delay/5")};
  hc_session* modest = make_witnessed_session();
  for (size_t i = 0; i < 4 * kBudget; ++i) glutton.eat();
  ASSERT_TRUE(eventually([&] { return descriptors_in_use() == kBudget; }));
  constexpr size_t kRequests = 20;
  Receipts receipts(kRequests);
  Stopwatch watch;
  for (size_t i = 0; i < kRequests; ++i) {
    submit_all(modest, url("/bytes/10"), receipts, i, 1);
    ASSERT_TRUE(eventually([&] { return receipts.total() == i + 1; })) << "starved";
  }
  EXPECT_LT(watch.elapsed(), 10s);
  receipts.expect_each_once();
  hc_session_free(modest);
  glutton.is_full = true;
  EXPECT_TRUE(eventually([&] { return glutton.under_way == 0; }));
  hc_session_free(glutton.session);
}

}  // namespace
}  // namespace hc::test
