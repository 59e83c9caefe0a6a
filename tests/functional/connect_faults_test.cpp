// A server that is broken while one connects, or in its TLS: which error, how soon, and that nothing is left behind.
#include <gtest/gtest.h>
#include <sched.h>

#include <cerrno>
#include <map>
#include <memory>
#include <thread>

#include "serve/dead_ends.h"
#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "support/client.h"
#include "support/libcurl_version.h"
#include "support/process.h"
#include "support/tls_handle.h"
#include "support/tls_server.h"

namespace hc::test {
namespace {

using serve::Behaviour;
using serve::Counters;
using serve::HttpServer;
using serve::HttpServerOptions;

class Connecting : public testing::Test {
 protected:
  void SetUp() override { good_.start(); }
  void expect_still_working(Client& client) {
    EXPECT_TRUE(is(client.fetch(good_.url(0, "/bytes/1")), HC_OK));
    EXPECT_EQ(client.stats().sockets_connecting, 0u);
  }
  HttpServer good_;
};

TEST_F(Connecting, RefusedIsToldAtOnce) {
  serve::RefusedPort refused;
  Client client;
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(is(client.fetch("http://127.0.0.1:" + std::to_string(refused.port()) + "/"), HC_E_CONNECT,
                   HC_PHASE_CONNECTING));
  }
  EXPECT_EQ(client.stats().connect_failures, 100u);
  expect_still_working(client);
}

// In a network of its own without any route: no packet leaves. A thread's network is inherited by the threads it makes.
TEST_F(Connecting, UnreachableIsToldAtOnce) {
  bool has_network = false;
  std::thread hermit([&] {
    has_network = unshare(CLONE_NEWNET) == 0;
    if (!has_network) return;
    Client client;
    // The kernel's words for IPv6 without an address of its own are "cannot assign requested address".
    const std::map<std::string, int> told{{"http://192.0.2.1/", ENETUNREACH},
                                          {"https://192.0.2.1/", ENETUNREACH},
                                          {"http://[2001:db8::1]/", EADDRNOTAVAIL}};
    for (const auto& [url, native_code] : told) {
      Stopwatch watch;
      Outcome outcome = client.fetch(url);
      EXPECT_TRUE(is(outcome, HC_E_CONNECT, HC_PHASE_CONNECTING)) << url;
      EXPECT_EQ(outcome.error().native_code, native_code) << outcome.message();
      EXPECT_LT(watch.elapsed(), milliseconds(5'000));
    }
    EXPECT_EQ(client.stats().sockets_connecting, 0u);
  });
  hermit.join();
  if (!has_network) GTEST_SKIP() << "a network namespace takes root";
}

TEST_F(Connecting, ABlackHoleEndsWithItsClock) {
  serve::BlackHole hole;
  LeakCheck leaks;
  {
    Client client([](hc_session_options& o) { o.timeouts.sock_connect_ms = 150; });
    for (int i = 0; i < 20; ++i) client.submit("http://127.0.0.1:" + std::to_string(hole.port()) + "/");
    for (const Outcome& outcome : client.collect(20)) EXPECT_TRUE(is(outcome, HC_E_TIMEOUT_SOCK_CONNECT));
    EXPECT_EQ(client.stats().sockets_closed, 20u);
    expect_still_working(client);
  }
}

TEST_F(Connecting, AFullBacklogIsABlackHoleUntilItIsServed) {
  HttpServerOptions options;
  options.listeners[0].backlog = 1;
  HttpServer busy(options);
  busy.start();
  busy.set_behaviour(Behaviour::kPauseAccept);
  Client client;
  for (int i = 0; i < 10; ++i) client.submit(busy.url(0, "/bytes/1"));
  ASSERT_TRUE(client.stats_become([](const hc_stats& s) { return s.sockets_connecting > 0; }));
  busy.set_behaviour(Behaviour::kNormal);
  for (const Outcome& outcome : client.collect(10)) EXPECT_TRUE(is(outcome, HC_OK));
}

TEST_F(Connecting, AcceptThenSilenceEndsWithTheClocksOfReading) {
  HttpServer silent;
  silent.start();
  silent.set_behaviour(Behaviour::kSilent);
  Client client([](hc_session_options& o) { o.timeouts.first_byte_ms = 150; });
  EXPECT_TRUE(is(client.fetch(silent.url()), HC_E_TIMEOUT_FIRST_BYTE, HC_PHASE_AWAITING));
  EXPECT_TRUE(silent.wait_until([](const Counters& c) { return c.connections_open == 0; }));
  expect_still_working(client);
}

TEST_F(Connecting, AcceptThenEnd) {
  for (Behaviour behaviour : {Behaviour::kCloseOnAccept, Behaviour::kResetOnAccept}) {
    HttpServer ending;
    ending.start();
    ending.set_behaviour(behaviour);
    Client client;
    for (int i = 0; i < 20; ++i) {
      Outcome outcome = client.fetch(ending.url());
      EXPECT_TRUE(outcome.status == HC_E_DISCONNECTED || outcome.status == HC_E_CONNECT) << outcome.message();
    }
    EXPECT_LE(ending.counters().connections_accepted, 20u) << "no repetition on fresh connections";
    expect_still_working(client);
  }
}

TEST_F(Connecting, AServerThatComesBackIsUsedAgain) {
  HttpServer server;
  server.start();
  Client client;
  EXPECT_TRUE(is(client.fetch(server.url(0, "/bytes/1")), HC_OK));
  std::string url = server.url(0, "/bytes/1");
  server.stop();
  EXPECT_TRUE(is(client.fetch(url), HC_E_CONNECT));
  server.start();
  EXPECT_TRUE(is(client.fetch(url), HC_OK));
}

TEST_F(Connecting, OneByteAtATimeIsSlowAndFine) {
  Client client;
  Outcome outcome = client.fetch(good_.url(0, "/drip?head=1&bytes=20&every_ms=3"));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(outcome.body, serve::pattern(20));
}

class Tls : public Connecting {
 protected:
  /// A server with that certificate.
  std::unique_ptr<HttpServer> serve_with(const serve::Credential& credential,
                                         serve::TlsVersion maximum = serve::TlsVersion::kTls13) {
    HttpServerOptions options;
    options.listeners[0].tls = tls_with(credential);
    options.listeners[0].tls->minimum_version = serve::TlsVersion::kTls10;
    options.listeners[0].tls->maximum_version = maximum;
    auto server = std::make_unique<HttpServer>(options);
    server->start();
    return server;
  }
  SessionSetup trusting() {
    return [this](hc_session_options& o) { o.ca_file = str(pki_.ca().certificate_path); };
  }
  void expect_refused(const serve::Credential& credential, int64_t verify_result) {
    LeakCheck leaks;
    auto server = serve_with(credential);
    {
      Client client(trusting());
      Outcome outcome = client.fetch(server->url(0, "/bytes/1"));
      EXPECT_TRUE(is(outcome, HC_E_TLS_VERIFY, HC_PHASE_CONNECTING));
      if (verify_result != 0) {
        EXPECT_EQ(outcome.error().native_domain, HC_NATIVE_TLS);
        EXPECT_EQ(outcome.error().native_code, verify_result) << outcome.message();
      }
      EXPECT_EQ(server->counters().requests, 0u);
      expect_still_working(client);
    }
    server.reset();
  }
  serve::TestPki pki_;
};

TEST_F(Tls, AGoodCertificateIsAccepted) {
  auto server = serve_with(pki_.server());
  Client client(trusting());
  Outcome outcome = client.fetch(server->url(0, "/bytes/9"));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_LE(outcome.info().timing.connected_ns, outcome.info().timing.secured_ns);
  EXPECT_LE(outcome.info().timing.secured_ns, outcome.info().timing.ready_ns);
}

constexpr int64_t kExpired = 10;     // X509_V_ERR_CERT_HAS_EXPIRED
constexpr int64_t kSelfSigned = 18;  // X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
constexpr int64_t kUnknownCa = 20;   // X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY

TEST_F(Tls, AnExpiredOneIsRefused) { expect_refused(pki_.expired(), kExpired); }
TEST_F(Tls, ASelfSignedOneIsRefused) { expect_refused(pki_.self_signed(), kSelfSigned); }
TEST_F(Tls, AWrongNameIsRefused) { expect_refused(pki_.wrong_name(), 0); }

TEST_F(Tls, AnUnknownAuthorityIsRefused) {
  auto server = serve_with(pki_.server());
  Client client([&](hc_session_options& o) { o.ca_file = str(pki_.other_ca().certificate_path); });
  Outcome outcome = client.fetch(server->url());
  EXPECT_TRUE(is(outcome, HC_E_TLS_VERIFY));
  EXPECT_EQ(outcome.error().native_code, kUnknownCa);
  Client with_system_bundle;
  EXPECT_TRUE(is(with_system_bundle.fetch(server->url()), HC_E_TLS_VERIFY));
}

TEST_F(Tls, VerificationCanBeSwitchedOff) {
  Client client([](hc_session_options& o) { o.tls_verify = HC_OFF; });
  for (const serve::Credential* credential : {&pki_.expired(), &pki_.self_signed(), &pki_.wrong_name()}) {
    EXPECT_TRUE(is(client.fetch(serve_with(*credential)->url(0, "/bytes/1")), HC_OK));
  }
}

TEST_F(Tls, OldVersionsAreRefused) {
  auto server = serve_with(pki_.server(), serve::TlsVersion::kTls11);
  Client client(trusting());
  EXPECT_TRUE(is(client.fetch(server->url()), HC_E_TLS, HC_PHASE_CONNECTING));
}

TEST_F(Tls, AStalledHandshakeEndsWithItsClock) {
  LeakCheck leaks;
  auto server = serve_with(pki_.server());
  server->set_behaviour(Behaviour::kStallHandshake);
  {
    Client client([](hc_session_options& o) { o.timeouts.sock_connect_ms = 150; });
    EXPECT_TRUE(is(client.fetch(server->url()), HC_E_TIMEOUT_SOCK_CONNECT, HC_PHASE_CONNECTING));
    EXPECT_TRUE(server->wait_until([](const Counters& c) { return c.connections_open == 0; }));
    expect_still_working(client);
  }
  server.reset();
}

TEST_F(Tls, AnEndInTheHandshakeIsATlsError) {
  for (Behaviour behaviour : {Behaviour::kCloseOnAccept, Behaviour::kResetOnAccept}) {
    auto server = serve_with(pki_.server());
    server->set_behaviour(behaviour);
    Client client(trusting());
    Outcome outcome = client.fetch(server->url());
    EXPECT_TRUE(outcome.status == HC_E_TLS || outcome.status == HC_E_CONNECT) << outcome.message();
    EXPECT_EQ(outcome.error().phase, HC_PHASE_CONNECTING);
  }
}

TEST_F(Tls, PlainHttpOnATlsPortAndTheOtherWayRound) {
  auto server = serve_with(pki_.server());
  Client client(trusting());
  EXPECT_NE(client.fetch("http://127.0.0.1:" + std::to_string(server->port()) + "/bytes/1").status, HC_OK);
  // It waits for a line end that never comes, as many servers do.
  auto briefly = [](hc_request& r) { r.timeouts.sock_connect_ms = 300; };
  std::string https = "https://127.0.0.1:" + std::to_string(good_.port()) + "/bytes/1";
  EXPECT_TRUE(is(client.fetch(https, briefly), HC_E_TIMEOUT_SOCK_CONNECT, HC_PHASE_CONNECTING));
}

TEST_F(Tls, ATruncatedBodyIsNoShortSuccess) {
  auto server = serve_with(pki_.server());
  Client client(trusting());
  for (std::string_view path : {"/truncate?claimed=100&sent=50", "/truncate?claimed=100&sent=0",
                                "/truncate?chunked=1&sent=50", "/fin?after=half-body&after_ms=20"}) {
    EXPECT_TRUE(is(client.fetch(server->url(0, path)), HC_E_INCOMPLETE)) << path;
  }
  EXPECT_TRUE(is(client.fetch(server->url(0, "/bytes/9")), HC_OK));
}

TEST_F(Tls, ABodyThatTheConnectionEndsIsWholeOnlyWithCloseNotify) {
  auto server = serve_with(pki_.server());
  server->handle("/until-the-end", [](const serve::RequestView& request, serve::ResponseWriter& writer) {
    writer.raw("HTTP/1.1 " + request.parameter("status").value_or("200 OK") + "\r\n");
    writer.raw(request.parameter("identity") ? "Transfer-Encoding: identity\r\n\r\n" : "\r\n");
    if (!request.parameter("status")) writer.raw("some of it");
    writer.end(request.parameter("cut") ? serve::Ending::kFin : serve::Ending::kClose);
  });
  Client client(trusting());
  Outcome whole = client.fetch(server->url(0, "/until-the-end"));
  EXPECT_TRUE(is(whole, HC_OK));
  EXPECT_EQ(whole.body, "some of it");
  EXPECT_TRUE(is(client.fetch(server->url(0, "/until-the-end?cut")), HC_E_INCOMPLETE));
  EXPECT_TRUE(is(client.fetch(server->url(0, "/until-the-end?cut&status=204%20No%20Content")), HC_OK));
  EXPECT_TRUE(is(client.fetch(server->url(0, "/until-the-end?cut&identity")), HC_E_PROTOCOL));

  // On a connection that another request opened, too.
  EXPECT_TRUE(is(client.fetch(server->url(0, "/bytes/9")), HC_OK));
  Outcome reused = client.fetch(server->url(0, "/until-the-end?cut"));
  EXPECT_TRUE(is(reused, HC_E_INCOMPLETE));
  EXPECT_TRUE(reused.was_reused());
  EXPECT_TRUE(is(client.fetch(server->url(0, "/bytes/9")), HC_OK));
  Outcome reused_whole = client.fetch(server->url(0, "/until-the-end"));
  EXPECT_TRUE(is(reused_whole, HC_OK));
  EXPECT_TRUE(reused_whole.was_reused());
}

// A plain request to an https proxy: what ends is the proxy's TLS.
TEST_F(Tls, ABodyThatTheConnectionToAProxyEndsIsWholeOnlyWithCloseNotify) {
  auto server = serve_with(pki_.server());
  server->handle("/until-the-end", [](const serve::RequestView& request, serve::ResponseWriter& writer) {
    writer.raw("HTTP/1.1 200 OK\r\n\r\nsome of it");
    writer.end(request.parameter("cut") ? serve::Ending::kFin : serve::Ending::kClose);
  });
  const bool is_ever_reused = libcurl_version() < 0x081700;  // docs/curl-notes.md
  std::string proxy = server->url(0);
  TlsHandle own([&](hc_tls_options& o) { o.ca_file = str(pki_.ca().certificate_path); });
  for (const hc_tls* proxy_tls : {static_cast<const hc_tls*>(nullptr), own.get()}) {
    Client client([&](hc_session_options& o) {
      trusting()(o);
      o.proxy = str(proxy);
      o.proxy_tls = proxy_tls;
    });
    Outcome whole = client.fetch("http://far.test/until-the-end");
    EXPECT_TRUE(is(whole, HC_OK));
    EXPECT_EQ(whole.body, "some of it");
    EXPECT_TRUE(is(client.fetch("http://far.test/until-the-end?cut"), HC_E_INCOMPLETE));
    EXPECT_TRUE(is(client.fetch("http://far.test/bytes/9"), HC_OK));
    Outcome reused = client.fetch("http://far.test/until-the-end?cut");
    EXPECT_TRUE(is(reused, HC_E_INCOMPLETE));
    EXPECT_EQ(reused.was_reused(), is_ever_reused);
  }
}

TEST_F(Tls, AnEndInTheHeadAndAResetAreDisconnections) {
  auto server = serve_with(pki_.server());
  Client client(trusting());
  for (std::string_view path :
       {"/fin", "/fin?after=half-head&after_ms=20", "/reset?after=half-body&after_ms=20"}) {
    EXPECT_TRUE(is(client.fetch(server->url(0, path)), HC_E_DISCONNECTED)) << path;
  }
}
}  // namespace
}  // namespace hc::test
