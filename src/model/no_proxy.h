#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/address_range.h"

namespace hc {

/// Hosts that are reached without the proxy, in the form of $no_proxy: names and blocks of addresses, separated by
/// commas or spaces. A name stands for itself and everything below it, with or without a dot before it; "*" is
/// everything; ":port" at the end narrows it down. What means nothing is skipped, as curl does.
class NoProxy {
 public:
  NoProxy() = default;
  explicit NoProxy(std::string_view text);

  /// `host` as in a URL, in lower case and without brackets.
  bool matches(std::string_view host, uint16_t port) const;

 private:
  struct Entry {
    std::string name;  // empty: `range` counts
    AddressRange range;
    uint16_t port = 0;  // 0: any
  };
  void add(std::string_view item);

  std::vector<Entry> entries_;
  bool matches_all_ = false;
};

}  // namespace hc
