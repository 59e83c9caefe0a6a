// Waiting for what tells nobody when it happens.
#pragma once

#include <chrono>
#include <functional>

namespace hc::test {

using std::chrono::milliseconds;

/// How long a test waits for what must happen: a busy machine may be slow, a lost wake-up is not that slow.
constexpr milliseconds kMustHappen{30'000};

/// True as soon as `condition` holds. It looks once a millisecond, since most of what tests wait for (statistics,
/// descriptors) tells nobody when it changes.
bool eventually(const std::function<bool()>& condition, milliseconds timeout = kMustHappen);

class Stopwatch {
 public:
  milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start_);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace hc::test
