// The gate against requests to where a session must not go (SSRF): asked about the address of each socket.
#include <gtest/gtest.h>

#include <map>
#include <mutex>

#include "serve/http_server.h"
#include "support/client.h"
#include "support/real_server.h"

namespace hc::test {
namespace {

class AddressPolicies : public testing::Test {
 protected:
  AddressPolicies() {
    serve::HttpServerOptions options;
    options.listeners[0].address = "0.0.0.0";
    server_ = std::make_unique<serve::HttpServer>(options);
    server_->start();
  }
  std::string url(std::string_view host) const {
    return "http://" + std::string(host) + ":" + std::to_string(server_->port()) + "/bytes/1";
  }
  void expect_denied(Client& client, std::string_view host, const Tune& tune = {}) {
    uint64_t before = server_->counters().connections_accepted;
    Outcome outcome = client.fetch(url(host), tune);
    EXPECT_TRUE(is(outcome, HC_E_ADDRESS_DENIED, HC_PHASE_CONNECTING)) << host;
    EXPECT_EQ(server_->counters().connections_accepted, before) << host;
    EXPECT_EQ(client.stats().sockets_opened,
              client.stats().sockets_closed + client.stats().sockets_idle + client.stats().sockets_retired);
  }
  static SessionSetup public_only() {
    return [](hc_session_options& o) { o.public_only = HC_ON; };
  }
  std::unique_ptr<serve::HttpServer> server_;
};

TEST_F(AddressPolicies, PublicOnlyKeepsLiteralsNamesAndOverridesOut) {
  Client client(public_only());
  for (std::string_view host :
       {"127.0.0.1", "localhost", "x.localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254",
        "[::ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"}) {
    expect_denied(client, host);
  }
  hc_str loopback_address = HC_STR("127.0.0.1");
  ASSERT_EQ(hc_session_resolve_add(client.get(), HC_STR("inside.test"), 0, &loopback_address, 1, nullptr),
            HC_OK);
  expect_denied(client, "inside.test");
  expect_denied(client, "harmless.test", [&](hc_request& r) {
    r.addresses = &loopback_address;
    r.address_count = 1;
  });
}

TEST_F(AddressPolicies, OddSpellingsOfAnAddressAreNoUrl) {
  Client client(public_only());
  for (std::string_view host : {"0x7f.1", "2130706433", "0177.0.0.1", "127.1", "0x7f000001", "127.0.0.1.",
                                "127.0.0.01", "%31%32%37.0.0.1", "127.0.0.1%00.test",
                                "\xEF\xBC\x91"
                                "27.0.0.1"}) {
    hc_error error;
    hc_error_init(&error, sizeof error);
    hc_status status = client.try_submit(url(host), {}, &error);
    EXPECT_EQ(status, HC_E_INVALID) << host;
  }
}

TEST_F(AddressPolicies, ListsDecideAndDenyGoesFirst) {
  Client client([](hc_session_options& o) {
    o.public_only = HC_ON;
    o.allow_addresses = HC_STR("127.0.0.0/24, ::1");
    o.deny_addresses = HC_STR("127.0.0.7");
  });
  EXPECT_TRUE(is(client.fetch(url("127.0.0.1")), HC_OK));
  expect_denied(client, "127.0.0.7");
  expect_denied(client, "127.0.1.1");
  Client closed([](hc_session_options& o) { o.allow_addresses = HC_STR("127.0.0.2"); });
  EXPECT_TRUE(is(closed.fetch(url("127.0.0.2")), HC_OK));
  expect_denied(closed, "127.0.0.1");
  Client open([](hc_session_options& o) { o.deny_addresses = HC_STR("127.0.0.2"); });
  EXPECT_TRUE(is(open.fetch(url("127.0.0.1")), HC_OK));
  expect_denied(open, "[::ffff:127.0.0.2]");
  Client no_loopback([](hc_session_options& o) { o.deny_addresses = HC_STR("127.0.0.0/8, ::1"); });
  expect_denied(no_loopback, "0.0.0.0");
  expect_denied(no_loopback, "[::]");
}

// Each address of a race is asked about: the one that may be used is, and nobody hears of the others.
TEST_F(AddressPolicies, EachAttemptOfARaceIsAsked) {
  Client client([](hc_session_options& o) { o.deny_addresses = HC_STR("127.0.0.2, 127.0.0.3"); });
  hc_str addresses[] = {HC_STR("127.0.0.2"), HC_STR("127.0.0.3"), HC_STR("127.0.0.1")};
  Outcome outcome = client.fetch(url("mixed.test"), [&](hc_request& r) {
    r.addresses = addresses;
    r.address_count = 3;
  });
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(text(outcome.info().remote_address), "127.0.0.1");
  EXPECT_EQ(server_->counters().connections_accepted, 1u);
}

TEST_F(AddressPolicies, ARedirectIsAskedAsWell) {
  Client client([](hc_session_options& o) { o.deny_addresses = HC_STR("127.0.0.66"); });
  std::string target =
      "http://127.0.0.1:" + std::to_string(server_->port()) + "/redirect-to?url=" + url("127.0.0.66");
  Outcome outcome = client.fetch(target);
  EXPECT_TRUE(is(outcome, HC_E_ADDRESS_DENIED, HC_PHASE_CONNECTING));
  EXPECT_EQ(server_->counters().requests, 1u);
}

// DNS rebinding: the first answer is harmless, and every later one is not.
TEST_F(AddressPolicies, AnAnswerThatChangesChangesNothing) {
  struct Rebinder {
    static hc_status on_resolve(hc_resolve_query* query, hc_str, int32_t, void* self) {
      auto& rebinder = *static_cast<Rebinder*>(self);
      hc_str address = rebinder.asked++ == 0 ? HC_STR("127.0.0.1") : HC_STR("127.0.0.66");
      return hc_resolve_answer(query, &address, 1, HC_UNSET);
    }
    int asked = 0;
  } rebinder;
  Client client([&](hc_session_options& o) {
    o.on_resolve = Rebinder::on_resolve;
    o.on_resolve_data = &rebinder;
    o.ttl_dns_cache_ms = 0;
    o.force_close = HC_ON;
    o.deny_addresses = HC_STR("127.0.0.66");
  });
  EXPECT_TRUE(is(client.fetch(url("rebind.test")), HC_OK));
  for (int i = 0; i < 5; ++i) expect_denied(client, "rebind.test");
  EXPECT_EQ(rebinder.asked, 6);
}

TEST_F(AddressPolicies, AProxysAddressIsCheckedUnlessItIsTrustedByName) {
  std::string proxy = "http://127.0.0.1:" + std::to_string(server_->port());  // absolute-form is fine for it
  Client client([&](hc_session_options& o) {
    o.public_only = HC_ON;
    o.proxy = str(proxy);
  });
  expect_denied(client, "far.test");
  Client trusting([&](hc_session_options& o) {
    o.public_only = HC_ON;
    o.proxy = str(proxy);
    o.trusted_proxies = HC_STR("other.test, 127.0.0.1");
  });
  EXPECT_TRUE(is(trusting.fetch(url("far.test")), HC_OK));
  for (std::string_view host : {"169.254.169.254", "localhost", "localhost.", "LocalHost", "a.localhost"}) {
    expect_denied(trusting, host);  // what is known here is checked here
  }
  expect_denied(trusting, "far.test", [](hc_request& r) { r.proxy = HC_STR("http://127.0.0.2:1"); });
}

TEST_F(AddressPolicies, Socks5TargetsAreCheckedHere) {
  ScratchDirectory scratch;
  uint16_t port = free_port();
  RealServer microsocks({"microsocks", "-i", "127.0.0.1", "-p", std::to_string(port)}, port,
                        scratch.file("log"));
  std::string proxy = "socks5://127.0.0.1:" + std::to_string(port);
  Client client([&](hc_session_options& o) {
    o.proxy = str(proxy);
    o.deny_addresses = HC_STR("127.0.0.2");
  });
  EXPECT_TRUE(is(client.fetch(url("127.0.0.1")), HC_OK));
  expect_denied(client, "127.0.0.2");
}

TEST_F(AddressPolicies, UnixSocketsAreDeniedUnderPublicOnly) {
  Client client(public_only());
  expect_denied(client, "a.test", [](hc_request& r) { r.unix_path = HC_STR("/run/docker.sock"); });
}

TEST_F(AddressPolicies, BadListsAreNamed) {
  for (bool deny : {true, false}) {
    hc_session_options options;
    hc_session_options_init(&options, sizeof options);
    (deny ? options.deny_addresses : options.allow_addresses) = HC_STR("10.0.0.0/8,localhost");
    hc_error error;
    hc_error_init(&error, sizeof error);
    hc_session* session = nullptr;
    EXPECT_EQ(hc_session_create(&session, &options, &error), HC_E_INVALID);
    EXPECT_EQ(std::string(error.message).find(deny ? "deny_addresses" : "allow_addresses"), 0u)
        << error.message;
  }
}

}  // namespace
}  // namespace hc::test
