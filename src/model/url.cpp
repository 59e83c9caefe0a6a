#include "model/url.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "model/ip_address.h"
#include "model/text.h"

namespace hc {
namespace {

Status bad(std::string_view what) { return Status::invalid("url: " + std::string(what)); }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    int high = hex_value(text[i + 1]);
    int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// Hosts whose last label is a number are IPv4 addresses to libcurl ("127.1", "0x7f.1", "2130706433"): one that is
// not a plain dotted quad would be another host there than here.
bool ends_in_number(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string_view label = host.substr(host.rfind('.') + 1);
  if (label.empty()) return false;
  if (label.starts_with("0x")) return true;
  return std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Status read_name(std::string_view text, std::string* out) {
  if (text.size() > (text.ends_with('.') ? 254 : 253)) return bad("host is longer than 253 bytes");
  uint8_t kinds = bytes::kinds_in(text);
  if ((kinds & bytes::kUpperCase) != 0) {
    *out = lower(text);
    kinds = bytes::kinds_in(*out);
  } else {
    *out = text;
  }
  const std::string& host = *out;
  if ((kinds & bytes::kNotAscii) != 0) return bad("host is not ASCII; give its xn-- form");
  if ((kinds & bytes::kNotHostName) != 0) return bad("host has a character that no host name has");
  if (host.find("..") != std::string_view::npos || host.starts_with('.'))
    return bad("host has an empty label");
  if (ends_in_number(host) && !IpAddress::parse(host))
    return bad("host looks like an IPv4 address but is not one");
  return Status::ok();
}

Status parse_port(std::string_view text, uint16_t* port) {
  if (text.empty()) return Status::ok();
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > 65535) {
    return bad("port is not a number from 1 to 65535");
  }
  *port = static_cast<uint16_t>(value);
  return Status::ok();
}

Status parse_userinfo(std::string_view text, Url* url) {
  size_t colon = text.find(':');
  std::optional<std::string> username = percent_decode(text.substr(0, colon));
  std::optional<std::string> password =
      percent_decode(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  if (!username || !password) return bad("user or password is not percent-encoded correctly");
  if (username->find(':') != std::string::npos)
    return bad("user contains a colon, which Basic auth cannot send");
  url->username = std::move(*username);
  url->password = std::move(*password);
  url->has_userinfo = true;
  return Status::ok();
}

Status parse_bracketed_host(std::string_view text, Url* url, std::string_view* rest) {
  size_t end = text.find(']');
  if (end == std::string_view::npos) return bad("'[' without ']'");
  std::string_view inside = text.substr(1, end - 1);
  std::optional<IpAddress> address = IpAddress::parse(inside);
  if (!address || address->family != Family::kV6 || address->scope != 0) {
    return bad("the address in brackets is not IPv6");
  }
  url->host = address->to_string();
  *rest = text.substr(end + 1);
  return Status::ok();
}

Status parse_host_and_port(std::string_view text, Url* url) {
  std::string_view rest;
  if (text.starts_with('[')) {
    if (Status status = parse_bracketed_host(text, url, &rest); !status.is_ok()) return status;
  } else {
    size_t colon = text.find(':');
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (text.size() == rest.size()) return bad("no host");
    if (Status status = read_name(text.substr(0, colon), &url->host); !status.is_ok()) return status;
  }
  if (rest.empty()) return Status::ok();
  if (rest.front() != ':') return bad("unexpected text after the host");
  url->has_port = rest.size() > 1;
  return parse_port(rest.substr(1), &url->port);
}

bool is_ipv6(std::string_view text) {
  std::optional<IpAddress> address = IpAddress::parse(text);
  return address && address->family == Family::kV6;
}

Status parse_authority(std::string_view text, Url* url) {
  size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    if (Status status = parse_userinfo(text.substr(0, at), url); !status.is_ok()) return status;
    text.remove_prefix(at + 1);
  }
  return parse_host_and_port(text, url);
}

Status check_bytes(std::string_view text, bool* is_ascii) {
  auto is_unusual = [](Sixteen bytes) { return (bytes <= 0x20) | (bytes >= 0x7F) | (bytes == '\\'); };
  if (!any_byte(text, is_unusual)) return Status::ok();
  auto is_control_or_space = [](Sixteen bytes) { return (bytes <= 0x20) | (bytes == 0x7F); };
  if (any_byte(text, is_control_or_space)) return bad("has a space or a control character");
  if (text.find('\\') != std::string_view::npos) return bad("has a backslash");
  *is_ascii = false;
  return Status::ok();
}

Status parse_scheme(std::string_view* text, Url* url) {
  size_t colon = text->find("://");
  if (colon == std::string_view::npos) return bad("no scheme; it must start with http:// or https://");
  std::string_view scheme = text->substr(0, colon);
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) {
    return bad("unknown scheme; only http and https are known");
  }
  url->is_https = scheme.size() == 5;
  url->port = url->is_https ? 443 : 80;
  text->remove_prefix(colon + 3);
  return Status::ok();
}

// RFC 3986 5.2.4, of a path that starts with a slash.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    size_t end = std::min(path.find('/', 1), path.size());
    std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    bool is_up = segment == "/..";
    if (!is_up && segment != "/.") {
      out += segment;
      continue;
    }
    if (is_up) out.resize(std::min(out.rfind('/'), out.size()));
    if (path.empty()) out += '/';
  }
  return out;
}

