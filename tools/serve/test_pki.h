// TestPki: a certificate authority of one's own, made in memory in a few milliseconds (P-256), for TLS tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace hc::serve {

/// One certificate and its key: as PEM text and as files.
struct Credential {
  std::string certificate_pem;
  std::string private_key_pem;
  std::string certificate_path;  ///< PEM file
  std::string private_key_path;  ///< PEM file
};

struct TestPkiOptions {
  std::vector<std::string> names{"localhost"};  ///< DNS names of server(); "*.example.test" is allowed
  std::vector<std::string> addresses{"127.0.0.1", "::1"};  ///< IP addresses of server()
  /// Where the files go. Empty: a fresh directory under TMPDIR (or /tmp) that the destructor removes. A
  /// directory given here is created if missing, and kept.
  std::string directory;
};

/// Throws std::runtime_error when OpenSSL or the file system refuses. Immutable after construction. Threads:
/// any.
class TestPki {
 public:
  explicit TestPki(TestPkiOptions options = {});
  ~TestPki();
  TestPki(const TestPki&) = delete;
  TestPki& operator=(const TestPki&) = delete;

  const std::string& directory() const { return directory_; }

  const Credential& ca() const { return ca_; }                  ///< ca.pem, ca.key: what clients should trust
  const Credential& server() const { return server_; }          ///< valid for the names and addresses given
  const Credential& wrong_name() const { return wrong_name_; }  ///< signed by ca(), for "wrong.invalid" only
  const Credential& expired() const { return expired_; }        ///< right names, ended yesterday
  const Credential& self_signed() const { return self_signed_; }  ///< right names, signed by itself
  const Credential& client() const { return client_; }  ///< for client authentication, signed by ca()
  const Credential& other_ca() const {
    return other_ca_;
  }  ///< another authority that signed nothing else than
  const Credential& other_client() const { return other_client_; }  ///< this client certificate

 private:
  std::string directory_;
  bool owns_directory_ = false;
  Credential ca_, server_, wrong_name_, expired_, self_signed_, client_, other_ca_, other_client_;
};

/// SHA-256 of the certificate's public key, base64, as curl's pinning wants it: "sha256//...".
std::string public_key_pin(const Credential& credential);
/// SHA-256 of the whole certificate (DER), lower-case hex.
std::string certificate_fingerprint(const Credential& credential);

}  // namespace hc::serve
