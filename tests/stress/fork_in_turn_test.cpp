// Forks in callbacks that the loop makes in the middle of its work. A child that returns from one would go on with that
// work, on its parent's connections: it ends there.
#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>

#include "serve/http_server.h"
#include "stress/fork_support.h"
#include "stress/stress.h"
#include "support/process.h"

namespace hc::test {
namespace {

/// Forks once, in the callback after `skipped` others. Any other callback in the child ends it with 99.
class Forking {
 public:
  explicit Forking(int skipped = 0) : skipped_(skipped) {}

  void fork_once() {
    forbid_in_child();
    if (child_ != 0 || skipped_-- > 0) return;
    child_ = fork();
    if (child_ == 0) alarm(kLongestChildSeconds);
  }
  void forbid_in_child() const {
    if (getpid() != parent_) _exit(99);
  }
  pid_t child() const { return child_; }

 private:
  const pid_t parent_ = getpid();
  int skipped_;
  pid_t child_ = 0;
};

class ForkInTurn : public testing::Test {
 protected:
  void SetUp() override {
    if (kThreadSanitizer || kAddressSanitizer) GTEST_SKIP() << kNoForksUnderSanitizers;
    server_.start();
  }
  std::string url(std::string_view host) const {
    return "http://" + std::string(host) + ":" + std::to_string(server_.port()) + "/bytes/10";
  }

  /// Two requests that the loop starts in one turn, because they are submitted while it is in a callback.
  void expect_both_to_be_answered(Client& client, const std::string& first, const std::string& second) {
    struct Both {
      Client& client;
      const std::string& first;
      const std::string& second;
      std::atomic<hc_id> ids[2] = {};
    } both{client, first, second};
    client.submit(server_.url(0, "/bytes/1"), [&](hc_request& request) {
      request.queue = nullptr;
      request.user_data = &both;
      request.on_done = [](const hc_completion* completion, void* self) {
        auto& mine = *static_cast<Both*>(self);
        hc_response_free(completion->response);
        mine.ids[0] = mine.client.submit(mine.first);
        mine.ids[1] = mine.client.submit(mine.second);
      };
    });
    ASSERT_TRUE(eventually([&] { return both.ids[1] != 0; }));
    EXPECT_TRUE(is(client.wait(both.ids[0]), HC_OK));
    EXPECT_TRUE(is(client.wait(both.ids[1]), HC_OK));
  }

