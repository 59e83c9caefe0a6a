// The caller's own resolver: answers now, later, from elsewhere, never.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "serve/dns_server.h"
#include "serve/http_server.h"
#include "support/client.h"

namespace hc::test {
namespace {

using serve::DnsReply;

class ResolveHook : public testing::Test {
 protected:
  using Answer = std::function<hc_status(hc_resolve_query*, std::string_view host, int32_t family)>;

  void SetUp() override { server_.start(); }
  std::string url(std::string_view host, std::string_view path = "/bytes/1") const {
    return "http://" + std::string(host) + ":" + std::to_string(server_.port()) + std::string(path);
  }
  SessionSetup with_hook(const SessionSetup& more = {}) {
    return [this, more](hc_session_options& o) {
      o.on_resolve = [](hc_resolve_query* query, hc_str host, int32_t family, void* self) {
        auto& test = *static_cast<ResolveHook*>(self);
        ++test.asked_;
        return test.answer_(query, {host.data, host.len}, family);
      };
      o.on_resolve_data = this;
      if (more) more(o);
    };
  }
  static hc_status answer(hc_resolve_query* query, std::string_view address, uint64_t ttl_ms = HC_UNSET) {
    hc_str one = str(address);
    return hc_resolve_answer(query, &one, 1, ttl_ms);
  }

