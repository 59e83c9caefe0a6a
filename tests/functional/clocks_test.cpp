// The eight clocks over real sockets: never early, late within reason, and each says where it fired.
#include <gtest/gtest.h>

#include <thread>

#include "serve/dead_ends.h"
#include "serve/dns_server.h"
#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "support/client.h"
#include "support/held.h"
#include "support/raw_server.h"
#include "support/tls_server.h"
#include "support/upload_source.h"

namespace hc::test {
namespace {

using serve::Behaviour;
using serve::Counters;
using serve::DnsReply;
using serve::HttpServer;

// Long enough to come to the phase that is looked for, on a busy machine, too.
constexpr uint64_t kClock = 500;
// A busy machine may be late; a clock that is not armed is later than this.
constexpr uint64_t kReasonable = kClock + 5'000;

class ClocksTest : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }

  std::string url(std::string_view path) const { return server_.url(0, path); }
  std::string nowhere(const serve::BlackHole& hole) const {
    return "http://127.0.0.1:" + std::to_string(hole.port()) + "/";
  }
  /// The clock `name` ended it, after `clock_ms` by the library's and by the test's measure.
  void expect_fired(const Outcome& outcome, hc_status status, int32_t phase, std::string_view name,
                    uint64_t clock_ms = kClock) {
    ASSERT_TRUE(is(outcome, status, phase));
    uint64_t done_ms = outcome.info().timing.done_ns / 1'000'000;
    EXPECT_GE(done_ms, clock_ms) << "early";
    EXPECT_LE(done_ms, clock_ms + kReasonable) << "late";
    EXPECT_EQ(outcome.message().rfind(std::string(name) + " timeout", 0), 0u) << outcome.message();
    EXPECT_NE(outcome.message().find(hc_phase_name(phase)), std::string::npos) << outcome.message();
    EXPECT_GT(outcome.error().phase_ns, 0u);
    EXPECT_LE(outcome.error().phase_ns, outcome.info().timing.done_ns);
  }

  HttpServer server_;
  const Tune total_ = [](hc_request& r) { r.timeouts.total_ms = kClock; };
};

TEST_F(ClocksTest, TotalWhileAwaiting) {
  Client client;
  Stopwatch watch;
  expect_fired(client.fetch(url("/hang"), total_), HC_E_TIMEOUT_TOTAL, HC_PHASE_AWAITING, "total");
  EXPECT_GE(watch.elapsed().count(), static_cast<int64_t>(kClock));
}

TEST_F(ClocksTest, TotalWhileWaiting) {
  Client client([](hc_session_options& o) { o.limit = 1; });
  client.submit(url("/hang"));
  expect_fired(client.fetch(url("/bytes/1"), total_), HC_E_TIMEOUT_TOTAL, HC_PHASE_WAITING, "total");
}

TEST_F(ClocksTest, TotalWhileResolving) {
  serve::DnsServer dns({.default_reply = DnsReply::silence()});
  dns.start();
  std::string nameserver = dns.endpoint();
  Client client([&](hc_session_options& o) { o.nameservers = str(nameserver); });
  expect_fired(client.fetch("http://a.test/", total_), HC_E_TIMEOUT_TOTAL, HC_PHASE_RESOLVING, "total");
}

TEST_F(ClocksTest, TotalWhileConnecting) {
  serve::BlackHole hole;
  Client client;
  expect_fired(client.fetch(nowhere(hole), total_), HC_E_TIMEOUT_TOTAL, HC_PHASE_CONNECTING, "total");
}

TEST_F(ClocksTest, TotalWhileSending) {
  server_.set_behaviour(Behaviour::kNoReads);
  std::string body(30'000'000, 'b');
  Client client;
  Outcome outcome = client.fetch(url("/upload"), [&](hc_request& r) {
    with_body("POST", body)(r);
    total_(r);
  });
  expect_fired(outcome, HC_E_TIMEOUT_TOTAL, HC_PHASE_SENDING, "total");
}

