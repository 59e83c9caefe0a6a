#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/ip_address.h"

namespace hc {

/// What one lookup of a name came to.
struct LookupResult {
  Status status;                     // HC_OK with at least one address, or HC_E_DNS / HC_E_CALLBACK / ...
  std::vector<IpAddress> addresses;  // in order of preference
  Duration ttl = kNever;             // of the record; kNever: the source knows none (hosts file, getaddrinfo)
  bool is_no_such_name = false;      // NXDOMAIN: the only failure that may be remembered
};

/// The second of three seams: turns a name into addresses, without a cache.
class Resolver {
 public:
  using Done = std::function<void(LookupResult)>;

  virtual ~Resolver() = default;
  /// Looks `host` up (lower case, no trailing dot, not a literal). `done` is called exactly once on the loop
  /// thread, at the earliest after this returns; or never, if the resolver is destroyed first.
  virtual void lookup(const std::string& host, Family family, Done done) = 0;
};

}  // namespace hc
