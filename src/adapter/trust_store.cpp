#include "adapter/trust_store.h"

#include <openssl/err.h>

namespace hc {

Status TrustStore::load(const std::string& file, TrustStore* out) {
  out->store_.reset(X509_STORE_new());
  if (out->store_ == nullptr) return {HC_E_NOMEM, ""};
  // A chain may end at any certificate that the bundle trusts, as libcurl has it by default.
  X509_STORE_set_flags(out->store_.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  if (file.empty()) return Status::ok();
  bool is_good = X509_STORE_load_file(out->store_.get(), file.c_str()) == 1;
  ERR_clear_error();  // the error queue belongs to the thread, and so to our caller
  return is_good ? Status::ok()
                 : Status(HC_E_TLS_CONFIG, "ca_file: no certificate could be read from " + file);
}

void TrustStore::apply(SSL_CTX* context) const { SSL_CTX_set1_cert_store(context, store_.get()); }

}  // namespace hc
