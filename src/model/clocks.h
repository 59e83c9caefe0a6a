#pragma once

#include <hc/hc.h>

#include <array>
#include <cstdint>

#include "base/clock.h"

namespace hc {

/// The eight clocks of one request: which run, and when the first of them ends. Their lengths stay where they are,
/// because 100,000 requests may wait.
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

  /// `timeouts` must live as long.
  explicit Clocks(const hc_timeouts& timeouts);
  explicit Clocks(hc_timeouts&&) = delete;

  bool is_on(Name name) const { return length(name) != 0; }
  /// 0: off.
  Duration length(Name name) const {
    uint64_t ms = (*timeouts_).*kLengths[name];
    return ms == HC_FOREVER ? 0 : from_ms(ms);
  }
  /// Starts or restarts. Does nothing for a clock that is off.
  void start(Name name, TimePoint now) {
    if (Duration whole = length(name); whole != 0) ends_[name] = later(now, whole);
  }
  /// The same with `used` of its time already gone.
  void resume(Name name, TimePoint now, Duration used) {
    if (Duration whole = length(name); whole != 0)
      ends_[name] = later(now, whole - (used < whole ? used : whole));
  }
  void stop(Name name) { ends_[name] = kNever; }
  bool is_running(Name name) const { return ends_[name] != kNever; }
  TimePoint end(Name name) const { return ends_[name]; }

  /// The clock that ends first; its end() is kNever when none runs.
  Name earliest() const;

  static hc_status status_of(Name name);
  static const char* name_of(Name name);

 private:
  static constexpr uint64_t hc_timeouts::*kLengths[kCount] = {
      &hc_timeouts::total_ms,      &hc_timeouts::pool_ms,         &hc_timeouts::dns_ms,
      &hc_timeouts::connect_ms,    &hc_timeouts::sock_connect_ms, &hc_timeouts::sock_read_ms,
      &hc_timeouts::sock_write_ms, &hc_timeouts::first_byte_ms};

  const hc_timeouts* timeouts_;
  std::array<TimePoint, kCount> ends_;  // kNever: not running
};

}  // namespace hc
