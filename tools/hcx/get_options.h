// The command line of `hcx get`.
#pragma once

#include <hc/hc.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hcx/get_write_out.h"
#include "hcx/option_values.h"

namespace hc::hcx {

/// A TLS identity's files, and whether anybody is trusted.
struct TlsArguments {
  bool insecure = false;
  std::optional<std::string> ca_file;
  std::optional<std::string> certificate_file;
  std::optional<std::string> key_file;
  std::optional<std::string> key_password;
};

struct GetOptions {
  std::vector<std::string> urls;

  // Of each request.
  std::string method;  // empty: by body and -I
  std::vector<HeaderArgument> headers;
  std::string cookies;  // of all -b
  std::optional<std::string> body;
  bool data_in_url = false;                // -G
  std::optional<std::string> upload_file;  // -T; "-" is stdin
  std::optional<UserArgument> user;
  std::optional<std::string> user_agent;  // empty: none
  bool head = false;                      // -I
  bool follow = false;                    // -L
  std::uint64_t max_redirects = 50;       // curl's default; only with -L
  bool compressed = false;
  std::uint64_t max_body = HC_UNSET;
  std::uint64_t repeat = 1;

  // Of the session.
  TlsArguments tls;
  std::vector<std::string> pins;
  std::optional<std::string> server_name;
  std::uint8_t min_tls = HC_UNSET_FLAG;
  std::uint64_t limit = HC_UNSET;
  std::uint64_t limit_per_host = HC_UNSET;
  std::uint64_t connect_timeout_ms = HC_UNSET;
  std::uint64_t total_timeout_ms = HC_FOREVER;  // as curl; the library has a default
  std::uint64_t keepalive_ms = HC_UNSET;

  // The way.
  std::optional<std::string> proxy;  // empty: none, whatever the environment says
  std::optional<UserArgument> proxy_user;
  std::vector<HeaderArgument> proxy_headers;
  TlsArguments proxy_tls;
  std::optional<std::string> no_proxy;  // as proxy
  bool trust_env = false;
  std::optional<std::string> unix_path;
  InterfaceArgument interface;
  bool public_only = false;
  std::optional<std::string> deny_addresses;
  std::optional<std::string> allow_addresses;
  std::optional<std::string> trusted_proxies;
  std::optional<std::string> nameservers;
  std::vector<ResolveArgument> resolves;
  std::uint8_t family = HC_UNSET_FLAG;

  // What is printed.
  std::vector<std::string> outputs;      // the n-th is for the n-th URL
  std::optional<std::string> dump_file;  // -D
  std::optional<WriteOut> write_out;     // -w
  bool verbose = false;
  bool timing = false;
  bool include_head = false;  // -i
  bool fail = false;
  bool silent = false;
  bool show_error = false;  // -S
  bool help = false;

  std::string_view method_name() const;
  bool has_body() const { return body.has_value() || upload_file.has_value(); }
  bool has_header(std::string_view name) const;  // one -H, a removal, too
  bool shows_errors() const { return !silent || show_error; }
};

/// Throws UsageError.
GetOptions parse_get_options(const std::vector<std::string>& arguments);
std::string_view get_help();

}  // namespace hc::hcx
