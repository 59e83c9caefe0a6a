#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace hc {

/// Nanoseconds of the monotonic clock. Plain numbers: they cross the C interface and add up without casts.
using TimePoint = int64_t;
using Duration = int64_t;

inline constexpr Duration kMicrosecond = 1'000;
inline constexpr Duration kMillisecond = 1'000'000;
inline constexpr Duration kSecond = 1'000'000'000;
inline constexpr TimePoint kNever = std::numeric_limits<TimePoint>::max();

/// `ms` as a duration; what does not fit is kNever.
constexpr Duration from_ms(uint64_t ms) {
  return ms >= static_cast<uint64_t>(kNever / kMillisecond) ? kNever
                                                            : static_cast<Duration>(ms) * kMillisecond;
}

/// `start + length`, stopping at kNever.
constexpr TimePoint later(TimePoint start, Duration length) {
  return length >= kNever - start ? kNever : start + length;
}

/// "1.500 s"
std::string seconds_text(Duration duration);

/// The first of three seams: tests inject their own time.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() = 0;
};

/// CLOCK_MONOTONIC.
class SystemClock final : public Clock {
 public:
  TimePoint now() override;
};

}  // namespace hc
