#pragma once

#include <atomic>
#include <cstdint>

namespace hc {

/// How many forks lie between the process that first asked and this one. A handle that remembers another number was
/// made by a parent process: its thread does not exist here and its locks may be held by nobody.
uint32_t fork_generation() noexcept;

/// For what must start anew in a child. Called in the child, where only async-signal-safe code is safe.
void at_fork_in_child(void (*callback)());

/// Ends this process as the end of its last thread does.
[[noreturn]] void end_child() noexcept;

/// Remembers the process that made it.
class ForkGuard {
 public:
  ForkGuard() : generation_(fork_generation()) {}
  bool is_inherited() const { return generation_ != fork_generation(); }

 private:
  uint32_t generation_;
};

}  // namespace hc
