// What `hcx get` tells about one exchange, as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hcx/abi.h"
#include "hcx/get_options.h"

namespace hc::hcx {

/// How long each part took, in ns; HC_UNSET: it did not happen.
struct Phases {
  std::uint64_t waited = HC_UNSET;
  std::uint64_t dns = HC_UNSET;
  std::uint64_t connect = HC_UNSET;
  std::uint64_t tls = HC_UNSET;
  std::uint64_t sent = HC_UNSET;
  std::uint64_t first_byte = HC_UNSET;
  std::uint64_t done = HC_UNSET;
  std::uint64_t total = HC_UNSET;
};
Phases phases_of(const hc_timing& timing);

/// "URL: HC_E_DNS: message (resolving, after 12 ms)"
std::string error_text(std::string_view url, const hc_error& error, std::uint64_t after_ns);

std::string status_line(const hc_response_info& info);
/// One that -L follows.
bool is_redirect(const hc_response_info& info);
std::string response_head(const hc_response_info& info, std::string_view prefix, std::string_view line_end);
std::string request_head(std::string_view url, const GetOptions& options);
/// What stands before the body, and what behind it.
std::string verbose_opening(std::string_view url, const GetOptions& options, const hc_response_info& info);
std::string verbose_closing(const hc_response_info& info, std::uint64_t received);

std::string timing_header();
std::string timing_line(std::string_view url, const hc_response_info& info);

}  // namespace hc::hcx
