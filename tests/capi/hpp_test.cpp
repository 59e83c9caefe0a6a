// hc.hpp: what the C++ header adds to hc.h, which is owning, throwing and calling.
#include <hc/hc.hpp>

#include <gtest/gtest.h>

#include <array>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "serve/http_server.h"
#include "support/eventually.h"

#ifdef __SANITIZE_THREAD__
// The count of an exception_ptr is kept inside libstdc++.so, which ThreadSanitizer does not see: it takes the release of
// an exception that was read through a future for a race.
extern "C" [[gnu::visibility("default")]] const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release\n";
}
#endif

namespace hc::test {
namespace {

class HppTest : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  std::string url(const std::string& path) const { return server_.url(0, path); }

  serve::HttpServer server_;
  hc::Session session_;
};

/// The error that the call throws; the test fails if it throws none.
template <class Call>
hc::Error error_of(Call call) {
  try {
    call();
  } catch (const hc::Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return hc::Error(HC_OK);
}

TEST_F(HppTest, PerformGivesAResponse) {
  const std::string address = url("/bytes/10");
  hc::Response response = session_.perform(hc::Request(address));
  EXPECT_EQ(response.status(), HC_OK);
  EXPECT_EQ(response.http_status(), 200);
  EXPECT_EQ(response.body(), "0123456789");
  EXPECT_EQ(response.header("CONTENT-LENGTH"), "10");
  EXPECT_EQ(response.header("x-none"), std::nullopt);
  EXPECT_EQ(view(response.info().url), address);
  EXPECT_EQ(response.attempt(0).status, HC_OK);
  EXPECT_EQ(response.certificate(0), "");
  EXPECT_EQ(response.error().status(), HC_OK);
  EXPECT_EQ(error_of([&] { response.attempt(99); }).status(), HC_E_INVALID);
}

// Whether an expression of that type gives views, which would outlive a temporary.
template <class Named, class = void>
struct GivesViews : std::false_type {};
template <class Named>
struct GivesViews<Named, std::void_t<decltype(std::declval<Named>().body())>> : std::true_type {};
template <class Named, class = void>
struct GivesStructs : std::false_type {};
template <class Named>
struct GivesStructs<Named, std::void_t<decltype(std::declval<Named>().info())>> : std::true_type {};

TEST(HppTypes, OnlyNamedResponsesGiveViews) {
  EXPECT_TRUE(GivesViews<hc::Response&>::value && GivesViews<const hc::Response&>::value);
  EXPECT_TRUE(GivesStructs<hc::Response&>::value && GivesStructs<const hc::Response&>::value);
  EXPECT_FALSE(GivesViews<hc::Response>::value || GivesViews<const hc::Response>::value);
  EXPECT_FALSE(GivesStructs<hc::Response>::value || GivesStructs<const hc::Response>::value);
}

TEST(HppTypes, TextThatIsNotThereIsNotGiven) {
  const char* nothing = nullptr;
  EXPECT_EQ(str(nothing).data, nullptr);
  EXPECT_EQ(str(nothing).len, 0U);
  EXPECT_EQ(Request(nothing).url.data, nullptr);
  EXPECT_NE(str("").data, nullptr);
}

TEST_F(HppTest, MistakesAreErrorsWithTheLineOfTheInterface) {
  hc::SessionOptions options;
  options.family = 5;
  const hc::Error error = error_of([&] { hc::Session session(options); });
  EXPECT_EQ(error.status(), HC_E_INVALID);
  EXPECT_STREQ(error.name(), "HC_E_INVALID");
  EXPECT_EQ(std::string(error.what()).rfind("family", 0), 0u) << error.what();
  EXPECT_STREQ(error.what(), error.details().message);
  EXPECT_EQ(error_of([&] { session_.submit(hc::Request("nonsense")); }).status(), HC_E_INVALID);
  EXPECT_EQ(error_of([&] { session_.cancel(0); }).what(), std::string(hc_status_text(HC_E_INVALID)));
  hc::TlsOptions tls;
  tls.ca_file = str("/nonexistent");
  EXPECT_EQ(error_of([&] { hc::Tls identity(tls); }).status(), HC_E_TLS_CONFIG);
}

TEST_F(HppTest, PerformThrowsWhyTheRequestFailed) {
  const std::string address = url("/reset");
  const hc::Error error = error_of([&] { session_.perform(hc::Request(address)); });
  EXPECT_EQ(error.status(), HC_E_DISCONNECTED);
  EXPECT_EQ(error.phase(), HC_PHASE_AWAITING);
}

TEST_F(HppTest, AQueueGivesWhatItsRequestsCameTo) {
  hc::Queue queue;
  EXPECT_GE(queue.fd(), 0);
  EXPECT_EQ(queue.wait(Milliseconds(0)), 0u);
  EXPECT_TRUE(queue.drain().empty());
  const std::string good = url("/bytes/3"), bad = url("/reset");
  int mark = 0;
  for (const std::string& address : {good, bad}) {
    hc::Request request(address);
    request.queue = queue.get();
    request.user_data = &mark;
    session_.submit(request);
  }
  std::vector<hc::Completion> done;
  while (done.size() < 2) {
    ASSERT_GT(queue.wait(kMustHappen), 0u);
    for (hc::Completion& one : queue.drain(1)) done.push_back(std::move(one));
  }
  if (done[0].status != HC_OK) std::swap(done[0], done[1]);
  EXPECT_EQ(done[0].body, "012");
  EXPECT_EQ(done[0].http_status, 200);
  EXPECT_EQ(done[0].user_data, &mark);
  EXPECT_EQ(done[0].kind, HC_DONE);
  EXPECT_EQ(done[1].response.error().status(), HC_E_DISCONNECTED);
}

TEST_F(HppTest, ACallableIsCalledOnceAndThenGone) {
  auto kept = std::make_shared<int>();
  std::promise<std::string> body;
  const std::string address = url("/bytes/3");
  session_.submit(hc::Request(address),
                  [kept, &body](hc::Completion done) { body.set_value(std::string(done.body)); });
  EXPECT_EQ(body.get_future().get(), "012");
  session_.close();
  EXPECT_EQ(kept.use_count(), 1);
}

TEST_F(HppTest, ACallableOfARefusedRequestIsGoneAtOnce) {
  auto kept = std::make_shared<int>();
  EXPECT_THROW(session_.submit(hc::Request("nonsense"), [kept](hc::Completion) {}), hc::Error);
  EXPECT_EQ(kept.use_count(), 1);
}

TEST_F(HppTest, AFutureHasTheResponseOrTheError) {
  const std::string good = url("/bytes/3"), bad = url("/reset");
  const hc::Response answer = session_.send(hc::Request(good)).get();
  EXPECT_EQ(answer.body(), "012");
  std::future<hc::Response> failing = session_.send(hc::Request(bad));
  EXPECT_EQ(error_of([&] { failing.get(); }).status(), HC_E_DISCONNECTED);
  std::future<hc::Response> hanging = session_.send(hc::Request(server_.url(0, "/hang").c_str()));
  session_.close();
  const hc_status ended = error_of([&] { hanging.get(); }).status();
  EXPECT_TRUE(ended == HC_E_CANCELLED || ended == HC_E_CLOSED) << ended;
}

TEST_F(HppTest, AStreamedBodyIsReadAndTaken) {
  const std::string address = url("/bytes/1000");
  hc::Request request(address);
  request.stream = HC_ON;
  hc::Response response = session_.send(request).get();
  std::string body;
  std::array<char, 10> buffer{};
  ASSERT_TRUE(response.wait(kMustHappen));
  body.append(buffer.data(), response.read(buffer.data(), buffer.size()).value());
  for (bool ended = false; !ended;) {
    ASSERT_TRUE(response.wait(kMustHappen));
    if (std::optional<hc::Chunk> chunk = response.take()) {
      body += chunk->bytes;
      ended = chunk->bytes.empty();
    }
  }
  EXPECT_EQ(body, serve::pattern(1000));
}

TEST_F(HppTest, AStreamedBodyThatBreaksThrowsWhy) {
  const std::string address = url("/truncate?claimed=100&sent=50");
  hc::Request request(address);
  request.stream = HC_ON;
  hc::Response response = session_.perform(request);
  std::array<char, 200> buffer{};
  std::size_t count = 0;
  const hc::Error error = error_of([&] {
    for (;;) {
      response.wait(kMustHappen);
      count += response.read(buffer.data(), buffer.size()).value_or(0);
    }
  });
  EXPECT_EQ(error.status(), HC_E_INCOMPLETE);
  EXPECT_EQ(error.details().native_domain, HC_NATIVE_CURL);
  EXPECT_EQ(count, 50u);
}

TEST_F(HppTest, AStreamedBodyThatIsNotHereYetIsNothing) {
  const std::string address = url("/drip?bytes=2&every_ms=600000");
  hc::Request request(address);
  request.stream = HC_ON;
  hc::Response response = session_.perform(request);
  std::array<char, 10> buffer{};
  ASSERT_TRUE(response.wait(kMustHappen));
  EXPECT_EQ(response.read(buffer.data(), buffer.size()), 1u);
  EXPECT_EQ(response.read(buffer.data(), buffer.size()), std::nullopt);
  EXPECT_FALSE(response.take().has_value());
  EXPECT_FALSE(response.wait(Milliseconds(0)));
}

TEST_F(HppTest, CloseAsyncCallsOnceAndSessionsCanBeMoved) {
  auto kept = std::make_shared<int>();
  std::promise<void> closed;
  hc::Session first;
  hc::Session second = std::move(first);
  second.close_async(Milliseconds(0), [kept, &closed] { closed.set_value(); });
  closed.get_future().get();
  second.close(forever);
  EXPECT_EQ(kept.use_count(), 1);
  EXPECT_EQ(
      error_of([&] { second.submit(hc::Request("http://127.0.0.1/"), [](hc::Completion) {}); }).status(),
      HC_E_CLOSED);
}

TEST_F(HppTest, NamesAreResolvedAsTold) {
  session_.resolve_add("made.up", 0, {"127.0.0.1"});
  const std::string address = "http://made.up:" + std::to_string(server_.port()) + "/bytes/3";
  const hc::Response answer = session_.perform(hc::Request(address));
  EXPECT_EQ(answer.body(), "012");
  session_.dns_clear();
  session_.dns_clear("made.up");
  EXPECT_EQ(error_of([&] { session_.resolve_add("made.up", 0, {"nonsense"}); }).status(), HC_E_INVALID);
}

TEST_F(HppTest, StatisticsCount) {
  const std::string address = url("/bytes/3");
  session_.perform(hc::Request(address));
  EXPECT_EQ(session_.stats().succeeded, 1u);
  EXPECT_EQ(session_.histograms().total.count, 1u);
  const std::vector<hc_origin_stats> origins = session_.origins();
  ASSERT_EQ(origins.size(), 1u);
  EXPECT_EQ(origins[0].succeeded, 1u);
  const std::string text = prometheus({{"one", &session_}});
  EXPECT_NE(text.find("session=\"one\""), std::string::npos) << text;
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(error_of([] { prometheus({}); }).status(), HC_E_INVALID);
  EXPECT_GE(runtime_info().curl_version_number, 0x075800u);
}

}  // namespace
}  // namespace hc::test