  serve::HttpServer server_;
  Answer answer_;
  std::atomic<int> asked_{0};
};

TEST_F(ResolveHook, AnswersInside) {
  answer_ = [](hc_resolve_query* query, std::string_view host, int32_t family) {
    EXPECT_EQ(host, "made-up.test");
    EXPECT_EQ(family, HC_FAMILY_ANY);
    EXPECT_EQ(answer(query, "127.0.0.1"), HC_OK);
    return hc_status{HC_OK};
  };
  Client client(with_hook());
  EXPECT_TRUE(is(client.fetch(url("made-up.test")), HC_OK));
  EXPECT_TRUE(is(client.fetch(url("made-up.test")), HC_OK));
  EXPECT_EQ(asked_, 1);
}

TEST_F(ResolveHook, AnswersLaterFromAnotherThread) {
  std::thread helper;
  answer_ = [&](hc_resolve_query* query, std::string_view, int32_t) {
    helper = std::thread([=] {
      // Long enough for the loop to go to sleep: the answer has to wake it.
      std::this_thread::sleep_for(milliseconds(50));
      EXPECT_EQ(answer(query, "127.0.0.1"), HC_OK);
    });
    return hc_status{HC_OK};
  };
  Client client(with_hook());
  for (int i = 0; i < 10; ++i) client.submit(url("made-up.test"));
  for (const Outcome& outcome : client.collect(10)) EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(asked_, 1) << "single flight";
  helper.join();
}

TEST_F(ResolveHook, MayPass) {
  serve::DnsServer dns({.default_reply = DnsReply::addresses({"127.0.0.1"})});
  dns.start();
  std::string nameserver = dns.endpoint();
  answer_ = [](hc_resolve_query*, std::string_view, int32_t) { return hc_status{HC_RESOLVE_PASS}; };
  Client client(with_hook([&](hc_session_options& o) { o.nameservers = str(nameserver); }));
  EXPECT_TRUE(is(client.fetch(url("passed.test")), HC_OK));
  EXPECT_EQ(asked_, 1);
  EXPECT_GT(dns.count("passed.test"), 0u);
}

TEST_F(ResolveHook, MayFailWithAReason) {
  answer_ = [](hc_resolve_query* query, std::string_view, int32_t) {
    EXPECT_EQ(hc_resolve_fail(query, HC_STR("not in the registry")), HC_OK);
    return hc_status{HC_OK};
  };
  Client client(with_hook());
  Outcome outcome = client.fetch(url("made-up.test"));
  EXPECT_TRUE(is(outcome, HC_E_DNS, HC_PHASE_RESOLVING));
  EXPECT_NE(outcome.message().find("not in the registry"), std::string::npos) << outcome.message();
}

TEST_F(ResolveHook, ARefusalIsACallbackError) {
  answer_ = [](hc_resolve_query*, std::string_view, int32_t) { return hc_status{-7}; };
  Client client(with_hook());
  EXPECT_TRUE(is(client.fetch(url("made-up.test")), HC_E_CALLBACK, HC_PHASE_RESOLVING));
}

TEST_F(ResolveHook, OneThatNeverAnswersIsEndedByTheDnsClock) {
  hc_resolve_query* kept = nullptr;
  answer_ = [&](hc_resolve_query* query, std::string_view, int32_t) {
    kept = query;
    return hc_status{HC_OK};
  };
  {
    Client client(with_hook([](hc_session_options& o) { o.timeouts.dns_ms = 150; }));
    EXPECT_TRUE(is(client.fetch(url("made-up.test")), HC_E_TIMEOUT_DNS, HC_PHASE_RESOLVING));
    EXPECT_EQ(answer(kept, "127.0.0.1"), HC_OK) << "nobody waits any more";
    EXPECT_TRUE(is(client.fetch(url("made-up.test")), HC_OK)) << "but the cache has it";
  }
}

TEST_F(ResolveHook, AnAnswerAfterTheSessionIsHarmless) {
  std::vector<hc_resolve_query*> kept;
  answer_ = [&](hc_resolve_query* query, std::string_view, int32_t) {
    kept.push_back(query);
    return hc_status{HC_OK};
  };
  {
    Client client(with_hook());
    client.submit(url("a.test"));
    client.submit(url("b.test"));
    ASSERT_TRUE(eventually([&] { return asked_ == 2; }));
  }
  EXPECT_EQ(answer(kept[0], "127.0.0.1"), HC_OK);
  EXPECT_EQ(hc_resolve_fail(kept[1], hc_str{}), HC_OK);
}

TEST_F(ResolveHook, ABadAnswerLeavesTheQueryOpen) {
  answer_ = [](hc_resolve_query* query, std::string_view, int32_t) {
    EXPECT_EQ(answer(query, "localhost"), HC_E_INVALID);
    EXPECT_EQ(hc_resolve_answer(query, nullptr, 0, HC_UNSET), HC_E_INVALID);
    EXPECT_EQ(hc_resolve_answer(query, nullptr, 1, HC_UNSET), HC_E_INVALID);
    EXPECT_EQ(answer(query, "127.0.0.1"), HC_OK);
    return hc_status{HC_OK};
  };
  Client client(with_hook());
  EXPECT_TRUE(is(client.fetch(url("made-up.test")), HC_OK));
}

TEST_F(ResolveHook, ItsTtlIsObeyed) {
  answer_ = [](hc_resolve_query* query, std::string_view, int32_t) {
    EXPECT_EQ(answer(query, "127.0.0.1", 0), HC_OK);
    return hc_status{HC_OK};
  };
  Client client(with_hook([](hc_session_options& o) { o.keepalive_timeout_ms = 0; }));
  Stopwatch watch;
  client.fetch(url("made-up.test"));
  while (asked_ == 1 && watch.elapsed() < milliseconds(5'000)) client.fetch(url("made-up.test", "/delay/20"));
  EXPECT_EQ(asked_, 2) << "at least 1 s, not the 10 s of the session";
  EXPECT_LT(watch.elapsed(), milliseconds(5'000));
}

TEST_F(ResolveHook, SeesTheFamilyOfTheSession) {
  answer_ = [](hc_resolve_query* query, std::string_view, int32_t family) {
    EXPECT_EQ(family, HC_FAMILY_V4);
    return answer(query, "127.0.0.1");
  };
  Client client(with_hook([](hc_session_options& o) { o.family = HC_FAMILY_V4; }));
  EXPECT_TRUE(is(client.fetch(url("made-up.test")), HC_OK));
}

TEST_F(ResolveHook, IsNotAskedForLiterals) {
  answer_ = [](hc_resolve_query*, std::string_view, int32_t) { return hc_status{-1}; };
  Client client(with_hook());
  EXPECT_TRUE(is(client.fetch(server_.url(0, "/bytes/1")), HC_OK));
  EXPECT_EQ(asked_, 0);
}

}  // namespace
}  // namespace hc::test
