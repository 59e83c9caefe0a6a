#include "serve/test_pki.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "serve/net.h"
#include "serve/openssl_handles.h"
#include "serve/temporary_directory.h"

namespace hc::serve {

namespace {

constexpr long kDay = 24 * 60 * 60;

struct Issuer {
  Certificate certificate;
  Key key;
};

// What goes into a certificate. `issuer` null: signed by itself.
struct Recipe {
  std::string common_name;
  std::string alternative_names;  // in OpenSSL's words: "DNS:a,IP:::1"; empty: none
  const char* constraints = "critical,CA:FALSE";
  const char* key_usage = "critical,digitalSignature";
  const char* extended_usage = nullptr;
  long starts = -kDay;
  long ends = 3650 * kDay;
  const Issuer* issuer = nullptr;
};

void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  check_openssl(extension && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

void set_identity(X509* certificate, const Recipe& recipe, EVP_PKEY* key) {
  std::array<unsigned char, 16> serial;
  check_openssl(RAND_bytes(serial.data(), static_cast<int>(serial.size())) == 1, "serial number");
  serial[0] = (serial[0] & 0x3f) | 0x40;  // positive, and never shorter
  BIGNUM* number = BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
  X509_set_version(certificate, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(certificate), recipe.starts);
  X509_gmtime_adj(X509_getm_notAfter(certificate), recipe.ends);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(recipe.common_name.c_str()), -1, -1, 0);
}

Issuer make(const Recipe& recipe) {
  Issuer made{Certificate(X509_new()), Key(EVP_EC_gen("P-256"))};
  check_openssl(made.certificate && made.key, "key generation");
  X509* certificate = made.certificate.get();
  set_identity(certificate, recipe, made.key.get());
  const Issuer& issuer = recipe.issuer != nullptr ? *recipe.issuer : made;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get()));
  add_extension(certificate, issuer.certificate.get(), NID_basic_constraints, recipe.constraints);
  add_extension(certificate, issuer.certificate.get(), NID_key_usage, recipe.key_usage);
  add_extension(certificate, issuer.certificate.get(), NID_subject_key_identifier, "hash");
  // Python's strict verification refuses chains without it.
  add_extension(certificate, issuer.certificate.get(), NID_authority_key_identifier, "keyid:always");
  if (recipe.extended_usage != nullptr) {
    add_extension(certificate, issuer.certificate.get(), NID_ext_key_usage, recipe.extended_usage);
  }
  if (!recipe.alternative_names.empty()) {
    add_extension(certificate, issuer.certificate.get(), NID_subject_alt_name,
                  recipe.alternative_names.c_str());
  }
  check_openssl(X509_sign(certificate, issuer.key.get(), EVP_sha256()) > 0, "signature");
  return made;
}

std::string written_text(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(length)};
}

void write_file(const std::string& path, const std::string& text, mode_t mode) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file) throw_errno(path);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) throw_errno(path);
}

Credential save(const Issuer& made, const std::string& directory, const std::string& name) {
  const Bio certificate(BIO_new(BIO_s_mem()));
  const Bio key(BIO_new(BIO_s_mem()));
  check_openssl(PEM_write_bio_X509(certificate.get(), made.certificate.get()) == 1, "PEM");
  check_openssl(
      PEM_write_bio_PKCS8PrivateKey(key.get(), made.key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "PEM");
  Credential credential{written_text(certificate.get()), written_text(key.get()),
                        directory + "/" + name + ".pem", directory + "/" + name + ".key"};
  write_file(credential.certificate_path, credential.certificate_pem, 0644);
  write_file(credential.private_key_path, credential.private_key_pem, 0600);
  return credential;
}

std::string alternative_names(const TestPkiOptions& options) {
  std::string text;
  const auto add = [&text](std::string_view kind, const std::string& value) {
    if (!text.empty()) text += ',';
    text.append(kind).append(value);
  };
  for (const auto& name : options.names) add("DNS:", name);
  for (const auto& address : options.addresses) add("IP:", address);
  return text;
}

Recipe authority_recipe(const char* name) {
  return {
      .common_name = name, .constraints = "critical,CA:TRUE", .key_usage = "critical,keyCertSign,cRLSign"};
}

Certificate read_certificate(const Credential& credential) {
  const Bio text = text_bio(credential.certificate_pem);
  Certificate certificate(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
  check_openssl(certificate != nullptr, "certificate");
  return certificate;
}

}  // namespace

TestPki::TestPki(TestPkiOptions options)
    : directory_(options.directory.empty() ? make_temporary_directory("hc-pki") : options.directory),
      owns_directory_(options.directory.empty()) {
  std::filesystem::create_directories(directory_);
  const Issuer authority = make(authority_recipe("hc test CA"));
  const Issuer other = make(authority_recipe("hc other CA"));
  const std::string names = alternative_names(options);
  const std::string main_name = options.names.empty() ? "server" : options.names.front();

  const Recipe server{.common_name = main_name,
                      .alternative_names = names,
                      .extended_usage = "serverAuth",
                      .issuer = &authority};
  Recipe wrong_name = server;
  wrong_name.common_name = "wrong.invalid";
  wrong_name.alternative_names = "DNS:wrong.invalid";
  Recipe expired = server;
  expired.starts = -30 * kDay;
  expired.ends = -kDay;
  Recipe self_signed = server;
  self_signed.issuer = nullptr;
  Recipe client{.common_name = "hc test client", .extended_usage = "clientAuth", .issuer = &authority};
  Recipe other_client = client;
  other_client.issuer = &other;

  ca_ = save(authority, directory_, "ca");
  other_ca_ = save(other, directory_, "other_ca");
  server_ = save(make(server), directory_, "server");
  wrong_name_ = save(make(wrong_name), directory_, "wrong_name");
  expired_ = save(make(expired), directory_, "expired");
  self_signed_ = save(make(self_signed), directory_, "self_signed");
  client_ = save(make(client), directory_, "client");
  other_client_ = save(make(other_client), directory_, "other_client");
}

TestPki::~TestPki() {
  std::error_code ignored;
  if (owns_directory_) std::filesystem::remove_all(directory_, ignored);
}

std::string public_key_pin(const Credential& credential) {
  const Certificate certificate = read_certificate(credential);
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(X509_get0_pubkey(certificate.get()), &der);
  check_openssl(length > 0, "public key");
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  const int succeeded =
      EVP_Digest(der, static_cast<std::size_t>(length), digest.data(), &size, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  check_openssl(succeeded == 1, "digest");
  std::array<unsigned char, 64> text{};
  EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(size));
  return std::string("sha256//") + reinterpret_cast<const char*>(text.data());
}

std::string certificate_fingerprint(const Credential& credential) {
  const Certificate certificate = read_certificate(credential);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  check_openssl(X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) == 1, "digest");
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    std::array<char, 3> pair{};
    std::snprintf(pair.data(), pair.size(), "%02x", digest[i]);
    text += pair.data();
  }
  return text;
}

}  // namespace hc::serve
