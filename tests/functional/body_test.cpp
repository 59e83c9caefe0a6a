// Requests and answers as they cross the wire: methods, headers, bodies, credentials, https.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "support/client.h"
#include "support/tls_server.h"

namespace hc::test {
namespace {

using serve::HttpServer;

std::string every_byte() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

class Wire : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  std::string url(std::string_view path) const { return server_.url(0, path); }
  std::string host() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  /// The request head that the server received.
  std::string head(Client& client, const Tune& tune = {}) {
    return client.fetch(url("/echo/head"), tune).body;
  }
  static bool has_line(const std::string& head, std::string_view line) {
    return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
  }
  static bool has_field(const std::string& head, std::string_view name) {
    return head.find("\r\n" + std::string(name) + ":") != std::string::npos;
  }
  static Tune with_headers(const std::vector<hc_header>& headers) {
    return [&headers](hc_request& r) {
      r.headers = headers.data();
      r.header_count = headers.size();
    };
  }

  HttpServer server_;
};

TEST_F(Wire, BodiesGoUpAndDownUnchanged) {
  Client client;
  std::string large = serve::pattern(10'000'000);
  for (const std::string& body : {std::string("text"), every_byte(), std::string(1, '\0'), large}) {
    Outcome outcome = client.fetch(url("/echo"), with_body("POST", body));
    EXPECT_TRUE(is(outcome, HC_OK));
    EXPECT_TRUE(outcome.body == body) << body.size();
  }
  EXPECT_EQ(server_.counters().connections_accepted, 1u);
}

TEST_F(Wire, BorrowedBodiesAreNotCopied) {
  Client client;
  std::string body = serve::pattern(10'000'000);
  Outcome outcome = client.fetch(url("/echo"), [&](hc_request& r) {
    with_body("PUT", body)(r);
    r.body_kind = HC_BODY_BORROWED;
  });
  EXPECT_TRUE(outcome.body == body);
}

TEST_F(Wire, CopiedBodiesMayChangeAfterTheSubmit) {
  Client client([](hc_session_options& o) { o.limit = 1; });
  client.submit(url("/delay/50"));
  std::string body = "before";
  hc_id id = client.submit(url("/echo"), with_body("POST", body));
  body = "after!";
  EXPECT_EQ(client.wait(id).body, "before");
}

TEST_F(Wire, EmptyBodiesSayLengthZero) {
  Client client;
  EXPECT_TRUE(has_line(head(client, with_body("POST", "")), "Content-Length: 0"));
  EXPECT_TRUE(has_line(head(client, with_body("PUT", "")), "Content-Length: 0"));
  EXPECT_FALSE(has_field(head(client, with_method("GET")), "Content-Length"));
  EXPECT_FALSE(has_field(head(client, with_method("DELETE")), "Content-Length"));
}

TEST_F(Wire, MethodsThatAnticipateABodySayThatThereIsNone) {
  Client client;
  hc_header length{HC_STR("Content-Length"), HC_STR("0")};
  auto with_length = [&](std::string_view method) {
    return [&length, method](hc_request& r) {
      r.method = str(method);
      r.headers = &length;
      r.header_count = 1;
    };
  };
  for (std::string_view method : {"POST", "PUT", "PATCH"}) {
    for (const Tune& tune : {with_method(method), Tune(with_length(method))}) {
      std::string sent = head(client, tune);
      EXPECT_TRUE(has_line(sent, "Content-Length: 0")) << sent;
      EXPECT_EQ(sent.find("Content-Length"), sent.rfind("Content-Length")) << sent;
      EXPECT_FALSE(has_field(sent, "Content-Type")) << "there is nothing that has a type: " << sent;
    }
    EXPECT_EQ(client.fetch(url("/method"), with_method(method)).body.substr(0, method.size()), method);
    std::string again = client.fetch(url("/redirect-to?status=307&url=/echo/head"), with_method(method)).body;
    EXPECT_TRUE(has_line(again, "Content-Length: 0")) << again;
    EXPECT_FALSE(has_field(again, "Content-Type")) << again;
  }
  EXPECT_FALSE(has_field(head(client, with_method("OPTIONS")), "Content-Length"));
  EXPECT_TRUE(has_line(head(client, with_length("DELETE")), "Content-Length: 0")) << "said by the caller";
  hc_header type{HC_STR("Content-Type"), HC_STR("text/plain")};
  std::string typed = head(client, [&](hc_request& r) {
    with_method("POST")(r);
    r.headers = &type;
    r.header_count = 1;
  });
  EXPECT_TRUE(has_line(typed, "Content-Type: text/plain")) << typed;
}

TEST_F(Wire, MethodsArriveAsGiven) {
  Client client;
  for (std::string_view method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "PURGE",
                                  "M-SEARCH", "X!#$%&'*+.^_`|~9"}) {
    Outcome outcome = client.fetch(url("/method"), with_method(method));
    EXPECT_TRUE(is(outcome, HC_OK)) << method;
    EXPECT_EQ(outcome.body.substr(0, method.size()), method);
    EXPECT_EQ(client.fetch(url("/method"), with_body(method, "body")).body.substr(0, method.size()), method);
  }
  EXPECT_EQ(client.fetch(url("/method")).body.substr(0, 3), "GET") << "nothing of the last one is left";
}

