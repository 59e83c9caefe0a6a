#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.h"

namespace hc {

class TimerQueue;

/// Something that wants to be called at a time. Disarms itself when destroyed.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer();

  bool is_armed() const { return queue_ != nullptr; }
  TimePoint due() const { return due_; }

  /// Called once, disarmed, at or after due(). May arm itself again, and arm or disarm others.
  virtual void on_timer(TimePoint now) = 0;

 private:
  friend class TimerQueue;

  TimerQueue* queue_ = nullptr;
  TimePoint due_ = kNever;
  size_t place_ = 0;
};

/// A 4-ary heap of timers. Arming in ascending order, the common case, costs no movement.
///
/// Rules: a timer never fires before its time; timers that a firing timer arms wait for the next expire(), so
/// that nobody can starve the loop.
class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  ~TimerQueue();

  /// Arms or re-arms. kNever disarms.
  void arm(Timer& timer, TimePoint due);
  void disarm(Timer& timer);

  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  /// The next time somebody is due, kNever if nobody.
  TimePoint next_due() const { return heap_.empty() ? kNever : heap_.front().due; }

  /// Fires what is due at `now`.
  void expire(TimePoint now);

 private:
  friend class Timer;
  static constexpr size_t kArity = 4;

  // The time stands beside the pointer so that comparing does not touch the timers themselves.
  struct Entry {
    TimePoint due;
    Timer* timer;
  };

  void put(size_t place, Entry entry);
  void rise(size_t place, Entry entry);
  void sink(size_t place, Entry entry);
  void remove_at(size_t place);

  std::vector<Entry> heap_;
  std::vector<Timer*> ready_;
};

}  // namespace hc
