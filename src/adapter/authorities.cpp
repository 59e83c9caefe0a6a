#include "adapter/authorities.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <string_view>

#include "adapter/pem.h"

namespace hc {
namespace {

/// What is left to read of something encoded in DER.
struct Der {
  const unsigned char* at;
  const unsigned char* end;

  /// Goes to the content of what comes next; its length, or -1.
  long enter() {
    constexpr int kBroken = 0x80;
    constexpr int kWithoutLength = 0x01;
    long length = 0;
    int tag = 0;
    int type = 0;
    int form = ASN1_get_object(&at, &length, &tag, &type, end - at);
    return (form & (kBroken | kWithoutLength)) == 0 ? length : -1;
  }
  bool skip() {
    long length = enter();
    if (length >= 0) at += length;
    return length >= 0;
  }
};

constexpr unsigned char kVersion = 0xa0;

// RFC 5280: Certificate { TBSCertificate { [0] version, serialNumber, signature, issuer, validity, subject, ...
X509_NAME* read_subject(std::string_view der) {
  const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
  Der rest{begin, begin + der.size()};
  if (rest.enter() < 0 || rest.enter() < 0 || rest.at == rest.end) return nullptr;
  if (*rest.at == kVersion && !rest.skip()) return nullptr;
  for (int field = 0; field < 4; ++field) {
    if (!rest.skip()) return nullptr;
  }
  return d2i_X509_NAME(nullptr, &rest.at, rest.end - rest.at);
}

bool is_certificate(std::string_view kind) {
  return kind == PEM_STRING_X509 || kind == PEM_STRING_X509_OLD || kind == PEM_STRING_X509_TRUSTED;
}

/// A block of a PEM text.
struct Block {
  ~Block() {
    OPENSSL_free(kind);
    OPENSSL_free(header);
    OPENSSL_free(bytes);
  }
  bool read(BIO* bio) { return PEM_read_bio(bio, &kind, &header, &bytes, &length) == 1; }
  std::string_view der() const { return {reinterpret_cast<char*>(bytes), static_cast<size_t>(length)}; }

  char* kind = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long length = 0;
};

}  // namespace

Authorities::Found Authorities::read(const std::string& text) {
  ERR_clear_error();
  Bio bio = open_text(text);
  bool is_good = true;
  while (is_good) {
    Block block;
    if (!block.read(bio.get())) break;
    is_good = !is_certificate(block.kind) || add(block.der());
  }
  is_good = is_good && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();  // the end of the text is an error, too, and the queue is our caller's
  if (!is_good) return Found::kBroken;
  return entries_.empty() ? Found::kNone : Found::kSome;
}

bool Authorities::add(std::string_view der) {
  std::unique_ptr<X509_NAME, FreeName> subject(read_subject(der));
  if (subject == nullptr) return false;
  entries_.push_back({std::move(subject), std::string(der)});
  return true;
}

bool Authorities::attach(std::unique_ptr<Authorities> authorities, X509_STORE* store) {
  if (X509_STORE_set_ex_data(store, index_in_store(), authorities.get()) != 1) return false;
  authorities.release();  // free_with_store()
  X509_STORE_set_get_issuer(store, find_issuer);
  X509_STORE_set_lookup_certs(store, find_by_subject);
  return true;
}

int Authorities::index_in_store() {
  static const int index = X509_STORE_get_ex_new_index(0, nullptr, nullptr, nullptr, free_with_store);
  return index;
}

void Authorities::free_with_store(void*, void* authorities, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Authorities*>(authorities);
}

int Authorities::find_issuer(X509** issuer, X509_STORE_CTX* context, X509* certificate) noexcept {
  admit(context, X509_get_issuer_name(certificate));
  return X509_STORE_CTX_get1_issuer(issuer, context, certificate);
}

STACK_OF(X509) * Authorities::find_by_subject(X509_STORE_CTX* context, const X509_NAME* subject) noexcept {
  admit(context, subject);
  return X509_STORE_CTX_get1_certs(context, subject);
}

void Authorities::admit(X509_STORE_CTX* context, const X509_NAME* subject) {
  X509_STORE* store = X509_STORE_CTX_get0_store(context);
  static_cast<Authorities*>(X509_STORE_get_ex_data(store, index_in_store()))->move_into(store, subject);
}

// All of that name: several keys may have the same one, and OpenSSL tries each.
void Authorities::move_into(X509_STORE* store, const X509_NAME* subject) {
  std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.der.empty() || X509_NAME_cmp(entry.subject.get(), subject) != 0) continue;
    ERR_set_mark();
    const auto* der = reinterpret_cast<const unsigned char*>(entry.der.data());
    Certificate authority(d2i_X509_AUX(nullptr, &der, static_cast<long>(entry.der.size())));
    if (authority != nullptr) X509_STORE_add_cert(store, authority.get());
    ERR_pop_to_mark();  // one that cannot be decoded is nobody's issuer, and no error of this connection
    entry.der = std::string();
  }
}

}  // namespace hc
