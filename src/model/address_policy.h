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
/// names anything allows nothing else. What leads to other addresses (IPv4 inside IPv6: mapped, NAT64, 6to4, Teredo; the
/// unspecified address, which the kernel takes for loopback) is denied if one of them is, and allowed if it is itself or
/// all of them are.
struct AddressPolicy {
  std::vector<AddressRange> allow;
  std::vector<AddressRange> deny;
  bool public_only = false;

  bool is_open() const { return allow.empty() && deny.empty() && !public_only; }
  /// HC_OK, or HC_E_ADDRESS_DENIED with the reason.
  Status check(const IpAddress& address) const;
  /// The same for a unix socket, which no list can name.
  Status check_unix(std::string_view path) const;

 private:
  bool denies(const IpAddress& address) const;
  bool allows(const IpAddress& address) const;
};

/// The addresses that one stands for; usually none.
std::vector<IpAddress> leads_to(const IpAddress& address);
/// False for every block of the IANA registries of special-purpose addresses (RFC 6890), multicast, and whatever is
/// not yet given to anybody.
bool is_public(const IpAddress& address);

}  // namespace hc
