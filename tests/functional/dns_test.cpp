// Names to addresses through the C interface: what the DNS server is asked, and where connections go.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "serve/dead_ends.h"
#include "serve/dns_server.h"
#include "serve/http_server.h"
#include "support/client.h"
#include "support/process.h"

namespace hc::test {
namespace {

using serve::DnsReply;
using serve::DnsServer;
using serve::DnsType;
using serve::HttpServer;

class Dns : public testing::Test {
 protected:
  Dns() : server_(everywhere()) {
    server_.start();
    dns_.start();
    nameserver_ = dns_.endpoint();
  }

  static serve::HttpServerOptions everywhere() {
    serve::HttpServerOptions options;
    options.listeners[0].address = "0.0.0.0";
    return options;
  }
  std::string url(std::string_view host, std::string_view path = "/bytes/1") const {
    return "http://" + std::string(host) + ":" + std::to_string(server_.port()) + std::string(path);
  }
  /// Options with the embedded name server.
  SessionSetup with_dns(const SessionSetup& more = {}) {
    return [this, more](hc_session_options& o) {
      o.nameservers = str(nameserver_);
      if (more) more(o);
    };
  }
  static std::string address_of(const Outcome& outcome) { return text(outcome.info().remote_address); }

  HttpServer server_;
  DnsServer dns_;
  std::string nameserver_;
};

TEST_F(Dns, NamesAreAskedAtTheNameserversGiven) {
  dns_.script("app.test", {DnsReply::addresses({"127.0.0.5"})});
  Client client(with_dns());
  Outcome outcome = client.fetch(url("app.test"));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(address_of(outcome), "127.0.0.5");
  EXPECT_EQ(dns_.count("app.test", DnsType::kA), 1u);
  EXPECT_EQ(client.stats().dns_lookups, 1u);
}

TEST_F(Dns, TheNextNameserverIsAskedWhenOneIsDead) {
  dns_.script("app.test", {DnsReply::addresses({"127.0.0.5"})});
  serve::RefusedPort dead;
  std::string list = "127.0.0.1:" + std::to_string(dead.port()) + "," + nameserver_;
  Client client([&](hc_session_options& o) { o.nameservers = str(list); });
  EXPECT_TRUE(is(client.fetch(url("app.test")), HC_OK));
}

TEST_F(Dns, LiteralsAndLocalhostAskNobody) {
  Client client(with_dns());
  for (std::string_view host : {"127.0.0.1", "localhost", "LOCALHOST", "a.localhost", "localhost."}) {
    EXPECT_TRUE(is(client.fetch(url(host)), HC_OK)) << host;
  }
  EXPECT_EQ(dns_.total(), 0u);
}

TEST_F(Dns, ConcurrentLookupsAreOne) {
  dns_.script("app.test", {DnsReply::addresses({"127.0.0.5"}).delayed(milliseconds(200))});
  Client client(with_dns());
  for (int i = 0; i < 50; ++i) client.submit(url(i % 2 == 0 ? "app.test" : "APP.TEST"));
  for (const Outcome& outcome : client.collect(50)) EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(dns_.count("app.test", DnsType::kA), 1u);
  EXPECT_EQ(dns_.count("app.test", DnsType::kAaaa), 1u);
  EXPECT_EQ(client.stats().dns_lookups, 1u);
}

TEST_F(Dns, ACallersCancelDoesNotFailTheOthers) {
  dns_.script("app.test", {DnsReply::addresses({"127.0.0.5"}).delayed(milliseconds(1'000))});
  Client client(with_dns());
  hc_id first = client.submit(url("app.test"));
  hc_id second = client.submit(url("app.test"));
  ASSERT_TRUE(dns_.wait_for_queries(1));
  client.cancel(first);
  EXPECT_TRUE(is(client.wait(first), HC_E_CANCELLED, HC_PHASE_RESOLVING));
  EXPECT_TRUE(is(client.wait(second), HC_OK));
  EXPECT_EQ(dns_.count("app.test", DnsType::kA), 1u);
}

TEST_F(Dns, OnlyNewConnectionsNeedAName) {
  dns_.script("app.test", {DnsReply::addresses({"127.0.0.5"})});
  Client client(with_dns([](hc_session_options& o) { o.ttl_dns_cache_ms = 0; }));
  for (int i = 0; i < 20; ++i) client.fetch(url("app.test"));
  EXPECT_EQ(dns_.count("app.test", DnsType::kA), 1u);
}

TEST_F(Dns, AnswersAreCachedForTheirTtl) {
  dns_.script("brief.test", {DnsReply::addresses({"127.0.0.5"}, 1)});
  Client client(with_dns([](hc_session_options& o) { o.keepalive_timeout_ms = 0; }));
  Stopwatch watch;
  client.fetch(url("brief.test"));
  uint64_t asked = dns_.count("brief.test", DnsType::kA);
  ASSERT_EQ(asked, 1u);
  while (dns_.count("brief.test", DnsType::kA) == 1 && watch.elapsed() < kMustHappen) {
    client.fetch(url("brief.test", "/delay/20"));
  }
  EXPECT_GE(watch.elapsed(), milliseconds(1'000));
  EXPECT_EQ(dns_.count("brief.test", DnsType::kA), 2u);
  EXPECT_GT(client.stats().dns_cache_hits, 0u);
}

TEST_F(Dns, TtlDnsCacheIsAnUpperBound) {
  dns_.script("long.test", {DnsReply::addresses({"127.0.0.5"}, 3600)});
  Client client(with_dns([](hc_session_options& o) {
    o.keepalive_timeout_ms = 0;
    o.ttl_dns_cache_ms = 1'000;
  }));
  client.fetch(url("long.test"));
  client.fetch(url("long.test"));
  EXPECT_EQ(dns_.count("long.test", DnsType::kA), 1u);
  client.fetch(url("127.0.0.1", "/delay/1100"));
  client.fetch(url("long.test"));
  EXPECT_EQ(dns_.count("long.test", DnsType::kA), 2u);
}

TEST_F(Dns, CachingCanBeSwitchedOff) {
  dns_.script("app.test", {DnsReply::addresses({"127.0.0.5"})});
  for (bool by_flag : {true, false}) {
    Client client(with_dns([=](hc_session_options& o) {
      o.keepalive_timeout_ms = 0;
      if (by_flag) {
        o.use_dns_cache = HC_OFF;
      } else {
        o.ttl_dns_cache_ms = 0;
      }
    }));
    dns_.reset_counters();
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(is(client.fetch(url("app.test")), HC_OK));
    EXPECT_EQ(dns_.count("app.test", DnsType::kA), 5u) << by_flag;
    EXPECT_EQ(client.stats().dns_cache_hits, 0u);
  }
}

TEST_F(Dns, ConnectionsRotateOverTheAddresses) {
  dns_.script("many.test", {DnsReply::addresses({"127.0.0.1", "127.0.0.2", "127.0.0.3"})});
  Client client(with_dns([](hc_session_options& o) { o.keepalive_timeout_ms = 0; }));
  std::map<std::string, int> uses;
  std::string last;
  for (int i = 0; i < 9; ++i) {
    Outcome outcome = client.fetch(url("many.test"));
    ASSERT_TRUE(is(outcome, HC_OK));
    EXPECT_NE(address_of(outcome), last);
    last = address_of(outcome);
    ++uses[last];
  }
  EXPECT_EQ(uses, (std::map<std::string, int>{{"127.0.0.1", 3}, {"127.0.0.2", 3}, {"127.0.0.3", 3}}));
  EXPECT_EQ(dns_.count("many.test", DnsType::kA), 1u);
}

TEST_F(Dns, NoSuchNameIsRememberedForAMoment) {
  dns_.script("gone.test", {DnsReply::nxdomain(), DnsReply::addresses({"127.0.0.1"})});
  Client client(with_dns([](hc_session_options& o) { o.dns_negative_ttl_ms = 1'000; }));
  Outcome outcome = client.fetch(url("gone.test"));
  EXPECT_TRUE(is(outcome, HC_E_DNS, HC_PHASE_RESOLVING));
  EXPECT_NE(outcome.message().find("gone.test"), std::string::npos) << outcome.message();
  EXPECT_EQ(outcome.error().native_domain, HC_NATIVE_ARES);
  EXPECT_TRUE(is(client.fetch(url("gone.test")), HC_E_DNS));
  EXPECT_EQ(dns_.count("gone.test", DnsType::kA), 1u);
  client.fetch(url("127.0.0.1", "/delay/1100"));
  EXPECT_TRUE(is(client.fetch(url("gone.test")), HC_OK));
}

TEST_F(Dns, ServerFailuresAreNotRemembered) {
  dns_.script("flaky.test", {DnsReply::servfail()});
  Client client(with_dns());
  EXPECT_TRUE(is(client.fetch(url("flaky.test")), HC_E_DNS, HC_PHASE_RESOLVING));
  dns_.script("flaky.test", {DnsReply::addresses({"127.0.0.1"})});
  EXPECT_TRUE(is(client.fetch(url("flaky.test")), HC_OK));
}

TEST_F(Dns, ANameWithoutAddressesIsAnError) {
  dns_.script("empty.test", {DnsReply::no_data()});
  Client client(with_dns());
  EXPECT_TRUE(is(client.fetch(url("empty.test")), HC_E_DNS, HC_PHASE_RESOLVING));
}

TEST_F(Dns, SilenceIsEndedByTheDnsClockAndIsNotRemembered) {
  dns_.script("silent.test", {DnsReply::silence()});
  Client client(with_dns([](hc_session_options& o) { o.timeouts.dns_ms = 200; }));
  EXPECT_TRUE(is(client.fetch(url("silent.test")), HC_E_TIMEOUT_DNS, HC_PHASE_RESOLVING));
}

TEST_F(Dns, FortyAddressesOverTcp) {
  std::vector<std::string> addresses;
  for (int i = 1; i <= 40; ++i) addresses.push_back(loopback(i));
  dns_.script("forty.test", {DnsReply::addresses(addresses).truncated()});
  Client client(with_dns());
  EXPECT_TRUE(is(client.fetch(url("forty.test")), HC_OK));
  EXPECT_GE(dns_.total_over_tcp(), 1u);
}

TEST_F(Dns, AnAliasIsFollowed) {
  dns_.script("alias.test", {DnsReply::alias("real.test")});
  dns_.script("real.test", {DnsReply::addresses({"127.0.0.7"})});
  Client client(with_dns());
  EXPECT_EQ(address_of(client.fetch(url("alias.test"))), "127.0.0.7");
}

TEST_F(Dns, StaleAnswersServeWhenAskedFor) {
  dns_.script("app.test", {DnsReply::addresses({"127.0.0.5"}, 1), DnsReply::silence()});
  Client client(with_dns([](hc_session_options& o) {
    o.keepalive_timeout_ms = 0;
    o.ttl_dns_cache_ms = 200;
    o.dns_stale_ttl_ms = 60'000;
  }));
  client.fetch(url("app.test"));
  client.fetch(url("127.0.0.1", "/delay/300"));
  Stopwatch watch;
  EXPECT_EQ(address_of(client.fetch(url("app.test"))), "127.0.0.5");
  EXPECT_LT(watch.elapsed(), milliseconds(1'500)) << "it did not wait for the server";
  EXPECT_TRUE(eventually([&] { return dns_.count("app.test", DnsType::kA) >= 2; })) << "a refresh runs";
}

TEST_F(Dns, FamilyIsObeyed) {
  dns_.script("both.test", {DnsReply::addresses({"127.0.0.5", "::1"})});
  Client v4(with_dns([](hc_session_options& o) { o.family = HC_FAMILY_V4; }));
  EXPECT_EQ(address_of(v4.fetch(url("both.test"))), "127.0.0.5");
  EXPECT_EQ(dns_.count("both.test", DnsType::kAaaa), 0u);
  Client v6(with_dns([](hc_session_options& o) { o.family = HC_FAMILY_V6; }));
  EXPECT_TRUE(is(v6.fetch(url("127.0.0.1")), HC_E_DNS));
}

TEST_F(Dns, OverridesGoBeforeEverything) {
  Client client(with_dns());
  hc_str five = HC_STR("127.0.0.5");
  hc_str six = HC_STR("127.0.0.6");
  ASSERT_EQ(hc_session_resolve_add(client.get(), HC_STR("app.test"), 0, &five, 1, nullptr), HC_OK);
  EXPECT_EQ(address_of(client.fetch(url("app.test"))), "127.0.0.5");
  ASSERT_EQ(hc_session_resolve_add(client.get(), HC_STR("APP.test"), server_.port(), &six, 1, nullptr),
            HC_OK);
  auto fresh = [](hc_request& r) { r.force_close = HC_ON; };
  client.fetch(url("app.test"), fresh);
  EXPECT_EQ(address_of(client.fetch(url("app.test"), fresh)), "127.0.0.6");
  EXPECT_EQ(dns_.total(), 0u);
  ASSERT_EQ(hc_session_dns_clear(client.get(), hc_str{}), HC_OK);
  EXPECT_EQ(address_of(client.fetch(url("app.test"), fresh)), "127.0.0.6")
      << "clear forgets answers, not overrides";
  ASSERT_EQ(hc_session_resolve_add(client.get(), HC_STR("app.test"), server_.port(), nullptr, 0, nullptr),
            HC_OK);
  ASSERT_EQ(hc_session_resolve_add(client.get(), HC_STR("app.test"), 0, nullptr, 0, nullptr), HC_OK);
  EXPECT_TRUE(is(client.fetch(url("app.test"), fresh), HC_E_DNS));
  EXPECT_GT(dns_.total(), 0u);
}

TEST_F(Dns, OverridesOfLiteralsMayHaveBrackets) {
  hc_str five = HC_STR("127.0.0.5");
  for (std::string_view host : {"[::1]", "::1", "[0::1]"}) {
    Client client;
    ASSERT_EQ(hc_session_resolve_add(client.get(), str(host), 0, &five, 1, nullptr), HC_OK) << host;
    EXPECT_EQ(address_of(client.fetch(url("[::1]"))), "127.0.0.5") << host;
  }
}

TEST_F(Dns, ClearForgetsAnswers) {
  dns_.script("app.test", {DnsReply::addresses({"127.0.0.1"})});
  dns_.script("other.test", {DnsReply::addresses({"127.0.0.1"})});
  Client client(with_dns([](hc_session_options& o) { o.keepalive_timeout_ms = 0; }));
  for (std::string_view host : {"app.test", "other.test"}) client.fetch(url(host));
  ASSERT_EQ(hc_session_dns_clear(client.get(), HC_STR("app.test")), HC_OK);
  for (std::string_view host : {"app.test", "other.test"}) client.fetch(url(host));
  EXPECT_EQ(dns_.count("app.test", DnsType::kA), 2u);
  EXPECT_EQ(dns_.count("other.test", DnsType::kA), 1u);
  ASSERT_EQ(hc_session_dns_clear(client.get(), hc_str{}), HC_OK);
  client.fetch(url("other.test"));
  EXPECT_EQ(dns_.count("other.test", DnsType::kA), 2u);
}

TEST_F(Dns, ARequestMayBringItsAddresses) {
  Client client(with_dns());
  hc_str address = HC_STR("127.0.0.8");
  Outcome outcome = client.fetch(url("nowhere.test", "/echo/head"), [&](hc_request& r) {
    r.addresses = &address;
    r.address_count = 1;
  });
  EXPECT_EQ(address_of(outcome), "127.0.0.8");
  EXPECT_NE(outcome.body.find("Host: nowhere.test:"), std::string::npos);
  EXPECT_EQ(dns_.total(), 0u);
}

// libcurl's own resolver would start a thread for each lookup.
// Name servers are asked over sockets, too: without a descriptor for one the request waits, as it does for its own.
TEST_F(Dns, NoDescriptorForANameServerIsNotTheCallersError) {
  if (!is_child()) {
    dns_.set_default(DnsReply::addresses({"127.0.0.1"}));
    ChildResult child =
        run_this_test_in_child(64, {{"HC_TEST_URL", url("app.test")}, {"HC_TEST_DNS", nameserver_}});
    EXPECT_EQ(child.exit_code, 0) << child.output;
    EXPECT_GE(dns_.count("app.test", DnsType::kA), 1u);
    return;
  }
  server_.stop();
  dns_.stop();
  nameserver_ = std::getenv("HC_TEST_DNS");
  Client client(with_dns());
  std::vector<int> taken;
  for (int fd = dup(0); fd >= 0; fd = dup(0)) taken.push_back(fd);
  ASSERT_FALSE(taken.empty());
  client.submit(std::getenv("HC_TEST_URL"));
  ASSERT_TRUE(client.stats_become([](const hc_stats& s) { return s.dns_lookups >= 3; }));
  EXPECT_EQ(client.stats().in_flight, 1u);
  for (int fd : taken) close(fd);
  EXPECT_TRUE(is(client.collect(1).front(), HC_OK));
}

TEST_F(Dns, LibcurlNeverResolves) {
  dns_.set_default(DnsReply::addresses({"127.0.0.1"}).delayed(milliseconds(150)));
  Client client(with_dns());
  size_t threads = thread_count();
  for (int i = 0; i < 40; ++i) client.submit(url("host" + std::to_string(i) + ".test"));
  size_t most = 0;
  EXPECT_TRUE(eventually([&] {
    most = std::max(most, thread_count());
    return client.stats().in_flight == 0;
  }));
  for (const Outcome& outcome : client.collect(40)) EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(most, threads);
  // A dead idle connection is where libcurl would resolve behind our back (F10).
  server_.end_idle_connections(serve::Ending::kCloseNow);
  for (int i = 0; i < 40; ++i) client.submit(url("host" + std::to_string(i) + ".test"));
  EXPECT_TRUE(eventually([&] {
    most = std::max(most, thread_count());
    return client.stats().in_flight == 0;
  }));
  for (const Outcome& outcome : client.collect(40)) EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(most, threads);
}

}  // namespace
}  // namespace hc::test
