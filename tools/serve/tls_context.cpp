#include "serve/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <stdexcept>
#include <string_view>

namespace hc::serve {

namespace {

int protocol_number(TlsVersion version) {
  switch (version) {
    case TlsVersion::kTls10: return TLS1_VERSION;
    case TlsVersion::kTls11: return TLS1_1_VERSION;
    case TlsVersion::kTls12: return TLS1_2_VERSION;
    case TlsVersion::kTls13: return TLS1_3_VERSION;
  }
  return TLS1_2_VERSION;
}

void use_certificate(SSL_CTX* context, const TlsOptions& options) {
  const Bio chain = text_bio(options.certificate_pem);
  const Certificate leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  check_openssl(leaf && SSL_CTX_use_certificate(context, leaf.get()) == 1, "certificate");
  while (X509* link = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    check_openssl(SSL_CTX_add0_chain_cert(context, link) == 1, "certificate chain");
  }
  ERR_clear_error();  // the end of the text is reported as an error
  const Bio key_text = text_bio(options.private_key_pem);
  const Key key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  check_openssl(key && SSL_CTX_use_PrivateKey(context, key.get()) == 1, "private key");
}

void trust_clients(SSL_CTX* context, const TlsOptions& options) {
  if (options.client_ca_pem.empty()) return;
  const Bio text = text_bio(options.client_ca_pem);
  while (X509* link = PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)) {
    const Certificate authority(link);
    check_openssl(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), link) == 1, "client CA");
    check_openssl(SSL_CTX_add_client_CA(context, link) == 1, "client CA");
  }
  ERR_clear_error();
  const int must_have = options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | must_have, nullptr);
}

void set_resumption(SSL_CTX* context, const TlsOptions& options) {
  // Without a context id OpenSSL refuses to resume sessions once client certificates are asked for.
  constexpr std::string_view kContextId = "hc-serve";
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kContextId.data()),
                                 static_cast<unsigned>(kContextId.size()));
  if (options.session_tickets) return;
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

// A client that offers only h2 goes on without ALPN, and notices.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* offered,
                    unsigned offered_length, void*) {
  constexpr std::string_view kProtocol = "http/1.1";
  for (unsigned i = 0; i < offered_length; i += offered[i] + 1u) {
    const std::string_view name(reinterpret_cast<const char*>(offered) + i + 1, offered[i]);
    if (name != kProtocol) continue;
    *out = offered + i + 1;
    *out_length = offered[i];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Bio text_bio(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void check_openssl(bool succeeded, const char* what) {
  if (succeeded) return;
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_peek_last_error(), reason.data(), reason.size());
  ERR_clear_error();
  throw std::runtime_error(std::string(what) + ": " + reason.data());
}

SslContext make_tls_context(const TlsOptions& options) {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  check_openssl(context != nullptr, "SSL_CTX_new");
  // TLS 1.0 and 1.1 need SHA-1, which OpenSSL 3 allows on security level 0 only.
  if (options.minimum_version < TlsVersion::kTls12) SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), protocol_number(options.minimum_version));
  SSL_CTX_set_max_proto_version(context.get(), protocol_number(options.maximum_version));
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  use_certificate(context.get(), options);
  trust_clients(context.get(), options);
  set_resumption(context.get(), options);
  return context;
}

}  // namespace hc::serve