TEST_F(Wire, HeadHasNoBody) {
  Client client;
  Outcome outcome = client.fetch(url("/bytes/1000"), with_method("HEAD"));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(outcome.body, "");
  EXPECT_EQ(outcome.header("Content-Length"), "1000");
  Outcome next = client.fetch(url("/bytes/5"));
  EXPECT_TRUE(next.was_reused());
  EXPECT_EQ(next.body, serve::pattern(5));
}

TEST_F(Wire, AnAnswerBiggerThanMaxBodyMayBeAnnouncedByHead) {
  Client client([](hc_session_options& o) { o.max_body = 100; });
  EXPECT_TRUE(is(client.fetch(url("/bytes/1000"), with_method("HEAD")), HC_OK));
}

TEST_F(Wire, AnswersOfEveryShape) {
  Client client;
  EXPECT_EQ(client.fetch(url("/bytes/0")).body, "");
  EXPECT_EQ(client.fetch(url("/status/204")).body, "");
  EXPECT_EQ(client.fetch(url("/status/304")).body, "");
  EXPECT_EQ(client.fetch(url("/chunked?chunks=4&size=16")).body.size(), 64u);
  EXPECT_EQ(client.fetch(url("/chunked?chunks=3&size=100000&trailer=1")).body.size(), 300'000u);
  EXPECT_TRUE(client.fetch(url("/bytes/10000000")).body == serve::pattern(10'000'000));
  EXPECT_EQ(server_.counters().connections_accepted, 1u);
}

TEST_F(Wire, AnAnswerWithoutALengthEndsWithTheConnection) {
  server_.handle("/endless", [](const serve::RequestView&, serve::ResponseWriter& writer) {
    writer.raw("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    writer.end(serve::Ending::kFin);
  });
  Client client;
  EXPECT_EQ(client.fetch(url("/endless")).body, "until the end");
  EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused());
}

TEST_F(Wire, MaxBodyBoundsAnswers) {
  Client client([](hc_session_options& o) { o.max_body = 1'000; });
  EXPECT_TRUE(is(client.fetch(url("/bytes/1000")), HC_OK));
  Outcome outcome = client.fetch(url("/bytes/1001"));
  EXPECT_TRUE(is(outcome, HC_E_TOO_LARGE, HC_PHASE_RECEIVING));
  EXPECT_LE(outcome.body.size(), 1'000u);
  EXPECT_TRUE(is(client.fetch(url("/chunked?chunks=200&size=16")), HC_E_TOO_LARGE));
  EXPECT_TRUE(is(client.fetch(url("/bytes/5000"), [](hc_request& r) { r.max_body = 5'000; }), HC_OK));
  EXPECT_TRUE(is(client.fetch(url("/bytes/11"), [](hc_request& r) { r.max_body = 10; }), HC_E_TOO_LARGE));
  EXPECT_TRUE(is(client.fetch(url("/bytes/100000"), [](hc_request& r) { r.max_body = 0; }), HC_OK)) << "none";
}

TEST_F(Wire, AGreatPromiseTakesNoMemoryInAdvance) {
  Client client;
  Outcome outcome = client.fetch(url("/truncate?claimed=1000000000&sent=10"));
  EXPECT_TRUE(is(outcome, HC_E_INCOMPLETE));
  EXPECT_EQ(outcome.body.size(), 10u);
}

TEST_F(Wire, HeadersKeepOrderCaseAndNumber) {
  Client client;
  std::vector<hc_header> headers{{HC_STR("X-b"), HC_STR("1")},
                                 {HC_STR("x-A"), HC_STR("two words; and=more")},
                                 {HC_STR("X-B"), HC_STR("3")},
                                 {HC_STR("X-Bytes"), HC_STR("caf\xC3\xA9")}};
  std::string seen = head(client, with_headers(headers));
  EXPECT_NE(seen.find("X-b: 1\r\nx-A: two words; and=more\r\nX-B: 3\r\nX-Bytes: caf\xC3\xA9\r\n"),
            std::string::npos)
      << seen;
}

TEST_F(Wire, AnEmptyValueIsSentAndNullRemovesTheAutomaticField) {
  Client client;
  std::vector<hc_header> headers{
      {HC_STR("X-Empty"), HC_STR("")}, {HC_STR("Accept"), hc_str{}}, {HC_STR("User-Agent"), hc_str{}}};
  std::string seen = head(client, with_headers(headers));
  EXPECT_TRUE(has_line(seen, "X-Empty:")) << seen;
  EXPECT_FALSE(has_field(seen, "Accept"));
  EXPECT_FALSE(has_field(seen, "User-Agent"));
}

TEST_F(Wire, AutomaticFieldsCanBeReplaced) {
  Client client;
  std::string automatic = head(client);
  EXPECT_TRUE(has_line(automatic, "Host: " + host()));
  EXPECT_TRUE(has_line(automatic, std::string("User-Agent: libhc/") + HC_VERSION_STRING)) << automatic;
  EXPECT_TRUE(has_line(automatic, "Accept: */*"));
  std::vector<hc_header> headers{{HC_STR("Host"), HC_STR("other.test")},
                                 {HC_STR("user-agent"), HC_STR("mine/1")},
                                 {HC_STR("ACCEPT"), HC_STR("text/plain")}};
  std::string seen = head(client, with_headers(headers));
  EXPECT_TRUE(has_line(seen, "Host: other.test")) << seen;
  EXPECT_EQ(seen.find(host()), std::string::npos);
  EXPECT_TRUE(has_line(seen, "user-agent: mine/1"));
  EXPECT_FALSE(has_field(seen, "User-Agent"));
  EXPECT_TRUE(has_line(seen, "ACCEPT: text/plain"));
}

// Host and Accept are the library's own lines in most requests, and libcurl's in the others.
TEST_F(Wire, HostComesFirstAndOnce) {
  Client client([](hc_session_options& o) {
    o.decompress = HC_OFF;
    o.header_count = 0;
  });
  const std::string start = "GET /echo/head HTTP/1.1\r\nHost: " + host() + "\r\n";
  const std::string agent = std::string("User-Agent: libhc/") + HC_VERSION_STRING + "\r\n\r\n";
  EXPECT_EQ(head(client), start + "Accept: */*\r\n" + agent);
  std::vector<hc_header> accept{{HC_STR("Accept"), HC_STR("text/plain")}};
  EXPECT_EQ(head(client, with_headers(accept)), start + "Accept: text/plain\r\n" + agent);
  std::vector<hc_header> none{{HC_STR("accept"), hc_str{}}};
  EXPECT_EQ(head(client, with_headers(none)), start + agent);
  std::vector<hc_header> other{{HC_STR("host"), HC_STR("other.test")}};
  EXPECT_EQ(head(client, with_headers(other)),
            "GET /echo/head HTTP/1.1\r\nHost: other.test\r\nAccept: */*\r\n" + agent);
  std::string with_credentials = head(client, [](hc_request& r) { r.username = HC_STR("a"); });
  EXPECT_EQ(with_credentials, start + "Authorization: Basic YTo=\r\nAccept: */*\r\n" + agent);
  EXPECT_TRUE(
      client.fetch(url("/echo/head"), with_body("POST", "body")).body.starts_with("POST " + start.substr(4)));
}

TEST_F(Wire, NothingUnaskedGoesWithABody) {
  Client client;
  std::string body(3'000'000, 'x');
  Outcome outcome = client.fetch(url("/echo/head"), with_body("POST", body));
  EXPECT_FALSE(has_field(outcome.body, "Expect")) << outcome.body;
  EXPECT_FALSE(has_field(outcome.body, "Content-Type")) << outcome.body;
  EXPECT_TRUE(has_line(outcome.body, "Content-Length: 3000000"));
}

TEST_F(Wire, ADefaultHeaderOfBlanksIsAnEmptyOne) {
  const hc_header blank[] = {{HC_STR("Accept"), HC_STR(" \t ")}, {HC_STR("X-Wide"), HC_STR("  wide ")}};
  Client client([&](hc_session_options& o) {
    o.headers = blank;
    o.header_count = 2;
  });
  std::string seen = head(client);
  EXPECT_TRUE(has_line(seen, "Accept:")) << seen;
  EXPECT_TRUE(has_line(seen, "X-Wide: wide")) << seen;
}

TEST_F(Wire, DefaultHeadersOfTheSession) {
  const hc_header defaults[] = {{HC_STR("X-Team"), HC_STR("blue")}, {HC_STR("X-Trace"), HC_STR("on")}};
  Client client([&](hc_session_options& o) {
    o.headers = defaults;
    o.header_count = 2;
    o.user_agent = HC_STR("app/2");
  });
  EXPECT_TRUE(has_line(head(client), "X-Team: blue"));
  EXPECT_TRUE(has_line(head(client), "User-Agent: app/2"));
  std::vector<hc_header> own{{HC_STR("x-team"), HC_STR("red")}, {HC_STR("X-Trace"), hc_str{}}};
  std::string seen = head(client, with_headers(own));
  EXPECT_TRUE(has_line(seen, "x-team: red"));
  EXPECT_FALSE(has_field(seen, "X-Team"));
  EXPECT_FALSE(has_field(seen, "X-Trace"));
}

TEST_F(Wire, AnEmptyUserAgentIsNone) {
  Client client([](hc_session_options& o) { o.user_agent = HC_STR(""); });
  EXPECT_FALSE(has_field(head(client), "User-Agent"));
}

TEST_F(Wire, BasicAuth) {
  Client client;
  auto credentials = [](hc_request& r) {
    r.username = HC_STR("Aladdin");
    r.password = HC_STR("open sesame");
  };
  EXPECT_TRUE(has_line(head(client, credentials), "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
  EXPECT_FALSE(has_field(head(client), "Authorization")) << "nothing of the last request is left";
  std::string in_url = "http://Aladdin:open%20sesame@" + host() + "/echo/head";
  EXPECT_TRUE(has_line(client.fetch(in_url).body, "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
  EXPECT_TRUE(has_line(client.fetch("http://other:one@" + host() + "/echo/head", credentials).body,
                       "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
  EXPECT_EQ(client.fetch(in_url).body.find("Aladdin"), std::string::npos);
}

TEST_F(Wire, TargetsArriveAsGiven) {
  server_.handle("/t", [](const serve::RequestView& request, serve::ResponseWriter& writer) {
    writer.respond_text(request.target);
  });
  Client client;
  for (std::string_view target : {"/t", "/t?a=1&b=%20", "/t//x", "/t?", "/t?x?y/z", "/t;p=1", "/t/{a}|[b]"}) {
    EXPECT_EQ(client.fetch(url(target)).body, target);
  }
  EXPECT_EQ(client.fetch(url("/t/a/../b/./c")).body, "/t/b/c") << "as RFC 3986 5.2.4 and every browser";
  EXPECT_EQ(client.fetch(url("/t?a#fragment")).body, "/t?a") << "a fragment stays here";
  EXPECT_EQ(client.fetch(url("/t/\xC3\xA4")).body, "/t/%C3%A4");
}

TEST_F(Wire, AProxyInTheEnvironmentIsNobodysBusiness) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  Client client;
  EXPECT_TRUE(is(client.fetch(url("/bytes/1")), HC_OK));
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
}

class WireTls : public testing::Test {
 protected:
  WireTls() {
    serve::HttpServerOptions options;
    options.listeners[0].tls = tls_with(pki_.server());
    server_ = std::make_unique<HttpServer>(options);
    server_->start();
  }
  SessionSetup trusting(const SessionSetup& more = {}) {
    return [this, more](hc_session_options& o) {
      o.ca_file = str(pki_.ca().certificate_path);
      if (more) more(o);
    };
  }
  serve::TestPki pki_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(WireTls, BodiesGoUpAndDownUnchanged) {
  Client client(trusting());
  std::string body = serve::pattern(5'000'000);
  EXPECT_TRUE(client.fetch(server_->url(0, "/echo"), with_body("POST", body)).body == body);
}

TEST_F(WireTls, SessionsAreResumedOnNewConnections) {
  Client client(trusting([](hc_session_options& o) { o.keepalive_timeout_ms = 0; }));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(is(client.fetch(server_->url(0, "/bytes/1")), HC_OK));
  serve::Counters counters = server_->counters();
  EXPECT_EQ(counters.connections_accepted, 20u);
  EXPECT_EQ(counters.tls_full_handshakes, 1u);
  EXPECT_EQ(counters.tls_resumptions, 19u);
}

TEST_F(WireTls, NamesAreVerifiedAgainstTheUrlAndNotTheAddress) {
  Client client(trusting());
  hc_str address = HC_STR("127.0.0.1");
  auto through = [&](hc_request& r) {
    r.addresses = &address;
    r.address_count = 1;
  };
  std::string port = std::to_string(server_->port());
  EXPECT_TRUE(is(client.fetch("https://localhost:" + port + "/bytes/1", through), HC_OK));
  EXPECT_TRUE(is(client.fetch("https://elsewhere.test:" + port + "/bytes/1", through), HC_E_TLS_VERIFY));
}

TEST_F(WireTls, NoKeysAreWrittenForTheEnvironmentsSake) {
  std::string path = pki_.directory() + "/keys.log";
  setenv("SSLKEYLOGFILE", path.c_str(), 1);
  Client client(trusting());
  EXPECT_TRUE(is(client.fetch(server_->url(0, "/bytes/1")), HC_OK));
  unsetenv("SSLKEYLOGFILE");
  FILE* file = fopen(path.c_str(), "r");
  if (file == nullptr) return;
  EXPECT_EQ(fgetc(file), EOF) << "keys in " << path;
  fclose(file);
}

}  // namespace
}  // namespace hc::test
