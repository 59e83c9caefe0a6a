#pragma once

#include <hc/hc.h>

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "capi/guard.h"

namespace hc::capi {

inline constexpr uint64_t kMaxMs = 1000ULL * 3600 * 24 * 365 * 100;

/// Reads options one by one and remembers the first that is wrong.
class Reader {
 public:
  explicit Reader(Status* status) : status_(*status) {}

  void number(uint64_t given, const char* name, uint64_t least, uint64_t most, uint64_t* out) {
    if (given == HC_UNSET) return;
    if (given < least || given > most) {
      fail(name, "must be from " + std::to_string(least) + " to " + std::to_string(most));
      return;
    }
    *out = given;
  }
  void duration(uint64_t given, const char* name, Duration* out) {
    if (given == HC_UNSET) return;
    if (given != HC_FOREVER && given > kMaxMs) return fail(name, "is longer than 100 years; use HC_FOREVER");
    *out = from_ms(given);
  }
  void timeout(uint64_t given, const char* name, uint64_t* out) {
    if (given == HC_UNSET) return;
    if (given != HC_FOREVER && given > kMaxMs) return fail(name, "is longer than 100 years; 0 is none");
    *out = given == HC_FOREVER ? 0 : given;
  }
  void flag(uint8_t given, const char* name, bool* out) {
    if (given == HC_UNSET_FLAG) return;
    if (given != HC_OFF && given != HC_ON) return fail(name, "is neither HC_OFF nor HC_ON");
    *out = given == HC_ON;
  }
  void text(hc_str given, const char* name, std::string* out) {
    if (given.data == nullptr) return;
    if (has_line_break(view(given))) return fail(name, "has CR, LF or NUL");
    *out = view(given);
  }
  void fail(const char* name, const std::string& what) {
    if (status_.is_ok()) status_ = Status::invalid(std::string(name) + ": " + what);
  }

 private:
  Status& status_;
};

}  // namespace hc::capi
