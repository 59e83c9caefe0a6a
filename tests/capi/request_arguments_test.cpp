// What a submit refuses, before anything is sent: the message names it, and no completion ever comes.
#include <gtest/gtest.h>

#include "serve/http_server.h"
#include "support/client.h"

namespace hc::test {
namespace {

class RequestArguments : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  void TearDown() override {
    EXPECT_EQ(server_.counters().connections_accepted, 0u);
    EXPECT_EQ(client_.stats().submitted, 0u);
  }

  void expect_refused(std::string_view url, const Tune& tune, std::string_view name) {
    hc_error error;
    hc_error_init(&error, sizeof error);
    EXPECT_EQ(client_.try_submit(url, tune, &error), HC_E_INVALID) << name << " " << url.substr(0, 100);
    EXPECT_EQ(std::string_view(error.message).substr(0, name.size()), name) << error.message;
    EXPECT_EQ(std::string_view(error.message).find('\n'), std::string_view::npos) << error.message;
    EXPECT_EQ(error.phase, HC_PHASE_NONE);
  }
  void expect_header_refused(std::string_view name, std::string_view value) {
    hc_header header{str(name), str(value)};
    expect_refused(
        url(),
        [&](hc_request& r) {
          r.headers = &header;
          r.header_count = 1;
        },
        "headers[0]");
  }
  std::string url() const { return server_.url(0, "/bytes/1"); }

