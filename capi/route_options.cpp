// hc.h chapter 8: the way to servers.
#include "capi/route_options.h"

#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "capi/guard.h"
#include "capi/option_reader.h"

namespace hc::capi {
namespace {

// The value of the first of these variables that is set and not empty.
std::string_view environment(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

// The route through the proxy of this URL; none when there is no URL.
Status proxied(const hc_session_options& o, const SessionConfig& config, std::string_view url,
               const char* option, RoutePointer* out) {
  if (url.empty() || url == "none") return Status::ok();
  auto proxy = std::make_shared<Proxy>();
  HC_RETURN_IF_BAD(Proxy::parse(url, option, proxy.get()));
  HC_RETURN_IF_BAD(proxy->add_headers(o.proxy_headers, o.proxy_header_count));
  proxy->is_trusted = is_trusted_proxy(*proxy, config.routes.trusted_proxies);
  Route route = *config.routes.direct;
  if (proxy->kind == ProxyKind::kHttps) route.proxy_tls = config.routes.proxy_tls;
  route.proxy = std::move(proxy);
  *out = std::make_shared<const Route>(std::move(route));
  return Status::ok();
}

// The upper-case form of http_proxy is left alone: a CGI program has it from its client's "Proxy:" header.
Status read_environment(const hc_session_options& o, SessionConfig* config) {
  std::string_view http = environment({"http_proxy", "all_proxy", "ALL_PROXY"});
  std::string_view https = environment({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  HC_RETURN_IF_BAD(proxied(o, *config, http, "trust_env: $http_proxy", &config->routes.http));
  return proxied(o, *config, https, "trust_env: $https_proxy", &config->routes.https);
}

Status read_unix_path(const hc_session_options& o, SessionConfig* config) {
  std::string_view path = view(o.unix_path);
  if (path.empty()) return Status::ok();
  if (view(o.proxy).size() > 0) return Status::invalid("unix_path: not together with proxy");
  HC_RETURN_IF_BAD(check_unix_path(path));
  Route route = *config->routes.direct;
  route.unix_path = path;
  config->routes.direct = std::make_shared<const Route>(std::move(route));
  return Status::ok();
}

}  // namespace

Status read_routes(const hc_session_options& o, SessionConfig* config) {
  Status status;
  Reader read(&status);
  bool trusts_environment = false;
  std::string proxy;
  std::string no_proxy;
  read.flag(o.trust_env, "trust_env", &trusts_environment);
  read.text(o.proxy, "proxy", &proxy);
  read.text(o.no_proxy, "no_proxy", &no_proxy);
  if (!status.is_ok()) return status;
  if (o.proxy_tls != nullptr) {
    HC_RETURN_IF_BAD(check_handle(o.proxy_tls, "proxy_tls"));
    config->routes.proxy_tls = o.proxy_tls->identity;
  }
  if (trusts_environment && o.no_proxy.data == nullptr) no_proxy = environment({"no_proxy", "NO_PROXY"});
  config->routes.no_proxy = NoProxy(no_proxy);
  HC_RETURN_IF_BAD(read_unix_path(o, config));
  bool is_decided = o.proxy.data != nullptr || view(o.unix_path).size() > 0;
  if (trusts_environment && !is_decided) return read_environment(o, config);
  HC_RETURN_IF_BAD(proxied(o, *config, proxy, "proxy", &config->routes.http));
  config->routes.https = config->routes.http;
  return Status::ok();
}

}  // namespace hc::capi
