#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/ip_address.h"

namespace hc {

/// A block of addresses: "10.0.0.0/8", "fc00::/7"; an address alone is a block of one.
struct AddressRange {
  IpAddress address;  // the bits beyond `bits` are 0
  unsigned bits = 0;

  static std::optional<AddressRange> parse(std::string_view text);
  bool contains(const IpAddress& other) const;
  bool operator==(const AddressRange&) const = default;
};

/// Reads blocks separated by commas; spaces do not matter. The message of a failure names the block.
Status parse_ranges(std::string_view text, std::vector<AddressRange>* out);
bool contains(const std::vector<AddressRange>& ranges, const IpAddress& address);

}  // namespace hc
