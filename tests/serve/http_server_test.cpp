// What HttpServer answers and counts when nothing is wrong.
#include "serve/http_server.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "test_client.h"

namespace hc::serve::test {
namespace {

using std::chrono::milliseconds;

class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  HttpServer server_{HttpServerOptions{.log_capacity = 16}};
};

TEST_F(HttpServerTest, BytesComeFromThePatternInAnyAmount) {
  TestClient client(server_.port());
  for (const std::size_t size : {0u, 1u, 1024u, 16385u, 300000u}) {
    const Response response = client.get("/bytes/" + std::to_string(size));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, pattern(size)) << size;
  }
  EXPECT_EQ(client.request("HEAD", "/bytes/5").head.find("HTTP/1.1 200 OK\r\n"), 0u);
  EXPECT_EQ(client.get("/bytes/3").body, pattern(3)) << "the HEAD answer had no body";
  EXPECT_EQ(server_.counters().connections_accepted, 1u);
  EXPECT_EQ(server_.requests_on_connection(1), 7u);
}

TEST_F(HttpServerTest, PipelinedAndSplitRequestsAreAnsweredInOrder) {
  TestClient client(server_.port());
  client.send(
      "\r\nGET /status/201 HTTP/1.1\r\n\r\nPOST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET /bytes/4 HT");
  EXPECT_EQ(client.read_response().status, 201);
  EXPECT_EQ(client.read_response().body, "ab");
  client.send("TP/1.1\r\n\r\n");
  EXPECT_EQ(client.read_response().body, pattern(4));
}

TEST_F(HttpServerTest, EchoGivesBackBodiesAndHeads) {
  TestClient client(server_.port());
  const Response echo = client.request("POST", "/echo", "some body", "Content-Type: a/b\r\n");
  EXPECT_EQ(echo.body, "some body");
  EXPECT_NE(echo.head.find("Content-Type: a/b\r\n"), std::string::npos);
  client.send(
      "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: t\r\n\r\n");
  EXPECT_EQ(client.read_response().body, "abc0123456789");
  EXPECT_EQ(client.request("GET", "/echo/head?q", {}, "b: 2\r\nA:1\r\n").body,
            "GET /echo/head?q HTTP/1.1\r\nHost: test\r\nb: 2\r\nA:1\r\n\r\n");
}

TEST_F(HttpServerTest, MalformedRequestsGet400AndAClose) {
  for (const char* text : {"banana\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\r\nX : y\r\n\r\n",
                           "GET / HTTP/1.1\n\n", "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
                           "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                           "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                           "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                           "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    TestClient client(server_.port());
    client.send(text);
    EXPECT_EQ(client.read_response().status, 400) << text;
    EXPECT_EQ(client.receive(), Outcome::kEnd) << text;
  }
}

TEST_F(HttpServerTest, UploadsAreMeasuredAlsoWhenSlowOrEarly) {
  const std::string body = pattern(3'000'000, 7);
  char sum[20];
  std::snprintf(sum, sizeof sum, "%016llx", static_cast<unsigned long long>(checksum(body)));
  const std::string expected = "{\"length\":3000000,\"checksum\":\"" + std::string(sum) + "\"}\n";
  TestClient client(server_.port());
  EXPECT_EQ(client.request("PUT", "/upload", body).body, expected);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(client.request("PUT", "/upload/slow?ms=50", body).body, expected);
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(50));
  client.send("PUT /upload/early HTTP/1.1\r\nContent-Length: 8\r\n\r\nhalf");
  EXPECT_EQ(client.read_response().body, "early\n");
  client.send("half");
  EXPECT_EQ(client.get("/bytes/1").body, pattern(1)) << "the rest of the body was not read as a request";
  EXPECT_GE(server_.counters().bytes_in, 6'000'000u);
}

TEST_F(HttpServerTest, ExpectContinueIsGrantedBeforeTheBody) {
  TestClient client(server_.port());
  client.send("POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_response().status, 100);
  client.send("ok");
  EXPECT_EQ(client.read_response().body, "ok");
}

TEST_F(HttpServerTest, SlowAnswersTakeTheirTimeAndComeWhole) {
  TestClient client(server_.port());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(client.get("/delay/30/x").body, "30\n");
  EXPECT_EQ(client.get("/drip?bytes=5&chunk=2&every_ms=10").body, pattern(5));
  EXPECT_EQ(client.get("/drip?bytes=4&chunk=20&every_ms=1&head=1").body, pattern(4));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(50));
}

