#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "model/resolver.h"

namespace hc {

/// Brings a task to the loop thread, from any thread. It runs there later, never inside the call; or never, when
/// the loop has ended.
using Post = std::function<void(std::function<void()>)>;

/// Where results of lookups come in from other threads, for a resolver that may be gone by then.
///
/// Rules: whoever answers holds the inbox by shared_ptr and a number; the `done` itself stays on the loop thread,
/// so that what it holds is neither called nor destroyed anywhere else. After close() answers are dropped.
class LookupInbox : public std::enable_shared_from_this<LookupInbox> {
 public:
  explicit LookupInbox(Post post) : post_(std::move(post)) {}

  /// Loop thread. The number under which `done` can be answered.
  uint64_t add(Resolver::Done done);
  /// Loop thread. Gives `done` back unanswered.
  Resolver::Done take(uint64_t number);
  /// Any thread. A number that is not open any more is ignored.
  void answer(uint64_t number, LookupResult result);
  /// Loop thread, or when the loop is gone. Nothing is posted or called from now on.
  void close();

 private:
  void deliver(uint64_t number, LookupResult result);

  std::mutex mutex_;
  Post post_;  // guarded by mutex_; empty: closed
  std::unordered_map<uint64_t, Resolver::Done> open_;
  uint64_t last_number_ = 0;
};

}  // namespace hc
