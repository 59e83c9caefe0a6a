#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "base/intrusive_list.h"

namespace hc {

/// How many sockets all sessions of the process may hold together, so that a library inside somebody's program
/// never takes its last descriptor: 80 % of the soft RLIMIT_NOFILE.
///
/// Any thread. A session that was refused leaves a Listener and is told once when there may be room again; the
/// Holders, which are all sessions, are asked to give something up for it: what they do not use, and what they hold
/// beyond their share.
class DescriptorBudget {
 public:
  class Listener : public ListLink<DescriptorBudget> {
   public:
    virtual ~Listener() = default;
    /// Called from any thread, under the budget's lock: only wake somebody.
    virtual void on_room() = 0;
  };

  class Holder : public ListLink<Holder> {
   public:
    virtual ~Holder() = default;
    /// Called from any thread, under the budget's lock: only wake somebody.
    virtual void on_wanted() = 0;
  };

  explicit DescriptorBudget(uint64_t capacity) : capacity_(capacity) {}

  /// The one of this process.
  static DescriptorBudget& process();

  bool try_take();
  void give_back();
  void listen(Listener& listener);
  void stop_listening(Listener& listener);
  /// The system had no descriptor although the budget had room: asks all holders to give up an idle socket.
  void ask_holders();
  void add_holder(Holder& holder);
  void remove_holder(Holder& holder);

  /// The soft RLIMIT_NOFILE.
  static uint64_t descriptor_limit();
  uint64_t capacity() const { return capacity_.load(std::memory_order_relaxed); }
  /// What each holder may keep although others want it.
  uint64_t share() const {
    return capacity() / std::max<uint64_t>(holder_count_.load(std::memory_order_relaxed), 1);
  }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  /// For a forked child, which starts with nothing taken and nobody listening.
  void reset_after_fork();

 private:
  void ask_holders_locked();

  std::atomic<uint64_t> capacity_;
  std::atomic<uint64_t> used_{0};
  std::atomic<bool> has_listeners_{false};
  std::mutex mutex_;
  IntrusiveList<Listener, DescriptorBudget> listeners_;
  IntrusiveList<Holder, Holder> holders_;
  std::atomic<uint64_t> holder_count_{0};
};

}  // namespace hc
