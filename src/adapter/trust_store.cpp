#include "adapter/trust_store.h"

#include <memory>
#include <utility>

#include "adapter/authorities.h"

namespace hc {

Status TrustStore::create(TrustStore* out) {
  out->store_.reset(X509_STORE_new());
  if (out->store_ == nullptr) return {HC_E_NOMEM, ""};
  // A chain may end at any certificate that the bundle trusts, as libcurl has it by default.
  X509_STORE_set_flags(out->store_.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  return Status::ok();
}

Status TrustStore::load(const std::string& text) {
  auto authorities = std::make_unique<Authorities>();
  switch (authorities->read(text)) {
    case Authorities::Found::kNone: return {HC_E_TLS_CONFIG, "no certificate could be read"};
    case Authorities::Found::kBroken:
      return {HC_E_TLS_CONFIG,
              "certificate " + std::to_string(authorities->size() + 1) + " of it could not be read"};
    case Authorities::Found::kSome: break;
  }
  return Authorities::attach(std::move(authorities), store_.get()) ? Status::ok() : Status(HC_E_NOMEM, "");
}

void TrustStore::apply(SSL_CTX* context) const { SSL_CTX_set1_cert_store(context, store_.get()); }

}  // namespace hc
