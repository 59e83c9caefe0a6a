#pragma once

#include <hc/hc.h>

#include "base/status.h"
#include "model/config.h"

namespace hc::capi {

/// Reads which way the session's requests go, on top of its TLS identity: proxies, unix socket, environment.
Status read_routes(const hc_session_options& options, SessionConfig* config);

}  // namespace hc::capi
