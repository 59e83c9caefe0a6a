#pragma once

#include <hc/hc.h>

#include <array>
#include <cstdint>

#include "base/clock.h"

namespace hc {

/// The eight clocks of one request: which run, and when the first of them ends.
class Clocks {
 public:
  enum Name : uint8_t {
    kTotal,
    kPool,
    kDns,
    kConnect,
    kSockConnect,
    kSockRead,
    kSockWrite,
    kFirstByte,
    kCount,
  };

  explicit Clocks(const hc_timeouts& timeouts);

  bool is_on(Name name) const { return lengths_[name] != 0; }
  Duration length(Name name) const { return lengths_[name]; }
  /// Starts or restarts. Does nothing for a clock that is off.
  void start(Name name, TimePoint now) {
    if (lengths_[name] != 0) ends_[name] = later(now, lengths_[name]);
  }
  /// The same with `used` of its time already gone.
  void resume(Name name, TimePoint now, Duration used) {
    if (lengths_[name] != 0)
      ends_[name] = later(now, lengths_[name] - (used < lengths_[name] ? used : lengths_[name]));
  }
  void stop(Name name) { ends_[name] = kNever; }
  bool is_running(Name name) const { return ends_[name] != kNever; }
  TimePoint end(Name name) const { return ends_[name]; }

  /// The clock that ends first; its end() is kNever when none runs.
  Name earliest() const;

  static hc_status status_of(Name name);
  static const char* name_of(Name name);

 private:
  std::array<Duration, kCount> lengths_;  // 0: off
  std::array<TimePoint, kCount> ends_;    // kNever: not running
};

}  // namespace hc
