#include "model/proxy.h"

#include <functional>

#include "model/text.h"
#include "model/url.h"

namespace hc {
namespace {

constexpr size_t kMostHeaders = 100;
constexpr size_t kMostSocksCredential = 255;  // RFC 1929 2

struct Scheme {
  std::string_view name;
  ProxyKind kind;
  uint16_t port;
};
constexpr Scheme kSchemes[] = {{"http", ProxyKind::kHttp, 80},
                               {"https", ProxyKind::kHttps, 443},
                               {"socks5", ProxyKind::kSocks5, 1080},
                               {"socks5h", ProxyKind::kSocks5h, 1080}};

Status bad(const char* option, std::string_view what) {
  return Status::invalid(std::string(option) + ": " + std::string(what));
}

const Scheme* find_scheme(std::string_view name) {
  for (const Scheme& scheme : kSchemes) {
    if (equals_ignoring_case(scheme.name, name)) return &scheme;
  }
  return nullptr;
}

}  // namespace

size_t Proxy::hash() const {
  std::hash<std::string_view> hash;
  return hash(host) * 31 + hash(username) * 7 + hash(password) * 3 + port + static_cast<size_t>(kind);
}

std::string Proxy::name() const {
  bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Status Proxy::parse(std::string_view text, const char* option, Proxy* out) {
  size_t mark = text.find("://");
  const Scheme* scheme = mark == std::string_view::npos ? &kSchemes[0] : find_scheme(text.substr(0, mark));
  if (scheme == nullptr) return bad(option, "unknown scheme; http, https, socks5 and socks5h are known");
  if (mark != std::string_view::npos) text.remove_prefix(mark + 3);
  Url url;
  if (Status status = Url::parse("http://" + std::string(text), &url); !status.is_ok()) {
    return bad(option, status.message().substr(status.message().find(' ') + 1));
  }
  // Of the text only an authority may be there, and perhaps the slash after it.
  size_t end = text.find_first_of("/?#");
  if (end != std::string_view::npos && text.substr(end) != "/") return bad(option, "has a path");
  Proxy proxy;
  proxy.kind = scheme->kind;
  proxy.port = url.has_port ? url.port : scheme->port;
  proxy.host = std::move(url.host);
  proxy.has_credentials = url.has_userinfo;
  proxy.username = std::move(url.username);
  proxy.password = std::move(url.password);
  bool is_long = proxy.username.size() > kMostSocksCredential || proxy.password.size() > kMostSocksCredential;
  if (proxy.is_socks() && is_long)
    return bad(option, "SOCKS5 takes a user and a password of up to 255 bytes");
  *out = std::move(proxy);
  return Status::ok();
}

Status Proxy::add_headers(const hc_header* fields, size_t count) {
  if (count > kMostHeaders) return Status::invalid("proxy_header_count: more than 100");
  if (count > 0 && fields == nullptr) return Status::invalid("proxy_headers: NULL");
  for (size_t i = 0; i < count; ++i) {
    std::string_view name = view(fields[i].name);
    std::string_view value = trim(view(fields[i].value));
    if (!is_token(name) || is_framing_field(name))
      return Status::invalid("proxy_headers: a name is not acceptable");
    if (has_line_break(value)) return Status::invalid("proxy_headers: a value has CR, LF or NUL");
    // As in a request: libcurl reads "Name:" as "no such field", and "Name;" as an empty one.
    headers.push_back(std::string(name) + (value.empty() ? ";" : ": " + std::string(value)));
  }
  return Status::ok();
}

}  // namespace hc
