#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace hc {

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeKey>;

/// For reading `text`, which must outlive it.
Bio open_text(const std::string& text);
/// All certificates in a PEM text, in order; whatever else is in it is skipped.
std::vector<Certificate> read_certificates(const std::string& text);
/// The first private key in a PEM text, or nullptr. Never asks anybody for a password.
PrivateKey read_private_key(const std::string& text, const std::string& password);
/// The bytes of a certificate (DER).
std::string to_der(const X509* certificate);
std::string to_pem(const X509* certificate);
/// SHA-256 of its bytes, 32 of them.
std::string sha256_of(const X509* certificate);

}  // namespace hc
