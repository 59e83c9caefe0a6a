// The race of addresses: dead ones cost a head start, not a timeout.
#include <gtest/gtest.h>

#include "serve/dead_ends.h"
#include "serve/http_server.h"
#include "support/client.h"

namespace hc::test {
namespace {

using serve::BlackHole;
using serve::HttpServer;
using serve::RefusedPort;

// The good one is 127.0.0.1; the dead ones are others on the same port.
class RaceTest : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }

  Tune through(const std::vector<std::string>& addresses) {
    addresses_ = addresses;
    views_.clear();
    for (const std::string& address : addresses_) views_.push_back(str(address));
    return [this](hc_request& r) {
      r.addresses = views_.data();
      r.address_count = views_.size();
    };
  }
  std::string url(std::string_view path = "/bytes/1") const {
    return "http://made-up.test:" + std::to_string(server_.port()) + std::string(path);
  }
  static uint64_t ready_ms(const Outcome& outcome) { return outcome.info().timing.ready_ns / 1'000'000; }
  static std::string address_of(const Outcome& outcome) { return text(outcome.info().remote_address); }

  HttpServer server_;
  std::vector<std::string> addresses_;
  std::vector<hc_str> views_;
};

TEST_F(RaceTest, ADeadFirstOneCostsAHeadStart) {
  BlackHole hole("127.0.0.2", server_.port());
  Client client;
  Outcome outcome = client.fetch(url(), through({"127.0.0.2", "127.0.0.1"}));
  ASSERT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(address_of(outcome), "127.0.0.1");
  EXPECT_GE(ready_ms(outcome), 250u);
  EXPECT_LT(ready_ms(outcome), 2'000u);
  hc_stats stats = client.stats();
  EXPECT_EQ(stats.sockets_opened, 2u);
  EXPECT_TRUE(client.stats_become(
      [](const hc_stats& s) { return s.sockets_closed == 1 && s.sockets_connecting == 0; }));
}

TEST_F(RaceTest, TwoDeadOnesCostTwoHeadStarts) {
  BlackHole first("127.0.0.2", server_.port());
  BlackHole second("127.0.0.3", server_.port());
  Client client;
  Outcome outcome = client.fetch(url(), through({"127.0.0.2", "127.0.0.3", "127.0.0.1"}));
  ASSERT_TRUE(is(outcome, HC_OK));
  EXPECT_GE(ready_ms(outcome), 500u);
  EXPECT_LT(ready_ms(outcome), 2'500u);
}

TEST_F(RaceTest, ARefusedOneCostsNothing) {
  RefusedPort refused("127.0.0.2", server_.port());
  Client client([](hc_session_options& o) { o.happy_eyeballs_ms = 20'000; });
  Outcome outcome = client.fetch(url(), through({"127.0.0.2", "127.0.0.1"}));
  ASSERT_TRUE(is(outcome, HC_OK));
  EXPECT_LT(ready_ms(outcome), 5'000u) << "the next one starts as soon as one fails";
  EXPECT_EQ(outcome.info().attempts, 2u);
}

TEST_F(RaceTest, AGoodFirstOneStartsNoOther) {
  Client client([](hc_session_options& o) { o.happy_eyeballs_ms = 2'000; });
  Outcome outcome = client.fetch(url(), through({"127.0.0.1", "127.0.0.2"}));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(client.stats().sockets_opened, 1u);
}

TEST_F(RaceTest, WhenAllRefuseTheFirstFailureIsTold) {
  RefusedPort first("127.0.0.2", server_.port());
  RefusedPort second("127.0.0.3", server_.port());
  Client client;
  Stopwatch watch;
  Outcome outcome = client.fetch(url(), through({"127.0.0.2", "127.0.0.3"}));
  EXPECT_TRUE(is(outcome, HC_E_CONNECT, HC_PHASE_CONNECTING));
  EXPECT_EQ(outcome.error().native_code, ECONNREFUSED);
  EXPECT_NE(outcome.message().find("2 addresses"), std::string::npos) << outcome.message();
  EXPECT_LT(watch.elapsed(), milliseconds(5'000));
}

TEST_F(RaceTest, WhenAllAreDeadTheClockEndsThemTogether) {
  BlackHole first("127.0.0.2", server_.port());
  BlackHole second("127.0.0.3", server_.port());
  Client client([](hc_session_options& o) { o.timeouts.sock_connect_ms = 600; });
  Outcome outcome = client.fetch(url(), through({"127.0.0.2", "127.0.0.3"}));
  EXPECT_TRUE(is(outcome, HC_E_TIMEOUT_SOCK_CONNECT, HC_PHASE_CONNECTING));
  EXPECT_EQ(client.stats().sockets_closed, 2u);
  EXPECT_TRUE(is(client.fetch(server_.url(0, "/bytes/1")), HC_OK));
}

TEST_F(RaceTest, WithoutAHeadStartTheyGoOneByOne) {
  BlackHole hole("127.0.0.2", server_.port());
  Client client([](hc_session_options& o) {
    o.happy_eyeballs_ms = 0;
    o.timeouts.sock_connect_ms = 700;
  });
  EXPECT_TRUE(is(client.fetch(url(), through({"127.0.0.2", "127.0.0.1"})), HC_E_TIMEOUT_SOCK_CONNECT));
  EXPECT_EQ(client.stats().sockets_opened, 1u);
}

TEST_F(RaceTest, NearTheLimitASilentOneGivesItsPlaceToTheNext) {
  BlackHole hole("127.0.0.2", server_.port());
  Client client([](hc_session_options& o) {
    o.limit_per_host = 1;
    o.timeouts.sock_connect_ms = 3'000;
  });
  Outcome outcome = client.fetch(url(), through({"127.0.0.2", "127.0.0.1"}));
  ASSERT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(address_of(outcome), "127.0.0.1");
  EXPECT_GE(ready_ms(outcome), 1'500u) << "half of the time for each";
  EXPECT_EQ(outcome.info().attempts, 2u);
  EXPECT_EQ(client.stats().sockets_peak, 1u);
}

TEST_F(RaceTest, NearTheLimitARefusedOneIsStillFollowedByTheNext) {
  RefusedPort refused("127.0.0.2", server_.port());
  Client client([](hc_session_options& o) { o.limit = 1; });
  EXPECT_TRUE(is(client.fetch(url(), through({"127.0.0.2", "127.0.0.1"})), HC_OK));
  EXPECT_EQ(client.stats().sockets_peak, 1u);
}

TEST_F(RaceTest, ADeadFamilyDoesNotHoldTheOtherUp) {
  Client client;
  // 100::/64 is the discard prefix (RFC 6666): unreachable or silent, as the machine has it.
  Outcome outcome = client.fetch(url(), through({"100::1", "127.0.0.1"}));
  ASSERT_TRUE(is(outcome, HC_OK));
  EXPECT_LT(ready_ms(outcome), 2'500u);
}

TEST_F(RaceTest, ThePostGoesOutOnce) {
  BlackHole hole("127.0.0.2", server_.port());
  Client client([](hc_session_options& o) { o.happy_eyeballs_ms = 1; });
  for (int i = 0; i < 50; ++i) {
    std::string key = "race" + std::to_string(i);
    Tune addresses = through({"127.0.0.2", "127.0.0.1", "127.0.0.1", "127.0.0.1"});
    Outcome outcome = client.fetch(url("/once/" + key), [&](hc_request& r) {
      addresses(r);
      with_body("POST", "payment")(r);
      r.force_close = HC_ON;
    });
    EXPECT_TRUE(is(outcome, HC_OK));
    EXPECT_EQ(server_.once_count(key), 1u);
  }
  EXPECT_TRUE(client.stats_become(
      [](const hc_stats& s) { return s.sockets_connecting == 0 && s.sockets_in_use == 0; }));
}

TEST_F(RaceTest, CancelEndsAllAttempts) {
  BlackHole first("127.0.0.2", server_.port());
  BlackHole second("127.0.0.3", server_.port());
  Client client([](hc_session_options& o) { o.happy_eyeballs_ms = 1; });
  hc_id id = client.submit(url(), through({"127.0.0.2", "127.0.0.3"}));
  ASSERT_TRUE(client.stats_become([](const hc_stats& s) { return s.sockets_connecting == 2; }));
  client.cancel(id);
  EXPECT_TRUE(is(client.wait(id), HC_E_CANCELLED, HC_PHASE_CONNECTING));
  EXPECT_EQ(client.stats().sockets_closed, 2u);
}

TEST_F(RaceTest, TlsIsPartOfIt) {
  // The first address accepts and says nothing: without TLS in the race it would have won.
  serve::HttpServerOptions silent;
  silent.listeners[0].address = "127.0.0.2";
  silent.listeners[0].port = server_.port();
  silent.listeners[0].behaviour = serve::Behaviour::kSilent;
  HttpServer stall(silent);
  stall.start();
  RefusedPort refused("127.0.0.3", server_.port());
  Client client([](hc_session_options& o) { o.timeouts.sock_connect_ms = 1'500; });
  std::string https = "https://made-up.test:" + std::to_string(server_.port()) + "/";
  Outcome outcome = client.fetch(https, through({"127.0.0.2", "127.0.0.3"}));
  EXPECT_TRUE(is(outcome, HC_E_TIMEOUT_SOCK_CONNECT));
  EXPECT_EQ(outcome.info().attempts, 2u);
}

}  // namespace
}  // namespace hc::test
