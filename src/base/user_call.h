#pragma once

#include <utility>

#include "base/clock.h"
#include "base/fork.h"

namespace hc {

/// Stands around a callback of the user's in the middle of the loop's work.
///
/// A child that it forked ends here: each step on would be one on its parent's connections. What it took is kept for
/// whoever looks where a turn's time went.
class UserCall {
 public:
  UserCall() : start_(SystemClock().now()) {}
  ~UserCall() {
    if (process_.is_inherited()) end_child();
    spent_ += SystemClock().now() - start_;
  }
  UserCall(const UserCall&) = delete;
  UserCall& operator=(const UserCall&) = delete;

  /// What they took on this thread since it was asked last.
  static Duration take_spent() { return std::exchange(spent_, 0); }

 private:
  static inline thread_local Duration spent_ = 0;

  const ForkGuard process_;
  const TimePoint start_;
};

/// Makes one, and returns what it returns.
template <typename Callback>
auto call_in_turn(Callback&& callback) {
  const UserCall call;
  return callback();
}

}  // namespace hc
