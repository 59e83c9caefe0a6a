// What the library says about itself: worth reading, one line each, and never a secret.
//
// The sessions of every test of this program are traced and log at the most talkative level, and send a planted cookie
// and a planted token; after each test everything that was said is searched for these.
#include <gmock/gmock.h>

#include <cstdio>
#include <thread>

#include "serve/dead_ends.h"
#include "serve/http_server.h"
#include "support/client.h"
#include "support/trace_events.h"

namespace hc::test {
namespace {

using serve::HttpServer;
using serve::RequestView;
using serve::ResponseWriter;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kPlanted = "hc-planted-secret";

bool is_one_line_of_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

/// Everything that sessions said.
class Heard {
 public:
  void attach(hc_session_options& options) {
    options.on_log = on_log;
    options.on_log_data = this;
    options.log_level = HC_LOG_DEBUG;
    options.on_trace = on_trace;
    options.on_trace_data = this;
  }
  std::string take() {
    std::lock_guard lock(mutex_);
    return std::exchange(words_, {});
  }
  size_t lines() const { return lines_; }

 private:
  static void on_log(int32_t, hc_str line, void* self) { static_cast<Heard*>(self)->hear(line); }
  static void on_trace(const hc_trace_event* event, void* self) {
    static_cast<Heard*>(self)->hear(event->text);
    static_cast<Heard*>(self)->hear(event->origin);
  }
  void hear(hc_str words) {
    std::lock_guard lock(mutex_);
    ++lines_;
    EXPECT_TRUE(is_one_line_of_ascii({words.data, words.len})) << text(words);
    words_ += text(words) + "\n";
  }
  std::mutex mutex_;
  std::string words_;
  size_t lines_ = 0;
};

Heard& heard() {
  static Heard everything;
  return everything;
}

class SearchAfterEachTest : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo&) override {
    EXPECT_THAT(heard().take(), Not(HasSubstr(std::string(kPlanted))));
  }
};

const bool is_planted = [] {
  every_client() = [](hc_session_options& options) {
    static const hc_header planted[] = {{HC_STR("Cookie"), HC_STR("id=hc-planted-secret-cookie")},
                                        {HC_STR("X-Token"), HC_STR("hc-planted-secret-token")}};
    options.headers = planted;
    options.header_count = std::size(planted);
    heard().attach(options);
  };
  testing::UnitTest::GetInstance()->listeners().Append(new SearchAfterEachTest);
  return true;
}();

class Secrets : public testing::Test {
 protected:
  Secrets() {
    server_.handle("/odd", [](const RequestView&, ResponseWriter& writer) {
      writer.raw("HTTP/1.1 4\x1b[31m\x07 \x80hc\r\n\r\n");
      writer.end(serve::Ending::kFin);
    });
    server_.handle("/cookie", [](const RequestView&, ResponseWriter& writer) {
      writer.add_header("Set-Cookie", "id=hc-planted-secret-set");
      writer.respond_text("ok");
    });
    for (size_t i = 0; i < std::size(kRefused); ++i) {
      server_.handle("/refused/" + std::to_string(i), [i](const RequestView&, ResponseWriter& writer) {
        writer.raw(std::string(kRefused[i]) + "\r\nContent-Length: 0\r\n\r\n");
      });
    }
    server_.start();
  }
  static constexpr std::string_view kRefused[] = {
      "HTTP/1.1 200 OK\r\nSet-Cookie: id=hc-planted-secret\rx",
      "HTTP/1.1 200 OK\r\nSet-Cookie : id=hc-planted-secret",
      "HTTP/1.1 200 OK\r\nX: a\r\n hc-planted-secret: \rb",
      "HTTP/1.1 200 OK\r\nhc-planted-secret",
      "HTTP/1.1 302 Found\r\nLocation: app://callback?code=hc-planted-secret",
      "HTTP/1.1 302 Found\r\nLocation: mailto:hc-planted-secret@app.test",
      "HTTP/1.1 302 Found\r\nLocation: http://user:hc-planted-secret@app.test:99999/?code=hc-planted-secret",
      "HTTP/1.1 302 Found\r\nLocation: //hc-planted-secret@app.test:99999/#hc-planted-secret",
  };
  std::string with_userinfo(std::string_view path) const {
    return "http://hc-planted-secret-user:hc-planted-secret-password@127.0.0.1:" +
           std::to_string(server_.port()) + std::string(path);
  }
  HttpServer server_;
};

/// Sends every kind of secret there is.
void with_all_secrets(hc_request& request) {
  static const hc_header secrets[] = {
      {HC_STR("Authorization"), HC_STR("Bearer hc-planted-secret-bearer")},
      {HC_STR("Cookie"), HC_STR("hc-planted-secret-cookie")},
  };
  request.headers = secrets;
  request.header_count = std::size(secrets);
}

