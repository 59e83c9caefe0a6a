// hcx demo: what a session does, at full speed, with proof.
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "hcx/commands.h"
#include "hcx/demo_checks.h"
#include "hcx/demo_options.h"
#include "hcx/demo_report.h"
#include "hcx/demo_run.h"
#include "hcx/demo_server.h"
#include "hcx/progress.h"

namespace hc::hcx {

namespace {

constexpr int kInterrupted = 130;

void on_signal(int) { DemoRun::interrupt(); }

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

int run(const DemoOptions& options) {
  const Style style(STDOUT_FILENO, options.plain ? Colours::kNever : Colours::kOnTerminals);
  write_out(opening_text(options, style));
  const InterruptGuard guard;
  const DemoServer server;
  Progress progress(options.plain ? Progress::Mode::kOff : Progress::Mode::kOnTerminals);
  const DemoResult result = DemoRun(options, server, progress).run();
  const ServerCount count = ask_server(server);
  const std::vector<Check> checks = check_demo(options, result, count);
  write_out(report_text(options, result, style));
  write_out(checks_text(checks, style));
  if (!std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.holds; })) return 1;
  return result.was_interrupted ? kInterrupted : 0;
}

}  // namespace

int run_demo(const Arguments& arguments) {
  const DemoOptions options = parse_demo_options(arguments);
  if (options.help) {
    write_out(demo_help());
    return 0;
  }
  return run(options);
}

}  // namespace hc::hcx
