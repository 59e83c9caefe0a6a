#include "base/clock.h"

#include <cstdio>
#include <ctime>

namespace hc {

std::string seconds_text(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", static_cast<double>(duration) / kSecond);
  return text;
}

TimePoint SystemClock::now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<TimePoint>(time.tv_sec) * kSecond + time.tv_nsec;
}

}  // namespace hc
