#include "adapter/trust_store.h"

#include <openssl/err.h>

#include "adapter/pem.h"

namespace hc {

Status TrustStore::make() {
  store_.reset(X509_STORE_new());
  if (store_ == nullptr) return {HC_E_NOMEM, ""};
  // A chain may end at any certificate that the bundle trusts, as libcurl has it by default.
  X509_STORE_set_flags(store_.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  return Status::ok();
}

Status TrustStore::load_file(const std::string& file, TrustStore* out) {
  if (Status status = out->make(); !status.is_ok() || file.empty()) return status;
  bool is_good = X509_STORE_load_file(out->store_.get(), file.c_str()) == 1;
  ERR_clear_error();  // the error queue belongs to the thread, and so to our caller
  return is_good ? Status::ok()
                 : Status(HC_E_TLS_CONFIG, "ca_file: no certificate could be read from " + file);
}

Status TrustStore::load_text(const std::string& text, TrustStore* out) {
  if (Status status = out->make(); !status.is_ok()) return status;
  std::vector<Certificate> authorities = read_certificates(text);
  if (authorities.empty()) return {HC_E_TLS_CONFIG, "ca_pem: no certificate could be read"};
  for (const Certificate& authority : authorities) {
    if (X509_STORE_add_cert(out->store_.get(), authority.get()) != 1) return {HC_E_NOMEM, ""};
  }
  return Status::ok();
}

void TrustStore::apply(SSL_CTX* context) const { SSL_CTX_set1_cert_store(context, store_.get()); }

}  // namespace hc
