#include "adapter/curl_runtime.h"

#include <openssl/crypto.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <span>
#include <string_view>

#include "adapter/curl_memory.h"

namespace hc {
namespace {

// A program may end by exit() while sessions work, and OpenSSL would be taken down under their threads. Of no use if
// somebody else in the process has set OpenSSL up before.
void keep_tls_until_the_end() { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr); }

Status initialise() {
  keep_tls_until_the_end();
  if (CURLcode code = CurlMemory::init_curl(); code != CURLE_OK) {
    return Status(HC_E_UNSUPPORTED, "curl_global_init failed").with_native(HC_NATIVE_CURL, code);
  }
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  if (info->version_num < curl_version_of(7, 88, 0)) {
    return {HC_E_UNSUPPORTED, std::string("libcurl ") + info->version + " is older than 7.88"};
  }
  if ((info->features & CURL_VERSION_SSL) == 0)
    return {HC_E_UNSUPPORTED, "this libcurl is built without TLS"};
  return Status::ok();
}

struct Feature {
  int bit;
  const char* name;
};

std::string names_of(std::span<const Feature> features, std::string_view separator) {
  std::string names;
  int bits = curl_version_info(CURLVERSION_NOW)->features;
  for (const Feature& feature : features) {
    if ((bits & feature.bit) == 0) continue;
    if (!names.empty()) names += separator;
    names += feature.name;
  }
  return names;
}

}  // namespace

Status CurlRuntime::require() {
  static std::once_flag once;
  static Status* result = new Status;
  std::call_once(once, [] { *result = initialise(); });
  return *result;
}

// libcurl puts its list of versions together at each call: 3,900 instructions, and this is asked for each request.
uint32_t CurlRuntime::version_number() {
  static const uint32_t number = curl_version_info(CURLVERSION_NOW)->version_num;
  return number;
}

std::string CurlRuntime::version() { return curl_version_info(CURLVERSION_NOW)->version; }

std::string CurlRuntime::tls_version() {
  const char* version = curl_version_info(CURLVERSION_NOW)->ssl_version;
  return version != nullptr ? version : "";
}

std::string CurlRuntime::features() {
  static constexpr Feature kFeatures[] = {
      {CURL_VERSION_SSL, "ssl"},
      {CURL_VERSION_HTTP2, "http2"},
      {CURL_VERSION_IPV6, "ipv6"},
      {CURL_VERSION_LIBZ, "gzip"},
      {CURL_VERSION_BROTLI, "br"},
      {CURL_VERSION_ZSTD, "zstd"},
      {CURL_VERSION_IDN, "idn"},
      {CURL_VERSION_PSL, "psl"},
      {CURL_VERSION_HTTPS_PROXY, "https-proxy"},
      {CURL_VERSION_THREADSAFE, "threadsafe"},
      {CURL_VERSION_ASYNCHDNS, "asynchdns"},
  };
  return names_of(kFeatures, " ");
}

std::string CurlRuntime::encodings() {
  static constexpr Feature kEncodings[] = {
      {CURL_VERSION_LIBZ, "deflate"},
      {CURL_VERSION_LIBZ, "gzip"},
      {CURL_VERSION_BROTLI, "br"},
      {CURL_VERSION_ZSTD, "zstd"},
  };
  return names_of(kEncodings, ", ");
}

std::string CurlRuntime::default_ca_file() {
  // Even if it cannot be read: whoever trusts one authority of his own does not mean all the public ones. As OpenSSL does.
  if (const char* path = std::getenv("SSL_CERT_FILE"); path != nullptr && *path != '\0') return path;
  const char* built_in = curl_version_info(CURLVERSION_NOW)->cainfo;
  if (built_in != nullptr && access(built_in, R_OK) == 0) return built_in;
  static constexpr const char* kUsualPlaces[] = {
      "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Alpine
      "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL
      "/etc/ssl/ca-bundle.pem",                             // openSUSE
      "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL
  };
  for (const char* path : kUsualPlaces) {
    if (access(path, R_OK) == 0) return path;
  }
  return "";
}

}  // namespace hc
