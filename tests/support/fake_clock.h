#pragma once

#include "base/clock.h"

namespace hc {

/// Time that moves when a test says so.
class FakeClock final : public Clock {
 public:
  TimePoint now() override { return now_; }
  void advance(Duration length) { now_ += length; }
  void set(TimePoint time) { now_ = time; }

 private:
  TimePoint now_ = 1000 * kSecond;
};

}  // namespace hc
