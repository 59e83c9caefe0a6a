#include "model/no_proxy.h"

#include <charconv>
#include <optional>

#include "model/text.h"

namespace hc {
namespace {

uint16_t port_of(std::string_view digits) {
  uint16_t port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() ? port : 0;
}

bool is_below(std::string_view host, std::string_view name) {
  if (!host.ends_with(name)) return false;
  return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

}  // namespace

NoProxy::NoProxy(std::string_view text) {
  while (!text.empty()) {
    size_t end = std::min(text.find_first_of(", \t"), text.size());
    if (end > 0) add(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void NoProxy::add(std::string_view item) {
  if (item == "*") {
    matches_all_ = true;
    return;
  }
  Entry entry;
  std::optional<AddressRange> range = AddressRange::parse(item);
  size_t bracket = item.starts_with('[') ? item.find(']') : std::string_view::npos;
  if (!range && bracket != std::string_view::npos) {
    range = AddressRange::parse(item.substr(1, bracket - 1));
    entry.port = item.substr(bracket + 1).starts_with(':') ? port_of(item.substr(bracket + 2)) : uint16_t{0};
  } else if (size_t colon = item.rfind(':'); !range && colon != std::string_view::npos) {
    entry.port = port_of(item.substr(colon + 1));
    item = item.substr(0, colon);
    range = AddressRange::parse(item);
  }
  if (range) {
    entry.range = *range;
  } else {
    while (item.starts_with('.')) item.remove_prefix(1);
    while (item.ends_with('.')) item.remove_suffix(1);
    if (item.empty()) return;
    entry.name = lower(item);
  }
  entries_.push_back(std::move(entry));
}

bool NoProxy::matches(std::string_view host, uint16_t port) const {
  if (matches_all_) return true;
  if (entries_.empty()) return false;
  if (host.ends_with('.')) host.remove_suffix(1);
  std::optional<IpAddress> address = IpAddress::parse(host);
  for (const Entry& entry : entries_) {
    if (entry.port != 0 && entry.port != port) continue;
    bool fits = entry.name.empty() ? address && entry.range.contains(*address)
                                   : !address && is_below(host, entry.name);
    if (fits) return true;
  }
  return false;
}

}  // namespace hc
