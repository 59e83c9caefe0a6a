#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "event/waker.h"

namespace hc {

/// Mail from any thread to one loop.
///
/// Rules: the waker's descriptor is written only when the loop announced that it is going to sleep
/// (prepare_sleep), so a busy loop gets its mail without a system call. Nothing is executed under the lock but
/// the callable given to push().
template <typename Mail>
class Mailbox {
 public:
  explicit Mailbox(Waker& waker) : waker_(waker) {}

  /// Adds what `make()` returns; `make` runs under the lock, so numbers it gives out are in the order of the mail.
  /// False when the box is closed: `make` was not called.
  template <typename Make>
  bool push(Make&& make) {
    bool must_wake = false;
    {
      std::lock_guard lock(mutex_);
      if (is_closed_) return false;
      mail_.push_back(make());
      must_wake = std::exchange(is_loop_asleep_, false);
    }
    if (must_wake) waker_.wake();
    return true;
  }

  /// Loop thread. Moves everything into `out`, which must be empty.
  void drain(std::vector<Mail>& out) {
    std::lock_guard lock(mutex_);
    is_loop_asleep_ = false;
    mail_.swap(out);
  }

  /// Loop thread. True when the box is empty, and the next push() will wake the loop.
  bool prepare_sleep() {
    std::lock_guard lock(mutex_);
    is_loop_asleep_ = mail_.empty();
    return is_loop_asleep_;
  }

  /// No mail is accepted from now on; what is inside can still be drained.
  void close() {
    std::lock_guard lock(mutex_);
    is_closed_ = true;
  }

 private:
  Waker& waker_;
  std::mutex mutex_;
  std::vector<Mail> mail_;
  bool is_loop_asleep_ = false;
  bool is_closed_ = false;
};

}  // namespace hc
