// hc.h chapter 13: histograms, origins, Prometheus.
#include <algorithm>

#include "capi/guard.h"
#include "capi/structs.h"
#include "model/prometheus.h"

using namespace hc;        // NOLINT: this file is the border between the two
using namespace hc::capi;  // NOLINT

namespace {

constexpr size_t kMaxSessions = 1000;

MetricsReading reading_of(hc_session& session, hc_str name) {
  MetricsReading reading = session.session->metrics_reading();
  if (name.data != nullptr) reading.session = view(name);
  return reading;
}

// Two series with the same labels are no exposition that a scraper takes.
Status check_name(const hc_str* names, size_t index) {
  auto is_same = [&](const hc_str& other) { return view(other) == view(names[index]); };
  if (view(names[index]).empty()) return Status::invalid("names: one of several is empty");
  return std::any_of(names, names + index, is_same) ? Status::invalid("names: two are the same")
                                                    : Status::ok();
}

}  // namespace

extern "C" hc_status hc_session_histograms(hc_session* session, hc_histograms* histograms) {
  return guard(nullptr, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(session, "session"));
    return copy_out(session->session->metrics().histograms(), "histograms", histograms);
  });
}

extern "C" hc_status hc_session_origins(hc_session* session, hc_origin_stats* rows, size_t row_size,
                                        size_t capacity, size_t* count) {
  return guard(nullptr, [&]() -> Status {
    HC_RETURN_IF_BAD(check_handle(session, "session"));
    HC_REQUIRE(rows != nullptr, "rows");
    HC_REQUIRE(count != nullptr, "count");
    if (!is_length<hc_origin_stats>(row_size)) return Status::invalid("row_size: not that of any version");
    if (capacity == 0) return Status::invalid("capacity: 0");
    std::vector<hc_origin_stats> all = session->session->metrics().origins.read();
    *count = std::min(capacity, all.size());
    char* place = reinterpret_cast<char*>(rows);
    for (size_t i = 0; i < *count; ++i, place += row_size) {
      copy_prefix(all[i], row_size, reinterpret_cast<hc_origin_stats*>(place));
    }
    return Status::ok();
  });
}

extern "C" hc_status hc_metrics_prometheus(hc_session* const* sessions, const hc_str* names, size_t count,
                                           char* buffer, size_t capacity, size_t* length) {
  return guard(nullptr, [&]() -> Status {
    HC_REQUIRE(sessions != nullptr, "sessions");
    HC_REQUIRE(length != nullptr, "length");
    HC_REQUIRE(buffer != nullptr || capacity == 0, "buffer");
    if (count == 0 || count > kMaxSessions) return Status::invalid("count: must be from 1 to 1000");
    HC_REQUIRE(names != nullptr || count == 1, "names");
    std::vector<MetricsReading> readings;
    for (size_t i = 0; i < count; ++i) {
      HC_RETURN_IF_BAD(check_handle(sessions[i], "sessions"));
      if (count > 1) HC_RETURN_IF_BAD(check_name(names, i));
      readings.push_back(reading_of(*sessions[i], names == nullptr ? hc_str{} : names[i]));
    }
    std::string text = prometheus_text(readings);
    if (text.size() <= capacity) text.copy(buffer, text.size());
    *length = text.size();
    return Status::ok();
  });
}
