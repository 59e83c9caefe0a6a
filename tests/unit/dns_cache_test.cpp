#include "model/dns_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hc {
namespace {

IpAddress address(const std::string& text) { return IpAddress::parse(text).value(); }

std::vector<IpAddress> addresses(const std::vector<std::string>& texts) {
  std::vector<IpAddress> out;
  for (const std::string& text : texts) out.push_back(address(text));
  return out;
}

std::string text_of(const std::vector<IpAddress>& addresses) {
  std::string out;
  for (const IpAddress& address : addresses) out += (out.empty() ? "" : " ") + address.to_string();
  return out;
}

void store(DnsCache& cache, const std::string& host, Duration record_ttl, TimePoint now,
           const std::vector<std::string>& texts = {"10.0.0.1"}) {
  cache.store(host, cache.make_ring(host, addresses(texts)), record_ttl, now);
}

std::string take(DnsCache& cache, const std::string& host, TimePoint now) {
  std::optional<CachedAnswer> answer = cache.take(host, now);
  return answer ? text_of(answer->addresses) : "nothing";
}

// The last nanosecond at which the answer stored at 0 may be used, plus one.
TimePoint life_of(const DnsCacheOptions& options, Duration record_ttl) {
  DnsCache cache(options);
  store(cache, "a", record_ttl, 0);
  for (TimePoint end : {TimePoint{0}, kSecond / 2, kSecond, 5 * kSecond, 10 * kSecond}) {
    if (!cache.take("a", end)) return end;
  }
  return kNever;
}

TEST(AddressRing, StartsAtTheNextAddressEachTime) {
  AddressRing ring(addresses({"10.0.0.1", "10.0.0.2", "10.0.0.3"}));
  EXPECT_EQ(text_of(ring.take()), "10.0.0.1 10.0.0.2 10.0.0.3");
  EXPECT_EQ(text_of(ring.take()), "10.0.0.2 10.0.0.3 10.0.0.1");
  EXPECT_EQ(text_of(ring.take()), "10.0.0.3 10.0.0.1 10.0.0.2");
  EXPECT_EQ(text_of(ring.take()), "10.0.0.1 10.0.0.2 10.0.0.3");
}

TEST(AddressRing, OfNothingGivesNothing) {
  AddressRing ring({});
  EXPECT_TRUE(ring.take().empty());
}

TEST(DnsCache, UsesTheShorterOfRecordAndOption) {
  EXPECT_EQ(life_of({.ttl = 10 * kSecond}, 5 * kSecond), 5 * kSecond);
  EXPECT_EQ(life_of({.ttl = 5 * kSecond}, 300 * kSecond), 5 * kSecond);
}

TEST(DnsCache, KeepsAnAnswerForAtLeastASecondUnlessTheOptionIsShorter) {
  EXPECT_EQ(life_of({.ttl = 10 * kSecond}, 0), kSecond);
  EXPECT_EQ(life_of({.ttl = kSecond / 2}, 0), kSecond / 2);
}

TEST(DnsCache, UsesTheOptionWhenTheSourceKnowsNoTtl) {
  EXPECT_EQ(life_of({.ttl = 10 * kSecond}, kNever), 10 * kSecond);
}

TEST(DnsCache, NeverExpiresWhenTheOptionSaysSo) {
  EXPECT_EQ(life_of({.ttl = kNever}, kSecond), kNever);
  DnsCache cache({.ttl = kNever});
  store(cache, "a", kSecond, 0);
  EXPECT_EQ(take(cache, "a", kNever - 1), "10.0.0.1");
}

TEST(DnsCache, KeepsNothingWithTtlOrCapacityZero) {
  EXPECT_EQ(life_of({.ttl = 0}, 5 * kSecond), 0);
  EXPECT_EQ(life_of({.capacity = 0}, 5 * kSecond), 0);
  DnsCache cache({.ttl = 0});
  cache.store_failure("a", Status(HC_E_DNS, "no"), 0);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(DnsCache, ServesStaleAnswersWithinTheirWindowAndAsksForARefresh) {
  DnsCache cache({.ttl = 10 * kSecond, .stale_ttl = 5 * kSecond});
  store(cache, "a", kNever, 0);
  EXPECT_FALSE(cache.take("a", 10 * kSecond - 1)->wants_refresh);
  EXPECT_TRUE(cache.take("a", 10 * kSecond)->wants_refresh);
  EXPECT_EQ(take(cache, "a", 15 * kSecond - 1), "10.0.0.1");
  EXPECT_EQ(take(cache, "a", 15 * kSecond), "nothing");
}

TEST(DnsCache, WaitsAfterAFailedRefresh) {
  DnsCache cache({.ttl = 10 * kSecond, .stale_ttl = 60 * kSecond});
  store(cache, "a", kNever, 0);
  cache.defer_refresh("a", 13 * kSecond);
  EXPECT_FALSE(cache.take("a", 12 * kSecond)->wants_refresh);
  EXPECT_TRUE(cache.take("a", 13 * kSecond)->wants_refresh);
  cache.defer_refresh("unknown", 13 * kSecond);
}

TEST(DnsCache, RemembersNoSuchNameForItsOwnTime) {
  DnsCache cache({.stale_ttl = 60 * kSecond, .negative_ttl = 2 * kSecond});
  cache.store_failure("a", Status(HC_E_DNS, "no such name"), 0);
  EXPECT_EQ(cache.take("a", 2 * kSecond - 1)->status.message(), "no such name");
  EXPECT_FALSE(cache.take("a", 2 * kSecond)) << "the stale window is for answers";
}

TEST(DnsCache, LetsNoSuchNameReplaceAStaleAnswer) {
  DnsCache cache({.stale_ttl = 60 * kSecond});
  store(cache, "a", kNever, 0);
  cache.store_failure("a", Status(HC_E_DNS, "no such name"), 11 * kSecond);
  EXPECT_EQ(cache.take("a", 11 * kSecond)->status.code(), HC_E_DNS);
  EXPECT_EQ(take(cache, "a", 13 * kSecond), "nothing");
}

TEST(DnsCache, DropsTheAnswerWhenNoSuchNameIsNotToBeRemembered) {
  DnsCache cache({.stale_ttl = 60 * kSecond, .negative_ttl = 0});
  store(cache, "a", kNever, 0);
  cache.store_failure("a", Status(HC_E_DNS, "no such name"), 11 * kSecond);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(DnsCache, GoesOnRotatingAfterAnAnswerExpired) {
  DnsCache cache({.ttl = kSecond});
  for (const char* expected : {"10.0.0.1 10.0.0.2", "10.0.0.2 10.0.0.1", "10.0.0.1 10.0.0.2"}) {
    static TimePoint now = 0;
    now += 2 * kSecond;
    EXPECT_EQ(take(cache, "a", now), "nothing");
    store(cache, "a", kSecond, now, {"10.0.0.1", "10.0.0.2"});
    EXPECT_EQ(take(cache, "a", now), expected);
  }
}

TEST(DnsCache, ForgetsTheLeastRecentlyUsedName) {
  DnsCache cache({.capacity = 2});
  store(cache, "a", kNever, 0);
  store(cache, "b", kNever, 0);
  EXPECT_NE(take(cache, "a", 1), "nothing");
  store(cache, "c", kNever, 2);
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(take(cache, "b", 3), "nothing");
  EXPECT_NE(take(cache, "a", 3), "nothing");
  EXPECT_NE(take(cache, "c", 3), "nothing");
}

TEST(DnsCache, ErasesOneOrAll) {
  DnsCache cache({});
  store(cache, "a", kNever, 0);
  store(cache, "b", kNever, 0);
  cache.erase("a");
  cache.erase("unknown");
  EXPECT_EQ(take(cache, "a", 1), "nothing");
  EXPECT_NE(take(cache, "b", 1), "nothing");
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
}

TEST(DnsCache, StaysWithinItsCapacityOverAHundredThousandNames) {
  DnsCache cache({.capacity = 1000});
  for (int i = 0; i < 100'000; ++i) store(cache, "host" + std::to_string(i), kNever, i);
  EXPECT_EQ(cache.size(), 1000U);
  EXPECT_EQ(take(cache, "host98999", 100'000), "nothing");
  EXPECT_NE(take(cache, "host99000", 100'000), "nothing");
}

}  // namespace
}  // namespace hc
