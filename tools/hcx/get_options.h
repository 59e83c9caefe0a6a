// The command line of `hcx get`.
#pragma once

#include <hc/hc.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hc::hcx {

/// One -H. `is_removal`: "Name:", the automatic field of that name is not sent.
struct HeaderArgument {
  std::string name;
  std::string value;
  bool is_removal = false;

  bool is_named(std::string_view other) const;  // without case
};

/// One --resolve.
struct ResolveArgument {
  std::string host;
  std::uint16_t port = 0;  // 0: every port
  std::vector<std::string> addresses;
};

struct GetOptions {
  std::vector<std::string> urls;
  std::vector<std::string> outputs;  // the n-th is for the n-th URL
  std::string method;                // empty: by body and -I
  std::vector<HeaderArgument> headers;
  std::optional<std::string> body;
  std::string user;
  std::string password;
  std::string ca_file;
  std::string upload_file;  // -T
  std::string certificate_file;
  std::string key_file;
  std::string key_password;
  std::vector<std::string> pins;
  std::string server_name;
  bool tls_1_3 = false;
  std::string proxy;
  std::vector<HeaderArgument> proxy_headers;
  std::string no_proxy;
  std::string unix_path;
  bool trust_env = false;
  bool public_only = false;
  std::string nameservers;
  std::vector<ResolveArgument> resolves;
  std::uint64_t repeat = 1;
  std::uint64_t max_redirects = 50;  // curl's default; only with -L
  std::uint64_t limit = HC_UNSET;
  std::uint64_t limit_per_host = HC_UNSET;
  std::uint64_t connect_timeout_ms = HC_UNSET;
  std::uint64_t total_timeout_ms = HC_UNSET;
  std::uint8_t family = HC_UNSET_FLAG;
  bool verbose = false;
  bool timing = false;
  bool head = false;          // -I
  bool include_head = false;  // -i
  bool insecure = false;
  bool follow = false;  // -L
  bool compressed = false;
  bool fail = false;
  bool silent = false;
  bool help = false;

  std::string_view method_name() const;
  bool has_header(std::string_view name) const;  // one -H, a removal, too
};

/// Throws UsageError.
GetOptions parse_get_options(const std::vector<std::string>& arguments);
std::string_view get_help();

HeaderArgument parse_header(std::string_view text);
ResolveArgument parse_resolve(std::string_view text);

}  // namespace hc::hcx