void expect_no_secret(const Outcome& outcome) {
  std::string said = outcome.message();
  for (size_t i = 0; i < outcome.info().attempts; ++i) {
    hc_attempt attempt{};
    attempt.struct_size = sizeof attempt;
    ASSERT_EQ(hc_response_attempt(outcome.response.get(), i, &attempt), HC_OK);
    said += "\n" + text(attempt.message);
  }
  EXPECT_THAT(said, Not(HasSubstr(std::string(kPlanted))));
}

TEST_F(Secrets, NeverAppearWhateverHappensToTheirRequest) {
  serve::BlackHole hole;
  Client client([](hc_session_options& o) { o.timeouts.total_ms = 2'000; });
  std::string query = "?token=hc-planted-secret-query#hc-planted-secret-fragment";
  client.fetch(with_userinfo("/bytes/1" + query), with_all_secrets);  // leaves an idle connection
  for (const char* path : {"/bytes/1", "/cookie", "/odd", "/reset", "/fin?after=request", "/status/401",
                           "/redirect/2", "/hang"}) {
    std::string url = with_userinfo(path);
    if (std::string_view(path).find('?') == std::string_view::npos) url += query;
    expect_no_secret(client.fetch(url, path == std::string_view("/hang") ? [](hc_request& request) {
      with_all_secrets(request);
      request.timeouts.total_ms = 50;
    } : Tune(with_all_secrets)));
  }
  expect_no_secret(client.fetch("http://hc-planted-secret-user:hc-planted-secret-pw@127.0.0.1:1/" + query));
  std::string nowhere =
      "http://hc-planted-secret-user@127.0.0.1:" + std::to_string(hole.port()) + "/" + query;
  expect_no_secret(client.fetch(nowhere, [](hc_request& request) { request.timeouts.sock_connect_ms = 20; }));
  expect_no_secret(client.fetch(server_.url(0, "/reset"), [](hc_request& request) {
    request.username = HC_STR("hc-planted-secret-user");
    request.password = HC_STR("hc-planted-secret-password");
  }));
  client.close();
  EXPECT_GT(heard().lines(), 100u) << "that something was said at all";
  EXPECT_TRUE(is_planted);
}

TEST_F(Secrets, OfAnswersThatAreRefusedNeverAppear) {
  Client client;
  for (size_t i = 0; i < std::size(kRefused); ++i) {
    Outcome outcome = client.fetch(server_.url(0, "/refused/" + std::to_string(i)));
    EXPECT_TRUE(outcome.status == HC_E_PROTOCOL || outcome.status == HC_E_REDIRECT) << kRefused[i];
    expect_no_secret(outcome);
  }
}

TEST_F(Secrets, OfProxiesNeverAppearEither) {
  serve::RefusedPort refused;
  Client client;
  for (const char* scheme : {"http", "https", "socks5", "socks5h"}) {
    std::string proxy =
        std::string(scheme) +
        "://hc-planted-secret-user:hc-planted-secret-password@127.0.0.1:" + std::to_string(refused.port());
    for (std::string_view url : {"http://app.test/", "https://127.0.0.2/"}) {
      Outcome outcome = client.fetch(url, [&](hc_request& request) { request.proxy = str(proxy); });
      EXPECT_NE(outcome.status, HC_OK);
      expect_no_secret(outcome);
    }
    hc_error error;
    hc_error_init(&error, sizeof error);
    proxy += ":bad";
    EXPECT_EQ(client.try_submit(
                  server_.url(0, "/"), [&](hc_request& request) { request.proxy = str(proxy); }, &error),
              HC_E_INVALID);
    EXPECT_THAT(error.message, Not(HasSubstr(std::string(kPlanted))));
  }
}

TEST_F(Secrets, RefusedRequestsDoNotRepeatThem) {
  Client client;
  for (const char* url : {"http://u:hc-planted-secret@h:99999/", "http://u:hc-planted-secret@[::x/",
                          "ftp://u:hc-planted-secret@h/", "http://u:hc-planted-secret@h/\x01"}) {
    hc_error error;
    hc_error_init(&error, sizeof error);
    EXPECT_EQ(client.try_submit(url, {}, &error), HC_E_INVALID) << url;
    EXPECT_THAT(error.message, Not(HasSubstr(std::string(kPlanted))));
  }
}

class LogHook : public Secrets {};

TEST_F(LogHook, TellsEachRequestAndConnectionAtDebugLevel) {
  LogLines log;
  {
    Client client([&](hc_session_options& o) { log.attach(o, HC_LOG_DEBUG); });
    client.fetch(server_.url(0, "/bytes/12?a=b"));
    client.fetch(server_.url(0, "/bytes/3"));
  }
  std::string origin = "http://127.0.0.1:" + std::to_string(server_.port());
  EXPECT_EQ(log.count("connection 1 to " + origin + " at 127.0.0.1:" + std::to_string(server_.port()) +
                      " is up, tcp "),
            1u);
  EXPECT_EQ(log.count("request 1 GET " + origin + "/bytes/12: 200, 12 bytes after "), 1u);
  EXPECT_EQ(log.count("on connection 1, new"), 1u);
  EXPECT_EQ(log.count("on connection 1, reused"), 1u);
  EXPECT_EQ(log.count("connection 1 to " + origin), 2u) << "and that it ended";
}

TEST_F(LogHook, TellsFailuresAndRetriesAtInfoLevel) {
  LogLines log;
  Client client([&](hc_session_options& o) { log.attach(o, HC_LOG_INFO); });
  client.fetch(server_.url(0, "/bytes/1"));
  client.fetch(server_.url(0, "/fin?after=request"));
  hc_id cancelled = client.submit(server_.url(0, "/hang"));
  client.cancel(cancelled);
  client.wait(cancelled);
  client.close();
  EXPECT_EQ(log.count("request 2 to "), 1u) << "goes once more";
  EXPECT_EQ(log.count("request 2 GET "), 1u) << "and fails";
  EXPECT_EQ(log.count("HC_E_DISCONNECTED while awaiting"), 1u);
  EXPECT_EQ(log.count("request 1 "), 0u);
  EXPECT_EQ(log.count("request 3 "), 0u) << "a cancel is no failure";
}

TEST_F(LogHook, WarnsOfACallbackThatHoldsTheLoopUp) {
  LogLines log;
  Client client([&](hc_session_options& o) { log.attach(o, HC_LOG_WARNING); });
  std::atomic<int> done{0};
  for (int i = 0; i < 2; ++i) {
    client.submit(server_.url(0, "/bytes/1"), [&](hc_request& request) {
      request.queue = nullptr;
      request.user_data = &done;
      request.on_done = [](const hc_completion* completion, void* counter) {
        hc_response_free(completion->response);
        std::this_thread::sleep_for(milliseconds(300));  // what the warning is about
        ++*static_cast<std::atomic<int>*>(counter);
      };
    });
    ASSERT_TRUE(eventually([&] { return done == i + 1; }));
  }
  EXPECT_TRUE(eventually([&] { return log.count("in callbacks") == 1; }));
  client.close();
  EXPECT_EQ(log.count("in callbacks"), 1u) << "not for each turn: at most once in 10 s";
}

TEST_F(LogHook, CountsTheTimeOfCallbacksInsideATurnToo) {
  LogLines log;
  Client client([&](hc_session_options& o) { log.attach(o, HC_LOG_WARNING); });
  client.fetch(server_.url(0, "/echo"), [&](hc_request& request) {
    request.method = HC_STR("POST");
    request.body_kind = HC_BODY_PULLED;
    request.on_body = [](void*, size_t, size_t* count, void*) {
      std::this_thread::sleep_for(milliseconds(300));  // what the warning is about
      *count = 0;
      return hc_status{HC_OK};
    };
  });
  EXPECT_TRUE(eventually([&] { return log.count("in callbacks") == 1; }));
  client.close();
  EXPECT_EQ(log.count(", 0 ms of it in callbacks"), 0u);
}

/// What the warning of a callback that holds the loop up says.
struct Stall {
  static void on_log(int32_t, hc_str line, void* self) {
    auto& stall = *static_cast<Stall*>(self);
    std::string text(line.data, line.len);
    size_t place = text.find("took ");
    if (place == std::string::npos) return;
    int turn = 0;
    int in_callbacks = 0;
    if (sscanf(text.c_str() + place, "took %d ms, %d ms of it in callbacks", &turn, &in_callbacks) != 2)
      return;
    stall.in_callbacks = in_callbacks;
    stall.turn = turn;
  }
  std::atomic<int> turn{0};
  std::atomic<int> in_callbacks{0};
};

TEST_F(LogHook, CountsTheTimeOfACallbackOnce) {
  Stall stall;
  Client client([&](hc_session_options& o) {
    o.log_level = HC_LOG_WARNING;
    o.on_log = Stall::on_log;
    o.on_log_data = &stall;
  });
  client.fetch(server_.url(0, "/echo"), [&](hc_request& request) {
    request.method = HC_STR("POST");
    request.body = HC_STR("lent");
    request.body_kind = HC_BODY_BORROWED;
    request.on_release = [](void*) {
      std::this_thread::sleep_for(milliseconds(300));  // what the warning is about
    };
  });
  ASSERT_TRUE(eventually([&] { return stall.turn > 0; }));
  EXPECT_GE(stall.in_callbacks, 290);
  EXPECT_LE(stall.in_callbacks, stall.turn);
}

TEST_F(LogHook, SaysNothingBelowItsLevel) {
  LogLines log;
  Client client([&](hc_session_options& o) { log.attach(o, HC_LOG_ERROR); });
  client.fetch(server_.url(0, "/reset"));
  client.close();
  EXPECT_EQ(log.size(), 0u);
}

}  // namespace
}  // namespace hc::test
