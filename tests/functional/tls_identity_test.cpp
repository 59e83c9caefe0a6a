// TLS identities: what they hold, and that nothing is ever shared between two of them. Counted at the server.
#include <gtest/gtest.h>

#include <filesystem>

#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "support/client.h"
#include "support/held.h"
#include "support/process.h"
#include "support/real_server.h"
#include "support/tls_handle.h"
#include "support/tls_server.h"

namespace hc::test {
namespace {

using serve::Counters;
using serve::HttpServer;
using serve::HttpServerOptions;

class TlsIdentities : public testing::Test {
 protected:
  TlsIdentities() : server_(options()) { server_.start(); }

  HttpServerOptions options() {
    HttpServerOptions options;
    options.listeners[0].tls = tls();
    options.listeners.emplace_back();  // plain
    options.listeners.emplace_back().tls = tls();
    options.listeners[2].tls->client_ca_pem = pki_.ca().certificate_pem;
    options.listeners[2].tls->require_client_certificate = true;
    options.listeners.push_back(options.listeners[2]);
    // With TLS 1.3 the server's refusal comes after our handshake, and its reset may overtake it.
    options.listeners[2].tls->maximum_version = serve::TlsVersion::kTls12;
    return options;
  }
  serve::TlsOptions tls() { return tls_with(pki_.server()); }

  SessionSetup trusting() {
    return [this](hc_session_options& o) { o.ca_file = str(pki_.ca().certificate_path); };
  }
  TlsHandle::Setup trusting_handle() {
    return [this](hc_tls_options& o) { o.ca_file = str(pki_.ca().certificate_path); };
  }
  /// Trusts the test's authority, and the certificate must be this one besides.
  TlsHandle::Setup pinning(const std::string& fingerprint) {
    return [this, fingerprint](hc_tls_options& o) {
      o.ca_file = str(pki_.ca().certificate_path);
      static thread_local hc_str pin;
      static thread_local std::string text;
      text = fingerprint;
      pin = str(text);
      o.pins = &pin;
      o.pin_count = 1;
    };
  }
  std::string pin() { return serve::certificate_fingerprint(pki_.server()); }
  std::string other_pin() { return serve::certificate_fingerprint(pki_.client()); }
  std::string url(std::string_view path = "/bytes/10") const { return server_.url(0, path); }
  uint64_t accepted() const { return server_.counters(0).connections_accepted; }

