#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "base/sanitizer.h"

namespace hc {

/// Things that one thread is done with and another is about to make again. Submitters make what a loop ends, and a loop
/// makes what they free: malloc would carry each block back and forth between the memory of two threads.
///
/// Rules: any thread, and nobody waits: whoever finds another thread in here does without. So does a child that was
/// forked meanwhile. The last one in is the first one out, because it is warm.
template <typename T>
class Spares {
 public:
  explicit Spares(size_t most) { spare_.reserve(most); }

  /// False: there is none.
  bool take(T* out) noexcept {
    if (count_.load(std::memory_order_relaxed) == 0) return false;
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || spare_.empty()) return false;
    *out = std::move(spare_.back());
    spare_.pop_back();
    count_.store(spare_.size(), std::memory_order_relaxed);
    return true;
  }

  /// False: there are enough, and it stays where it is.
  bool keep(T& thing) noexcept {
    if (kAddressSanitizer) return false;
    if (count_.load(std::memory_order_relaxed) == spare_.capacity()) return false;
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || spare_.size() == spare_.capacity()) return false;
    spare_.push_back(std::move(thing));
    count_.store(spare_.size(), std::memory_order_relaxed);
    return true;
  }

 private:
  std::mutex mutex_;
  std::vector<T> spare_;          // its capacity never changes
  std::atomic<size_t> count_{0};  // of it, so that a flood in one direction takes no lock
};

/// A class whose objects get the memory of those that ended.
template <typename T>
class Recycled {
 public:
  static void* operator new(size_t size) {
    void* block = nullptr;
    return spares_.take(&block) ? block : ::operator new(size);
  }
  static void operator delete(void* block) noexcept {
    if (!spares_.keep(block)) ::operator delete(block);
  }

 private:
  static constexpr size_t kMost = 256;
  // Never ended: objects may be while the process is. Made when the library is loaded: what is made at its first use a
  // child waits for without end, when it was forked meanwhile.
  static inline Spares<void*>& spares_ = *new Spares<void*>(kMost);
};

}  // namespace hc
