// What the options of `hcx get` take, where that is more than a text. All throw UsageError, naming the option.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hc::hcx {

bool equals_ignoring_case(std::string_view one, std::string_view other);

/// One -H. `is_removal`: "Name:", the automatic field of that name is not sent.
struct HeaderArgument {
  std::string name;
  std::string value;
  bool is_removal = false;

  bool is_named(std::string_view other) const { return equals_ignoring_case(name, other); }
};
HeaderArgument parse_header(std::string_view text, std::string_view option = "-H");

/// One --resolve.
struct ResolveArgument {
  std::string host;
  std::uint16_t port = 0;  // 0: every port
  std::vector<std::string> addresses;
};
ResolveArgument parse_resolve(std::string_view text);

/// "USER:PASSWORD"; either may be empty.
struct UserArgument {
  std::string name;
  std::string password;
};
UserArgument parse_user(std::string_view text);

/// "FILE[:PASSWORD]". As in curl, `\:` is a colon of the file's name, and `\\` a backslash.
struct CertificateArgument {
  std::string file;
  std::string password;
  bool has_password = false;
};
CertificateArgument parse_certificate(std::string_view text, std::string_view option);

/// What --interface names: a device, or an address of this machine; one of the two, or neither.
struct InterfaceArgument {
  std::string device;
  std::string address;
};
InterfaceArgument parse_interface(std::string_view text);

/// Bytes, with K, M, G or T (of 1024) behind them if wanted.
std::uint64_t parse_size(std::string_view text, std::string_view option);

/// "NAME=VALUE", several of them with "; " between.
void add_cookies(std::string& cookies, std::string_view text);

/// What -d sends: the text, or with '@' in front what a file holds; "@-" is stdin.
std::string read_data(const std::string& text, std::string_view option);

}  // namespace hc::hcx
