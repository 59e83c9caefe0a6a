// Bodies over TLS: what OpenSSL has read ahead of libcurl is neither forgotten nor waited for.
#include <gtest/gtest.h>

#include "serve/http_server.h"
#include "serve/test_pki.h"
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

}  // namespace
}  // namespace hc::test
