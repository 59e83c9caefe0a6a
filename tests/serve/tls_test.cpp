// TestPki and HttpServer's TLS, seen by an OpenSSL client that verifies.
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <string>

#include "serve/http_server.h"
#include "serve/openssl_handles.h"
#include "serve/test_pki.h"
#include "support/tls_server.h"
#include "test_client.h"

namespace hc::serve::test {
namespace {

using hc::test::tls_with;

struct SessionDeleter {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, SessionDeleter>;

struct TlsClientOptions {
  const TestPki* trust = nullptr;
  const Credential* client = nullptr;
  int maximum_version = 0;
  SSL_SESSION* session = nullptr;
};

class TlsClient {
 public:
  TlsClient(std::uint16_t port, const TlsClientOptions& options) : socket_(connect_to(port)) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_load_verify_file(context_.get(), options.trust->ca().certificate_path.c_str());
    if (options.maximum_version != 0) SSL_CTX_set_max_proto_version(context_.get(), options.maximum_version);
    if (options.client != nullptr) {
      SSL_CTX_use_certificate_file(context_.get(), options.client->certificate_path.c_str(),
                                   SSL_FILETYPE_PEM);
      SSL_CTX_use_PrivateKey_file(context_.get(), options.client->private_key_path.c_str(), SSL_FILETYPE_PEM);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_.get());
    SSL_set1_host(ssl_.get(), "localhost");
    if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session);
    connected_ = SSL_connect(ssl_.get()) == 1;
    verify_result_ = SSL_get_verify_result(ssl_.get());
    ERR_clear_error();
  }

  bool connected() const { return connected_; }
  long verify_result() const { return verify_result_; }
  std::string version() const { return SSL_get_version(ssl_.get()); }

  /// The answer's last `size` bytes; shorter when the connection ends before.
  std::string get_body(const std::string& target, std::size_t size) {
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size()));
    std::string text;
    std::array<char, 16384> buffer;
    while (text.find("\r\n\r\n") == std::string::npos || text.size() < text.find("\r\n\r\n") + 4 + size) {
      const int count = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (count <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    const std::size_t head = text.find("\r\n\r\n");
    return head == std::string::npos ? "" : text.substr(head + 4);
  }

  /// What SSL_read says at the end of the connection.
  int read_error() {
    char byte;
    const int error = SSL_get_error(ssl_.get(), SSL_read(ssl_.get(), &byte, 1));
    ERR_clear_error();
    return error;
  }

  Session session() { return Session(SSL_get1_session(ssl_.get())); }

 private:
  Fd socket_;
  SslContext context_;
  Ssl ssl_;
  bool connected_ = false;
  long verify_result_ = 0;
};

class TlsTest : public ::testing::Test {
 protected:
  // OpenSSL writes without MSG_NOSIGNAL, and some servers here hang up on their clients.
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }

  std::unique_ptr<HttpServer> serve(TlsOptions tls) {
    auto server = std::make_unique<HttpServer>(HttpServerOptions{.listeners = {{.tls = std::move(tls)}}});
    server->start();
    return server;
  }
  const TestPki pki_;
};

TEST_F(TlsTest, ServesSmallAndLargeBodies) {
  const auto server = serve(tls_with(pki_.server()));
  TlsClient client(server->port(), {.trust = &pki_});
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.version(), "TLSv1.3");
  EXPECT_EQ(client.get_body("/bytes/10", 10), pattern(10));
  EXPECT_EQ(client.get_body("/bytes/2000000", 2'000'000), pattern(2'000'000));
  EXPECT_EQ(server->url().substr(0, 8), "https://");
  EXPECT_EQ(server->counters().tls_full_handshakes, 1u);
}

