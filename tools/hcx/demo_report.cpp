#include "hcx/demo_report.h"

#include <algorithm>

#include "hcx/format.h"

namespace hc::hcx {

namespace {

constexpr std::size_t kLabelWidth = 13;
constexpr std::size_t kNameWidth = 22;
constexpr std::size_t kNumberWidth = 10;
constexpr std::size_t kNoteWidth = 80 - 2 - kLabelWidth - kNameWidth - kNumberWidth - 2;

/// Rows of three columns: a section (only in its first row), a name, numbers and words about them.
class Table {
 public:
  explicit Table(const Style& style) : style_(style) {}

  void section(std::string_view label) {
    text_ += "\n";
    label_ = label;
  }
  void row(std::string_view name, std::string_view number, std::string_view note = {}) {
    start_row(name);
    text_ += right(number, kNumberWidth);
    if (!note.empty()) text_ += "  " + style_.dim(note.substr(0, kNoteWidth));
    text_ += "\n";
  }
  void percentiles(std::string_view name, const Percentiles& values) {
    start_row(name);
    for (const std::uint64_t ns : {values.p50, values.p90, values.p99, values.max}) {
      text_ += right(milliseconds(ns), kPercentileWidth);
    }
    text_ += "\n";
  }
  void percentile_names() {
    start_row("");
    std::string names;
    for (const char* name : {"p50", "p90", "p99", "max"}) names += right(name, kPercentileWidth);
    text_ += style_.dim(names) + "\n";
  }
  const std::string& text() const { return text_; }

 private:
  static constexpr std::size_t kPercentileWidth = 10;

  void start_row(std::string_view name) {
    const std::string label = left(label_, kLabelWidth);
    text_ += "  " + (label_.empty() ? label : style_.bold(label)) + left(name, kNameWidth);
    label_.clear();
  }

  const Style& style_;
  std::string text_;
  std::string label_;
};

std::string of_limit(std::uint64_t limit) { return limit == 0 ? "no limit" : "of " + grouped(limit); }

double per(std::uint64_t amount, std::uint64_t divisor) {
  return divisor == 0 ? 0 : static_cast<double>(amount) / static_cast<double>(divisor);
}

void add_speed(Table& table, const DemoResult& result) {
  table.section("Speed");
  table.row("requests/s", fixed(1e9 * per(result.tally.completions, result.elapsed_ns), 0),
            grouped(result.tally.completions) + " in " + duration(result.elapsed_ns));
  table.row("loop thread busy", percent(result.stats.loop_busy_ns, result.stats.loop_elapsed_ns),
            "worst turn " + duration(result.stats.loop_worst_turn_ns));
  table.row("bodies received", bytes(result.stats.bytes_received), "sent " + bytes(result.stats.bytes_sent));
}

void add_latency(Table& table, const Tally& tally) {
  table.section("Latency, ms");
  table.percentile_names();
  table.percentiles("from the submit", percentiles_of(tally.since_submit));
  table.percentiles("from its slot", percentiles_of(tally.since_start));
}

void add_waiting(Table& table, const hc_stats& stats) {
  table.section("Waiting");
  const double mean = per(stats.waited_ns, stats.submitted);
  table.row("for a slot, mean", duration(static_cast<std::uint64_t>(mean)),
            fixed(static_cast<double>(stats.waited_ns) / 1e9, 1) + " s in all");
}

void add_connections(Table& table, const DemoOptions& options, const DemoResult& result) {
  const hc_stats& stats = result.stats;
  table.section("Connections");
  table.row("opened", grouped(stats.sockets_opened));
  table.row(
      "reused", grouped(stats.connections_reused),
      percent(stats.connections_reused, stats.connections_reused + stats.connections_made) + " of all uses");
  table.row("most open at one time", grouped(stats.sockets_peak), of_limit(options.limit));
  for (std::size_t i = 0; i < kOriginNames.size(); ++i) {
    table.row("  " + std::string(kOriginNames[i]), grouped(result.origin_peaks[i]),
              of_limit(options.limit_per_host));
  }
  table.row("stale, repeated once", grouped(stats.stale_retries));
}

void add_dns(Table& table, const hc_stats& stats) {
  table.section("DNS");
  table.row("lookups", grouped(stats.dns_lookups), grouped(stats.dns_failures) + " failed");
  table.row("cache hits", grouped(stats.dns_cache_hits),
            percent(stats.dns_cache_hits, stats.dns_cache_hits + stats.dns_lookups));
}

// Most failures are part of the plan.
std::string failure_note(hc_status status) {
  if (status == HC_E_DISCONNECTED) return "as asked: closed or reset";
  if (status == HC_E_DNS) return "as asked: no such name";
  return hc_status_text(status);
}

std::string cancel_note(const DemoResult& result) {
  if (result.ended_by != 0) return "interrupted";
  if (result.tally.cancels_asked == 0) return "";
  return "of " + grouped(result.tally.cancels_asked) + "; the rest were faster";
}

void add_outcomes(Table& table, const DemoResult& result) {
  const Tally& tally = result.tally;
  table.section("Outcomes");
  for (const auto& [hundreds, count] : tally.answers) {
    table.row("answered " + std::to_string(hundreds) + "xx", grouped(count));
  }
  for (const auto& [status, count] : tally.failures) {
    table.row(std::string(hc_status_name(status)).substr(0, kNameWidth), grouped(count),
              failure_note(status));
  }
  table.row("cancelled", grouped(tally.cancelled), cancel_note(result));
}

}  // namespace

std::string opening_text(const DemoOptions& options, const Style& style) {
  const hc_runtime_info info = runtime_info();
  const auto limit = [](std::uint64_t number) { return number == 0 ? std::string("none") : grouped(number); };
  return style.bold("hcx demo") + "  " + plural(options.requests, "request") +
         " through one session to three origins\n" +
         style.dim("          limit " + limit(options.limit) + ", per host " + limit(options.limit_per_host) +
                   ", up to " + grouped(options.outstanding) + " outstanding, seed " +
                   std::to_string(options.seed)) +
         "\n" +
         style.dim("          libhc " + std::string(hc_version()) + ", libcurl " +
                   std::string(view(info.curl_version)) + ", c-ares " + std::string(view(info.ares_version)) +
                   ", " + std::string(view(info.tls_version))) +
         "\n";
}

std::string report_text(const DemoOptions& options, const DemoResult& result, const Style& style) {
  Table table(style);
  add_speed(table, result);
  add_latency(table, result.tally);
  add_waiting(table, result.stats);
  add_connections(table, options, result);
  add_dns(table, result.stats);
  add_outcomes(table, result);
  return table.text();
}

std::string checks_text(const std::vector<Check>& checks, const Style& style) {
  std::string text = "\n  " + style.bold("Checks") + "\n";
  for (const Check& check : checks) {
    text += "  " + (check.holds ? style.green("ok    ") : style.red("FAILED")) + "  " + check.text + "\n";
  }
  return text;
}

}  // namespace hc::hcx
