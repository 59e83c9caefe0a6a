// What may be done inside callbacks, and what is refused because it would wait for itself.
#include <gtest/gtest.h>

#include <atomic>

#include "serve/http_server.h"
#include "support/client.h"
#include "support/process.h"

namespace hc::test {
namespace {

class Callbacks : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }

  /// Calls `action` on the loop thread when a request is done, and waits for it.
  void run_in_callback(Client& client, std::function<void(const hc_completion&)> action) {
    struct Call {
      std::function<void(const hc_completion&)> action;
      std::atomic<bool> is_done{false};
    } call{std::move(action)};
    submit(
        client, server_.url(0, "/bytes/1"),
        [](const hc_completion* completion, void* self) {
          auto& mine = *static_cast<Call*>(self);
          mine.action(*completion);
          hc_response_free(completion->response);
          mine.is_done = true;
        },
        &call);
    ASSERT_TRUE(eventually([&] { return call.is_done.load(); }));
  }
  hc_id submit(Client& client, std::string_view url, hc_completion_fn on_done, void* user_data) {
    return client.submit(url, [=](hc_request& r) {
      r.queue = nullptr;
      r.on_done = on_done;
      r.user_data = user_data;
    });
  }

  serve::HttpServer server_;
};

TEST_F(Callbacks, TellWhatHappened) {
  Client client;
  run_in_callback(client, [](const hc_completion& completion) {
    EXPECT_EQ(completion.status, HC_OK);
    EXPECT_EQ(completion.http_status, 200);
    EXPECT_EQ(completion.body.len, 1u);
    EXPECT_NE(completion.id, 0u);
  });
}

TEST_F(Callbacks, BlockingCallsAreDeadlocks) {
  Client client;
  run_in_callback(client, [&](const hc_completion&) {
    EXPECT_EQ(hc_session_close(client.get(), 0), HC_E_DEADLOCK);
    EXPECT_EQ(hc_session_close(client.get(), HC_FOREVER), HC_E_DEADLOCK);
    EXPECT_EQ(hc_queue_wait(client.queue().get(), HC_FOREVER, nullptr), HC_E_DEADLOCK);
    hc_request request;
    hc_request_init(&request, sizeof request);
    std::string url = server_.url(0, "/bytes/1");
    request.url = str(url);
    hc_response* response = nullptr;
    hc_error error;
    hc_error_init(&error, sizeof error);
    EXPECT_EQ(hc_session_perform(client.get(), &request, &response, &error), HC_E_DEADLOCK);
    EXPECT_EQ(error.status, HC_E_DEADLOCK);
    EXPECT_EQ(response, nullptr);
  });
  EXPECT_TRUE(is(client.fetch(server_.url(0, "/bytes/1")), HC_OK)) << "nothing was changed";
}

TEST_F(Callbacks, BlockingCallsAreDeadlocksInEveryCallback) {
  struct Seen {
    std::atomic<hc_session*> session{nullptr};
    std::atomic<hc_status> socket{HC_OK}, resolve{HC_OK};
  } seen;
  Client client([&](hc_session_options& o) {
    o.on_socket = [](const hc_socket_info*, void* self) {
      auto& mine = *static_cast<Seen*>(self);
      mine.socket = hc_session_close(mine.session, 0);
      return 0;
    };
    o.on_resolve = [](hc_resolve_query* query, hc_str, int32_t, void* self) {
      auto& mine = *static_cast<Seen*>(self);
      mine.resolve = hc_session_close(mine.session, 0);
      hc_str address = HC_STR("127.0.0.1");
      EXPECT_EQ(hc_resolve_answer(query, &address, 1, HC_UNSET), HC_OK);
      return hc_status{HC_OK};
    };
    o.on_socket_data = o.on_resolve_data = &seen;
  });
  seen.session = client.get();
  EXPECT_TRUE(is(client.fetch("http://a.test:" + std::to_string(server_.port()) + "/bytes/1"), HC_OK));
  EXPECT_EQ(seen.socket, HC_E_DEADLOCK);
  EXPECT_EQ(seen.resolve, HC_E_DEADLOCK);
}

TEST_F(Callbacks, ClosingAnotherSessionIsNoDeadlock) {
  Client client;
  Client other;
  run_in_callback(client, [&](const hc_completion&) { EXPECT_EQ(hc_session_close(other.get(), 0), HC_OK); });
  EXPECT_EQ(other.try_submit(server_.url(0, "/bytes/1")), HC_E_CLOSED);
}

struct Chain {
  Client* client;
  std::string url;
  std::atomic<int> left;
};

void next_in_chain(const hc_completion* completion, void* self) {
  auto& chain = *static_cast<Chain*>(self);
  EXPECT_EQ(completion->status, HC_OK);
  hc_response_free(completion->response);
  if (--chain.left <= 0) return;
  hc_request request;
  hc_request_init(&request, sizeof request);
  request.url = str(chain.url);
  request.on_done = next_in_chain;
  request.user_data = self;
  EXPECT_EQ(hc_session_submit(chain.client->get(), &request, nullptr, nullptr), HC_OK);
}

