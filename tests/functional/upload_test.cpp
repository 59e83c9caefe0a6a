// Request bodies that are not in memory: files, callbacks; what they are sent as, and every way to end.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "serve/http_server.h"
#include "support/client.h"
#include "support/held.h"
#include "support/libcurl_version.h"
#include "support/raw_server.h"
#include "support/upload_source.h"

namespace hc::test {
namespace {

using serve::HttpServer;

class TempFile {
 public:
  explicit TempFile(std::string_view content) {
    fd_ = mkstemp(path_.data());
    EXPECT_GE(fd_, 0);
    EXPECT_EQ(write(fd_, content.data(), content.size()), static_cast<ssize_t>(content.size()));
  }
  ~TempFile() {
    close(fd_);
    unlink(path_.c_str());
  }
  const std::string& path() const { return path_; }
  int fd() const { return fd_; }

 private:
  std::string path_ = "/tmp/hc-upload-XXXXXX";
  int fd_ = -1;
};

class Uploads : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  std::string url(std::string_view path) const { return server_.url(0, path); }
  static Tune file(const TempFile& file, std::string_view method = "POST") {
    return [&file, method](hc_request& r) {
      r.method = str(method);
      r.body_kind = HC_BODY_FILE;
      r.body_path = str(file.path());
    };
  }
  static Tune pulled(Source& source, std::string_view method = "POST") {
    return [&source, method](hc_request& r) {
      r.method = str(method);
      source.attach(r);
    };
  }
  static bool has_line(const std::string& head, std::string_view line) {
    return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
  }

