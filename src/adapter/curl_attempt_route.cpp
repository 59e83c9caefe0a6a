// CurlAttempt: the part of a handle that its route decides, TLS and proxy.
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "adapter/curl_attempt.h"
#include "adapter/curl_lane.h"
#include "adapter/curl_transport.h"
#include "adapter/peer_certificates.h"
#include "model/text.h"

namespace hc {

// What all requests of one route have in common, and the others must not: set when the handle changes lanes.
void CurlAttempt::enter(CurlLane& lane) {
  bool has_tls = plan_.request->is_https || !lane.proxy_url().empty();
  // A plain request takes any of them too: a handle that runs without one makes a table of its own, which libcurl
  // (7.88, lib/setopt.c) loses when the handle is given a share later.
  bool needs_sessions = has_tls || sessions_ == nullptr;
  CURLSH* sessions = needs_sessions ? lane.sessions_of(plan_.request->host) : sessions_;
  if (sessions != sessions_) set(CURLOPT_SHARE, sessions_ = sessions);
  if (lane_ == lane.number()) return;
  lane_ = lane.number();
  const TlsIdentity& tls = *lane.route()->tls;
  set(CURLOPT_SSL_VERIFYPEER, tls.verifies() ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, tls.verifies_url_host() ? 2L : 0L);
  set_proxy(lane);
}

// Each of them every time: what is left of another route's proxy must not go along.
void CurlAttempt::set_proxy(const CurlLane& lane) {
  const Route& route = *lane.route();
  const Proxy* proxy = route.proxy.get();
  bool has_credentials = proxy != nullptr && proxy->has_credentials;
  set(CURLOPT_PROXY, lane.proxy_url().c_str());  // empty: none, whatever http_proxy in the environment says
  set(CURLOPT_PROXYUSERNAME, has_credentials ? proxy->username.c_str() : nullptr);
  set(CURLOPT_PROXYPASSWORD, has_credentials ? proxy->password.c_str() : nullptr);
  set(CURLOPT_PROXYHEADER, lane.proxy_headers());
  const TlsIdentity& tls = route.proxy_tls != nullptr ? *route.proxy_tls : *route.tls;
  set(CURLOPT_PROXY_SSL_VERIFYPEER, tls.verifies() ? 1L : 0L);
  // The default proxy identity has no name of its own: `tls` may be named after the server.
  bool verifies_host = route.proxy_tls != nullptr ? tls.verifies_url_host() : tls.verifies();
  set(CURLOPT_PROXY_SSL_VERIFYHOST, verifies_host ? 2L : 0L);
}

bool CurlAttempt::has_plain_connection() const {
  bool has_tls_proxy = route().proxy != nullptr && route().proxy->kind == ProxyKind::kHttps;
  return !plan_.request->is_https && !has_tls_proxy;
}

// Through its proxy: TLS with the server has begun.
bool CurlAttempt::has_tunnel() const {
  int of_proxy = route().proxy->kind == ProxyKind::kHttps ? 1 : 0;
  return tls_contexts_ > of_proxy;
}

void CurlAttempt::choose(Connection& connection) {
  choice_ = &connection;
  connection.chooser = this;
}

void CurlAttempt::unchoose() {
  if (choice_ != nullptr) choice_->chooser = nullptr;
  choice_ = nullptr;
}

void CurlAttempt::set_pool_name(const std::string& line) {
  pool_name_ = line;
  pool_name_field_.data = pool_name_.data();
  set(CURLOPT_CONNECT_TO, &pool_name_field_);
}

std::string CurlAttempt::where() const {
  if (!made_socket_) return "";
  return route().unix_path.empty() ? plan_.remote.to_string() : "unix socket " + escaped(route().unix_path);
}

CURLcode CurlAttempt::tls_callback(CURL*, void* context, void* self) noexcept {
  try {
    return static_cast<CurlAttempt*>(self)->set_up_tls(static_cast<SSL_CTX*>(context));
  } catch (...) {
    return CURLE_OUT_OF_MEMORY;
  }
}

CURLcode CurlAttempt::set_up_tls(SSL_CTX* context) {
  // libcurl writes TLS keys to $SSLKEYLOGFILE by itself (F23). The environment of the program that hosts us is no
  // reason to give a user's keys away.
  SSL_CTX_set_keylog_callback(context, nullptr);
  bool is_proxy =
      tls_contexts_++ == 0 && route().proxy != nullptr && route().proxy->kind == ProxyKind::kHttps;
  const auto& tls = is_proxy && route().proxy_tls != nullptr ? route().proxy_tls : route().tls;
  findings_ = std::make_shared<TlsFindings>();  // the server's, if it has TLS, comes last
  bool is_good = is_proxy && route().proxy_tls == nullptr ? tls->apply_trust(context, findings_)
                                                          : TlsIdentity::apply(tls, context, findings_);
  return is_good ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

bool CurlAttempt::keep_certificates() {
  try {
    builder().response().certificates = peer_certificates(easy_, plan_.request->certificates);
    return true;
  } catch (...) {
    refusal_ = Status(HC_E_NOMEM, "");
    return false;
  }
}

Status CurlAttempt::pin_mismatch() const {
  Status status(HC_E_TLS_VERIFY,
                where() + ": the certificate is not a pinned one; its SHA-256 is " + findings_->rejected_pin);
  return status.with_native(HC_NATIVE_TLS, X509_V_ERR_APPLICATION_VERIFICATION);
}

}  // namespace hc
