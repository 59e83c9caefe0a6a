// Whom a session trusts: which certificates of a bundle are found, and when.
#include <gtest/gtest.h>

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

// The system's authorities in its place would be a hundred more than somebody meant to trust.
TEST_F(TlsTrust, ABundleOfTheEnvironmentMustBeReadable) {
  setenv("SSL_CERT_FILE", "/no/such/bundle.pem", 1);
  hc_session* session = nullptr;
  hc_tls* tls = nullptr;
  hc_error error;
  hc_error_init(&error, sizeof error);
  EXPECT_EQ(hc_session_create(&session, nullptr, &error), HC_E_TLS_CONFIG);
  EXPECT_STREQ(error.message, "ca_file: cannot open /no/such/bundle.pem: No such file or directory");
  EXPECT_EQ(hc_tls_create(&tls, nullptr, &error), HC_E_TLS_CONFIG);
  hc_session_options trusting;
  ASSERT_EQ(hc_session_options_init(&trusting, sizeof trusting), HC_OK);
  trusting.tls_verify = HC_OFF;
  EXPECT_EQ(hc_session_create(&session, &trusting, &error), HC_OK) << "nobody asks an authority";
  hc_session_free(session);
  setenv("SSL_CERT_FILE", "", 1);
  EXPECT_EQ(hc_session_create(&session, nullptr, &error), HC_OK) << "as if it were not set";
  hc_session_free(session);
  unsetenv("SSL_CERT_FILE");
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
