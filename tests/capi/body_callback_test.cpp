// What may be done inside on_body, which runs while libcurl sends: everything that may be done in other callbacks.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

#include "capi/plain_or_tls.h"
#include "support/client.h"
#include "support/process.h"

namespace hc::test {
namespace {

/// A body of `kPieces` pieces, with something to do before the third.
class Body {
 public:
  static constexpr int kPieces = 5;
  static constexpr size_t kPiece = 1000;

  explicit Body(std::function<hc_status()> action) : action_(std::move(action)) {}

  void attach(hc_request& request) {
    request.method = HC_STR("POST");
    request.body_kind = HC_BODY_PULLED;
    request.body_data = this;
    request.on_release = [](void* self) { ++static_cast<Body*>(self)->releases; };
    request.on_body = [](void* buffer, size_t capacity, size_t* count, void* self) {
      return static_cast<Body*>(self)->give(buffer, capacity, count);
    };
  }
  static std::string whole() { return std::string(kPieces * kPiece, 'x'); }

  std::atomic<int> releases{0};

 private:
  hc_status give(void* buffer, size_t capacity, size_t* count) {
    if (given_ == 2 && action_) {
      hc_status status = std::exchange(action_, nullptr)();
      if (status != HC_OK) return status;
    }
    *count = given_ == kPieces ? 0 : std::min(capacity, kPiece);
    std::memset(buffer, 'x', *count);
    if (*count > 0) ++given_;
    return HC_OK;
  }

  std::function<hc_status()> action_;
  int given_ = 0;
};

struct Way {
  bool is_tls;
  bool knows_length;
};

std::string name_of(const testing::TestParamInfo<Way>& info) {
  return std::string(info.param.is_tls ? "Tls" : "Plain") + (info.param.knows_length ? "" : "Chunked");
}

class BodyCallbacks : public testing::TestWithParam<Way>, protected PlainOrTls {
 protected:
  BodyCallbacks() : PlainOrTls(GetParam().is_tls) {}
  Tune sending(Body& body) const {
    return [&body](hc_request& r) {
      body.attach(r);
      if (GetParam().knows_length) r.body_length = Body::kPieces * Body::kPiece;
    };
  }
};

TEST_P(BodyCallbacks, BlockingCallsAreDeadlocks) {
  Client client(trust);
  Body body([&] {
    EXPECT_EQ(hc_session_close(client.get(), 0), HC_E_DEADLOCK);
    EXPECT_EQ(hc_queue_wait(client.queue().get(), HC_FOREVER, nullptr), HC_E_DEADLOCK);
    return HC_OK;
  });
  Outcome outcome = client.fetch(url("/echo"), sending(body));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(outcome.body, Body::whole());
}

TEST_P(BodyCallbacks, MaySubmit) {
  Client client(trust);
  hc_id other = 0;
  Body body([&] {
    other = client.submit(url("/bytes/7"));
    return HC_OK;
  });
  EXPECT_EQ(client.fetch(url("/echo"), sending(body)).body, Body::whole());
  EXPECT_EQ(client.wait(other).body.size(), 7u);
}

TEST_P(BodyCallbacks, MayCancelTheirRequest) {
  Client client(trust);
  std::atomic<hc_id> id{0};
  Body body([&] {
    EXPECT_TRUE(eventually([&] { return id != 0; })) << "submit returns when it has mailed the request";
    client.cancel(id);
    return HC_E_AGAIN;
  });
  id = client.submit(url("/echo"), sending(body));
  EXPECT_TRUE(is(client.wait(id), HC_E_CANCELLED, HC_PHASE_SENDING));
  EXPECT_TRUE(eventually([&] { return body.releases == 1; }));
  EXPECT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
}

TEST_P(BodyCallbacks, MayResumeBeforeTheySayNotYet) {
  Client client(trust);
  std::atomic<hc_id> id{0};
  Body body([&] {
    EXPECT_TRUE(eventually([&] { return id != 0; }));
    EXPECT_EQ(hc_session_resume_upload(client.get(), id), HC_OK);
    return HC_E_AGAIN;
  });
  id = client.submit(url("/echo"), sending(body));
  EXPECT_EQ(client.wait(id).body, Body::whole());
}

TEST_P(BodyCallbacks, MayCloseAsynchronously) {
  Client client(trust);
  std::atomic<int> closed{0};
  Body body([&] {
    auto on_closed = [](void* counter) { ++*static_cast<std::atomic<int>*>(counter); };
    EXPECT_EQ(hc_session_close_async(client.get(), 0, on_closed, &closed), HC_OK);
    return HC_OK;
  });
  EXPECT_TRUE(is(client.fetch(url("/hang"), sending(body)), HC_E_CANCELLED));
  EXPECT_TRUE(eventually([&] { return closed == 1; }));
}

TEST_P(BodyCallbacks, MayFreeTheirOwnSession) {
  LeakCheck leaks;
  hc_session* session = open_session();
  ASSERT_NE(session, nullptr);
  std::atomic<hc_status> ended{HC_OK};
  Body body([&] {
    hc_session_free(session);
    return HC_OK;
  });
  hc_request request;
  ASSERT_EQ(hc_request_init(&request, sizeof request), HC_OK);
  std::string target = url("/hang");
  request.url = str(target);
  sending(body)(request);
  request.user_data = &ended;
  request.on_done = [](const hc_completion* completion, void* status) {
    *static_cast<std::atomic<hc_status>*>(status) = completion->status;
    hc_response_free(completion->response);
  };
  ASSERT_EQ(hc_session_submit(session, &request, nullptr, nullptr), HC_OK);
  EXPECT_TRUE(eventually([&] { return ended == HC_E_CANCELLED && body.releases == 1; }));
}

INSTANTIATE_TEST_SUITE_P(Over, BodyCallbacks,
                         testing::Values(Way{false, true}, Way{false, false}, Way{true, true},
                                         Way{true, false}),
                         name_of);

}  // namespace
}  // namespace hc::test