TEST_F(TlsTest, EachCredentialFailsInItsOwnWay) {
  const std::pair<const Credential*, long> expectations[] = {
      {&pki_.server(), X509_V_OK},
      {&pki_.wrong_name(), X509_V_ERR_HOSTNAME_MISMATCH},
      {&pki_.expired(), X509_V_ERR_CERT_HAS_EXPIRED},
      {&pki_.self_signed(), X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
  };
  for (const auto& [credential, result] : expectations) {
    const auto server = serve(tls_with(*credential));
    TlsClient client(server->port(), {.trust = &pki_});
    EXPECT_EQ(client.verify_result(), result) << credential->certificate_path;
    EXPECT_EQ(client.connected(), result == X509_V_OK);
    if (client.connected()) continue;
    EXPECT_TRUE(server->wait_until([](const Counters& now) { return now.tls_failures == 1; }));
  }
}

TEST_F(TlsTest, ClientCertificatesAreRequiredOnDemand) {
  TlsOptions tls = tls_with(pki_.server());
  tls.client_ca_pem = pki_.ca().certificate_pem;
  tls.require_client_certificate = true;
  const auto server = serve(tls);
  TlsClient known(server->port(), {.trust = &pki_, .client = &pki_.client()});
  EXPECT_EQ(known.get_body("/bytes/3", 3), pattern(3));
  TlsClient unknown(server->port(), {.trust = &pki_, .client = &pki_.other_client()});
  EXPECT_EQ(unknown.get_body("/bytes/3", 3), "");
  TlsClient none(server->port(), {.trust = &pki_});
  EXPECT_EQ(none.get_body("/bytes/3", 3), "");
  EXPECT_TRUE(server->wait_until([](const Counters& now) { return now.tls_failures == 2; }));
}

TEST_F(TlsTest, ResumptionIsCountedAndCanBeSwitchedOff) {
  for (const bool tickets : {true, false}) {
    TlsOptions tls = tls_with(pki_.server());
    tls.session_tickets = tickets;
    const auto server = serve(tls);
    TlsClient first(server->port(), {.trust = &pki_});
    first.get_body("/bytes/1", 1);  // the tickets of TLS 1.3 come with the first data
    const Session session = first.session();
    TlsClient second(server->port(), {.trust = &pki_, .session = session.get()});
    EXPECT_EQ(second.get_body("/bytes/1", 1), pattern(1));
    EXPECT_EQ(server->counters().tls_resumptions, tickets ? 1u : 0u);
    EXPECT_EQ(server->counters().tls_full_handshakes, tickets ? 1u : 2u);
  }
}

TEST_F(TlsTest, VersionsAreLimited) {
  TlsOptions tls = tls_with(pki_.server());
  tls.minimum_version = TlsVersion::kTls13;
  const auto server = serve(tls);
  EXPECT_FALSE(TlsClient(server->port(), {.trust = &pki_, .maximum_version = TLS1_2_VERSION}).connected());
  tls.minimum_version = TlsVersion::kTls12;
  tls.maximum_version = TlsVersion::kTls12;
  const auto older = serve(tls);
  EXPECT_EQ(TlsClient(older->port(), {.trust = &pki_}).version(), "TLSv1.2");
}

TEST_F(TlsTest, ClosesCleanlyOrTruncatesAsAsked) {
  const auto server = serve(tls_with(pki_.server()));
  TlsClient clean(server->port(), {.trust = &pki_});
  EXPECT_EQ(clean.get_body("/close", 4), "bye\n");
  EXPECT_EQ(clean.read_error(), SSL_ERROR_ZERO_RETURN);
  TlsClient cut(server->port(), {.trust = &pki_});
  EXPECT_EQ(cut.get_body("/truncate?claimed=9&sent=4", 4), pattern(4));
  EXPECT_NE(cut.read_error(), SSL_ERROR_ZERO_RETURN);
}

TEST_F(TlsTest, StalledHandshakesHangUntilReleased) {
  const auto server = serve(tls_with(pki_.server()));
  TlsClient before(server->port(), {.trust = &pki_});
  server->set_behaviour(Behaviour::kStallHandshake);
  EXPECT_EQ(before.get_body("/bytes/1", 1), pattern(1));
  TestClient stalled(server->port());
  stalled.send("not even a ClientHello");
  // On loopback an alert would be here within a millisecond.
  EXPECT_EQ(stalled.receive(30), Outcome::kTimeout);
  stalled.close();
  EXPECT_TRUE(server->wait_until([](const Counters& now) { return now.connections_open == 1; }));
  server->set_behaviour(Behaviour::kNormal);
  EXPECT_TRUE(TlsClient(server->port(), {.trust = &pki_}).connected());
}

TEST_F(TlsTest, UselessCertificatesAreRefusedAtOnce) {
  TlsOptions tls = tls_with(pki_.server());
  tls.private_key_pem = pki_.client().private_key_pem;
  EXPECT_THROW(HttpServer({.listeners = {{.tls = tls}}}), std::runtime_error);
}

TEST(TestPki, FilesGoAwayUnlessTheDirectoryWasGiven) {
  std::string temporary;
  {
    const TestPki pki;
    temporary = pki.directory();
    EXPECT_TRUE(std::filesystem::exists(pki.client().private_key_path));
    EXPECT_EQ(public_key_pin(pki.server()).substr(0, 8), "sha256//");
    EXPECT_EQ(certificate_fingerprint(pki.server()).size(), 64u);
  }
  EXPECT_FALSE(std::filesystem::exists(temporary));
}

}  // namespace
}  // namespace hc::serve::test
