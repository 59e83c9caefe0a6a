// What a cancel or a timeout does to the connection, row by row, counted at the server.
#include <gtest/gtest.h>

#include "serve/dead_ends.h"
#include "serve/dns_server.h"
#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "support/client.h"
#include "support/held.h"
#include "support/tls_server.h"
#include "support/trace_events.h"

namespace hc::test {
namespace {

using serve::Counters;
using serve::HttpServer;

enum class How { kCancel, kTimeout };

class CancelTable : public testing::TestWithParam<How> {
 protected:
  void SetUp() override { server_.start(); }

  /// The request is in its phase now: ends it by cancel, or waits for its timeout.
  void expect_ended(Client& client, hc_id id, int32_t phase) {
    if (GetParam() == How::kCancel) client.cancel(id);
    hc_status expected = GetParam() == How::kCancel ? HC_E_CANCELLED : HC_E_TIMEOUT_TOTAL;
    EXPECT_TRUE(is(client.wait(id), expected, phase));
  }
  /// For the request that shall end early; `body` as with_body().
  Tune doomed(std::string_view method = {}, std::string_view body = {}) {
    uint64_t total = GetParam() == How::kCancel ? 0 : 1'000;  // to come to its phase
    return [=](hc_request& r) {
      r.timeouts.total_ms = total;
      if (!method.empty()) r.method = str(method);
      if (!body.empty()) r.body = str(body);
    };
  }
  bool at_server(const std::function<bool(const Counters&)>& condition) {
    return server_.wait_until(condition);
  }
  bool open_become(uint64_t count) {
    return at_server([=](const Counters& c) { return c.connections_open == count; });
  }
  std::string url(std::string_view path) const { return server_.url(0, path); }

