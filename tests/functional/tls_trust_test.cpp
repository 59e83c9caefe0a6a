// Whom a session trusts: which certificates of a bundle are found, and when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "support/client.h"
#include "support/tls_handle.h"
#include "support/tls_server.h"

namespace hc::test {
namespace {

class TlsTrust : public testing::Test {
 protected:
  TlsTrust() : server_(options()) { server_.start(); }

  serve::HttpServerOptions options() {
    serve::HttpServerOptions options;
    options.listeners[0].tls = tls_with(pki_.server());
    options.listeners.emplace_back().tls = tls_with(pki_.self_signed());
    return options;
  }

  /// What a request to a listener ends with when its session trusts these.
  hc_status fetch(size_t listener, const std::string& bundle) {
    TlsHandle handle([&](hc_tls_options& o) { o.ca_pem = str(bundle); });
    Client client([&](hc_session_options& o) { o.tls = handle.get(); });
    return client.fetch(server_.url(listener, "/bytes/1")).status;
  }

  const serve::TestPki pki_;
  const serve::TestPki namesake_;  // its authority has the same name and another key
  serve::HttpServer server_;
};

// The system's authorities in its place would be a hundred more than somebody meant to trust. Nor is it a reason not to
// speak http.
TEST_F(TlsTrust, NobodyIsTrustedForABundleOfTheEnvironmentThatCannotBeRead) {
  const char* usual = std::getenv("SSL_CERT_FILE");
  const std::string before = usual == nullptr ? "" : usual;
  setenv("SSL_CERT_FILE", "/no/such/bundle.pem", 1);
  Client client;
  TlsHandle own([](hc_tls_options&) {});
  Client with_handle([&](hc_session_options& o) { o.tls = own.get(); });
  Client trusting([](hc_session_options& o) { o.tls_verify = HC_OFF; });
  setenv("SSL_CERT_FILE", before.c_str(), 1);  // empty is as if it were not set
  for (Client* strict : {&client, &with_handle}) {
    Outcome outcome = strict->fetch(server_.url(0, "/bytes/1"));
    EXPECT_TRUE(is(outcome, HC_E_TLS_VERIFY));
    EXPECT_THAT(outcome.message(),
                testing::HasSubstr("SSL_CERT_FILE: cannot open /no/such/bundle.pem: No such file"));
  }
  EXPECT_TRUE(is(trusting.fetch(server_.url(0, "/bytes/1")), HC_OK));
}

TEST_F(TlsTrust, AnAuthorityIsFoundWhereverItStands) {
  const std::string& ours = pki_.ca().certificate_pem;
  const std::string& other = pki_.other_ca().certificate_pem;
  EXPECT_EQ(fetch(0, ours + other), HC_OK);
  EXPECT_EQ(fetch(0, other + "and some words\n" + ours), HC_OK);
  EXPECT_EQ(fetch(0, other + other), HC_E_TLS_VERIFY);
}

TEST_F(TlsTrust, AuthoritiesOfOneNameAreAllTried) {
  const std::string& ours = pki_.ca().certificate_pem;
  const std::string& namesake = namesake_.ca().certificate_pem;
  EXPECT_EQ(fetch(0, ours + namesake), HC_OK);
  EXPECT_EQ(fetch(0, namesake + ours), HC_OK);
  EXPECT_EQ(fetch(0, namesake), HC_E_TLS_VERIFY);
}

TEST_F(TlsTrust, AServersOwnCertificateMayBeTrusted) {
  EXPECT_EQ(fetch(1, pki_.self_signed().certificate_pem), HC_OK);
  EXPECT_EQ(fetch(1, pki_.ca().certificate_pem), HC_E_TLS_VERIFY);
  EXPECT_EQ(fetch(0, pki_.server().certificate_pem), HC_OK) << "a chain may end before its root";
}

TEST_F(TlsTrust, OneStoreServesConnectionsToSeveralAuthorities) {
  std::string both = pki_.ca().certificate_pem + pki_.self_signed().certificate_pem;
  TlsHandle handle([&](hc_tls_options& o) { o.ca_pem = str(both); });
  Client client([&](hc_session_options& o) { o.tls = handle.get(); });
  for (size_t listener : {0, 1, 0, 1}) {
    EXPECT_TRUE(
        is(client.fetch(server_.url(listener, "/bytes/1"), [](hc_request& r) { r.force_close = HC_ON; }),
           HC_OK));
  }
}

}  // namespace
}  // namespace hc::test
