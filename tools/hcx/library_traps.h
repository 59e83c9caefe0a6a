// Versions of libcurl and c-ares that are known to misbehave in ways that a session can meet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hc::hcx {

/// "7.88.1" in "libcurl/7.88.1" as 0x075801; 0 when there is no version in the text.
std::uint32_t version_in(std::string_view text);

/// What is known against a version, one sentence each.
std::vector<std::string> curl_traps(std::uint32_t version);
std::vector<std::string> ares_traps(std::uint32_t version);

}  // namespace hc::hcx