TEST_F(ClocksTest, TotalWhileReceiving) {
  Client client;
  expect_fired(client.fetch(url("/drip?bytes=100000&every_ms=5"), total_), HC_E_TIMEOUT_TOTAL,
               HC_PHASE_RECEIVING, "total");
}

TEST_F(ClocksTest, TotalGoesOnThroughEveryPhase) {
  Client client([](hc_session_options& o) { o.limit = 1; });
  Held held(client, url("/echo"));
  hc_id id =
      client.submit(url("/drip?bytes=100000&every_ms=5"), [](hc_request& r) { r.timeouts.total_ms = 1'000; });
  Stopwatch watch;
  ASSERT_TRUE(client.stats_become([](const hc_stats& s) { return s.waiting == 1; }));
  std::this_thread::sleep_for(milliseconds(100));  // a part of the time that is for everything
  auto waited = static_cast<uint64_t>(std::chrono::nanoseconds(watch.elapsed()).count());
  held.release();
  Outcome outcome = client.wait(id);
  expect_fired(outcome, HC_E_TIMEOUT_TOTAL, HC_PHASE_RECEIVING, "total", 1'000);
  EXPECT_LE(outcome.error().phase_ns + waited, outcome.info().timing.done_ns)
      << "the phase began after the wait";
}

TEST_F(ClocksTest, TotalIsNotRestartedByARepetition) {
  Client client;
  client.fetch(url("/bytes/1"));
  server_.handle("/stale", [](const serve::RequestView& request, serve::ResponseWriter& writer) {
    if (request.request_on_connection == 1) return writer.hang();
    writer.wait(milliseconds(100));
    writer.end(serve::Ending::kFin);
  });
  Outcome outcome = client.fetch(url("/stale"), [](hc_request& r) { r.timeouts.total_ms = 600; });
  expect_fired(outcome, HC_E_TIMEOUT_TOTAL, HC_PHASE_AWAITING, "total", 600);
  EXPECT_LE(outcome.error().phase_ns + 100'000'000u, outcome.info().timing.done_ns);
  EXPECT_EQ(client.stats().stale_retries, 1u);
}

TEST_F(ClocksTest, NeverEarlyWhateverTheLength) {
  Client client([](hc_session_options& o) { o.limit = 0; });
  std::vector<std::pair<hc_id, uint64_t>> clocks;
  for (uint64_t ms = 1; ms <= 100; ++ms) {
    clocks.emplace_back(client.submit(url("/hang"), [=](hc_request& r) { r.timeouts.total_ms = ms; }), ms);
  }
  for (const auto& [id, ms] : clocks) {
    Outcome outcome = client.wait(id);
    EXPECT_TRUE(is(outcome, HC_E_TIMEOUT_TOTAL));
    EXPECT_GE(outcome.info().timing.done_ns, ms * 1'000'000);
  }
}

TEST_F(ClocksTest, PoolRunsWhileWaiting) {
  Client client([](hc_session_options& o) {
    o.limit = 1;
    o.timeouts.pool_ms = kClock;
  });
  Held running(client, url("/echo"));
  ASSERT_TRUE(server_.wait_until([](const Counters& c) { return c.requests == 1; }));
  expect_fired(client.fetch(url("/bytes/1")), HC_E_TIMEOUT_POOL, HC_PHASE_WAITING, "pool");
  running.release();
  EXPECT_TRUE(is(client.wait(running.id()), HC_OK)) << "it had its slot at once";
}

TEST_F(ClocksTest, DnsRunsOverTheLookup) {
  serve::DnsServer dns({.default_reply = DnsReply::silence()});
  dns.start();
  std::string nameserver = dns.endpoint();
  Client client([&](hc_session_options& o) {
    o.nameservers = str(nameserver);
    o.timeouts.dns_ms = kClock;
  });
  expect_fired(client.fetch("http://silent.test/"), HC_E_TIMEOUT_DNS, HC_PHASE_RESOLVING, "dns");
}

TEST_F(ClocksTest, DnsOfOneDoesNotEndTheOthers) {
  serve::DnsServer dns({.default_reply = DnsReply::addresses({"127.0.0.1"}).delayed(milliseconds(1'500))});
  dns.start();
  std::string nameserver = dns.endpoint();
  Client client([&](hc_session_options& o) { o.nameservers = str(nameserver); });
  std::string slow = "http://slow.test:" + std::to_string(server_.port()) + "/bytes/1";
  hc_id patient = client.submit(slow);
  hc_id hasty = client.submit(slow, [](hc_request& r) { r.timeouts.dns_ms = kClock; });
  expect_fired(client.wait(hasty), HC_E_TIMEOUT_DNS, HC_PHASE_RESOLVING, "dns");
  EXPECT_TRUE(is(client.wait(patient), HC_OK));
}

TEST_F(ClocksTest, ConnectRunsOverTheConnect) {
  serve::BlackHole hole;
  Client client([](hc_session_options& o) { o.timeouts.connect_ms = kClock; });
  expect_fired(client.fetch(nowhere(hole)), HC_E_TIMEOUT_CONNECT, HC_PHASE_CONNECTING, "connect");
}

TEST_F(ClocksTest, ConnectRunsOverWaitingAndResolvingToo) {
  serve::DnsServer dns({.default_reply = DnsReply::silence()});
  dns.start();
  std::string nameserver = dns.endpoint();
  Client client([&](hc_session_options& o) {
    o.limit = 1;
    o.nameservers = str(nameserver);
  });
  auto connect = [](hc_request& r) { r.timeouts.connect_ms = kClock; };
  expect_fired(client.fetch("http://silent.test/", connect), HC_E_TIMEOUT_CONNECT, HC_PHASE_RESOLVING,
               "connect");
  client.submit(url("/hang"));
  expect_fired(client.fetch(url("/bytes/1"), connect), HC_E_TIMEOUT_CONNECT, HC_PHASE_WAITING, "connect");
}

TEST_F(ClocksTest, ConnectIsNotCountedOnReuse) {
  Client client;
  client.fetch(url("/bytes/1"));
  Outcome outcome = client.fetch(url("/delay/400"), [](hc_request& r) {
    r.timeouts.connect_ms = 200;
    r.timeouts.sock_connect_ms = 200;
  });
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_TRUE(outcome.was_reused());
}

TEST_F(ClocksTest, ConnectEndsWithTheConnect) {
  Client client;
  auto connect = [](hc_request& r) { r.timeouts.connect_ms = r.timeouts.sock_connect_ms = 1'000; };
  EXPECT_TRUE(is(client.fetch(url("/delay/1500"), connect), HC_OK));
}

TEST_F(ClocksTest, SockConnectRunsOverTheConnect) {
  serve::BlackHole hole;
  Client client([](hc_session_options& o) { o.timeouts.sock_connect_ms = kClock; });
  expect_fired(client.fetch(nowhere(hole)), HC_E_TIMEOUT_SOCK_CONNECT, HC_PHASE_CONNECTING, "sock_connect");
}

TEST_F(ClocksTest, SockConnectDoesNotRunWhileWaitingOrResolving) {
  serve::DnsServer dns({.default_reply = DnsReply::addresses({"127.0.0.1"}).delayed(milliseconds(1'500))});
  dns.start();
  std::string nameserver = dns.endpoint();
  Client client([&](hc_session_options& o) {
    o.nameservers = str(nameserver);
    o.timeouts.sock_connect_ms = 1'000;
  });
  EXPECT_TRUE(is(client.fetch("http://slow.test:" + std::to_string(server_.port()) + "/bytes/1"), HC_OK));
}

TEST_F(ClocksTest, SockConnectCoversAllAddressesTogether) {
  serve::BlackHole first("127.0.0.2");
  serve::BlackHole second("127.0.0.3", first.port());
  hc_str addresses[] = {HC_STR("127.0.0.2"), HC_STR("127.0.0.3")};
  Client client([](hc_session_options& o) { o.happy_eyeballs_ms = 100; });
  Outcome outcome = client.fetch("http://a.test:" + std::to_string(first.port()) + "/", [&](hc_request& r) {
    r.addresses = addresses;
    r.address_count = 2;
    r.timeouts.sock_connect_ms = 300;
  });
  expect_fired(outcome, HC_E_TIMEOUT_SOCK_CONNECT, HC_PHASE_CONNECTING, "sock_connect", 300);
  EXPECT_EQ(client.stats().sockets_opened, 2u);
}

TEST_F(ClocksTest, SockConnectCoversTls) {
  serve::TestPki pki;
  serve::HttpServerOptions options;
  options.listeners[0].tls = tls_with(pki.server());
  options.listeners[0].behaviour = Behaviour::kStallHandshake;
  HttpServer stalling(options);
  stalling.start();
  Client client([](hc_session_options& o) { o.timeouts.sock_connect_ms = kClock; });
  expect_fired(client.fetch(stalling.url()), HC_E_TIMEOUT_SOCK_CONNECT, HC_PHASE_CONNECTING, "sock_connect");
}

class ReadClocks : public ClocksTest {
 protected:
  const Tune sock_read_ = [](hc_request& r) { r.timeouts.sock_read_ms = kClock; };
};

TEST_F(ReadClocks, SockReadFiresBeforeTheAnswer) {
  Client client;
  expect_fired(client.fetch(url("/hang"), sock_read_), HC_E_TIMEOUT_SOCK_READ, HC_PHASE_AWAITING,
               "sock_read");
}

TEST_F(ReadClocks, SockReadFiresInTheBody) {
  server_.handle("/half", [](const serve::RequestView&, serve::ResponseWriter& writer) {
    writer.begin(200, "text/plain", 100);
    writer.raw_pattern(50);
    writer.hang();
  });
  Client client;
  Outcome outcome = client.fetch(url("/half"), sock_read_);
  expect_fired(outcome, HC_E_TIMEOUT_SOCK_READ, HC_PHASE_RECEIVING, "sock_read");
  EXPECT_EQ(outcome.body, serve::pattern(50));
}

TEST_F(ReadClocks, SockReadIsSetBackByEveryByte) {
  Client client;
  for (std::string_view head : {"0", "1"}) {
    Outcome outcome = client.fetch(url("/drip?bytes=16&every_ms=40&head=" + std::string(head)),
                                   [](hc_request& r) { r.timeouts.sock_read_ms = 600; });
    EXPECT_TRUE(is(outcome, HC_OK));
    EXPECT_GE(outcome.info().timing.done_ns, 600'000'000u) << "longer in all than the clock";
  }
}

TEST_F(ReadClocks, SockReadBeginsAtTheEndOfTheUpload) {
  std::string body(30'000'000, 'b');
  Client client;
  Outcome outcome = client.fetch(url("/upload/slow?ms=700"), [&](hc_request& r) {
    with_body("POST", body)(r);
    r.timeouts.sock_read_ms = 500;
    r.timeouts.first_byte_ms = 500;
  });
  EXPECT_TRUE(is(outcome, HC_OK));
}

TEST_F(ReadClocks, AContinueIsNotTheEndOfTheUpload) {
  std::string body(30'000'000, 'b');
  Client client;
  auto upload = [&](std::string_view rest, const Tune& clocks) {
    return client.fetch(url("/upload/slow?ms=" + std::string(rest)), [&](hc_request& r) {
      with_body("POST", body)(r);
      r.expect_continue = HC_ON;
      clocks(r);
    });
  };
  Outcome slow =
      upload("700", [](hc_request& r) { r.timeouts.sock_read_ms = r.timeouts.first_byte_ms = 500; });
  EXPECT_TRUE(is(slow, HC_OK));
  Outcome stuck = upload("20000", [](hc_request& r) { r.timeouts.sock_write_ms = kClock; });
  expect_fired(stuck, HC_E_TIMEOUT_SOCK_WRITE, HC_PHASE_SENDING, "sock_write");
}

TEST_F(ReadClocks, FirstByteFires) {
  Client client;
  Outcome outcome =
      client.fetch(url("/delay/20000"), [](hc_request& r) { r.timeouts.first_byte_ms = kClock; });
  expect_fired(outcome, HC_E_TIMEOUT_FIRST_BYTE, HC_PHASE_AWAITING, "first_byte");
}

TEST_F(ReadClocks, FirstByteEndsWithTheFirstByte) {
  Client client;
  Outcome outcome = client.fetch(url("/drip?bytes=32&every_ms=40"),
                                 [](hc_request& r) { r.timeouts.first_byte_ms = 1'000; });
  EXPECT_TRUE(is(outcome, HC_OK));
}

TEST_F(ReadClocks, SockWriteFiresWhenTheServerStopsReading) {
  server_.set_behaviour(Behaviour::kNoReads);
  std::string body(30'000'000, 'b');
  Client client;
  Outcome outcome = client.fetch(url("/upload"), [&](hc_request& r) {
    with_body("POST", body)(r);
    r.timeouts.sock_write_ms = kClock;
  });
  expect_fired(outcome, HC_E_TIMEOUT_SOCK_WRITE, HC_PHASE_SENDING, "sock_write");
}

TEST_F(ReadClocks, SockWriteRunsOnBehindAnEarlyAnswer) {
  RawServer hasty("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                  RawServer::Then::kHang);
  std::string body(30'000'000, 'b');
  Client client;
  Outcome outcome = client.fetch(hasty.url(), [&](hc_request& r) {
    with_body("POST", body)(r);
    r.timeouts.sock_write_ms = kClock;
    r.timeouts.total_ms = 10'000;
  });
  expect_fired(outcome, HC_E_TIMEOUT_SOCK_WRITE, HC_PHASE_RECEIVING, "sock_write");
}

TEST_F(ReadClocks, SockReadDoesNotRunWhileTheCallbackHasNothingToSend) {
  RawServer hasty("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                  RawServer::Then::kHang);
  Source source("0123456789");
  source.hold_at(5);
  Client client;
  Outcome outcome = client.fetch(hasty.url(), [&](hc_request& r) {
    r.method = HC_STR("POST");
    source.attach(r);
    r.timeouts.sock_read_ms = kClock;
    r.timeouts.total_ms = 3 * kClock;
  });
  EXPECT_TRUE(is(outcome, HC_E_TIMEOUT_TOTAL, HC_PHASE_RECEIVING));
}

TEST_F(ReadClocks, SockWriteEndsWithTheUpload) {
  Client client;
  Outcome outcome = client.fetch(url("/delay/500"), [&](hc_request& r) {
    with_body("POST", "short")(r);
    r.timeouts.sock_write_ms = 250;
  });
  EXPECT_TRUE(is(outcome, HC_OK));
}

TEST_F(ReadClocks, SockWriteIsSetBackByProgress) {
  // Reads 64 KiB, then rests: the upload takes longer than the clock, its pauses do not.
  serve::HttpServerOptions options;
  options.listeners[0].receive_buffer = 32 * 1024;
  HttpServer small(options);
  small.start();
  std::string body(3'000'000, 'b');
  Client client([](hc_session_options& o) { o.send_buffer = 32 * 1024; });
  Outcome outcome = client.fetch(small.url(0, "/upload/slow?ms=300"), [&](hc_request& r) {
    with_body("POST", body)(r);
    r.timeouts.sock_write_ms = 2'000;
  });
  EXPECT_TRUE(is(outcome, HC_OK));
}

TEST_F(ClocksTest, ARequestOverridesItsSessionOneByOne) {
  Client client([](hc_session_options& o) {
    o.timeouts.total_ms = 3 * kClock;
    o.timeouts.first_byte_ms = kClock;
  });
  client.submit(url("/delay/2000"),
                [](hc_request& r) { r.timeouts.total_ms = r.timeouts.first_byte_ms = 0; });
  client.submit(url("/delay/2000"),
                [](hc_request& r) { r.timeouts.total_ms = r.timeouts.first_byte_ms = HC_FOREVER; });
  for (const Outcome& outcome : client.collect(2)) EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_TRUE(is(client.fetch(url("/delay/20000")), HC_E_TIMEOUT_FIRST_BYTE));
  auto no_first_byte = [](hc_request& r) { r.timeouts.first_byte_ms = 0; };
  EXPECT_TRUE(is(client.fetch(url("/delay/20000"), no_first_byte), HC_E_TIMEOUT_TOTAL));
}

TEST_F(ClocksTest, OfSeveralTheEarliestFires) {
  Client client;
  Outcome outcome = client.fetch(url("/hang"), [](hc_request& r) {
    r.timeouts.total_ms = 4'000;
    r.timeouts.sock_read_ms = 3'000;
    r.timeouts.first_byte_ms = 1'500;
    r.timeouts.connect_ms = 1'000;
    r.timeouts.pool_ms = 1'000;
    r.timeouts.dns_ms = 1'000;
  });
  expect_fired(outcome, HC_E_TIMEOUT_FIRST_BYTE, HC_PHASE_AWAITING, "first_byte", 1'500);
}

// A callback holds the loop up until the answer is here and the clock has run out: the answer was in time.
TEST_F(ClocksTest, WhatCameInTimeCountsThoughTheLoopIsLate) {
  static constexpr milliseconds kPatience{1'000};
  server_.handle("/later", [](const serve::RequestView&, serve::ResponseWriter& writer) {
    writer.wait(milliseconds(100));
    writer.respond_pattern(10'000);
  });
  Client client;
  hc_id id = client.submit(url("/later"), [](hc_request& r) { r.timeouts.total_ms = kPatience.count(); });
  struct Holdup {
    HttpServer& server;
    Stopwatch since_submit;
    bool has_answered = false;
  } holdup{server_, {}};
  ASSERT_TRUE(server_.wait_until([](const Counters& c) { return c.requests == 1; }));
  client.submit(url("/status/204"), [&](hc_request& r) {
    r.queue = nullptr;
    r.user_data = &holdup;
    r.on_done = [](const hc_completion* completion, void* data) {
      auto& held = *static_cast<Holdup*>(data);
      hc_response_free(completion->response);
      held.has_answered = held.server.wait_until([](const Counters& c) { return c.bytes_out > 10'000; });
      std::this_thread::sleep_for(kPatience - held.since_submit.elapsed());  // until the clock has run out
    };
  });
  EXPECT_TRUE(is(client.wait(id), HC_OK));
  EXPECT_TRUE(holdup.has_answered);
}

TEST_F(ClocksTest, ManyArmedOnesDisturbNobody) {
  Client client([](hc_session_options& o) {
    o.limit_per_host = 1;
    o.timeouts.total_ms = 60'000;
    o.timeouts.pool_ms = 50'000;
  });
  client.submit(url("/hang"));
  for (int i = 0; i < 20'000; ++i) client.submit(url("/bytes/1"));
  ASSERT_TRUE(client.stats_become([](const hc_stats& s) { return s.waiting == 20'000; }));
  HttpServer other;
  other.start();
  expect_fired(client.fetch(other.url(0, "/hang"), total_), HC_E_TIMEOUT_TOTAL, HC_PHASE_AWAITING, "total");
}

}  // namespace
}  // namespace hc::test
