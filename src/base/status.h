#pragma once

#include <hc/hc.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace hc {

/// What a call or a request came to. The numbers are those of the C interface, so that there is one list.
using Code = hc_status;
using Phase = int32_t;

/// A result with everything an operator wants to read about it. Small when ok: no allocation.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status ok() { return {}; }
  static Status invalid(std::string message) { return {HC_E_INVALID, std::move(message)}; }
  /// Failure of a system call: appends the text of `error_number`.
  static Status system(std::string_view what, int error_number);

  Status& with_native(int32_t domain, int64_t code) {
    native_domain_ = domain;
    native_code_ = code;
    return *this;
  }
  Status& with_phase(Phase phase, uint64_t lasted_ns) {
    phase_ = phase;
    phase_ns_ = lasted_ns;
    return *this;
  }

  bool is_ok() const { return code_ == HC_OK; }
  /// The process or the system had no descriptor: a matter of waiting, never the caller's error.
  bool is_out_of_descriptors() const;
  Code code() const { return code_; }
  Phase phase() const { return phase_; }
  uint64_t phase_ns() const { return phase_ns_; }
  int32_t native_domain() const { return native_domain_; }
  int64_t native_code() const { return native_code_; }
  const std::string& message() const { return message_; }

 private:
  Code code_ = HC_OK;
  Phase phase_ = HC_PHASE_NONE;
  int32_t native_domain_ = HC_NATIVE_NONE;
  int64_t native_code_ = 0;
  uint64_t phase_ns_ = 0;
  std::string message_;
};

const char* status_name(Code code);
const char* status_text(Code code);
const char* phase_name(Phase phase);

}  // namespace hc
