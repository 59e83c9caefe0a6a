#pragma once

#include <hc/hc.h>

#include <cstddef>
#include <memory>
#include <string>

#include "base/fork.h"
#include "base/status.h"
#include "model/no_proxy.h"
#include "model/proxy.h"

namespace hc {

class TlsIdentity;
struct Url;

/// The identity of a connection: everything about the way to a server but its address. Two requests share a
/// connection, a TLS session or a multi handle only if their routes are equal. libcurl's own pool key is blind to
/// parts of it (docs/curl-notes.md F5).
///
/// Immutable once it is shared.
struct Route {
  std::shared_ptr<const TlsIdentity> tls;        // each handle is an identity of its own, whatever it holds
  std::shared_ptr<const Proxy> proxy;            // compared by what it says
  std::shared_ptr<const TlsIdentity> proxy_tls;  // of an https proxy; none: it is trusted as `tls` trusts
  std::string unix_path;                         // in place of an address; '@' begins an abstract one

  bool operator==(const Route& other) const;
  size_t hash() const;
};

using RoutePointer = std::shared_ptr<const Route>;

/// The same object without a claim on it, for somebody who lives shorter than `owned`: copies of it count nothing.
inline RoutePointer lend(const RoutePointer& owned) { return {RoutePointer(), owned.get()}; }

inline bool is_same_route(const RoutePointer& a, const RoutePointer& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

struct RouteHash {
  size_t operator()(const RoutePointer& route) const { return route != nullptr ? route->hash() : 0; }
};
struct SameRoute {
  bool operator()(const RoutePointer& a, const RoutePointer& b) const { return is_same_route(a, b); }
};

/// The ways a session's requests go when they say nothing else.
struct RouteOptions {
  RoutePointer direct = std::make_shared<const Route>();  // or to its unix socket
  RoutePointer http;                                      // through a proxy; nullptr: direct
  RoutePointer https;
  NoProxy no_proxy;
  std::shared_ptr<const TlsIdentity> proxy_tls;
  std::string trusted_proxies;  // host names, separated by commas
};

/// Whether the proxy's own address is exempt from the address policy.
bool is_trusted_proxy(const Proxy& proxy, std::string_view trusted_proxies);

/// What a request says about its way. It holds for each hop of a redirect; the session decides the rest, by the URL of
/// the hop.
struct RouteWish {
  const RouteOptions* session = nullptr;
  std::shared_ptr<const TlsIdentity> tls;  // none: the session's
  std::shared_ptr<const Route> way;        // proxy and unix socket; none: the session's
};

/// Checks what `args` says about the way.
Status read_wish(const hc_request& args, const RouteOptions& session, RouteWish* out);
/// The way to a URL.
RoutePointer choose_route(const RouteWish& wish, const Url& url);
/// Given addresses would be thrown away unseen by whoever else finds the way.
Status check_addresses(const hc_request& args, const Route& route);
/// '@' or NUL begins an abstract name, which has no file; at most 107 bytes.
Status check_unix_path(std::string_view path);

}  // namespace hc

/// What the handle of hc.h is.
struct hc_tls {
  std::shared_ptr<const hc::TlsIdentity> identity;
  hc::ForkGuard made_in;
};
