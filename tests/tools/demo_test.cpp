#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "hcx/demo_checks.h"
#include "hcx/demo_plan.h"
#include "hcx/demo_report.h"
#include "hcx/demo_sweep.h"
#include "hcx/library_traps.h"
#include "hcx/progress.h"

namespace hc::hcx {
namespace {

TEST(DemoPlan, TheSameSeedGivesTheSameRequests) {
  Plan one(7);
  Plan two(7);
  for (int i = 0; i < 1000; ++i) {
    const Errand a = one.next();
    const Errand b = two.next();
    EXPECT_EQ(url_of(a, {1, 2, 3}), url_of(b, {1, 2, 3}));
    EXPECT_EQ(a.cancel_after_ms, b.cancel_after_ms);
  }
}

TEST(DemoPlan, HasEveryKindAndMostlySmallGets) {
  Plan plan(1);
  std::map<Kind, int> kinds;
  int cancelled = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Errand errand = plan.next();
    ++kinds[errand.kind];
    if (errand.cancel_after_ms != Errand::kNoCancel) ++cancelled;
  }
  EXPECT_EQ(kinds.size(), 8U);
  EXPECT_GT(kinds[Kind::kGet], 8'000);
  EXPECT_GT(cancelled, 200);
}

TEST(DemoPlan, KnowsWhatCanComeOfARequest) {
  Errand get;
  EXPECT_TRUE(is_possible(get, HC_OK, 200));
  EXPECT_FALSE(is_possible(get, HC_OK, 503));
  EXPECT_FALSE(is_possible(get, HC_E_DISCONNECTED, 0));
  EXPECT_FALSE(is_possible(get, HC_E_CANCELLED, 0));
  get.cancel_after_ms = 5;
  EXPECT_TRUE(is_possible(get, HC_E_CANCELLED, 0));
  const Errand missing{.kind = Kind::kNoSuchName};
  EXPECT_TRUE(is_possible(missing, HC_E_DNS, 0));
  EXPECT_FALSE(is_possible(missing, HC_OK, 200));
}

TEST(DemoPlan, ComparesBodies) {
  const Errand post{.kind = Kind::kPost, .size = 10, .offset = 3};
  EXPECT_EQ(body_of(post).size(), 10U);
  EXPECT_TRUE(is_right_body(post, std::string(body_of(post))));
  EXPECT_FALSE(is_right_body(post, "something"));
  const Errand get{.kind = Kind::kGet, .size = 4};
  EXPECT_FALSE(is_right_body(get, "012"));
}

TEST(DemoServerCount, ReadsTheCountersOfEachOrigin) {
  const ServerCount count = parse_count(
      R"({"connections_accepted":9,"connections_open":1,"connections_peak":7,"requests":30,"listeners":[)"
      R"({"connections_accepted":4,"connections_open":1,"connections_peak":3,"requests":10},)"
      R"({"connections_accepted":3,"connections_open":0,"connections_peak":2,"requests":10},)"
      R"({"connections_accepted":2,"connections_open":0,"connections_peak":2,"requests":10}]})");
  ASSERT_TRUE(count.is_known);
  EXPECT_EQ(count.all.accepted, 9U);
  EXPECT_EQ(count.all.requests, 30U);
  EXPECT_EQ(count.origins[0].peak, 3U);
  EXPECT_EQ(count.origins[2].accepted, 2U);
  EXPECT_FALSE(parse_count("nonsense").is_known);
}

// A run that went well, for each test to break one thing.
struct GoodRun {
  GoodRun() {
    result.tally.submitted = result.tally.completions = result.stats.submitted = 10;
    result.tally.answered = result.stats.succeeded = 7;
    result.tally.failed = result.stats.failed = 2;
    result.tally.cancelled = result.stats.cancelled = 1;
    result.stats.sockets_opened = result.stats.sockets_closed = result.stats.connections_made = 5;
    result.stats.sockets_peak = result.peak = 4;
    result.sockets_made = 5;
    result.origin_peaks = {2, 1, 1};
    server.is_known = true;
    server.all = {.accepted = 5, .open = 0, .peak = 5, .requests = 9};
  }
  int failed_checks() const {
    int failed = 0;
    for (const Check& check : check_demo(options, result, server)) failed += check.holds ? 0 : 1;
    return failed;
  }
  DemoOptions options{.limit = 4, .limit_per_host = 2};
  DemoResult result;
  ServerCount server;
};

TEST(DemoChecks, HoldWhenEverythingAddsUp) { EXPECT_EQ(GoodRun().failed_checks(), 0); }

TEST(DemoChecks, NoticeEachThingThatIsWrong) {
  const std::vector<std::function<void(GoodRun&)>> breakages{
      [](GoodRun& run) { --run.result.tally.completions; },
      [](GoodRun& run) { run.result.tally.strays = 1; },
      [](GoodRun& run) { ++run.result.stats.failed; },
      [](GoodRun& run) { run.result.tally.impossible = 1; },
      [](GoodRun& run) { run.result.tally.bodies_wrong = 1; },
      [](GoodRun& run) { run.result.stats.sockets_peak = 5; },
      [](GoodRun& run) { --run.result.stats.sockets_closed; },
      [](GoodRun& run) { run.result.peak = 5; },
      [](GoodRun& run) { run.result.origin_peaks[2] = 3; },
      [](GoodRun& run) { run.result.sockets_made = 6; },
      [](GoodRun& run) { run.server.all.accepted = 6; },
      [](GoodRun& run) { run.server.all.accepted = 4; },
      [](GoodRun& run) { run.server.all.requests = 6; },
      [](GoodRun& run) { run.server.all.open = 1; },
      [](GoodRun& run) { run.server.is_known = false; },
      [](GoodRun& run) { run.result.after.descriptors = 1; },
      [](GoodRun& run) { run.result.after.threads = 1; },
  };
  for (std::size_t i = 0; i < breakages.size(); ++i) {
    GoodRun run;
    breakages[i](run);
    EXPECT_EQ(run.failed_checks(), 1) << "breakage " << i;
  }
}

TEST(DemoChecks, ALimitOfZeroIsNone) {
  GoodRun run;
  run.options.limit = run.options.limit_per_host = 0;
  run.result.stats.sockets_peak = run.result.peak = 1000;
  EXPECT_EQ(run.failed_checks(), 0);
}

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    widest = std::max(widest, end - begin);
    begin = end + 1;
  }
  return widest;
}

