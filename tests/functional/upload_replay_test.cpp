// Bodies that would have to be sent a second time, and servers that do not want them at all.
#include <gtest/gtest.h>

#include <string>

#include "serve/http_server.h"
#include "support/client.h"
#include "support/upload_source.h"

namespace hc::test {
namespace {

using serve::HttpServer;

class Replays : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  std::string url(std::string_view path) const { return server_.url(0, path); }
  static Tune put(Source& source) {
    return [&source](hc_request& r) {
      r.method = HC_STR("PUT");
      source.attach(r);
    };
  }
  static Tune put_again(Source& source) {
    return [&source](hc_request& r) {
      put(source)(r);
      r.on_rewind = Source::rewind;
    };
  }
  static Tune expecting(const Tune& tune) {
    return [tune](hc_request& r) {
      tune(r);
      r.expect_continue = HC_ON;
    };
  }
  std::string arrivals(Client& client) { return client.fetch(url("/once-count/k")).body; }

  HttpServer server_;
};

TEST_F(Replays, ARedirectOfABodyThatCannotBeRepeatedSaysSo) {
  Client client;
  for (const char* status : {"307", "308"}) {
    Source source(serve::pattern(1000));
    Outcome outcome =
        client.fetch(url("/redirect-to?url=/once/k&status=" + std::string(status)), put(source));
    EXPECT_TRUE(is(outcome, HC_E_REDIRECT, HC_PHASE_RECEIVING)) << status;
    EXPECT_NE(outcome.message().find("body"), std::string::npos) << outcome.message();
    EXPECT_EQ(outcome.info().http_status, std::atoi(status)) << "with the redirect's head";
    EXPECT_EQ(source.releases, 1);
  }
  EXPECT_EQ(arrivals(client), "0");
}

TEST_F(Replays, AStaleConnectionEndsOneThatCannotBeRepeated) {
  Client client;
  ASSERT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
  Source source(serve::pattern(1000));
  Outcome outcome = client.fetch(url("/once/k?die=before_reply&times=1"), put(source));
  EXPECT_TRUE(is(outcome, HC_E_STALE));
  EXPECT_NE(outcome.message().find("not sent again"), std::string::npos) << outcome.message();
  EXPECT_EQ(arrivals(client), "1");
  EXPECT_EQ(source.releases, 1);
}

TEST_F(Replays, AStaleConnectionRepeatsOneThatCanBeRewound) {
  Client client;
  ASSERT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
  Source source(serve::pattern(1000));
  Outcome outcome = client.fetch(url("/once/k?die=before_reply&times=1"), put_again(source));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(outcome.body, "2");
  EXPECT_EQ(source.rewinds, 1);
}

TEST_F(Replays, FailingToRewindIsTheCallbacksError) {
  Client client;
  Source source(serve::pattern(1000));
  Outcome outcome = client.fetch(url("/redirect-to?url=/once/k&status=307"), [&](hc_request& r) {
    put(source)(r);
    r.on_rewind = [](void*) -> hc_status { return 7; };
  });
  EXPECT_TRUE(is(outcome, HC_E_CALLBACK));
  EXPECT_EQ(arrivals(client), "0");
}

// Credentials go with the first request; nobody asks for them a second time.
TEST_F(Replays, A401IsAnAnswer) {
  Client client;
  Source source(serve::pattern(1000));
  Outcome outcome = client.fetch(url("/status/401"), [&](hc_request& r) {
    put(source)(r);
    r.username = HC_STR("user");
    r.password = HC_STR("secret");
  });
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(outcome.http_status, 401);
  EXPECT_EQ(server_.counters().requests, 1u);
  EXPECT_EQ(source.rewinds, 0);
}

TEST_F(Replays, ARefusedExpectationIsAnAnswerAndNothingIsSentAgain) {
  Client client;
  for (bool is_repeatable : {false, true}) {
    Source source(serve::pattern(100'000));
    Outcome outcome = client.fetch(url("/upload/early?status=417"),
                                   expecting(is_repeatable ? put_again(source) : put(source)));
    EXPECT_TRUE(is(outcome, HC_OK)) << is_repeatable;
    EXPECT_EQ(outcome.http_status, 417) << "without its body, which libcurl does not give";
    EXPECT_EQ(source.rewinds, 0);
  }
  EXPECT_EQ(server_.counters().requests, 2u);
}

TEST_F(Replays, AnExpectationThatIsMetSendsTheBody) {
  Client client;
  Source source(serve::pattern(100'000));
  Outcome outcome = client.fetch(url("/echo"), expecting(put(source)));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_TRUE(outcome.body == serve::pattern(100'000));
}

TEST_F(Replays, AnswersInPlaceOfAContinueEndTheRequest) {
  Client client;
  for (const char* status : {"200", "403", "413"}) {
    Source source(serve::pattern(50'000'000));
    Outcome outcome =
        client.fetch(url("/upload/early?status=" + std::string(status)), expecting(put(source)));
    EXPECT_TRUE(is(outcome, HC_OK)) << status;
    EXPECT_EQ(outcome.http_status, std::atoi(status));
  }
  EXPECT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
}

}  // namespace
}  // namespace hc::test
