#pragma once

#include <cstddef>
#include <vector>

#include "model/ip_address.h"

namespace hc {

/// Takes the families in turns, starting with that of the first address and keeping the order within each, so
/// that a family without a route costs one attempt and not all of its addresses (RFC 8305, section 4).
inline std::vector<IpAddress> interleave_families(const std::vector<IpAddress>& addresses) {
  std::vector<IpAddress> first;
  std::vector<IpAddress> second;
  for (const IpAddress& address : addresses) {
    (address.family == addresses.front().family ? first : second).push_back(address);
  }
  std::vector<IpAddress> mixed;
  mixed.reserve(addresses.size());
  for (size_t i = 0; i < first.size() || i < second.size(); ++i) {
    if (i < first.size()) mixed.push_back(first[i]);
    if (i < second.size()) mixed.push_back(second[i]);
  }
  return mixed;
}

}  // namespace hc
