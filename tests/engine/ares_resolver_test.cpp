#include "adapter/ares_resolver.h"

#include <ares.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "adapter/nameserver_list.h"
#include "engine/resolver_loop.h"
#include "serve/dns_server.h"
#include "support/process.h"

namespace hc {
namespace {

using namespace std::chrono_literals;
using serve::DnsReply;
using serve::DnsServer;
using serve::DnsType;

class AresResolverTest : public testing::Test {
 protected:
  void SetUp() override {
    dns.start();
    EXPECT_TRUE(parse_nameservers(dns.endpoint(), &options.nameservers).is_ok());
    make();
  }
  void make() {
    resolver.reset();
    Status status = AresResolver::create(loop.reactor, options, &resolver);
    ASSERT_TRUE(status.is_ok()) << status.message();
  }
  /// With the servers of a resolv.conf, all on the port of `dns`.
  void make_with(const TemporaryFile& resolv_conf) {
    options.nameservers.clear();
    options.resolv_conf = resolv_conf.path();
    options.port = dns.port();
    make();
  }

  LookupResult look_up(const std::string& host, Family family = Family::kAny) {
    Lookup lookup;
    resolver->lookup(host, family, lookup.done());
    EXPECT_FALSE(lookup.is_done) << "answered before lookup() returned";
    TimePoint start = loop.clock.now();
    EXPECT_TRUE(loop.run_until([&] { return lookup.is_done; })) << host;
    elapsed = loop.clock.now() - start;
    return lookup.result;
  }
  std::string addresses_of(const std::string& host, Family family = Family::kAny) {
    return text_of(look_up(host, family));
  }

