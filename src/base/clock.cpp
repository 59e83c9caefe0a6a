#include "base/clock.h"

#include <ctime>

namespace hc {

TimePoint SystemClock::now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<TimePoint>(time.tv_sec) * kSecond + time.tv_nsec;
}

}  // namespace hc
