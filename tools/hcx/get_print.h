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

/// "HC_E_DNS: message (resolving, after 12 ms)"
std::string error_text(const hc_error& error, std::uint64_t after_ns);

std::string version_text(std::int32_t version);  ///< 11 -> "1.1"

/// "HTTP/1.1 200 OK"
std::string status_line(const hc_response_info& info);

/// Who reads what a server sent: a terminal must not be written to by it; everybody else gets it as it came.
enum class Reader { kTerminal, kProgram };
std::string shown(std::string_view text, Reader reader);

/// Whether a field's value is for the two ends alone, as credentials and cookies are.
bool is_secret(std::string_view field);
constexpr std::string_view kNotShown = "(not shown)";

enum class Secrets { kShown, kHidden };
/// Around each line of a head.
struct HeadStyle {
  std::string_view prefix;
  std::string_view line_end;
  Reader reader = Reader::kProgram;
  Secrets secrets = Secrets::kShown;
};
std::string response_head(const hc_response_info& info, const HeadStyle& style);
/// Of the n-th redirect that was followed. The library does not keep its version and its words.
std::string redirect_head(const hc_response_info& info, std::size_t nth, const HeadStyle& style);
/// Those of all redirects, then the answer's.
std::string all_heads(const hc_response_info& info, const HeadStyle& style);

/// One that -L follows.
bool is_redirect(const hc_response_info& info);

std::string timing_header();
std::string timing_line(std::string_view url, const hc_response_info& info);

}  // namespace hc::hcx
