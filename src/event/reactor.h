#pragma once

#include <atomic>
#include <thread>

#include "base/check.h"
#include "base/clock.h"
#include "event/poller.h"
#include "event/timer_queue.h"

namespace hc {

/// What everybody on one loop shares: the time of this turn, the timers and the descriptors.
///
/// Life cycle: made by the thread that creates the session; bind_to_this_thread() when the loop starts; from then
/// on everything but is_loop_thread() belongs to that thread.
class Reactor {
 public:
  explicit Reactor(Clock& clock) : clock_(clock), now_(clock.now()) {}
  static Status open(Reactor* reactor) { return Poller::create(&reactor->poller_); }

  TimerQueue& timers() { return timers_; }
  Poller& poller() { return poller_; }

  /// The time of this turn; refresh() reads the clock again.
  TimePoint now() const { return now_; }
  TimePoint refresh() { return now_ = clock_.now(); }

  void bind_to_this_thread() { thread_.store(std::this_thread::get_id(), std::memory_order_relaxed); }
  void unbind() { thread_.store({}, std::memory_order_relaxed); }
  bool is_loop_thread() const {
    return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

 private:
  Clock& clock_;
  TimePoint now_;
  TimerQueue timers_;
  Poller poller_;
  std::atomic<std::thread::id> thread_{};
};

}  // namespace hc

/// First line of every function that only the loop thread may call.
#define HC_ASSERT_LOOP(reactor) HC_CHECK((reactor).is_loop_thread())
