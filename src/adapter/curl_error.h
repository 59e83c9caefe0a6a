#pragma once

#include <curl/curl.h>

#include <string>
#include <string_view>

#include "base/status.h"

namespace hc {

/// What is known about a failed transfer besides libcurl's code.
struct CurlFailure {
  CURLcode code = CURLE_OK;
  std::string_view text;  // of CURLOPT_ERRORBUFFER, may be empty
  std::string where;      // "127.0.0.1:8080", may be empty
  long os_errno = 0;
  long verify_result = 0;  // X509_V_ERR_*
  bool is_in_body = false;
};

/// The one mapping from libcurl's codes to ours.
Status status_of(const CurlFailure& failure);

}  // namespace hc
