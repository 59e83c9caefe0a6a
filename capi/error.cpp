// hc.h chapters 2, 5 and 6: version, status codes, error details.
#include "capi/guard.h"

namespace hc::capi {

void report(hc_error* error, const Status& status) noexcept {
  if (error == nullptr || error->struct_size != sizeof(hc_error)) return;
  error->status = status.code();
  error->phase = status.phase();
  error->native_domain = status.native_domain();
  error->native_code = status.native_code();
  error->phase_ns = status.phase_ns();
  std::string_view text = status.message();
  if (text.empty()) text = status_text(status.code());
  size_t length = std::min(text.size(), sizeof error->message - 1);
  std::memcpy(error->message, text.data(), length);
  error->message[length] = '\0';
}

}  // namespace hc::capi

extern "C" const char* hc_version(void) { return HC_VERSION_STRING; }

extern "C" uint32_t hc_version_number(void) { return HC_VERSION_NUMBER; }

extern "C" const char* hc_status_name(hc_status status) { return hc::status_name(status); }

extern "C" const char* hc_status_text(hc_status status) { return hc::status_text(status); }

extern "C" const char* hc_phase_name(int32_t phase) { return hc::phase_name(phase); }

extern "C" hc_status hc_error_init(hc_error* error, size_t size) {
  if (error == nullptr || size != sizeof(hc_error)) return HC_E_INVALID;
  *error = hc_error{};
  error->struct_size = sizeof(hc_error);
  return HC_OK;
}
