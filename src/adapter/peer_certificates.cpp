#include "adapter/peer_certificates.h"

#include <hc/hc.h>
#include <openssl/ssl.h>

#include "adapter/pem.h"

namespace hc {

SSL* tls_of(CURL* easy) {
  curl_tlssessioninfo* info = nullptr;
  curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info);
  bool is_ours = info != nullptr && info->backend == CURLSSLBACKEND_OPENSSL;
  return is_ours ? static_cast<SSL*>(info->internals) : nullptr;
}

std::vector<std::string> peer_certificates(CURL* easy, int form) {
  SSL* tls = tls_of(easy);
  if (tls == nullptr) return {};
  Certificate own(SSL_get1_peer_certificate(tls));
  if (own == nullptr) return {};
  auto write = form == HC_CERTIFICATES_PEM ? to_pem : to_der;
  std::vector<std::string> all{write(own.get())};
  // For a client the chain begins with the server's own; a session that libcurl kept as bytes (since 8.12) has none.
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(tls);
  for (int i = 1; i < sk_X509_num(chain); ++i) all.push_back(write(sk_X509_value(chain, i)));
  return all;
}

}  // namespace hc
