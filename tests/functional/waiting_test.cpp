// Who goes next when not everybody can: the order in which requests reach the server.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <thread>

#include "serve/dead_ends.h"
#include "serve/http_server.h"
#include "support/client.h"
#include "support/held.h"

namespace hc::test {
namespace {

using serve::Counters;
using serve::HttpServer;

class Waiting : public testing::Test {
 protected:
  Waiting() : server_(options()) { server_.start(); }

  static serve::HttpServerOptions options() {
    serve::HttpServerOptions options;
    options.listeners[0].address = "0.0.0.0";
    options.log_capacity = 20'000;
    return options;
  }
  std::string url(std::string_view path, int origin = 1) const {
    return "http://" + loopback(origin) + ":" + std::to_string(server_.port()) + std::string(path);
  }
  /// Occupies the only slot until somebody cancels it.
  hc_id block(Client& client) {
    hc_id id = client.submit(url("/hang", 99));
    EXPECT_TRUE(server_.wait_until([](const Counters& c) { return c.requests >= 1; }));
    return id;
  }
  bool waiting_are(const Client& client, uint64_t count) {
    return client.stats_become([=](const hc_stats& s) { return s.waiting == count; });
  }
  /// The marks "?mark" of the requests in the order of arrival.
  std::string arrivals() const {
    std::string marks;
    for (const serve::LogEntry& entry : server_.log()) {
      size_t mark = entry.target.find('?');
      if (mark != std::string::npos) marks += entry.target.substr(mark + 1);
    }
    return marks;
  }
  std::string marked(char mark) const { return std::string("/bytes/1?") + mark; }

