// hc.h chapters 13 and 14: statistics and trace, and what is underneath.
#include "adapter/ares_version.h"
#include "adapter/curl_runtime.h"
#include "capi/guard.h"
#include "capi/structs.h"
#include "model/descriptor_budget.h"
#include "model/reporter.h"

using namespace hc;        // NOLINT: this file is the border between the two
using namespace hc::capi;  // NOLINT

extern "C" hc_status hc_session_stats(hc_session* session, hc_stats* stats) {
  return guard(nullptr, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(session, "session"));
    // Stats is hc_stats without its first two fields, in the same order.
    static_assert(sizeof(Stats) + 2 * sizeof(uint32_t) == sizeof(hc_stats));
    Stats from = session->session->stats();
    hc_stats value{};
    std::memcpy(&value.submitted, &from, sizeof from);
    return copy_out(value, "stats", stats);
  });
}

extern "C" const char* hc_trace_name(int32_t kind) { return trace_name(kind); }

extern "C" hc_status hc_runtime_get_info(hc_runtime_info* info) {
  return guard(nullptr, [&]() -> Status {
    HC_RETURN_IF_BAD(CurlRuntime::require());
    // Never destroyed: the views live as long as the process.
    static const std::string* const texts =
        new std::string[5]{CurlRuntime::version(), CurlRuntime::features(), ares_version_text(),
                           CurlRuntime::tls_version(), CurlRuntime::default_ca_file()};
    DescriptorBudget& budget = DescriptorBudget::process();
    hc_runtime_info value{};
    value.curl_version_number = CurlRuntime::version_number();
    value.curl_version = as_str(texts[0]);
    value.curl_features = as_str(texts[1]);
    value.ares_version = as_str(texts[2]);
    value.tls_version = as_str(texts[3]);
    value.ca_file = as_str(texts[4]);
    value.descriptor_limit = budget.descriptor_limit();
    value.descriptor_budget = budget.capacity();
    value.descriptors_in_use = budget.used();
    return copy_out(value, "info", info);
  });
}
