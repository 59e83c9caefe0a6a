#include "hcx/demo_checks.h"

#include <algorithm>

#include "hcx/format.h"

namespace hc::hcx {

namespace {

// "peak 100 of 100"; a limit of 0 is none.
bool is_within(std::uint64_t number, std::uint64_t limit) { return limit == 0 || number <= limit; }
std::string within(std::uint64_t number, std::uint64_t limit) {
  return grouped(number) + (limit == 0 ? " (no limit)" : " of " + grouped(limit));
}

Check check_sum(const Tally& tally) {
  return {tally.submitted == tally.answered + tally.failed + tally.cancelled,
          grouped(tally.submitted) + " submitted = " + grouped(tally.answered) + " answered + " +
              grouped(tally.failed) + " failed + " + grouped(tally.cancelled) + " cancelled"};
}

Check check_completions(const Tally& tally) {
  std::string text = plural(tally.completions, "completion") + ", one for each request";
  if (tally.strays > 0) text += "; " + grouped(tally.strays) + " of no request under way";
  return {tally.completions == tally.submitted && tally.strays == 0, text};
}

Check check_stats(const Tally& tally, const hc_stats& stats) {
  const bool holds = stats.submitted == tally.submitted && stats.succeeded == tally.answered &&
                     stats.failed == tally.failed && stats.cancelled == tally.cancelled &&
                     stats.in_flight == 0 && stats.waiting == 0;
  std::string text = "the session counted the same";
  if (!holds) {
    text = "the session counted " + grouped(stats.submitted) + ": " + grouped(stats.succeeded) + ", " +
           grouped(stats.failed) + ", " + grouped(stats.cancelled) + ", " + grouped(stats.in_flight) +
           " in flight";
  }
  return {holds, text};
}

Check check_outcomes(const Tally& tally) {
  if (tally.impossible == 0) return {true, "each request came to what it can come to"};
  return {false, grouped(tally.impossible) + " outcomes that their request cannot have, such as " +
                     tally.first_impossible};
}

Check check_bodies(const Tally& tally) {
  return {tally.bodies_wrong == 0, grouped(tally.bodies_checked) + " bodies compared, " +
                                       grouped(tally.echoes_checked) + " of them echoes; " +
                                       grouped(tally.bodies_wrong) + " wrong"};
}

std::vector<Check> check_sockets(const DemoOptions& options, const hc_stats& stats) {
  return {{is_within(stats.sockets_peak, options.limit),
           "session: at most " + within(stats.sockets_peak, options.limit) + " sockets at one time"},
          {stats.sockets_opened == stats.sockets_closed, "session: " + grouped(stats.sockets_opened) +
                                                             " sockets opened, " +
                                                             grouped(stats.sockets_closed) + " closed"}};
}

std::vector<Check> check_kernel(const DemoOptions& options, const DemoResult& result) {
  const std::uint64_t of_host = *std::max_element(result.origin_peaks.begin(), result.origin_peaks.end());
  return {{is_within(result.peak, options.limit) && is_within(of_host, options.limit_per_host),
           "kernel: at most " + within(result.peak, options.limit) + " sockets at one time, " +
               within(of_host, options.limit_per_host) + " per host"},
          {result.sockets_made == result.stats.sockets_opened,
           "kernel: " + plural(result.sockets_made, "socket") + " made"}};
}

// A socket that was given up while it connected may or may not have reached the server.
Check check_accepted(const hc_stats& stats, const ServerCount& server) {
  return {server.all.accepted >= stats.connections_made && server.all.accepted <= stats.sockets_opened,
          "server: " + grouped(server.all.accepted) + " connections accepted of " +
              grouped(stats.sockets_opened) + " sockets opened"};
}

// The server's own peak is no check: it learns of a close later than the session that opens the next one.
std::vector<Check> check_server(const DemoResult& result, const ServerCount& server) {
  if (!server.is_known) return {{false, "server: it does not answer"}};
  return {check_accepted(result.stats, server),
          {server.all.requests >= result.tally.answered, "server: " + grouped(server.all.requests) +
                                                             " requests seen for " +
                                                             grouped(result.tally.answered) + " answers"},
          {server.all.open == 0, "server: " + plural(server.all.open, "connection") + " left open"}};
}

Check check_footprint(const DemoResult& result) {
  return {result.before == result.after, "nothing left behind: " + grouped(result.before.descriptors) +
                                             " descriptors before, " + grouped(result.after.descriptors) +
                                             " after; threads " + grouped(result.before.threads) + ", " +
                                             grouped(result.after.threads)};
}

void append(std::vector<Check>& to, const std::vector<Check>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

std::vector<Check> check_demo(const DemoOptions& options, const DemoResult& result,
                              const ServerCount& server) {
  std::vector<Check> checks{check_sum(result.tally), check_completions(result.tally),
                            check_stats(result.tally, result.stats), check_outcomes(result.tally),
                            check_bodies(result.tally)};
  append(checks, check_sockets(options, result.stats));
  append(checks, check_kernel(options, result));
  append(checks, check_server(result, server));
  checks.push_back(check_footprint(result));
  return checks;
}

}  // namespace hc::hcx
