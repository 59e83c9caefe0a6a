#include "adapter/ares_version.h"

#include <ares.h>

namespace hc {

std::string ares_version_text() { return ares_version(nullptr); }

}  // namespace hc
