// The trace of real requests over real sockets: the same order that tests/engine/engine_trace_test.cpp demands.
#include <gmock/gmock.h>

#include <atomic>
#include <cstring>

#include "serve/dead_ends.h"
#include "serve/dns_server.h"
#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "support/client.h"
#include "support/held.h"
#include "support/libcurl_version.h"
#include "support/tls_server.h"
#include "support/trace_events.h"

namespace hc::test {
namespace {

using serve::HttpServer;
using testing::ElementsAre;
using testing::IsEmpty;

std::string without_chunks(const std::vector<std::string>& names) {
  std::string line;
  for (const std::string& name : names) {
    if (name != "response_chunk_received") line += (line.empty() ? "" : " ") + name;
  }
  return line;
}

constexpr const char* kNew =
    "request_start connection_create_start attempt_start attempt_end connection_create_end "
    "request_headers_sent response_start request_end";

class Trace : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  SessionSetup traced(const SessionSetup& more = {}) {
    return [this, more](hc_session_options& o) {
      events.attach(o);
      if (more) more(o);
    };
  }
  std::string url(std::string_view path) const { return server_.url(0, path); }

  TraceEvents events{hc_trace_name};
  HttpServer server_;
};

TEST_F(Trace, ANewConnectionAndItsReuse) {
  Client client(traced());
  Outcome first = client.fetch(url("/bytes/100000"));
  Outcome second = client.fetch(url("/bytes/1"));
  EXPECT_EQ(without_chunks(events.names(first.id)), kNew);
  EXPECT_EQ(without_chunks(events.names(second.id)),
            "request_start connection_reuseconn request_headers_sent response_start request_end");
  uint64_t chunks = 0;
  for (const TraceEvent& event : events.of(first.id)) {
    if (event.kind == HC_TRACE_RESPONSE_CHUNK_RECEIVED) chunks += event.bytes;
  }
  EXPECT_EQ(chunks, 100'000u);
  EXPECT_EQ(events.find(first.id, HC_TRACE_REQUEST_START).origin,
            "http://127.0.0.1:" + std::to_string(server_.port()));
  EXPECT_EQ(events.find(first.id, HC_TRACE_REQUEST_END).bytes, 100'000u);
  client.close();
  EXPECT_THAT(events.names(0), ElementsAre("connection_idle", "connection_idle", "connection_closed"));
}

TEST_F(Trace, TheStartTellsTheLengthOfEveryKindOfBody) {
  Client client(traced());
  auto three = [](void* out, size_t, size_t* count, void*) {
    std::memcpy(out, "abc", *count = 3);
    return hc_status{HC_OK};
  };
  auto nothing = [](void*, size_t, size_t* count, void*) {
    *count = 0;
    return hc_status{HC_OK};
  };
  auto announced = [&](const Tune& tune) {
    Outcome outcome = client.fetch(url("/echo"), [&](hc_request& r) {
      r.method = HC_STR("PUT");
      tune(r);
    });
    return events.find(outcome.id, HC_TRACE_REQUEST_START).bytes;
  };
  EXPECT_EQ(announced([](hc_request& r) { r.body = HC_STR("hello"); }), 5u);
  EXPECT_EQ(announced([&](hc_request& r) {
              r.body_kind = HC_BODY_PULLED;
              r.on_body = three;
              r.body_length = 3;
            }),
            3u);
  EXPECT_EQ(announced([&](hc_request& r) {
              r.body_kind = HC_BODY_PULLED;
              r.on_body = nothing;
            }),
            0u)
      << "not known";
}

TEST_F(Trace, ANameFromANameServerAndFromTheCache) {
  serve::DnsServer dns;
  dns.start();
  dns.script("app.test", {serve::DnsReply::addresses({"127.0.0.1"})});
  std::string nameserver = dns.endpoint();
  Client client(traced([&](hc_session_options& o) {
    o.nameservers = str(nameserver);
    o.force_close = HC_ON;
  }));
  std::string named = "http://app.test:" + std::to_string(server_.port()) + "/bytes/1";
  Outcome asked = client.fetch(named);
  Outcome cached = client.fetch(named);
  EXPECT_EQ(without_chunks(events.names(asked.id)),
            "request_start connection_create_start dns_cache_miss dns_resolvehost_start "
            "dns_resolvehost_end attempt_start attempt_end connection_create_end request_headers_sent "
            "response_start request_end");
  EXPECT_EQ(without_chunks(events.names(cached.id)),
            "request_start connection_create_start dns_cache_hit attempt_start attempt_end "
            "connection_create_end request_headers_sent response_start request_end");
}

TEST_F(Trace, WaitingABodyAndACancel) {
  Client client(traced([](hc_session_options& o) { o.limit = 1; }));
  Held running(client, url("/echo"));
  hc_id waiting = client.submit(url("/echo"), with_body("POST", "12345"));
  hc_id cancelled = client.submit(url("/bytes/1"));
  client.cancel(cancelled);
  client.wait(cancelled);
  running.release();
  for (hc_id id : {running.id(), waiting}) client.wait(id);
  EXPECT_EQ(without_chunks(events.names(waiting)),
            "request_start connection_queued_start connection_queued_end connection_reuseconn "
            "request_headers_sent request_chunk_sent response_start request_end");
  EXPECT_EQ(events.find(waiting, HC_TRACE_REQUEST_CHUNK_SENT).bytes, 5u);
  TraceEvent end = events.find(cancelled, HC_TRACE_REQUEST_EXCEPTION);
  EXPECT_EQ(end.status, HC_E_CANCELLED);
  EXPECT_EQ(end.connection, 0u);
}

TEST_F(Trace, AStaleConnection) {
  Client client(traced());
  client.fetch(url("/bytes/1"));
  Outcome outcome = client.fetch(url("/fin?after=request"));
  EXPECT_TRUE(is(outcome, HC_E_DISCONNECTED));
  EXPECT_EQ(without_chunks(events.names(outcome.id)),
            "request_start connection_reuseconn request_headers_sent request_resubmit "
            "connection_create_start attempt_start attempt_end connection_create_end request_headers_sent "
            "request_exception");
}

TEST_F(Trace, ARedirect) {
  Client client(traced());
  Outcome outcome = client.fetch(url("/redirect/1"));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(without_chunks(events.names(outcome.id)),
            "request_start connection_create_start attempt_start attempt_end connection_create_end "
            "request_headers_sent response_start request_redirect connection_reuseconn "
            "request_headers_sent response_start request_end");
  TraceEvent redirect = events.find(outcome.id, HC_TRACE_REQUEST_REDIRECT);
  EXPECT_EQ(redirect.text, url("/redirect/0"));
  EXPECT_EQ(redirect.http_status / 100, 3);
  ASSERT_EQ(outcome.info().attempts, 2u);
  for (uint32_t hop : {0u, 1u}) {
    hc_attempt attempt{};
    attempt.struct_size = sizeof attempt;
    ASSERT_EQ(hc_response_attempt(outcome.response.get(), hop, &attempt), HC_OK);
    EXPECT_EQ(attempt.hop, hop);
    EXPECT_EQ(attempt.status, HC_OK);
    EXPECT_EQ(attempt.reused, hop == 1 ? HC_ON : HC_OFF);
  }
}

TEST_F(Trace, ARefusedConnection) {
  Client client(traced());
  Outcome outcome = client.fetch("http://127.0.0.1:1/");
  EXPECT_TRUE(is(outcome, HC_E_CONNECT));
  EXPECT_EQ(without_chunks(events.names(outcome.id)),
            "request_start connection_create_start attempt_start attempt_end request_exception");
  EXPECT_EQ(events.find(outcome.id, HC_TRACE_ATTEMPT_END).text, "127.0.0.1:1");
  EXPECT_EQ(events.find(outcome.id, HC_TRACE_ATTEMPT_END).status, HC_E_CONNECT);
}

// A hook is user code like any other callback.
TEST_F(Trace, TheHookMayCallTheLibrary) {
  struct Caller {
    hc_session* session = nullptr;
    std::atomic<int> calls{0};
    std::atomic<hc_status> close{HC_OK};
    std::atomic<bool> had_stats{true};
  } caller;
  hc_session_options options;
  hc_session_options_init(&options, sizeof options);
  options.on_trace_data = &caller;
  options.on_trace = [](const hc_trace_event*, void* self) {
    auto& c = *static_cast<Caller*>(self);
    hc_stats stats{};
    stats.struct_size = sizeof stats;
    if (hc_session_stats(c.session, &stats) != HC_OK) c.had_stats = false;
    c.close = hc_session_close(c.session, 0);
    ++c.calls;
  };
  ASSERT_EQ(hc_session_create(&caller.session, &options, nullptr), HC_OK);
  hc_request request;
  hc_request_init(&request, sizeof request);
  std::string target = url("/bytes/1");
  request.url = str(target);
  hc_response* response = nullptr;
  ASSERT_EQ(hc_session_perform(caller.session, &request, &response, nullptr), HC_OK);
  hc_response_free(response);
  EXPECT_GE(caller.calls, 8);
  EXPECT_EQ(caller.close, HC_E_DEADLOCK);
  EXPECT_TRUE(caller.had_stats);
  EXPECT_EQ(hc_session_close(caller.session, 0), HC_OK);
  hc_session_free(caller.session);
}

TEST_F(Trace, ItsTimesAreThoseOfTheMonotonicClock) {
  auto now = [] {
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  };
  Client client(traced());
  uint64_t before = now();
  Outcome outcome = client.fetch(url("/delay/5"));
  uint64_t after = now();
  uint64_t last = before;
  for (const TraceEvent& event : events.of(outcome.id)) {
    EXPECT_GE(event.time_ns, last) << event.name;
    last = event.time_ns;
  }
  EXPECT_LE(last, after);
}

hc_attempt attempt_of(const Outcome& outcome, size_t nth) {
  hc_attempt attempt{};
  attempt.struct_size = sizeof attempt;
  EXPECT_EQ(hc_response_attempt(outcome.response.get(), nth, &attempt), HC_OK);
  return attempt;
}

TEST(Attempts, TheOneOfAnOrdinaryRequest) {
  HttpServer server;
  server.start();
  Client client;
  Outcome outcome = client.fetch(server.url(0, "/bytes/1"));
  hc_attempt only = attempt_of(outcome, 0);
  EXPECT_EQ(only.status, HC_OK);
  EXPECT_EQ(text(only.address), "127.0.0.1");
  EXPECT_EQ(only.port, server.port());
  EXPECT_EQ(only.connection, outcome.connection());
  EXPECT_EQ(only.reused, HC_OFF);
  EXPECT_LE(only.timing.started_ns, only.timing.connected_ns);
  EXPECT_LE(only.timing.connected_ns, only.timing.ready_ns);
  EXPECT_LE(only.timing.ready_ns, only.timing.done_ns);
  EXPECT_EQ(hc_response_attempt(outcome.response.get(), 1, &only), HC_E_INVALID);
}

TEST(Attempts, EachAddressThatWasTried) {
  HttpServer server;
  server.start();
  Client client;
  hc_str addresses[] = {HC_STR("127.0.0.9"), HC_STR("127.0.0.1")};
  Outcome outcome =
      client.fetch("http://two.test:" + std::to_string(server.port()) + "/bytes/1", [&](hc_request& request) {
        request.addresses = addresses;
        request.address_count = 2;
      });
  ASSERT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(outcome.info().attempts, 2u);
  hc_attempt refused = attempt_of(outcome, 0);
  EXPECT_EQ(refused.status, HC_E_CONNECT);
  EXPECT_EQ(text(refused.address), "127.0.0.9");
  EXPECT_NE(text(refused.message).find("refused"), std::string::npos) << text(refused.message);
  EXPECT_EQ(refused.timing.connected_ns, HC_UNSET);
  hc_attempt winner = attempt_of(outcome, 1);
  EXPECT_EQ(winner.status, HC_OK);
  EXPECT_EQ(text(winner.address), "127.0.0.1");
}

TEST(Attempts, AFailedHandshakeHadItsTcpConnection) {
  serve::TestPki pki;
  serve::HttpServerOptions options;
  options.listeners[0].tls = tls_with(pki.server());
  HttpServer server(options);
  server.start();
  Client client;  // trusts the system's authorities, of which this is none
  Outcome outcome = client.fetch("https://127.0.0.1:" + std::to_string(server.port()) + "/");
  ASSERT_TRUE(is(outcome, HC_E_TLS_VERIFY));
  hc_attempt failed = attempt_of(outcome, 0);
  EXPECT_EQ(failed.status, HC_E_TLS_VERIFY);
  // Before 8.9 libcurl forgets when TCP was up if the rest of the connect fails (curl #14204).
  EXPECT_EQ(failed.timing.connected_ns != HC_UNSET, libcurl_version() >= 0x080900);
  EXPECT_EQ(failed.timing.secured_ns, HC_UNSET);
}

TEST(Attempts, ATimeoutTellsWhereItHung) {
  serve::BlackHole hole;
  Client client([](hc_session_options& o) { o.timeouts.total_ms = 500; });
  Outcome outcome = client.fetch("http://127.0.0.1:" + std::to_string(hole.port()) + "/");
  ASSERT_TRUE(is(outcome, HC_E_TIMEOUT_TOTAL, HC_PHASE_CONNECTING));
  hc_attempt hung = attempt_of(outcome, 0);
  EXPECT_EQ(hung.status, HC_E_TIMEOUT_TOTAL);
  EXPECT_EQ(hung.port, hole.port());
  EXPECT_GE(hung.timing.done_ns - hung.timing.started_ns, 1'000'000u);
}

}  // namespace
}  // namespace hc::test
