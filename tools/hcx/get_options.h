// The command line of `hcx get`.
#pragma once

#include <hc/hc.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hcx/option_values.h"

namespace hc::hcx {

struct GetOptions {
  std::vector<std::string> urls;
  std::vector<std::string> outputs;  // the n-th is for the n-th URL
  std::string method;                // empty: by body and -I
  std::vector<HeaderArgument> headers;
  std::optional<std::string> body;
  std::optional<std::string> upload_file;  // -T
  std::optional<UserArgument> user;
  std::optional<std::string> ca_file;
  std::optional<std::string> certificate_file;
  std::optional<std::string> key_file;
  std::optional<std::string> key_password;
  std::vector<std::string> pins;
  std::optional<std::string> server_name;
  bool tls_1_3 = false;
  std::optional<std::string> proxy;  // empty: none, whatever the environment says
  std::vector<HeaderArgument> proxy_headers;
  std::optional<std::string> no_proxy;  // the same
  std::optional<std::string> unix_path;
  bool trust_env = false;
  bool public_only = false;
  std::optional<std::string> nameservers;
  std::vector<ResolveArgument> resolves;
  std::uint64_t repeat = 1;
  std::uint64_t max_redirects = 50;  // curl's default; only with -L
  std::uint64_t limit = HC_UNSET;
  std::uint64_t limit_per_host = HC_UNSET;
  std::uint64_t connect_timeout_ms = HC_UNSET;
  std::uint64_t total_timeout_ms = HC_FOREVER;  // as curl; the library has a default
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
  bool has_body() const { return body.has_value() || upload_file.has_value(); }
  bool has_header(std::string_view name) const;  // one -H, a removal, too
};

/// Throws UsageError.
GetOptions parse_get_options(const std::vector<std::string>& arguments);
std::string_view get_help();

}  // namespace hc::hcx
