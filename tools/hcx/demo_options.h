// The command line of `hcx demo`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hc::hcx {

struct DemoOptions {
  std::uint64_t requests = 50'000;
  std::uint64_t limit = 100;
  std::uint64_t limit_per_host = 40;
  std::uint64_t outstanding = 5'000;  // submitted and without completion
  std::uint64_t seed = 1;
  std::string trace;  // file; empty: none
  bool sweep = false;
  bool plain = false;
  bool help = false;
};

/// Throws UsageError.
DemoOptions parse_demo_options(const std::vector<std::string>& arguments);
std::string_view demo_help();

}  // namespace hc::hcx
