#include "engine/race.h"

#include <string>

namespace hc {

Status Race::failure() const {
  if (failures_ < 2) return first_failure_;
  std::string message =
      first_failure_.message() + " (first of " + std::to_string(failures_) + " addresses that failed)";
  Status status(first_failure_.code(), std::move(message));
  return status.with_native(first_failure_.native_domain(), first_failure_.native_code());
}

}  // namespace hc
