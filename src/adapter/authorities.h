#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace hc {

/// Certificates that are trusted, each decoded when a chain first asks for its subject.
///
/// OpenSSL 3 takes some 150 us to decode one, nearly all of it for the key, and of a system's 140 a program meets a few:
/// with all of them a session took 17 ms to make. The names alone take 1 ms.
///
/// Rules: any thread.
class Authorities {
 public:
  enum class Found : uint8_t { kSome, kNone, kBroken };
  /// Adds those in a PEM text. Whatever else is in it is skipped, but for what claims to be one of them.
  Found read(const std::string& text);
  /// How many it has.
  size_t size() const { return entries_.size(); }

  /// Has a store ask for them, and owned by it from now on.
  static bool attach(std::unique_ptr<Authorities> authorities, X509_STORE* store);

 private:
  struct FreeName {
    void operator()(X509_NAME* name) const { X509_NAME_free(name); }
  };
  struct Entry {
    std::unique_ptr<X509_NAME, FreeName> subject;
    std::string der;  // empty: the store has it
  };

  static int index_in_store();
  static void free_with_store(void*, void* authorities, CRYPTO_EX_DATA*, int, long, void*);
  static int find_issuer(X509** issuer, X509_STORE_CTX* context, X509* certificate) noexcept;
  static STACK_OF(X509) * find_by_subject(X509_STORE_CTX* context, const X509_NAME* subject) noexcept;
  static void admit(X509_STORE_CTX* context, const X509_NAME* subject);

  bool add(std::string_view der);
  void move_into(X509_STORE* store, const X509_NAME* subject);

  std::vector<Entry> entries_;
  std::mutex mutex_;  // guards what is left in them
};

}  // namespace hc
