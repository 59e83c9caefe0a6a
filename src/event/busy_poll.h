#pragma once

#include <algorithm>
#include <cstdint>

namespace hc {

/// Whether a loop looks for work for a moment before it sleeps.
///
/// To fall asleep and be woken costs tens of microseconds, here and at whoever wakes it; what comes within that time is
/// had sooner by a loop that has not slept, and for no more CPU. What does not come was looked for in vain. So each look
/// in vain doubles the number of sleeps without one, and each find halves it. One object for each kind of sleep.
class BusyPoll {
 public:
  /// Before each sleep.
  bool is_worth_a_look() {
    if (until_next_ == 0) return true;
    --until_next_;
    return false;
  }

  /// After each look.
  void learn(bool has_found) {
    pause_ = has_found ? pause_ / 2 : std::min(2 * pause_ + 1, kLongestPause);
    until_next_ = pause_;
  }

 private:
  static constexpr uint32_t kLongestPause = 255;

  uint32_t pause_ = 0;
  uint32_t until_next_ = 0;
};

}  // namespace hc
