// Owners for what OpenSSL allocates, and its errors as exceptions.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace hc::serve {

struct OpensslDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using SslContext = std::unique_ptr<SSL_CTX, OpensslDeleter>;
using Ssl = std::unique_ptr<SSL, OpensslDeleter>;
using Bio = std::unique_ptr<BIO, OpensslDeleter>;
using Certificate = std::unique_ptr<X509, OpensslDeleter>;
using Extension = std::unique_ptr<X509_EXTENSION, OpensslDeleter>;
using Key = std::unique_ptr<EVP_PKEY, OpensslDeleter>;

/// Reads from `text`, which must outlive it.
Bio text_bio(const std::string& text);

/// Throws std::runtime_error "what: OpenSSL's newest reason" unless `succeeded`; empties the thread's error
/// queue then.
void check_openssl(bool succeeded, const char* what);

}  // namespace hc::serve