  serve::HttpServer server_;
};

struct ForkInBody : Forking {
  static constexpr size_t kPieces = 100;
  static constexpr size_t kPiece = 1000;
  size_t given = 0;
};

hc_status fork_in_body(void* buffer, size_t, size_t* count, void* self) {
  auto& forking = *static_cast<ForkInBody*>(self);
  forking.forbid_in_child();
  *count = forking.given == ForkInBody::kPieces ? 0 : ForkInBody::kPiece;
  memset(buffer, 'b', *count);
  if (++forking.given == ForkInBody::kPieces / 2) forking.fork_once();
  return HC_OK;
}

// libcurl is about to send what the callback gave: the child would, too, over the same connection.
TEST_F(ForkInTurn, AChildOfABodyCallbackSendsNothing) {
  LeakCheck leaks;
  Client client;
  ForkInBody forking;
  Outcome outcome = client.fetch(server_.url(0, "/echo"), [&](hc_request& request) {
    request.method = HC_STR("POST");
    request.body_kind = HC_BODY_PULLED;
    request.on_body = fork_in_body;
    request.body_data = &forking;
  });
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_TRUE(outcome.body == std::string(ForkInBody::kPieces * ForkInBody::kPiece, 'b'));
  expect_exit(forking.child());
  EXPECT_TRUE(is(client.fetch(server_.url(0, "/bytes/10")), HC_OK));
}

// The next request has the connection by then: the child would send it, too.
TEST_F(ForkInTurn, AChildOfAReleaseCallbackSendsNothing) {
  LeakCheck leaks;
  Client client([](hc_session_options& options) { options.limit = 1; });
  Forking forking;
  hc_id first = client.submit(server_.url(0, "/echo"), [&](hc_request& request) {
    request.method = HC_STR("POST");
    request.body = HC_STR("first");
    request.body_data = &forking;
    request.on_release = [](void* self) { static_cast<Forking*>(self)->fork_once(); };
  });
  ForkInBody next;  // does not fork
  hc_id second = client.submit(server_.url(0, "/echo"), [&](hc_request& request) {
    request.method = HC_STR("POST");
    request.body_kind = HC_BODY_PULLED;
    request.body_data = &next;
    request.on_body = [](void* buffer, size_t, size_t* count, void* self) {
      auto& body = *static_cast<ForkInBody*>(self);
      body.forbid_in_child();
      *count = body.given++ == 0 ? 1 : 0;
      memset(buffer, 'b', *count);
      return hc_status{HC_OK};
    };
  });
  EXPECT_TRUE(is(client.wait(first), HC_OK));
  EXPECT_EQ(client.wait(second).body, "b");
  expect_exit(forking.child());
  EXPECT_TRUE(is(client.fetch(server_.url(0, "/bytes/10")), HC_OK));
}

struct ForkInReader : Forking {
  hc_response* response = nullptr;
  size_t bytes = 0;
  std::atomic<bool> has_ended{false};
};

// libcurl receives, and goes on with it when the callback returns.
TEST_F(ForkInTurn, AChildOfAReadersCallbackReceivesNothing) {
  LeakCheck leaks;
  constexpr size_t kBytes = 3'000'000;
  Client client;
  ForkInReader forking;
  client.submit(server_.url(0, "/bytes/" + std::to_string(kBytes)), [&](hc_request& request) {
    request.stream = HC_ON;
    request.queue = nullptr;
    request.user_data = &forking;
    request.on_done = [](const hc_completion* news, void* self) {
      auto& reader = *static_cast<ForkInReader*>(self);
      reader.forbid_in_child();
      if (news->response != nullptr) reader.response = news->response;
      reader.bytes += read_ready(reader.response).size();
      if (reader.bytes > kBytes / 2) reader.fork_once();
      if (news->kind == HC_DONE) reader.has_ended = true;
    };
  });
  ASSERT_TRUE(eventually([&] { return forking.has_ended.load(); }));
  EXPECT_EQ(forking.bytes, kBytes);
  hc_response_free(forking.response);
  expect_exit(forking.child());
  EXPECT_TRUE(is(client.fetch(server_.url(0, "/bytes/10")), HC_OK));
}

TEST_F(ForkInTurn, AChildOfAResolveCallbackStartsNothing) {
  LeakCheck leaks;
  Forking forking;
  Client client([&](hc_session_options& options) {
    options.on_resolve_data = &forking;
    options.on_resolve = [](hc_resolve_query* query, hc_str, int32_t, void* self) {
      static_cast<Forking*>(self)->fork_once();
      hc_str address = HC_STR("127.0.0.1");
      hc_resolve_answer(query, &address, 1, HC_UNSET);  // in the child there is no such query
      return hc_status{HC_OK};
    };
  });
  expect_both_to_be_answered(client, url("a.test"), url("b.test"));
  expect_exit(forking.child());
}

TEST_F(ForkInTurn, AChildOfASocketCallbackConnectsNothing) {
  LeakCheck leaks;
  Forking forking(/*skipped=*/1);  // the one of the request whose callback submits both
  Client client([&](hc_session_options& options) {
    options.force_close = HC_ON;  // each request has a socket of its own
    options.on_socket_data = &forking;
    options.on_socket = [](const hc_socket_info*, void* self) {
      static_cast<Forking*>(self)->fork_once();
      return 0;
    };
  });
  expect_both_to_be_answered(client, url("127.0.0.1"), url("127.0.0.1"));
  expect_exit(forking.child());
}

}  // namespace
}  // namespace hc::test