  HttpServer server_;
};

TEST_F(Uploads, FilesAreSentWhole) {
  Client client;
  for (size_t size : {size_t{0}, size_t{1}, size_t{65536}, size_t{5'000'000}}) {
    TempFile body(serve::pattern(size));
    EXPECT_TRUE(client.fetch(url("/echo"), file(body)).body == serve::pattern(size)) << size;
    std::string head = client.fetch(url("/echo/head"), file(body, "PUT")).body;
    EXPECT_TRUE(has_line(head, "Content-Length: " + std::to_string(size))) << head;
    EXPECT_EQ(head.substr(0, 4), "PUT ");
  }
  EXPECT_EQ(client.fetch(url("/method")).body.substr(0, 3), "GET") << "nothing of the last one is left";
  EXPECT_EQ(client.fetch(url("/echo"), with_body("POST", "bytes")).body, "bytes");
}

TEST_F(Uploads, FilesMayBeNamedByDescriptorAndPart) {
  Client client;
  TempFile body(serve::pattern(1000));
  Tune tune = [&](hc_request& r) {
    r.method = str("POST");
    r.body_kind = HC_BODY_FILE;
    r.body_fd = body.fd();
    r.body_offset = 100;
    r.body_length = 50;
  };
  EXPECT_EQ(client.fetch(url("/echo"), tune).body, serve::pattern(1000).substr(100, 50));
  EXPECT_EQ(client.fetch(url("/echo"), tune).body, serve::pattern(1000).substr(100, 50))
      << "its offset has not moved";
}

TEST_F(Uploads, FileMistakesAreToldAtOnce) {
  Client client;
  TempFile body("text");
  hc_error error;
  hc_error_init(&error, sizeof error);
  Tune missing = [](hc_request& r) {
    r.body_kind = HC_BODY_FILE;
    r.body_path = str("/nowhere/at/all");
  };
  EXPECT_EQ(client.try_submit(url("/echo"), missing, &error), HC_E_SYSTEM);
  EXPECT_EQ(error.native_code, ENOENT);
  auto refused = [&](const Tune& tune) {
    Tune both = [&](hc_request& r) {
      file(body)(r);
      tune(r);
    };
    return client.try_submit(url("/echo"), both, &error) == HC_E_INVALID ? std::string(error.message)
                                                                         : "accepted";
  };
  EXPECT_EQ(refused([&](hc_request& r) { r.body_fd = body.fd(); }),
            "body_path: name exactly one of body_path and body_fd");
  EXPECT_EQ(refused([](hc_request& r) { r.body_offset = 5; }), "body_offset: beyond the end of the file");
  EXPECT_EQ(refused([](hc_request& r) { r.body_length = 5; }), "body_length: beyond the end of the file");
  EXPECT_EQ(refused([](hc_request& r) { r.body_length = uint64_t{1} << 63; }), "body_length: 2^63 or more");
  EXPECT_EQ(refused([](hc_request& r) {
              r.body_path = {};
              r.body_kind = HC_BODY_PULLED;
              r.on_body = [](void*, size_t, size_t*, void*) { return hc_status{HC_OK}; };
              r.body_length = (uint64_t{1} << 63) + 1000;
            }),
            "body_length: 2^63 or more");
  EXPECT_EQ(refused([](hc_request& r) { r.body_path = str("/tmp"); }),
            "body_path: not a regular file; use HC_BODY_PULLED");
  EXPECT_EQ(refused([](hc_request& r) { r.body = str("x"); }),
            "body: this body_kind has its bytes elsewhere");
  EXPECT_EQ(refused([](hc_request& r) { r.body_kind = 9; }), "body_kind: unknown");
  EXPECT_EQ(refused([](hc_request& r) { r.body_kind = HC_BODY_PULLED; }), "on_body: NULL");
  EXPECT_EQ(refused([](hc_request& r) { r.expect_continue = 2; }),
            "expect_continue: neither HC_OFF nor HC_ON");
}

TEST_F(Uploads, FileThatShrinksIsAnError) {
  Client client;
  TempFile body(serve::pattern(1'000'000));
  ASSERT_EQ(client.fetch(url("/bytes/1")).http_status, 200);
  Client busy([](hc_session_options& o) { o.limit = 1; });
  Held first(busy, url("/echo"));
  hc_id id = busy.submit(url("/echo"), file(body));
  ASSERT_EQ(ftruncate(body.fd(), 500'000), 0);
  first.release();
  EXPECT_TRUE(is(busy.wait(id), HC_E_SYSTEM));
  busy.wait(first.id());
}

TEST_F(Uploads, PulledOfKnownLengthSayIt) {
  Client client;
  Source source(serve::pattern(3'000'000));
  Outcome outcome = client.fetch(url("/echo"), [&](hc_request& r) {
    pulled(source)(r);
    r.body_length = 3'000'000;
  });
  EXPECT_TRUE(outcome.body == serve::pattern(3'000'000));
  Source small("12345");
  std::string head = client
                         .fetch(url("/echo/head"),
                                [&](hc_request& r) {
                                  pulled(small)(r);
                                  r.body_length = 5;
                                })
                         .body;
  EXPECT_TRUE(has_line(head, "Content-Length: 5"));
  EXPECT_TRUE(eventually([&] { return small.releases == 1 && source.releases == 1; }));
}

TEST_F(Uploads, PulledOfUnknownLengthAreChunked) {
  Client client;
  for (size_t size : {size_t{0}, size_t{10}, size_t{3'000'000}}) {
    Source source(serve::pattern(size), 70'001);
    Outcome outcome = client.fetch(url("/echo"), pulled(source, "PUT"));
    EXPECT_TRUE(is(outcome, HC_OK)) << size;
    EXPECT_TRUE(outcome.body == serve::pattern(size)) << size;
  }
  Source source("text");
  EXPECT_TRUE(has_line(client.fetch(url("/echo/head"), pulled(source)).body, "Transfer-Encoding: chunked"));
}

TEST_F(Uploads, PulledMaySayNotYet) {
  Client client([](hc_session_options& o) { o.timeouts.sock_write_ms = 150; });
  Source source(serve::pattern(1'000'000));
  source.hold_at(300'000);
  hc_id id = client.submit(url("/echo"), pulled(source));
  ASSERT_TRUE(eventually([&] { return source.not_yet >= 1; }));
  uint64_t turns = client.stats().loop_turns;
  std::this_thread::sleep_for(milliseconds(300));  // twice what sock_write would have counted
  EXPECT_LT(client.stats().loop_turns, turns + 50) << "nobody asks meanwhile";
  EXPECT_EQ(source.not_yet, 1);
  source.go_on();
  EXPECT_EQ(hc_session_resume_upload(client.get(), id), HC_OK);
  Outcome outcome = client.wait(id);
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_TRUE(outcome.body == serve::pattern(1'000'000));
  EXPECT_EQ(hc_session_resume_upload(client.get(), id), HC_OK) << "a finished id is no matter";
  EXPECT_EQ(hc_session_resume_upload(client.get(), 0), HC_E_INVALID);
  EXPECT_EQ(hc_session_resume_upload(nullptr, id), HC_E_INVALID);
}

TEST_F(Uploads, PulledMayFail) {
  Client client;
  Source source(serve::pattern(1'000'000));
  source.fail_at(200'000);
  Outcome outcome = client.fetch(url("/echo"), pulled(source));
  EXPECT_TRUE(is(outcome, HC_E_CALLBACK, HC_PHASE_SENDING));
  EXPECT_EQ(outcome.message(), "on_body refused with 42");
  Source brief(serve::pattern(100));
  Outcome cut = client.fetch(url("/echo"), [&](hc_request& r) {
    pulled(brief)(r);
    r.body_length = 200;
  });
  EXPECT_TRUE(is(cut, HC_E_CALLBACK, HC_PHASE_SENDING));
}

TEST_F(Uploads, CancelledWhileTheCallbackHasNothing) {
  Client client;
  Source source(serve::pattern(1'000'000));
  source.hold_at(100'000);
  hc_id id = client.submit(url("/echo"), pulled(source));
  ASSERT_TRUE(eventually([&] { return source.not_yet >= 1; }));
  client.cancel(id);
  EXPECT_TRUE(is(client.wait(id), HC_E_CANCELLED, HC_PHASE_SENDING));
  EXPECT_TRUE(eventually([&] { return source.releases == 1; }));
}

TEST_F(Uploads, RedirectsRepeatWhatCanBeRepeated) {
  Client client;
  TempFile body(serve::pattern(200'000));
  std::string target = url("/redirect-to?status=307&url=/echo");
  EXPECT_TRUE(client.fetch(target, file(body)).body == serve::pattern(200'000));
  Source source(serve::pattern(200'000));
  Outcome outcome = client.fetch(target, [&](hc_request& r) {
    pulled(source)(r);
    r.on_rewind = Source::rewind;
  });
  EXPECT_TRUE(outcome.body == serve::pattern(200'000));
  EXPECT_EQ(source.rewinds, 1);
  Source once(serve::pattern(200'000));
  EXPECT_TRUE(is(client.fetch(target, pulled(once)), HC_E_REDIRECT));
  Source dropped(serve::pattern(1000));
  EXPECT_TRUE(is(client.fetch(url("/redirect-to?status=303&url=/bytes/1"), pulled(dropped)), HC_OK))
      << "303 asks for no body";
}

TEST_F(Uploads, ServersThatDieOrAnswerEarlyEndThemCleanly) {
  Client client;
  std::string large = serve::pattern(50'000'000);
  for (const char* path : {"/reset?after=request-head", "/fin?after=request-head"}) {
    Source source(large);
    Outcome outcome = client.fetch(url(path), pulled(source));
    EXPECT_TRUE(is(outcome, HC_E_DISCONNECTED)) << path;
    EXPECT_TRUE(eventually([&] { return source.releases == 1; }));
  }
  EXPECT_TRUE(is(client.fetch(url("/bytes/10")), HC_OK));
}

// A server that refuses a body, and closes while that is on its way: its answer lies in the socket when sending fails.
TEST_F(Uploads, AnswersOfServersThatCloseAtOnceAreHeard) {
  std::string large = serve::pattern(20'000'000);
  RawServer server("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nhello", RawServer::Then::kClose);
  TempFile stored(large);
  Client client;
  for (int round = 0; round < 10; ++round) {
    Source source(large, 512 << 10);
    for (const Tune& tune : {pulled(source), file(stored, "PUT"), with_body("POST", large)}) {
      Outcome outcome = client.fetch(server.url(), tune);
      EXPECT_TRUE(is(outcome, HC_OK)) << outcome.message();
      EXPECT_EQ(outcome.http_status, 413);
      EXPECT_EQ(outcome.body, "hello");
    }
    EXPECT_TRUE(eventually([&] { return source.releases == 1; }));
  }
}

// The server has answered in full, reads on, and the callback has nothing: what is left to send is of no interest.
TEST_F(Uploads, WholeAnswerEndsThemAlthoughTheCallbackHasMore) {
  Client client;
  Source source(serve::pattern(1'000'000));
  source.hold_at(100'000);
  Outcome outcome = client.fetch(url("/upload/early"), pulled(source));
  EXPECT_TRUE(is(outcome, HC_OK));
  EXPECT_LE(source.not_yet, 1) << "the answer may be there before the callback has nothing";
  EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused()) << "half of a request lies on that connection";
}

// Sending lets libcurl 8.14 read, too.
TEST_F(Uploads, GoingOnReadNothingThatTheReaderHoldsBack) {
  Client client;
  Source source(serve::pattern(20'000'000));
  Outcome head = client.fetch(url("/upload/early?body=1000000000"), [&](hc_request& r) {
    pulled(source)(r);
    streamed(r);
  });
  ASSERT_EQ(head.kind, HC_HEAD);
  std::this_thread::sleep_for(milliseconds(300));  // in which too much would be read
  uint64_t sent = server_.counters().bytes_out;
  EXPECT_LT(sent, 30'000'000u) << "window and socket buffers";
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(server_.counters().bytes_out, sent);
  client.cancel(head.id);
}

TEST_F(Uploads, EndWithAnAnswerThatHasNoBody) {
  Client client([](hc_session_options& o) { o.timeouts.total_ms = 5000; });
  Source source(serve::pattern(1'000'000));
  source.hold_at(300'000);
  EXPECT_TRUE(is(client.fetch(url("/upload/early?status=204"), pulled(source)), HC_OK));
  EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused()) << "half of a request lies on that connection";
}

TEST_F(Uploads, GoOnWhileTheReaderHoldsTheAnswerBack) {
  bool they_wait = 0x080600 <= libcurl_version() && libcurl_version() < 0x080f00;
  if (they_wait) GTEST_SKIP() << "this libcurl would read on";
  Client client([](hc_session_options& o) { o.body_window = 16 << 10; });
  std::string body = serve::pattern(30'000'000);
  for (bool is_pulled : {false, true}) {
    Source source(body);
    uint64_t before = server_.counters().bytes_in;
    Outcome head = client.fetch(url("/upload/early?body=1000000"), [&](hc_request& r) {
      is_pulled ? pulled(source)(r) : with_body("POST", body)(r);
      streamed(r);
    });
    ASSERT_EQ(head.kind, HC_HEAD);
    EXPECT_TRUE(eventually([&] { return server_.counters().bytes_in >= before + body.size(); }));
    EXPECT_EQ(read_all(head.response.get()).size(), 1'000'000u);
    EXPECT_TRUE(is(client.wait(head.id), HC_OK));
  }
}

TEST_F(Uploads, LentBytesAreReleasedOnce) {
  Client client;
  std::string body = serve::pattern(100'000);
  std::atomic<int> releases{0};
  Tune tune = [&](hc_request& r) {
    with_body("POST", body)(r);
    r.body_kind = HC_BODY_BORROWED;
    r.on_release = [](void* counter) { ++*static_cast<std::atomic<int>*>(counter); };
    r.body_data = &releases;
  };
  EXPECT_TRUE(client.fetch(url("/echo"), tune).body == body);
  EXPECT_TRUE(eventually([&] { return releases == 1; }));
  EXPECT_TRUE(client.fetch(url("/redirect-to?status=308&url=/echo"), tune).body == body);
  EXPECT_TRUE(eventually([&] { return releases == 2; }));
  EXPECT_EQ(client.try_submit("no url", tune), HC_E_INVALID);
  client.close();
  EXPECT_EQ(client.try_submit(url("/echo"), tune), HC_E_CLOSED);
  EXPECT_EQ(releases, 2) << "what was not accepted is not released";
}

TEST_F(Uploads, ExpectIsSentOnRequestOnly) {
  Client client;
  Tune plain = with_body("POST", "text");
  EXPECT_EQ(client.fetch(url("/echo/head"), plain).body.find("Expect"), std::string::npos);
  Outcome outcome = client.fetch(url("/echo/head"), [&](hc_request& r) {
    plain(r);
    r.expect_continue = HC_ON;
  });
  EXPECT_TRUE(has_line(outcome.body, "Expect: 100-continue")) << outcome.body;
}

}  // namespace
}  // namespace hc::test
