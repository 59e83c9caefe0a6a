#include "support/eventually.h"

#include <thread>

namespace hc::test {

bool eventually(const std::function<bool()>& condition, milliseconds timeout) {
  Stopwatch watch;
  while (!condition()) {
    if (watch.elapsed() >= timeout) return condition();
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

}  // namespace hc::test
