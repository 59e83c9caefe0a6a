#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace hc {

/// Certificate authorities, read once, when a TLS identity is made.
///
/// libcurl would read the file itself, on the loop and again for each multi handle (20 ms for Debian's bundle), and
/// for each connection if a directory is set as well, as it is by default (docs/curl-notes.md F1).
class TrustStore {
 public:
  /// `file` is a PEM bundle; empty trusts nobody. HC_E_TLS_CONFIG when nothing in it can be read.
  static Status load_file(const std::string& file, TrustStore* out);
  /// `text` is the contents of such a file.
  static Status load_text(const std::string& text, TrustStore* out);

  /// Lets a TLS context verify against it.
  void apply(SSL_CTX* context) const;

 private:
  struct Free {
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  };
  Status make();

  std::unique_ptr<X509_STORE, Free> store_;
};

}  // namespace hc
