// Redirects followed hop by hop: methods, bodies, what stays with an origin, history, limits.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "support/client.h"
#include "support/raw_server.h"
#include "support/tls_server.h"

namespace hc::test {
namespace {

using serve::HttpServer;

class Redirects : public testing::Test {
 protected:
  void SetUp() override {
    server_.start();
    other_.start();
  }
  std::string url(std::string_view path) const { return server_.url(0, path); }
  std::string other(std::string_view path) const { return other_.url(0, path); }
  /// A URL that redirects to `target` with this status.
  std::string via(int status, const std::string& target) const {
    return url("/redirect-to?status=" + std::to_string(status) + "&url=" + encoded(target));
  }
  static std::string encoded(const std::string& target) {
    std::string out;
    for (char c : target) {
      char hex[4];
      std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned char>(c));
      out += hex;
    }
    return out;
  }
  static bool has_field(const std::string& head, std::string_view name) {
    return head.find("\r\n" + std::string(name) + ":") != std::string::npos;
  }

  HttpServer server_;
  HttpServer other_;
};

TEST_F(Redirects, AreFollowedWithTheirHistory) {
  Client client;
  Outcome outcome = client.fetch(url("/redirect/3"));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(outcome.http_status, 200);
  EXPECT_EQ(outcome.body, "arrived\n");
  hc_response_info info = outcome.info();
  EXPECT_EQ(text(info.url), url("/redirect/0"));
  ASSERT_EQ(info.history_count, 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(info.history[i].http_status, 302);
    EXPECT_EQ(text(info.history[i].method), "GET");
    EXPECT_EQ(text(info.history[i].url), url("/redirect/" + std::to_string(3 - i)));
    EXPECT_GE(info.history[i].header_count, 1u);
  }
  EXPECT_EQ(server_.counters().connections_accepted, 1u) << "all hops over one connection";
  expect_sums(client.stats());
}

// Its body is of no interest, and may never come: the next hop goes over another connection.
TEST_F(Redirects, AreFollowedThoughTheirBodyDoesNotCome) {
  std::string target = other("/bytes/3");
  RawServer server("HTTP/1.1 303 See Other\r\nLocation: " + target + "\r\nContent-Length: 100\r\n\r\nbegun",
                   RawServer::Then::kHang);
  Client client([](hc_session_options& o) { o.timeouts.total_ms = 10'000; });
  Outcome piecewise = client.fetch(server.url(), streamed);
  ASSERT_EQ(piecewise.kind, HC_HEAD);
  EXPECT_EQ(read_all(piecewise.response.get()), serve::pattern(3));
  EXPECT_TRUE(is(client.wait(piecewise.id), HC_OK));
  std::string large = serve::pattern(20'000'000);  // more than a server takes that reads nothing
  for (const Tune& tune : {Tune(), with_body("POST", large)}) {
    Outcome outcome = client.fetch(server.url(), tune);
    EXPECT_TRUE(is(outcome, HC_OK));
    EXPECT_EQ(text(outcome.info().url), target);
    EXPECT_EQ(outcome.info().history_count, 1u);
    EXPECT_EQ(outcome.body, serve::pattern(3));
  }
  expect_sums(client.stats());
}

TEST_F(Redirects, AreHandedOverWhenNoneIsWanted) {
  Client client([](hc_session_options& o) { o.max_redirects = 0; });
  Outcome outcome = client.fetch(url("/redirect/3"));
  EXPECT_EQ(outcome.http_status, 302);
  EXPECT_EQ(outcome.header("Location"), "/redirect/2");
  EXPECT_EQ(outcome.info().history_count, 0u);
  EXPECT_EQ(client.fetch(url("/redirect/3"), [](hc_request& r) { r.max_redirects = 5; }).http_status, 200);
}

TEST_F(Redirects, TooManyEndWithTheirOwnCode) {
  Client client;
  EXPECT_TRUE(is(client.fetch(url("/redirect/10")), HC_OK));
  Outcome outcome = client.fetch(url("/redirect/11"));
  EXPECT_TRUE(is(outcome, HC_E_TOO_MANY_REDIRECTS, HC_PHASE_RECEIVING));
  EXPECT_EQ(outcome.info().http_status, 302) << "the last answer is there to look at";
  EXPECT_EQ(outcome.info().history_count, 10u);
  Outcome one = client.fetch(url("/redirect/2"), [](hc_request& r) { r.max_redirects = 1; });
  EXPECT_TRUE(is(one, HC_E_TOO_MANY_REDIRECTS));
}

struct MethodCase {
  int status;
  const char* method;
  const char* body;
  const char* arrives_as;
  bool with_body;
};

TEST_F(Redirects, ChangeMethodAndBodyAsBrowsersDo) {
  Client client;
  for (const MethodCase& c :
       {MethodCase{301, "POST", "text", "GET", false}, MethodCase{302, "POST", "text", "GET", false},
        MethodCase{303, "POST", "text", "GET", false}, MethodCase{303, "PUT", "text", "GET", false},
        MethodCase{303, "DELETE", nullptr, "GET", false}, MethodCase{301, "PUT", "text", "PUT", true},
        MethodCase{302, "DELETE", nullptr, "DELETE", false}, MethodCase{307, "POST", "text", "POST", true},
        MethodCase{308, "POST", "text", "POST", true}, MethodCase{308, "PUT", "text", "PUT", true},
        MethodCase{301, "GET", nullptr, "GET", false}}) {
    Outcome outcome = client.fetch(via(c.status, "/echo/head"), [&](hc_request& r) {
      r.method = str(c.method);
      if (c.body != nullptr) r.body = str(c.body);
    });
    std::string label = std::to_string(c.status) + " " + c.method;
    EXPECT_TRUE(is(outcome, HC_OK)) << label;
    EXPECT_EQ(outcome.body.substr(0, outcome.body.find(' ')), c.arrives_as) << label;
    EXPECT_EQ(outcome.body.find("Content-Length: 4") != std::string::npos, c.with_body) << label;
  }
  EXPECT_EQ(client.fetch(via(303, "/bytes/10"), with_method("HEAD")).header("Content-Length"), "10");
}

TEST_F(Redirects, BodiesGoAlong) {
  Client client;
  std::string body = serve::pattern(300'000);
  EXPECT_TRUE(client.fetch(via(307, "/echo"), with_body("POST", body)).body == body);
  EXPECT_TRUE(client.fetch(via(308, other("/echo")), with_body("PUT", body)).body == body);
}

TEST_F(Redirects, FieldsAboutADroppedBodyGoWithIt) {
  Client client;
  std::vector<hc_header> headers{{str("Content-Type"), str("text/x-mine")}, {str("X-Mine"), str("kept")}};
  Outcome outcome = client.fetch(via(303, "/echo/head"), [&](hc_request& r) {
    with_body("POST", "text")(r);
    r.headers = headers.data();
    r.header_count = headers.size();
  });
  EXPECT_FALSE(has_field(outcome.body, "Content-Type"));
  EXPECT_TRUE(has_field(outcome.body, "X-Mine"));
}

TEST_F(Redirects, AcrossOriginsSecretsStayBehind) {
  Client client([](hc_session_options& o) {
    o.username = str("session");
    o.password = str("secret");
  });
  std::vector<hc_header> headers{{str("Cookie"), str("a=b")}, {str("X-Mine"), str("kept")}};
  Tune tune = [&](hc_request& r) {
    r.headers = headers.data();
    r.header_count = headers.size();
  };
  std::string same = client.fetch(via(302, url("/echo/head")), tune).body;
  for (const char* name : {"Authorization", "Cookie", "X-Mine"}) {
    EXPECT_TRUE(has_field(same, name)) << name;
  }
  std::string crossed = client.fetch(via(302, other("/echo/head")), tune).body;
  for (const char* name : {"Authorization", "Cookie"}) {
    EXPECT_FALSE(has_field(crossed, name)) << name;
  }
  EXPECT_TRUE(has_field(crossed, "X-Mine"));
  std::string there_and_back =
      client.fetch(via(302, other("/redirect-to?url=" + encoded(url("/echo/head")))), tune).body;
  EXPECT_FALSE(has_field(there_and_back, "Authorization")) << "what was left behind does not come back";
}

TEST_F(Redirects, HostGivenByTheCallerIsForItsOriginOnly) {
  Client client;
  hc_header host{str("Host"), str("made-up.test")};
  Tune tune = [&](hc_request& r) {
    r.headers = &host;
    r.header_count = 1;
  };
  EXPECT_NE(client.fetch(via(302, "/echo/head"), tune).body.find("Host: made-up.test"), std::string::npos);
  EXPECT_EQ(client.fetch(via(302, other("/echo/head")), tune).body.find("made-up.test"), std::string::npos);
}

TEST_F(Redirects, CredentialsInTheLocationAreUsed) {
  Client client;
  std::string target = other("/echo/head");
  target.insert(target.find("127"), "user:pass@");
  Outcome outcome = client.fetch(via(302, target));
  EXPECT_NE(outcome.body.find("Authorization: Basic dXNlcjpwYXNz"), std::string::npos);
  EXPECT_EQ(text(outcome.info().url), other("/echo/head")) << "and are no part of what is shown";
}

TEST_F(Redirects, FragmentsAreInherited) {
  Client client;
  EXPECT_EQ(text(client.fetch(via(302, "/bytes/1") + "#top").info().url), url("/bytes/1#top"));
  EXPECT_EQ(text(client.fetch(via(302, "/bytes/1#own") + "#top").info().url), url("/bytes/1#own"));
}

TEST_F(Redirects, UnusableOnesAreErrors) {
  Client client;
  for (const char* location :
       {"ftp://127.0.0.1/x", "http://", "http://bad host/", "javascript:x", "http://a\\b/"}) {
    Outcome outcome = client.fetch(via(302, location));
    EXPECT_TRUE(is(outcome, HC_E_REDIRECT, HC_PHASE_RECEIVING)) << location;
  }
  EXPECT_TRUE(is(client.fetch(url("/status/302")), HC_OK)) << "without a Location it is an answer";
}

TEST_F(Redirects, StreamedOnesGiveTheLastHead) {
  Client client;
  Outcome head = client.wait(client.submit(url("/redirect/2"), streamed));
  EXPECT_EQ(head.kind, HC_HEAD);
  EXPECT_EQ(head.http_status, 200);
  EXPECT_EQ(read_all(head.response.get()), "arrived\n");
  EXPECT_EQ(head.info().history_count, 2u);
}

TEST_F(Redirects, TotalRunsOverAllHops) {
  Client client;
  Outcome outcome =
      client.fetch(via(302, via(302, "/delay/5000")), [](hc_request& r) { r.timeouts.total_ms = 200; });
  EXPECT_TRUE(is(outcome, HC_E_TIMEOUT_TOTAL));
  EXPECT_GE(outcome.info().timing.done_ns, 200'000'000u);
}

TEST_F(Redirects, CancelWorksInEveryHop) {
  Client client;
  hc_id id = client.submit(via(302, "/hang"));
  EXPECT_TRUE(eventually([&] { return server_.counters().requests >= 2; }));
  client.cancel(id);
  EXPECT_TRUE(is(client.wait(id), HC_E_CANCELLED));
}

TEST_F(Redirects, FromHttpsToHttpOnlyIfAllowed) {
  serve::TestPki pki;
  serve::HttpServerOptions options;
  options.listeners[0].tls = tls_with(pki.server());
  HttpServer secure(options);
  secure.start();
  std::string target = secure.url(0, "/redirect-to?url=" + encoded(url("/bytes/3")));
  Client client([](hc_session_options& o) { o.tls_verify = HC_OFF; });
  EXPECT_TRUE(is(client.fetch(target), HC_E_REDIRECT));
  Outcome allowed = client.fetch(target, [](hc_request& r) { r.insecure_redirects = HC_ON; });
  EXPECT_TRUE(is(allowed, HC_OK));
  EXPECT_EQ(allowed.body, serve::pattern(3));
}

TEST(SessionDefaults, BaseUrlIsWhereRelativeOnesStart) {
  HttpServer server;
  server.start();
  std::string base = server.url(0, "/bytes/1");
  Client client([&](hc_session_options& o) { o.base_url = str(base); });
  EXPECT_EQ(client.fetch("2").body.size(), 2u);
  EXPECT_EQ(client.fetch("/bytes/3").body.size(), 3u);
  EXPECT_EQ(client.fetch("../status/404").http_status, 404);
  EXPECT_EQ(client.fetch(server.url(0, "/bytes/4")).body.size(), 4u);
  EXPECT_THROW(Client([](hc_session_options& o) { o.base_url = str("no url"); }), std::runtime_error);
}

TEST(SessionDefaults, AuthIsForRequestsWithoutTheirOwn) {
  HttpServer server;
  server.start();
  Client client([](hc_session_options& o) {
    o.username = str("user");
    o.password = str("pass");
  });
  std::string address = server.url(0, "/echo/head");
  EXPECT_NE(client.fetch(address).body.find("Authorization: Basic dXNlcjpwYXNz"), std::string::npos);
  std::string own = client.fetch(address, [](hc_request& r) { r.username = str("other"); }).body;
  EXPECT_NE(own.find("Authorization: Basic b3RoZXI6"), std::string::npos);
  EXPECT_THROW(Client([](hc_session_options& o) { o.username = str("a:b"); }), std::runtime_error);
}

TEST(Compression, IsAskedForAndDecoded) {
  HttpServer server;
  server.start();
  Client client;
  Outcome outcome = client.fetch(server.url(0, "/gzip/200000"));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_TRUE(outcome.body == serve::pattern(200'000));
  EXPECT_EQ(outcome.header("Content-Encoding"), "gzip") << "heads are handed over as they came";
  std::string head = client.fetch(server.url(0, "/echo/head")).body;
  EXPECT_NE(head.find("\r\nAccept-Encoding: "), std::string::npos);
  EXPECT_NE(head.find("gzip"), std::string::npos);
  Outcome streamed_one = client.wait(client.submit(server.url(0, "/gzip/2000000"), streamed));
  EXPECT_TRUE(read_all(streamed_one.response.get()) == serve::pattern(2'000'000));
}

TEST(Compression, IsLeftAloneOnRequest) {
  HttpServer server;
  server.start();
  Client client([](hc_session_options& o) { o.decompress = HC_OFF; });
  Outcome raw = client.fetch(server.url(0, "/gzip/200000"));
  EXPECT_EQ(raw.body.substr(0, 2), "\x1f\x8b");
  EXPECT_EQ(client.fetch(server.url(0, "/echo/head")).body.find("Accept-Encoding"), std::string::npos);
  Tune on = [](hc_request& r) { r.decompress = HC_ON; };
  EXPECT_TRUE(client.fetch(server.url(0, "/gzip/2000"), on).body == serve::pattern(2000));
  EXPECT_EQ(client.fetch(server.url(0, "/gzip/2000")).body.substr(0, 2), "\x1f\x8b")
      << "nothing of it is left";
}

TEST(Compression, AcceptEncodingIsReplaceableAndRemovable) {
  HttpServer server;
  server.start();
  Client client;
  hc_header field{str("Accept-Encoding"), str("identity")};
  Tune tune = [&](hc_request& r) {
    r.headers = &field;
    r.header_count = 1;
  };
  EXPECT_NE(client.fetch(server.url(0, "/echo/head"), tune).body.find("\r\nAccept-Encoding: identity\r\n"),
            std::string::npos);
  field.value = {nullptr, 0};
  EXPECT_EQ(client.fetch(server.url(0, "/echo/head"), tune).body.find("Accept-Encoding"), std::string::npos);
}

TEST(Compression, DataThatStopBeforeTheirEndAreNoSuccess) {
  serve::HttpServer server;
  server.start();
  Client client;
  for (const char* query : {"?cut=1", "?cut=8", "?cut=100", "?cut=1&chunked=1", "?cut=100&chunked=1"}) {
    Outcome outcome = client.fetch(server.url(0, "/gzip/50000" + std::string(query)));
    EXPECT_TRUE(is(outcome, HC_E_INCOMPLETE, HC_PHASE_RECEIVING)) << query;
    EXPECT_EQ(outcome.message(), "the body is whole, but its gzip data stop before their end");
    EXPECT_TRUE(is(client.fetch(server.url(0, "/gzip/50000?chunked=1")), HC_OK)) << "the same handle";
    Outcome raw = client.fetch(server.url(0, "/gzip/50000" + std::string(query)),
                               [](hc_request& r) { r.decompress = HC_OFF; });
    EXPECT_TRUE(is(raw, HC_OK)) << "nobody looks at what is handed over raw";
  }
}

TEST(Compression, StreamedDataThatStopBeforeTheirEndAreNoSuccess) {
  serve::HttpServer server;
  server.start();
  Client client;
  for (const char* path : {"/gzip/2000000?cut=1", "/gzip/2000000?cut=1&chunked=1"}) {
    Outcome head = client.fetch(server.url(0, path), streamed);
    hc_status end = HC_OK;
    EXPECT_GT(read_all(head.response.get(), &end).size(), 0u) << path;
    EXPECT_EQ(end, HC_E_INCOMPLETE) << path;
  }
  Outcome head = client.fetch(server.url(0, "/gzip/2000000"), streamed);
  hc_status end = HC_E_INTERNAL;
  EXPECT_TRUE(read_all(head.response.get(), &end) == serve::pattern(2'000'000));
  EXPECT_EQ(end, HC_OK);
}

TEST(Compression, BombsDieAtMaxBody) {
  HttpServer server;
  server.start();
  Client client([](hc_session_options& o) { o.max_body = 1'000'000; });
  Outcome outcome = client.fetch(server.url(0, "/gzip/100000000"));
  EXPECT_TRUE(is(outcome, HC_E_TOO_LARGE, HC_PHASE_RECEIVING));
  EXPECT_LE(outcome.body.size(), 1'000'000u);
}

}  // namespace
}  // namespace hc::test