TEST_F(HttpServerTest, SmallRoutesSayWhatTheyPromise) {
  TestClient client(server_.port());
  EXPECT_EQ(client.get("/status/204").status, 204);
  EXPECT_EQ(client.get("/status/503?body=a%20b").body, "a b");
  EXPECT_EQ(client.get("/nowhere").status, 404);
  EXPECT_EQ(client.request("BREW", "/method").body, "BREW");
  EXPECT_NE(client.get("/redirect/2").head.find("Location: /redirect/1\r\n"), std::string::npos);
  EXPECT_NE(
      client.get("/redirect-to?url=http%3A%2F%2Fx%2F&status=308").head.find("308 Permanent Redirect\r\n"),
      std::string::npos);
  EXPECT_NE(client.get("/keepalive/7").head.find("Keep-Alive: timeout=7\r\n"), std::string::npos);
  EXPECT_EQ(client.get("/1xx?count=2&status=103").status, 103);
  EXPECT_EQ(client.read_response().status, 103);
  EXPECT_EQ(client.read_response().body, "final\n");
  EXPECT_EQ(client.get("http://proxied.example/bytes/2").body, pattern(2));
  client.send("GET /chunked?chunks=2&size=3&trailer=1 HTTP/1.1\r\nConnection: close\r\n\r\n");
  Outcome outcome{};
  const std::string text = client.read_to_end(outcome);
  EXPECT_NE(text.find("\r\n\r\n3\r\n012\r\n3\r\n345\r\n0\r\nX-Trailer: seen\r\n\r\n"), std::string::npos)
      << text;
  EXPECT_EQ(outcome, Outcome::kEnd);
}

TEST_F(HttpServerTest, OnceCountsEveryArrivalAlsoUnanswered) {
  TestClient dying(server_.port());
  EXPECT_EQ(dying.request("POST", "/once/key?die=before_reply&times=1", "x").outcome, Outcome::kEnd);
  TestClient client(server_.port());
  EXPECT_EQ(client.request("POST", "/once/key?die=before_reply&times=1", "x").body, "2");
  EXPECT_EQ(client.get("/once-count/key").body, "2");
  EXPECT_EQ(server_.once_count("key"), 2u);
  client.send("POST /once/half HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf");
  EXPECT_TRUE(server_.wait_until([&](const Counters&) { return server_.once_count("half") == 1; }));
}

TEST_F(HttpServerTest, CustomHandlersGoFirstAndMayStream) {
  server_.handle("/bytes/special", [](const RequestView& request, ResponseWriter& writer) {
    writer.add_header("X-Seen", std::to_string(request.body.size()));
    writer.begin(200, "text/plain", 6);
    writer.stream([round = 0](ResponseWriter& more) mutable {
      more.raw("ab");
      more.wait(milliseconds(1));
      return ++round < 3;
    });
  });
  TestClient client(server_.port());
  const Response response = client.request("POST", "/bytes/special/x", "four");
  EXPECT_EQ(response.body, "ababab");
  EXPECT_NE(response.head.find("X-Seen: 4\r\n"), std::string::npos);
  EXPECT_EQ(client.get("/bytes/2").body, pattern(2));
  server_.handle("/bytes/special", nullptr);
  EXPECT_EQ(client.get("/bytes/special").status, 400);
}

