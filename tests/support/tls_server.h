// What makes a test's server speak TLS.
#pragma once

#include "serve/http_server.h"
#include "serve/test_pki.h"

namespace hc::test {

/// Certificates for the tests of a program that need none of their own.
inline const serve::TestPki& pki() {
  static const serve::TestPki made;
  return made;
}

/// A listener with that certificate.
inline serve::TlsOptions tls_with(const serve::Credential& credential) {
  return {credential.certificate_pem, credential.private_key_pem};
}

}  // namespace hc::test
