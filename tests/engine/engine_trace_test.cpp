// Which events come in which order, for each kind of request.
#include <gmock/gmock.h>

#include "engine_harness.h"
#include "support/trace_events.h"

namespace hc {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class EngineTrace : public testing::Test {
 protected:
  EngineTrace() { restart({}); }

  /// `tune` sets options.
  void restart(const std::function<void(SessionConfig&)>& tune) {
    harness_.reset();
    SessionConfig config = quiet_config();
    events.attach(config);
    if (tune) tune(config);
    harness_ = std::make_unique<EngineHarness>(std::move(config));
  }
  EngineHarness& h() { return *harness_; }

  TraceEvents events{trace_name};
  std::unique_ptr<EngineHarness> harness_;
};

TEST_F(EngineTrace, ANewConnectionToAKnownAddress) {
  hc_id id = h().fetch();
  EXPECT_THAT(events.names(id),
              ElementsAre("request_start", "connection_create_start", "attempt_start", "attempt_end",
                          "connection_create_end", "request_headers_sent", "response_start", "request_end"));
  TraceEvent start = events.find(id, HC_TRACE_REQUEST_START);
  EXPECT_EQ(start.text, "GET /");
  EXPECT_EQ(start.origin, "http://a.test:80");
  EXPECT_EQ(start.connection, 0U);
  TraceEvent up = events.find(id, HC_TRACE_CONNECTION_CREATE_END);
  EXPECT_EQ(up.text, "192.0.2.1:80");
  EXPECT_EQ(up.connection, h().outcome(id).response->connection);
  TraceEvent end = events.find(id, HC_TRACE_REQUEST_END);
  EXPECT_EQ(end.http_status, 200);
  EXPECT_EQ(end.bytes, 2U);
  EXPECT_EQ(end.connection, up.connection);
}

TEST_F(EngineTrace, ANameThatIsLookedUp) {
  hc_id id = h().start(Order{.url = "http://name.test/", .addresses = {}});
  h().advance(3 * kMillisecond);
  h().resolver.answer("name.test", {"192.0.2.7"});
  h().turn();
  h().answer(id);
  EXPECT_THAT(events.names(id),
              ElementsAre("request_start", "connection_create_start", "dns_cache_miss",
                          "dns_resolvehost_start", "dns_resolvehost_end", "attempt_start", "attempt_end",
                          "connection_create_end", "request_headers_sent", "response_start", "request_end"));
  EXPECT_EQ(events.find(id, HC_TRACE_DNS_RESOLVEHOST_END).time_ns -
                events.find(id, HC_TRACE_DNS_RESOLVEHOST_START).time_ns,
            3'000'000U);
}

TEST_F(EngineTrace, ANameFromTheCache) {
  hc_id first = h().start(Order{.url = "http://name.test/", .addresses = {}});
  h().resolver.answer("name.test", {"192.0.2.7"});
  h().turn();
  hc_id second = h().start(Order{.url = "http://name.test/", .addresses = {}});
  h().answer(second);
  h().answer(first);
  EXPECT_THAT(events.names(second), ElementsAre("request_start", "connection_create_start", "dns_cache_hit",
                                                "attempt_start", "attempt_end", "connection_create_end",
                                                "request_headers_sent", "response_start", "request_end"));
}

TEST_F(EngineTrace, ANameWithoutACacheIsNoMiss) {
  restart([](SessionConfig& config) { config.names.use_cache = false; });
  hc_id id = h().start(Order{.url = "http://name.test/", .addresses = {}});
  h().resolver.fail("name.test");
  h().turn();
  EXPECT_THAT(events.names(id),
              ElementsAre("request_start", "connection_create_start", "dns_resolvehost_start",
                          "dns_resolvehost_end", "request_exception"));
  EXPECT_EQ(events.find(id, HC_TRACE_DNS_RESOLVEHOST_END).status, HC_E_DNS);
  EXPECT_EQ(events.find(id, HC_TRACE_REQUEST_EXCEPTION).status, HC_E_DNS);
}

TEST_F(EngineTrace, AReusedConnection) {
  hc_id first = h().fetch();
  hc_id id = h().fetch();
  EXPECT_THAT(events.names(id), ElementsAre("request_start", "connection_reuseconn", "request_headers_sent",
                                            "response_start", "request_end"));
  EXPECT_EQ(events.find(id, HC_TRACE_CONNECTION_REUSECONN).connection,
            events.find(first, HC_TRACE_CONNECTION_CREATE_END).connection);
  EXPECT_EQ(events.find(id, HC_TRACE_CONNECTION_REUSECONN).text, "192.0.2.1:80");
}

TEST_F(EngineTrace, WaitingInLine) {
  restart([](SessionConfig& config) { config.limit = 1; });
  hc_id first = h().start();
  hc_id second = h().start();
  EXPECT_THAT(events.names(second), ElementsAre("request_start", "connection_queued_start"));
  h().clock.advance(5 * kMillisecond);
  h().reactor.refresh();
  h().answer(first);
  h().answer(second);
  EXPECT_THAT(events.names(second),
              ElementsAre("request_start", "connection_queued_start", "connection_queued_end",
                          "connection_reuseconn", "request_headers_sent", "response_start", "request_end"));
  EXPECT_EQ(events.find(second, HC_TRACE_CONNECTION_QUEUED_END).time_ns -
                events.find(second, HC_TRACE_CONNECTION_QUEUED_START).time_ns,
            5'000'000U);
}

TEST_F(EngineTrace, WhoFitsAtOnceIsNotQueued) {
  restart([](SessionConfig& config) { config.limit = 2; });
  hc_id ids[3] = {h().submit(), h().submit(), h().submit()};
  h().turn();
  EXPECT_EQ(events.find(ids[0], HC_TRACE_CONNECTION_QUEUED_START).id, 0U);
  EXPECT_EQ(events.find(ids[1], HC_TRACE_CONNECTION_QUEUED_START).id, 0U);
  EXPECT_EQ(events.find(ids[2], HC_TRACE_CONNECTION_QUEUED_START).id, ids[2]);
}

TEST_F(EngineTrace, ABodyThatIsSent) {
  hc_id id = h().start(Order{.url = "http://a.test/up?key=secret#here", .method = "POST", .body = "12345"});
  FakeAttempt& attempt = h().attempt(id);
  h().network->ready(attempt);
  h().turn();
  EXPECT_EQ(events.names(id).back(), "request_headers_sent");
  h().network->send(attempt);
  h().answer(id);
  EXPECT_THAT(events.names(id), ElementsAre("request_start", "connection_create_start", "attempt_start",
                                            "attempt_end", "connection_create_end", "request_headers_sent",
                                            "request_chunk_sent", "response_start", "request_end"));
  EXPECT_EQ(events.find(id, HC_TRACE_REQUEST_CHUNK_SENT).bytes, 5U);
  EXPECT_EQ(events.find(id, HC_TRACE_REQUEST_START).text, "POST /up") << "no query: it may hold a key";
}

TEST_F(EngineTrace, AStaleConnectionIsResubmitted) {
  h().fetch();
  hc_id id = h().start();
  h().network->ready(h().attempt(id));
  h().network->send(h().attempt(id));
  h().network->go_stale(h().attempt(id));
  h().turn();
  h().answer(id);
  EXPECT_THAT(events.names(id),
              ElementsAre("request_start", "connection_reuseconn", "request_headers_sent", "request_resubmit",
                          "connection_create_start", "attempt_start", "attempt_end", "connection_create_end",
                          "request_headers_sent", "response_start", "request_end"));
  TraceEvent resubmit = events.find(id, HC_TRACE_REQUEST_RESUBMIT);
  EXPECT_EQ(resubmit.status, HC_E_DISCONNECTED);
  EXPECT_EQ(resubmit.connection, 1U);
}

TEST_F(EngineTrace, AnIdleConnectionThatWasDeadBeforeAnythingWasSent) {
  h().fetch();
  h().network->poison(*h().network->connections(Connection::State::kIdle)[0]);
  hc_id id = h().start();
  h().network->ready(h().attempt(id));
  h().turn();
  h().answer(id);
  EXPECT_THAT(events.names(id),
              ElementsAre("request_start", "connection_create_start", "attempt_start", "attempt_end",
                          "connection_create_end", "request_headers_sent", "response_start", "request_end"));
}

TEST_F(EngineTrace, ARaceOfAddresses) {
  hc_id id = h().start(Order{.addresses = {"192.0.2.1", "192.0.2.2", "192.0.2.3"}});
  h().network->fail(*h().attempts(id)[0], refused());
  h().advance(h().config.happy_eyeballs);
  h().network->answer(*h().attempts(id)[1]);
  h().turn();
  EXPECT_THAT(events.names(id),
              ElementsAre("request_start", "connection_create_start", "attempt_start", "attempt_end",
                          "attempt_start", "attempt_start", "attempt_end", "connection_create_end",
                          "request_headers_sent", "response_start", "attempt_end", "request_end"));
  std::vector<TraceEvent> ends;
  for (const TraceEvent& event : events.of(id)) {
    if (event.kind == HC_TRACE_ATTEMPT_END) ends.push_back(event);
  }
  ASSERT_THAT(ends, SizeIs(3));
  EXPECT_EQ(ends[0].status, HC_E_CONNECT);
  EXPECT_EQ(ends[0].text, "192.0.2.1:80");
  EXPECT_EQ(ends[1].status, HC_OK);
  EXPECT_EQ(ends[1].text, "192.0.2.3:80");
  EXPECT_EQ(ends[2].status, HC_E_CANCELLED) << "it was not needed any more";
  EXPECT_EQ(ends[2].text, "192.0.2.2:80");
}

TEST_F(EngineTrace, AFailureWhileConnecting) {
  hc_id id = h().start();
  h().network->fail(h().attempt(id), refused());
  h().turn();
  EXPECT_THAT(events.names(id), ElementsAre("request_start", "connection_create_start", "attempt_start",
                                            "attempt_end", "request_exception"));
  EXPECT_EQ(events.find(id, HC_TRACE_REQUEST_EXCEPTION).status, HC_E_CONNECT);
  EXPECT_EQ(events.find(id, HC_TRACE_REQUEST_EXCEPTION).text, h().outcome(id).message());
}

TEST_F(EngineTrace, ACancelInEachPhase) {
  restart([](SessionConfig& config) { config.limit = 2; });
  hc_id resolving = h().start(Order{.url = "http://name.test/", .addresses = {}});
  hc_id connecting = h().start();
  hc_id waiting = h().start();
  for (hc_id id : {resolving, connecting, waiting}) h().engine->cancel(id);
  h().turn();
  EXPECT_THAT(events.names(waiting),
              ElementsAre("request_start", "connection_queued_start", "request_exception"));
  EXPECT_THAT(events.names(resolving),
              ElementsAre("request_start", "connection_create_start", "dns_cache_miss",
                          "dns_resolvehost_start", "request_exception"));
  EXPECT_THAT(events.names(connecting), ElementsAre("request_start", "connection_create_start",
                                                    "attempt_start", "attempt_end", "request_exception"));
  EXPECT_EQ(events.find(connecting, HC_TRACE_ATTEMPT_END).status, HC_E_CANCELLED);
  EXPECT_EQ(events.find(waiting, HC_TRACE_REQUEST_EXCEPTION).status, HC_E_CANCELLED);
}

TEST_F(EngineTrace, ConnectionsAreIdleRetiredAndClosed) {
  h().fetch();
  h().pass(h().config.keepalive_timeout);
  h().network->close_retired();
  h().turn();
  EXPECT_THAT(events.names(0), ElementsAre("connection_idle", "connection_retired", "connection_closed"));
  TraceEvent retired = events.find(0, HC_TRACE_CONNECTION_RETIRED);
  EXPECT_EQ(retired.text, "idle for too long");
  EXPECT_EQ(retired.connection, 1U);
  EXPECT_EQ(retired.origin, "http://a.test:80") << "though nobody else knows the origin any more";
}

TEST_F(EngineTrace, EventsComeBeforeTheCompletionOfTheirTurn) {
  size_t seen = 0;
  h().on_outcome = [&](hc_id id) { seen = events.names(id).size(); };
  hc_id id = h().fetch();
  EXPECT_EQ(seen, events.names(id).size());
}

TEST_F(EngineTrace, TimesOfARequestNeverGoBack) {
  restart([](SessionConfig& config) { config.limit = 3; });
  std::vector<hc_id> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(h().submit());
  h().turn();
  for (hc_id id : ids) {
    h().clock.advance(kMillisecond);
    h().reactor.refresh();
    h().answer(id);
  }
  for (hc_id id : ids) {
    uint64_t last = 0;
    for (const TraceEvent& event : events.of(id)) {
      EXPECT_GE(event.time_ns, last) << event.name;
      last = event.time_ns;
    }
  }
}

TEST_F(EngineTrace, NothingIsRecordedWithoutAHook) {
  restart([](SessionConfig& config) { config.on_trace = nullptr; });
  h().fetch();
  EXPECT_THAT(events.all(), SizeIs(0));
}

}  // namespace
}  // namespace hc