  serve::TestPki pki_;
  HttpServer server_;
};

TEST_F(TlsIdentities, APinnedRequestNeverRidesAnUnpinnedConnection) {
  Client client(trusting());
  TlsHandle pinned(pinning(pin()));
  Outcome first = client.fetch(url());
  EXPECT_TRUE(is(first, HC_OK));
  Outcome second = client.fetch(url(), pinned.tune());
  EXPECT_TRUE(is(second, HC_OK));
  EXPECT_FALSE(second.was_reused());
  EXPECT_NE(first.connection(), second.connection());
  EXPECT_EQ(accepted(), 2u);
  // Each goes back to its own.
  EXPECT_EQ(client.fetch(url()).connection(), first.connection());
  EXPECT_EQ(client.fetch(url(), pinned.tune()).connection(), second.connection());
  EXPECT_EQ(accepted(), 2u);
}

TEST_F(TlsIdentities, AWrongPinIsRefusedAndSaysWhichOneWasSeen) {
  Client client(trusting());
  TlsHandle pinned(pinning(other_pin()));
  EXPECT_TRUE(is(client.fetch(url()), HC_OK)) << "an idle connection is there, and must not serve";
  uint64_t before = server_.counters().requests;
  Outcome outcome = client.fetch(url(), pinned.tune());
  EXPECT_TRUE(is(outcome, HC_E_TLS_VERIFY, HC_PHASE_CONNECTING));
  EXPECT_NE(outcome.message().find(pin()), std::string::npos) << outcome.message();
  EXPECT_EQ(server_.counters().requests, before);
}

TEST_F(TlsIdentities, APinComesOnTopOfVerification) {
  Client client;
  TlsHandle untrusting([this](hc_tls_options& o) {
    pinning(pin())(o);
    o.ca_file = str(pki_.other_ca().certificate_path);
  });
  EXPECT_TRUE(is(client.fetch(url(), untrusting.tune()), HC_E_TLS_VERIFY));
  TlsHandle pin_only([this](hc_tls_options& o) {
    pinning(pin())(o);
    o.ca_file = {nullptr, 0};
    o.verify = HC_OFF;
  });
  EXPECT_TRUE(is(client.fetch(url(), pin_only.tune()), HC_OK));
  TlsHandle wrong_pin_only([this](hc_tls_options& o) {
    pinning(other_pin())(o);
    o.ca_file = {nullptr, 0};
    o.verify = HC_OFF;
  });
  EXPECT_TRUE(is(client.fetch(url(), wrong_pin_only.tune()), HC_E_TLS_VERIFY));
}

TEST_F(TlsIdentities, AnyOfSeveralPinsWillDo) {
  std::string spelled;  // as openssl x509 -fingerprint prints it
  for (size_t i = 0; i < pin().size(); i += 2) spelled += (i > 0 ? ":" : "") + pin().substr(i, 2);
  for (char& c : spelled) c = static_cast<char>(toupper(c));
  std::string other = other_pin();
  hc_str pins[] = {str(other), str(spelled)};
  TlsHandle pinned([&](hc_tls_options& o) {
    trusting_handle()(o);
    o.pins = pins;
    o.pin_count = 2;
  });
  Client client;
  EXPECT_TRUE(is(client.fetch(url(), pinned.tune()), HC_OK));
}

TEST_F(TlsIdentities, EachHandleIsAnIdentityOfItsOwnWhateverItHolds) {
  Client client;
  TlsHandle a(trusting_handle());
  TlsHandle b(trusting_handle());
  Outcome with_a = client.fetch(url(), a.tune());
  Outcome with_b = client.fetch(url(), b.tune());
  EXPECT_TRUE(is(with_a, HC_OK));
  EXPECT_TRUE(is(with_b, HC_OK));
  EXPECT_NE(with_a.connection(), with_b.connection());
  EXPECT_EQ(client.fetch(url(), a.tune()).connection(), with_a.connection());
  EXPECT_EQ(accepted(), 2u);
}

TEST_F(TlsIdentities, ASessionsHandleIsThatOfItsRequests) {
  TlsHandle handle(trusting_handle());
  Client client([&](hc_session_options& o) { o.tls = handle.get(); });
  EXPECT_TRUE(is(client.fetch(url()), HC_OK));
  EXPECT_TRUE(client.fetch(url(), handle.tune()).was_reused());
  EXPECT_EQ(accepted(), 1u);
}

TEST_F(TlsIdentities, WithoutTlsTheyMakeNoDifference) {
  Client client;
  TlsHandle handle(trusting_handle());
  Outcome plain = client.fetch(server_.url(1, "/bytes/1"));
  EXPECT_TRUE(is(plain, HC_OK));
  EXPECT_EQ(client.fetch(server_.url(1, "/bytes/1"), handle.tune()).connection(), plain.connection());
}

TEST_F(TlsIdentities, TlsSessionsAreResumedWithinOneAndNeverAcross) {
  Client client([&](hc_session_options& o) {
    o.ca_file = str(pki_.ca().certificate_path);
    o.force_close = HC_ON;
  });
  TlsHandle a(trusting_handle());
  TlsHandle b(trusting_handle());
  for (const TlsHandle* handle : {&a, &b}) {
    uint64_t full = server_.counters(0).tls_full_handshakes;
    uint64_t resumed = server_.counters(0).tls_resumptions;
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(is(client.fetch(url(), handle->tune()), HC_OK));
    EXPECT_EQ(server_.counters(0).tls_full_handshakes, full + 1);
    EXPECT_EQ(server_.counters(0).tls_resumptions, resumed + 3);
  }
}

TEST_F(TlsIdentities, LimitPerHostCountsEachIdentity) {
  Client client([&](hc_session_options& o) {
    o.ca_file = str(pki_.ca().certificate_path);
    o.limit_per_host = 2;
  });
  TlsHandle handle(trusting_handle());
  Held ours(client, url("/echo"), 10, handle.tune());
  Held the_sessions(client, url("/echo"), 10);
  EXPECT_TRUE(server_.wait_until([](const serve::Counters& c) { return c.requests == 4; }));
  ours.release();
  the_sessions.release();
  for (const Outcome& outcome : client.collect(20)) EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(server_.counters(0).connections_peak, 4u);
  EXPECT_EQ(accepted(), 4u);
}

TEST_F(TlsIdentities, LimitHoldsOverAllIdentities) {
  Client client([&](hc_session_options& o) {
    o.ca_file = str(pki_.ca().certificate_path);
    o.limit = 3;
  });
  std::vector<std::unique_ptr<TlsHandle>> handles;
  for (int i = 0; i < 6; ++i) handles.push_back(std::make_unique<TlsHandle>(trusting_handle()));
  for (int i = 0; i < 60; ++i) client.submit(url("/delay/2"), handles[i % handles.size()]->tune());
  for (const Outcome& outcome : client.collect(60)) EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_LE(client.stats().sockets_peak, 3u);
}

TEST_F(TlsIdentities, WhatAnIdentityHeldGoesWithItsLastConnection) {
  Client client(trusting());
  EXPECT_TRUE(is(client.fetch(url()), HC_OK));
  auto close_after = [](const TlsHandle& handle) {
    return [&handle](hc_request& request) {
      request.tls = handle.get();
      request.force_close = HC_ON;
    };
  };
  size_t before = open_descriptors().size();
  for (int i = 0; i < 30; ++i) {
    TlsHandle once(trusting_handle());
    EXPECT_TRUE(is(client.fetch(url(), close_after(once)), HC_OK));
  }
  EXPECT_TRUE(eventually([&] { return open_descriptors().size() <= before; }))
      << before << " -> " << open_descriptors().size();
}

TEST_F(TlsIdentities, AHandleMayBeFreedAsSoonAsItsRequestIsSubmitted) {
  Client client;
  std::vector<hc_id> ids;
  for (int i = 0; i < 10; ++i) {
    TlsHandle handle(trusting_handle());
    ids.push_back(client.submit(url("/delay/20"), handle.tune()));
  }
  for (hc_id id : ids) EXPECT_TRUE(is(client.wait(id), HC_OK));
}

TEST_F(TlsIdentities, AuthoritiesMayBeGivenAsText) {
  TlsHandle handle([this](hc_tls_options& o) { o.ca_pem = str(pki_.ca().certificate_pem); });
  Client client([&](hc_session_options& o) { o.tls = handle.get(); });
  EXPECT_TRUE(is(client.fetch(url()), HC_OK));
  TlsHandle other([this](hc_tls_options& o) { o.ca_pem = str(pki_.other_ca().certificate_pem); });
  EXPECT_TRUE(is(client.fetch(url(), other.tune()), HC_E_TLS_VERIFY));
}

TEST_F(TlsIdentities, AServerThatWantsACertificateGetsOurs) {
  Client client(trusting());
  std::string wanting = server_.url(2, "/bytes/3");
  Outcome without = client.fetch(wanting);
  EXPECT_TRUE(is(without, HC_E_TLS)) << without.message();
  TlsHandle files([this](hc_tls_options& o) {
    trusting_handle()(o);
    o.certificate_file = str(pki_.client().certificate_path);
    o.key_file = str(pki_.client().private_key_path);
  });
  EXPECT_TRUE(is(client.fetch(wanting, files.tune()), HC_OK));
  std::string both = pki_.client().private_key_pem + pki_.client().certificate_pem;
  TlsHandle text([&](hc_tls_options& o) {
    trusting_handle()(o);
    o.certificate_pem = str(both);
  });
  EXPECT_TRUE(is(client.fetch(wanting, text.tune()), HC_OK));
  TlsHandle stranger([this](hc_tls_options& o) {
    trusting_handle()(o);
    o.certificate_pem = str(pki_.other_client().certificate_pem);
    o.key_pem = str(pki_.other_client().private_key_pem);
  });
  EXPECT_TRUE(is(client.fetch(wanting, stranger.tune()), HC_E_TLS));
  for (const Tune& tune : {Tune(), stranger.tune()}) {
    Outcome late = client.fetch(server_.url(3, "/bytes/3"), tune);
    EXPECT_TRUE(late.status == HC_E_TLS || late.status == HC_E_DISCONNECTED) << late.message();
  }
  EXPECT_TRUE(is(client.fetch(server_.url(3, "/bytes/3"), files.tune()), HC_OK));
  EXPECT_EQ(server_.counters().requests, 3u);
}

TEST_F(TlsIdentities, ServerNameIsTheNameThatTheCertificateMustHave) {
  HttpServerOptions options;
  options.listeners[0].tls = tls_with(pki_.wrong_name());
  HttpServer server(options);
  server.start();
  Client client(trusting());
  EXPECT_TRUE(is(client.fetch(server.url(0, "/bytes/1")), HC_E_TLS_VERIFY));
  TlsHandle named([this](hc_tls_options& o) {
    trusting_handle()(o);
    o.server_name = HC_STR("wrong.invalid");
  });
  EXPECT_TRUE(is(client.fetch(server.url(0, "/bytes/1"), named.tune()), HC_OK));
  Outcome refused = client.fetch(url(), named.tune());  // has the URL's name, and not this one
  EXPECT_TRUE(is(refused, HC_E_TLS_VERIFY));
  EXPECT_NE(refused.message().find("mismatch"), std::string::npos) << refused.message();
}

TEST_F(TlsIdentities, MinimumVersionIsHeld) {
  HttpServerOptions options;
  options.listeners[0].tls = tls();
  options.listeners[0].tls->maximum_version = serve::TlsVersion::kTls12;
  HttpServer server(options);
  server.start();
  Client client(trusting());
  EXPECT_TRUE(is(client.fetch(server.url(0, "/bytes/1")), HC_OK));
  TlsHandle modern([this](hc_tls_options& o) {
    trusting_handle()(o);
    o.min_version = HC_TLS_1_3;
  });
  EXPECT_TRUE(is(client.fetch(server.url(0, "/bytes/1"), modern.tune()), HC_E_TLS));
  EXPECT_TRUE(is(client.fetch(url(), modern.tune()), HC_OK));
}

TEST_F(TlsIdentities, CertificatesOfTheServerAreKeptOnRequest) {
  Client client(trusting());
  auto keep = [](uint8_t form) { return [form](hc_request& request) { request.certificates = form; }; };
  Outcome none = client.fetch(url());
  EXPECT_EQ(hc_response_certificate(none.response.get(), 0).data, nullptr);
  for (int round = 0; round < 2; ++round) {  // on a connection that is there already, too
    Outcome pem = client.fetch(url(), keep(HC_CERTIFICATES_PEM));
    EXPECT_TRUE(pem.was_reused());
    EXPECT_EQ(text(hc_response_certificate(pem.response.get(), 0)), pki_.server().certificate_pem);
  }
  Outcome der = client.fetch(url(), keep(HC_CERTIFICATES_DER));
  std::string bytes = text(hc_response_certificate(der.response.get(), 0));
  EXPECT_GT(bytes.size(), 100u);
  EXPECT_EQ(bytes[0], '\x30');
  EXPECT_EQ(hc_response_certificate(der.response.get(), 9).data, nullptr);
  EXPECT_EQ(hc_response_certificate(nullptr, 0).data, nullptr);
  Outcome plain = client.fetch(server_.url(1, "/bytes/1"), keep(HC_CERTIFICATES_PEM));
  EXPECT_TRUE(is(plain, HC_OK));
  EXPECT_EQ(hc_response_certificate(plain.response.get(), 0).data, nullptr);
}

TEST_F(TlsIdentities, ACertificateIsToldWithoutAStructByValueToo) {
  Client client(trusting());
  Outcome outcome =
      client.fetch(url(), [](hc_request& request) { request.certificates = HC_CERTIFICATES_PEM; });
  const hc_response* response = outcome.response.get();
  hc_str certificate{};
  ASSERT_EQ(hc_response_get_certificate(response, 0, &certificate), HC_OK);
  EXPECT_EQ(certificate.data, hc_response_certificate(response, 0).data);
  EXPECT_EQ(text(certificate), pki_.server().certificate_pem);
  EXPECT_EQ(hc_response_get_certificate(response, 9, &certificate), HC_E_INVALID);
  EXPECT_EQ(hc_response_get_certificate(nullptr, 0, &certificate), HC_E_INVALID);
  EXPECT_EQ(hc_response_get_certificate(response, 0, nullptr), HC_E_INVALID);
  EXPECT_EQ(text(certificate), pki_.server().certificate_pem) << "a failure leaves it alone";
}

TEST_F(TlsIdentities, KeysAreLoggedOnlyWhereAHandleSaysSo) {
  ScratchDirectory scratch;
  std::string environment_file = scratch.file("environment.log");
  if (!is_child()) {
    ChildResult child = run_this_test_in_child(1000, {{"SSLKEYLOGFILE", environment_file}});
    EXPECT_EQ(child.exit_code, 0) << child.output;
    EXPECT_FALSE(std::filesystem::exists(environment_file) &&
                 std::filesystem::file_size(environment_file) > 0);
    return;
  }
  std::string log_file = scratch.file("keys.log");
  TlsHandle logging([&](hc_tls_options& o) {
    trusting_handle()(o);
    o.key_log_file = str(log_file);
  });
  Client client(trusting());
  EXPECT_TRUE(is(client.fetch(url()), HC_OK));
  EXPECT_EQ(scratch.read("keys.log"), "");
  EXPECT_TRUE(is(client.fetch(url(), logging.tune()), HC_OK));
  EXPECT_NE(scratch.read("keys.log").find("CLIENT_TRAFFIC_SECRET_0 "), std::string::npos);
}

// In turns over so many origins, with a new connection each time: how many of the handshakes that could be short ones
// were (docs/performance.md has the numbers).
class Resumption : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Origins, Resumption, testing::Values(1, 20, 100),
                         [](const testing::TestParamInfo<int>& origins) {
                           return std::to_string(origins.param);
                         });

TEST_P(Resumption, WorksOverManyOriginsInTurn) {
  constexpr int kRounds = 4;
  serve::TestPki pki;
  HttpServerOptions options;
  options.listeners[0].address = "0.0.0.0";
  options.listeners[0].tls = tls_with(pki.server());
  HttpServer server(options);
  server.start();
  Client client([](hc_session_options& o) {
    o.tls_verify = HC_OFF;  // the certificate has one of the addresses only
    o.force_close = HC_ON;
  });
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 1; i <= GetParam(); ++i) {
      std::string url = "https://" + loopback(i) + ":" + std::to_string(server.port()) + "/bytes/1";
      ASSERT_TRUE(is(client.fetch(url), HC_OK));
    }
  }
  int possible = (kRounds - 1) * GetParam();
  auto resumed = static_cast<int>(server.counters().tls_resumptions);
  RecordProperty("resumed_percent", resumed * 100 / possible);
  EXPECT_GE(resumed * 100, possible * (GetParam() == 1 ? 100 : 80));
}