  HttpServer server_;
};

INSTANTIATE_TEST_SUITE_P(By, CancelTable, testing::Values(How::kCancel, How::kTimeout),
                         [](const auto& param) {
                           return param.param == How::kCancel ? "Cancel" : "Timeout";
                         });

TEST_P(CancelTable, WaitingTouchesNone) {
  Client client([](hc_session_options& o) { o.limit = 1; });
  Held running(client, url("/echo"));
  ASSERT_TRUE(at_server([](const Counters& c) { return c.requests == 1; }));
  hc_id waiting = client.submit(url("/bytes/1"), doomed());
  ASSERT_TRUE(client.stats_become([](const hc_stats& s) { return s.waiting == 1; }));
  expect_ended(client, waiting, HC_PHASE_WAITING);
  running.release();
  EXPECT_TRUE(is(client.wait(running.id()), HC_OK));
  EXPECT_TRUE(client.fetch(url("/bytes/1")).was_reused());
  EXPECT_EQ(server_.counters().connections_accepted, 1u);
  EXPECT_EQ(server_.counters().requests, 2u);
}

TEST_P(CancelTable, ResolvingTouchesNoneAndFreesTheSlot) {
  serve::DnsServer dns({.default_reply = serve::DnsReply::silence()});
  dns.start();
  std::string nameserver = dns.endpoint();
  Client client([&](hc_session_options& o) {
    o.limit = 1;
    o.nameservers = str(nameserver);
    o.timeouts.dns_ms = 0;
  });
  hc_id id = client.submit("http://silent.test:" + std::to_string(server_.port()) + "/", doomed());
  ASSERT_TRUE(dns.wait_for_queries(1));
  expect_ended(client, id, HC_PHASE_RESOLVING);
  EXPECT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
  EXPECT_EQ(client.stats().sockets_opened, 1u);
}

TEST_P(CancelTable, ConnectingIsClosedAndTheSlotIsFreeAtOnce) {
  serve::BlackHole hole;
  Client client([](hc_session_options& o) { o.limit = 1; });
  hc_id id = client.submit("http://127.0.0.1:" + std::to_string(hole.port()) + "/", doomed());
  ASSERT_TRUE(client.stats_become([](const hc_stats& s) { return s.sockets_connecting == 1; }));
  expect_ended(client, id, HC_PHASE_CONNECTING);
  hc_stats stats = client.stats();
  EXPECT_EQ(stats.sockets_connecting, 0u);
  EXPECT_EQ(stats.sockets_closed, 1u) << "no janitor is needed for it";
  Stopwatch watch;
  EXPECT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
  EXPECT_LT(watch.elapsed(), milliseconds(3'000));
}

TEST_P(CancelTable, ConnectingTlsIsClosed) {
  serve::TestPki pki;
  serve::HttpServerOptions options;
  options.listeners[0].tls = tls_with(pki.server());
  options.listeners[0].behaviour = serve::Behaviour::kStallHandshake;
  HttpServer stalling(options);
  stalling.start();
  Client client([&](hc_session_options& o) {
    o.limit = 1;
    o.ca_file = str(pki.ca().certificate_path);
  });
  hc_id id = client.submit(stalling.url(), doomed());
  ASSERT_TRUE(stalling.wait_until([](const Counters& c) { return c.connections_open == 1; }));
  expect_ended(client, id, HC_PHASE_CONNECTING);
  EXPECT_TRUE(stalling.wait_until([](const Counters& c) { return c.connections_open == 0; }));
  EXPECT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
}

TEST_P(CancelTable, SendingIsClosed) {
  std::string body(30'000'000, 'b');
  Client client([](hc_session_options& o) { o.limit = 1; });
  client.fetch(url("/bytes/1"));
  hc_id id = client.submit(url("/upload/slow?ms=20000"), doomed("POST", body));
  ASSERT_TRUE(at_server([](const Counters& c) { return c.requests == 2; }));
  expect_ended(client, id, HC_PHASE_SENDING);
  EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused());
}

TEST_P(CancelTable, AwaitingIsClosed) {
  Client client;
  client.fetch(url("/bytes/1"));
  hc_id id = client.submit(url("/hang"), doomed());
  ASSERT_TRUE(at_server([](const Counters& c) { return c.requests == 2; }));
  expect_ended(client, id, HC_PHASE_AWAITING);
  EXPECT_TRUE(open_become(0));
  EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused());
}

TEST_P(CancelTable, ReceivingTheHeadIsClosed) {
  Client client;
  hc_id id = client.submit(url("/drip?head=1&bytes=1000&every_ms=20"), doomed());
  ASSERT_TRUE(at_server([](const Counters& c) { return c.bytes_out > 0; }));
  // Bytes of an incomplete status line do not count as a response yet: libcurl shows whole lines (F12).
  if (GetParam() == How::kCancel) client.cancel(id);
  EXPECT_NE(client.wait(id).status, HC_OK);
  EXPECT_TRUE(open_become(0));
}

TEST_P(CancelTable, ReceivingTheBodyIsClosed) {
  TraceEvents events{hc_trace_name};
  Client client([&](hc_session_options& o) { events.attach(o); });
  client.fetch(url("/bytes/1"));
  hc_id id = client.submit(url("/drip?bytes=1000000&chunk=100&every_ms=10"), doomed());
  ASSERT_TRUE(eventually([&] { return events.find(id, HC_TRACE_RESPONSE_CHUNK_RECEIVED).bytes > 0; }));
  expect_ended(client, id, HC_PHASE_RECEIVING);
  EXPECT_TRUE(open_become(0));
  EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused());
}

TEST_P(CancelTable, AfterTheLastByteItIsKept) {
  Client client;
  hc_id id = client.submit(url("/bytes/100"), doomed());
  ASSERT_EQ(hc_queue_wait(client.queue().get(), 30'000, nullptr), HC_OK);
  client.cancel(id);
  EXPECT_TRUE(is(client.wait(id), HC_OK));
  EXPECT_TRUE(client.fetch(url("/bytes/1")).was_reused());
}

// Cancels at moving points: whatever the point is, books and server agree in the end.
TEST_P(CancelTable, AtEveryMoment) {
  if (GetParam() == How::kTimeout) return;
  Client client([](hc_session_options& o) { o.limit = 3; });
  for (int i = 0; i < 400; ++i) {
    hc_id id = client.submit(url(i % 3 == 0 ? "/bytes/100000" : "/bytes/10"), with_body("POST", "x"));
    for (int spin = 0; spin < (i % 40) * 500; ++spin) asm volatile("");
    client.cancel(id);
    Outcome outcome = client.wait(id);
    EXPECT_TRUE(outcome.status == HC_OK || outcome.status == HC_E_CANCELLED) << outcome.message();
  }
  EXPECT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
  hc_stats stats = client.stats();
  EXPECT_TRUE(open_become(stats.sockets_idle));
  EXPECT_LE(stats.sockets_peak, 3u);
}

// Answers with something behind them.
class BytesBehind : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    server_.handle("/raw",
                   [](const serve::RequestView&, serve::ResponseWriter& writer) { writer.raw(GetParam()); });
    server_.start();
  }
  Outcome fetch_after_raw() {
    client_.fetch(server_.url(0, "/raw"), [](hc_request& r) { r.timeouts.total_ms = 1'000; });
    Outcome next = client_.fetch(server_.url(0, "/bytes/9"));
    EXPECT_TRUE(is(next, HC_OK));
    EXPECT_EQ(next.body, serve::pattern(9)) << "never an answer, whatever becomes of the connection";
    return next;
  }

  HttpServer server_;
  Client client_;
};

class NeverPooled : public BytesBehind {};

TEST_P(NeverPooled, TheConnectionIsClosed) { EXPECT_FALSE(fetch_after_raw().was_reused()); }

INSTANTIATE_TEST_SUITE_P(
    Raw, NeverPooled,
    testing::Values("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokand more",
                    "HTTP/1.1 204 No Content\r\n\r\n" + std::string(40'000, 'x'),
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" +
                        std::string(40'000, 'x')));

// libcurl 7.88 reads these bytes together with the answer and drops them without a word to us: the connection is
// clean again, and kept.
class DroppedByLibcurl : public BytesBehind {};

TEST_P(DroppedByLibcurl, IsNeverAnAnswer) { fetch_after_raw(); }

INSTANTIATE_TEST_SUITE_P(
    Raw, DroppedByLibcurl,
    testing::Values("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
                    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"));

TEST(CancelWhileUploading, AHalfSentBodyEndsTheConnectionEvenWhenTheAnswerIsWhole) {
  HttpServer server;
  server.start();
  std::string body(30'000'000, 'b');
  Client client;
  Outcome early = client.fetch(server.url(0, "/upload/early"), with_body("POST", body));
  EXPECT_TRUE(is(early, HC_OK));
  EXPECT_EQ(early.body, "early\n");
  Outcome next = client.fetch(server.url(0, "/bytes/9"));
  EXPECT_EQ(next.body, serve::pattern(9));
}

}  // namespace
}  // namespace hc::test
