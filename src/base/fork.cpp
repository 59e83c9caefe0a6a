#include "base/fork.h"

#include <pthread.h>

#include <array>
#include <cstddef>
#include <cstdlib>

#include "base/check.h"

namespace hc {
namespace {

std::atomic<uint32_t> generation{0};
std::array<std::atomic<void (*)()>, 4> callbacks{};
std::atomic<size_t> callback_count{0};

void in_child() {
  generation.fetch_add(1, std::memory_order_relaxed);
  for (size_t i = 0; i < callback_count.load(); ++i) {
    if (auto* callback = callbacks[i].load()) callback();
  }
}

// The library is never unloaded (-z nodelete), so the handler never dangles.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, in_child);

}  // namespace

void end_child() noexcept { std::exit(EXIT_SUCCESS); }

uint32_t fork_generation() noexcept { return generation.load(std::memory_order_relaxed); }

void at_fork_in_child(void (*callback)()) {
  size_t place = callback_count.fetch_add(1);
  HC_CHECK(place < callbacks.size());
  callbacks[place].store(callback);
}

}  // namespace hc
