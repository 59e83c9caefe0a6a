#include "hcx/get_session.h"

#include <array>
#include <utility>

#include "hcx/option_parser.h"
#include "hcx/url_text.h"

namespace hc::hcx {

namespace {

void set_if_given(const std::optional<std::string>& text, hc_str* option) {
  if (text) *option = str(*text);
}

// A message of the library begins with its option's name; users know it by ours.
UsageError in_our_words(const Refused& refused) {
  using Pair = std::pair<std::string_view, const char*>;
  constexpr std::array<Pair, 13> kNames{{{"nameservers", "--dns-servers"},
                                         {"proxy", "-x"},
                                         {"proxy_headers", "--proxy-header"},
                                         {"pins", "--pin-sha256"},
                                         {"server_name", "--tls-server-name"},
                                         {"unix_path", "--unix-socket"},
                                         {"limit_per_host", "--limit-per-host"},
                                         {"local_addr", "--interface"},
                                         {"interface_name", "--interface"},
                                         {"deny_addresses", "--deny-addresses"},
                                         {"allow_addresses", "--allow-addresses"},
                                         {"trusted_proxies", "--trusted-proxies"},
                                         {"user_agent", "-A"}}};
  const std::string text = refused.message();
  const std::size_t colon = text.find(':');
  for (const auto& [name, option] : kNames) {
    if (colon != std::string::npos && text.substr(0, colon) == name) {
      return UsageError(option + text.substr(colon));
    }
  }
  return UsageError(text);
}

// The library takes no authorities when it trusts everybody. A file that is not there is a mistake all the same.
void check_authorities(const std::optional<std::string>& ca_file) {
  hc_tls_options options = make_tls_options();
  set_if_given(ca_file, &options.ca_file);
  create_tls(options);
}

hc_tls_options tls_options_of(const TlsArguments& given) {
  hc_tls_options options = make_tls_options();
  if (given.insecure) {
    check_authorities(given.ca_file);
    options.verify = HC_OFF;
  } else {
    set_if_given(given.ca_file, &options.ca_file);
  }
  set_if_given(given.certificate_file, &options.certificate_file);
  set_if_given(given.key_file, &options.key_file);
  set_if_given(given.key_password, &options.key_password);
  return options;
}

Tls tls_of(const GetOptions& given) {
  hc_tls_options options = tls_options_of(given.tls);
  options.min_version = given.min_tls;
  set_if_given(given.server_name, &options.server_name);
  std::vector<hc_str> pins;
  for (const std::string& pin : given.pins) pins.push_back(str(pin));
  options.pins = pins.data();
  options.pin_count = pins.size();
  return create_tls(options);
}

// Without one, the library trusts proxies as it trusts servers; but -k is about servers alone, as in curl.
Tls proxy_tls_of(const GetOptions& given) {
  if (!given.proxy && !given.trust_env) return nullptr;
  TlsArguments tls = given.proxy_tls;
  if (!tls.ca_file) tls.ca_file = given.tls.ca_file;
  return create_tls(tls_options_of(tls));
}

std::optional<std::string> proxy_of(const GetOptions& given) {
  if (!given.proxy_user || given.proxy->empty()) return given.proxy;
  return with_user(with_scheme(*given.proxy), given.proxy_user->name, given.proxy_user->password);
}

void set_clocks(const GetOptions& given, hc_timeouts& timeouts) {
  timeouts.total_ms = given.total_timeout_ms;
  if (given.connect_timeout_ms == HC_UNSET) return;
  // Whoever says how long a connection may take wants no other clock to say less.
  timeouts.connect_ms = given.connect_timeout_ms;
  timeouts.dns_ms = HC_FOREVER;
  timeouts.sock_connect_ms = HC_FOREVER;
}

void set_route(const GetOptions& given, hc_session_options& options) {
  options.family = given.family;
  if (given.trust_env) options.trust_env = HC_ON;
  if (given.public_only) options.public_only = HC_ON;
  set_if_given(given.nameservers, &options.nameservers);
  set_if_given(given.no_proxy, &options.no_proxy);
  set_if_given(given.unix_path, &options.unix_path);
  set_if_given(given.deny_addresses, &options.deny_addresses);
  set_if_given(given.allow_addresses, &options.allow_addresses);
  set_if_given(given.trusted_proxies, &options.trusted_proxies);
  if (!given.interface.device.empty()) options.interface_name = str(given.interface.device);
  if (!given.interface.address.empty()) options.local_addr = str(given.interface.address);
}

void set_sockets(const GetOptions& given, hc_session_options& options) {
  options.limit = given.limit;
  options.limit_per_host = given.limit_per_host;
  if (given.keepalive_ms == HC_UNSET) return;
  options.tcp_keepalive = HC_ON;
  options.tcp_keepalive_idle_ms = options.tcp_keepalive_interval_ms = given.keepalive_ms;
}

Session session_of(const GetOptions& given) {
  const Tls tls = tls_of(given);
  hc_session_options options = make_session_options();
  const Tls proxy_tls = proxy_tls_of(given);
  const std::optional<std::string> proxy = proxy_of(given);
  options.tls = tls.get();
  options.proxy_tls = proxy_tls.get();
  set_if_given(proxy, &options.proxy);
  set_if_given(given.user_agent, &options.user_agent);
  options.max_body = given.max_body;
  options.max_redirects = given.follow ? given.max_redirects : 0;
  options.decompress = given.compressed ? HC_ON : HC_OFF;
  set_clocks(given, options.timeouts);
  set_sockets(given, options);
  set_route(given, options);
  std::vector<hc_header> headers;
  for (const HeaderArgument& header : given.proxy_headers) {
    headers.push_back({str(header.name), str(header.value)});
  }
  options.proxy_headers = headers.data();
  options.proxy_header_count = headers.size();
  return create_session(options);
}

void add_override(hc_session* session, const ResolveArgument& resolve) {
  std::vector<hc_str> addresses;
  for (const std::string& address : resolve.addresses) addresses.push_back(str(address));
  hc_error error = make_error();
  if (hc_session_resolve_add(session, str(resolve.host), resolve.port, addresses.data(), addresses.size(),
                             &error) != HC_OK) {
    throw UsageError("--resolve: " + std::string(error.message));
  }
}

}  // namespace

Session open_session(const GetOptions& options) {
  try {
    Session session = session_of(options);
    for (const ResolveArgument& resolve : options.resolves) add_override(session.get(), resolve);
    return session;
  } catch (const Refused& refused) {
    if (refused.status() == HC_E_INVALID) throw in_our_words(refused);
    throw;
  }
}

RequestTemplate::RequestTemplate(const GetOptions& options) : request(make_request()) {
  add_headers(options);
  add_body(options);
  request.method = str(options.method_name());
  if (options.user) {
    request.username = str(options.user->name);
    request.password = str(options.user->password);
  }
}

void RequestTemplate::add_headers(const GetOptions& options) {
  for (const HeaderArgument& header : options.headers) {
    headers_.push_back({str(header.name), header.is_removal ? hc_str{nullptr, 0} : str(header.value)});
  }
  if (options.body && !options.has_header("Content-Type")) {
    headers_.push_back({HC_STR("Content-Type"), HC_STR("application/x-www-form-urlencoded")});
  }
  request.headers = headers_.data();
  request.header_count = headers_.size();
}

void RequestTemplate::add_body(const GetOptions& options) {
  if (options.body) request.body = str(*options.body);
  request.body_kind = HC_BODY_BORROWED;
  if (!options.upload_file || *options.upload_file == "-") return;
  request.body_kind = HC_BODY_FILE;
  request.body_path = str(*options.upload_file);
}

}  // namespace hc::hcx
