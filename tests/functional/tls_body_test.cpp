// Bodies over TLS: what OpenSSL has read ahead of libcurl is neither forgotten nor waited for.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "serve/http_server.h"
#include "serve/openssl_handles.h"
#include "serve/test_pki.h"
#include "serve/tls_context.h"
#include "support/client.h"
#include "support/tls_server.h"

namespace hc::test {
namespace {

using serve::HttpServer;
using serve::HttpServerOptions;

HttpServerOptions with_tls() {
  HttpServerOptions options;
  options.listeners.resize(1);
  options.listeners[0].tls = tls_with(pki().server());
  return options;
}

void trust_and_hurry(hc_session_options& o) {
  o.ca_file = str(pki().ca().certificate_path);
  o.timeouts.sock_read_ms = 5000;  // what is forgotten would wait for ever
}

class TlsBodies : public testing::Test {
 protected:
  TlsBodies() : server_(with_tls()) { server_.start(); }
  std::string url(size_t bytes) const { return server_.url(0, "/bytes/" + std::to_string(bytes)); }

  HttpServer server_;
};

/// Reads in small pieces, and waits only when there is nothing.
std::string read_slowly(hc_response* response, hc_status* end) {
  std::string body;
  char piece[777];
  for (;;) {
    size_t count = 0;
    *end = hc_response_read(response, piece, sizeof piece, &count);
    if (*end == HC_E_AGAIN) {
      *end = hc_response_wait(response, HC_FOREVER);
    } else if (count == 0) {
      return body;
    }
    if (*end != HC_OK) return body;
    body.append(piece, count);
  }
}

TEST_F(TlsBodies, OfEveryLengthArriveWhole) {
  Client client(trust_and_hurry);
  for (size_t size : {0, 1, 100, 16'000, 16'383, 16'384, 16'385, 32'000, 33'000, 34'000, 50'000, 1'000'000}) {
    for (int round = 0; round < 10; ++round) {
      Outcome outcome = client.fetch(url(size + static_cast<size_t>(round)));
      ASSERT_TRUE(is(outcome, HC_OK)) << size;
      ASSERT_TRUE(outcome.body == serve::pattern(size + static_cast<size_t>(round))) << size;
    }
  }
  EXPECT_EQ(client.stats().connections_made, 1u) << "nothing was left over that made one unclean";
}

TEST_F(TlsBodies, AreHeldAndGoOnAgainAndAgain) {
  for (uint64_t window : {1024, 10'000, 30'000, 100'000}) {
    Client client([&](hc_session_options& o) {
      trust_and_hurry(o);
      o.body_window = window;
    });
    Outcome head = client.wait(client.submit(url(3'000'000), streamed));
    ASSERT_EQ(head.kind, HC_HEAD) << hc_status_name(head.status);
    hc_status end = HC_E_INTERNAL;
    EXPECT_TRUE(read_slowly(head.response.get(), &end) == serve::pattern(3'000'000)) << window;
    EXPECT_EQ(end, HC_OK) << window;
  }
}

/// Serves one connection. Each part of an answer is a TLS record, and all of them are written at once: so one read gets
/// several.
class RecordServer {
 public:
  explicit RecordServer(std::vector<std::string> answer, serve::TlsVersion version)
      : answer_(std::move(answer)),
        context_(serve::make_tls_context(options(version))),
        listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    bool listens = bind(listener_, plain, length) == 0 && listen(listener_, 1) == 0 &&
                   getsockname(listener_, plain, &length) == 0;
    if (!listens) throw std::runtime_error("RecordServer: no socket");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      while (serve_one()) {
      }
    });
  }
  ~RecordServer() {
    shutdown(listener_, SHUT_RDWR);  // if nobody came
    thread_.join();
    close(listener_);
  }
  RecordServer(const RecordServer&) = delete;
  RecordServer& operator=(const RecordServer&) = delete;

  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  static serve::TlsOptions options(serve::TlsVersion version) {
    serve::TlsOptions options = tls_with(pki().server());
    options.minimum_version = options.maximum_version = version;
    return options;
  }

