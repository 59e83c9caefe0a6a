// How many connections there are, which one a request takes, and when one goes: counted at the server.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>

#include "serve/http_server.h"
#include "support/client.h"
#include "support/held.h"
#include "support/process.h"

namespace hc::test {
namespace {

using serve::Counters;
using serve::HttpServer;
using serve::HttpServerOptions;

// One port on all of 127.0.0.0/8: each address is an origin of its own.
HttpServerOptions many_origins() {
  HttpServerOptions options;
  options.listeners[0].address = "0.0.0.0";
  return options;
}

class Connections : public testing::Test {
 protected:
  Connections() : server_(many_origins()) { server_.start(); }

  std::string url(std::string_view path, int origin = 1) const {
    return "http://" + loopback(origin) + ":" + std::to_string(server_.port()) + std::string(path);
  }
  bool open_become(uint64_t count) {
    return server_.wait_until([=](const Counters& c) { return c.connections_open == count; });
  }
  uint64_t accepted() const { return server_.counters().connections_accepted; }

  HttpServer server_;
};

TEST_F(Connections, OneAfterAnotherShareOne) {
  Client client;
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(is(client.fetch(url("/bytes/10")), HC_OK));
  EXPECT_EQ(accepted(), 1u);
  hc_stats stats = client.stats();
  EXPECT_EQ(stats.connections_made, 1u);
  EXPECT_EQ(stats.connections_reused, 49u);
}

TEST_F(Connections, ConcurrentOnesOpenAsManyAsNeededAndReuseThem) {
  Client client;
  for (int round = 0; round < 5; ++round) {
    Held held(client, url("/echo"), 10);
    ASSERT_TRUE(open_become(10));
    held.release();
    for (const Outcome& outcome : client.collect(10)) EXPECT_TRUE(is(outcome, HC_OK));
  }
  EXPECT_EQ(accepted(), 10u);
  EXPECT_EQ(server_.counters().requests, 50u);
}

TEST_F(Connections, LimitIsNeverPassedAtTheServer) {
  Client client([](hc_session_options& o) { o.limit = 7; });
  Held held(client, url("/echo"), 7);
  for (int i = 0; i < 500; ++i) client.submit(url(i % 5 == 0 ? "/delay/2" : "/bytes/100"));
  held.release();
  for (const Outcome& outcome : client.collect(507)) EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(server_.counters().connections_peak, 7u);
  EXPECT_EQ(accepted(), 7u);
  EXPECT_EQ(client.stats().sockets_peak, 7u);
}

TEST_F(Connections, LimitPerHostIsNeverPassedAtTheServer) {
  Client client([](hc_session_options& o) { o.limit_per_host = 3; });
  std::deque<Held> held;
  for (int origin : {1, 2, 3}) held.emplace_back(client, url("/echo", origin), 3);
  for (int i = 0; i < 90; ++i) client.submit(url("/delay/3", 1 + i % 3));
  for (Held& three : held) three.release();
  for (const Outcome& outcome : client.collect(99)) EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(server_.counters().connections_peak, 9u);
  EXPECT_EQ(accepted(), 9u);
}

TEST_F(Connections, LimitPerHostMayStandAboveLimitAndWithoutOne) {
  Client narrow([](hc_session_options& o) {
    o.limit = 2;
    o.limit_per_host = 5;
  });
  Held two(narrow, url("/echo"), 2);
  for (int i = 0; i < 20; ++i) narrow.submit(url("/delay/2"));
  two.release();
  narrow.collect(22);
  EXPECT_EQ(narrow.stats().sockets_peak, 2u);
  Client unlimited([](hc_session_options& o) {
    o.limit = 0;
    o.limit_per_host = 2;
  });
  Held here(unlimited, url("/echo", 1), 2);
  Held there(unlimited, url("/echo", 2), 2);
  for (int i = 0; i < 20; ++i) unlimited.submit(url("/delay/2", 1 + i % 2));
  here.release();
  there.release();
  unlimited.collect(24);
  EXPECT_EQ(unlimited.stats().sockets_peak, 4u);
}

TEST_F(Connections, AtTheLimitTheOldestIdleOfAnotherOriginMakesRoom) {
  Client client([](hc_session_options& o) { o.limit = 3; });
  for (int origin : {1, 2, 3}) client.fetch(url("/bytes/1", origin));
  ASSERT_EQ(server_.counters().connections_open, 3u);
  EXPECT_TRUE(is(client.fetch(url("/bytes/1", 4)), HC_OK));
  EXPECT_TRUE(open_become(3)) << "shut down at once, whether or not its descriptor is closed";
  // 2 and 3 are still there, 1 is not.
  EXPECT_TRUE(client.fetch(url("/bytes/1", 2)).was_reused());
  EXPECT_TRUE(client.fetch(url("/bytes/1", 3)).was_reused());
  EXPECT_TRUE(client.fetch(url("/bytes/1", 4)).was_reused());
  EXPECT_FALSE(client.fetch(url("/bytes/1", 1)).was_reused());
  EXPECT_EQ(client.stats().sockets_peak, 3u);
  EXPECT_TRUE(open_become(3));
}

TEST_F(Connections, LimitHoldsWithManyOrigins) {
  Client client([](hc_session_options& o) { o.limit = 8; });
  for (int i = 0; i < 400; ++i) client.submit(url("/bytes/1", 1 + i % 20));
  for (const Outcome& outcome : client.collect(400)) EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(client.stats().sockets_peak, 8u);
  EXPECT_TRUE(open_become(8));
}

TEST_F(Connections, RetiredDescriptorsAreClosedSoon) {
  Client client([](hc_session_options& o) { o.limit = 2; });
  for (int i = 0; i < 30; ++i) client.fetch(url("/bytes/1", 1 + i % 10));
  EXPECT_TRUE(
      client.stats_become([](const hc_stats& s) { return s.sockets_retired == 0; }, milliseconds(5'000)));
  EXPECT_EQ(client.stats().sockets_idle, 2u);
}

TEST_F(Connections, IdleOnesAreClosedByTheirTimer) {
  Client client([](hc_session_options& o) { o.keepalive_timeout_ms = 300; });
  Held held(client, url("/echo"), 4);
  ASSERT_TRUE(open_become(4));
  Stopwatch watch;
  held.release();
  client.collect(4);
  EXPECT_TRUE(open_become(0)) << "nothing else happens in this session";
  EXPECT_GE(watch.elapsed(), milliseconds(300));
  EXPECT_TRUE(client.stats_become([](const hc_stats& s) { return s.sockets_closed == 4; }));
  EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused());
}

TEST_F(Connections, UseSetsTheIdleTimerBack) {
  Client client([](hc_session_options& o) { o.keepalive_timeout_ms = 1'000; });
  // Longer in sum than the timeout, each pause shorter: another origin's server does the waiting.
  for (int i = 0; i < 8; ++i) {
    client.fetch(url("/bytes/1"));
    client.fetch(url("/delay/150", 2));
  }
  EXPECT_TRUE(client.fetch(url("/bytes/1")).was_reused());
  EXPECT_EQ(client.stats().sockets_opened, 2u);
}

TEST_F(Connections, KeepaliveZeroNeverReuses) {
  Client client([](hc_session_options& o) { o.keepalive_timeout_ms = 0; });
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused());
  EXPECT_EQ(accepted(), 5u);
  EXPECT_TRUE(open_become(0));
}

TEST_F(Connections, TheServersHintShortensTheIdleTime) {
  Client client;
  Stopwatch watch;
  client.fetch(url("/keepalive/2"));
  EXPECT_TRUE(open_become(0));
  EXPECT_GE(watch.elapsed(), milliseconds(1'000)) << "2 s less 1 s";
  EXPECT_LT(watch.elapsed(), milliseconds(15'000)) << "the time without a hint";
}

TEST_F(Connections, AHintOfASecondOrLessMeansNoReuse) {
  Client client;
  for (int seconds : {0, 1}) {
    client.fetch(url("/keepalive/" + std::to_string(seconds)));
    EXPECT_FALSE(client.fetch(url("/keepalive/" + std::to_string(seconds))).was_reused());
  }
  EXPECT_EQ(accepted(), 4u);
}

TEST_F(Connections, ALongHintDoesNotLengthenTheIdleTime) {
  Client client([](hc_session_options& o) { o.keepalive_timeout_ms = 50; });
  client.fetch(url("/keepalive/100"));
  EXPECT_TRUE(open_become(0));
}

TEST_F(Connections, ForceCloseSaysSoAndCloses) {
  Client client([](hc_session_options& o) { o.force_close = HC_ON; });
  Outcome outcome = client.fetch(url("/echo/head"));
  EXPECT_NE(outcome.body.find("\r\nConnection: close\r\n"), std::string::npos) << outcome.body;
  EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused());
  EXPECT_TRUE(open_become(0));
}

TEST_F(Connections, ForceCloseOfOneRequest) {
  Client client;
  client.fetch(url("/bytes/1"));
  Outcome closing = client.fetch(url("/echo/head"), [](hc_request& r) { r.force_close = HC_ON; });
  EXPECT_TRUE(closing.was_reused());
  EXPECT_NE(closing.body.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_TRUE(open_become(0));
  Outcome next = client.fetch(url("/echo/head"));
  EXPECT_FALSE(next.was_reused());
  EXPECT_EQ(next.body.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(client.fetch(url("/bytes/1")).was_reused());
}

TEST_F(Connections, ForceCloseOfASessionCanBeTakenBack) {
  Client client([](hc_session_options& o) { o.force_close = HC_ON; });
  auto keep = [](hc_request& r) { r.force_close = HC_OFF; };
  EXPECT_EQ(client.fetch(url("/echo/head"), keep).body.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(client.fetch(url("/bytes/1"), keep).was_reused());
}

TEST_F(Connections, MaxLifetimeEndsThemBetweenRequests) {
  Client client([](hc_session_options& o) { o.max_lifetime_ms = 200; });
  Outcome first = client.fetch(url("/delay/400"));
  EXPECT_TRUE(is(first, HC_OK)) << "never in the middle of one";
  EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused());
  Stopwatch watch;
  EXPECT_TRUE(open_become(0)) << "an idle one, by its timer";
  EXPECT_LT(watch.elapsed(), milliseconds(5'000));
}

TEST_F(Connections, MaxLifetimeHasJitter) {
  Client client([](hc_session_options& o) { o.max_lifetime_ms = 3'000; });
  Stopwatch watch;
  Held held(client, url("/echo"), 20);
  ASSERT_TRUE(open_become(20));
  held.release();
  client.collect(20);
  ASSERT_TRUE(server_.wait_until([](const Counters& c) { return c.connections_open < 20; }));
  milliseconds first = watch.elapsed();
  ASSERT_TRUE(open_become(0));
  EXPECT_GE(first, milliseconds(2'700)) << "a tenth before their time";
  EXPECT_GE(watch.elapsed() - first, milliseconds(60)) << "20 connections spread over 600 ms";
}

TEST_F(Connections, TheLowestNumberedIdleOneIsTakenFirst) {
  Client client;
  for (int i = 0; i < 5; ++i) client.submit(url("/delay/20"));
  client.collect(5);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.fetch(url("/bytes/1")).connection(), 1u);
}

TEST_F(Connections, ASurplusAgesOut) {
  // Longer than a busy machine takes from one request to the next.
  Client client([](hc_session_options& o) { o.keepalive_timeout_ms = 1'500; });
  Held(client, url("/echo"), 5).release();
  client.collect(5);
  EXPECT_TRUE(eventually([&] {
    client.fetch(url("/delay/10"));
    return server_.counters().connections_open == 1;
  }));
  EXPECT_EQ(client.fetch(url("/bytes/1")).connection(), 1u);
}

TEST_F(Connections, OneThatTheServerClosesWhileIdleIsGoneAtOnce) {
  Client client;
  Held held(client, url("/echo"), 3);
  ASSERT_TRUE(open_become(3));
  held.release();
  client.collect(3);
  server_.end_idle_connections(serve::Ending::kClose);
  EXPECT_TRUE(client.stats_become([](const hc_stats& s) { return s.sockets_idle == 0; }));
  Outcome next = client.fetch(url("/bytes/1"), with_body("POST", "x"));
  EXPECT_TRUE(is(next, HC_OK));
  EXPECT_FALSE(next.was_reused());
  EXPECT_EQ(next.info().attempts, 1u);
  EXPECT_TRUE(client.stats_become([](const hc_stats& s) { return s.sockets_closed == 3; }));
}

// The place that the transfer which closes retired connections pretends to go to. Only root may listen there.
TEST_F(Connections, OneToPortOneOfThisMachineIsItsUsersAlone) {
  if (geteuid() != 0) GTEST_SKIP() << "needs a port below 1024";
  serve::HttpServerOptions options;
  options.listeners[0].port = 1;
  HttpServer first(options);
  first.start();
  Client client;
  EXPECT_TRUE(is(client.fetch(first.url(0, "/bytes/1")), HC_OK));
  EXPECT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
  server_.end_idle_connections(serve::Ending::kClose);
  EXPECT_TRUE(client.stats_become([](const hc_stats& s) { return s.sockets_closed == 1; }));
  EXPECT_TRUE(is(client.fetch(first.url(0, "/bytes/1")), HC_OK));
  EXPECT_EQ(first.counters().requests, 2u);
}

TEST_F(Connections, AServersConnectionCloseIsHonoured) {
  Client client;
  client.fetch(url("/close"));
  EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused());
  EXPECT_EQ(client.stats().stale_retries, 0u);
}

TEST_F(Connections, LimitZeroWarnsOnce) {
  LogLines log;
  Client client([&](hc_session_options& o) {
    o.limit = 0;
    log.attach(o);
  });
  Held held(client, url("/echo"), 150);
  ASSERT_TRUE(open_become(150));
  held.release();
  for (const Outcome& outcome : client.collect(150)) EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(server_.counters().connections_peak, 150u);
  EXPECT_EQ(log.count("limit is 0"), 1u);
}

TEST_F(Connections, MoreThanAShardHoldsAreReused) {
  Client client([](hc_session_options& o) { o.limit = 200; });
  for (int round = 0; round < 2; ++round) {
    Held held(client, url("/echo"), 200);
    ASSERT_TRUE(open_become(200));
    held.release();
    for (const Outcome& outcome : client.collect(200)) EXPECT_TRUE(is(outcome, HC_OK));
  }
  EXPECT_EQ(accepted(), 200u);
}

// The whole process has 64 descriptors, so a part of the requests has to wait whatever `limit` says.
TEST_F(Connections, DescriptorBudgetKeepsEmfileFromTheCaller) {
  if (!is_child()) {
    ChildResult child = run_this_test_in_child(64, {{"HC_TEST_PORT", std::to_string(server_.port())}});
    EXPECT_EQ(child.exit_code, 0) << child.output;
    EXPECT_EQ(server_.counters().requests, 10'000u);
    EXPECT_LE(server_.counters().connections_peak, 60u);
    return;
  }
  std::string port = std::getenv("HC_TEST_PORT");
  server_.stop();
  Client client([](hc_session_options& o) { o.limit = 0; });
  Client other([](hc_session_options& o) { o.limit = 1'000; });
  for (int i = 0; i < 5'000; ++i) {
    std::string target =
        "http://" + loopback(1 + i % 7) + ":" + port + (i % 100 == 0 ? "/delay/5" : "/bytes/10");
    client.submit(target);
    other.submit(target);
  }
  for (const Outcome& outcome : client.collect(5'000)) ASSERT_TRUE(is(outcome, HC_OK));
  for (const Outcome& outcome : other.collect(5'000)) ASSERT_TRUE(is(outcome, HC_OK));
}

// Sessions share the budget: what one only keeps in reserve must not starve another.
TEST_F(Connections, IdleOnesOfAnotherSessionMakeRoomInTheBudget) {
  if (!is_child()) {
    ChildResult child = run_this_test_in_child(64, {{"HC_TEST_PORT", std::to_string(server_.port())}});
    EXPECT_EQ(child.exit_code, 0) << child.output;
    return;
  }
  std::string base = "http://127.0.0.1:" + std::string(std::getenv("HC_TEST_PORT"));
  server_.stop();
  Client poor([](hc_session_options& o) { o.timeouts.total_ms = 5'000; });
  Client rich([](hc_session_options& o) { o.limit = 0; });
  for (int i = 0; i < 60; ++i) rich.submit(base + "/delay/100");
  for (const Outcome& outcome : rich.collect(60)) ASSERT_TRUE(is(outcome, HC_OK));
  EXPECT_TRUE(is(poor.fetch(base + "/bytes/1"), HC_OK));
}

// The program itself takes descriptors, too: then socket() fails although the budget has room.
TEST_F(Connections, EmfileFromTheKernelIsNotTheCallersErrorEither) {
  if (!is_child()) {
    ChildResult child = run_this_test_in_child(64, {{"HC_TEST_PORT", std::to_string(server_.port())}});
    EXPECT_EQ(child.exit_code, 0) << child.output;
    return;
  }
  std::string port = std::getenv("HC_TEST_PORT");
  server_.stop();
  Client client([](hc_session_options& o) { o.limit = 0; });
  std::vector<int> taken;
  for (int fd = dup(0); fd >= 0; fd = dup(0)) taken.push_back(fd);
  for (int i = 0; i < 4; ++i) {
    close(taken.back());
    taken.pop_back();
  }
  for (int i = 0; i < 500; ++i) {
    client.submit("http://" + loopback(1 + i % 3) + ":" + port + (i % 10 == 0 ? "/delay/5" : "/bytes/10"));
  }
  for (const Outcome& outcome : client.collect(500)) ASSERT_TRUE(is(outcome, HC_OK));
  for (int fd : taken) close(fd);
}

}  // namespace
}  // namespace hc::test