TEST_F(Callbacks, MaySubmit) {
  Client client;
  Chain chain{&client, server_.url(0, "/bytes/1"), 200};
  submit(client, chain.url, next_in_chain, &chain);
  EXPECT_TRUE(eventually([&] { return chain.left == 0; }));
  EXPECT_TRUE(client.stats_become([](const hc_stats& s) { return s.succeeded == 200; }));
  EXPECT_EQ(server_.counters().connections_accepted, 1u);
}

TEST_F(Callbacks, MayCancelOthersAndThemselves) {
  Client client;
  hc_id other = client.submit(server_.url(0, "/hang"));
  ASSERT_TRUE(server_.wait_until([](const serve::Counters& c) { return c.requests == 1; }));
  run_in_callback(client, [&](const hc_completion& completion) {
    EXPECT_EQ(hc_session_cancel(client.get(), completion.id), HC_OK);
    EXPECT_EQ(hc_session_cancel(client.get(), other), HC_OK);
    EXPECT_EQ(hc_session_cancel(client.get(), other), HC_OK);
  });
  EXPECT_TRUE(is(client.wait(other), HC_E_CANCELLED));
}

TEST_F(Callbacks, MayCloseAsynchronously) {
  Client client;
  std::atomic<int> closed{0};
  hc_id other = client.submit(server_.url(0, "/hang"));
  run_in_callback(client, [&](const hc_completion&) {
    auto on_closed = [](void* counter) { ++*static_cast<std::atomic<int>*>(counter); };
    EXPECT_EQ(hc_session_close_async(client.get(), 0, on_closed, &closed), HC_OK);
    EXPECT_EQ(closed, 0);
  });
  EXPECT_TRUE(is(client.wait(other), HC_E_CANCELLED));
  EXPECT_TRUE(eventually([&] { return closed == 1; }));
}

TEST_F(Callbacks, MayFreeTheirOwnSession) {
  LeakCheck leaks;
  for (int round = 0; round < 20; ++round) {
    hc_session* session = nullptr;
    ASSERT_EQ(hc_session_create(&session, nullptr, nullptr), HC_OK);
    struct Call {
      hc_session* session;
      std::atomic<int> done{0};
      std::atomic<int> cancelled{0};
    } call{session};
    hc_request request;
    hc_request_init(&request, sizeof request);
    std::string hang = server_.url(0, "/hang");
    std::string quick = server_.url(0, "/bytes/1");
    request.user_data = &call;
    request.url = str(hang);
    request.on_done = [](const hc_completion* completion, void* self) {
      EXPECT_EQ(completion->status, HC_E_CANCELLED);
      hc_response_free(completion->response);
      ++static_cast<Call*>(self)->cancelled;
    };
    ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
    request.url = str(quick);
    request.on_done = [](const hc_completion* completion, void* self) {
      hc_response_free(completion->response);
      hc_session_free(static_cast<Call*>(self)->session);
      ++static_cast<Call*>(self)->done;
    };
    ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
    EXPECT_TRUE(eventually([&] { return call.done == 1 && call.cancelled == 1; }));
  }
}

TEST_F(Callbacks, MayFreeTheSessionWhenItIsClosed) {
  LeakCheck leaks;
  hc_session* session = nullptr;
  ASSERT_EQ(hc_session_create(&session, nullptr, nullptr), HC_OK);
  struct Call {
    hc_session* session;
    std::atomic<bool> is_done{false};
  } call{session};
  auto free_it = [](void* self) {
    hc_session_free(static_cast<Call*>(self)->session);
    static_cast<Call*>(self)->is_done = true;
  };
  ASSERT_EQ(hc_session_close_async(session, 0, free_it, &call), HC_OK);
  EXPECT_TRUE(eventually([&] { return call.is_done.load(); }));
}

TEST_F(Callbacks, MayCloseTheirQueue) {
  Client client;
  Queue doomed;
  client.submit(server_.url(0, "/hang"), [&](hc_request& r) { r.queue = doomed.get(); });
  run_in_callback(client, [&](const hc_completion&) { doomed.close(); });
  EXPECT_TRUE(client.stats_become([](const hc_stats& s) { return s.cancelled == 1; }));
}

TEST_F(Callbacks, ASlowOneDelaysButLosesNothing) {
  Client client;
  std::atomic<int> done{0};
  for (int i = 0; i < 50; ++i) {
    submit(
        client, server_.url(0, "/bytes/10"),
        [](const hc_completion* completion, void* counter) {
          EXPECT_EQ(completion->status, HC_OK);
          hc_response_free(completion->response);
          // Busy on purpose, as a careless caller's code is.
          for (Stopwatch watch; watch.elapsed() < milliseconds(2);) {
          }
          ++*static_cast<std::atomic<int>*>(counter);
        },
        &done);
  }
  EXPECT_TRUE(eventually([&] { return done == 50; }));
}

}  // namespace
}  // namespace hc::test