void append_encoded(std::string_view target, std::string* out) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (char c : target) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      *out += c;
    } else {
      *out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
}

void append_target(std::string_view target, bool is_ascii, std::string* out) {
  if (!target.starts_with('/')) *out += '/';
  std::string_view path = target.substr(0, target.find('?'));
  bool has_dots = path.find("/.") != std::string_view::npos;
  if (is_ascii && !has_dots) {
    *out += target;
    return;
  }
  append_encoded(has_dots ? without_dot_segments(path) : std::string(path), out);
  append_encoded(target.substr(path.size()), out);
}

void spell(std::string_view target, bool is_ascii, Url* url) {
  bool is_v6 = url->host.find(':') != std::string::npos;
  url->text.reserve(url->host.size() + target.size() + 24);
  url->text += url->is_https ? "https://" : "http://";
  if (is_v6) url->text += '[';
  url->text += url->host;
  if (is_v6) url->text += ']';
  if (url->port != (url->is_https ? 443 : 80)) {
    url->text += ':';
    url->text += std::to_string(url->port);
  }
  url->origin_size = url->text.size();
  append_target(target, is_ascii, &url->text);
}

// "scheme://authority" of an absolute URL.
std::string_view origin_part(std::string_view url) {
  size_t start = url.find("://") + 3;
  return url.substr(0, std::min(url.find_first_of("/?#", start), url.size()));
}

bool has_scheme(std::string_view reference) {
  size_t end = reference.find_first_of(":/?#");
  return end != std::string_view::npos && end > 0 && reference[end] == ':';
}

std::string without(std::string_view text, std::string_view first_of) {
  return std::string(text.substr(0, std::min(text.find_first_of(first_of), text.size())));
}

// RFC 3986 5.2.2; dot segments are removed by parse().
std::string merge(std::string_view base, std::string_view reference) {
  std::string text(reference);
  if (has_scheme(reference)) return text;
  std::string_view origin = origin_part(base);
  if (reference.starts_with("//")) return std::string(origin.substr(0, origin.find(':') + 1)) + text;
  if (reference.starts_with('/')) return std::string(origin) + text;
  if (reference.empty() || reference.starts_with('#')) return without(base, "#") + text;
  if (reference.starts_with('?')) return without(base, "?#") + text;
  std::string path = without(base.substr(origin.size()), "?#");
  path.resize(std::min(path.rfind('/'), path.size()));
  return std::string(origin) + path + "/" + text;
}

}  // namespace

Status Url::resolve(std::string_view base, std::string_view reference, Url* out) {
  Url url;
  if (Status status = parse(merge(base, reference), &url); !status.is_ok()) return status;
  size_t hash = base.find('#');
  if (reference.find('#') == std::string_view::npos && hash != std::string_view::npos) {
    url.fragment = base.substr(hash + 1);
  }
  *out = std::move(url);
  return Status::ok();
}

Status Url::parse(std::string_view text, Url* out) {
  if (text.empty()) return bad("is empty");
  if (text.size() > kMaxUrl) return bad("longer than 65536 bytes");
  bool is_ascii = true;
  if (Status status = check_bytes(text, &is_ascii); !status.is_ok()) return status;

  Url url;
  if (Status status = parse_scheme(&text, &url); !status.is_ok()) return status;
  size_t hash = std::min(text.find('#'), text.size());
  if (hash < text.size()) url.fragment = text.substr(hash + 1);
  text = text.substr(0, hash);
  size_t authority_end = std::min({text.find('/'), text.find('?'), text.size()});
  if (Status status = parse_authority(text.substr(0, authority_end), &url); !status.is_ok()) return status;
  spell(text.substr(authority_end), is_ascii, &url);
  *out = std::move(url);
  return Status::ok();
}

Status parse_host(std::string_view text, std::string* out) {
  std::string in_url = is_ipv6(text) ? "[" + std::string(text) + "]" : std::string(text);
  Url url;
  bool is_host =
      parse_host_and_port(in_url, &url).is_ok() && (in_url.ends_with(']') || in_url.find(':') == in_url.npos);
  if (!is_host) return Status::invalid("host: \"" + escaped(text) + "\" is no host of a URL");
  *out = std::move(url.host);
  return Status::ok();
}

}  // namespace hc
