#include "model/descriptor_budget.h"

#include <sys/resource.h>

#include <algorithm>
#include <new>

#include "base/check.h"
#include "base/fork.h"

namespace hc {
namespace {

uint64_t read_capacity() { return std::max<uint64_t>(DescriptorBudget::descriptor_limit() * 4 / 5, 1); }

}  // namespace

uint64_t DescriptorBudget::descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1U << 20;
  return limit.rlim_cur;
}

DescriptorBudget& DescriptorBudget::process() {
  // Never destroyed: a session may outlive the static objects of the program.
  static DescriptorBudget* const budget = [] {
    at_fork_in_child([] { process().reset_after_fork(); });
    return new DescriptorBudget(read_capacity());
  }();
  return *budget;
}

bool DescriptorBudget::try_take() {
  uint64_t used = used_.load(std::memory_order_relaxed);
  while (used < capacity()) {
    if (used_.compare_exchange_weak(used, used + 1)) return true;
  }
  // The program may have raised or lowered its limit since; only the process's own budget follows it.
  if (this == &process()) capacity_.store(read_capacity(), std::memory_order_relaxed);
  return false;
}

void DescriptorBudget::give_back() {
  HC_CHECK(used_.fetch_sub(1) > 0);
  if (!has_listeners_.load()) return;
  std::lock_guard lock(mutex_);
  // All of them: the first may have lost interest meanwhile.
  while (Listener* listener = listeners_.pop_front()) listener->on_room();
  has_listeners_.store(false);
}

void DescriptorBudget::listen(Listener& listener) {
  std::lock_guard lock(mutex_);
  if (!listener.is_linked()) listeners_.push_back(listener);
  has_listeners_.store(true);
  // What was given back between the refusal and now told nobody.
  if (used_.load() < capacity()) return listener.on_room();
  ask_holders_locked();
}

void DescriptorBudget::ask_holders() {
  std::lock_guard lock(mutex_);
  ask_holders_locked();
}

void DescriptorBudget::ask_holders_locked() {
  for (Holder* holder = holders_.front(); holder != nullptr; holder = holders_.next(*holder)) {
    holder->on_wanted();
  }
}

void DescriptorBudget::add_holder(Holder& holder) {
  std::lock_guard lock(mutex_);
  holders_.push_back(holder);
  ++holder_count_;
}

void DescriptorBudget::remove_holder(Holder& holder) {
  std::lock_guard lock(mutex_);
  holder.unlink();
  --holder_count_;
}

void DescriptorBudget::stop_listening(Listener& listener) {
  std::lock_guard lock(mutex_);
  listener.unlink();
  has_listeners_.store(!listeners_.empty());
}

void DescriptorBudget::reset_after_fork() {
  used_.store(0);
  has_listeners_.store(false);
  // The lock may be held by a thread that does not exist here, the list half changed: both start anew.
  new (&mutex_) std::mutex;
  new (&listeners_) IntrusiveList<Listener, DescriptorBudget>;
  new (&holders_) IntrusiveList<Holder, Holder>;
  holder_count_.store(0);
}

}  // namespace hc