  HttpServer server_;
  const SessionSetup one_ = [](hc_session_options& o) { o.limit = 1; };
};

// To be woken for each of them would take longer than to submit it, and they could only join the line.
TEST_F(Waiting, AFloodOfSubmitsToAFullSessionIsReadOnceAMillisecond) {
  constexpr uint64_t kFlood = 20'000;
  Client client(one_);
  block(client);
  client.submit(url("/bytes/1"));
  ASSERT_TRUE(waiting_are(client, 1));
  uint64_t turns = client.stats().loop_turns;
  Stopwatch watch;
  for (uint64_t i = 0; i < kFlood; ++i) client.submit(url("/bytes/1"));
  ASSERT_TRUE(waiting_are(client, kFlood + 1));
  auto most = static_cast<uint64_t>(watch.elapsed().count()) + 30;  // it reads 4,096 in a turn
  EXPECT_LE(client.stats().loop_turns - turns, most);
}

TEST_F(Waiting, ASlotThatBecomesFreeWhileTheLoopDozesIsUsedAtOnce) {
  Client client(one_);
  hc_id blocker = block(client);
  hc_id next = client.submit(url("/bytes/1"));
  ASSERT_TRUE(waiting_are(client, 1));
  hc_id last = client.submit(url("/bytes/2"));
  client.cancel(blocker);
  EXPECT_TRUE(is(client.wait(next), HC_OK));
  EXPECT_TRUE(is(client.wait(last), HC_OK));
}

TEST_F(Waiting, IsFirstInFirstOutWithinAnOrigin) {
  Client client(one_);
  hc_id blocker = block(client);
  std::string expected;
  for (char mark = 'a'; mark <= 'z'; ++mark) {
    client.submit(url(marked(mark)));
    expected += mark;
  }
  client.cancel(blocker);
  client.collect(27);
  EXPECT_EQ(arrivals(), expected);
}

TEST_F(Waiting, OriginsTakeTurns) {
  Client client(one_);
  hc_id blocker = block(client);
  for (int i = 0; i < 4; ++i) client.submit(url(marked('a'), 1));
  for (int i = 0; i < 2; ++i) client.submit(url(marked('b'), 2));
  client.submit(url(marked('c'), 3));
  ASSERT_TRUE(waiting_are(client, 7));
  client.cancel(blocker);
  client.collect(8);
  EXPECT_EQ(arrivals(), "abcabaa");
}

TEST_F(Waiting, AnIdleConnectionIsNoWayToJumpTheQueue) {
  Client client(one_);
  Held first(client, url("/echo?a", 1));
  ASSERT_TRUE(server_.wait_until([](const Counters& c) { return c.requests == 1; }));
  client.submit(url(marked('b'), 2));
  client.submit(url(marked('a'), 1));
  client.submit(url(marked('c'), 3));
  first.release();
  client.collect(4);
  EXPECT_EQ(arrivals(), "abac");
}

TEST_F(Waiting, HigherPrioritiesGoFirstWithinTheirOrigin) {
  Client client(one_);
  hc_id blocker = block(client);
  auto with_priority = [](int32_t priority) { return [=](hc_request& r) { r.priority = priority; }; };
  client.submit(url(marked('f')), with_priority(-1));
  client.submit(url(marked('d')), with_priority(0));
  client.submit(url(marked('b')), with_priority(7));
  client.submit(url(marked('e')), with_priority(0));
  client.submit(url(marked('c')), with_priority(7));
  client.submit(url(marked('a')), with_priority(INT32_MAX));
  client.submit(url(marked('g')), with_priority(INT32_MIN));
  ASSERT_TRUE(waiting_are(client, 7));
  client.cancel(blocker);
  client.collect(8);
  EXPECT_EQ(arrivals(), "abcdefg");
}

TEST_F(Waiting, PriorityDoesNotReachOverOrigins) {
  Client client(one_);
  hc_id blocker = block(client);
  client.submit(url(marked('a'), 1));
  client.submit(url(marked('a'), 1));
  client.submit(url(marked('b'), 2), [](hc_request& r) { r.priority = 100; });
  ASSERT_TRUE(waiting_are(client, 3));
  client.cancel(blocker);
  client.collect(4);
  EXPECT_EQ(arrivals(), "aba");
}

TEST_F(Waiting, ThoseWhoLeaveDoNotDisturbTheOrder) {
  Client client(one_);
  hc_id blocker = block(client);
  std::vector<hc_id> ids;
  for (char mark = 'a'; mark <= 'j'; ++mark) ids.push_back(client.submit(url(marked(mark))));
  for (size_t i = 0; i < ids.size(); i += 2) client.cancel(ids[i]);
  ASSERT_TRUE(waiting_are(client, 5));
  client.cancel(blocker);
  client.collect(11);
  EXPECT_EQ(arrivals(), "bdfhj");
}

TEST_F(Waiting, AFullOriginDoesNotHoldOthersUp) {
  Client client([](hc_session_options& o) { o.limit_per_host = 1; });
  client.submit(url("/hang", 1));
  ASSERT_TRUE(server_.wait_until([](const Counters& c) { return c.requests == 1; }));
  for (int i = 0; i < 100; ++i) client.submit(url(marked('a'), 1));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(is(client.fetch(url(marked('b'), 2)), HC_OK));
  EXPECT_EQ(client.stats().waiting, 100u);
}

TEST_F(Waiting, ADeadOriginDoesNotHoldOthersUp) {
  serve::BlackHole hole;
  Client client([](hc_session_options& o) { o.limit_per_host = 2; });
  for (int i = 0; i < 50; ++i) client.submit("http://127.0.0.1:" + std::to_string(hole.port()) + "/");
  Stopwatch watch;
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(is(client.fetch(url(marked('b'), 2)), HC_OK));
  EXPECT_LT(watch.elapsed(), milliseconds(5'000));
}

TEST_F(Waiting, MaxWaitingRefusesTheRest) {
  Client client([](hc_session_options& o) {
    o.limit = 2;
    o.max_waiting = 10;
  });
  int refused = 0;
  int accepted = 0;
  for (int i = 0; i < 200; ++i) {
    hc_status status = client.try_submit(url("/delay/200"));
    ASSERT_TRUE(status == HC_OK || status == HC_E_OVERLOAD);
    ++(status == HC_OK ? accepted : refused);
  }
  int answered = 0;
  for (const Outcome& outcome : client.collect(static_cast<size_t>(accepted))) {
    ASSERT_TRUE(outcome.status == HC_OK || outcome.status == HC_E_OVERLOAD) << outcome.message();
    answered += outcome.status == HC_OK ? 1 : 0;
  }
  EXPECT_GE(answered, 12);
  EXPECT_LT(answered, 40) << "the line was never longer than 10";
  EXPECT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
}

TEST_F(Waiting, MaxWaitingDoesNotCountThoseWhoFit) {
  Client client([](hc_session_options& o) {
    o.limit = 50;
    o.max_waiting = 1;
  });
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 50; ++i) {
      hc_status status = client.try_submit(url("/bytes/1"));
      ASSERT_EQ(status, HC_OK) << hc_status_name(status);
    }
    for (const Outcome& outcome : client.collect(50)) EXPECT_TRUE(is(outcome, HC_OK));
  }
}

TEST_F(Waiting, MaxWaitingDoesNotCountThoseWhomATurnLeavesForTheNext) {
  Client client([](hc_session_options& o) {
    o.limit = 300;
    o.max_waiting = 5;
  });
  // The loop stands still until many are in its mail, of whom it will start only some in a turn.
  std::promise<void> go_on;
  std::future<void> signal = go_on.get_future();
  client.submit(url("/bytes/1"), [&](hc_request& r) {
    r.queue = nullptr;
    r.user_data = &signal;
    r.on_done = [](const hc_completion* completion, void* waits) {
      static_cast<std::future<void>*>(waits)->wait();
      hc_response_free(completion->response);
    };
  });
  for (int i = 0; i < 200; ++i) client.submit(url("/delay/100"));
  go_on.set_value();
  while (client.stats().sockets_opened < 10) std::this_thread::yield();
  int later = 0;
  for (; later < 80 && client.stats().sockets_opened < 200; ++later) {
    hc_status status = client.try_submit(url("/delay/100"));
    ASSERT_EQ(status, HC_OK) << hc_status_name(status) << " after " << later;
  }
  for (const Outcome& outcome : client.collect(200 + static_cast<size_t>(later)))
    ASSERT_TRUE(is(outcome, HC_OK));
}

TEST_F(Waiting, TimeInLineIsCounted) {
  Client client(one_);
  Held first(client, url("/echo"));
  hc_id second = client.submit(url("/bytes/1"));
  Stopwatch watch;
  ASSERT_TRUE(waiting_are(client, 1));
  std::this_thread::sleep_for(milliseconds(50));  // what is counted
  auto waited = static_cast<uint64_t>(std::chrono::nanoseconds(watch.elapsed()).count());
  first.release();
  EXPECT_GE(client.wait(second).info().timing.started_ns, waited);
  EXPECT_GE(client.stats().waited_ns, waited);
  client.collect(1);
}

class FairTurns : public Waiting {
 protected:
  static constexpr int kQuiet = 50;
  static constexpr int kEach = 20;
  static constexpr int kLimit = 20;

