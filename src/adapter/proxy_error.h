#pragma once

#include <curl/curl.h>

#include <optional>

#include "adapter/curl_error.h"
#include "base/status.h"
#include "model/proxy.h"

namespace hc {

/// The failure of a transfer that got no further than its proxy; empty when it was not the proxy's doing. `has_tunnel`:
/// the server was spoken to.
std::optional<Status> proxy_failure(CURL* easy, const CurlFailure& failure, const Proxy& proxy,
                                    bool has_tunnel);

}  // namespace hc
