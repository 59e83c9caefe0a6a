#include "model/address_policy.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "model/text.h"

namespace hc {
namespace {

std::vector<AddressRange> ranges_of(std::string_view text) {
  std::vector<AddressRange> ranges;
  Status status = parse_ranges(text, &ranges);
  (void)status;  // the texts are below, and tested
  return ranges;
}

const std::vector<AddressRange>& special_v4() {
  static const std::vector<AddressRange> ranges = ranges_of(
      "0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,192.0.2.0/24,"
      "192.31.196.0/24,192.52.193.0/24,192.88.99.0/24,192.168.0.0/16,192.175.48.0/24,198.18.0.0/15,198.51.100.0/24,"
      "203.0.113.0/24,224.0.0.0/4,240.0.0.0/4");
  return ranges;
}

// Within 2000::/3, the only part that is given out.
const std::vector<AddressRange>& special_v6() {
  static const std::vector<AddressRange> ranges =
      ranges_of("2001::/23,2001:db8::/32,2002::/16,2620:4f:8000::/48,3fff::/20");
  return ranges;
}

bool starts_with(const IpAddress& address, std::string_view prefix) {
  return AddressRange::parse(prefix)->contains(address);
}

IpAddress v4_at(const IpAddress& address, size_t place, uint8_t flip = 0) {
  IpAddress v4;
  for (size_t i = 0; i < 4; ++i) v4.bytes[i] = address.bytes[place + i] ^ flip;
  return v4;
}

Status denied(const IpAddress& address, const std::string& why) {
  return {HC_E_ADDRESS_DENIED, address.to_string() + " is not allowed: " + why};
}

}  // namespace

std::vector<IpAddress> leads_to(const IpAddress& address) {
  static const IpAddress nothing;
  if (address == nothing) return {IpAddress::loopback(Family::kV4)};  // what the kernel connects to
  if (address.family != Family::kV6) return {};
  if (starts_with(address, "::/128")) return {IpAddress::loopback(Family::kV6)};
  if (starts_with(address, "::ffff:0.0.0.0/96")) return {v4_at(address, 12)};    // mapped
  if (starts_with(address, "::ffff:0:0.0.0.0/96")) return {v4_at(address, 12)};  // translated, RFC 2765
  if (starts_with(address, "64:ff9b::/96")) return {v4_at(address, 12)};         // NAT64
  if (starts_with(address, "2002::/16")) return {v4_at(address, 2)};             // 6to4
  // Teredo: the server, and the client with all bits inverted (RFC 4380 4).
  if (starts_with(address, "2001::/32")) return {v4_at(address, 4), v4_at(address, 12, 0xFF)};
  // Compatible, of old. ::1 is not of them.
  bool is_compatible = starts_with(address, "::/96") && !starts_with(address, "::1/128");
  return is_compatible ? std::vector<IpAddress>{v4_at(address, 12)} : std::vector<IpAddress>();
}

bool is_public(const IpAddress& address) {
  if (address.family == Family::kV4) return !contains(special_v4(), address);
  std::vector<IpAddress> inner = leads_to(address);
  if (!inner.empty() && !starts_with(address, "::/96")) {
    return std::all_of(inner.begin(), inner.end(), is_public);
  }
  return starts_with(address, "2000::/3") && !contains(special_v6(), address);
}

// One place that it leads to is enough.
bool AddressPolicy::denies(const IpAddress& address) const {
  if (contains(deny, address)) return true;
  std::vector<IpAddress> places = leads_to(address);
  return std::any_of(places.begin(), places.end(), [this](const IpAddress& place) { return denies(place); });
}

// The address itself, or all that it leads to.
bool AddressPolicy::allows(const IpAddress& address) const {
  if (contains(allow, address)) return true;
  std::vector<IpAddress> places = leads_to(address);
  return !places.empty() &&
         std::all_of(places.begin(), places.end(), [this](const IpAddress& place) { return allows(place); });
}

Status AddressPolicy::check(const IpAddress& address) const {
  if (is_open()) return Status::ok();
  if (denies(address)) return denied(address, "it is in deny_addresses");
  if (allows(address)) return Status::ok();
  if (public_only)
    return is_public(address) ? Status::ok() : denied(address, "it is not public (public_only)");
  return allow.empty() ? Status::ok() : denied(address, "it is not in allow_addresses");
}

Status AddressPolicy::check_unix(std::string_view path) const {
  if (!public_only && allow.empty()) return Status::ok();
  return {HC_E_ADDRESS_DENIED,
          "unix socket " + escaped(path) + " is not allowed: no address policy covers it"};
}

}  // namespace hc
