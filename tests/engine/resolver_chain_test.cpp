#include "adapter/resolver_chain.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "adapter/hosts_file.h"
#include "adapter/nss_config.h"
#include "engine/resolver_loop.h"
#include "model/text.h"
#include "serve/dns_server.h"
#include "support/no_descriptors.h"

namespace hc {
namespace {

using serve::DnsReply;
using serve::DnsServer;
using test::NoDescriptors;

std::vector<IpAddress> addresses(const std::vector<std::string>& texts) {
  std::vector<IpAddress> out;
  for (const std::string& text : texts) out.push_back(IpAddress::parse(text).value());
  return out;
}

/// What the system answers: 10.0.2.1 for known names.
class FakeSystem {
 public:
  explicit FakeSystem(std::vector<std::string> known) : known_(std::move(known)) {}
  LookupResult look_up(const std::string& host, Family) {
    std::lock_guard lock(mutex_);
    asked_.push_back(host);
    LookupResult result;
    if (std::find(known_.begin(), known_.end(), host) != known_.end()) {
      result.addresses = addresses({"10.0.2.1"});
    } else {
      result.status = Status(HC_E_DNS, "Name or service not known (getaddrinfo)");
      result.is_no_such_name = true;
    }
    return result;
  }
  std::vector<std::string> asked() {
    std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  const std::vector<std::string> known_;
  std::vector<std::string> asked_;
};

class ResolverChainTest : public testing::Test {
 protected:
  void SetUp() override {
    dns.start();
    dns.script("app.test", {DnsReply::addresses({"10.0.1.1"})});
    dns.script("redis", {DnsReply::addresses({"10.0.1.2"})});
    options.hosts_file = hosts.path();
    options.nsswitch_conf = nsswitch.path();
    options.resolv_conf = resolv_conf.path();
    options.port = dns.port();
    options.system.blocking_lookup = [system = system](const std::string& host, Family family) {
      return system->look_up(host, family);
    };
  }
  void make() {
    Status status;
    resolver = make_resolver(loop.reactor, options, loop.post(), &status);
    ASSERT_TRUE(status.is_ok()) << status.message();
  }
  LookupResult look_up(const std::string& host, Family family = Family::kAny) {
    if (resolver == nullptr) make();
    Lookup lookup;
    resolver->lookup(host, family, lookup.done());
    EXPECT_FALSE(lookup.is_done) << "answered before lookup() returned";
    EXPECT_TRUE(loop.run_until([&] { return lookup.is_done; })) << host;
    return lookup.result;
  }
  std::string addresses_of(const std::string& host, Family family = Family::kAny) {
    return text_of(look_up(host, family));
  }

