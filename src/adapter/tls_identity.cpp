#include "adapter/tls_identity.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "adapter/curl_runtime.h"
#include "model/ip_address.h"
#include "model/text.h"

namespace hc {

// Everything that OpenSSL calls back with lives in here, as long as the context: a server may ask for a new handshake
// when the attempt that opened the connection is long gone.
struct TlsIdentity::Hold {
  std::shared_ptr<const TlsIdentity> identity;  // none: only findings are wanted
  std::shared_ptr<TlsFindings> findings;
};

namespace {

constexpr std::streamsize kMaxFile = 16 << 20;

Status bad(const char* option, const std::string& what) {
  return {HC_E_TLS_CONFIG, std::string(option) + ": " + what};
}

Status read_file(const char* option, const std::string& path, std::string* out) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return bad(option, "cannot open " + path + ": " + std::strerror(errno));
  std::string text;
  text.resize(4096);
  std::string all;
  while (file.read(text.data(), static_cast<std::streamsize>(text.size())), file.gcount() > 0) {
    all.append(text, 0, static_cast<size_t>(file.gcount()));
    if (static_cast<std::streamsize>(all.size()) > kMaxFile)
      return bad(option, path + " is longer than 16 MiB");
  }
  if (file.bad()) return bad(option, "cannot read " + path);
  *out = std::move(all);
  return Status::ok();
}

}  // namespace

Status TlsIdentity::create(const TlsOptions& options, std::shared_ptr<const TlsIdentity>* out) {
  auto identity = std::make_shared<TlsIdentity>();
  identity->verify_ = options.verify;
  identity->min_version_ = options.min_version;
  identity->pins_ = options.pins;
  identity->server_name_ = options.server_name;
  identity->is_name_an_address_ = IpAddress::parse(options.server_name).has_value();
  if (Status status = identity->load_trust(options); !status.is_ok()) return status;
  if (Status status = identity->load_certificate(options); !status.is_ok()) return status;
  if (Status status = identity->open_key_log(options.key_log_file); !status.is_ok()) return status;
  *out = std::move(identity);
  return Status::ok();
}

void TlsOptions::complete_authorities() {
  if (!ca_file.empty() || !ca_pem.empty()) return;
  ca_file = CurlRuntime::default_ca_file();
  is_ca_file_given = false;
}

Status TlsIdentity::load_trust(const TlsOptions& options) {
  if (Status status = TrustStore::create(&trust_); !status.is_ok() || !options.verify) return status;
  bool is_file = options.ca_pem.empty();
  if (is_file && options.ca_file.empty()) return Status::ok();
  std::string text = options.ca_pem;
  if (is_file) {
    Status status = read_file(options.is_ca_file_given ? "ca_file" : "SSL_CERT_FILE", options.ca_file, &text);
    if (!status.is_ok() && options.is_ca_file_given) return status;
    if (!status.is_ok()) {
      why_nobody_is_trusted_ = status.message();
      return Status::ok();
    }
  }
  Status status = trust_.load(text);
  if (status.code() != HC_E_TLS_CONFIG) return status;
  return is_file ? bad("ca_file", status.message() + " (" + options.ca_file + ")")
                 : bad("ca_pem", status.message());
}

Status TlsIdentity::load_certificate(const TlsOptions& options) {
  bool is_file = options.certificate_pem.empty();
  if (is_file && options.certificate_file.empty()) return Status::ok();
  const char* option = is_file ? "certificate_file" : "certificate_pem";
  std::string text = options.certificate_pem;
  if (is_file) {
    if (Status status = read_file(option, options.certificate_file, &text); !status.is_ok()) return status;
  }
  chain_ = read_certificates(text);
  if (chain_.empty()) return bad(option, "no certificate could be read");
  certificate_ = std::move(chain_.front());
  chain_.erase(chain_.begin());
  return load_key(options, text);
}

Status TlsIdentity::load_key(const TlsOptions& options, const std::string& certificate_text) {
  const char* option = !options.key_pem.empty() ? "key_pem" : "key_file";
  std::string text = options.key_pem;
  if (text.empty() && options.key_file.empty()) {
    text = certificate_text;
  } else if (text.empty()) {
    if (Status status = read_file(option, options.key_file, &text); !status.is_ok()) return status;
  }
  key_ = read_private_key(text, options.key_password);
  if (key_ == nullptr) {
    return bad(option, options.key_password.empty()
                           ? "no private key could be read (if it is encrypted, key_password)"
                           : "no private key could be read with that key_password");
  }
  bool fits = X509_check_private_key(certificate_.get(), key_.get()) == 1;
  ERR_clear_error();
  return fits ? Status::ok() : bad(option, "the private key is not that of the certificate");
}

Status TlsIdentity::open_key_log(const std::string& file) {
  if (file.empty()) return Status::ok();
  key_log_ = Fd(open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!key_log_.is_open()) return bad("key_log_file", "cannot open " + file + ": " + std::strerror(errno));
  return Status::ok();
}

