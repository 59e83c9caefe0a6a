// hc.h chapters 2, 5 and 6: version, status codes, error details.
#include "capi/guard.h"
#include "capi/structs.h"

namespace hc::capi {

void report(hc_error* error, const Status& status) noexcept {
  if (error == nullptr || !is_length<hc_error>(error->struct_size)) return;
  hc_error value{};
  value.status = status.code();
  value.phase = status.phase();
  value.native_domain = status.native_domain();
  value.native_code = status.native_code();
  value.phase_ns = status.phase_ns();
  std::string_view text = status.message();
  if (text.empty()) text = status_text(status.code());
  size_t length = std::min(text.size(), sizeof value.message - 1);
  text.copy(value.message, length);
  copy_prefix(value, error->struct_size, error);
}

void unset(hc_error* error) { *error = {}; }

}  // namespace hc::capi

extern "C" const char* hc_version(void) { return HC_VERSION_STRING; }

extern "C" uint32_t hc_version_number(void) { return HC_VERSION_NUMBER; }

extern "C" const char* hc_status_name(hc_status status) { return hc::status_name(status); }

extern "C" const char* hc_status_text(hc_status status) { return hc::status_text(status); }

extern "C" const char* hc_phase_name(int32_t phase) { return hc::phase_name(phase); }

extern "C" hc_status hc_error_init(hc_error* error, size_t size) { return hc::capi::init(error, size); }