// Against a server that is not ours.
class Nginx : public testing::Test {
 protected:
  Nginx() {
    port_ = free_port();
    std::string servers =
        "server { listen 127.0.0.1:" + std::to_string(port_) + " ssl; ssl_certificate " +
        pki_.server().certificate_path + "; ssl_certificate_key " + pki_.server().private_key_path +
        "; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:t:1m; ssl_client_certificate " +
        pki_.ca().certificate_path +
        "; ssl_verify_client optional; location / { return 200 "
        "\"$ssl_server_name $ssl_client_verify $ssl_session_reused $ssl_protocol $connection\"; } }";
    server_ =
        std::make_unique<RealServer>(nginx_command(scratch_, servers), port_, scratch_.file("nginx.out"));
  }
  std::string url() const { return "https://localhost:" + std::to_string(port_) + "/"; }

  serve::TestPki pki_;
  ScratchDirectory scratch_;
  uint16_t port_ = 0;
  std::unique_ptr<RealServer> server_;
};

TEST_F(Nginx, SeesOurCertificateAndTheNameWeAskFor) {
  Client client([&](hc_session_options& o) { o.ca_file = str(pki_.ca().certificate_path); });
  Outcome nobody = client.fetch(url());
  EXPECT_TRUE(is(nobody, HC_OK));
  EXPECT_TRUE(nobody.body.starts_with("localhost NONE . TLSv1.3 ")) << nobody.body;
  TlsHandle known([&](hc_tls_options& o) {
    o.ca_file = str(pki_.ca().certificate_path);
    o.certificate_file = str(pki_.client().certificate_path);
    o.key_file = str(pki_.client().private_key_path);
  });
  Outcome somebody = client.fetch(url(), known.tune());
  EXPECT_TRUE(somebody.body.starts_with("localhost SUCCESS . TLSv1.3 ")) << somebody.body;
  EXPECT_EQ(client.fetch(url()).body, nobody.body) << "two identities, two connections";
  EXPECT_EQ(client.fetch(url(), known.tune()).body, somebody.body);
  TlsHandle renamed([&](hc_tls_options& o) {
    o.verify = HC_OFF;
    o.server_name = HC_STR("other.test");
  });
  Outcome other = client.fetch(url(), renamed.tune());
  EXPECT_TRUE(other.body.starts_with("other.test NONE . ")) << other.body;
  TlsHandle by_address([&](hc_tls_options& o) {
    o.ca_file = str(pki_.ca().certificate_path);
    o.server_name = HC_STR("127.0.0.1");
  });
  Outcome unnamed = client.fetch(url(), by_address.tune());
  EXPECT_TRUE(is(unnamed, HC_OK));
  EXPECT_TRUE(unnamed.body.starts_with(" NONE . ")) << unnamed.body;
}

TEST_F(Nginx, ResumesSessionsOfAnIdentityWithACertificate) {
  TlsHandle known([&](hc_tls_options& o) {
    o.ca_file = str(pki_.ca().certificate_path);
    o.certificate_file = str(pki_.client().certificate_path);
    o.key_file = str(pki_.client().private_key_path);
  });
  Client client([&](hc_session_options& o) {
    o.tls = known.get();
    o.force_close = HC_ON;
  });
  EXPECT_TRUE(client.fetch(url()).body.starts_with("localhost SUCCESS . "));
  EXPECT_TRUE(client.fetch(url()).body.starts_with("localhost SUCCESS r "));
}

}  // namespace
}  // namespace hc::test
