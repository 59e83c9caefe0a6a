#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "event/timer_queue.h"

namespace hc {

/// Objects that cost something to make and something to keep, between two uses.
///
/// Rules: the last one in is the first one out, because it is warm. What nobody took for a whole period was for a
/// burst that is over, and is released; a few always stay. No timer runs while no more than these are here.
template <typename T>
class WarmPool final : private Timer {
 public:
  static constexpr size_t kKept = 16;
  static constexpr Duration kPeriod = 1 * kSecond;
  static constexpr size_t kReleasedAtOnce = 1000;  // so that the loop is not away for long

  explicit WarmPool(TimerQueue& timers) : timers_(timers) {}

  size_t size() const { return free_.size(); }

  /// Nothing when there is none.
  std::unique_ptr<T> take() {
    if (free_.empty()) return nullptr;
    std::unique_ptr<T> object = std::move(free_.back());
    free_.pop_back();
    least_ = std::min(least_, free_.size());
    return object;
  }

  void put(std::unique_ptr<T> object, TimePoint now) {
    free_.push_back(std::move(object));
    if (free_.size() <= kKept || is_armed()) return;
    least_ = 0;
    timers_.arm(*this, later(now, kPeriod));
  }

  void clear() {
    timers_.disarm(*this);
    free_.clear();
  }

 private:
  void on_timer(TimePoint now) override {
    size_t surplus = std::min({least_, free_.size() - std::min(free_.size(), kKept), kReleasedAtOnce});
    free_.resize(free_.size() - surplus);
    least_ = free_.size();
    if (free_.size() > kKept) timers_.arm(*this, later(now, kPeriod));
  }

  TimerQueue& timers_;
  std::vector<std::unique_ptr<T>> free_;
  size_t least_ = 0;  // of free_, in this period
};

}  // namespace hc
