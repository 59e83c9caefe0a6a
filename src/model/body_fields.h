#pragma once

#include <hc/hc.h>

#include "base/status.h"

namespace hc {

/// Whether the fields of a request that describe its body fit together. What its kind of body makes no use of is refused:
/// it would be passed over without a word.
Status check_body_fields(const hc_request& args);

}  // namespace hc