bool TlsIdentity::apply(const std::shared_ptr<const TlsIdentity>& self, SSL_CTX* context,
                        std::shared_ptr<TlsFindings> findings) {
  bool is_good = self->apply_authorities(context) && self->apply_certificate(context);
  if (!is_good) return false;
  Hold* hold = attach(context, std::make_unique<Hold>(Hold{self, std::move(findings)}));
  if (hold == nullptr) return false;
  if (!self->pins_.empty()) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);  // also where the chain is trusted unseen
    SSL_CTX_set_cert_verify_callback(context, verify_callback, hold);
  }
  if (self->key_log_.is_open()) SSL_CTX_set_keylog_callback(context, key_log_callback);
  return self->apply_server_name(context);
}

bool TlsIdentity::apply_trust(SSL_CTX* context, std::shared_ptr<TlsFindings> findings) const {
  auto hold = std::make_unique<Hold>(Hold{nullptr, std::move(findings)});
  return apply_authorities(context) && attach(context, std::move(hold)) != nullptr;
}

// The context's from then on; nullptr: OpenSSL refused.
TlsIdentity::Hold* TlsIdentity::attach(SSL_CTX* context, std::unique_ptr<Hold> hold) {
  if (SSL_CTX_set_ex_data(context, hold_index(), hold.get()) != 1) return nullptr;
  SSL_CTX_set_info_callback(context, info_callback);
  SSL_CTX_set_msg_callback(context, message_callback);
  return hold.release();
}

bool TlsIdentity::apply_authorities(SSL_CTX* context) const {
  if (verify_) trust_.apply(context);
  return SSL_CTX_set_min_proto_version(context, min_version_) == 1;
}

bool TlsIdentity::apply_certificate(SSL_CTX* context) const {
  if (certificate_ == nullptr) return true;
  bool is_good = SSL_CTX_use_certificate(context, certificate_.get()) == 1 &&
                 SSL_CTX_use_PrivateKey(context, key_.get()) == 1;
  for (const Certificate& link : chain_) {
    is_good = is_good && SSL_CTX_add1_chain_cert(context, link.get()) == 1;
  }
  ERR_clear_error();
  return is_good;
}

// libcurl knows no name but the URL's: it is changed at the last moment, before the first message is written.
bool TlsIdentity::apply_server_name(SSL_CTX* context) const {
  if (server_name_.empty()) return true;
  if (!verify_) return true;
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
  return is_name_an_address_
             ? X509_VERIFY_PARAM_set1_ip_asc(rules, server_name_.c_str()) == 1
             : X509_VERIFY_PARAM_set1_host(rules, server_name_.data(), server_name_.size()) == 1;
}

int TlsIdentity::hold_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, drop_hold);
  return index;
}

void TlsIdentity::drop_hold(void*, void* hold, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Hold*>(hold);
}

const TlsIdentity::Hold& TlsIdentity::hold_of(const SSL* tls) {
  return *static_cast<const Hold*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(tls), hold_index()));
}

void TlsIdentity::info_callback(const SSL* tls, int where, int result) {
  const Hold& hold = hold_of(tls);
  bool has_name = hold.identity != nullptr && !hold.identity->server_name_.empty();
  if (where == SSL_CB_HANDSHAKE_START && has_name) hold.identity->set_server_name(tls);
  // Of an alert the level stands above its description.
  if (where == SSL_CB_READ_ALERT && (result & 0xff) == SSL_AD_CLOSE_NOTIFY) {
    hold.findings->has_close_notify = true;
  }
}

// OpenSSL shows the header of each record, as soon as it has that.
void TlsIdentity::message_callback(int is_written, int, int type, const void*, size_t, SSL* tls, void*) {
  if (is_written == 0 && type == SSL3_RT_HEADER) ++hold_of(tls).findings->records_begun;
}

void TlsIdentity::set_server_name(const SSL* tls) const {
  // RFC 6066 3: an address is no name to ask for.
  char* name = is_name_an_address_ ? nullptr : const_cast<char*>(server_name_.c_str());
  // What the macro SSL_set_tlsext_host_name() does, without its C cast.
  SSL_ctrl(const_cast<SSL*>(tls), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name);
}

// In one write, so that lines of several loops do not mix.
void TlsIdentity::key_log_callback(const SSL* tls, const char* line) {
  std::string text = std::string(line) + '\n';
  ssize_t written = write(hold_of(tls).identity->key_log_.get(), text.data(), text.size());
  (void)written;  // a full disk is no reason to end a connection
}

int TlsIdentity::verify_callback(X509_STORE_CTX* store, void* data) {
  const auto& hold = *static_cast<const Hold*>(data);
  if (hold.identity->verify_ && X509_verify_cert(store) != 1) return 0;
  if (hold.identity->is_pinned(X509_STORE_CTX_get0_cert(store), hold.findings.get())) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

bool TlsIdentity::is_pinned(const X509* certificate, TlsFindings* findings) const {
  std::string digest = certificate != nullptr ? sha256_of(certificate) : std::string();
  if (std::find(pins_.begin(), pins_.end(), digest) != pins_.end()) return true;
  if (findings != nullptr) findings->rejected_pin = to_hex(digest);
  return false;
}

}  // namespace hc
