// What a broken server costs: which error, how soon, and that nothing is left behind.
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "serve/http_server.h"
#include "support/client.h"
#include "support/process.h"

namespace hc::test {
namespace {

using serve::Counters;
using serve::HttpServer;

/// A path of the misbehaving server, and what comes of it.
struct Fault {
  const char* name;
  const char* path;
  hc_status status;
  int32_t phase;
};

std::ostream& operator<<(std::ostream& out, const Fault& fault) { return out << fault.name; }

// "hi" as gzip, and bytes behind its end.
constexpr char kGzipWithATail[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 26\r\n\r\n"
                                  "\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\xc8\x04\0\xac*\x93\xd8\x02\0\0\0tail";

// The first half of that.
constexpr char kHalfGzipInAList[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, identity,\r\n"
                                    "Content-Length: 11\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb";
// The same as a coding of the transfer.
constexpr char kHalfGzipInChunks[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
                                     "b\r\n\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\r\n0\r\n\r\n";

// All of it, in a chunk whose size is followed by junk.
constexpr char kGzipInABadChunk[] =
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    "16zzz\r\n\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\xc8\x04\0\xac*\x93\xd8"
    "\x02\0\0\0\r\n0\r\n\r\n";

class Faults : public testing::TestWithParam<Fault> {
 protected:
  void SetUp() override {
    using serve::RequestView;
    using serve::ResponseWriter;
    server_.handle("/odd", [](const RequestView& request, ResponseWriter& writer) {
      static const std::map<std::string_view, std::string_view> kAnswers{
          {"/odd/garbage", "complete nonsense\r\n\r\n"},
          {"/odd/http09", "<html>hello</html>"},
          {"/odd/status", "HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n"},
          {"/odd/length", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nok"},
          {"/odd/negative", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok"},
          {"/odd/lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!"},
          {"/odd/same-lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"},
          {"/odd/huge-length", "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nhello"},
          {"/odd/largest-length", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nhello"},
          {"/odd/largest-length-and-chunks", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n"
                                             "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
          {"/odd/identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello"},
          {"/odd/chunked-twice",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
           "5\r\nhello\r\n0\r\n\r\n"},
          {"/odd/half-gzip-in-chunks", {kHalfGzipInChunks, sizeof kHalfGzipInChunks - 1}},
          {"/odd/return", "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\nok"},
          {"/odd/space-before-colon",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\nok"},
          {"/odd/no-name", "HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 2\r\n\r\nok"},
          {"/odd/fold", "HTTP/1.1 200 OK\r\n continued: b\r\nContent-Length: 2\r\n\r\nok"},
          {"/odd/locations", "HTTP/1.1 302 Found\r\nLocation: /bytes/1\r\nLocation: /bytes/2\r\n\r\n"},
          {"/odd/head-cut", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"},
          {"/odd/interim-only", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"},
          {"/odd/nothing", ""},
          {"/odd/no-gzip",
           "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\nplain, truly"},
          {"/odd/gzip-tail", {kGzipWithATail, sizeof kGzipWithATail - 1}},
          {"/odd/half-gzip-in-a-list", {kHalfGzipInAList, sizeof kHalfGzipInAList - 1}},
          {"/odd/gzip-in-a-bad-chunk", {kGzipInABadChunk, sizeof kGzipInABadChunk - 1}},
          {"/odd/encoding", "HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 2\r\n\r\nbx"},
      };
      writer.raw(kAnswers.at(request.path));
      writer.end(serve::Ending::kFin);
    });
    server_.start();
  }
  HttpServer server_;
};

TEST_P(Faults, EndInTheRightErrorAndLeaveNothing) {
  const Fault& fault = GetParam();
  LeakCheck leaks;
  {
    Client client;
    for (bool is_reused : {false, true}) {
      if (is_reused) client.fetch(server_.url(0, "/bytes/1"));
      Stopwatch watch;
      Outcome outcome = client.fetch(server_.url(0, fault.path), with_body("POST", "body"));
      bool is_stale = is_reused && fault.phase == HC_PHASE_AWAITING && fault.status == HC_E_DISCONNECTED;
      EXPECT_TRUE(is(outcome, is_stale ? HC_E_STALE : fault.status)) << "reused: " << is_reused;
      // On a reused connection one call of libcurl may send the request and meet its end: then the phase is "sending".
      // An interim response that comes in the call that sends the body is none to that yet: then it is "awaiting".
      if (!is_reused && fault.path != std::string_view("/odd/interim-only")) {
        EXPECT_TRUE(is(outcome, fault.status, fault.phase));
      }
      EXPECT_EQ(outcome.info().attempts, 1u);
      EXPECT_LT(watch.elapsed(), milliseconds(5'000));
      Outcome after = client.fetch(server_.url(0, "/bytes/9"));
      EXPECT_TRUE(is(after, HC_OK));
      EXPECT_EQ(after.body, serve::pattern(9));
      EXPECT_FALSE(after.was_reused()) << "on the connection of the fault";
    }
    EXPECT_TRUE(client.stats_become(
        [](const hc_stats& s) { return s.sockets_in_use == 0 && s.sockets_retired == 0; }));
    EXPECT_EQ(client.stats().stale_retries, 0u);
  }
  EXPECT_TRUE(server_.wait_until([](const Counters& c) { return c.connections_open == 0; }));
}

// Whatever has arrived before is given; the end is the same error, at the read and in the last completion.
TEST_P(Faults, EndStreamedOnesInTheSameError) {
  const Fault& fault = GetParam();
  Client client;
  Outcome first = client.fetch(server_.url(0, fault.path), streamed);
  hc_status end = first.status;
  if (first.kind == HC_HEAD) {
    read_all(first.response.get(), &end);
    Outcome last = client.wait(first.id);
    while (last.kind != HC_DONE) last = client.wait(first.id);
    EXPECT_EQ(last.status, fault.status) << hc_status_name(last.status);
  }
  EXPECT_EQ(end, fault.status) << hc_status_name(end);
  EXPECT_EQ(first.error().phase, fault.phase) << first.message();
}

std::string name_of(const testing::TestParamInfo<Fault>& fault) { return fault.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Reset, Faults,
    testing::Values(
        Fault{"AfterTheHead", "/reset?after=request-head", HC_E_DISCONNECTED, HC_PHASE_AWAITING},
        Fault{"AfterTheRequest", "/reset", HC_E_DISCONNECTED, HC_PHASE_AWAITING},
        Fault{"InTheHead", "/reset?after=half-head&after_ms=20", HC_E_DISCONNECTED, HC_PHASE_RECEIVING},
        Fault{"BehindTheHead", "/reset?after=head&after_ms=20", HC_E_DISCONNECTED, HC_PHASE_RECEIVING},
        Fault{"InTheBody", "/reset?after=half-body&after_ms=20", HC_E_DISCONNECTED, HC_PHASE_RECEIVING}),
    name_of);
INSTANTIATE_TEST_SUITE_P(
    Fin, Faults,
    testing::Values(
        Fault{"AfterTheHead", "/fin?after=request-head", HC_E_DISCONNECTED, HC_PHASE_AWAITING},
        Fault{"AfterTheRequest", "/fin", HC_E_DISCONNECTED, HC_PHASE_AWAITING},
        Fault{"InTheHead", "/fin?after=half-head&after_ms=20", HC_E_DISCONNECTED, HC_PHASE_RECEIVING},
        Fault{"BehindTheHead", "/fin?after=head&after_ms=20", HC_E_INCOMPLETE, HC_PHASE_RECEIVING},
        Fault{"InTheBody", "/fin?after=half-body&after_ms=20", HC_E_INCOMPLETE, HC_PHASE_RECEIVING}),
    name_of);
INSTANTIATE_TEST_SUITE_P(
    Body, Faults,
    testing::Values(
        Fault{"Truncated", "/truncate?claimed=100&sent=50", HC_E_INCOMPLETE, HC_PHASE_RECEIVING},
        Fault{"TruncatedToNothing", "/truncate?claimed=100&sent=0", HC_E_INCOMPLETE, HC_PHASE_RECEIVING},
        Fault{"TruncatedChunks", "/truncate?chunked=1&sent=50", HC_E_INCOMPLETE, HC_PHASE_RECEIVING},
        Fault{"BadChunk", "/badchunk", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"NoGzip", "/odd/no-gzip", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"GzipWithATail", "/odd/gzip-tail", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"HalfOfTheOneCodingInAList", "/odd/half-gzip-in-a-list", HC_E_INCOMPLETE, HC_PHASE_RECEIVING},
        Fault{"GzipInABadChunk", "/odd/gzip-in-a-bad-chunk", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"UnknownEncoding", "/odd/encoding", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"BothLengths", "/both", HC_E_PROTOCOL, HC_PHASE_RECEIVING}),
    name_of);
INSTANTIATE_TEST_SUITE_P(
    Head, Faults,
    testing::Values(
        Fault{"BadStatus", "/badstatus", HC_E_PROTOCOL, HC_PHASE_AWAITING},
        Fault{"BadHeader", "/badheader", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"Garbage", "/odd/garbage", HC_E_PROTOCOL, HC_PHASE_AWAITING},
        Fault{"Http09", "/odd/http09", HC_E_PROTOCOL, HC_PHASE_AWAITING},
        Fault{"StatusBelow100", "/odd/status", HC_E_PROTOCOL, HC_PHASE_AWAITING},
        Fault{"LengthIsNoNumber", "/odd/length", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"LengthIsNegative", "/odd/negative", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"LengthsDiffer", "/odd/lengths", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"LengthIsHuge", "/odd/huge-length", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"LengthIsTheLargest", "/odd/largest-length", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"LengthIsTheLargestBesideChunks", "/odd/largest-length-and-chunks", HC_E_PROTOCOL,
              HC_PHASE_RECEIVING},
        Fault{"TransferEncodingIsIdentity", "/odd/identity", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"TransferEncodingIsGzip", "/odd/half-gzip-in-chunks", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"TwoTransferEncodings", "/odd/chunked-twice", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"ReturnInAField", "/odd/return", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"SpaceBeforeTheColon", "/odd/space-before-colon", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"FieldWithoutAName", "/odd/no-name", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"FoldOfNothing", "/odd/fold", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"LocationsDiffer", "/odd/locations", HC_E_PROTOCOL, HC_PHASE_RECEIVING},
        Fault{"EndBehindAContentLength", "/odd/head-cut", HC_E_DISCONNECTED, HC_PHASE_RECEIVING},
        Fault{"OnlyInterim", "/odd/interim-only", HC_E_DISCONNECTED, HC_PHASE_RECEIVING},
        Fault{"Nothing", "/odd/nothing", HC_E_DISCONNECTED, HC_PHASE_AWAITING},
        Fault{"BombOfLines", "/headerbomb?count=1000&size=10", HC_E_TOO_LARGE, HC_PHASE_RECEIVING},
        Fault{"BombOfBytes", "/headerbomb?count=100&size=5000", HC_E_TOO_LARGE, HC_PHASE_RECEIVING},
        Fault{"OneLongLine", "/headerbomb?count=1&size=400000", HC_E_TOO_LARGE, HC_PHASE_RECEIVING},
        Fault{"InterimFlood", "/1xx?count=20000", HC_E_TOO_LARGE, HC_PHASE_RECEIVING}),
    name_of);

TEST(InterimResponses, AreSkipped) {
  HttpServer server;
  server.start();
  Client client;
  for (std::string_view path : {"/1xx?count=1", "/1xx?count=5&status=102"}) {
    Outcome outcome = client.fetch(server.url(0, path));
    EXPECT_TRUE(is(outcome, HC_OK));
    EXPECT_EQ(outcome.http_status, 200);
  }
}

// Its framing is whole and the server keeps the connection: only what the body decodes to is missing.
TEST(HalfCodings, CostTheirConnection) {
  HttpServer server;
  server.handle("/half", [](const serve::RequestView&, serve::ResponseWriter& writer) {
    writer.raw({kHalfGzipInAList, sizeof kHalfGzipInAList - 1});
  });
  server.start();
  Client client;
  EXPECT_TRUE(is(client.fetch(server.url(0, "/half")), HC_E_INCOMPLETE));
  Outcome after = client.fetch(server.url(0, "/bytes/9"));
  EXPECT_TRUE(is(after, HC_OK));
  EXPECT_FALSE(after.was_reused());
  EXPECT_EQ(client.stats().stale_retries, 0u);
}

TEST(GzipMembers, AreWholeWithBytesBehindTheAnswer) {
  HttpServer server;
  server.handle("/tail", [](const serve::RequestView&, serve::ResponseWriter& writer) {
    const std::string head("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n");
    const std::string member(std::strstr(kGzipWithATail, "\r\n\r\n") + 4, 22);
    writer.raw(head + member + "\r\n");
  });
  server.start();
  Client client;
  Outcome outcome = client.fetch(server.url(0, "/tail"));
  EXPECT_TRUE(is(outcome, HC_OK)) << outcome.message();
  EXPECT_EQ(outcome.body, "hi");
  EXPECT_FALSE(client.fetch(server.url(0, "/bytes/1")).was_reused());
}

TEST(GzipMembers, AreNotDecodedBeyondTheFirst) {
  HttpServer server;
  server.handle("/members", [](const serve::RequestView&, serve::ResponseWriter& writer) {
    const std::string head("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 44\r\n\r\n");
    const std::string member(std::strstr(kGzipWithATail, "\r\n\r\n") + 4, 22);
    writer.raw(head + member + member);
    writer.end(serve::Ending::kFin);
  });
  server.start();
  Client client;
  Outcome outcome = client.fetch(server.url(0, "/members"));
  EXPECT_TRUE(is(outcome, HC_E_PROTOCOL));
  bool says_why =
      outcome.message().find("gzip member") != std::string::npos ||
      outcome.message().find("Multi-member gzip") != std::string::npos;  // as newer libcurl says it
  EXPECT_TRUE(says_why) << outcome.message();
}

TEST(FoldedFields, AreOneLine) {
  HttpServer server;
  server.handle("/folded", [](const serve::RequestView& request, serve::ResponseWriter& writer) {
    bool is_framing = request.parameter("framing").has_value();
    writer.raw(is_framing ? "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
                          : "HTTP/1.1 302 Found\r\nX: a\r\n  b: c\r\nLocation:\r\n /bytes/5\r\n"
                            "Content-Length: 0\r\n\r\n");
    writer.end(serve::Ending::kFin);
  });
  server.start();
  Client client;
  Outcome followed = client.fetch(server.url(0, "/folded"));
  EXPECT_TRUE(is(followed, HC_OK));
  EXPECT_EQ(followed.body, serve::pattern(5));
  Outcome answer = client.fetch(server.url(0, "/folded"), [](hc_request& r) { r.max_redirects = 0; });
  EXPECT_EQ(answer.header("X"), "a b: c");
  EXPECT_EQ(answer.header("Location"), "/bytes/5");
  // libcurl joins the lines since 8.18, and nobody is told.
  Outcome framing = client.fetch(server.url(0, "/folded?framing"));
  EXPECT_TRUE(framing.status == HC_E_PROTOCOL || (framing.status == HC_OK && framing.body == "hello"))
      << framing.message();
}

auto large_heads_up_to(uint64_t bytes) {
  return [bytes](hc_session_options& o) {
    o.max_headers = 2'000;
    o.max_header_bytes = bytes;
  };
}

TEST(HeaderLimits, AreTheSessions) {
  HttpServer server;
  server.start();
  Client client(large_heads_up_to(200'000));
  EXPECT_TRUE(is(client.fetch(server.url(0, "/headerbomb?count=1000&size=100")), HC_OK));
  Client strict([](hc_session_options& o) { o.max_headers = 3; });
  EXPECT_TRUE(is(strict.fetch(server.url(0, "/headerbomb?count=3&size=1")), HC_E_TOO_LARGE));
}

TEST(HeaderLimits, AreLibcurlsBeyondThose) {
  HttpServer server;
  server.start();
  Client client(large_heads_up_to(1'000'000));
  Outcome outcome = client.fetch(server.url(0, "/headerbomb?count=1000&size=400"));
  // libcurl without the mend of CVE-2023-38039 has no limit.
  EXPECT_TRUE(outcome.status == HC_E_TOO_LARGE || outcome.status == HC_OK) << outcome.message();
}

}  // namespace
}  // namespace hc::test
