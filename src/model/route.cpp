#include "model/route.h"

#include <functional>
#include <utility>

#include "model/text.h"
#include "model/url.h"

namespace hc {
namespace {

constexpr size_t kLongestUnixPath = 107;  // of sockaddr_un, with the NUL that a path needs

const RoutePointer& session_route(const Url& url, const RouteOptions& session) {
  const RoutePointer& proxied = url.is_https ? session.https : session.http;
  bool is_direct = proxied == nullptr || session.no_proxy.matches(url.host, url.port);
  return is_direct ? session.direct : proxied;
}

Status take_proxy(const hc_request& args, const RouteOptions& session, Route* route) {
  std::string_view text = view(args.proxy);
  route->proxy = nullptr;
  route->proxy_tls = nullptr;
  route->unix_path.clear();
  if (text.empty() || text == "none") {
    return args.proxy_header_count == 0 ? Status::ok()
                                        : Status::invalid("proxy_headers: there is no proxy to send them to");
  }
  auto proxy = std::make_shared<Proxy>();
  if (Status status = Proxy::parse(text, "proxy", proxy.get()); !status.is_ok()) return status;
  Status status = proxy->add_headers(args.proxy_headers, args.proxy_header_count);
  proxy->is_trusted = is_trusted_proxy(*proxy, session.trusted_proxies);
  if (proxy->kind == ProxyKind::kHttps) route->proxy_tls = session.proxy_tls;
  route->proxy = std::move(proxy);
  return status;
}

Status take_unix_path(const hc_request& args, Route* route) {
  route->unix_path = view(args.unix_path);
  if (route->unix_path.empty()) return Status::ok();
  route->proxy = nullptr;
  route->proxy_tls = nullptr;
  return check_unix_path(route->unix_path);
}

Status check_fields(const hc_request& args) {
  if (args.proxy.data != nullptr && args.unix_path.len > 0) {
    return Status::invalid("unix_path: not together with proxy");
  }
  if (args.proxy.data == nullptr && args.proxy_header_count > 0) {
    return Status::invalid("proxy_headers: only together with proxy");
  }
  if (args.tls != nullptr && args.tls->made_in.is_inherited()) {
    return {HC_E_FORKED, "tls: belongs to the parent process; create a new one"};
  }
  return Status::ok();
}

}  // namespace

bool Route::operator==(const Route& other) const {
  bool same_proxy =
      proxy == other.proxy || (proxy != nullptr && other.proxy != nullptr && *proxy == *other.proxy);
  return tls == other.tls && same_proxy && proxy_tls == other.proxy_tls && unix_path == other.unix_path;
}

size_t Route::hash() const {
  size_t hash = std::hash<const void*>()(tls.get());
  if (proxy != nullptr) hash = hash * 31 + proxy->hash();
  if (!unix_path.empty()) hash = hash * 31 + std::hash<std::string>()(unix_path);
  return hash;
}

bool is_trusted_proxy(const Proxy& proxy, std::string_view trusted_proxies) {
  while (!trusted_proxies.empty()) {
    size_t end = std::min(trusted_proxies.find(','), trusted_proxies.size());
    if (equals_ignoring_case(trim(trusted_proxies.substr(0, end)), proxy.host)) return true;
    trusted_proxies.remove_prefix(std::min(end + 1, trusted_proxies.size()));
  }
  return false;
}

Status check_unix_path(std::string_view path) {
  if (path.size() > kLongestUnixPath) return Status::invalid("unix_path: longer than 107 bytes");
  if (path.substr(1).find('\0') != std::string_view::npos) return Status::invalid("unix_path: has a NUL");
  return Status::ok();
}

Status read_wish(const hc_request& args, const RouteOptions& session, RouteWish* out) {
  out->session = &session;
  if (Status status = check_fields(args); !status.is_ok()) return status;
  if (args.tls != nullptr) out->tls = args.tls->identity;
  if (args.proxy.data == nullptr && args.unix_path.data == nullptr) return Status::ok();
  Route way = args.proxy.data == nullptr && session.http != nullptr ? *session.http : *session.direct;
  Status status;
  if (args.proxy.data != nullptr) status = take_proxy(args, session, &way);
  if (status.is_ok() && args.unix_path.data != nullptr) status = take_unix_path(args, &way);
  // "No unix socket" is no word against the session's proxy.
  bool is_wish = args.proxy.data != nullptr || !way.unix_path.empty() || !session.direct->unix_path.empty();
  if (status.is_ok() && is_wish) out->way = std::make_shared<const Route>(std::move(way));
  return status;
}

RoutePointer choose_route(const RouteWish& wish, const Url& url) {
  const RoutePointer& usual = wish.way != nullptr ? wish.way : session_route(url, *wish.session);
  // Without TLS on the way a TLS identity makes no difference.
  bool is_for_the_proxy =
      usual->proxy != nullptr && usual->proxy->kind == ProxyKind::kHttps && usual->proxy_tls == nullptr;
  if (wish.tls != nullptr && (url.is_https || is_for_the_proxy) && wish.tls != usual->tls) {
    Route route = *usual;
    route.tls = wish.tls;
    return std::make_shared<const Route>(std::move(route));
  }
  return wish.way != nullptr ? usual : lend(usual);
}

Status check_addresses(const hc_request& args, const Route& route) {
  if (args.address_count == 0) return Status::ok();
  if (!route.unix_path.empty()) return Status::invalid("addresses: not together with a unix socket");
  bool is_resolved_there = route.proxy != nullptr && !route.proxy->wants_address();
  return is_resolved_there ? Status::invalid("addresses: the proxy looks the name up") : Status::ok();
}

}  // namespace hc
