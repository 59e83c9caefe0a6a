#include "model/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace hc {
namespace {

using State = Connection::State;

class LedgerTest : public testing::Test, protected LedgerObserver {
 protected:
  LedgerTest() { ledger.set_observer(this); }
  ~LedgerTest() override {
    std::vector<Connection*> left;
    ledger.for_each([&left](Connection& connection) { left.push_back(&connection); });
    for (Connection* connection : left) ledger.close(*connection);
    EXPECT_EQ(budget.used(), 0U);
    EXPECT_EQ(stats.sockets_opened, stats.sockets_closed);
    EXPECT_EQ(ledger.live(), 0U);
    EXPECT_TRUE(timers.empty());
    for (const Origin* origin : origins) {
      EXPECT_TRUE(origin->is_unused());
      EXPECT_EQ(origin->sockets, 0U);
    }
  }

  void on_retired(Connection& connection) override { retired.push_back(connection.number()); }
  void on_room(Origin& origin) override { room.push_back(origin.host()); }
  void on_connecting_room() override { ++connecting_room; }

  Refusal admit(Origin& origin, Permit* permit, bool needs_new_socket = false) {
    Refusal refusal = ledger.admit(origin, needs_new_socket, permit);
    check();
    return refusal;
  }
  Permit permit_for(Origin& origin, bool needs_new_socket = false) {
    Permit permit;
    EXPECT_EQ(admit(origin, &permit, needs_new_socket), Refusal::kNone);
    return permit;
  }
  Connection& connect(Origin& origin) {
    return ledger.open(permit_for(origin, true), ++last_fd, Endpoint{}, now);
  }
  Connection& use(Origin& origin) {
    Connection& connection = connect(origin);
    ledger.use_new(connection);
    return connection;
  }
  Connection& idle(Origin& origin) {
    Connection& connection = use(origin);
    ledger.rest(connection, kNever, now);
    return connection;
  }
  /// Several at one time, where idle() one by one would admit on the first.
  std::vector<Connection*> idle(Origin& origin, size_t count) {
    std::vector<Connection*> all;
    for (size_t i = 0; i < count; ++i) all.push_back(&use(origin));
    for (Connection* connection : all) ledger.rest(*connection, kNever, now);
    return all;
  }
  void check() {
    EXPECT_EQ(stats.sockets_opened, stats.sockets_closed + stats.sockets_connecting + stats.sockets_in_use +
                                        stats.sockets_idle + stats.sockets_retired);
    uint64_t sockets = 0;
    uint64_t descriptors = 0;
    for (const Origin* origin : origins) {
      sockets += origin->sockets;
      descriptors += origin->descriptors;
    }
    EXPECT_EQ(ledger.live(), sockets);
    EXPECT_EQ(budget.used(), ledger.promised() + ledger.open_count());
    EXPECT_EQ(ledger.open_count(), descriptors);
  }
  static RoutePointer other_way() {
    Route route;
    route.unix_path = "/run/other";
    return std::make_shared<const Route>(route);
  }

