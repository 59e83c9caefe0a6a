#include "model/response.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace hc {
namespace {

std::string_view text(hc_str view) { return {view.data, view.len}; }

class ResponseTest : public testing::Test {
 protected:
  /// Feeds a head line by line, as libcurl does. False: it was refused.
  bool feed(std::string_view head) {
    while (!head.empty()) {
      size_t end = std::min(head.find('\n'), head.size() - 1) + 1;
      if (!builder.on_header_line(head.substr(0, end))) return false;
      head.remove_prefix(end);
    }
    return true;
  }
  bool begin(std::string_view head) {
    builder = ResponseBuilder(limits);
    return feed(head);
  }
  Code refusal(std::string_view head) {
    EXPECT_FALSE(begin(head)) << head;
    return builder.status().code();
  }
  std::unique_ptr<Response> finish() { return builder.finish(Status::ok()); }

  ResponseLimits limits;
  ResponseBuilder builder{limits};
};

TEST_F(ResponseTest, TakesAWholeResponse) {
  ASSERT_TRUE(begin("HTTP/1.1 404 Not Found\r\nServer: x\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_TRUE(builder.is_head_complete());
  EXPECT_EQ(builder.on_body("he"), Intake::kTaken);
  EXPECT_EQ(builder.on_body("llo"), Intake::kTaken);
  EXPECT_EQ(builder.body_bytes(), 5U);
  std::unique_ptr<Response> response = finish();
  EXPECT_TRUE(response->status().is_ok());
  EXPECT_EQ(response->http_status(), 404);
  EXPECT_EQ(response->http_version(), 11);
  EXPECT_EQ(response->reason(), "Not Found");
  EXPECT_EQ(response->body(), "hello");
}

TEST_F(ResponseTest, ReadsStatusLines) {
  struct Line {
    std::string_view line;
    int version, status;
    std::string_view reason;
  };
  for (auto [line, version, status, reason] : {
           Line{"HTTP/1.1 200 OK\r\n", 11, 200, "OK"},
           {"HTTP/1.1 200 \r\n", 11, 200, ""},
           {"HTTP/1.1 200\r\n", 11, 200, ""},
           {"HTTP/1.1 200\n", 11, 200, ""},
           {"HTTP/1.0 301 Moved Permanently\r\n", 10, 301, "Moved Permanently"},
           {"HTTP/1.1 204 \r\n", 11, 204, ""},
           {"HTTP/1.1 999 Odd: with a colon\r\n", 11, 999, "Odd: with a colon"},
           {"HTTP/1.1 101 Switching Protocols\r\n", 11, 101, "Switching Protocols"},
       }) {
    ASSERT_TRUE(begin(std::string(line) + "\r\n")) << line;
    std::unique_ptr<Response> response = finish();
    EXPECT_EQ(response->http_version(), version) << line;
    EXPECT_EQ(response->http_status(), status) << line;
    EXPECT_EQ(response->reason(), reason) << line;
    EXPECT_TRUE(response->headers().empty()) << line;
  }
}

TEST_F(ResponseTest, RefusesStatusLinesThatAreNone) {
  for (std::string_view line :
       {"HTTP/1.1\r\n",         "HTTP/1.1 \r\n",        "HTTP/1.1 20\r\n",      "HTTP/1.1 2000 OK\r\n",
        "HTTP/1.1 20x OK\r\n",  "HTTP/1.1  200 OK\r\n", "HTTP/1.1 099 OK\r\n",  "HTTP/1.1 -20 OK\r\n",
        "HTTP/1.1 +20 OK\r\n",  "HTTP/2 200 OK\r\n",    "HTTP/2.0 200 OK\r\n",  "HTTP/3 200 OK\r\n",
        "HTTP/1.2 200 OK\r\n",  "HTTP/0.9 200 OK\r\n",  "HTTP/1.10 200 OK\r\n", "http/1.1 200 OK\r\n",
        "HTTP/1.1 200OK\r\n",   "HTTP/1.1 200\tOK\r\n", "ICY 200 OK\r\n",       "200 OK\r\n",
        "Content-Length: 5\r\n"}) {
    EXPECT_EQ(refusal(line), HC_E_PROTOCOL) << line;
    EXPECT_TRUE(builder.status().message().starts_with("bad status line")) << builder.status().message();
  }
}

TEST_F(ResponseTest, EscapesWhatAPeerSaidInItsErrors) {
  EXPECT_EQ(refusal("HTTP/1.1 \x1B[31m\r\n"), HC_E_PROTOCOL);
  EXPECT_NE(builder.status().message().find("\\x1b[31m"), std::string::npos) << builder.status().message();
}

TEST_F(ResponseTest, ForgetsInterimResponses) {
  ASSERT_TRUE(begin("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\nContent-Length: 99\r\n\r\n"));
  EXPECT_FALSE(builder.is_head_complete());
  ASSERT_TRUE(feed("HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n"));
  ASSERT_TRUE(feed("HTTP/1.1 200 OK\r\nX-Final: 1\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_TRUE(builder.is_head_complete());
  std::unique_ptr<Response> response = finish();
  EXPECT_EQ(response->http_status(), 200);
  ASSERT_EQ(response->headers().size(), 2U);
  EXPECT_EQ(text(response->headers()[0].name), "X-Final");
}

TEST_F(ResponseTest, AFloodOfInterimResponsesEnds) {
  limits.max_header_bytes = 1000;
  ASSERT_TRUE(begin(""));
  bool is_taken = true;
  for (int i = 0; i < 100 && is_taken; ++i) is_taken = feed("HTTP/1.1 102 Processing\r\n\r\n");
  EXPECT_FALSE(is_taken);
  EXPECT_EQ(builder.status().code(), HC_E_TOO_LARGE);
}

TEST_F(ResponseTest, SwitchingProtocolsIsNoInterimResponse) {
  ASSERT_TRUE(begin("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  EXPECT_TRUE(builder.is_head_complete());
}

TEST_F(ResponseTest, HeadersAreFoundWithoutCase) {
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Empty:\r\nset-cookie:  b=2 \r\n\r\n"));
  std::unique_ptr<Response> response = finish();
  ASSERT_EQ(response->headers().size(), 3U);
  EXPECT_EQ(text(response->headers()[0].name), "Set-Cookie") << "case is kept";
  EXPECT_EQ(text(response->find_header("SET-COOKIE", 0)->value), "a=1");
  EXPECT_EQ(text(response->find_header("set-cookie", 1)->value), "b=2");
  EXPECT_EQ(response->find_header("set-cookie", 2), nullptr);
  EXPECT_EQ(text(response->find_header("x-empty", 0)->value), "");
  EXPECT_EQ(response->find_header("missing", 0), nullptr);
}

TEST_F(ResponseTest, BoundsTheBytesOfTheHead) {
  limits.max_header_bytes = 38;
  std::string head = "HTTP/1.1 200 OK\r\n" + std::string("A: ") + std::string(14, 'x') + "\r\n\r\n";
  ASSERT_EQ(head.size(), 38U);
  EXPECT_TRUE(begin(head));
  limits.max_header_bytes = 37;
  EXPECT_EQ(refusal(head), HC_E_TOO_LARGE);
  EXPECT_NE(builder.status().message().find("max_header_bytes (37)"), std::string::npos);
}

TEST_F(ResponseTest, BoundsTheNumberOfFields) {
  limits.max_headers = 3;
  EXPECT_TRUE(begin("HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n"));
  EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n"), HC_E_TOO_LARGE);
  EXPECT_NE(builder.status().message().find("max_headers (3)"), std::string::npos);
}

TEST_F(ResponseTest, BoundsTheBody) {
  limits.max_body = 5;
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_EQ(builder.on_body("12345"), Intake::kTaken);
  EXPECT_EQ(builder.on_body("6"), Intake::kRefused);
  EXPECT_EQ(builder.status().code(), HC_E_TOO_LARGE);
  EXPECT_EQ(builder.body_bytes(), 5U);
  limits.max_body = 0;
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_EQ(builder.on_body(std::string(100'000, 'x')), Intake::kTaken) << "0 is no bound";
}

TEST_F(ResponseTest, AnAnnouncedLengthBeyondTheBoundIsNoErrorWithoutABody) {
  limits.max_body = 5;
  EXPECT_TRUE(begin("HTTP/1.1 304 Not Modified\r\nContent-Length: 1000000\r\n\r\n"));
  EXPECT_TRUE(finish()->body().empty());
}

TEST_F(ResponseTest, AHugeContentLengthTakesNoHugeMemory) {
  limits.max_body = 0;
  EXPECT_TRUE(begin("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n"));
  EXPECT_EQ(builder.on_body("x"), Intake::kTaken);
}

TEST_F(ResponseTest, RefusesLengthsThatAreNoNumber) {
  for (std::string_view value : {"", "-1", "+5", "5, 5", "0x10", "5 6", "99999999999999999999999"}) {
    EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nContent-Length: " + std::string(value) + "\r\n\r\n"), HC_E_PROTOCOL)
        << value;
  }
}

TEST_F(ResponseTest, RefusesLengthsThatLibcurlCannotCount) {
  for (std::string_view value : {"9223372036854775808", "18446744073709551614", "18446744073709551615"}) {
    EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nContent-Length: " + std::string(value) + "\r\n\r\n"), HC_E_PROTOCOL)
        << value;
  }
}

TEST_F(ResponseTest, MissesWhatIsShortOfTheLength) {
  constexpr std::string_view kFive = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  ASSERT_TRUE(begin(kFive));
  builder.on_body("hell");
  EXPECT_FALSE(builder.check_end());
  EXPECT_EQ(builder.status().code(), HC_E_INCOMPLETE);
  ASSERT_TRUE(begin(kFive));
  builder.on_body("hello");
  EXPECT_TRUE(builder.check_end());
}

TEST_F(ResponseTest, MissesNothingWhereTheLengthCountsSomethingElse) {
  limits.decodes = true;
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 50\r\n\r\n"));
  builder.on_body("hello");
  EXPECT_TRUE(builder.check_end()) << "decoded";
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 50\r\n\r\n"));
  EXPECT_EQ(builder.bytes_left(), 50U) << "not decoded";
  for (std::string_view status : {"204 No Content", "304 Not Modified", "101 Switching Protocols"}) {
    ASSERT_TRUE(begin("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 5\r\n\r\n"));
    EXPECT_TRUE(builder.check_end()) << status;
  }
  limits.is_head = true;
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_TRUE(builder.check_end()) << "HEAD";
}

TEST_F(ResponseTest, RefusesTwoLengthsThatDiffer) {
  EXPECT_TRUE(begin("HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\n"));
  EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n"), HC_E_PROTOCOL);
}

TEST_F(ResponseTest, RefusesAFieldWithAReturnInIt) {
  EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nX: a\rB: c\r\n\r\n"), HC_E_PROTOCOL);
  EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nX: a\r\n b\rc\r\n\r\n"), HC_E_PROTOCOL);
}

TEST_F(ResponseTest, RefusesAStatusLineWithAReturnInIt) {
  EXPECT_EQ(refusal("HTTP/1.1 200 O\rX: a\r\n"), HC_E_PROTOCOL);
}

TEST_F(ResponseTest, RefusesFieldsWithoutAProperName) {
  for (std::string_view field : {"Transfer-Encoding : chunked", "Content-Length\t: 5", "X y: z", ": x",
                                 "Bare", "X\x01: y", "X\xE4: y", "X(y): z", "\"X\": y"}) {
    EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\n" + std::string(field) + "\r\n"), HC_E_PROTOCOL) << field;
  }
  EXPECT_TRUE(begin("HTTP/1.1 200 OK\r\nX!#$%&'*+-.^_`|~9: y\r\n\r\n"));
}

TEST_F(ResponseTest, RefusesAContinuationOfNothing) {
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(builder.foresee("X: a\r\n"));
  EXPECT_FALSE(builder.foresee("\tb\r\n"));
  EXPECT_EQ(builder.status().code(), HC_E_PROTOCOL);
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\nX: a\r\n"));
  EXPECT_TRUE(builder.foresee(" b\r\n"));
}

TEST_F(ResponseTest, RefusesAContinuationOfNothingThatNobodyForesaw) {
  for (std::string_view first : {" X: a\r\n", "\tX: a\r\n", " no colon\r\n"}) {
    for (std::string_view interim : {"", "HTTP/1.1 100 Continue\r\nX: a\r\n\r\n"}) {
      EXPECT_EQ(refusal(std::string(interim) + "HTTP/1.1 200 OK\r\n" + std::string(first)), HC_E_PROTOCOL);
    }
    EXPECT_EQ(refusal("HTTP/1.1 100 Continue\r\n" + std::string(first)), HC_E_PROTOCOL)
        << "of an interim head";
  }
  EXPECT_TRUE(begin("HTTP/1.1 200 OK\r\nX: a\r\n\tb\r\n c\r\n\r\n"));
}

TEST_F(ResponseTest, RefusesTwoLocationsThatDiffer) {
  for (bool follows : {false, true}) {
    limits.follows_redirects = follows;
    EXPECT_EQ(refusal("HTTP/1.1 302 Found\r\nLocation: /a\r\nlocation: /b\r\n\r\n"), HC_E_PROTOCOL);
    ASSERT_TRUE(begin("HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation:\r\nLocation: /a\r\n\r\n"));
    EXPECT_EQ(builder.location(), "/a");
    EXPECT_EQ(builder.is_redirect(), follows);
    EXPECT_TRUE(
        begin("HTTP/1.1 103 Early Hints\r\nLocation: /a\r\n\r\nHTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n"));
  }
}

TEST_F(ResponseTest, ARedirectWithoutALocationIsAnAnswer) {
  limits.follows_redirects = true;
  for (std::string_view field : {"", "Location:\r\n", "Location: \t\r\n"}) {
    ASSERT_TRUE(begin("HTTP/1.1 302 Found\r\n" + std::string(field) + "\r\n"));
    EXPECT_FALSE(builder.is_redirect()) << field;
  }
}

TEST_F(ResponseTest, JoinsTheLinesOfAField) {
  limits = {.follows_redirects = true, .max_headers = 3};
  ASSERT_TRUE(begin("HTTP/1.1 302 Found\r\nX: a \t\r\n b: c\r\n\t d \r\n\tContent-Length: 9\r\n"
                    "Location:\r\n /there\r\n\r\n \r\n"
                    "Keep-Alive:\n\ttimeout=5\n\r\n"));
  EXPECT_EQ(builder.location(), "/there");
  EXPECT_EQ(builder.bytes_left(), HC_UNSET);
  std::unique_ptr<Response> response = finish();
  ASSERT_EQ(response->headers().size(), 2U);
  EXPECT_EQ(text(response->find_header("x", 0)->value), "a b: c d Content-Length: 9");
  EXPECT_EQ(text(response->find_header("location", 0)->value), "/there");
}

// Whether libcurl saw the second line as a part of the field depends on its version.
TEST_F(ResponseTest, RefusesASecondLineOfAFieldThatLibcurlActsOn) {
  for (std::string_view field : {"Transfer-Encoding:\r\n chunked", "transfer-encoding: chunked\r\n ",
                                 "Content-Length:\r\n\t5", "Content-Encoding: gzip\r\n , br"}) {
    EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\n" + std::string(field) + "\r\n\r\n"), HC_E_PROTOCOL) << field;
  }
}

TEST_F(ResponseTest, RefusesALengthTogetherWithAnEncoding) {
  EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
            HC_E_PROTOCOL);
  EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nCONTENT-LENGTH: 5\r\n\r\n"),
            HC_E_PROTOCOL);
  EXPECT_TRUE(begin("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

TEST_F(ResponseTest, TakesOneTransferEncodingAndThatIsChunked) {
  for (std::string_view value : {"chunked", "CHUNKED", " \tChunked \t"}) {
    EXPECT_TRUE(begin("HTTP/1.1 200 OK\r\nTransfer-Encoding:" + std::string(value) + "\r\n\r\n")) << value;
    EXPECT_FALSE(builder.ends_with_connection()) << value;
  }
  for (std::string_view value : {"", "identity", "gzip", "gzip, chunked", "chunked, identity",
                                 "chunked, chunked", "chunked,", "xchunked", "\"chunked\"", "chunked;q=1",
                                 "\x0b"
                                 "chunked",
                                 "chunked\x0b"}) {
    EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + std::string(value) + "\r\n\r\n"),
              HC_E_PROTOCOL)
        << value;
    EXPECT_TRUE(builder.status().message().starts_with("Transfer-Encoding ")) << builder.status().message();
  }
  for (std::string_view second : {"identity", "gzip", "", "chunked"}) {
    EXPECT_EQ(refusal("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: " +
                      std::string(second) + "\r\n\r\n"),
              HC_E_PROTOCOL)
        << second;
  }
}

TEST_F(ResponseTest, DropsTrailersButCountsThem) {
  limits.max_header_bytes = 200;
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_EQ(builder.on_body("x"), Intake::kTaken);
  EXPECT_TRUE(feed("X-Trailer: 1\r\nContent-Length: 7\r\n\r\n"));
  EXPECT_FALSE(feed("X-Long: " + std::string(200, 'x') + "\r\n"));
  EXPECT_EQ(builder.status().code(), HC_E_TOO_LARGE);
  EXPECT_EQ(finish()->headers().size(), 1U);
}

TEST_F(ResponseTest, ReadsWhatAServerLetsAConnectionIdle) {
  struct Hint {
    std::string_view value;
    Duration hint;
  };
  for (auto [value, hint] : {
           Hint{"timeout=5, max=100", 4 * kSecond},
           {"max=100, timeout=2", kSecond},
           {"Timeout=60", 59 * kSecond},
           {"timeout=1", 0},
           {"timeout=0", 0},
           {"max=3", kNever},
           {"timeout=", kNever},
           {"timeout=x", kNever},
           {"timeout=-5", kNever},
           {"", kNever},
           {"timeout=99999999999999999999999", kNever},
       }) {
    ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\nKeep-Alive: " + std::string(value) + "\r\n\r\n"));
    EXPECT_EQ(builder.keepalive_hint(), hint) << value;
  }
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=18446744073709551615\r\n\r\n"));
  EXPECT_GT(builder.keepalive_hint(), 1000 * kSecond);
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_EQ(builder.keepalive_hint(), kNever);
}

TEST_F(ResponseTest, KnowsThatTheServerCloses) {
  for (std::string_view head : {
           "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
           "HTTP/1.1 200 OK\r\nconnection: upgrade,\tCLOSE , x\r\n\r\n",
           "HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: close\r\nKeep-Alive: timeout=9\r\n\r\n",
           "HTTP/1.1 200 OK\r\nProxy-Connection: close\r\n\r\n",
           "HTTP/1.0 200 OK\r\n\r\n",
           "HTTP/1.0 200 OK\r\nConnection: upgrade\r\n\r\n",
       }) {
    ASSERT_TRUE(begin(head)) << head;
    EXPECT_EQ(builder.keepalive_hint(), 0) << head;
  }
  for (std::string_view head : {
           "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n",
           "HTTP/1.1 200 OK\r\nConnection: closed,,\r\n\r\n",
           "HTTP/1.1 200 OK\r\nConnection: \r\n\r\n",
           "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n",
       }) {
    ASSERT_TRUE(begin(head)) << head;
    EXPECT_EQ(builder.keepalive_hint(), kNever) << head;
  }
}

TEST_F(ResponseTest, KnowsWhetherAnythingArrived) {
  EXPECT_FALSE(builder.has_bytes());
  ASSERT_TRUE(feed("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(builder.has_bytes());
}

TEST_F(ResponseTest, ResetForgetsAnAttempt) {
  ASSERT_TRUE(begin("HTTP/1.1 500 Oops\r\nKeep-Alive: timeout=3\r\nContent-Length: 3\r\n\r\n"));
  builder.on_body("abc");
  builder.reset();
  EXPECT_FALSE(builder.has_bytes());
  EXPECT_FALSE(builder.is_head_complete());
  EXPECT_EQ(builder.keepalive_hint(), kNever);
  ASSERT_TRUE(feed("HTTP/1.1 200 OK\r\n\r\n"));
  std::unique_ptr<Response> response = finish();
  EXPECT_EQ(response->http_status(), 200);
  EXPECT_TRUE(response->body().empty());
}

TEST_F(ResponseTest, WithoutAnyBytesItIsEmpty) {
  std::unique_ptr<Response> response = builder.finish(Status(HC_E_DNS, "no such name"));
  EXPECT_EQ(response->status().code(), HC_E_DNS);
  EXPECT_EQ(response->http_status(), 0);
  EXPECT_EQ(response->http_version(), 0);
  EXPECT_TRUE(response->reason().empty());
  EXPECT_TRUE(response->headers().empty());
  EXPECT_EQ(response->find_header("a", 0), nullptr);
  EXPECT_TRUE(response->remote_address().empty());
  EXPECT_EQ(response->timing.done_ns, HC_UNSET);
}

TEST_F(ResponseTest, AHeadThatEndsInTheMiddleIsReadAsFarAsItCame) {
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\nA: 1\r\n"));
  std::unique_ptr<Response> response = builder.finish(Status(HC_E_DISCONNECTED, "reset"));
  EXPECT_EQ(response->http_status(), 200);
  ASSERT_EQ(response->headers().size(), 1U);
  EXPECT_EQ(response->reason(), "OK");
}

TEST_F(ResponseTest, IsReadFromManyThreadsAtOnce) {
  ASSERT_TRUE(begin("HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n"));
  std::unique_ptr<Response> response = finish();
  response->connection = 1;
  response->remote = {*IpAddress::parse("192.0.2.1"), 80};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&response] {
      EXPECT_EQ(response->headers().size(), 2U);
      EXPECT_EQ(response->remote_address(), "192.0.2.1");
      EXPECT_NE(response->find_header("b", 0), nullptr);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hc
