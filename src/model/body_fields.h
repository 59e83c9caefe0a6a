#pragma once

#include <hc/hc.h>

#include "base/status.h"

namespace hc {

/// The bytes of its body are not in memory: in a file, or given by a callback.
inline bool has_body_elsewhere(const hc_request& args) {
  return args.body_kind == HC_BODY_FILE || args.body_kind == HC_BODY_PULLED;
}

/// Whether the fields of a request that describe its body fit together. What its kind of body makes no use of is refused:
/// it would be passed over without a word.
Status check_body_fields(const hc_request& args);

}  // namespace hc
