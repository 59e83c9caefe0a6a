#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/address_range.h"
#include "model/ip_address.h"

namespace hc {

/// Which addresses a session may connect to. It is asked about the very address that the socket will go to, so that
/// no second look-up can come between.
///
/// Rules: `deny` goes first; then what is in `allow` may pass; then `public_only` decides; without it, an `allow` that
/// names anything allows nothing else. An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, Teredo) is judged as
/// what it leads to.
struct AddressPolicy {
  std::vector<AddressRange> allow;
  std::vector<AddressRange> deny;
  bool public_only = false;

  bool is_open() const { return allow.empty() && deny.empty() && !public_only; }
  /// HC_OK, or HC_E_ADDRESS_DENIED with the reason.
  Status check(const IpAddress& address) const;
  /// The same for a unix socket, which no list can name.
  Status check_unix(std::string_view path) const;
};

/// The IPv4 addresses that an IPv6 one stands for; usually none.
std::vector<IpAddress> embedded_v4(const IpAddress& address);
/// False for every block of the IANA registries of special-purpose addresses (RFC 6890), multicast, and whatever is
/// not yet given to anybody.
bool is_public(const IpAddress& address);

}  // namespace hc