TEST_F(HttpServerTest, CountersAndLogFollowConnections) {
  TestClient first(server_.port());
  first.get("/bytes/1?a=b");
  {
    TestClient second(server_.port());
    EXPECT_EQ(second.get("/connection").body, "2");
    EXPECT_EQ(server_.counters().connections_open, 2u);
  }
  EXPECT_TRUE(server_.wait_until([](const Counters& now) { return now.connections_open == 1; }));
  EXPECT_EQ(server_.counters().connections_peak, 2u);
  const auto records = server_.connections();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_TRUE(records[0].open);
  EXPECT_FALSE(records[1].open);
  ASSERT_EQ(server_.log().size(), 2u);
  EXPECT_EQ(server_.log()[0].target, "/bytes/1?a=b");
  EXPECT_EQ(server_.log()[1].peer_port, records[1].peer_port);
  EXPECT_NE(first.get("/count").body.find("\"connections_accepted\":2,"), std::string::npos);
  first.get("/reset-counters");
  EXPECT_EQ(server_.counters().requests, 0u);
  EXPECT_EQ(server_.counters().connections_peak, 1u);
  EXPECT_FALSE(server_.wait_until([](const Counters& now) { return now.requests > 0; }, milliseconds(1)));
}

TEST_F(HttpServerTest, HalfClosedClientsStillGetWhatIsReady) {
  TestClient client(server_.port());
  client.send("GET /bytes/300000 HTTP/1.1\r\n\r\n");
  client.half_close();
  EXPECT_EQ(client.read_response().body.size(), 300000u);
  EXPECT_EQ(client.receive(), Outcome::kEnd);
}

TEST(HttpServer, ListenersAreCountedOneByOneAndInSum) {
  HttpServer server({.listeners = {{}, {.address = "127.0.0.9"}, {.address = "::1"}}});
  server.start();
  TestClient(server.port(0)).get("/status/200");
  TestClient(server.port(1), "127.0.0.9").get("/status/200");
  TestClient six(server.port(2), "::1");
  six.get("/status/200");
  six.get("/status/200");
  EXPECT_EQ(server.counters(1).requests, 1u);
  EXPECT_EQ(server.counters(2).requests, 2u);
  EXPECT_EQ(server.counters().requests, 4u);
  EXPECT_EQ(server.counters().connections_accepted, 3u);
  EXPECT_EQ(server.url(2, "/x"), "http://[::1]:" + std::to_string(server.port(2)) + "/x");
}

TEST(HttpServer, KeepAliveEndsAsConfigured) {
  HttpServer server({.max_keepalive_requests = 2, .keep_alive_header_seconds = 9});
  server.start();
  TestClient client(server.port());
  EXPECT_NE(client.get("/bytes/1").head.find("Keep-Alive: timeout=9\r\n"), std::string::npos);
  EXPECT_NE(client.get("/bytes/1").head.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(client.receive(), Outcome::kEnd);
  TestClient old(server.port());
  old.send("GET /bytes/1 HTTP/1.0\r\n\r\n");
  EXPECT_NE(old.read_response().head.find("Connection: close\r\n"), std::string::npos);
}

TEST(HttpServer, IdleConnectionsAreClosedAsConfigured) {
  HttpServer server({.idle_timeout = milliseconds(500)});
  server.start();
  TestClient idle(server.port());
  const auto start = std::chrono::steady_clock::now();
  idle.get("/delay/40");
  EXPECT_EQ(idle.receive(), Outcome::kEnd);
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(540));
}

TEST(HttpServer, RestartKeepsThePort) {
  HttpServer server;
  server.start();
  const std::uint16_t port = server.port();
  TestClient client(port);
  client.get("/bytes/1");
  server.stop();
  EXPECT_EQ(client.receive(), Outcome::kEnd);
  EXPECT_EQ(server.counters().connections_open, 0u);
  EXPECT_THROW(TestClient{port}, std::system_error);
  server.start();
  EXPECT_EQ(server.port(), port);
  EXPECT_EQ(TestClient(port).get("/connection").body, "2");
}

TEST(HttpServer, ManyThreadsAtOnceLoseNothing) {
  HttpServer server;
  server.start();
  constexpr int kThreads = 4;
  constexpr int kRequests = 100;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&server] {
      TestClient client(server.port());
      for (int k = 0; k < kRequests; ++k) {
        EXPECT_EQ(client.request("POST", "/once/all", "x").status, 200);
        server.counters();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(server.once_count("all"), static_cast<std::uint64_t>(kThreads * kRequests));
  EXPECT_EQ(server.counters().requests, static_cast<std::uint64_t>(kThreads * kRequests));
}

}  // namespace
}  // namespace hc::serve::test
