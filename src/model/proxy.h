#pragma once

#include <hc/hc.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hc {

enum class ProxyKind : uint8_t {
  kHttp,     // forwards http, tunnels https
  kHttps,    // the same, over TLS
  kSocks5,   // is given addresses
  kSocks5h,  // is given names
};

/// A proxy, and who we are there. Equal ones are one identity.
struct Proxy {
  ProxyKind kind = ProxyKind::kHttp;
  uint16_t port = 0;
  bool has_credentials = false;
  bool is_trusted = false;  // its own address is not for the address policy to judge
  std::string host;         // lower case, no brackets
  std::string username;
  std::string password;
  std::vector<std::string> headers;  // "Name: value", for the proxy alone

  bool operator==(const Proxy&) const = default;
  size_t hash() const;

  bool is_socks() const { return kind == ProxyKind::kSocks5 || kind == ProxyKind::kSocks5h; }
  /// It gets plain requests whole, and may send any of them over any of its connections.
  bool forwards(bool is_https) const { return !is_socks() && !is_https; }
  /// The address of the server is found here, not there.
  bool wants_address() const { return kind == ProxyKind::kSocks5; }
  /// "proxy.test:3128", for people.
  std::string name() const;

  /// [scheme://][user:password@]host[:port][/]; without a scheme it is http. `option` is named in a failure, the text
  /// is not: it may hold a password.
  static Status parse(std::string_view text, const char* option, Proxy* out);
  /// Adds header fields for it.
  Status add_headers(const hc_header* fields, size_t count);
};

}  // namespace hc