  ResolverLoop loop;
  DnsServer dns;
  AresChannelOptions options;
  std::unique_ptr<AresResolver> resolver;
  Duration elapsed = 0;
};

TEST(NameserverList, ReadsAddressesWithAndWithoutPort) {
  std::vector<Endpoint> nameservers;
  ASSERT_TRUE(parse_nameservers("127.0.0.1:5353, [::1]:54,10.0.0.1,::2,[::3]", &nameservers).is_ok());
  EXPECT_EQ(to_string(nameservers), "127.0.0.1:5353, [::1]:54, 10.0.0.1, ::2, ::3");
}

TEST(NameserverList, RefusesWhatIsNoAddressAndNamesTheOption) {
  for (const char* text : {"", ",", "localhost", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:x",
                           "[::1", "[::1]x", "[::1]:", "1.2.3.4,", "fe80::1%1", "dns\n.test"}) {
    std::vector<Endpoint> nameservers;
    Status status = parse_nameservers(text, &nameservers);
    EXPECT_EQ(status.code(), HC_E_INVALID) << text;
    EXPECT_EQ(status.message().find("nameservers: "), 0U) << text;
    EXPECT_EQ(status.message().find('\n'), std::string::npos);
  }
}

// ---------------------------------------------------------------------------- answers

TEST_F(AresResolverTest, TakesFamiliesInTurnsWithIpv6First) {
  dns.script("app.test",
             {DnsReply::addresses({"10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8::1", "2001:db8::2"})});
  EXPECT_EQ(addresses_of("app.test"), "2001:db8::1 10.0.0.1 2001:db8::2 10.0.0.2 10.0.0.3");
}

TEST_F(AresResolverTest, AsksForOneFamilyOnly) {
  dns.script("app.test", {DnsReply::addresses({"10.0.0.1", "2001:db8::1"})});
  EXPECT_EQ(addresses_of("app.test", Family::kV4), "10.0.0.1");
  EXPECT_EQ(addresses_of("app.test", Family::kV6), "2001:db8::1");
  EXPECT_EQ(dns.count("app.test", DnsType::kA), 1U);
  EXPECT_EQ(dns.count("app.test", DnsType::kAaaa), 1U);
}

TEST_F(AresResolverTest, TellsTheShortestTtlOfAddresses) {
  dns.script("app.test",
             {DnsReply::with_records({{"10.0.0.1", 300}, {"10.0.0.2", 20}, {"2001:db8::1", 40}})});
  EXPECT_EQ(look_up("app.test").ttl, 20 * kSecond);
  EXPECT_EQ(look_up("app.test", Family::kV6).ttl, 40 * kSecond);
}

TEST_F(AresResolverTest, TellsTheTtlOfAnAliasWhenItIsShorter) {
  dns.script("alias.test", {DnsReply::alias("app.test", 7)});
  dns.script("app.test", {DnsReply::addresses({"10.0.0.1"}, 300)});
  LookupResult result = look_up("alias.test", Family::kV4);
  EXPECT_EQ(text_of(result), "10.0.0.1");
  EXPECT_EQ(result.ttl, 7 * kSecond);
}

TEST_F(AresResolverTest, TellsATtlOfZero) {
  dns.script("app.test", {DnsReply::addresses({"10.0.0.1"}, 0)});
  EXPECT_EQ(look_up("app.test", Family::kV4).ttl, 0);
}

TEST_F(AresResolverTest, AsksAgainEachTime) {
  dns.script("app.test", {DnsReply::addresses({"10.0.0.1"}), DnsReply::addresses({"10.0.0.2"})});
  EXPECT_EQ(addresses_of("app.test", Family::kV4), "10.0.0.1");
  EXPECT_EQ(addresses_of("app.test", Family::kV4), "10.0.0.2") << "c-ares keeps no cache of its own";
}

TEST_F(AresResolverTest, TakesFortyAddressesOverTcp) {
  std::vector<std::string> many;
  for (int i = 1; i <= 40; ++i) many.push_back("10.0.0." + std::to_string(i));
  dns.script("many.test", {DnsReply::addresses(many)});
  EXPECT_EQ(look_up("many.test").addresses.size(), 40U);
  EXPECT_GE(dns.total_over_tcp(), 1U);
}

TEST_F(AresResolverTest, RepeatsATruncatedAnswerOverTcp) {
  dns.script("app.test", {DnsReply::addresses({"10.0.0.1"}).truncated()});
  EXPECT_EQ(addresses_of("app.test", Family::kV4), "10.0.0.1");
  EXPECT_EQ(dns.total_over_tcp(), 1U);
}

TEST_F(AresResolverTest, AnswersAThousandLookupsAtOnce) {
  dns.script("*.test", {DnsReply::addresses({"10.0.0.1", "2001:db8::1"})});
  std::vector<Lookup> lookups(1000);
  for (size_t i = 0; i < lookups.size(); ++i) {
    resolver->lookup("host" + std::to_string(i) + ".test", Family::kAny, lookups[i].done());
  }
  EXPECT_TRUE(loop.run_until([&] {
    return std::all_of(lookups.begin(), lookups.end(), [](const Lookup& lookup) { return lookup.is_done; });
  }));
  for (const Lookup& lookup : lookups) EXPECT_TRUE(lookup.result.status.is_ok()) << text_of(lookup.result);
}

TEST_F(AresResolverTest, LetsNamesThatNobodyAnswersNotHoldUpOthers) {
  dns.script("*.silent.test", {DnsReply::silence()});
  dns.script("app.test", {DnsReply::addresses({"10.0.0.1"})});
  std::vector<Lookup> lookups(200);
  TimePoint start = loop.reactor.refresh();
  for (size_t i = 0; i < lookups.size(); ++i) {
    resolver->lookup("host" + std::to_string(i) + ".silent.test", Family::kV4, lookups[i].done());
  }
  EXPECT_EQ(addresses_of("app.test", Family::kV4), "10.0.0.1");
  EXPECT_GE(loop.clock.now() - start, 3 * 250 * kMillisecond)
      << "64 at a time, and after a quarter of a second the next 64";
  EXPECT_TRUE(std::none_of(lookups.begin(), lookups.end(), [](const Lookup& lookup) {
    return lookup.is_done;
  })) << "it did not wait until they had failed";
}

TEST_F(AresResolverTest, AsksAgainWhenTheServerFailsOnce) {
  dns.script("flaky.test", {DnsReply::servfail(), DnsReply::addresses({"10.0.0.1"})});
  EXPECT_EQ(addresses_of("flaky.test", Family::kV4), "10.0.0.1");
}

TEST_F(AresResolverTest, TellsThatNoneOfSeveralServersHadAnAnswer) {
  DnsServer second;
  second.start();
  second.script("broken.test", {DnsReply::servfail()});
  dns.script("broken.test", {DnsReply::servfail()});
  ASSERT_TRUE(parse_nameservers(second.endpoint() + "," + dns.endpoint(), &options.nameservers).is_ok());
  make();
  LookupResult result = look_up("broken.test");
  EXPECT_EQ(result.status.code(), HC_E_DNS);
  EXPECT_FALSE(result.is_no_such_name);
  std::string asked = "; asked " + second.endpoint() + ", " + dns.endpoint();
  EXPECT_TRUE(text_of(result).ends_with(asked)) << text_of(result);
  EXPECT_GE(second.total() * dns.total(), 1U) << "both were asked";
}

TEST_F(AresResolverTest, LetsAnAnswerAskTheNextQuestion) {
  dns.script("*.test", {DnsReply::addresses({"10.0.0.1"})});
  Lookup second;
  resolver->lookup("first.test", Family::kAny,
                   [&](LookupResult) { resolver->lookup("second.test", Family::kAny, second.done()); });
  EXPECT_TRUE(loop.run_until([&] { return second.is_done; }));
}

// ---------------------------------------------------------------------------- two families

TEST_F(AresResolverTest, WaitsFiftyMillisecondsForASlowSecondFamily) {
  dns.script("slow6.test", DnsType::kA, {DnsReply::addresses({"10.0.0.1"})});
  dns.script("slow6.test", DnsType::kAaaa, {DnsReply::addresses({"2001:db8::1"}).delayed(3000ms)});
  dns.script("slow4.test", DnsType::kA, {DnsReply::addresses({"10.0.0.1"}).delayed(3000ms)});
  dns.script("slow4.test", DnsType::kAaaa, {DnsReply::addresses({"2001:db8::1"})});
  for (const auto& [host, expected] :
       {std::pair("slow6.test", "10.0.0.1"), std::pair("slow4.test", "2001:db8::1")}) {
    LookupResult result = look_up(host);
    EXPECT_EQ(text_of(result), expected);
    EXPECT_GE(elapsed, 50 * kMillisecond);
    EXPECT_LT(elapsed, 1500 * kMillisecond);
    EXPECT_EQ(result.ttl, kSecond) << "half an answer is not kept for long";
  }
}

TEST_F(AresResolverTest, TakesTheSecondFamilyWithinTheDelay) {
  dns.script("app.test", DnsType::kA, {DnsReply::addresses({"10.0.0.1"})});
  dns.script("app.test", DnsType::kAaaa, {DnsReply::addresses({"2001:db8::1"}).delayed(5ms)});
  loop.clock.stop();
  EXPECT_EQ(addresses_of("app.test"), "2001:db8::1 10.0.0.1");
}

TEST_F(AresResolverTest, WaitsForTheOtherFamilyWhileItHasNoAddress) {
  dns.script("app.test", DnsType::kA, {DnsReply::addresses({"10.0.0.1"}, 30).delayed(200ms)});
  dns.script("app.test", DnsType::kAaaa, {DnsReply::no_data()});
  LookupResult result = look_up("app.test");
  EXPECT_EQ(text_of(result), "10.0.0.1");
  EXPECT_EQ(result.ttl, 30 * kSecond);
}

TEST_F(AresResolverTest, DoesNotWaitAfterANegativeAnswer) {
  dns.script("app.test", {DnsReply::addresses({"10.0.0.1"})});
  // Several tries, for a busy machine may be late with any one of them.
  Duration fastest = kNever;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(addresses_of("app.test"), "10.0.0.1");
    fastest = std::min(fastest, elapsed);
  }
  EXPECT_LT(fastest, 50 * kMillisecond);
}

TEST_F(AresResolverTest, IsContentWithOneFamilyWhenTheOtherFails) {
  dns.script("app.test", DnsType::kA, {DnsReply::addresses({"10.0.0.1"})});
  dns.script("app.test", DnsType::kAaaa, {DnsReply::servfail()});
  EXPECT_EQ(addresses_of("app.test"), "10.0.0.1");
}

TEST_F(AresResolverTest, SurvivesAnAnswerAfterTheLookupWasDecided) {
  dns.script("app.test", DnsType::kA, {DnsReply::addresses({"10.0.0.1"})});
  dns.script("app.test", DnsType::kAaaa, {DnsReply::addresses({"2001:db8::1"}).delayed(1000ms)});
  EXPECT_EQ(addresses_of("app.test"), "10.0.0.1");
  loop.run_for(1100 * kMillisecond);
}

// ---------------------------------------------------------------------------- failures

TEST_F(AresResolverTest, TellsNoSuchName) {
  LookupResult result = look_up("missing.test");
  EXPECT_EQ(text_of(result), "no such name (NXDOMAIN)");
  EXPECT_EQ(result.status.code(), HC_E_DNS);
  EXPECT_EQ(result.status.native_domain(), HC_NATIVE_ARES);
  EXPECT_EQ(result.status.native_code(), ARES_ENOTFOUND);
  EXPECT_TRUE(result.is_no_such_name);
}

TEST_F(AresResolverTest, TellsANameWithoutAddresses) {
  dns.script("empty.test", {DnsReply::no_data()});
  LookupResult result = look_up("empty.test");
  EXPECT_EQ(text_of(result), "the name exists, but has no address (NODATA)");
  EXPECT_FALSE(result.is_no_such_name);
  EXPECT_EQ(addresses_of("empty.test", Family::kV6), "the name exists, but has no IPv6 address (NODATA)");
}

TEST_F(AresResolverTest, BelievesInNoSuchNameOnlyWhenBothFamiliesSayIt) {
  dns.script("odd.test", DnsType::kA, {DnsReply::nxdomain()});
  dns.script("odd.test", DnsType::kAaaa, {DnsReply::no_data()});
  EXPECT_FALSE(look_up("odd.test").is_no_such_name);
  dns.script("odd.test", DnsType::kAaaa, {DnsReply::servfail()});
  LookupResult result = look_up("odd.test");
  EXPECT_FALSE(result.is_no_such_name);
  EXPECT_EQ(result.status.native_code(), ARES_ESERVFAIL);
}

TEST_F(AresResolverTest, TellsAServerThatFailsOrRefuses) {
  dns.script("broken.test", {DnsReply::servfail()});
  dns.script("secret.test", {DnsReply::refused()});
  LookupResult broken = look_up("broken.test");
  EXPECT_EQ(text_of(broken), "the name server failed (SERVFAIL); asked " + dns.endpoint());
  EXPECT_EQ(broken.status.native_code(), ARES_ESERVFAIL);
  EXPECT_FALSE(broken.is_no_such_name);
  EXPECT_EQ(addresses_of("secret.test"),
            "the name server refused to answer (REFUSED); asked " + dns.endpoint());
}

TEST_F(AresResolverTest, TellsSilenceAfterItsTries) {
  options.timeout = 50 * kMillisecond;
  options.tries = 2;
  make();
  dns.script("silent.test", {DnsReply::silence()});
  LookupResult result = look_up("silent.test", Family::kV4);
  EXPECT_EQ(text_of(result), "no answer from the name server (timeout); asked " + dns.endpoint());
  EXPECT_EQ(result.status.native_code(), ARES_ETIMEOUT);
  EXPECT_EQ(dns.count("silent.test", DnsType::kA), 2U);
  EXPECT_GE(elapsed, 100 * kMillisecond);
}

TEST_F(AresResolverTest, TellsThatNoServerIsThere) {
  dns.stop();
  LookupResult result = look_up("app.test", Family::kV4);
  EXPECT_EQ(text_of(result), "no name server there (connection refused); asked " + dns.endpoint());
}

TEST_F(AresResolverTest, AsksTheNextServerWhenOneIsSilent) {
  DnsServer silent({.default_reply = DnsReply::silence()});
  silent.start();
  ASSERT_TRUE(parse_nameservers(silent.endpoint() + "," + dns.endpoint(), &options.nameservers).is_ok());
  options.timeout = 50 * kMillisecond;
  make();
  dns.script("app.test", {DnsReply::addresses({"10.0.0.1"})});
  EXPECT_EQ(addresses_of("app.test", Family::kV4), "10.0.0.1");
}

// ---------------------------------------------------------------------------- resolv.conf

TEST_F(AresResolverTest, FollowsChangesOfResolvConf) {
  DnsServer other({.address = "127.0.0.2", .port = dns.port()});
  other.start();
  dns.script("app.test", {DnsReply::addresses({"10.0.0.1"})});
  other.script("app.test", {DnsReply::addresses({"10.0.0.2"})});
  TemporaryFile resolv_conf("nameserver 127.0.0.1\n");
  make_with(resolv_conf);
  EXPECT_EQ(addresses_of("app.test", Family::kV4), "10.0.0.1");
  resolv_conf.write("nameserver 127.0.0.2\n");
  loop.clock.skip(kSecond);
  loop.run_for(0);
  EXPECT_EQ(addresses_of("app.test", Family::kV4), "10.0.0.2");
  EXPECT_EQ(resolver->channels_made(), 2U);
  EXPECT_EQ(resolver->channels_alive(), 1U);
}

TEST_F(AresResolverTest, FinishesOldQuestionsOnTheOldChannel) {
  TemporaryFile resolv_conf("nameserver 127.0.0.1\n");
  make_with(resolv_conf);
  dns.script("slow.test", {DnsReply::addresses({"10.0.0.1"}).delayed(200ms)});
  dns.script("app.test", {DnsReply::addresses({"10.0.0.2"})});
  Lookup slow;
  resolver->lookup("slow.test", Family::kV4, slow.done());
  ASSERT_TRUE(dns.wait_for_queries(1));
  resolv_conf.write("nameserver 127.0.0.1\noptions ndots:2\n");
  loop.clock.skip(kSecond);
  loop.run_for(0);
  EXPECT_EQ(addresses_of("app.test", Family::kV4), "10.0.0.2");
  EXPECT_EQ(resolver->channels_alive(), 2U);
  EXPECT_TRUE(loop.run_until([&] { return slow.is_done; }));
  EXPECT_EQ(text_of(slow.result), "10.0.0.1");
  EXPECT_TRUE(loop.run_until([&] { return resolver->channels_alive() == 1; }));
}

TEST_F(AresResolverTest, LooksAtResolvConfAtMostOnceASecond) {
  TemporaryFile resolv_conf("nameserver 127.0.0.1\n");
  make_with(resolv_conf);
  resolv_conf.write("nameserver 127.0.0.1\noptions ndots:2\n");
  look_up("a.test");
  EXPECT_EQ(resolver->channels_made(), 1U);
}

TEST_F(AresResolverTest, SearchesAsTheSystemDoes) {
  TemporaryFile resolv_conf("nameserver 127.0.0.1\nsearch corp.test lab.test\n");
  make_with(resolv_conf);
  dns.script("db.lab.test", {DnsReply::addresses({"10.0.0.1"})});
  EXPECT_EQ(addresses_of("db", Family::kV4), "10.0.0.1");
  EXPECT_EQ(dns.count("db.corp.test"), 1U);
}

TEST_F(AresResolverTest, DoesNotSearchWithNameserversOfItsOwn) {
  TemporaryFile resolv_conf("nameserver 127.0.0.1\nsearch corp.test\n");
  options.resolv_conf = resolv_conf.path();
  make();
  dns.script("db.corp.test", {DnsReply::addresses({"10.0.0.1"})});
  EXPECT_EQ(addresses_of("db"), "no such name (NXDOMAIN)");
  EXPECT_EQ(dns.count("db.corp.test"), 0U);
  EXPECT_EQ(dns.count("db"), 2U);
}

// ---------------------------------------------------------------------------- life

TEST_F(AresResolverTest, RecyclesAChannelAfterFiveLookupsInTrouble) {
  dns.script("broken.test", {DnsReply::servfail()});
  for (int i = 0; i < 4; ++i) look_up("broken.test");
  look_up("missing.test");
  for (int i = 0; i < 4; ++i) look_up("broken.test");
  EXPECT_EQ(resolver->channels_made(), 1U) << "an answer in between is a sign of life";
  look_up("broken.test");
  EXPECT_EQ(resolver->channels_made(), 2U);
}

TEST_F(AresResolverTest, KeepsNoDescriptorAndNoTimerBetweenLookups) {
  dns.script("app.test", {DnsReply::addresses({"10.0.0.1"})});
  size_t before = test::open_descriptors().size();
  look_up("app.test");
  EXPECT_EQ(test::open_descriptors().size(), before);
  EXPECT_TRUE(loop.reactor.timers().empty()) << "a loop without work sleeps without limit";
}

TEST_F(AresResolverTest, EndsWithoutAnAnswerToOpenQuestions) {
  size_t before = test::open_descriptors().size();
  dns.script("silent.test", {DnsReply::silence()});
  Lookup lookup;
  resolver->lookup("silent.test", Family::kAny, lookup.done());
  ASSERT_TRUE(dns.wait_for_queries(2));
  resolver.reset();
  loop.run_for(10 * kMillisecond);
  EXPECT_FALSE(lookup.is_done);
  EXPECT_EQ(test::open_descriptors().size(), before);
  EXPECT_TRUE(loop.reactor.timers().empty());
}

TEST_F(AresResolverTest, RefusesNamesThatCannotBeAsked) {
  LookupResult result = look_up(std::string(70, 'a') + ".test");
  EXPECT_EQ(result.status.code(), HC_E_DNS);
  EXPECT_FALSE(result.is_no_such_name);
}

}  // namespace
}  // namespace hc
