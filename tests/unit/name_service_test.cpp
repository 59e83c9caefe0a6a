#include "model/name_service.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace hc {
namespace {

std::vector<IpAddress> addresses(const std::vector<std::string>& texts) {
  std::vector<IpAddress> out;
  for (const std::string& text : texts) out.push_back(IpAddress::parse(text).value());
  return out;
}

std::string text_of(const NameAnswer& answer) {
  if (!answer.status.is_ok()) return answer.status.message();
  std::string out;
  for (const IpAddress& address : answer.addresses) out += (out.empty() ? "" : " ") + address.to_string();
  return out;
}

LookupResult found(const std::vector<std::string>& texts, Duration ttl = kNever) {
  LookupResult result;
  result.addresses = addresses(texts);
  result.ttl = ttl;
  return result;
}

LookupResult failed(const std::string& reason) {
  LookupResult result;
  result.status = Status(HC_E_DNS, reason).with_native(HC_NATIVE_ARES, 12);
  return result;
}

LookupResult no_such_name() {
  LookupResult result = failed("no such name (NXDOMAIN)");
  result.is_no_such_name = true;
  return result;
}

/// Holds every question until the test answers it.
class FakeResolver final : public Resolver {
 public:
  struct Question {
    std::string host;
    Family family;
    Done done;
  };

  void lookup(const std::string& host, Family family, Done done) override {
    questions.push_back({host, family, std::move(done)});
  }
  void answer(LookupResult result) {
    Question question = std::move(questions.front());
    questions.pop_front();
    question.done(std::move(result));
  }
  void answer_last(LookupResult result) {
    Question question = std::move(questions.back());
    questions.pop_back();
    question.done(std::move(result));
  }

  std::deque<Question> questions;
};

class Waiter final : public NameWaiter {
 public:
  explicit Waiter(std::function<void()> then = nullptr) : then_(std::move(then)) {}
  void on_name(NameAnswer answer) override {
    answers.push_back(text_of(answer));
    last = std::move(answer);
    if (then_) then_();
  }

  std::vector<std::string> answers;
  NameAnswer last;

 private:
  std::function<void()> then_;
};

class NameServiceTest : public testing::Test {
 protected:
  void make(const NameServiceOptions& options = {}) {
    names = std::make_unique<NameService>(resolver, options, stats, [this] { return now; });
  }
  void SetUp() override { make(); }

  /// The immediate answer, or "waits".
  std::string resolve(std::string_view host, Waiter& waiter, uint16_t port = 80) {
    std::optional<NameAnswer> answer = names->resolve(host, port, now, waiter);
    return answer ? text_of(*answer) : "waits";
  }
  /// The same for somebody who does not stay.
  std::string resolve(std::string_view host, uint16_t port = 80) {
    Waiter passer_by;
    return resolve(host, passer_by, port);
  }
  /// As if nobody knew it: what a lookup of `host` brings is `result`.
  void learn(std::string_view host, LookupResult result) {
    Waiter waiter;
    ASSERT_EQ(resolve(host, waiter), "waits");
    resolver.answer(std::move(result));
    ASSERT_EQ(waiter.answers.size(), 1U);
  }

