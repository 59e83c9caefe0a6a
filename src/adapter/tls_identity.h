#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adapter/pem.h"
#include "adapter/trust_store.h"
#include "base/fd.h"
#include "base/status.h"

namespace hc {

/// What a TLS identity is made of; hc_tls_options without "not set".
struct TlsOptions {
  bool verify = true;
  int min_version = TLS1_2_VERSION;
  std::string ca_file;  // used when ca_pem is empty
  std::string ca_pem;
  bool is_ca_file_given = true;  // else one that cannot be read is no error: then nobody is trusted
  std::string certificate_file;
  std::string certificate_pem;
  std::string key_file;
  std::string key_pem;
  std::string key_password;
  std::vector<std::string> pins;  // 32 bytes each
  std::string server_name;
  std::string key_log_file;

  /// Those of the environment or the system, if the caller has named none.
  void complete_authorities();
};

/// What is found out about one connection. Shared by its TLS context and whoever rides it, since either may be gone
/// first.
struct TlsFindings {
  std::string rejected_pin;       // hex; empty: the pins were not the reason that it failed
  bool has_close_notify = false;  // the server has said that nothing more comes
  uint64_t records_begun = 0;     // of those received
};

/// Whom a connection trusts, and who we are on it. Everything is read and parsed when it is made; immutable and
/// shared by any number of loops after that.
class TlsIdentity {
 public:
  static Status create(const TlsOptions& options, std::shared_ptr<const TlsIdentity>* out);

  bool verifies() const { return verify_; }
  /// Why it knows no authority; usually empty.
  const std::string& why_nobody_is_trusted() const { return why_nobody_is_trusted_; }
  /// libcurl is to compare the certificate's name with the URL's host.
  bool verifies_url_host() const { return verify_ && server_name_.empty(); }

  /// Sets a new connection's context up. False: out of memory, or OpenSSL refused.
  static bool apply(const std::shared_ptr<const TlsIdentity>& self, SSL_CTX* context,
                    std::shared_ptr<TlsFindings> findings);
  /// The same for a proxy on the way: whom to trust, and nothing about who we are.
  bool apply_trust(SSL_CTX* context, std::shared_ptr<TlsFindings> findings) const;

 private:
  struct Hold;
  static const Hold& hold_of(const SSL* tls);
  static int hold_index();
  static Hold* attach(SSL_CTX* context, std::unique_ptr<Hold> hold);
  static void drop_hold(void* parent, void* hold, CRYPTO_EX_DATA* data, int index, long argl, void* argp);
  static int verify_callback(X509_STORE_CTX* store, void* hold);
  static void info_callback(const SSL* tls, int where, int result);
  static void message_callback(int is_written, int version, int type, const void* bytes, size_t size,
                               SSL* tls, void* arg);
  void set_server_name(const SSL* tls) const;
  static void key_log_callback(const SSL* tls, const char* line);

  Status load_trust(const TlsOptions& options);
  Status load_certificate(const TlsOptions& options);
  Status load_key(const TlsOptions& options, const std::string& certificate_text);
  Status open_key_log(const std::string& file);
  bool apply_authorities(SSL_CTX* context) const;
  bool apply_certificate(SSL_CTX* context) const;
  bool apply_server_name(SSL_CTX* context) const;
  bool is_pinned(const X509* certificate, TlsFindings* findings) const;

  bool verify_ = true;
  int min_version_ = TLS1_2_VERSION;
  TrustStore trust_;
  std::string why_nobody_is_trusted_;
  Certificate certificate_;
  std::vector<Certificate> chain_;
  PrivateKey key_;
  std::vector<std::string> pins_;
  std::string server_name_;
  bool is_name_an_address_ = false;
  Fd key_log_;
};

}  // namespace hc
