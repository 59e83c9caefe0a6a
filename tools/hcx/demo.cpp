// hcx demo: what a session does, at full speed, with proof.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "hcx/chrome_trace.h"
#include "hcx/commands.h"
#include "hcx/demo_checks.h"
#include "hcx/demo_options.h"
#include "hcx/demo_report.h"
#include "hcx/demo_run.h"
#include "hcx/demo_server.h"
#include "hcx/demo_sweep.h"
#include "hcx/format.h"
#include "hcx/progress.h"

namespace hc::hcx {

namespace {

void on_signal(int signal) { DemoRun::interrupt(signal); }

/// The first Ctrl-C ends the run in order, a second one the process at once.
class InterruptGuard {
 public:
  InterruptGuard() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &before_interrupt_);
    sigaction(SIGTERM, &action, &before_terminate_);
  }
  ~InterruptGuard() {
    sigaction(SIGINT, &before_interrupt_, nullptr);
    sigaction(SIGTERM, &before_terminate_, nullptr);
  }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  struct sigaction before_interrupt_ {};
  struct sigaction before_terminate_ {};
};

Progress::Mode progress_mode(const DemoOptions& options) {
  return options.plain ? Progress::Mode::kOff : Progress::Mode::kOnTerminals;
}

Style style_of(const DemoOptions& options) {
  return {STDOUT_FILENO, options.plain ? Colours::kNever : Colours::kOnTerminals};
}

// After a signal what a shell makes of it.
int exit_code(const std::vector<Check>& checks, int ended_by) {
  if (!std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.holds; })) return 1;
  return ended_by == 0 ? 0 : 128 + ended_by;
}

Check finish_trace(ChromeTrace& trace, const std::string& file, const Tally& tally) {
  trace.finish();
  return {trace.requests() == tally.submitted, "trace: " + plural(trace.requests(), "request") +
                                                   " drawn in " + printable(file) +
                                                   ", for https://ui.perfetto.dev"};
}

int run(const DemoOptions& options) {
  const Style style = style_of(options);
  std::unique_ptr<ChromeTrace> trace;
  if (!options.trace.empty()) trace = std::make_unique<ChromeTrace>(options.trace);
  write_out(opening_text(options, style));
  const InterruptGuard guard;
  const DemoServer server;
  Progress progress(progress_mode(options));
  DemoRun demo(options, server, progress);
  if (trace) demo.set_trace(*trace);
  const DemoResult result = demo.run();
  const ServerCount count = ask_server(server);
  std::vector<Check> checks = check_demo(options, result, count);
  if (trace) checks.push_back(finish_trace(*trace, options.trace, result.tally));
  write_out(report_text(options, result, style));
  write_out(checks_text(checks, style));
  return exit_code(checks, result.ended_by);
}

// A server for each limit, so that each run's numbers can be checked like those of any other.
int sweep(DemoOptions options) {
  const Style style = style_of(options);
  const InterruptGuard guard;
  std::vector<SweepStep> steps;
  write_out(sweep_header(style));
  for (const std::uint64_t limit : kSweptLimits) {
    options.limit = limit;
    const DemoServer server;
    Progress progress(progress_mode(options));
    const DemoResult result = DemoRun(options, server, progress).run();
    const std::vector<Check> checks = check_demo(options, result, ask_server(server));
    steps.push_back(step_of(limit, result));
    write_out(sweep_line(steps.back()));
    const int code = exit_code(checks, result.ended_by);
    if (code == 1) write_out(checks_text(checks, style));
    if (code != 0) return code;
  }
  write_out(sweep_verdict(steps));
  return 0;
}

}  // namespace

int run_demo(const Arguments& arguments) {
  const DemoOptions options = parse_demo_options(arguments);
  if (options.help) {
    write_out(demo_help());
    return 0;
  }
  return options.sweep ? sweep(options) : run(options);
}

}  // namespace hc::hcx