  TimePoint now = 1000 * kSecond;
  FakeResolver resolver;
  Stats stats;
  std::unique_ptr<NameService> names;
  Waiter somebody;
};

// ---------------------------------------------------------------------------- what needs no lookup

TEST_F(NameServiceTest, AnswersLiteralsAtOnce) {
  EXPECT_EQ(resolve("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(resolve("2001:DB8::7"), "2001:db8::7");
  EXPECT_EQ(resolve("192.0.2.7."), "192.0.2.7");
  EXPECT_EQ(stats.dns_lookups, 0U);
  EXPECT_EQ(stats.dns_cache_hits, 0U);
}

TEST_F(NameServiceTest, RefusesALiteralOfTheWrongFamily) {
  make({.family = Family::kV4});
  EXPECT_EQ(resolve("::1"),
            "cannot resolve \"::1\": it has only IPv6 addresses, and the session's family is v4");
  make({.family = Family::kV6});
  EXPECT_EQ(names->resolve("127.0.0.1", 80, now, somebody)->status.code(), HC_E_DNS);
}

TEST_F(NameServiceTest, AnswersLocalhostWithLoopback) {
  EXPECT_EQ(resolve("localhost"), "127.0.0.1 ::1");
  EXPECT_EQ(resolve("localhost"), "127.0.0.1 ::1") << "not rotated";
  EXPECT_EQ(resolve("App.LocalHost."), "127.0.0.1 ::1");
  make({.family = Family::kV6});
  EXPECT_EQ(resolve("localhost"), "::1");
  EXPECT_EQ(resolve("notlocalhost"), "waits");
}

TEST_F(NameServiceTest, RefusesWhatIsNoName) {
  EXPECT_EQ(resolve(""), "cannot resolve \"\": the host name is empty");
  EXPECT_EQ(resolve(std::string_view("a\0b", 3)),
            "cannot resolve \"a\\x00b\": a host name has no space, control byte or byte beyond ASCII");
  EXPECT_NE(resolve("a..b"), "waits");
  EXPECT_NE(resolve("."), "waits");
  EXPECT_NE(resolve(".a"), "waits");
  EXPECT_NE(resolve(std::string(64, 'a') + ".test"), "waits");
  EXPECT_NE(resolve(std::string(254, 'a')), "waits");
  EXPECT_NE(resolve("b\xC3\xBC"
                    "cher.test"),
            "waits");
  EXPECT_EQ(stats.dns_lookups, 0U);
}

TEST_F(NameServiceTest, RefusesNumbersThatSomeTakeForAddresses) {
  for (const char* host : {"127.1", "2130706433", "0x7f000001", "1.2.3.4.5", "a.0x7f"}) {
    EXPECT_NE(resolve(host), "waits") << host;
  }
  EXPECT_EQ(resolve("0xyz"), "waits");
  EXPECT_EQ(resolve("_srv.7up.test"), "waits");
}

TEST_F(NameServiceTest, UsesOverridesOfThePortBeforeThoseOfAllPorts) {
  names->set_override("App.Test.", 80, addresses({"10.0.0.1", "10.0.0.2"}));
  names->set_override("app.test", 0, addresses({"10.0.0.9"}));
  EXPECT_EQ(resolve("app.test", 80), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(resolve("APP.test", 80), "10.0.0.1 10.0.0.2") << "in the caller's order each time";
  EXPECT_EQ(resolve("app.test", 443), "10.0.0.9");
  names->set_override("app.test", 80, {});
  EXPECT_EQ(resolve("app.test", 80), "10.0.0.9");
  names->set_override("app.test", 0, {});
  EXPECT_EQ(resolve("app.test", 80), "waits");
}

TEST_F(NameServiceTest, LetsOverridesGoBeforeEverythingAndOutliveAClear) {
  names->set_override("localhost", 0, addresses({"10.0.0.1"}));
  names->set_override("127.0.0.1", 0, addresses({"10.0.0.2"}));
  names->clear();
  EXPECT_EQ(resolve("localhost"), "10.0.0.1");
  EXPECT_EQ(resolve("127.0.0.1"), "10.0.0.2");
}

TEST_F(NameServiceTest, ChoosesTheFamilyFromAnOverride) {
  make({.family = Family::kV6});
  names->set_override("a", 0, addresses({"10.0.0.1", "2001:db8::1"}));
  names->set_override("b", 0, addresses({"10.0.0.1"}));
  EXPECT_EQ(resolve("a"), "2001:db8::1");
  EXPECT_EQ(resolve("b"), "cannot resolve \"b\": it has only IPv4 addresses, and the session's family is v6");
}

// ---------------------------------------------------------------------------- single flight

TEST_F(NameServiceTest, SharesOneLookupBetweenWaiters) {
  Waiter first;
  Waiter second;
  EXPECT_EQ(resolve("app.test", first), "waits");
  EXPECT_EQ(resolve("APP.test.", second, 443), "waits");
  ASSERT_EQ(resolver.questions.size(), 1U);
  EXPECT_EQ(resolver.questions.front().host, "app.test");
  resolver.answer(found({"10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(first.answers, std::vector<std::string>{"10.0.0.1 10.0.0.2"});
  EXPECT_EQ(second.answers, std::vector<std::string>{"10.0.0.2 10.0.0.1"}) << "each starts at the next";
  EXPECT_EQ(resolve("app.test"), "10.0.0.1 10.0.0.2") << "and the cache goes on where they stopped";
  EXPECT_EQ(stats.dns_lookups, 1U);
  EXPECT_EQ(stats.dns_cache_hits, 1U);
}

TEST_F(NameServiceTest, AsksForTheFamilyOfTheSession) {
  make({.family = Family::kV6});
  resolve("app.test");
  EXPECT_EQ(resolver.questions.front().family, Family::kV6);
}

TEST_F(NameServiceTest, GivesTheAnswerToOthersWhenOneLeaves) {
  Waiter leaver;
  Waiter stayer;
  resolve("app.test", leaver);
  resolve("app.test", stayer);
  names->leave(leaver);
  names->leave(leaver);
  resolver.answer(found({"10.0.0.1"}));
  EXPECT_TRUE(leaver.answers.empty());
  EXPECT_EQ(stayer.answers.size(), 1U);
}

TEST_F(NameServiceTest, GivesTheAnswerToTheCacheWhenEverybodyLeft) {
  resolve("app.test");
  resolver.answer(found({"10.0.0.1"}));
  EXPECT_EQ(resolve("app.test"), "10.0.0.1");
}

TEST_F(NameServiceTest, StartsAnotherLookupWhenOneHasBeenSilentForLong) {
  Waiter old_waiter;
  Waiter new_waiter;
  resolve("app.test", old_waiter);
  now += 10 * kSecond - 1;
  resolve("app.test");
  EXPECT_EQ(resolver.questions.size(), 1U);
  now += 1;
  resolve("app.test", new_waiter);
  ASSERT_EQ(resolver.questions.size(), 2U);
  resolver.answer_last(found({"10.0.0.2"}));
  EXPECT_EQ(new_waiter.answers, std::vector<std::string>{"10.0.0.2"});
  EXPECT_TRUE(old_waiter.answers.empty());
  resolver.answer(found({"10.0.0.1"}));
  EXPECT_EQ(old_waiter.answers, std::vector<std::string>{"10.0.0.1"});
  EXPECT_EQ(resolve("app.test"), "10.0.0.2") << "the old answer does not replace the newer one";
}

TEST_F(NameServiceTest, IgnoresAnAnswerAfterItsOwnEnd) {
  resolve("app.test");
  names.reset();
  resolver.answer(found({"10.0.0.1"}));
}

TEST_F(NameServiceTest, ToleratesThatTheResolverEndsFirst) {
  Waiter waiter;
  resolve("app.test", waiter);
  resolver.questions.clear();
  EXPECT_TRUE(waiter.answers.empty());
  names->leave(waiter);
}

// ---------------------------------------------------------------------------- cache

TEST_F(NameServiceTest, StartsEachConnectionAtTheNextAddress) {
  learn("app.test", found({"2001:db8::1", "10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(resolve("app.test"), "10.0.0.1 10.0.0.2 2001:db8::1");
  EXPECT_EQ(resolve("app.test"), "10.0.0.2 2001:db8::1 10.0.0.1");
  EXPECT_EQ(resolve("app.test"), "2001:db8::1 10.0.0.1 10.0.0.2");
}

TEST_F(NameServiceTest, SaysWhatCameFromTheCache) {
  learn("app.test", found({"10.0.0.1"}));
  EXPECT_TRUE(names->resolve("app.test", 80, now, somebody)->from_cache);
  EXPECT_FALSE(names->resolve("localhost", 80, now, somebody)->from_cache);
}

TEST_F(NameServiceTest, AsksAgainWhenTheAnswerExpired) {
  learn("app.test", found({"10.0.0.1"}, 3 * kSecond));
  now += 3 * kSecond - 1;
  EXPECT_EQ(resolve("app.test"), "10.0.0.1");
  now += 1;
  EXPECT_EQ(resolve("app.test"), "waits");
  EXPECT_EQ(stats.dns_lookups, 2U);
}

TEST_F(NameServiceTest, CountsTheLifeOfAnAnswerFromItsArrival) {
  make({.ttl = 2 * kSecond});
  resolve("app.test");
  now += 5 * kSecond;
  resolver.answer(found({"10.0.0.1"}));
  now += 2 * kSecond - 1;
  EXPECT_EQ(resolve("app.test"), "10.0.0.1");
}

TEST_F(NameServiceTest, CachesNothingAcrossLookupsWhenOff) {
  for (NameServiceOptions options : {NameServiceOptions{.use_cache = false}, NameServiceOptions{.ttl = 0}}) {
    make(options);
    learn("app.test", found({"10.0.0.1"}));
    learn("app.test", no_such_name());
    learn("app.test", found({"10.0.0.1"}));
    EXPECT_EQ(names->cached_names(), 0U);
  }
}

TEST_F(NameServiceTest, SharesLookupsAndRotatesAlsoWithoutCache) {
  make({.use_cache = false});
  Waiter first;
  Waiter second;
  resolve("app.test", first);
  resolve("app.test", second);
  resolver.answer(found({"10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(first.answers.front(), "10.0.0.1 10.0.0.2");
  EXPECT_EQ(second.answers.front(), "10.0.0.2 10.0.0.1");
  EXPECT_EQ(stats.dns_lookups, 1U);
}

TEST_F(NameServiceTest, RemembersNoSuchNameForASecond) {
  learn("app.test", no_such_name());
  now += kSecond - 1;
  EXPECT_EQ(resolve("app.test"), "cannot resolve \"app.test\": no such name (NXDOMAIN)");
  EXPECT_EQ(stats.dns_failures, 1U);
  EXPECT_EQ(stats.dns_cache_hits, 1U);
  now += 1;
  EXPECT_EQ(resolve("app.test"), "waits");
}

TEST_F(NameServiceTest, RemembersNoOtherFailure) {
  learn("app.test", failed("no answer (timeout)"));
  EXPECT_EQ(resolve("app.test"), "waits");
  EXPECT_EQ(stats.dns_failures, 1U);
}

TEST_F(NameServiceTest, TakesTheFirstSixtyFourAddresses) {
  std::vector<std::string> many;
  for (int i = 0; i < 2000; ++i)
    many.push_back("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
  resolve("many.test", somebody);
  resolver.answer(found(many));
  ASSERT_EQ(somebody.last.addresses.size(), 64U);
  EXPECT_EQ(somebody.last.addresses.front().to_string(), many.front());
  EXPECT_EQ(somebody.last.addresses.back().to_string(), many[63]);
}

TEST_F(NameServiceTest, ServesStaleWhileItRefreshes) {
  make({.ttl = 10 * kSecond, .stale_ttl = 60 * kSecond});
  learn("app.test", found({"10.0.0.1"}));
  now += 11 * kSecond;
  EXPECT_EQ(resolve("app.test"), "10.0.0.1");
  EXPECT_EQ(resolve("app.test"), "10.0.0.1");
  EXPECT_EQ(resolver.questions.size(), 1U) << "one refresh at a time";
  resolver.answer(found({"10.0.0.2"}));
  EXPECT_EQ(resolve("app.test"), "10.0.0.2");
  EXPECT_TRUE(resolver.questions.empty());
}

TEST_F(NameServiceTest, ServesStaleWhenTheRefreshFailsAndPausesBetweenAttempts) {
  make({.ttl = 10 * kSecond, .stale_ttl = 60 * kSecond});
  learn("app.test", found({"10.0.0.1"}));
  now += 11 * kSecond;
  resolve("app.test");
  resolver.answer(failed("no answer (timeout)"));
  EXPECT_EQ(resolve("app.test"), "10.0.0.1");
  EXPECT_TRUE(resolver.questions.empty());
  now += kSecond;
  EXPECT_EQ(resolve("app.test"), "10.0.0.1");
  EXPECT_EQ(resolver.questions.size(), 1U);
  now += 60 * kSecond;
  EXPECT_EQ(resolve("app.test"), "waits");
}

TEST_F(NameServiceTest, RefreshesAgainWhenTheRefreshHasBeenSilentForLong) {
  make({.ttl = 10 * kSecond, .stale_ttl = 600 * kSecond});
  learn("app.test", found({"10.0.0.1"}));
  now += 11 * kSecond;
  resolve("app.test");
  now += 10 * kSecond - 1;
  resolve("app.test");
  EXPECT_EQ(resolver.questions.size(), 1U);
  now += 1;
  EXPECT_EQ(resolve("app.test"), "10.0.0.1");
  ASSERT_EQ(resolver.questions.size(), 2U);
  resolver.answer_last(found({"10.0.0.2"}));
  resolver.answer(found({"10.0.0.3"}));
  EXPECT_EQ(resolve("app.test"), "10.0.0.2") << "the lost answer does not replace the newer one";
}

TEST_F(NameServiceTest, DoesNotServeStaleUnlessAsked) {
  learn("app.test", found({"10.0.0.1"}));
  now += 10 * kSecond;
  EXPECT_EQ(resolve("app.test"), "waits");
}

TEST_F(NameServiceTest, ClearsOneNameOrAll) {
  learn("a.test", found({"10.0.0.1"}));
  learn("b.test", found({"10.0.0.2"}));
  names->clear("A.test.");
  EXPECT_EQ(resolve("a.test"), "waits");
  EXPECT_EQ(resolve("b.test"), "10.0.0.2");
  names->clear();
  EXPECT_EQ(resolve("b.test"), "waits");
}

TEST_F(NameServiceTest, KeepsTheAnswerOfALookupThatAClearMetOutOfTheCache) {
  for (const char* what : {"app.test", ""}) {
    Waiter before;
    Waiter after;
    resolve("app.test", before);
    names->clear(what);
    EXPECT_EQ(resolve("app.test", after), "waits");
    ASSERT_EQ(resolver.questions.size(), 2U) << "who comes after the clear wants to know what is true now";
    resolver.answer(found({"10.0.0.1"}));
    EXPECT_EQ(before.answers, std::vector<std::string>{"10.0.0.1"});
    EXPECT_TRUE(after.answers.empty());
    EXPECT_EQ(names->cached_names(), 0U);
    resolver.answer(found({"10.0.0.2"}));
    EXPECT_EQ(after.answers, std::vector<std::string>{"10.0.0.2"});
    EXPECT_EQ(resolve("app.test"), "10.0.0.2");
    names->clear();
  }
}

TEST_F(NameServiceTest, StaysWithinItsCapacityOverAHundredThousandNames) {
  for (int i = 0; i < 100'000; ++i) learn("host" + std::to_string(i) + ".test", found({"10.0.0.1"}));
  EXPECT_EQ(names->cached_names(), 1000U);
  EXPECT_EQ(resolve("host99999.test"), "10.0.0.1");
  EXPECT_EQ(resolve("host0.test"), "waits");
}

// ---------------------------------------------------------------------------- failures

TEST_F(NameServiceTest, TellsAnOperatorWhatWentWrong) {
  Waiter waiter;
  resolve("app.test", waiter);
  resolver.answer(failed("no answer from the name server (timeout)"));
  const Status& status = waiter.last.status;
  EXPECT_EQ(status.message(), "cannot resolve \"app.test\": no answer from the name server (timeout)");
  EXPECT_EQ(status.code(), HC_E_DNS);
  EXPECT_EQ(status.native_domain(), HC_NATIVE_ARES);
  EXPECT_EQ(status.native_code(), 12);
}

TEST_F(NameServiceTest, PassesTheCodeOfTheResolverOn) {
  Waiter waiter;
  resolve("app.test", waiter);
  LookupResult refused;
  refused.status = Status(HC_E_CALLBACK, "the resolver callback refused with -7");
  resolver.answer(refused);
  EXPECT_EQ(waiter.last.status.code(), HC_E_CALLBACK);
}

TEST_F(NameServiceTest, FailsWhenTheAnswerHoldsNoUsableAddress) {
  make({.family = Family::kV4});
  Waiter waiter;
  resolve("app.test", waiter);
  resolver.answer(found({"2001:db8::1"}));
  resolve("app.test", waiter);
  resolver.answer(found({}));
  EXPECT_EQ(waiter.answers[0],
            "cannot resolve \"app.test\": it has only IPv6 addresses, and the session's family is v4");
  EXPECT_EQ(waiter.answers[1], "cannot resolve \"app.test\": the resolver gave no address");
  EXPECT_EQ(names->cached_names(), 0U);
  EXPECT_EQ(stats.dns_failures, 2U);
}

// ---------------------------------------------------------------------------- re-entrancy

TEST_F(NameServiceTest, LetsAWaiterResolveAgainFromItsAnswer) {
  std::vector<std::string> seen;
  Waiter other;
  Waiter waiter([&] { seen.push_back(resolve("app.test")); });
  resolve("app.test", waiter);
  resolve("app.test", other);
  resolver.answer(found({"10.0.0.1"}));
  EXPECT_EQ(seen, std::vector<std::string>{"10.0.0.1"});
  EXPECT_EQ(other.answers.size(), 1U);
}

TEST_F(NameServiceTest, StartsANewFlightWhenAWaiterOfAFailedOneAsksAgain) {
  int rounds = 0;
  std::unique_ptr<Waiter> waiter;
  waiter = std::make_unique<Waiter>([&] {
    if (++rounds == 3) return;
    EXPECT_EQ(resolve("app.test", *waiter), "waits");
  });
  resolve("app.test", *waiter);
  while (!resolver.questions.empty()) resolver.answer(failed("no answer (timeout)"));
  EXPECT_EQ(rounds, 3);
  EXPECT_EQ(stats.dns_lookups, 3U);
}

TEST_F(NameServiceTest, LetsAWaiterDestroyItselfAndOthers) {
  auto victim = std::make_unique<Waiter>();
  std::unique_ptr<Waiter> killer;
  auto last = std::make_unique<Waiter>();
  killer = std::make_unique<Waiter>([&] {
    victim.reset();
    auto doomed = std::move(killer);
    names->leave(*last);
  });
  resolve("app.test", *killer);
  resolve("app.test", *victim);
  resolve("app.test", *last);
  resolver.answer(found({"10.0.0.1"}));
  EXPECT_EQ(victim, nullptr);
  EXPECT_EQ(killer, nullptr);
  EXPECT_TRUE(last->answers.empty());
}

TEST_F(NameServiceTest, LetsAWaiterClearTheCacheFromItsAnswer) {
  Waiter second;
  Waiter first([&] { names->clear(); });
  resolve("app.test", first);
  resolve("app.test", second);
  resolver.answer(found({"10.0.0.1"}));
  EXPECT_EQ(second.answers, std::vector<std::string>{"10.0.0.1"});
  EXPECT_EQ(names->cached_names(), 0U);
}

}  // namespace
}  // namespace hc
