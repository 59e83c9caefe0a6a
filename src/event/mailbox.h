#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "event/waker.h"

namespace hc {

/// Mail from any thread to one loop.
///
/// Rules: the waker's descriptor is written only when the loop announced that it is going to sleep
/// (prepare_sleep), so a busy loop gets its mail without a system call. A loop that dozes will look soon, and is woken
/// for what is urgent. Nothing is executed under the lock but the callable given to push().
template <typename Mail>
class Mailbox {
 public:
  enum class Sleep : uint8_t { kAwake, kDozing, kAsleep };
  enum class Urgency : uint8_t { kUrgent, kCanWait };

  explicit Mailbox(Waker& waker) : waker_(waker) {}

  /// Adds what `make()` returns; `make` runs under the lock, so numbers it gives out are in the order of the mail.
  /// False when the box is closed: `make` was not called.
  template <typename Make>
  bool push(Make&& make, Urgency urgency = Urgency::kUrgent) {
    {
      std::lock_guard lock(mutex_);
      if (is_closed_) return false;
      mail_.emplace_back();  // without memory nothing was made
      mail_.back() = make();
      has_mail_.store(true, std::memory_order_relaxed);
      has_urgent_ = has_urgent_ || urgency == Urgency::kUrgent;
      if (sleep_ == Sleep::kAwake || (sleep_ == Sleep::kDozing && !has_urgent_)) return true;
      sleep_ = Sleep::kAwake;
      wakers_.fetch_add(1, std::memory_order_relaxed);
    }
    waker_.wake();
    wakers_.fetch_sub(1, std::memory_order_release);  // from here on the box may be gone
    return true;
  }

  /// Loop thread. Moves everything into `out`, which must be empty.
  void drain(std::vector<Mail>& out) {
    std::lock_guard lock(mutex_);
    sleep_ = Sleep::kAwake;
    has_urgent_ = false;
    has_mail_.store(false, std::memory_order_relaxed);
    mail_.swap(out);
  }

  /// Without the lock: a loop that looks again and again is in nobody's way.
  bool has_mail() const { return has_mail_.load(std::memory_order_relaxed); }

  /// Loop thread. True when the box is empty, and the next push() will wake the loop. If it dozes: when nothing in the
  /// box is urgent, and the next that is will wake it.
  bool prepare_sleep(Sleep how = Sleep::kAsleep) {
    std::lock_guard lock(mutex_);
    bool may_sleep = how == Sleep::kDozing ? !has_urgent_ : mail_.empty();
    if (may_sleep) sleep_ = how;
    return may_sleep;
  }

  /// No mail is accepted from now on; what is inside can still be drained. When it returns, no push() touches the
  /// waker or the box any more, not even one whose mail was read long ago and who is slow to wake the loop for it.
  void close() {
    {
      std::lock_guard lock(mutex_);
      is_closed_ = true;
    }
    while (wakers_.load(std::memory_order_acquire) > 0) std::this_thread::yield();
  }

 private:
  Waker& waker_;
  std::mutex mutex_;
  std::vector<Mail> mail_;
  std::atomic<bool> has_mail_{false};
  Sleep sleep_ = Sleep::kAwake;
  bool has_urgent_ = false;  // in mail_
  bool is_closed_ = false;
  std::atomic<size_t> wakers_{0};  // who have left the lock and are about to wake the loop
};

}  // namespace hc
