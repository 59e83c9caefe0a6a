#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace hc {

inline constexpr size_t kMaxUrl = 65536;

/// An http or https URL taken apart, in the one spelling that libcurl, the resolver and the pool all see, so that
/// no two of them can read it differently.
struct Url {
  bool is_https = false;
  uint16_t port = 0;  // always known
  std::string host;   // lower case, no brackets, no trailing dot removed
  std::string text;   // scheme://host[:port]/path?query - no user, no password, no fragment, no "." and ".."
  size_t origin_size = 0;  // of text: scheme://host[:port]; what a server gets is the rest
  std::string username;    // percent-decoded
  std::string password;    // percent-decoded
  bool has_userinfo = false;
  std::string fragment;   // after the '#', as given; stays here
  bool has_port = false;  // it was written

  /// Strict: what is not plainly a URL is HC_E_INVALID with a message that starts with "url: ".
  static Status parse(std::string_view text, Url* out);
  /// A reference as a server or a caller gives it, in the place of `base` (RFC 3986 5.2): "../x", "?y", "//host/z".
  /// It inherits the base's fragment if it has none (RFC 9110 10.2.2).
  static Status resolve(std::string_view base, std::string_view reference, Url* out);

  bool has_origin_of(const Url& other) const {
    return is_https == other.is_https && port == other.port && host == other.host;
  }
};

/// A host alone, in the spelling of Url::host; IPv6 with brackets or without. Failures start with "host: ".
Status parse_host(std::string_view text, std::string* out);

}  // namespace hc