  ResolverLoop loop;
  DnsServer dns;
  TemporaryFile hosts{"10.0.0.1 box.test box\n"};
  TemporaryFile nsswitch{"hosts: files dns\n"};
  TemporaryFile resolv_conf{"nameserver 127.0.0.1\n"};
  std::shared_ptr<FakeSystem> system = std::make_shared<FakeSystem>(
      std::vector<std::string>{"printer.local", "ldap.test", "laptop", "app.test"});
  ResolverOptions options;
  std::unique_ptr<Resolver> resolver;
};

// ---------------------------------------------------------------------------- configuration files

TEST(HostsFile, CollectsAllLinesOfAName) {
  TemporaryFile file("# comment\n"
                     "10.0.0.1\tApp.Test app  alias # more\n"
                     "  2001:db8::1 app.test.\r\n"
                     "10.0.0.1 app.test\n"
                     "not-an-address app.test\n"
                     "10.0.0.9\n"
                     "#10.0.0.8 app.test\n"
                     "10.0.0.2 app.test");
  HostsFile hosts(file.path());
  EXPECT_EQ(hosts.find("app.test", Family::kAny, 0), addresses({"10.0.0.1", "2001:db8::1", "10.0.0.2"}));
  EXPECT_EQ(hosts.find("app.test", Family::kV6, 0), addresses({"2001:db8::1"}));
  EXPECT_EQ(hosts.find("alias", Family::kAny, 0), addresses({"10.0.0.1"}));
  EXPECT_TRUE(hosts.find("more", Family::kAny, 0).empty());
}

TEST(HostsFile, FollowsChangesWithinASecond) {
  TemporaryFile file("10.0.0.1 app.test\n");
  HostsFile hosts(file.path());
  EXPECT_EQ(hosts.find("app.test", Family::kAny, 0), addresses({"10.0.0.1"}));
  file.write("10.0.0.2 app.test\n");
  EXPECT_EQ(hosts.find("app.test", Family::kAny, kSecond - 1), addresses({"10.0.0.1"}));
  EXPECT_EQ(hosts.find("app.test", Family::kAny, kSecond), addresses({"10.0.0.2"}));
}

TEST(HostsFile, ToleratesThatThereIsNone) {
  HostsFile hosts("/nonexistent/hosts");
  EXPECT_TRUE(hosts.find("app.test", Family::kAny, 0).empty());
}

TEST(NssConfig, KnowsWhichSourcesAreCovered) {
  struct Case {
    const char* content;
    bool has_other_sources;
  };
  for (const Case& item :
       {Case{"hosts: files dns\n", false}, Case{"hosts:\tfiles myhostname dns # ldap\n", false},
        Case{"hosts: files mdns4_minimal [NOTFOUND=return] dns\n", false},
        Case{"hosts: files [ !UNAVAIL = return ] dns\n", false}, Case{"#hosts: ldap\npasswd: ldap\n", false},
        Case{"", false}, Case{"hosts: files ldap dns\n", true},
        Case{"passwd: files\nhosts: mymachines resolve [!UNAVAIL=return] files dns\n", true}}) {
    TemporaryFile file(item.content);
    EXPECT_EQ(NssConfig(file.path()).has_other_sources(0), item.has_other_sources) << item.content;
  }
  EXPECT_FALSE(NssConfig("/nonexistent/nsswitch.conf").has_other_sources(0));
}

// ---------------------------------------------------------------------------- who is asked

TEST_F(ResolverChainTest, LooksIntoTheHostsFileFirst) {
  dns.script("box.test", {DnsReply::addresses({"10.0.1.9"})});
  LookupResult result = look_up("box.test");
  EXPECT_EQ(text_of(result), "10.0.0.1");
  EXPECT_EQ(result.ttl, kNever);
  EXPECT_EQ(addresses_of("box"), "10.0.0.1");
  EXPECT_EQ(dns.total(), 0U);
}

TEST_F(ResolverChainTest, AHostsFileThatCannotBeOpenedNowIsReadLater) {
  TimePoint now = 10 * kSecond;
  HostsFile file(hosts.path());
  {
    NoDescriptors none;
    EXPECT_TRUE(file.find("box.test", Family::kAny, now).empty());
  }
  EXPECT_EQ(file.find("box.test", Family::kAny, now + 2 * kSecond), addresses({"10.0.0.1"}));
  hosts.write("10.0.0.77 box.test\n");
  NoDescriptors none;
  EXPECT_EQ(file.find("box.test", Family::kAny, now + 4 * kSecond), addresses({"10.0.0.1"}))
      << "what was read stands";
}

TEST_F(ResolverChainTest, AsksFurtherWhenTheHostsFileHasOnlyTheOtherFamily) {
  dns.script("box.test", {DnsReply::addresses({"2001:db8::9"})});
  EXPECT_EQ(addresses_of("box.test", Family::kV6), "2001:db8::9");
}

TEST_F(ResolverChainTest, AsksNameServersForOrdinaryNames) {
  EXPECT_EQ(addresses_of("app.test"), "10.0.1.1");
  EXPECT_EQ(addresses_of("missing.test"), "no such name (NXDOMAIN)");
  EXPECT_TRUE(system->asked().empty());
}

TEST_F(ResolverChainTest, AsksTheSystemForDotLocal) {
  EXPECT_EQ(addresses_of("printer.local"), "10.0.2.1");
  EXPECT_EQ(addresses_of("nobody.local"), "Name or service not known (getaddrinfo)");
  EXPECT_EQ(dns.total(), 0U);
}

TEST_F(ResolverChainTest, AsksTheSystemForSingleLabelsThatNoServerKnows) {
  EXPECT_EQ(addresses_of("redis"), "10.0.1.2");
  EXPECT_TRUE(system->asked().empty());
  EXPECT_EQ(addresses_of("laptop"), "10.0.2.1");
  LookupResult nobody = look_up("nobody");
  EXPECT_EQ(text_of(nobody), "no such name (NXDOMAIN)");
  EXPECT_TRUE(nobody.is_no_such_name);
}

TEST_F(ResolverChainTest, AsksTheSystemForAnyNameWhenNssKnowsMore) {
  EXPECT_EQ(addresses_of("ldap.test"), "no such name (NXDOMAIN)");
  nsswitch.write("hosts: files dns ldap\n");
  loop.clock.skip(kSecond);
  loop.run_for(0);
  EXPECT_EQ(addresses_of("ldap.test"), "10.0.2.1");
  EXPECT_EQ(addresses_of("app.test"), "10.0.1.1");
  EXPECT_EQ(system->asked(), std::vector<std::string>{"ldap.test"});
}

TEST_F(ResolverChainTest, AsksTheSystemWhenNssKnowsMoreAndThereIsNoNameServer) {
  nsswitch.write("hosts: files resolve\n");
  dns.stop();
  EXPECT_EQ(addresses_of("app.test", Family::kV4), "10.0.2.1");
}

TEST_F(ResolverChainTest, DoesNotAskTheSystemWhenAServerFails) {
  nsswitch.write("hosts: files dns ldap\n");
  dns.script("ldap.test", {DnsReply::servfail()});
  EXPECT_NE(addresses_of("ldap.test").find("SERVFAIL"), std::string::npos);
  EXPECT_TRUE(system->asked().empty());
}

TEST_F(ResolverChainTest, AsksGivenNameserversOnlyAndTheHostsFile) {
  options.nameservers = dns.endpoint();
  options.resolv_conf = "/nonexistent/resolv.conf";
  nsswitch.write("hosts: files dns ldap\n");
  dns.script("printer.local", {DnsReply::addresses({"10.0.1.3"})});
  EXPECT_EQ(addresses_of("printer.local"), "10.0.1.3");
  EXPECT_EQ(addresses_of("box.test"), "10.0.0.1");
  EXPECT_EQ(addresses_of("ldap.test"), "no such name (NXDOMAIN)");
  EXPECT_EQ(addresses_of("laptop"), "no such name (NXDOMAIN)");
  EXPECT_TRUE(system->asked().empty());
}

TEST_F(ResolverChainTest, RefusesBadNameservers) {
  options.nameservers = "127.0.0.1:53,ns.test";
  Status status;
  EXPECT_EQ(make_resolver(loop.reactor, options, loop.post(), &status), nullptr);
  EXPECT_EQ(status.code(), HC_E_INVALID);
  EXPECT_EQ(status.message(), "nameservers: \"ns.test\" is not an address like 127.0.0.1:53 or [::1]:53");
}

// ---------------------------------------------------------------------------- the hook

class HookTest : public ResolverChainTest {
 protected:
  void SetUp() override {
    ResolverChainTest::SetUp();
    options.hook = [this](uint64_t query, std::string_view host, Family) {
      asked_host = host;
      last_query = query;
      return on_query ? on_query(query) : reply;
    };
  }
  void TearDown() override {
    resolver.reset();
    EXPECT_EQ(open_hook_queries(), 0U);
  }

