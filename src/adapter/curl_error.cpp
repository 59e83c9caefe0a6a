#include "adapter/curl_error.h"

#include <openssl/x509_vfy.h>

#include <string>
#include <system_error>

#include "model/text.h"

namespace hc {
namespace {

// CURLE_TOO_LARGE, by number: 7.88's header does not know it.
constexpr auto kTooLarge = static_cast<CURLcode>(100);

struct Mapping {
  CURLcode from;
  Code to;
};

// Every code that an http or https transfer can end with. The others belong to protocols that are switched off, or to
// our own callbacks, which say themselves what they mean: meeting one is a fault of ours.
constexpr Mapping kMappings[] = {
    {CURLE_COULDNT_RESOLVE_HOST, HC_E_DNS},
    {CURLE_COULDNT_CONNECT, HC_E_CONNECT},
    {CURLE_INTERFACE_FAILED, HC_E_CONNECT},
    {CURLE_NO_CONNECTION_AVAILABLE, HC_E_CONNECT},
    {CURLE_COULDNT_RESOLVE_PROXY, HC_E_PROXY},
    {CURLE_PROXY, HC_E_PROXY},
    {CURLE_SSL_CONNECT_ERROR, HC_E_TLS},
    {CURLE_SSL_CIPHER, HC_E_TLS},
    {CURLE_USE_SSL_FAILED, HC_E_TLS},
    {CURLE_SSL_CLIENTCERT, HC_E_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, HC_E_TLS_VERIFY},
    {CURLE_SSL_ISSUER_ERROR, HC_E_TLS_VERIFY},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, HC_E_TLS_VERIFY},
    {CURLE_SSL_INVALIDCERTSTATUS, HC_E_TLS_VERIFY},
    {CURLE_SSL_CERTPROBLEM, HC_E_TLS_CONFIG},
    {CURLE_SSL_CACERT_BADFILE, HC_E_TLS_CONFIG},
    {CURLE_SSL_CRL_BADFILE, HC_E_TLS_CONFIG},
    {CURLE_SSL_ENGINE_INITFAILED, HC_E_TLS_CONFIG},
    {CURLE_GOT_NOTHING, HC_E_DISCONNECTED},
    {CURLE_SEND_ERROR, HC_E_DISCONNECTED},
    {CURLE_RECV_ERROR, HC_E_DISCONNECTED},
    {CURLE_SEND_FAIL_REWIND, HC_E_DISCONNECTED},
    {CURLE_AGAIN, HC_E_DISCONNECTED},
    {CURLE_PARTIAL_FILE, HC_E_INCOMPLETE},
    {CURLE_WEIRD_SERVER_REPLY, HC_E_PROTOCOL},
    {CURLE_UNSUPPORTED_PROTOCOL, HC_E_PROTOCOL},  // an HTTP/0.9 answer, as libcurl says it
    {CURLE_BAD_CONTENT_ENCODING, HC_E_PROTOCOL},
    {CURLE_WRITE_ERROR, HC_E_PROTOCOL},            // bytes behind the end of a gzip body; ours are refusals
    {CURLE_BAD_FUNCTION_ARGUMENT, HC_E_PROTOCOL},  // a head whose first field is a continuation
    {CURLE_HTTP2, HC_E_PROTOCOL},
    {CURLE_HTTP2_STREAM, HC_E_PROTOCOL},
    {CURLE_FILESIZE_EXCEEDED, HC_E_TOO_LARGE},
    {kTooLarge, HC_E_TOO_LARGE},
    {CURLE_OUT_OF_MEMORY, HC_E_NOMEM},
    {CURLE_URL_MALFORMAT, HC_E_INVALID},
    {CURLE_NOT_BUILT_IN, HC_E_UNSUPPORTED},
    {CURLE_UNKNOWN_OPTION, HC_E_UNSUPPORTED},
    {CURLE_FAILED_INIT, HC_E_UNSUPPORTED},
};

Code code_of(CURLcode code) {
  for (const Mapping& mapping : kMappings) {
    if (mapping.from == code) return mapping.to;
  }
  return HC_E_INTERNAL;
}

// libcurl 7.88 to 8.23 say CURLE_RECV_ERROR for a bad chunk, as for a reset; only its text tells them apart. Until 8.14
// that is "... in chunked-encoding", in 8.23 "chunk hex-length ..." or "invalid chunk size ...".
bool is_bad_chunk(const CurlFailure& failure) {
  return failure.code == CURLE_RECV_ERROR && failure.text.find("chunk") != std::string_view::npos;
}

// libcurl 8.3 to 8.23 take at most 300 KB of heads, and say CURLE_RECV_ERROR for more, as for a reset.
bool is_too_large_a_head(const CurlFailure& failure) {
  return failure.code == CURLE_RECV_ERROR && failure.text.starts_with("Too large response headers");
}

// TLS 1.3 lets a server refuse our certificate after we think that the handshake is done. Of other alerts it may think what
// it likes: the request was sent, and the connection has ended.
bool is_refused_certificate(const CurlFailure& failure) {
  auto says = [&](std::string_view words) { return failure.text.find(words) != std::string_view::npos; };
  bool is_transport = failure.code == CURLE_RECV_ERROR || failure.code == CURLE_SEND_ERROR;
  return is_transport && !failure.is_in_body && says("SSL routines") && says(" alert ") &&
         (says("certificate") || says("unknown ca") || says("access denied"));
}

// An alert "certificate expired" is about ours, and comes inside the handshake before TLS 1.3. libcurl takes it for a
// failure to verify the server's, and then finds none to tell.
bool is_expired_here(const CurlFailure& failure) {
  return failure.code == CURLE_PEER_FAILED_VERIFICATION &&
         failure.text == "SSL certificate verification failed";
}

// TLS ended in a body without close_notify. Before 8.14.1 libcurl does not tell OpenSSL that the connection has ended, and
// says CURLE_PARTIAL_FILE.
bool is_cut_off(const CurlFailure& failure) {
  return failure.code == CURLE_RECV_ERROR && failure.is_in_body &&
         failure.text.find("unexpected eof") != std::string_view::npos;
}

// After a field Content-Length libcurl calls the end of the connection that of a body, although there is none yet.
bool is_in_head(const CurlFailure& failure) {
  return failure.code == CURLE_PARTIAL_FILE && !failure.is_in_body;
}

// Nobody wrote; libcurl 7.88 has no word of its own for what its decoders mean by that.
bool is_behind_compressed_data(const CurlFailure& failure) {
  bool says_nothing = failure.text.empty() || failure.text == curl_easy_strerror(failure.code);
  return failure.code == CURLE_WRITE_ERROR && says_nothing;
}

Code code_of(const CurlFailure& failure) {
  if (is_in_head(failure)) return HC_E_DISCONNECTED;
  if (is_bad_chunk(failure)) return HC_E_PROTOCOL;
  if (is_too_large_a_head(failure)) return HC_E_TOO_LARGE;
  if (is_refused_certificate(failure) || is_expired_here(failure)) return HC_E_TLS;
  if (is_cut_off(failure)) return HC_E_INCOMPLETE;
  return code_of(failure.code);
}

bool is_reset_while_connecting_tls(const CurlFailure& failure) {
  return failure.code == CURLE_SSL_CONNECT_ERROR && failure.os_errno != 0;
}

std::string describe(const CurlFailure& failure) {
  std::string message;
  if (!failure.where.empty()) message = failure.where + ": ";
  if (failure.code == CURLE_COULDNT_CONNECT && failure.os_errno != 0) {
    return message + "connect failed: " + std::generic_category().message(static_cast<int>(failure.os_errno));
  }
  if (is_expired_here(failure)) return message + "the server refused our certificate: it has expired";
  // Without a certificate to look at it is not 0 either.
  if (code_of(failure.code) == HC_E_TLS_VERIFY && failure.verify_result != 0) {
    return message + "certificate not acceptable: " + X509_verify_cert_error_string(failure.verify_result);
  }
  if (is_in_head(failure)) return message + "the response head has no end";
  if (is_behind_compressed_data(failure)) {
    return message + "bytes behind the end of the compressed data, such as another gzip member";
  }
  if (!failure.text.empty()) return message + escaped(failure.text, 160);
  return message + curl_easy_strerror(failure.code);
}

}  // namespace

Status status_of(const CurlFailure& failure) {
  Status status(code_of(failure), describe(failure));
  if (status.code() == HC_E_TLS_VERIFY && failure.verify_result != 0) {
    return status.with_native(HC_NATIVE_TLS, failure.verify_result);
  }
  bool has_errno = failure.os_errno != 0 &&
                   (failure.code == CURLE_COULDNT_CONNECT || is_reset_while_connecting_tls(failure));
  if (has_errno) return status.with_native(HC_NATIVE_ERRNO, failure.os_errno);
  return status.with_native(HC_NATIVE_CURL, failure.code);
}

}  // namespace hc