  serve::HttpServer server_;
  Client client_;
};

TEST_F(RequestArguments, Urls) {
  for (std::string_view url : {"",
                               "127.0.0.1/",
                               "/path",
                               "ftp://127.0.0.1/",
                               "ws://127.0.0.1/",
                               "http:127.0.0.1",
                               "://x/",
                               "http://",
                               "http:///path",
                               "http://127.0.0.1:0/",
                               "http://127.0.0.1:65536/",
                               "http://127.0.0.1:port/",
                               "http://[::1/",
                               "http://[127.0.0.1]/",
                               "http://a b/",
                               "http://a/b c",
                               "http://a/\r\nX: y",
                               "http://a/\nb",
                               "http://a/\tb",
                               "http://a\\b/",
                               "http://a..b/",
                               "http://.a/",
                               "http://1.2.3/",
                               "http://0x7f.1/",
                               "http://256.1.1.1/",
                               "http://%zz@a/",
                               "http://us%3aer@a/",
                               "http://h\xC3\xA4st/",
                               "http://a|b/"}) {
    expect_refused(url, {}, "url");
  }
  expect_refused(std::string_view("http://127.0.0.1/a\0b", 20), {}, "url");
  expect_refused("http://" + std::string(300, 'a') + "/", {}, "url");
}

TEST_F(RequestArguments, AUrlOfMoreThan64KiB) {
  expect_refused(url() + "?" + std::string(65536, 'x'), {}, "url");
}

TEST_F(RequestArguments, Methods) {
  for (std::string_view method : {"", "GET /", "G\r\nT", "G\nT", "GE T", "G(T", "G\xC3\xA4T"}) {
    expect_refused(url(), with_method(method), "method");
  }
  expect_refused(url(), with_method(std::string_view("GE\0T", 4)), "method");
  expect_refused(url(), with_method(std::string(65, 'A')), "method");
}

TEST_F(RequestArguments, Headers) {
  for (std::string_view name : {"", "a b", "a:", "a\r", "a\n", "\xC3\xA4", "(a)"})
    expect_header_refused(name, "v");
  for (std::string_view value : {"a\r\nB: c", "a\nb", "a\rb", "\n", "a\r"}) expect_header_refused("A", value);
  expect_header_refused("Proxy-Authorization", "Basic YTpi");
  expect_header_refused("A", std::string_view("a\0b", 3));
  expect_header_refused(std::string_view("a\0b", 3), "v");
}

TEST_F(RequestArguments, HeadersThatWouldLieAboutTheBody) {
  expect_header_refused("Transfer-Encoding", "chunked");
  expect_header_refused("content-length", "7");
  expect_header_refused("Content-Length", "0, 0");
}

TEST_F(RequestArguments, TooManyOrMissingHeaders) {
  expect_refused(
      url(), [](hc_request& r) { r.header_count = 1; }, "headers");
  expect_refused(
      url(), [](hc_request& r) { r.header_count = 1'000'000; }, "header_count");
}

TEST_F(RequestArguments, Credentials) {
  expect_refused(
      url(), [](hc_request& r) { r.username = HC_STR("a:b"); }, "username");
  expect_refused(
      url(), [](hc_request& r) { r.username = HC_STR("a\r\n"); }, "username");
  expect_refused(
      url(),
      [](hc_request& r) {
        r.username = HC_STR("a");
        r.password = HC_STR("b\n");
      },
      "username");
}

TEST_F(RequestArguments, Flags) {
  expect_refused(
      url(), [](hc_request& r) { r.force_close = 2; }, "force_close");
  expect_refused(
      url(), [](hc_request& r) { r.retry_stale = 2; }, "retry_stale");
  expect_refused(
      url(), [](hc_request& r) { r.body_kind = HC_BODY_PULLED + 1; }, "body_kind");
}

TEST_F(RequestArguments, ABodyWithoutData) {
  expect_refused(
      url(),
      [](hc_request& r) {
        r.body = {nullptr, 5};
      },
      "body");
}

TEST_F(RequestArguments, Addresses) {
  hc_str bad = HC_STR("localhost");
  expect_refused(
      url(),
      [&](hc_request& r) {
        r.addresses = &bad;
        r.address_count = 1;
      },
      "addresses[0]");
  expect_refused(
      url(), [](hc_request& r) { r.address_count = 1; }, "addresses");
  expect_refused(
      url(), [](hc_request& r) { r.address_count = 65; }, "address_count");
}

TEST_F(RequestArguments, TimeoutsOfMoreThanACentury) {
  constexpr uint64_t kTooLong = 1000ULL * 3600 * 24 * 365 * 101;
  expect_refused(
      url(), [](hc_request& r) { r.timeouts.total_ms = kTooLong; }, "timeouts.total_ms");
  expect_refused(
      url(), [](hc_request& r) { r.timeouts.first_byte_ms = kTooLong; }, "timeouts.first_byte_ms");
}

TEST_F(RequestArguments, NoDestinationOrTwo) {
  hc_completion_fn ignore = [](const hc_completion* completion, void*) {
    hc_response_free(completion->response);
  };
  expect_refused(
      url(), [](hc_request& r) { r.queue = nullptr; }, "queue");
  expect_refused(
      url(), [&](hc_request& r) { r.on_done = ignore; }, "queue");
  hc_request request;
  hc_request_init(&request, sizeof request);
  std::string address = url();
  request.url = str(address);
  request.queue = client_.queue().get();
  hc_response* response = nullptr;
  EXPECT_EQ(hc_session_perform(client_.get(), &request, &response, nullptr), HC_E_INVALID);
  EXPECT_EQ(response, nullptr);
}

TEST(RequestLimits, AUrlOf64KiBIsSent) {
  serve::HttpServer server;
  server.handle("/long", [](const serve::RequestView& request, serve::ResponseWriter& writer) {
    writer.respond_text(std::to_string(request.target.size()));
  });
  server.start();
  Client client;
  std::string base = server.url(0, "/long?");
  std::string url = base + std::string(65536 - base.size(), 'x');
  Outcome outcome = client.fetch(url);
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_EQ(outcome.body, std::to_string(65536 - server.url().size()));
}

TEST_F(RequestArguments, TheWayToTheServer) {
  auto refuse = [this](std::string_view name, const Tune& tune) { expect_refused(url(), tune, name); };
  refuse("proxy", [](hc_request& r) { r.proxy = HC_STR("ftp://127.0.0.1/"); });
  refuse("proxy", [](hc_request& r) { r.proxy = HC_STR("http://127.0.0.1/path"); });
  refuse("proxy_headers", [](hc_request& r) { r.proxy_header_count = 1; });
  refuse("proxy_headers", [](hc_request& r) {
    r.proxy = HC_STR("http://127.0.0.1");
    r.proxy_header_count = 1;
  });
  refuse("unix_path", [](hc_request& r) {
    r.proxy = HC_STR("http://127.0.0.1");
    r.unix_path = HC_STR("/x");
  });
  std::string long_path(108, 'x');
  refuse("unix_path", [&](hc_request& r) { r.unix_path = str(long_path); });
  refuse("certificates", [](hc_request& r) { r.certificates = 3; });
}

}  // namespace
}  // namespace hc::test