  // To its end: this server answers no close_notify.
  bool serve_one() {
    int fd = accept(listener_, nullptr, nullptr);
    if (fd < 0) return false;
    tls_.reset(SSL_new(context_.get()));
    SSL_set_bio(tls_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(tls_.get());
    char request[4096];  // a request is one record
    while (SSL_read(tls_.get(), request, sizeof request) > 0 ? answer(fd) : exchange(fd)) {
    }
    close(fd);
    return true;
  }

  bool answer(int fd) {
    if (answer_.empty()) return alert(fd);
    for (const std::string& part : answer_) SSL_write(tls_.get(), part.data(), static_cast<int>(part.size()));
    return send_all(fd);
  }

  // OpenSSL's own answer to a record that nobody can read.
  bool alert(int fd) {
    constexpr char kGarbage[] = "\x17\x03\x03\x00\x20garbagegarbagegarbagegarbagegarb";
    BIO_write(SSL_get_rbio(tls_.get()), kGarbage, sizeof kGarbage - 1);
    char byte = 0;
    SSL_read(tls_.get(), &byte, 1);
    send_all(fd);
    return false;
  }

  bool exchange(int fd) {
    if (!send_all(fd)) return false;
    char bytes[4096];
    ssize_t count = recv(fd, bytes, sizeof bytes, 0);
    return count > 0 && BIO_write(SSL_get_rbio(tls_.get()), bytes, static_cast<int>(count)) == count;
  }

  bool send_all(int fd) {
    char* bytes = nullptr;
    BIO* written = SSL_get_wbio(tls_.get());
    auto size = static_cast<size_t>(BIO_get_mem_data(written, &bytes));
    bool was_sent = send(fd, bytes, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size);
    BIO_reset(written);
    return was_sent;
  }

  const std::vector<std::string> answer_;
  serve::SslContext context_;
  serve::Ssl tls_;
  int listener_;
  uint16_t port_ = 0;
  std::thread thread_;
};

std::vector<std::string> byte_by_byte(std::string_view text) {
  std::vector<std::string> bytes;
  for (char byte : text) bytes.emplace_back(1, byte);
  return bytes;
}

// Twice: the second one over a connection that was idle.
void expect_hello(const std::vector<std::string>& answer) {
  for (serve::TlsVersion version : {serve::TlsVersion::kTls12, serve::TlsVersion::kTls13}) {
    RecordServer server(answer, version);
    Client client(trust_and_hurry);
    for (bool is_second : {false, true}) {
      Outcome outcome = client.fetch(server.url());
      EXPECT_TRUE(is(outcome, HC_OK));
      EXPECT_EQ(outcome.body, "hello");
      EXPECT_EQ(outcome.was_reused(), is_second);
    }
  }
}

// libcurl has nothing to give after such records, and OpenSSL has the next ones already.
TEST(TlsRecords, WithTheFramesOfChunksOnlyAreReadOn) {
  expect_hello({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\n", "he", "llo", "\r\n",
                "0\r\n", "\r\n"});
}

// Newer versions of libcurl wait for the server's close_notify, and the connection is out of their pool meanwhile.
void expect_one_attempt_each(std::string_view head, uint8_t force_close) {
  RecordServer server({std::string(head) + "Content-Length: 5\r\n\r\nhello"}, serve::TlsVersion::kTls13);
  Client client([&](hc_session_options& o) {
    trust_and_hurry(o);
    o.force_close = force_close;
  });
  for (int round = 0; round < 3; ++round) {
    Outcome outcome = client.fetch(server.url());
    ASSERT_TRUE(is(outcome, HC_OK)) << head;
    EXPECT_EQ(outcome.info().attempts, 1u) << head;
    EXPECT_FALSE(outcome.was_reused());
  }
  EXPECT_EQ(client.stats().connections_made, 3u);
}

TEST(TlsEnds, WhatMayNotBeUsedAgainIsNotOffered) {
  expect_one_attempt_each("HTTP/1.1 200 OK\r\n", HC_ON);
  expect_one_attempt_each("HTTP/1.1 200 OK\r\nConnection: close\r\n", HC_OFF);
  expect_one_attempt_each("HTTP/1.1 200 OK\r\nconnection: foo , CLOSE\r\n", HC_OFF);
  expect_one_attempt_each("HTTP/1.0 200 OK\r\n", HC_OFF);
}

// HC_E_TLS would say that nothing was sent.
TEST(TlsEnds, AnAlertInPlaceOfAnAnswerIsAnEndOfTheConnection) {
  for (serve::TlsVersion version : {serve::TlsVersion::kTls12, serve::TlsVersion::kTls13}) {
    RecordServer server({}, version);
    Client client(trust_and_hurry);
    Outcome outcome = client.fetch(server.url(), [](hc_request& r) {
      r.method = HC_STR("POST");
      r.body = HC_STR("once");
    });
    EXPECT_TRUE(is(outcome, HC_E_DISCONNECTED));
    EXPECT_EQ(outcome.info().attempts, 1u);
  }
}

TEST(TlsRecords, OfOneByteAreReadOn) {
  expect_hello(byte_by_byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  expect_hello(byte_by_byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
}

}  // namespace
}  // namespace hc::test
