// URLs as text: what a tool that prints them must know. What is right and wrong in a URL the library decides.
#pragma once

#include <string>
#include <string_view>

namespace hc::hcx {

/// "http://" in front of what has no scheme, as curl does.
std::string with_scheme(std::string_view url);

struct UrlText {
  std::string_view scheme;     ///< "http"
  std::string_view authority;  ///< "host:8080", as written, without userinfo
  std::string_view target;     ///< "/path?query", as written; "/" when there is none
  std::string_view userinfo;   ///< "user:password", not for printing
};

/// Views into `url`.
UrlText split_url(std::string_view url);

/// For people: no userinfo, no control characters.
std::string shown_url(std::string_view url);

}  // namespace hc::hcx
