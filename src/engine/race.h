#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/status.h"
#include "model/ip_address.h"

namespace hc {

class Attempt;

/// The addresses of one new connection, tried one after another with a head start each (RFC 8305, "happy
/// eyeballs"). Which attempts run is the transfer's business; this only knows whose turn it is.
class Race {
 public:
  explicit Race(std::vector<IpAddress> addresses) : addresses_(std::move(addresses)) {}

  bool has_next() const { return next_ < addresses_.size(); }
  const IpAddress& take_next() {
    HC_CHECK(has_next());
    return addresses_[next_++];
  }
  /// The last one taken was not tried after all.
  void put_back() { --next_; }
  size_t left() const { return addresses_.size() - next_; }

  /// Time spent connecting before the transfer had to go back in line between two addresses.
  Duration used = 0;
  /// When the next address may start although nobody failed, or asks again for room; kNever: only after a failure.
  TimePoint next_start = kNever;

  void note_failure(Status status) {
    if (failures_++ == 0) first_failure_ = std::move(status);
  }
  /// Why the race as a whole failed.
  Status failure() const;

 private:
  std::vector<IpAddress> addresses_;
  size_t next_ = 0;
  size_t failures_ = 0;
  Status first_failure_;
};

}  // namespace hc
