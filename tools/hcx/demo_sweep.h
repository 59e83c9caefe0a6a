// The demo over several limits: where more connections stop helping.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hcx/demo_run.h"
#include "hcx/terminal.h"

namespace hc::hcx {

inline constexpr std::uint64_t kSweptLimits[] = {1, 2, 5, 10, 20, 50, 100, 200};

/// One limit's run, as far as the sweep shows it.
struct SweepStep {
  std::uint64_t limit = 0;
  double answers_per_second = 0;
  std::uint64_t median_ns = 0;  // of an answer, from the slot on
  double waited_ms = 0;         // in line, on average
  double loop_busy = 0;         // 0 to 1
};
SweepStep step_of(std::uint64_t limit, const DemoResult& result);

/// The first limit that comes within 5 % of the best; 0 without steps.
std::uint64_t enough_of(const std::vector<SweepStep>& steps);

std::string sweep_header(const Style& style);
std::string sweep_line(const SweepStep& step);
/// Which limit is enough, and what it is that more connections do not help against.
std::string sweep_verdict(const std::vector<SweepStep>& steps);

}  // namespace hc::hcx
