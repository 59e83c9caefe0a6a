// A session over the C interface, with a queue of its own: what most tests of libhc.so need.
//
//   Client client([](hc_session_options& o) { o.limit = 2; });
//   Outcome outcome = client.fetch(server.url(0, "/bytes/10"));
//   EXPECT_TRUE(is(outcome, HC_OK));
#pragma once

#include <hc/hc.h>

#include <gtest/gtest.h>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/eventually.h"

namespace hc::test {

inline hc_str str(std::string_view text) { return {text.data(), text.size()}; }
inline std::string text(hc_str view) { return std::string(view.data == nullptr ? "" : view.data, view.len); }
/// "127.0.0.N"
std::string loopback(int last_byte);

/// What a request came to.
struct Outcome {
  hc_id id = 0;
  hc_status status = HC_E_INTERNAL;
  int32_t http_status = 0;
  int32_t kind = HC_DONE;
  void* user_data = nullptr;
  std::string body;
  std::shared_ptr<hc_response> response;

  hc_response_info info() const;
  hc_error error() const;
  std::string message() const { return error().message; }
  std::optional<std::string> header(std::string_view name, size_t nth = 0) const;
  uint64_t connection() const { return info().connection; }
  bool was_reused() const { return info().reused == HC_ON; }

  /// Takes the response of a completion.
  static Outcome of(const hc_completion& completion);
};

/// Says what came instead.
testing::AssertionResult is(const Outcome& outcome, hc_status expected);
testing::AssertionResult is(const Outcome& outcome, hc_status expected, int32_t phase);

using SessionSetup = std::function<void(hc_session_options&)>;
using Tune = std::function<void(hc_request&)>;

/// Applied to the options of each Client before its own setup: what a whole test program wants.
SessionSetup& every_client();

/// A queue, and what was taken from it and nobody has asked for yet.
class Queue {
 public:
  Queue();
  ~Queue() { close(); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  hc_queue* get() const { return queue_; }
  /// The outcome of that request. Throws when it does not come.
  Outcome wait(hc_id id, milliseconds timeout = kMustHappen);
  /// So many outcomes, in order of arrival. Throws when fewer come.
  std::vector<Outcome> collect(size_t count, milliseconds timeout = kMustHappen);
  /// What is there already.
  std::vector<Outcome> take_ready();
  void close();

 private:
  void drain();
  /// Waits for one more arrival.
  void wait_for_more(std::chrono::steady_clock::time_point deadline, std::string_view what);

  hc_queue* queue_ = nullptr;
  std::vector<Outcome> arrived_;
};

/// A session and a queue. The destructor closes both and checks what must hold after any sequence of calls:
/// exactly one completion a request, and no socket left.
class Client {
 public:
  /// Throws std::runtime_error with the message when the options are refused.
  explicit Client(const SessionSetup& setup = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  hc_session* get() const { return session_; }
  Queue& queue() { return queue_; }

  /// Throws when the request is refused.
  hc_id submit(std::string_view url, const Tune& tune = {});
  hc_status try_submit(std::string_view url, const Tune& tune = {}, hc_error* error = nullptr);
  Outcome wait(hc_id id, milliseconds timeout = kMustHappen) { return queue_.wait(id, timeout); }
  std::vector<Outcome> collect(size_t count, milliseconds timeout = kMustHappen) {
    return queue_.collect(count, timeout);
  }
  Outcome fetch(std::string_view url, const Tune& tune = {}) { return wait(submit(url, tune)); }
  void cancel(hc_id id) { EXPECT_EQ(hc_session_cancel(session_, id), HC_OK); }
  void close(uint64_t drain_ms = 0);

  hc_stats stats() const;
  bool stats_become(const std::function<bool(const hc_stats&)>& condition,
                    milliseconds timeout = kMustHappen) const {
    return eventually([&] { return condition(stats()); }, timeout);
  }

 private:
  hc_session* session_ = nullptr;
  Queue queue_;
};

/// Reads a streamed body to its end, waiting as need be; `end` receives the status of the last read.
std::string read_all(hc_response* response, hc_status* end = nullptr);
/// What is there without waiting; `end` receives the status of the last read.
std::string read_ready(hc_response* response, hc_status* end = nullptr);
inline void streamed(hc_request& request) { request.stream = HC_ON; }

/// Sums that hold at every moment.
void expect_sums(const hc_stats& stats);

/// Sets method and body of a request; the text is copied by the submit.
Tune with_body(std::string_view method, std::string_view body);
Tune with_method(std::string_view method);

/// Keeps what a session says on its log hook.
class LogLines {
 public:
  void attach(hc_session_options& options, int32_t level = HC_LOG_WARNING);
  size_t count(std::string_view part) const;
  size_t size() const;

 private:
  static void on_log(int32_t level, hc_str line, void* self);

  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace hc::test
