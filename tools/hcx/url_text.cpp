#include "hcx/url_text.h"

#include "hcx/format.h"

namespace hc::hcx {

std::string with_scheme(std::string_view url) {
  const std::size_t mark = url.find("://");
  const bool has_scheme = mark != std::string_view::npos && url.find_first_of("/?#@") > mark;
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

std::string shown_url(std::string_view url) {
  const UrlText text = split_url(url);
  return printable(std::string(text.scheme) + "://" + std::string(text.authority) + std::string(text.target));
}

}  // namespace hc::hcx
