#include "model/address_range.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "model/text.h"

namespace hc {
namespace {

constexpr unsigned width(Family family) { return family == Family::kV6 ? 128 : 32; }

// The first `bits` of the byte at `index`, as a mask.
constexpr unsigned mask(unsigned bits, size_t index) {
  unsigned first = static_cast<unsigned>(index) * 8;
  if (bits >= first + 8) return 0xFF;
  return bits <= first ? 0 : 0xFF00U >> (bits - first) & 0xFF;
}

}  // namespace

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  size_t slash = text.find('/');
  std::optional<IpAddress> address = IpAddress::parse(text.substr(0, slash));
  if (!address || address->scope != 0) return std::nullopt;
  AddressRange range{*address, width(address->family)};
  if (slash != std::string_view::npos) {
    std::string_view digits = text.substr(slash + 1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), range.bits);
    bool is_number = error == std::errc() && end == digits.data() + digits.size();
    if (!is_number || range.bits > width(address->family)) return std::nullopt;
  }
  for (size_t i = 0; i < range.address.bytes.size(); ++i) {
    auto kept = static_cast<uint8_t>(range.address.bytes[i] & mask(range.bits, i));
    // "10.1.2.3/8" is a slip of somebody who meant something else.
    if (kept != range.address.bytes[i]) return std::nullopt;
  }
  return range;
}

bool AddressRange::contains(const IpAddress& other) const {
  if (other.family != address.family) return false;
  for (size_t i = 0; i * 8 < bits; ++i) {
    if ((other.bytes[i] & mask(bits, i)) != address.bytes[i]) return false;
  }
  return true;
}

Status parse_ranges(std::string_view text, std::vector<AddressRange>* out) {
  while (!text.empty()) {
    size_t comma = std::min(text.find(','), text.size());
    std::string_view item = trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    std::optional<AddressRange> range = AddressRange::parse(item);
    if (!range)
      return Status::invalid('"' + escaped(item) + "\" is not a block such as 10.0.0.0/8 or fc00::/7");
    out->push_back(*range);
  }
  return Status::ok();
}

bool contains(const std::vector<AddressRange>& ranges, const IpAddress& address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const AddressRange& range) { return range.contains(address); });
}

}  // namespace hc
