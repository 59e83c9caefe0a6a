// What the stress tests share: counts that shrink under sanitizers, dice with a printed seed, and the books about
// who was completed how often.
#pragma once

#include <hc/hc.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/client.h"
#include "support/sanitizer.h"

namespace hc::test {

/// So many, or fewer where everything takes longer.
constexpr size_t scaled(size_t count, size_t least = 1) {
  size_t slowdown = kThreadSanitizer ? 20 : kAddressSanitizer ? 6 : 1;
  return std::max(count / slowdown, std::min(count, least));
}

/// Raises the soft limit of descriptors to the hard one; returns it.
size_t raise_descriptor_limit();

/// Spins: sleeping would be too coarse for a point of a request's life.
void busy_wait(std::chrono::nanoseconds duration);

class Dice {
 public:
  explicit Dice(uint32_t seed) : engine_(seed) {}
  /// From 0 to `count` - 1.
  uint64_t roll(uint64_t count) { return std::uniform_int_distribution<uint64_t>(0, count - 1)(engine_); }
  bool percent(uint64_t chance) { return roll(100) < chance; }
  template <typename T>
  const T& pick(const std::vector<T>& choices) {
    return choices[roll(choices.size())];
  }

 private:
  std::mt19937 engine_;
};

/// How often each of a number of requests was completed, and with what. Any thread.
class Receipts {
 public:
  explicit Receipts(size_t requests) : counts_(requests) {}

  /// The user_data of a request.
  void* ticket(size_t request) { return &counts_.at(request); }
  /// Counts a completion and releases its response.
  void take(const hc_completion& completion);
  /// hc_completion_fn, for requests without a queue.
  static void on_done(const hc_completion* completion, void* ticket);

  /// Completions so far; those with that status.
  size_t total() const;
  size_t total(hc_status status) const;
  /// Each was completed once. A failure names how many were not.
  void expect_each_once() const { expect_each_once(counts_.size()); }
  /// The same for the first so many; none of the others was.
  void expect_each_once(size_t first) const;

 private:
  struct Count {
    std::atomic<uint32_t> times{0};
    std::atomic<hc_status> status{HC_E_INTERNAL};
  };
  static void note(const hc_completion& completion, void* ticket);

  std::vector<Count> counts_;
};

/// Takes everything that is ready.
size_t drain_ready(hc_queue* queue, const std::function<void(const hc_completion&)>& take);

/// A thread that drains one queue until it is stopped. It sleeps without a time limit: nothing but the queue wakes
/// it, so that a lost wake-up shows.
class Drainer {
 public:
  Drainer(hc_queue* queue, std::function<void(const hc_completion&)> take);
  /// Takes what is left.
  ~Drainer();
  Drainer(const Drainer&) = delete;
  Drainer& operator=(const Drainer&) = delete;

 private:
  void run();

  hc_queue* queue_;
  std::function<void(const hc_completion&)> take_;
  int stop_[2] = {-1, -1};  // a pipe: its end wakes the thread
  std::thread thread_;
};

/// Counts the sockets of the sessions it is attached to by asking the kernel, each time one is made. What a server
/// counts is no measure: it may accept a connection before it has read that others are closed. For one session both
/// peaks are exact, since its loop thread does nothing else meanwhile; for several they are at most what there was,
/// since some may end during the count.
class SocketWitness {
 public:
  void attach(hc_session_options& options);
  /// Made, connecting or connected at one time, and not shut down.
  size_t peak() const { return peak_; }
  /// Whose descriptors were open at one time.
  size_t peak_open() const { return peak_open_; }

 private:
  struct Socket {
    int fd;
    uint64_t cookie;  // numbers of descriptors are used again
  };
  static int32_t on_socket(const hc_socket_info* info, void* self);
  static uint64_t cookie_of(int fd);
  static bool is_open(const Socket& socket) { return cookie_of(socket.fd) == socket.cookie; }
  static bool is_live(const Socket& socket);
  static bool is_unused(int fd);

  std::mutex mutex_;
  std::vector<Socket> sockets_;
  std::atomic<size_t> peak_{0};
  std::atomic<size_t> peak_open_{0};
};

/// A session without the checks of Client, for tests that end it in their own way.
hc_session* make_session(const SessionSetup& setup = {});
hc_stats stats_of(hc_session* session);
/// A request with everything at its default. `url` must outlive it.
hc_request make_request(std::string_view url);
/// Runs `work(i)` on so many threads at once and waits for all.
void on_threads(size_t count, const std::function<void(size_t)>& work);

}  // namespace hc::test
