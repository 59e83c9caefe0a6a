#pragma once

#include <hc/hc.h>

#include <array>
#include <string>
#include <vector>

#include "model/metrics.h"
#include "model/stats.h"

namespace hc {

/// Everything that is told about one session.
struct MetricsReading {
  std::string session;  // label of that name; empty: none
  Stats stats;
  hc_histograms histograms{};
  std::array<uint64_t, Metrics::kCodes> failures{};
  std::vector<hc_origin_stats> origins;
};

/// Prometheus' text format, version 0.0.4: each metric once, with the lines of all sessions below it. Names are
/// OpenTelemetry's HTTP client conventions where these have one, translated as its exporter does; libhc_ otherwise.
std::string prometheus_text(const std::vector<MetricsReading>& sessions);

}  // namespace hc
