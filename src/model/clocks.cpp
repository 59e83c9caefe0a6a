#include "model/clocks.h"

namespace hc {

Clocks::Clocks(const hc_timeouts& timeouts) : timeouts_(&timeouts) { ends_.fill(kNever); }

Clocks::Name Clocks::earliest() const {
  uint8_t first = 0;
  for (uint8_t name = 1; name < kCount; ++name) {
    if (ends_[name] < ends_[first]) first = name;
  }
  return static_cast<Name>(first);
}

hc_status Clocks::status_of(Name name) {
  static constexpr hc_status kStatuses[kCount] = {
      HC_E_TIMEOUT_TOTAL,        HC_E_TIMEOUT_POOL,      HC_E_TIMEOUT_DNS,        HC_E_TIMEOUT_CONNECT,
      HC_E_TIMEOUT_SOCK_CONNECT, HC_E_TIMEOUT_SOCK_READ, HC_E_TIMEOUT_SOCK_WRITE, HC_E_TIMEOUT_FIRST_BYTE};
  return kStatuses[name];
}

const char* Clocks::name_of(Name name) {
  static constexpr const char* kNames[kCount] = {"total",        "pool",      "dns",        "connect",
                                                 "sock_connect", "sock_read", "sock_write", "first_byte"};
  return kNames[name];
}

}  // namespace hc
