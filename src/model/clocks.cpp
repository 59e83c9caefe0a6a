#include "model/clocks.h"

namespace hc {
namespace {

Duration length_of(uint64_t ms) { return ms == HC_FOREVER ? 0 : from_ms(ms); }

}  // namespace

Clocks::Clocks(const hc_timeouts& timeouts)
    : lengths_{length_of(timeouts.total_ms),        length_of(timeouts.pool_ms),
               length_of(timeouts.dns_ms),          length_of(timeouts.connect_ms),
               length_of(timeouts.sock_connect_ms), length_of(timeouts.sock_read_ms),
               length_of(timeouts.sock_write_ms),   length_of(timeouts.first_byte_ms)} {
  ends_.fill(kNever);
}

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
