#pragma once

#include <hc/hc.h>

#include <string_view>

namespace hc {

inline hc_str as_hc_str(std::string_view text) { return {text.data(), text.size()}; }

inline constexpr hc_timeouts kAsTheSessionSays{HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET,
                                               HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET};
inline constexpr hc_timeouts kNoTimeouts{};

/// What hc_request_init() makes, without the C interface.
inline hc_request blank_request(std::string_view url = "http://a.test/") {
  hc_request request{};
  request.struct_size = sizeof request;
  request.url = as_hc_str(url);
  request.body_kind = request.force_close = request.retry_stale = request.stream = HC_UNSET_FLAG;
  request.certificates = HC_UNSET_FLAG;
  request.timeouts = kAsTheSessionSays;
  request.insecure_redirects = request.decompress = request.expect_continue = HC_UNSET_FLAG;
  request.body_fd = HC_UNSET_INT;
  request.body_offset = request.body_length = HC_UNSET;
  request.max_body = request.body_window = request.max_redirects = HC_UNSET;
  return request;
}

}  // namespace hc
