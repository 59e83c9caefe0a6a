// Responses: what can be read from one, and what an error tells.
#include <gtest/gtest.h>

#include <thread>

#include "serve/dead_ends.h"
#include "serve/http_server.h"
#include "support/client.h"

namespace hc::test {
namespace {

class ResponseTest : public testing::Test {
 protected:
  void SetUp() override {
    server_.handle("/raw",
                   [this](const serve::RequestView&, serve::ResponseWriter& writer) { writer.raw(raw_); });
    server_.start();
  }
  Outcome fetch_raw(std::string answer) {
    raw_ = std::move(answer);
    return client_.fetch(server_.url(0, "/raw"));
  }

  std::string raw_;
  serve::HttpServer server_;
  Client client_;
};

TEST_F(ResponseTest, HeadersKeepOrderAndCase) {
  Outcome outcome =
      fetch_raw("HTTP/1.1 200 OK\r\nX-b: 1\r\nx-A:2\r\nSet-Cookie: a=1\r\nset-cookie:   b=2  \r\n"
                "Empty:\r\nSET-COOKIE: c=3\r\nContent-Length: 2\r\n\r\nok");
  ASSERT_TRUE(is(outcome, HC_OK));
  hc_response_info info = outcome.info();
  std::vector<std::pair<std::string, std::string>> headers;
  for (size_t i = 0; i < info.header_count; ++i) {
    headers.emplace_back(text(info.headers[i].name), text(info.headers[i].value));
  }
  std::vector<std::pair<std::string, std::string>> expected{
      {"X-b", "1"},  {"x-A", "2"},          {"Set-Cookie", "a=1"},  {"set-cookie", "b=2"},
      {"Empty", ""}, {"SET-COOKIE", "c=3"}, {"Content-Length", "2"}};
  EXPECT_EQ(headers, expected);
}

TEST_F(ResponseTest, FieldsAreFoundWithoutCaseAndByNumber) {
  Outcome outcome = fetch_raw("HTTP/1.1 200 OK\r\nA: 1\r\nB: x\r\na: 2\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(outcome.header("a", 0), "1");
  EXPECT_EQ(outcome.header("A", 1), "2");
  EXPECT_EQ(outcome.header("A", 2), std::nullopt);
  EXPECT_EQ(outcome.header("C"), std::nullopt);
  EXPECT_EQ(outcome.header(""), std::nullopt);
  hc_str value = HC_STR("before");
  EXPECT_EQ(hc_response_header(outcome.response.get(), HC_STR("C"), 0, &value), HC_E_INVALID);
  EXPECT_EQ(text(value), "before");
  EXPECT_EQ(hc_response_header(outcome.response.get(), HC_STR("A"), 0, nullptr), HC_E_INVALID);
}

TEST_F(ResponseTest, ReasonIsWhatTheServerSaid) {
  EXPECT_EQ(text(fetch_raw("HTTP/1.1 299 Odd but fine\r\nContent-Length: 0\r\n\r\n").info().reason),
            "Odd but fine");
  EXPECT_EQ(text(fetch_raw("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").info().reason), "");
  EXPECT_EQ(text(fetch_raw("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n").info().reason), "");
}

TEST_F(ResponseTest, VersionsAreTold) {
  EXPECT_EQ(fetch_raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").info().http_version, 11);
  EXPECT_EQ(fetch_raw("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").info().http_version, 10);
}

TEST_F(ResponseTest, StatusCodesOfServersAreNoFailures) {
  for (int status : {200, 204, 304, 404, 500, 599, 999}) {
    Outcome outcome = client_.fetch(server_.url(0, "/status/" + std::to_string(status)));
    EXPECT_TRUE(is(outcome, HC_OK));
    EXPECT_EQ(outcome.http_status, status);
    EXPECT_EQ(hc_response_http_status(outcome.response.get()), status);
  }
}

TEST_F(ResponseTest, InfoTellsEverything) {
  Outcome first = client_.fetch(server_.url(0, "/bytes/100"));
  Outcome second = client_.fetch(server_.url(0, "/bytes/100"));
  hc_response_info info = first.info();
  EXPECT_EQ(info.status, HC_OK);
  EXPECT_EQ(info.http_status, 200);
  EXPECT_EQ(text(info.body), serve::pattern(100));
  EXPECT_EQ(info.connection, 1u);
  EXPECT_EQ(info.reused, HC_OFF);
  EXPECT_EQ(info.attempts, 1u);
  EXPECT_EQ(text(info.remote_address), "127.0.0.1");
  EXPECT_EQ(info.remote_port, server_.port());
  EXPECT_EQ(second.info().connection, 1u);
  EXPECT_EQ(second.info().reused, HC_ON);
}

TEST_F(ResponseTest, TimesFollowOneAnother) {
  Outcome first = client_.fetch(server_.url(0, "/delay/30"));
  hc_timing t = first.info().timing;
  EXPECT_LE(t.started_ns, t.resolved_ns);
  EXPECT_LE(t.resolved_ns, t.connected_ns);
  EXPECT_LE(t.connected_ns, t.ready_ns);
  EXPECT_LE(t.ready_ns, t.sent_ns);
  EXPECT_LE(t.sent_ns + 29'000'000, t.first_byte_ns);
  EXPECT_LE(t.first_byte_ns, t.done_ns);
  EXPECT_EQ(t.secured_ns, HC_UNSET);
  EXPECT_GE(t.done_ns, 30'000'000u);
  EXPECT_LT(t.done_ns, 30'000'000'000u);
  t = client_.fetch(server_.url(0, "/bytes/1")).info().timing;
  EXPECT_EQ(t.connected_ns, HC_UNSET);
  EXPECT_EQ(t.secured_ns, HC_UNSET);
  EXPECT_NE(t.ready_ns, HC_UNSET);
}

TEST_F(ResponseTest, TimesOfWhatDidNotHappenAreUnset) {
  serve::RefusedPort refused;
  hc_timing t = client_.fetch("http://127.0.0.1:" + std::to_string(refused.port()) + "/").info().timing;
  EXPECT_NE(t.started_ns, HC_UNSET);
  EXPECT_EQ(t.ready_ns, HC_UNSET);
  EXPECT_EQ(t.sent_ns, HC_UNSET);
  EXPECT_EQ(t.first_byte_ns, HC_UNSET);
  EXPECT_NE(t.done_ns, HC_UNSET);
}

TEST_F(ResponseTest, ErrorsOfSuccessSayOk) {
  Outcome outcome = client_.fetch(server_.url(0, "/bytes/1"));
  EXPECT_EQ(outcome.error().status, HC_OK);
  EXPECT_EQ(outcome.error().native_domain, HC_NATIVE_NONE);
}

TEST_F(ResponseTest, ErrorsTellPhaseAndNativeCode) {
  serve::RefusedPort refused;
  Outcome outcome = client_.fetch("http://127.0.0.1:" + std::to_string(refused.port()) + "/");
  EXPECT_TRUE(is(outcome, HC_E_CONNECT, HC_PHASE_CONNECTING));
  hc_error error = outcome.error();
  EXPECT_EQ(error.native_domain, HC_NATIVE_ERRNO);
  EXPECT_EQ(error.native_code, ECONNREFUSED);
  EXPECT_GT(error.phase_ns, 0u);
  EXPECT_EQ(hc_response_status(outcome.response.get()), HC_E_CONNECT);
  EXPECT_EQ(outcome.http_status, 0);
  EXPECT_EQ(outcome.info().http_status, 0);
  EXPECT_EQ(outcome.info().header_count, 0u);
}

TEST_F(ResponseTest, AnErrorOfAnotherSizeIsRefused) {
  Outcome outcome = client_.fetch(server_.url(0, "/bytes/1"));
  hc_error error{};
  EXPECT_EQ(hc_response_error(outcome.response.get(), &error), HC_E_INVALID);
  EXPECT_EQ(hc_response_error(outcome.response.get(), nullptr), HC_E_INVALID);
  hc_response_info info{};
  info.http_status = 5;
  EXPECT_EQ(hc_response_get_info(outcome.response.get(), &info), HC_E_INVALID);
  EXPECT_EQ(hc_response_get_info(outcome.response.get(), nullptr), HC_E_INVALID);
  EXPECT_EQ(info.http_status, 5);
}

TEST_F(ResponseTest, AFailureAfterTheHeadKeepsWhatArrived) {
  Outcome outcome = client_.fetch(server_.url(0, "/truncate?claimed=100&sent=50"));
  EXPECT_TRUE(is(outcome, HC_E_INCOMPLETE, HC_PHASE_RECEIVING));
  EXPECT_EQ(outcome.http_status, 0) << "not answered";
  EXPECT_EQ(outcome.info().http_status, 200);
  EXPECT_EQ(outcome.body, serve::pattern(50));
  EXPECT_EQ(outcome.header("content-length"), "100");
}

TEST_F(ResponseTest, ControlBytesOfPeersAreEscaped) {
  Outcome outcome = fetch_raw("HTTP/1.1 2\x1b[31m0 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(is(outcome, HC_E_PROTOCOL));
  for (char c : outcome.message()) EXPECT_GE(static_cast<unsigned char>(c), 0x20u) << outcome.message();
}

TEST_F(ResponseTest, NoSecretsInMessages) {
  serve::RefusedPort refused;
  std::string at = "127.0.0.1:" + std::to_string(refused.port());
  Outcome outcome = client_.fetch("http://user:hunter2@" + at + "/?token=hunter3");
  EXPECT_TRUE(is(outcome, HC_E_CONNECT));
  EXPECT_EQ(outcome.message().find("hunter"), std::string::npos) << outcome.message();
}

TEST_F(ResponseTest, IsReadFromManyThreadsAtOnce) {
  Outcome outcome = fetch_raw("HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nContent-Length: 2\r\n\r\nok");
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      EXPECT_EQ(outcome.header("b"), "2");
      EXPECT_EQ(outcome.info().header_count, 3u);
      EXPECT_EQ(text(outcome.info().remote_address), "127.0.0.1");
    });
  }
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace hc::test