  /// How many requests the server has had when 99 % of those to the quiet origins are among them. Counted in requests,
  /// not in time: how long each takes depends on what else the machine does.
  size_t served_until_quiet_ones_are(int hot) {
    Client client([](hc_session_options& o) { o.limit = kLimit; });
    uint64_t before = server_.counters().requests;
    std::vector<hc_id> blockers;
    for (int i = 0; i < kLimit; ++i) blockers.push_back(client.submit(url("/hang", 99)));
    EXPECT_TRUE(server_.wait_until([=](const Counters& c) { return c.requests == before + kLimit; }));
    size_t marks_before = arrivals().size();
    for (int i = 0; i < hot; ++i) client.submit(url(marked('h'), 200));
    for (int i = 0; i < kQuiet * kEach; ++i) client.submit(url(marked('q'), 1 + i % kQuiet));
    size_t waiting = static_cast<size_t>(hot + kQuiet * kEach);
    EXPECT_TRUE(waiting_are(client, waiting));
    for (hc_id blocker : blockers) client.cancel(blocker);
    client.collect(waiting + kLimit);
    std::string order = arrivals().substr(marks_before);
    size_t quiet = 0;
    size_t served = 0;
    while (served < order.size() && quiet < kQuiet * kEach * 99 / 100)
      quiet += order[served++] == 'q' ? 1 : 0;
    EXPECT_EQ(quiet, static_cast<size_t>(kQuiet * kEach * 99 / 100));
    return served;
  }
};

TEST_F(FairTurns, AHotOriginDoesNotStarveQuietOnes) {
  size_t alone = served_until_quiet_ones_are(0);
  size_t beside = served_until_quiet_ones_are(10'000);
  EXPECT_LE(beside, 2 * alone);
}

}  // namespace
}  // namespace hc::test