TEST(DemoReport, FitsInto80Columns) {
  GoodRun run;
  run.result.tally.submitted = run.result.tally.answered = run.result.tally.completions = 10'000'000;
  run.result.tally.answers[2] = 9'999'999;
  run.result.tally.cancels_asked = 1'000'000;
  run.result.tally.since_submit = run.result.tally.since_start = {123'456'789'000};
  run.result.elapsed_ns = 999'000'000'000;
  run.result.stats.waited_ns = 99'999'999'000'000'000;
  for (hc_status status = -1; status >= HC_E_INTERNAL; --status)
    run.result.tally.failures[status] = 1'000'000;
  const Style plain(1, Colours::kNever);
  EXPECT_LE(widest_line(report_text(run.options, run.result, plain)), 80U);
  EXPECT_LE(widest_line(opening_text(run.options, plain)), 80U);
}

TEST(DemoSweep, TellsTheFirstLimitThatIsNearlyAsGoodAsTheBest) {
  std::vector<SweepStep> steps{{1, 100}, {2, 190}, {5, 400}, {10, 395}, {20, 410}};
  EXPECT_EQ(enough_of(steps), 5U);
  steps[2].loop_busy = 0.9;
  EXPECT_NE(sweep_verdict(steps).find("From 5 connections on"), std::string::npos);
  EXPECT_NE(sweep_verdict(steps).find("no time left"), std::string::npos);
  steps[2].loop_busy = 0.3;
  EXPECT_NE(sweep_verdict(steps).find("not what limits"), std::string::npos);
  steps.resize(3);
  EXPECT_NE(sweep_verdict(steps).find("each step helped"), std::string::npos);
  EXPECT_EQ(enough_of({}), 0U);
}

TEST(DemoSweep, ReadsARun) {
  GoodRun run;
  run.result.elapsed_ns = 2'000'000'000;
  run.result.stats.waited_ns = 50'000'000;
  run.result.stats.loop_busy_ns = 3;
  run.result.stats.loop_elapsed_ns = 4;
  run.result.tally.since_start = {5, 6, 7};
  const SweepStep step = step_of(10, run.result);
  EXPECT_EQ(step.limit, 10U);
  EXPECT_DOUBLE_EQ(step.answers_per_second, 3.5);
  EXPECT_DOUBLE_EQ(step.waited_ms, 5);
  EXPECT_DOUBLE_EQ(step.loop_busy, 0.75);
  EXPECT_EQ(step.median_ns, 6U);
  const Style plain(1, Colours::kNever);
  EXPECT_EQ(sweep_line(step).size(), sweep_header(plain).size() - 1) << "columns below their names";
}

TEST(Progress, ItsLineFitsIntoATerminal) {
  const std::string line = progress_text({99'999'999, 99'999'999, 99'999, 99'999}, 999'999);
  EXPECT_LE(line.size(), 79U) << line;
  EXPECT_NE(progress_text({0, 0, 0, 0}, 0).find("[......"), std::string::npos);
}

TEST(LibraryTraps, ReadsVersions) {
  EXPECT_EQ(version_in("libcurl/7.88.1"), 0x075801U);
  EXPECT_EQ(version_in("1.34"), 0x012200U);
  EXPECT_EQ(version_in("8.13.0-DEV"), 0x080D00U);
  EXPECT_EQ(version_in("unknown"), 0U);
}

TEST(LibraryTraps, KnowsTheBadVersions) {
  EXPECT_TRUE(curl_traps(version_in("7.88.1")).empty());
  EXPECT_TRUE(curl_traps(version_in("8.14.1")).empty());
  for (const char* version : {"8.13.0", "8.14.0", "8.16.0"})
    EXPECT_FALSE(curl_traps(version_in(version)).empty()) << version;
  EXPECT_TRUE(ares_traps(version_in("1.18.1")).empty());
  EXPECT_FALSE(ares_traps(version_in("1.34.6")).empty());
}

}  // namespace
}  // namespace hc::hcx
