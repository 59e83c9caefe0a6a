// Bodies that come piece by piece: kinds of completions, backpressure, early release, every way to end.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "serve/http_server.h"
#include "support/client.h"
#include "support/sanitizer.h"

namespace hc::test {
namespace {

using serve::HttpServer;

size_t resident_bytes() {
  size_t pages = 0;
  size_t resident = 0;
  FILE* statm = std::fopen("/proc/self/statm", "r");
  EXPECT_EQ(std::fscanf(statm, "%zu %zu", &pages, &resident), 2);
  std::fclose(statm);
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

class Streams : public testing::Test {
 protected:
  void SetUp() override { server_.start(); }
  std::string url(std::string_view path) const { return server_.url(0, path); }
  /// Submits and waits for the head.
  static Outcome open(Client& client, const std::string& address, const Tune& tune = {}) {
    Outcome head = client.wait(client.submit(address, [&](hc_request& r) {
      streamed(r);
      if (tune) tune(r);
    }));
    EXPECT_EQ(head.kind, HC_HEAD) << hc_status_name(head.status);
    return head;
  }
  /// The last word about it; what comes before must be HC_BODY.
  static Outcome done(Client& client, hc_id id) {
    for (;;) {
      Outcome news = client.wait(id);
      EXPECT_EQ(news.response, nullptr) << "it was given with the head";
      if (news.kind == HC_DONE) return news;
      EXPECT_EQ(news.kind, HC_BODY);
    }
  }

  HttpServer server_;
};

TEST_F(Streams, GiveTheHeadThenTheBodyThenTheEnd) {
  Client client;
  Outcome head = open(client, url("/bytes/3000000"));
  EXPECT_EQ(head.status, HC_OK);
  EXPECT_EQ(head.http_status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.header("Content-Length"), "3000000");
  EXPECT_EQ(head.info().timing.done_ns, HC_UNSET);
  hc_status end = HC_E_INTERNAL;
  EXPECT_TRUE(read_all(head.response.get(), &end) == serve::pattern(3'000'000));
  EXPECT_EQ(end, HC_OK);
  Outcome last = done(client, head.id);
  EXPECT_EQ(last.status, HC_OK);
  EXPECT_EQ(last.http_status, 200);
  EXPECT_NE(head.info().timing.done_ns, HC_UNSET);
  EXPECT_EQ(client.stats().bytes_received, 3'000'000u);
}

TEST_F(Streams, OfEveryShape) {
  Client client;
  struct Case {
    const char* path;
    std::string body;
  };
  for (const Case& c :
       {Case{"/bytes/0", ""}, Case{"/status/204", ""}, Case{"/bytes/1", serve::pattern(1)},
        Case{"/chunked?chunks=5&size=1000", serve::pattern(5000)}, Case{"/1xx?count=3", "final\n"}}) {
    Outcome head = open(client, url(c.path));
    hc_status end = HC_E_INTERNAL;
    EXPECT_EQ(read_all(head.response.get(), &end), c.body) << c.path;
    EXPECT_EQ(end, HC_OK) << c.path;
    EXPECT_EQ(done(client, head.id).status, HC_OK) << c.path;
  }
  Outcome head = open(client, url("/bytes/100"), with_method("HEAD"));
  EXPECT_EQ(read_all(head.response.get()), "");
}

TEST_F(Streams, TellOfBytesOnceAfterTheReaderFoundNothing) {
  Client client;
  Outcome head = open(client, url("/drip?bytes=3&chunk=1&every_ms=60"));
  std::string body;
  int told = 0;
  for (hc_status end = HC_OK;;) {
    body += read_ready(head.response.get(), &end);
    if (end != HC_E_AGAIN) break;
    Outcome news = client.wait(head.id);
    if (news.kind == HC_DONE) break;
    ++told;
  }
  body += read_ready(head.response.get());
  EXPECT_EQ(body, serve::pattern(3));
  EXPECT_GE(told, 1);
  EXPECT_LE(told, 3);
}

TEST_F(Streams, NobodyIsToldWhoHasNotAsked) {
  Client client;
  Outcome head = open(client, url("/drip?bytes=5&chunk=1&every_ms=5"));
  Outcome next = client.wait(head.id);
  EXPECT_EQ(next.kind, HC_DONE);
  EXPECT_EQ(read_ready(head.response.get()), serve::pattern(5));
}

TEST_F(Streams, PausedReaderOfAGigabyteCostsNoMemoryAndNoTimeAndHoldsNobodyUp) {
  Client client;
  client.fetch(url("/bytes/100000"));
  size_t before = resident_bytes();
  Outcome head = open(client, url("/bytes/1000000000"));
  ASSERT_EQ(hc_response_wait(head.response.get(), HC_FOREVER), HC_OK);
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(is(client.fetch(url("/bytes/1000")), HC_OK));
  size_t after = resident_bytes();
  // The sanitizers need memory of their own.
  if (!kAddressSanitizer && !kThreadSanitizer) {
    EXPECT_LT(after, before + (2u << 20)) << "server and client together";
  }
  uint64_t turns = client.stats().loop_turns;
  std::this_thread::sleep_for(milliseconds(200));  // time in which a loop that spins would show it
  EXPECT_LT(client.stats().loop_turns, turns + 50);
  client.cancel(head.id);
  EXPECT_EQ(done(client, head.id).status, HC_E_CANCELLED);
}

TEST_F(Streams, CancelledWhileHeldTheNextOneIsAsFastAsAny) {
  Client client([](hc_session_options& o) { o.body_window = 1024; });
  Outcome held = open(client, url("/bytes/1000000000"));
  ASSERT_EQ(hc_response_wait(held.response.get(), HC_FOREVER), HC_OK);
  client.cancel(held.id);
  EXPECT_EQ(done(client, held.id).status, HC_E_CANCELLED);
  uint64_t turns = client.stats().loop_turns;
  EXPECT_TRUE(client.fetch(url("/bytes/1000000")).body == serve::pattern(1'000'000));
  EXPECT_LT(client.stats().loop_turns, turns + 1000);
}

TEST_F(Streams, SlowReaderGetsEverything) {
  Client client([](hc_session_options& o) { o.body_window = 1024; });
  Outcome head = open(client, url("/bytes/2000000"));
  std::string body;
  char piece[777];
  for (;;) {
    size_t count = 0;
    hc_status status = hc_response_read(head.response.get(), piece, sizeof piece, &count);
    if (status == HC_E_AGAIN) {
      ASSERT_EQ(hc_response_wait(head.response.get(), HC_FOREVER), HC_OK);
      continue;
    }
    ASSERT_EQ(status, HC_OK);
    if (count == 0) break;
    body.append(piece, count);
  }
  EXPECT_TRUE(body == serve::pattern(2'000'000));
}

TEST_F(Streams, SockReadStandsStillWhileTheReaderHoldsTheBodyBack) {
  Client client([](hc_session_options& o) { o.timeouts.sock_read_ms = 1'000; });
  Outcome head = open(client, url("/bytes/20000000"));
  std::this_thread::sleep_for(milliseconds(1'500));  // what the clock would have counted
  hc_status end = HC_E_INTERNAL;
  EXPECT_EQ(read_all(head.response.get(), &end).size(), 20'000'000u);
  EXPECT_EQ(end, HC_OK);
}

TEST_F(Streams, SockReadRunsAgainOnceTheReaderHasMadeRoom) {
  Client client([](hc_session_options& o) { o.timeouts.sock_read_ms = 1'000; });
  // More than window and socket buffers hold, and then silence.
  Outcome head = open(client, url("/truncate?claimed=30000000&sent=20"));
  read_all(head.response.get());
  Outcome silent = open(client, url("/drip?bytes=2&chunk=1&every_ms=20000"));
  hc_status end = HC_OK;
  read_all(silent.response.get(), &end);
  EXPECT_EQ(end, HC_E_TIMEOUT_SOCK_READ);
}

TEST_F(Streams, TotalRunsWhileTheReaderHoldsTheBodyBack) {
  Client client;
  Outcome head = open(client, url("/bytes/50000000"), [](hc_request& r) { r.timeouts.total_ms = 1'000; });
  EXPECT_EQ(done(client, head.id).status, HC_E_TIMEOUT_TOTAL);
  hc_status end = HC_OK;
  EXPECT_GE(read_all(head.response.get(), &end).size(), 256u << 10) << "what is here stays readable";
  EXPECT_EQ(end, HC_E_TIMEOUT_TOTAL);
}

TEST_F(Streams, ReleasedWithLittleLeftTheConnectionServesAgain) {
  Client client;
  Outcome head = open(client, url("/bytes/60000"), [](hc_request& r) { r.body_window = 1024; });
  head.response.reset();
  EXPECT_EQ(done(client, head.id).status, HC_OK);
  EXPECT_TRUE(client.fetch(url("/bytes/1")).was_reused());
}

TEST_F(Streams, ReleasedWithMuchLeftTheConnectionIsClosed) {
  Client client;
  for (const char* path : {"/bytes/5000000", "/chunked?chunks=500&size=10000"}) {
    Outcome head = open(client, url(path), [](hc_request& r) { r.body_window = 1024; });
    head.response.reset();
    EXPECT_EQ(done(client, head.id).status, HC_E_CANCELLED) << path;
    EXPECT_FALSE(client.fetch(url("/bytes/1")).was_reused()) << path;
    client.stats_become([](const hc_stats& s) { return s.sockets_idle == 1; });
  }
}

TEST_F(Streams, ReleasedWithASlowRestTheConnectionIsClosedAfterAMoment) {
  Client client;
  Outcome head = open(client, url("/drip?bytes=100&chunk=1&every_ms=1000"));
  Stopwatch watch;
  head.response.reset();
  EXPECT_EQ(done(client, head.id).status, HC_E_CANCELLED);
  EXPECT_GE(watch.elapsed(), milliseconds(100));
  EXPECT_LT(watch.elapsed(), milliseconds(30'000)) << "100 s are left of it";
}

TEST_F(Streams, CancelEndsThemOnce) {
  Client client;
  Outcome head = open(client, url("/bytes/50000000"));
  client.cancel(head.id);
  client.cancel(head.id);
  EXPECT_EQ(done(client, head.id).status, HC_E_CANCELLED);
  hc_status end = HC_OK;
  read_all(head.response.get(), &end);
  EXPECT_EQ(end, HC_E_CANCELLED);
  EXPECT_EQ(hc_response_status(head.response.get()), HC_E_CANCELLED);
  EXPECT_TRUE(client.queue().take_ready().empty());
}

TEST_F(Streams, CloseEndsThoseThatNobodyReads) {
  Client client;
  Outcome head = open(client, url("/bytes/50000000"));
  ASSERT_EQ(hc_response_wait(head.response.get(), HC_FOREVER), HC_OK);
  client.close(50);
  EXPECT_EQ(done(client, head.id).status, HC_E_CANCELLED);
  EXPECT_GT(read_ready(head.response.get()).size(), 0u) << "responses outlive the session";
}

TEST_F(Streams, ClosedQueueEndsThemWithTheirHeadUnread) {
  Client client;
  Queue queue;
  client.submit(url("/bytes/50000000"), [&](hc_request& r) {
    streamed(r);
    r.queue = queue.get();
  });
  ASSERT_EQ(hc_queue_wait(queue.get(), HC_FOREVER, nullptr), HC_OK);
  queue.close();
  EXPECT_TRUE(client.stats_become([](const hc_stats& s) { return s.in_flight == 0; }));
  EXPECT_EQ(client.stats().cancelled, 1u);
}

TEST_F(Streams, FailureBeforeTheHeadIsTheOnlyCompletion) {
  Client client;
  Outcome outcome = client.fetch(url("/reset?after=request"), streamed);
  EXPECT_EQ(outcome.kind, HC_DONE);
  EXPECT_TRUE(is(outcome, HC_E_DISCONNECTED));
  ASSERT_NE(outcome.response, nullptr);
  char byte = 0;
  size_t count = 0;
  EXPECT_EQ(hc_response_read(outcome.response.get(), &byte, 1, &count), HC_E_DISCONNECTED);
  EXPECT_EQ(hc_response_wait(outcome.response.get(), HC_FOREVER), HC_OK);
}

TEST_F(Streams, FailureInTheBodyComesAfterItsBytes) {
  Client client;
  Outcome head = open(client, url("/truncate?claimed=100&sent=50"));
  hc_status end = HC_OK;
  EXPECT_EQ(read_all(head.response.get(), &end), serve::pattern(50));
  EXPECT_EQ(end, HC_E_INCOMPLETE);
  EXPECT_EQ(done(client, head.id).status, HC_E_INCOMPLETE);
  EXPECT_EQ(head.error().phase, HC_PHASE_RECEIVING);
}

TEST_F(Streams, MaxBodyIsForThemOnlyIfSet) {
  Client client;
  Outcome free = open(client, url("/bytes/2000000"));
  EXPECT_EQ(read_all(free.response.get()).size(), 2'000'000u);
  Outcome bound = open(client, url("/chunked?chunks=20&size=1000"), [](hc_request& r) { r.max_body = 5000; });
  hc_status end = HC_OK;
  EXPECT_LE(read_all(bound.response.get(), &end).size(), 5000u);
  EXPECT_EQ(end, HC_E_TOO_LARGE);
}

TEST_F(Streams, TakenPiecesOutliveEverything) {
  std::vector<hc_chunk> chunks;
  {
    Client client;
    Outcome head = open(client, url("/bytes/1000000"));
    for (;;) {
      hc_chunk chunk{};
      chunk.struct_size = sizeof chunk;
      hc_status status = hc_response_take(head.response.get(), &chunk);
      if (status == HC_E_AGAIN) {
        ASSERT_EQ(hc_response_wait(head.response.get(), HC_FOREVER), HC_OK);
        continue;
      }
      ASSERT_EQ(status, HC_OK);
      if (chunk.block == nullptr) break;
      chunks.push_back(chunk);
    }
  }
  std::string body;
  for (const hc_chunk& chunk : chunks) {
    body += text(chunk.bytes);
    hc_block_free(chunk.block);
  }
  EXPECT_TRUE(body == serve::pattern(1'000'000));
}

TEST_F(Streams, PerformReturnsAtTheHead) {
  Client client;
  hc_request request;
  hc_request_init(&request, sizeof request);
  std::string address = url("/drip?bytes=4&chunk=1&every_ms=30");
  request.url = str(address);
  request.stream = HC_ON;
  hc_response* response = nullptr;
  ASSERT_EQ(hc_session_perform(client.get(), &request, &response, nullptr), HC_OK);
  EXPECT_EQ(read_all(response), serve::pattern(4));
  hc_response_free(response);
  address = url("/reset?after=request");
  request.url = str(address);
  EXPECT_EQ(hc_session_perform(client.get(), &request, &response, nullptr), HC_E_DISCONNECTED);
}

TEST_F(Streams, PerformedAndReleasedEarlyLeaveNothing) {
  Client client;
  hc_request request;
  hc_request_init(&request, sizeof request);
  std::string address = url("/bytes/50000000");
  request.url = str(address);
  request.stream = HC_ON;
  for (int i = 0; i < 10; ++i) {
    hc_response* response = nullptr;
    ASSERT_EQ(hc_session_perform(client.get(), &request, &response, nullptr), HC_OK);
    hc_response_free(response);
  }
  EXPECT_TRUE(client.stats_become([](const hc_stats& s) { return s.in_flight == 0; }));
}

// Everything from within the callback: head, pieces, end.
struct Collector {
  static void on_news(const hc_completion* news, void* self) {
    auto& collector = *static_cast<Collector*>(self);
    if (news->response != nullptr) collector.response = {news->response, hc_response_free};
    if (news->kind == HC_HEAD) {
      EXPECT_EQ(hc_response_wait(collector.response.get(), 0), HC_E_DEADLOCK);
    }
    collector.body += read_ready(collector.response.get());
    if (news->kind == HC_DONE) collector.is_done = true;
  }
  std::shared_ptr<hc_response> response;
  std::string body;
  std::atomic<bool> is_done{false};
};

TEST_F(Streams, MayBeReadInsideTheCallback) {
  Client client;
  Collector collector;
  client.submit(url("/bytes/5000000"), [&](hc_request& r) {
    streamed(r);
    r.queue = nullptr;
    r.on_done = Collector::on_news;
    r.user_data = &collector;
  });
  ASSERT_TRUE(eventually([&] { return collector.is_done.load(); }));
  EXPECT_TRUE(collector.body == serve::pattern(5'000'000));
}

TEST_F(Streams, ManyAtOnceReadByManyThreads) {
  Client client([](hc_session_options& o) { o.body_window = 16384; });
  std::vector<Outcome> heads;
  for (int i = 0; i < 24; ++i) heads.push_back(open(client, url("/bytes/1000000")));
  std::atomic<size_t> next{0};
  std::atomic<int> whole{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      for (size_t mine = next++; mine < heads.size(); mine = next++) {
        if (read_all(heads[mine].response.get()) == serve::pattern(1'000'000)) ++whole;
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(whole.load(), 24);
}

TEST_F(Streams, InAForkedChildTheyAnswerForked) {
  Client client;
  Outcome head = open(client, url("/bytes/50000000"));
  ASSERT_EQ(hc_response_wait(head.response.get(), HC_FOREVER), HC_OK);
  pid_t child = fork();
  if (child == 0) {
    char byte = 0;
    size_t count = 0;
    bool is_right = hc_response_read(head.response.get(), &byte, 1, &count) == HC_E_FORKED &&
                    hc_response_wait(head.response.get(), 0) == HC_E_FORKED;
    head.response.reset();
    _exit(is_right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_GT(read_ready(head.response.get()).size(), 0u);
}

TEST_F(Streams, CallersMistakesAreNamed) {
  Client client;
  Outcome whole = client.fetch(url("/bytes/1"));
  char byte = 0;
  size_t count = 0;
  EXPECT_EQ(hc_response_read(whole.response.get(), &byte, 1, &count), HC_E_INVALID) << "not streamed";
  EXPECT_EQ(hc_response_read(nullptr, &byte, 1, &count), HC_E_INVALID);
  EXPECT_EQ(hc_response_wait(nullptr, 0), HC_E_INVALID);
  EXPECT_EQ(hc_response_wait(whole.response.get(), 0), HC_E_INVALID);
  Outcome head = open(client, url("/bytes/1"));
  EXPECT_EQ(hc_response_read(head.response.get(), nullptr, 1, &count), HC_E_INVALID);
  EXPECT_EQ(hc_response_read(head.response.get(), &byte, 0, &count), HC_E_INVALID);
  EXPECT_EQ(hc_response_read(head.response.get(), &byte, 1, nullptr), HC_E_INVALID);
  EXPECT_EQ(hc_response_take(head.response.get(), nullptr), HC_E_INVALID);
  hc_chunk chunk{};
  EXPECT_EQ(hc_response_take(head.response.get(), &chunk), HC_E_INVALID) << "struct_size 0";
  hc_block_free(nullptr);
  hc_error error;
  hc_error_init(&error, sizeof error);
  EXPECT_EQ(client.try_submit(
                url("/"), [](hc_request& r) { r.body_window = 5000; }, &error),
            HC_E_INVALID);
  EXPECT_STREQ(error.message, "body_window: means nothing without stream");
  Tune small = [](hc_request& r) {
    streamed(r);
    r.body_window = 10;
  };
  EXPECT_EQ(client.try_submit(url("/"), small), HC_E_INVALID);
  EXPECT_EQ(client.try_submit(url("/"), [](hc_request& r) { r.stream = 2; }), HC_E_INVALID);
  EXPECT_THROW(Client([](hc_session_options& o) { o.body_window = 10; }), std::runtime_error);
}

}  // namespace
}  // namespace hc::test
