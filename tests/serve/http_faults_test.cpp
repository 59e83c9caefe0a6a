// How HttpServer misbehaves when asked to.
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <array>
#include <stdexcept>
#include <string>
#include <thread>

#include "serve/dead_ends.h"
#include "serve/http_server.h"
#include "test_client.h"

namespace hc::serve::test {
namespace {

using std::chrono::milliseconds;

// Long enough to be sure on loopback that nothing comes; these tests spend it always, hence short.
constexpr int kMustNotFireMs = 30;

class HttpFaults : public ::testing::Test {
 protected:
  void SetUp() override { server_.start(); }

  std::string fetch_to_end(std::string_view target, Outcome& outcome) {
    TestClient client(server_.port());
    client.send("POST " + std::string(target) + " HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody");
    return client.read_to_end(outcome);
  }

  HttpServer server_;
};

TEST_F(HttpFaults, ResetAndFinComeAtTheStageNamed) {
  for (const auto& [route, expected] : {std::pair{"/reset", Outcome::kReset}, {"/fin", Outcome::kEnd}}) {
    const std::string after = std::string(route) + "?after=";
    Outcome outcome{};
    EXPECT_EQ(fetch_to_end(after + "request", outcome), "");
    EXPECT_EQ(outcome, expected);
    EXPECT_EQ(fetch_to_end(after + "request-head", outcome), "");
    EXPECT_EQ(outcome, expected);
    EXPECT_EQ(fetch_to_end(after + "half-head&after_ms=5", outcome), "HTTP/1.1 200 OK\r\nContent-Ty");
    EXPECT_EQ(outcome, expected);
    EXPECT_TRUE(fetch_to_end(after + "head&after_ms=5", outcome).ends_with("Content-Length: 64\r\n\r\n"));
    EXPECT_EQ(outcome, expected);
    EXPECT_TRUE(fetch_to_end(after + "half-body&after_ms=5", outcome).ends_with("\r\n\r\n" + pattern(32)));
    EXPECT_EQ(outcome, expected);
    EXPECT_TRUE(fetch_to_end(after + "body&after_ms=5", outcome).ends_with("\r\n\r\n" + pattern(64)));
    EXPECT_EQ(outcome, expected);
  }
}

TEST_F(HttpFaults, TheNextConnectionsCanBeRefusedAfterAccept) {
  TestClient(server_.port()).get("/reset?after=accept&count=1");
  EXPECT_EQ(TestClient(server_.port()).receive(), Outcome::kReset);
  server_.fail_next_accepts(0, 1, Ending::kFin);
  EXPECT_EQ(TestClient(server_.port()).receive(), Outcome::kEnd);
  EXPECT_EQ(TestClient(server_.port()).get("/bytes/1").status, 200);
}

TEST_F(HttpFaults, BrokenAnswersAreBrokenAsDescribed) {
  Outcome outcome{};
  EXPECT_TRUE(
      fetch_to_end("/truncate?claimed=10&sent=3", outcome).ends_with("Content-Length: 10\r\n\r\n012"));
  EXPECT_EQ(outcome, Outcome::kEnd);
  EXPECT_TRUE(fetch_to_end("/truncate?chunked=1&sent=3", outcome).ends_with("\r\n\r\n3\r\n012\r\n"));
  EXPECT_NE(fetch_to_end("/badchunk", outcome).find("zz\r\n"), std::string::npos);
  EXPECT_EQ(fetch_to_end("/badstatus", outcome).find("HTTP/1.1 banana\r\n"), 0u);
  EXPECT_NE(fetch_to_end("/close", outcome).find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(outcome, Outcome::kEnd);
  EXPECT_EQ(fetch_to_end("/close/silent", outcome).find("Connection: close"), std::string::npos);
  EXPECT_EQ(outcome, Outcome::kEnd);
  TestClient client(server_.port());
  const Response bomb = client.get("/headerbomb?count=500&size=1000");
  EXPECT_GT(bomb.head.size(), 500'000u);
  EXPECT_EQ(bomb.body, "ok");
  EXPECT_NE(client.get("/both").head.find("Transfer-Encoding: chunked"), std::string::npos);
}

TEST_F(HttpFaults, NumbersThatMakeNoSenseAreRefused) {
  for (const char* target :
       {"/bytes/9223372036854775808", "/bytes/-1", "/bytes/x", "/gzip/268435457", "/status/0", "/status/199",
        "/status/1000", "/delay/18446744073709551616", "/drip?chunk=0", "/drip?bytes=9999999999999999999",
        "/chunked?size=0", "/chunked?size=9999999999999999999", "/truncate?sent=9999999999999999999",
        "/headerbomb?size=9999999999999999999", "/1xx?status=200", "/redirect/1?status=100",
        "/upload/early?status=0", "/upload/slow?ms=soon", "/reset?after_ms="}) {
    Outcome outcome{};
    const std::string answer = fetch_to_end(target, outcome);
    EXPECT_EQ(answer.find("HTTP/1.1 400 "), 0u) << target << answer;
    EXPECT_NE(answer.find(": a number from "), std::string::npos) << target << answer;
    EXPECT_EQ(outcome, Outcome::kEnd) << target;
  }
  EXPECT_EQ(TestClient(server_.port()).get("/gzip/268435457").body,
            "in the path: a number from 0 to 268435456 expected\n");
}

// As much as a client takes, and no more: the server neither ends nor holds it all.
TEST_F(HttpFaults, LargeNumbersCostNothing) {
  for (const char* target :
       {"/drip?head=1&bytes=9000000000000000000&chunk=1000000", "/chunked?size=9000000000000000000",
        "/chunked?chunks=18446744073709551615&size=100000&every_ms=0",
        "/truncate?chunked=1&sent=9000000000000000000", "/headerbomb?count=9&size=9000000000000000000",
        "/headerbomb?count=18446744073709551615", "/1xx?count=18446744073709551615"}) {
    TestClient client(server_.port());
    client.send("GET " + std::string(target) + " HTTP/1.1\r\n\r\n");
    EXPECT_EQ(client.receive(), Outcome::kData) << target;
  }
  EXPECT_EQ(TestClient(server_.port()).get("/bytes/1").status, 200);
}

TEST_F(HttpFaults, AnEndlessAnswerToAFastReaderHoldsNobodyElseUp) {
  TestClient endless(server_.port());
  endless.send("GET /drip?bytes=9000000000000000000&every_ms=0 HTTP/1.1\r\n\r\n");
  std::thread reader([&endless] {
    std::array<char, 16384> ignored;
    while (::recv(endless.fd(), ignored.data(), ignored.size(), 0) > 0) {
    }
  });
  EXPECT_TRUE(server_.wait_until([](const Counters& now) { return now.requests == 1; }));
  EXPECT_EQ(TestClient(server_.port()).get("/bytes/1").status, 200);
  ::shutdown(endless.fd(), SHUT_RDWR);  // also where the server could not be stopped
  reader.join();
}

TEST_F(HttpFaults, LongWaitsAreLong) {
  for (const char* target : {"/delay/9223372036854775807", "/delay/9300000000000",
                             "/delay/18446744073709551615", "/reset?after_ms=18446744073709551615"}) {
    TestClient client(server_.port());
    client.send("GET " + std::string(target) + " HTTP/1.1\r\n\r\n");
    EXPECT_EQ(client.receive(kMustNotFireMs), Outcome::kTimeout) << target;
  }
  TestClient dripped(server_.port());
  EXPECT_EQ(dripped.get("/drip?bytes=1&every_ms=18446744073709551615").body, "0");
  dripped.send("GET /drip?head=1&bytes=2&every_ms=18446744073709551615 HTTP/1.1\r\n\r\n");
  EXPECT_EQ(dripped.receive(), Outcome::kData);
  EXPECT_EQ(dripped.receive(kMustNotFireMs), Outcome::kTimeout);
}

TEST_F(HttpFaults, WhatAHandlerThrowsEndsItsConnectionAlone) {
  server_.handle("/throw", [](const RequestView& request, ResponseWriter& writer) {
    writer.add_header("X-Half", "done");
    if (request.query == "now") throw std::runtime_error("a mistake");
    writer.stream([left = request.query == "begun" ? 1 : 0](ResponseWriter& more) mutable {
      if (left-- == 0) throw std::length_error("too long");
      more.begin(200, "text/plain", 10);
      return true;
    });
  });
  Outcome outcome{};
  const std::string at_once = fetch_to_end("/throw?now", outcome);
  EXPECT_EQ(at_once.find("HTTP/1.1 500 "), 0u) << at_once;
  EXPECT_TRUE(at_once.ends_with("\r\n\r\na mistake\n")) << at_once;
  EXPECT_EQ(at_once.find("X-Half"), std::string::npos) << at_once;
  EXPECT_TRUE(fetch_to_end("/throw?later", outcome).ends_with("\r\n\r\ntoo long\n"));
  EXPECT_TRUE(fetch_to_end("/throw?begun", outcome).ends_with("X-Half: done\r\n\r\n"));
  EXPECT_EQ(outcome, Outcome::kEnd);
  EXPECT_EQ(TestClient(server_.port()).get("/bytes/1").status, 200);
}

TEST_F(HttpFaults, LatePoisonArrivesOnTheIdleConnection) {
  TestClient client(server_.port());
  EXPECT_EQ(client.get("/late?after_ms=10").body, "fine\n");
  EXPECT_EQ(client.read_response().body, "EVIL");
  EXPECT_EQ(client.get("/bytes/1").body, pattern(1));
}

TEST_F(HttpFaults, HangingClientsAreNoticedWhenTheyLeave) {
  TestClient hanging(server_.port());
  TestClient delayed(server_.port());
  hanging.send("GET /hang HTTP/1.1\r\n\r\n");
  delayed.send("GET /delay/60000 HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(server_.wait_until([](const Counters& now) { return now.requests == 2; }));
  EXPECT_EQ(hanging.receive(kMustNotFireMs), Outcome::kTimeout);
  hanging.close();
  delayed.close();
  EXPECT_TRUE(server_.wait_until([](const Counters& now) { return now.connections_open == 0; }));
}

TEST_F(HttpFaults, SilentServersReadAndRefusingOnesDoNot) {
  server_.set_behaviour(Behaviour::kSilent);
  TestClient silent(server_.port());
  silent.send("GET /bytes/1 HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(server_.wait_until([](const Counters& now) { return now.bytes_in > 0; }));
  EXPECT_EQ(silent.receive(kMustNotFireMs), Outcome::kTimeout);
  server_.set_behaviour(Behaviour::kNoReads);
  server_.reset_counters();
  TestClient unread(server_.port());
  unread.send("GET /bytes/1 HTTP/1.1\r\n\r\n");
  EXPECT_EQ(unread.receive(kMustNotFireMs), Outcome::kTimeout);
  EXPECT_EQ(server_.counters().bytes_in, 0u);
  server_.set_behaviour(Behaviour::kNormal);
  EXPECT_EQ(unread.read_response().status, 200);
  server_.set_behaviour(Behaviour::kNoReads);
  unread.close();
  silent.close();
  EXPECT_TRUE(server_.wait_until([](const Counters& now) { return now.connections_open == 0; }));
}

TEST_F(HttpFaults, ConnectionsCanBeEndedFromOutside) {
  TestClient idle(server_.port());
  TestClient busy(server_.port());
  idle.get("/bytes/1");
  busy.send("GET /hang HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(server_.wait_until([](const Counters& now) { return now.requests == 2; }));
  server_.end_idle_connections(Ending::kFin);
  EXPECT_EQ(idle.receive(), Outcome::kEnd);
  EXPECT_EQ(busy.receive(kMustNotFireMs), Outcome::kTimeout);
  server_.end_connections(Ending::kReset);
  EXPECT_EQ(busy.receive(), Outcome::kReset);
}

TEST(HttpBehaviour, AcceptCanCloseResetOrPause) {
  HttpServer server({.listeners = {{.backlog = 0, .behaviour = Behaviour::kPauseAccept}}});
  server.start();
  TestClient queued(server.port());
  queued.send("GET /bytes/1 HTTP/1.1\r\n\r\n");
  Fd dropped(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  SocketAddress target = SocketAddress::parse("127.0.0.1", server.port());
  EXPECT_NE(::connect(dropped.get(), target.get(), target.length), 0);
  pollfd waiting{dropped.get(), POLLOUT, 0};
  EXPECT_EQ(::poll(&waiting, 1, kMustNotFireMs), 0) << "the backlog is full";
  EXPECT_EQ(server.counters().connections_accepted, 0u);
  server.set_behaviour(Behaviour::kNormal);
  EXPECT_EQ(queued.read_response().status, 200);
  server.set_behaviour(Behaviour::kCloseOnAccept);
  EXPECT_EQ(TestClient(server.port()).receive(), Outcome::kEnd);
  server.set_behaviour(Behaviour::kResetOnAccept);
  EXPECT_EQ(TestClient(server.port()).receive(), Outcome::kReset);
}

TEST(HttpBehaviour, SlowUploadsPushBackOnTheSender) {
  HttpServer server({.listeners = {{.receive_buffer = 16 * 1024}}});
  server.start();
  TestClient client(server.port());
  const std::string block(1 << 20, 'x');
  client.send("PUT /upload/slow?ms=60000 HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n");
  EXPECT_TRUE(server.wait_until([](const Counters& now) { return now.requests == 1; }));
  int blocks = 0;
  while (blocks < 64 && client.can_send_now(block)) ++blocks;
  EXPECT_LT(blocks, 64) << "the sender is stopped by full buffers";
}

TEST(DeadEnds, BlackHolesSwallowAndRefusedPortsRefuse) {
  const BlackHole hole("127.0.0.7");
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  SocketAddress target = SocketAddress::parse("127.0.0.7", hole.port());
  EXPECT_NE(::connect(socket.get(), target.get(), target.length), 0);
  EXPECT_EQ(errno, EINPROGRESS);
  pollfd waiting{socket.get(), POLLOUT, 0};
  EXPECT_EQ(::poll(&waiting, 1, kMustNotFireMs), 0);
  const BlackHole same_port("127.0.0.8", hole.port());
  EXPECT_EQ(same_port.port(), hole.port());
  const RefusedPort refused;
  EXPECT_THROW(connect_to(refused.port()), std::system_error);
}

}  // namespace
}  // namespace hc::serve::test
