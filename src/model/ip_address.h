#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hc {

/// Address families; the numbers are those of HC_FAMILY_*.
enum class Family : uint8_t { kAny = 0, kV4 = 4, kV6 = 6 };

/// As many as one place may have: each is an attempt, and a DNS answer over TCP has room for thousands.
inline constexpr size_t kMaxAddresses = 64;

/// A numeric IPv4 or IPv6 address.
struct IpAddress {
  Family family = Family::kV4;      // kV4 or kV6; kAny: no address, as a unix socket has none
  std::array<uint8_t, 16> bytes{};  // network order; IPv4 uses the first four
  uint32_t scope = 0;               // interface index of a link-local IPv6 address

  /// Strict: dotted quad or RFC 4291 text, with an optional %scope for IPv6; no brackets, no "127.1".
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress loopback(Family family);

  std::string to_string() const;
  auto operator<=>(const IpAddress&) const = default;
};

/// Where a socket goes.
struct Endpoint {
  IpAddress address;
  uint16_t port = 0;

  /// "127.0.0.1:80", "[::1]:80".
  std::string to_string() const;
  auto operator<=>(const Endpoint&) const = default;
};

}  // namespace hc
