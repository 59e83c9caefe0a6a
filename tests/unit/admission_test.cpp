#include "model/admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hc {
namespace {

class Guest final : public Waiter {
 public:
  Guest(std::string n, Origin& o, int32_t p = 0) : name(std::move(n)) {
    origin = &o;
    priority = p;
  }
  std::string name;
};

/// The gate with its books, and guests that hold what they are given until the test says otherwise.
class AdmissionTest : public testing::Test, protected Grantee, protected LedgerObserver {
 protected:
  AdmissionTest() { ledger.set_observer(this); }
  ~AdmissionTest() override {
    while (gate.pop_any() != nullptr) {
    }
    permits.clear();
    close_all();
    for (auto& [host, origin] : origins) gate.release(*origin);
    EXPECT_EQ(stats.waiting, 0U);
    EXPECT_EQ(budget.used(), taken);
  }

  struct Listener final : DescriptorBudget::Listener {
    void on_room() override { ++told; }
    int told = 0;
  };

  void on_granted(Waiter& waiter, Permit permit) override {
    auto& guest = static_cast<Guest&>(waiter);
    granted.push_back(guest.name);
    if (then) {
      then(guest, std::move(permit));
    } else {
      permits[&guest] = std::move(permit);
    }
  }
  void on_retired(Connection& connection) override { ++retired[connection.origin().host()]; }
  void on_room(Origin& origin) override { gate.on_room(origin); }
  void on_connecting_room() override { gate.on_connecting_room(); }

  Origin& origin(const std::string& host) {
    Origin*& place = origins[host];
    if (place == nullptr) place = &gate.origin_of({false, 80, host});
    return *place;
  }
  Guest& join(const std::string& name, const std::string& host, int32_t priority = 0) {
    guests.push_back(std::make_unique<Guest>(name, origin(host), priority));
    gate.join(*guests.back());
    return *guests.back();
  }
  /// Who got in since the last call.
  std::vector<std::string> pump() {
    granted.clear();
    gate.begin_turn();
    is_complete = gate.pump(*this);
    return granted;
  }
  void leave_room(Guest& guest) { permits.erase(&guest); }
  /// The guest's permit becomes a connection, or takes one, that is idle at once.
  Connection& make_idle(Guest& guest) {
    Permit permit = std::move(permits[&guest]);
    permits.erase(&guest);
    Connection* connection = nullptr;
    if (permit.kind() == Permit::Kind::kIdleSocket) {
      connection = idle_one_of(*guest.origin);
      ledger.use_idle(*connection, std::move(permit));
    } else {
      connection = &ledger.open(std::move(permit), ++last_fd, Endpoint{}, 0);
      ledger.use_new(*connection);
    }
    ledger.rest(*connection, kNever, 0);
    return *connection;
  }
  Connection* idle_one_of(const Origin& origin) {
    Connection* found = nullptr;
    ledger.for_each([&](Connection& connection) {
      bool fits = &connection.origin() == &origin && connection.state() == Connection::State::kIdle;
      if (fits) found = &connection;
    });
    return found;
  }
  void close_all() {
    std::vector<Connection*> left;
    ledger.for_each([&left](Connection& connection) { left.push_back(&connection); });
    for (Connection* connection : left) ledger.close(*connection);
  }
  using Names = std::vector<std::string>;

