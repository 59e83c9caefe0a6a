#pragma once

#include <curl/curl.h>

#include <string>

#include "base/status.h"

namespace hc {

/// The libcurl that the process runs on, which may be newer than the one this was built with.
class CurlRuntime {
 public:
  /// Initialises libcurl once for the process; HC_E_UNSUPPORTED when it lacks something we cannot do without.
  static Status require();

  static uint32_t version_number();
  static std::string version();
  static std::string features();
  /// The content codings that it decodes, as Accept-Encoding names them; empty: none.
  static std::string encodings();
  static std::string tls_version();
  /// The system's bundle of certificate authorities; empty when there is none. libcurl's own default is a file and a
  /// directory, and the directory switches its CA cache off (docs/curl-notes.md F1: 22.8 ms against 2.6 ms CPU for
  /// each new connection).
  static std::string default_ca_file();
};

inline constexpr uint32_t curl_version_of(uint32_t major, uint32_t minor, uint32_t patch) {
  return major << 16 | minor << 8 | patch;
}

}  // namespace hc
