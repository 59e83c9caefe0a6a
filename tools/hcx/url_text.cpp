#include "hcx/url_text.h"

#include "hcx/format.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace hc::hcx {

namespace {

bool is_unreserved(unsigned char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (c >= '0' && c <= '9') || std::string_view("-._~").find(c) != std::string_view::npos;
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    std::array<char, 4> code;
    std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned char>(c));
    encoded += is_unreserved(static_cast<unsigned char>(c)) ? std::string(1, c) : code.data();
  }
  return encoded;
}

// Whether the first colon, if there is one, has a number behind it, and then the path or nothing.
bool has_port_at_most(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return true;
  const std::string_view behind = text.substr(colon + 1);
  const std::size_t digits = std::min(behind.find_first_not_of("0123456789"), behind.size());
  return digits > 0 && (digits == behind.size() || behind[digits] == '/');
}

}  // namespace

std::string with_scheme(std::string_view url) {
  const std::size_t mark = url.find("://");
  const bool has_scheme = mark != std::string_view::npos && url.find_first_of(":/?#@") == mark;
  return has_scheme ? std::string(url) : "http://" + std::string(url);
}

UrlText split_url(std::string_view url) {
  UrlText text;
  if (const std::size_t mark = url.find("://"); mark != std::string_view::npos) {
    text.scheme = url.substr(0, mark);
    url.remove_prefix(mark + 3);
  }
  const std::size_t end = std::min(url.find_first_of("/?#\\"), url.size());
  text.authority = url.substr(0, end);
  if (const std::size_t at = text.authority.rfind('@'); at != std::string_view::npos) {
    text.userinfo = text.authority.substr(0, at);
    text.authority.remove_prefix(at + 1);
  }
  text.target = url.substr(end);
  text.target = text.target.substr(0, text.target.find('#'));
  if (text.target.empty()) text.target = "/";
  return text;
}

std::string file_name_of(std::string_view url) {
  std::string_view path = split_url(url).target;
  path = path.substr(0, path.find('?'));
  path = path.substr(path.rfind('/') + 1);
  return path == "-" ? "./-" : std::string(path);
}

std::string with_file_name(std::string_view url, std::string_view path) {
  const UrlText text = split_url(url);
  if (url.find_first_of("?#") != std::string_view::npos || !text.target.ends_with('/'))
    return std::string(url);
  return std::string(url) + (url.ends_with('/') ? "" : "/") +
         percent_encoded(path.substr(path.rfind('/') + 1));
}

std::string with_query(std::string_view url, std::string_view data) {
  const std::size_t end = std::min(url.find('#'), url.size());
  const std::string_view before = url.substr(0, end);
  const char* mark = before.find('?') == std::string_view::npos ? "?" : before.ends_with('?') ? "" : "&";
  return std::string(before) + mark + std::string(data) + std::string(url.substr(end));
}

std::string with_user(std::string_view url, std::string_view name, std::string_view password) {
  const UrlText text = split_url(url);
  return std::string(text.scheme) + "://" + percent_encoded(name) + ":" + percent_encoded(password) + "@" +
         std::string(text.authority) + (text.target == "/" ? "" : std::string(text.target));
}

std::string shown_url(std::string_view url) {
  const UrlText text = split_url(url);
  return printable(std::string(text.scheme) + "://" + std::string(text.authority) + std::string(text.target));
}

std::string shown_doubtful_url(std::string_view url) {
  const std::string_view scheme = split_url(url).scheme;
  std::string_view rest = url.substr(scheme.size() + 3);
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    rest.remove_prefix(at + 1);
  } else if (!has_port_at_most(rest)) {
    rest = "...";
  }
  return printable(std::string(scheme) + "://" + std::string(rest));
}

}  // namespace hc::hcx
