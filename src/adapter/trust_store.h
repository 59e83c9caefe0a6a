#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace hc {

/// Whom a TLS identity trusts, read once, when it is made.
///
/// libcurl would read the file itself, on the loop and again for each multi handle (20 ms for Debian's bundle), and
/// for each connection if a directory is set as well, as it is by default (docs/curl-notes.md F1).
class TrustStore {
 public:
  /// One that trusts nobody.
  static Status create(TrustStore* out);
  /// Trusts what is in a PEM text. HC_E_TLS_CONFIG when that is nothing, or one of them cannot be read.
  Status load(const std::string& text);

  /// Lets a TLS context verify against it.
  void apply(SSL_CTX* context) const;

 private:
  struct Free {
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  };

  std::unique_ptr<X509_STORE, Free> store_;
};

}  // namespace hc