  SessionConfig config;
  TimerQueue timers;
  DescriptorBudget budget{1000};
  uint64_t taken = 0;  // of the budget, by others
  Stats stats;
  Listener listener;
  Ledger ledger{config, timers, budget, stats};
  Admission gate{ledger, budget, listener, stats};
  std::map<std::string, Origin*> origins;
  std::vector<std::unique_ptr<Guest>> guests;
  std::map<Guest*, Permit> permits;
  std::map<std::string, int> retired;
  Names granted;
  bool is_complete = false;  // what pump() said
  std::function<void(Guest&, Permit)> then;
  int last_fd = 10;
};

TEST_F(AdmissionTest, LetsInWhatFits) {
  config.limit = 2;
  for (const char* name : {"1", "2", "3"}) join(name, "a");
  EXPECT_EQ(stats.waiting, 3U);
  EXPECT_EQ(pump(), (Names{"1", "2"}));
  EXPECT_EQ(stats.waiting, 1U);
  EXPECT_EQ(pump(), Names());
}

TEST_F(AdmissionTest, GivesOnlySoManyInATurn) {
  config.limit = 0;
  for (size_t i = 0; i < Admission::kPermitsInATurn + 3; ++i) join(std::to_string(i), i % 2 == 0 ? "a" : "b");
  EXPECT_EQ(pump().size(), Admission::kPermitsInATurn);
  EXPECT_FALSE(is_complete);
  granted.clear();
  EXPECT_FALSE(gate.pump(*this)) << "still the same turn";
  EXPECT_EQ(granted, Names());
  EXPECT_EQ(pump().size(), 3U);
  EXPECT_TRUE(is_complete);
}

TEST_F(AdmissionTest, IsCompleteWhenNobodyFits) {
  config.limit = 1;
  join("1", "a");
  join("2", "a");
  EXPECT_EQ(pump(), Names{"1"});
  EXPECT_TRUE(is_complete);
}

TEST_F(AdmissionTest, KeepsFifoWithinAnOrigin) {
  config.limit = 1;
  Names expected;
  for (int i = 0; i < 10; ++i) {
    expected.push_back(std::to_string(i));
    join(expected.back(), "a");
  }
  then = [](Guest&, Permit) {};  // gives it back at once
  EXPECT_EQ(pump(), expected);
}

TEST_F(AdmissionTest, HigherPrioritiesGoFirstWithinAnOrigin) {
  config.limit = 1;
  join("plain 1", "a");
  join("low", "a", -5);
  join("high 1", "a", 7);
  join("plain 2", "a");
  join("highest", "a", INT32_MAX);
  join("high 2", "a", 7);
  join("lowest", "a", INT32_MIN);
  then = [](Guest&, Permit) {};
  EXPECT_EQ(pump(), (Names{"highest", "high 1", "high 2", "plain 1", "plain 2", "low", "lowest"}));
}

TEST_F(AdmissionTest, PriorityIsNoMatterBetweenOrigins) {
  config.limit = 1;
  join("a1", "a");
  join("b1", "b", 100);
  then = [](Guest&, Permit) {};
  EXPECT_EQ(pump(), (Names{"a1", "b1"}));
}

TEST_F(AdmissionTest, OriginsTakeTurns) {
  config.limit = 1;
  for (const char* name : {"a1", "a2", "a3"}) join(name, "a");
  for (const char* name : {"b1", "b2"}) join(name, "b");
  join("c1", "c");
  then = [](Guest&, Permit) {};
  EXPECT_EQ(pump(), (Names{"a1", "b1", "c1", "a2", "b2", "a3"}));
}

TEST_F(AdmissionTest, TheTurnIsKeptFromOnePumpToTheNext) {
  config.limit = 1;
  Guest& a1 = join("a1", "a");
  join("a2", "a");
  Guest& b1 = join("b1", "b");
  EXPECT_EQ(pump(), Names{"a1"});
  leave_room(a1);
  EXPECT_EQ(pump(), Names{"b1"});
  leave_room(b1);
  EXPECT_EQ(pump(), Names{"a2"});
}

TEST_F(AdmissionTest, AnIdleConnectionIsNoWayToJumpTheQueue) {
  config.limit = 1;
  make_idle((join("a1", "a"), pump(), *guests.back()));
  join("b1", "b");
  join("a2", "a");
  EXPECT_EQ(pump(), Names{"b1"});
  EXPECT_EQ(retired["a"], 1);
}

TEST_F(AdmissionTest, AnOriginThatHoldsAsManyLeavesAnIdleConnectionToItsOwner) {
  config.limit = 4;
  for (const char* name : {"a1", "a2", "a3"}) join(name, "a");
  for (const char* name : {"b1", "b2", "b3"}) join(name, "b");
  EXPECT_EQ(pump(), (Names{"a1", "b1", "a2", "b2"}));
  make_idle(*guests[3]);
  EXPECT_EQ(pump(), Names{"b3"}) << "it was the turn of a";
  EXPECT_TRUE(retired.empty());
  make_idle(*guests[4]);
  EXPECT_EQ(pump(), Names{"a3"}) << "b has no use for it any more";
  EXPECT_EQ(retired["b"], 1);
}

TEST_F(AdmissionTest, AnOriginThatHoldsLessGrowsToItsShare) {
  config.limit = 4;
  for (const char* name : {"a1", "a2", "a3", "a4", "a5", "a6"}) join(name, "a");
  EXPECT_EQ(pump(), (Names{"a1", "a2", "a3", "a4"}));
  for (const char* name : {"b1", "b2", "b3"}) join(name, "b");
  Names order;
  for (size_t i = 0; i < 4; ++i) {
    make_idle(*guests[i]);
    for (const std::string& name : pump()) order.push_back(name);
  }
  EXPECT_EQ(order, (Names{"a5", "b1", "a6", "b2"}));
  EXPECT_EQ(origin("a").sockets, 2U);
  EXPECT_EQ(origin("b").sockets, 2U);
}

TEST_F(AdmissionTest, AnOddConnectionChangesHandsAfterManyTurns) {
  config.limit = 3;
  for (const char* name : {"a1", "b1", "a2"}) join(name, name[0] == 'a' ? "a" : "b");
  EXPECT_EQ(pump(), (Names{"a1", "b1", "a2"}));
  join("b2", "b");
  Guest* last = guests[2].get();
  int of_a = 0;
  for (; of_a < 1000; ++of_a) {
    Guest* next = &join("a", "a");
    make_idle(*last);
    if (pump() != Names{"a"}) break;
    last = next;
  }
  EXPECT_EQ(granted, Names{"b2"}) << "its other connection is still busy";
  EXPECT_EQ(of_a, 32);
  EXPECT_EQ(retired["a"], 1);
}

TEST_F(AdmissionTest, WhoLeavesItsTurnDoesNotHoldUpOneThatHasNothing) {
  config.limit = 2;
  for (const char* name : {"a1", "a2"}) join(name, "a");
  for (const char* name : {"b1", "b2", "b3"}) join(name, "b");
  EXPECT_EQ(pump(), (Names{"a1", "b1"}));
  join("c1", "c");
  then = [this](Guest& guest, Permit permit) {
    permits[&guest] = std::move(permit);
    if (guest.name[0] == 'b') make_idle(guest);
  };
  make_idle(*guests[2]);
  EXPECT_EQ(pump(), (Names{"b2", "c1"})) << "first it was the turn of a, whose a1 is busy for long";
}

TEST_F(AdmissionTest, TenThousandInOneOriginDoNotHoldUpFiftyOthers) {
  config.limit = 3;
  for (int i = 0; i < 10'000; ++i) join("busy", "busy");
  for (int i = 0; i < 50; ++i) join("quiet", "quiet" + std::to_string(i));
  then = [](Guest&, Permit) {};
  ASSERT_GT(pump().size(), 51U);
  EXPECT_EQ(std::count(granted.begin(), granted.begin() + 51, "quiet"), 50);
}

TEST_F(AdmissionTest, AFullOriginIsParkedAndTheOthersGoOn) {
  config.limit_per_host = 1;
  Guest& a1 = join("a1", "a");
  join("a2", "a");
  join("a3", "a");
  join("b1", "b");
  EXPECT_EQ(pump(), (Names{"a1", "b1"}));
  EXPECT_TRUE(origin("a").is_parked);
  EXPECT_EQ(pump(), Names());
  leave_room(a1);
  EXPECT_FALSE(origin("a").is_parked);
  EXPECT_EQ(pump(), Names{"a2"});
}

TEST_F(AdmissionTest, AFullOriginGoesOnWhenAConnectionOfItsBecomesIdle) {
  config.limit_per_host = 1;
  Guest& a1 = join("a1", "a");
  Guest& a2 = join("a2", "a");
  EXPECT_EQ(pump(), Names{"a1"});
  make_idle(a1);
  EXPECT_EQ(pump(), Names{"a2"});
  EXPECT_EQ(permits[&a2].kind(), Permit::Kind::kIdleSocket);
}

TEST_F(AdmissionTest, WhereTooManyConnectOriginsAreParked) {
  config.max_connecting = 1;
  Guest& a1 = join("a1", "a");
  join("b1", "b");
  join("c1", "c");
  EXPECT_EQ(pump(), Names{"a1"});
  EXPECT_TRUE(origin("b").is_parked);
  EXPECT_TRUE(origin("c").is_parked);
  make_idle(a1);
  EXPECT_EQ(pump(), Names{"b1"});
}

TEST_F(AdmissionTest, WhileTooManyConnectIdleConnectionsAreStillTaken) {
  config.max_connecting = 1;
  make_idle((join("a1", "a"), pump(), *guests.back()));
  join("b1", "b");
  join("c1", "c");
  join("a2", "a");
  EXPECT_EQ(pump(), (Names{"b1", "a2"}));
}

TEST_F(AdmissionTest, WithoutDescriptorsItListensForThem) {
  config.limit = 0;
  while (budget.try_take()) ++taken;
  join("a1", "a");
  join("b1", "b");
  EXPECT_EQ(pump(), Names());
  EXPECT_TRUE(origin("a").is_parked);
  EXPECT_EQ(listener.told, 0);
  budget.give_back();
  --taken;
  EXPECT_EQ(listener.told, 1);
  EXPECT_EQ(pump(), Names()) << "told on another thread: the loop calls on_descriptor_room()";
  gate.on_descriptor_room();
  EXPECT_EQ(pump(), Names{"a1"});
  budget.give_back();
  --taken;
  EXPECT_EQ(listener.told, 2) << "it listens again";
  gate.on_descriptor_room();
  EXPECT_EQ(pump(), Names{"b1"});
}

TEST_F(AdmissionTest, AtTheLimitNobodyIsParked) {
  config.limit = 1;
  Guest& a1 = join("a1", "a");
  join("b1", "b");
  pump();
  EXPECT_FALSE(origin("b").is_parked);
  leave_room(a1);
  EXPECT_EQ(pump(), Names{"b1"});
}

TEST_F(AdmissionTest, WhoGoesBackInLineKeepsItsTurn) {
  config.limit = 2;
  Guest& first = join("1", "a");
  Guest& second = join("2", "a");
  join("3", "a");
  EXPECT_EQ(pump(), (Names{"1", "2"}));
  leave_room(second);
  gate.rejoin(second);
  leave_room(first);
  gate.rejoin(first);
  then = [](Guest&, Permit) {};
  EXPECT_EQ(pump(), (Names{"1", "2", "3"}));
}

TEST_F(AdmissionTest, GoingBackInLineFindsThePlaceInTheMiddle) {
  config.limit = 3;
  std::vector<Guest*> all;
  for (const char* name : {"1", "2", "3", "4", "5"}) all.push_back(&join(name, "a"));
  pump();
  for (size_t i : {2U, 0U, 1U}) {
    leave_room(*all[i]);
    gate.rejoin(*all[i]);
  }
  then = [](Guest&, Permit) {};
  EXPECT_EQ(pump(), (Names{"1", "2", "3", "4", "5"}));
}

TEST_F(AdmissionTest, WhoLeavesIsSkipped) {
  config.limit = 1;
  Guest& first = join("1", "a");
  Guest& second = join("2", "a");
  join("3", "a");
  gate.leave(second);
  gate.leave(second);
  EXPECT_EQ(stats.waiting, 2U);
  gate.leave(first);
  EXPECT_EQ(pump(), Names{"3"});
}

TEST_F(AdmissionTest, TheLastToLeaveTakesItsOriginOutOfTheRing) {
  config.limit_per_host = 1;
  join("a1", "a");
  Guest& a2 = join("a2", "a");
  pump();
  ASSERT_TRUE(origin("a").is_parked);
  gate.leave(a2);
  EXPECT_FALSE(origin("a").is_parked);
  EXPECT_EQ(pump(), Names());
}

TEST_F(AdmissionTest, AParkedOriginIsLookedAtAgainWhenAnotherIsFirstInItsLine) {
  config.max_connecting = 1;
  make_idle((join("a1", "a"), pump(), *guests.back()));
  join("b1", "b");
  pump();
  Guest& needs_new = join("needs new", "a");
  needs_new.needs_new_socket = true;
  join("takes idle", "a");
  EXPECT_EQ(pump(), Names());
  ASSERT_TRUE(origin("a").is_parked);
  gate.leave(needs_new);
  EXPECT_EQ(pump(), Names{"takes idle"});
}

TEST_F(AdmissionTest, AParkedOriginIsLookedAtAgainWhenAHigherPriorityJoins) {
  config.max_connecting = 1;
  make_idle((join("a1", "a"), pump(), *guests.back()));
  join("b1", "b");
  pump();
  join("needs new", "a").needs_new_socket = true;
  EXPECT_EQ(pump(), Names());
  join("urgent", "a", 1);
  EXPECT_EQ(pump(), Names{"urgent"});
}

TEST_F(AdmissionTest, PermitsGivenBackInsideThePumpAreGivenOutAgain) {
  config.limit = 2;
  config.limit_per_host = 1;
  config.max_connecting = 1;
  for (int i = 0; i < 5; ++i) {
    join("a" + std::to_string(i), "a");
    join("b" + std::to_string(i), "b");
  }
  then = [](Guest&, Permit) {};
  EXPECT_EQ(pump().size(), 10U);
  EXPECT_EQ(ledger.live(), 0U);
}

TEST_F(AdmissionTest, AGuestMayGoBackInLineInsideThePump) {
  config.limit = 1;
  int refusals = 3;
  then = [&](Guest& guest, Permit permit) {
    permit.give_back();
    if (refusals-- > 0) gate.rejoin(guest);
  };
  join("1", "a");
  join("2", "a");
  EXPECT_EQ(pump(), (Names{"1", "1", "1", "1", "2"}));
}

TEST_F(AdmissionTest, PausedInsideThePumpItStops) {
  then = [&](Guest& guest, Permit) {
    gate.pause();
    gate.rejoin(guest);
  };
  join("1", "a");
  join("2", "b");
  EXPECT_EQ(pump(), Names{"1"});
  EXPECT_EQ(pump(), Names());
  gate.resume();
  then = nullptr;
  EXPECT_EQ(pump(), (Names{"2", "1"}));
}

TEST_F(AdmissionTest, PopsEverybodyParkedOrNot) {
  config.limit_per_host = 1;
  config.max_connecting = 2;
  for (const char* host : {"a", "b", "c"}) {
    for (int i = 0; i < 3; ++i) join(host, host, i);
  }
  pump();
  size_t count = 0;
  while (gate.pop_any() != nullptr) ++count;
  EXPECT_EQ(count, 7U);
  EXPECT_EQ(stats.waiting, 0U);
}

TEST_F(AdmissionTest, AnOriginLivesAsLongAsAnybodyNeedsIt) {
  Origin& first = gate.origin_of({false, 80, "x"});
  Origin& same = gate.origin_of({false, 80, std::string("x")});
  EXPECT_EQ(&first, &same);
  for (const OriginKey& key :
       {OriginKey{true, 80, "x"}, OriginKey{false, 81, "x"}, OriginKey{false, 80, "y"}}) {
    Origin& other = gate.origin_of(key);
    EXPECT_NE(&first, &other);
    gate.release(other);
  }
  auto route = [](uintptr_t identity) {
    auto* tls = reinterpret_cast<const TlsIdentity*>(identity);  // never looked into
    return std::make_shared<const Route>(Route{{std::shared_ptr<int>(), tls}});
  };
  Origin& pinned = gate.origin_of({true, 443, "x", route(0x10)});
  Origin& equal = gate.origin_of({true, 443, "x", route(0x10)});
  Origin& unpinned = gate.origin_of({true, 443, "x", route(0x20)});
  EXPECT_EQ(&pinned, &equal) << "routes count by what they hold";
  EXPECT_NE(&pinned, &unpinned);
  for (Origin* origin : {&pinned, &equal, &unpinned}) gate.release(*origin);
  gate.release(first);
  Permit permit;
  ASSERT_EQ(ledger.admit(first, true, &permit), Refusal::kNone);
  Connection& connection = ledger.open(std::move(permit), ++last_fd, Endpoint{}, 0);
  gate.release(same);
  EXPECT_EQ(connection.origin().host(), "x") << "a socket of it is open";
}

}  // namespace
}  // namespace hc
