// A thread that waits in epoll, runs timers from a heap and executes what other threads post.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "serve/net.h"

struct epoll_event;

namespace hc::serve {

using TimePoint = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

/// Something that owns a watched descriptor. It must outlive the turn in which it stops watching.
class EventTarget {
 public:
  virtual void on_event(std::uint32_t events) = 0;

 protected:
  ~EventTarget() = default;
};

class EventLoop;

/// Lives inside its owner; arming costs no allocation. Destroy it disarmed.
class Timer {
 public:
  explicit Timer(std::function<void()> action) : action_(std::move(action)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void set_action(std::function<void()> action) { action_ = std::move(action); }
  bool armed() const { return heap_index_ != kNotArmed; }

 private:
  friend class EventLoop;
  static constexpr std::size_t kNotArmed = static_cast<std::size_t>(-1);

  std::function<void()> action_;
  TimePoint deadline_{};
  std::size_t heap_index_ = kNotArmed;
};

/// Rules: watch(), timers and now() belong to the loop's thread, or to anyone while it does not run.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void start();
  /// Ends the turn under way and joins. Not from the loop's own thread.
  void stop();
  bool running() const { return thread_.joinable(); }

  /// Runs `task` on the loop's thread and waits for it; at once if that is this thread or the loop does not
  /// run.
  void call(const std::function<void()>& task);
  /// Runs at the end of every turn; set it before start().
  void set_end_of_turn(std::function<void()> action) { end_of_turn_ = std::move(action); }

  void watch(int fd, std::uint32_t events, EventTarget* target);
  void change(int fd, std::uint32_t events, EventTarget* target);
  /// Before the descriptor is closed: a forked child may keep the open file, and epoll would go on reporting it to a
  /// target that is gone. Does nothing with -1.
  void unwatch(int fd);

  /// The time at which this turn began to work.
  TimePoint now() const { return now_; }
  void arm(Timer& timer, TimePoint deadline);
  void disarm(Timer& timer);

 private:
  void run();
  void run_turn();
  int wait(std::span<epoll_event> events);
  void run_tasks();
  void run_timers();
  int wait_timeout() const;
  void wake() const;
  void place(std::size_t index, Timer* timer);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);

  Fd epoll_;
  Fd wake_;
  std::thread thread_;
  std::function<void()> end_of_turn_;
  bool quit_ = false;                   // loop thread
  std::uint64_t done_since_sleep_ = 0;  // events; loop thread
  TimePoint now_;
  std::vector<Timer*>
      heap_;  // binary, the earliest first; indices live in the timers so that any can be removed

  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;  // guarded by mutex_
};

}  // namespace hc::serve