  hc_status reply = HC_OK;
  std::function<hc_status(uint64_t)> on_query;
  std::string asked_host;
  uint64_t last_query = 0;
};

TEST_F(HookTest, GoesBeforeEverything) {
  on_query = [](uint64_t query) {
    EXPECT_TRUE(answer_hook_query(query, addresses({"10.9.0.1", "2001:db8::9"}), 5 * kSecond).is_ok());
    return HC_OK;
  };
  LookupResult result = look_up("box.test");
  EXPECT_EQ(text_of(result), "10.9.0.1 2001:db8::9");
  EXPECT_EQ(result.ttl, 5 * kSecond);
  EXPECT_EQ(asked_host, "box.test");
}

TEST_F(HookTest, LeavesWhatItPassesToTheOthers) {
  reply = HC_RESOLVE_PASS;
  EXPECT_EQ(addresses_of("box.test"), "10.0.0.1");
  EXPECT_EQ(addresses_of("app.test"), "10.0.1.1");
  EXPECT_EQ(open_hook_queries(), 0U);
}

TEST_F(HookTest, FailsWhatItRefuses) {
  reply = HC_E_SYSTEM;
  LookupResult result = look_up("app.test");
  EXPECT_EQ(result.status.code(), HC_E_CALLBACK);
  EXPECT_EQ(text_of(result), "the resolver callback refused with -11");
}

TEST_F(HookTest, MayAnswerLaterFromAnyThread) {
  make();
  Lookup lookup;
  resolver->lookup("app.test", Family::kAny, lookup.done());
  std::thread other(
      [this] { EXPECT_TRUE(answer_hook_query(last_query, addresses({"10.9.0.1"}), kNever).is_ok()); });
  EXPECT_TRUE(loop.run_until([&] { return lookup.is_done; }));
  other.join();
  EXPECT_EQ(text_of(lookup.result), "10.9.0.1");
}

TEST_F(HookTest, MayGiveUp) {
  make();
  for (const char* reason : {"", "no route to the registry", "a\nb"}) {
    Lookup lookup;
    resolver->lookup("app.test", Family::kAny, lookup.done());
    EXPECT_TRUE(fail_hook_query(last_query, reason).is_ok());
    EXPECT_TRUE(loop.run_until([&] { return lookup.is_done; }));
    EXPECT_EQ(lookup.result.status.code(), HC_E_DNS);
    EXPECT_EQ(text_of(lookup.result), *reason != '\0' ? escaped(reason) : "the resolver callback gave up");
    EXPECT_FALSE(lookup.result.is_no_such_name);
  }
}

TEST_F(HookTest, CountsAnAnswerMoreThanWhatTheCallReturns) {
  on_query = [](uint64_t query) {
    EXPECT_TRUE(answer_hook_query(query, addresses({"10.9.0.1"}), kNever).is_ok());
    return hc_status{HC_RESOLVE_PASS};
  };
  EXPECT_EQ(addresses_of("app.test"), "10.9.0.1");
}

TEST_F(HookTest, IgnoresASecondAnswer) {
  make();
  Lookup lookup;
  resolver->lookup("app.test", Family::kAny, lookup.done());
  EXPECT_TRUE(answer_hook_query(last_query, addresses({"10.9.0.1"}), kNever).is_ok());
  EXPECT_TRUE(answer_hook_query(last_query, addresses({"10.9.0.2"}), kNever).is_ok());
  EXPECT_TRUE(fail_hook_query(last_query, "late").is_ok());
  EXPECT_TRUE(loop.run_until([&] { return lookup.is_done; }));
  EXPECT_EQ(text_of(lookup.result), "10.9.0.1");
}

TEST_F(HookTest, KeepsAQueryOpenThatGotNoAddress) {
  make();
  Lookup lookup;
  resolver->lookup("app.test", Family::kAny, lookup.done());
  EXPECT_EQ(answer_hook_query(last_query, {}, kNever).code(), HC_E_INVALID);
  EXPECT_TRUE(answer_hook_query(last_query, addresses({"10.9.0.1"}), kNever).is_ok());
  EXPECT_TRUE(loop.run_until([&] { return lookup.is_done; }));
}

TEST_F(HookTest, MayAnswerAfterTheSessionEnded) {
  make();
  Lookup lookup;
  resolver->lookup("app.test", Family::kAny, lookup.done());
  EXPECT_EQ(open_hook_queries(), 1U);
  resolver.reset();
  EXPECT_EQ(open_hook_queries(), 0U);
  EXPECT_TRUE(answer_hook_query(last_query, addresses({"10.9.0.1"}), kNever).is_ok());
  loop.run_for(5 * kMillisecond);
  EXPECT_FALSE(lookup.is_done);
}

TEST_F(HookTest, MayAnswerWhileTheSessionEnds) {
  for (int i = 0; i < 200; ++i) {
    make();
    Lookup lookup;
    resolver->lookup("app.test", Family::kAny, lookup.done());
    std::thread other([query = last_query] {
      EXPECT_TRUE(answer_hook_query(query, addresses({"10.9.0.1"}), kNever).is_ok());
    });
    resolver.reset();
    other.join();
    loop.run_for(0);
    EXPECT_FALSE(lookup.is_done);
  }
}

TEST_F(HookTest, TellsAChildProcessThatTheQueryIsNotItsOwn) {
  make();
  Lookup lookup;
  resolver->lookup("app.test", Family::kAny, lookup.done());
  pid_t child = fork();
  if (child == 0) {
    bool is_refused = answer_hook_query(last_query, addresses({"10.9.0.1"}), kNever).code() == HC_E_FORKED;
    _exit(is_refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(answer_hook_query(last_query, addresses({"10.9.0.2"}), kNever).is_ok());
  EXPECT_TRUE(loop.run_until([&] { return lookup.is_done; }));
  EXPECT_EQ(text_of(lookup.result), "10.9.0.2");
}

}  // namespace
}  // namespace hc