  TimePoint now = 100 * kSecond;
  SessionConfig config;
  TimerQueue timers;
  DescriptorBudget budget{1000};
  Stats stats;
  Origin a{OriginKey{false, 80, "a"}};
  Origin b{OriginKey{false, 80, "b"}};
  Origin c{OriginKey{false, 80, "c"}};
  Origin d{OriginKey{false, 80, "a", other_way()}};
  Origin e{OriginKey{false, 80, "b", other_way()}};
  const std::vector<const Origin*> origins{&a, &b, &c, &d, &e};
  Ledger ledger{config, timers, budget, stats};
  std::vector<uint64_t> retired;
  std::vector<std::string> room;
  int connecting_room = 0;
  int last_fd = 10;
};

// ---------------------------------------------------------------------------- a socket's life

TEST_F(LedgerTest, FollowsASocketThroughItsLife) {
  Permit permit = permit_for(a);
  EXPECT_EQ(permit.kind(), Permit::Kind::kNewSocket);
  EXPECT_EQ(ledger.promised(), 1U);
  Connection& connection = ledger.open(std::move(permit), 42, Endpoint{}, now);
  EXPECT_EQ(connection.state(), State::kConnecting);
  EXPECT_EQ(connection.fd(), 42);
  EXPECT_EQ(connection.number(), 1U);
  EXPECT_EQ(&connection.origin(), &a);
  EXPECT_EQ(ledger.promised(), 0U);
  EXPECT_EQ(stats.sockets_connecting, 1U);
  check();
  ledger.use_new(connection);
  EXPECT_EQ(connection.state(), State::kInUse);
  EXPECT_EQ(stats.connections_made, 1U);
  check();
  ledger.rest(connection, kNever, now);
  EXPECT_EQ(connection.state(), State::kIdle);
  check();
  permit = permit_for(a);
  EXPECT_EQ(permit.kind(), Permit::Kind::kIdleSocket);
  ledger.use_idle(connection, std::move(permit));
  EXPECT_EQ(connection.state(), State::kInUse);
  EXPECT_EQ(stats.connections_reused, 1U);
  check();
  ledger.rest(connection, kNever, now);
  ledger.retire(connection, EndReason::kServer);
  EXPECT_EQ(connection.state(), State::kRetired);
  EXPECT_EQ(retired, std::vector<uint64_t>{1});
  EXPECT_EQ(ledger.live(), 0U) << "it counts no more";
  EXPECT_EQ(budget.used(), 1U) << "but its descriptor is open";
  check();
  ledger.close(connection);
  EXPECT_EQ(stats.sockets_closed, 1U);
  EXPECT_TRUE(a.is_unused());
  check();
}

TEST_F(LedgerTest, ASocketMayEndInEachState) {
  ledger.close(connect(a));
  EXPECT_EQ(stats.connect_failures, 1U);
  check();
  ledger.close(use(a));
  check();
  ledger.close(idle(a));
  check();
  Connection& connection = idle(a);
  ledger.retire(connection, EndReason::kServer);
  ledger.close(connection);
  check();
  EXPECT_EQ(stats.connect_failures, 1U);
  EXPECT_EQ(stats.sockets_closed, 4U);
  EXPECT_EQ(ledger.live(), 0U);
}

TEST_F(LedgerTest, AnUnspentPermitReturnsByItself) {
  { Permit permit = permit_for(a); }
  EXPECT_EQ(ledger.promised(), 0U);
  EXPECT_EQ(room, std::vector<std::string>{"a"});
  EXPECT_EQ(connecting_room, 1);
  idle(a);
  room.clear();
  {
    Permit permit = permit_for(a);
    EXPECT_EQ(permit.kind(), Permit::Kind::kIdleSocket);
    EXPECT_EQ(a.shards[0].idle_promised, 1U);
  }
  EXPECT_EQ(a.shards[0].idle_promised, 0U);
  EXPECT_EQ(room, std::vector<std::string>{"a"});
}

TEST_F(LedgerTest, APermitIsMovedAndNotDoubled) {
  Permit first = permit_for(a);
  Permit second = std::move(first);
  EXPECT_EQ(first.kind(), Permit::Kind::kNone);
  Permit third = permit_for(b);
  third = std::move(second);
  EXPECT_EQ(b.permits, 0U) << "what it held before was given back";
  EXPECT_EQ(ledger.promised(), 1U);
  third.give_back();
  third.give_back();
  EXPECT_EQ(ledger.promised(), 0U);
}

TEST_F(LedgerTest, TellsWhenThereIsRoom) {
  Connection& connection = connect(a);
  EXPECT_EQ(connecting_room, 0);
  ledger.use_new(connection);
  EXPECT_EQ(connecting_room, 1);
  EXPECT_TRUE(room.empty());
  ledger.rest(connection, kNever, now);
  EXPECT_EQ(room, (std::vector<std::string>{"a"})) << "an idle one may be taken";
  ledger.retire(connection, EndReason::kServer);
  EXPECT_EQ(room.size(), 2U);
  ledger.close(connection);
  EXPECT_EQ(room.size(), 3U);
  ledger.close(connect(b));
  EXPECT_EQ(connecting_room, 2);
}

// ---------------------------------------------------------------------------- limits

TEST_F(LedgerTest, HoldsTheLimit) {
  config.limit = 3;
  Permit permit = permit_for(a);
  connect(b);
  use(c);
  Permit none;
  EXPECT_EQ(admit(a, &none), Refusal::kFull);
  EXPECT_EQ(none.kind(), Permit::Kind::kNone);
  permit.give_back();
  EXPECT_EQ(admit(a, &none), Refusal::kNone);
}

TEST_F(LedgerTest, HoldsTheLimitOfAnOrigin) {
  config.limit_per_host = 2;
  use(a);
  use(a);
  Permit permit;
  EXPECT_EQ(admit(a, &permit), Refusal::kOriginFull);
  EXPECT_EQ(admit(b, &permit), Refusal::kNone);
}

TEST_F(LedgerTest, HoldsBothLimitsTogether) {
  config.limit = 2;
  config.limit_per_host = 5;
  use(a);
  use(a);
  Permit permit;
  EXPECT_EQ(admit(a, &permit), Refusal::kFull);
}

TEST_F(LedgerTest, BoundsWhatConnects) {
  config.max_connecting = 2;
  Permit promised = permit_for(a);
  Connection& connection = connect(b);
  Permit permit;
  EXPECT_EQ(admit(c, &permit), Refusal::kConnectingFull) << "a promised one will connect";
  ledger.use_new(connection);
  EXPECT_EQ(admit(c, &permit), Refusal::kNone);
}

TEST_F(LedgerTest, AnIdleSocketIsNoConnectingOne) {
  config.max_connecting = 1;
  idle(a);
  connect(b);
  EXPECT_EQ(permit_for(a).kind(), Permit::Kind::kIdleSocket);
}

TEST_F(LedgerTest, HoldsTheProcessesBudget) {
  DescriptorBudget& others = budget;
  while (others.used() < 1000) ASSERT_TRUE(others.try_take());
  Permit permit;
  EXPECT_EQ(ledger.admit(a, false, &permit), Refusal::kNoDescriptor);
  EXPECT_EQ(a.sockets, 0U);
  while (others.used() > 0) others.give_back();
}

TEST_F(LedgerTest, AtTheBudgetOneIdleSocketIsRetiredAtATime) {
  idle(a);
  idle(b);
  while (budget.used() < 1000) ASSERT_TRUE(budget.try_take());
  Permit permit;
  EXPECT_EQ(ledger.admit(c, false, &permit), Refusal::kNoDescriptor);
  EXPECT_EQ(ledger.admit(c, false, &permit), Refusal::kNoDescriptor);
  EXPECT_EQ(retired, std::vector<uint64_t>{1});
  while (budget.used() > 2) budget.give_back();
}

TEST_F(LedgerTest, RemembersThePeakOfSocketsAndNotOfPermits) {
  idle(a);
  Permit unused = permit_for(b);
  Permit another = permit_for(c);
  EXPECT_EQ(stats.sockets_peak, 1U);
  unused.give_back();
  another.give_back();
  ledger.close(connect(b));
  connect(c);
  EXPECT_EQ(stats.sockets_peak, 2U);
}

// ---------------------------------------------------------------------------- who makes room

TEST_F(LedgerTest, TheLongestIdleOneMakesRoom) {
  config.limit = 3;
  Connection& first = idle(a);
  Connection& second = idle(b);
  Permit permit = permit_for(a);
  ledger.use_idle(first, std::move(permit));
  ledger.rest(first, kNever, now);
  idle(c);
  EXPECT_EQ(permit_for(c, true).kind(), Permit::Kind::kNewSocket);
  EXPECT_EQ(retired, std::vector<uint64_t>{second.number()}) << "idle for longest, though not the oldest";
}

TEST_F(LedgerTest, AnIdleSocketOfItsOwnIsTakenAndNotRetired) {
  config.limit = 1;
  idle(a);
  EXPECT_EQ(permit_for(a).kind(), Permit::Kind::kIdleSocket);
  EXPECT_TRUE(retired.empty());
}

TEST_F(LedgerTest, WhoNeedsANewSocketMayRetireItsOwnIdleOne) {
  config.limit = 1;
  idle(a);
  EXPECT_EQ(permit_for(a, true).kind(), Permit::Kind::kNewSocket);
  EXPECT_EQ(retired.size(), 1U);
}

TEST_F(LedgerTest, AFullOriginOnlyRetiresItsOwn) {
  config.limit_per_host = 1;
  idle(b);
  idle(a);
  permit_for(a, true);
  EXPECT_EQ(retired, std::vector<uint64_t>{2});
  use(c);
  Permit permit;
  EXPECT_EQ(admit(c, &permit, true), Refusal::kOriginFull);
  EXPECT_EQ(retired.size(), 1U);
}

TEST_F(LedgerTest, APromisedIdleSocketIsNotRetiredInItsPlace) {
  config.limit = 2;
  std::vector<Connection*> both = idle(a, 2);
  Permit riding = permit_for(a);
  EXPECT_EQ(permit_for(b).kind(), Permit::Kind::kNewSocket);
  EXPECT_EQ(retired.size(), 1U);
  Permit second = permit_for(b);
  Permit permit;
  EXPECT_EQ(admit(b, &permit), Refusal::kFull) << "the other one is promised";
  ledger.use_idle(*both[1], std::move(riding));
}

TEST_F(LedgerTest, RetiresOneOnDemand) {
  ledger.retire_one();
  idle(a);
  idle(b);
  ledger.retire_one();
  EXPECT_EQ(retired, std::vector<uint64_t>{1});
  Permit promised = permit_for(b);
  ledger.retire_one();
  EXPECT_EQ(retired.size(), 1U) << "the other one is promised";
}

TEST_F(LedgerTest, AnIdleSocketMayCloseUnderAPermitForIt) {
  Connection& connection = idle(a);
  Permit riding = permit_for(a);
  ledger.close(connection);
  EXPECT_EQ(a.shards[0].idle, 0U);
  EXPECT_EQ(a.shards[0].idle_promised, 1U);
  EXPECT_EQ(permit_for(a).kind(), Permit::Kind::kNewSocket) << "nothing idle is left to promise";
  riding.give_back();
  EXPECT_EQ(a.shards[0].idle_promised, 0U);
}

// ---------------------------------------------------------------------------- time

TEST_F(LedgerTest, AnIdleSocketIsRetiredAtItsTime) {
  idle(a);
  timers.expire(now + 15 * kSecond - 1);
  EXPECT_TRUE(retired.empty());
  timers.expire(now + 15 * kSecond);
  EXPECT_EQ(retired.size(), 1U);
}

TEST_F(LedgerTest, TheTimerIsLeftArmedWhileInUse) {
  Connection& connection = idle(a);
  TimePoint first_due = timers.next_due();
  for (int i = 0; i < 10; ++i) {
    ledger.use_idle(connection, permit_for(a));
    now += kSecond;
    ledger.rest(connection, kNever, now);
    EXPECT_EQ(timers.next_due(), first_due) << "touched once per idle timeout, not once per request";
  }
  timers.expire(first_due);
  EXPECT_TRUE(retired.empty());
  EXPECT_EQ(timers.next_due(), now + 15 * kSecond);
  timers.expire(now + 15 * kSecond - 1);
  EXPECT_TRUE(retired.empty());
  timers.expire(now + 15 * kSecond);
  EXPECT_EQ(retired.size(), 1U);
}

TEST_F(LedgerTest, ATimerThatRingsInUseIsArmedAgainWhenIdle) {
  Connection& connection = idle(a);
  ledger.use_idle(connection, permit_for(a));
  now += 60 * kSecond;
  timers.expire(now);
  EXPECT_EQ(connection.state(), State::kInUse);
  ledger.rest(connection, kNever, now);
  EXPECT_EQ(timers.next_due(), now + 15 * kSecond);
}

TEST_F(LedgerTest, AHintShortensTheTimeButNeverLengthensIt) {
  Connection& connection = use(a);
  ledger.rest(connection, 5 * kSecond, now);
  EXPECT_EQ(timers.next_due(), now + 5 * kSecond);
  ledger.use_idle(connection, permit_for(a));
  ledger.rest(connection, 60 * kSecond, now);
  timers.expire(now + 5 * kSecond);
  EXPECT_TRUE(retired.empty());
  timers.expire(now + 15 * kSecond);
  EXPECT_EQ(retired.size(), 1U);
}

TEST_F(LedgerTest, AShorterHintRearmsTheTimer) {
  Connection& connection = idle(a);
  ledger.use_idle(connection, permit_for(a));
  ledger.rest(connection, kSecond, now);
  timers.expire(now + kSecond);
  EXPECT_EQ(retired.size(), 1U);
}

TEST_F(LedgerTest, NoTimeMeansRetiredAtOnce) {
  Connection& connection = use(a);
  ledger.rest(connection, 0, now);
  EXPECT_EQ(connection.state(), State::kRetired);
  EXPECT_EQ(stats.sockets_idle, 0U);
  config.keepalive_timeout = 0;
  ledger.rest(use(a), kNever, now);
  EXPECT_EQ(retired.size(), 2U);
  check();
}

TEST_F(LedgerTest, ForeverMeansNoTimer) {
  config.keepalive_timeout = kNever;
  idle(a);
  EXPECT_TRUE(timers.empty());
}

TEST_F(LedgerTest, LifetimesAreSpreadOverTenPercent) {
  config.max_lifetime = 100 * kSecond;
  config.keepalive_timeout = kNever;
  std::vector<TimePoint> ends;
  for (int i = 0; i < 90; ++i) {
    Connection& connection = use(a);
    ledger.rest(connection, kNever, now);
    ends.push_back(timers.next_due() - now);
    ledger.close(connection);
  }
  auto [first, last] = std::minmax_element(ends.begin(), ends.end());
  EXPECT_GE(*first, 90 * kSecond);
  EXPECT_LE(*last, 110 * kSecond);
  EXPECT_LT(*first, 93 * kSecond);
  EXPECT_GT(*last, 107 * kSecond);
}

TEST_F(LedgerTest, LifetimesOfAnyLengthAreFine) {
  config.max_lifetime = 1;
  idle(a);
  timers.expire(now + 1);
  EXPECT_EQ(retired.size(), 1U);
  config.keepalive_timeout = kNever;
  config.max_lifetime = kNever;
  idle(a);
  EXPECT_TRUE(timers.empty() || timers.next_due() > kNever / 2);
  config.max_lifetime = kNever - 1;
  idle(b);
}

TEST_F(LedgerTest, ALifeThatEndedInUseEndsAtRest) {
  config.max_lifetime = 10 * kSecond;
  Connection& connection = use(a);
  now += 20 * kSecond;
  ledger.rest(connection, kNever, now);
  EXPECT_EQ(connection.state(), State::kRetired);
}

// ---------------------------------------------------------------------------- shards

TEST_F(LedgerTest, SixtyFourSocketsOfAnOriginShareAShard) {
  config.limit = 0;
  for (uint32_t i = 0; i < 2 * Ledger::kShardSockets; ++i) {
    EXPECT_EQ(use(a).shard(), i / Ledger::kShardSockets);
  }
  EXPECT_EQ(use(b).shard(), 2U) << "those of another origin count with them";
}

TEST_F(LedgerTest, OriginsShareAShard) {
  config.limit = 0;
  for (uint32_t i = 0; i < Ledger::kShardSockets / 2; ++i) {
    EXPECT_EQ(use(a).shard(), 0U);
    EXPECT_EQ(use(b).shard(), 0U);
  }
  EXPECT_EQ(use(b).shard(), 1U);
  EXPECT_EQ(use(a).shard(), 1U);
}

TEST_F(LedgerTest, AShardBelongsToOneRoute) {
  config.limit = 0;
  std::vector<Connection*> theirs;
  for (uint32_t i = 0; i < Ledger::kShardSockets; ++i) {
    EXPECT_EQ(use(a).shard(), 0U);
    theirs.push_back(&use(i % 2 == 0 ? d : e));
    EXPECT_EQ(theirs.back()->shard(), 0U) << "what others have in a shard of that number is not in the way";
  }
  theirs.push_back(&use(d));
  EXPECT_EQ(theirs.back()->shard(), 1U) << "an equal route is the same one";
  for (Connection* connection : theirs) ledger.close(*connection);
  EXPECT_EQ(use(a).shard(), 1U);
}

TEST_F(LedgerTest, AnOriginStaysInItsShards) {
  config.limit = 0;
  Connection& of_a = use(a);
  for (uint32_t i = 0; i < Ledger::kShardSockets; ++i) use(b);
  EXPECT_EQ(b.shards.back().number, 1U);
  ledger.close(of_a);
  use(b);
  EXPECT_EQ(use(b).shard(), 1U) << "shard 0 is full again, and there is room where it is already";
}

TEST_F(LedgerTest, AShardThatAnOriginLeftIsForgotten) {
  config.limit = 0;
  Connection& of_a = use(a);
  std::vector<Connection*> of_b;
  for (uint32_t i = 0; i < Ledger::kShardSockets; ++i) of_b.push_back(&use(b));
  ASSERT_EQ(of_b.back()->shard(), 1U);
  ledger.close(of_a);
  use(b);  // where that was
  EXPECT_EQ(use(a).shard(), 1U);
  EXPECT_EQ(a.shards.size(), 1U);
}

TEST_F(LedgerTest, AnIdleSocketThatChangesItsOriginCountsWhereItIs) {
  config.limit = 0;
  for (uint32_t i = 0; i < Ledger::kShardSockets; ++i) use(b);
  Connection& of_a = use(a);
  Connection& of_b = use(b);
  ASSERT_EQ(of_a.shard(), of_b.shard());
  ledger.rest(of_a, kNever, now);
  ledger.rest(of_b, kNever, now);
  ASSERT_TRUE(ledger.trade_idle(of_b, a));
  ledger.close(of_b);
  EXPECT_EQ(a.sockets, 0U);
  EXPECT_EQ(a.shards[0].sockets, 0U);
  EXPECT_EQ(b.shards[1].sockets, 1U);
  EXPECT_EQ(b.shards[1].idle, 1U);
}

TEST_F(LedgerTest, APlaceInAShardIsFilledAgain) {
  config.limit = 0;
  std::vector<Connection*> all;
  for (uint32_t i = 0; i < Ledger::kShardSockets + 1; ++i) all.push_back(&use(a));
  ledger.close(*all[3]);
  EXPECT_EQ(use(a).shard(), 0U);
  EXPECT_EQ(use(a).shard(), 1U);
}

TEST_F(LedgerTest, AnIdleSocketIsPromisedInItsShard) {
  config.limit = 0;
  std::vector<Connection*> all;
  for (uint32_t i = 0; i < Ledger::kShardSockets + 1; ++i) all.push_back(&use(a));
  ledger.rest(*all.back(), kNever, now);
  Permit permit = permit_for(a);
  EXPECT_EQ(permit.kind(), Permit::Kind::kIdleSocket);
  EXPECT_EQ(permit.shard(), 1U);
}

}  // namespace
}  // namespace hc
