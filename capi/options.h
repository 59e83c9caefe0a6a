#pragma once

#include <hc/hc.h>

#include "base/status.h"
#include "model/config.h"

namespace hc::capi {

/// Checks a caller's options and decides everything they leave open.
Status session_config(const hc_session_options* options, SessionConfig* out);

}  // namespace hc::capi
