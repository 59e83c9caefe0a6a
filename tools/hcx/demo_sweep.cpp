#include "hcx/demo_sweep.h"

#include <algorithm>

#include "hcx/format.h"

namespace hc::hcx {

namespace {

constexpr double kNearly = 0.95;    // of the best: enough
constexpr double kSaturated = 0.8;  // of the loop's time: it is what limits
constexpr std::size_t kColumn = 13;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

SweepStep step_of(std::uint64_t limit, const DemoResult& result) {
  SweepStep step;
  step.limit = limit;
  step.answers_per_second = share(result.tally.answered, result.elapsed_ns) * 1e9;
  step.median_ns = percentiles_of(result.tally.since_start).p50;
  step.waited_ms = share(result.stats.waited_ns, result.stats.submitted) / 1e6;
  step.loop_busy = share(result.stats.loop_busy_ns, result.stats.loop_elapsed_ns);
  return step;
}

std::uint64_t enough_of(const std::vector<SweepStep>& steps) {
  double best = 0;
  for (const SweepStep& step : steps) best = std::max(best, step.answers_per_second);
  const auto found = std::find_if(steps.begin(), steps.end(), [best](const SweepStep& step) {
    return step.answers_per_second >= kNearly * best;
  });
  return found == steps.end() ? 0 : found->limit;
}

std::string sweep_header(const Style& style) {
  std::string line;
  for (const char* name : {"limit", "answers/s", "answer p50", "in line", "loop busy"})
    line += right(name, kColumn);
  return "\n" + style.dim(line) + "\n";
}

std::string sweep_line(const SweepStep& step) {
  return right(grouped(step.limit), kColumn) + right(fixed(step.answers_per_second, 0), kColumn) +
         right(milliseconds(step.median_ns) + " ms", kColumn) +
         right(fixed(step.waited_ms, 1) + " ms", kColumn) +
         right(fixed(100 * step.loop_busy, 0) + " %", kColumn) + "\n";
}

std::string sweep_verdict(const std::vector<SweepStep>& steps) {
  const std::uint64_t enough = enough_of(steps);
  const auto place = std::find_if(steps.begin(), steps.end(),
                                  [enough](const SweepStep& step) { return step.limit == enough; });
  if (place == steps.end()) return "";
  if (place + 1 == steps.end()) return "\n  Up to " + grouped(enough) + " connections each step helped.\n";
  const std::string why = place->loop_busy >= kSaturated
                              ? "The loop has no time left: only a second session would help."
                              : "The loop is not what limits: the server is, or the machine.";
  return "\n  From " + plural(enough, "connection") + " on, more of them bring less than 5 %. " + why + "\n";
}

}  // namespace hc::hcx
