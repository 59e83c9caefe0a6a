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

/// What -O saves as: what follows the last slash of the path. Empty: there is nothing. Never '-', which would be
/// standard output.
std::string file_name_of(std::string_view url);
/// The file's own name at the end of a path that ends with a slash, as curl's -T does.
std::string with_file_name(std::string_view url, std::string_view path);
/// With `data` in the query, behind what is there.
std::string with_query(std::string_view url, std::string_view data);
/// With this user and password in place of those there.
std::string with_user(std::string_view url, std::string_view name, std::string_view password);

/// For people: no userinfo, no control characters.
std::string shown_url(std::string_view url);
/// The same of one (with a scheme) that the library has refused, or not seen yet: nothing from where a password could
/// be, for somebody may have written '/', '?' or '#' in it.
std::string shown_doubtful_url(std::string_view url);

}  // namespace hc::hcx
