#include "hcx/demo_options.h"

#include "hcx/option_parser.h"

namespace hc::hcx {

namespace {

constexpr std::uint64_t kSweepRequests = 5'000;

constexpr std::string_view kHelp = R"(usage: hcx demo [OPTION...]

Starts the embedded server as a process of its own and sends it many requests through one session: three
origins with made-up names, most answers small, some slow, some failing, some requests cancelled. Then tells
how it went, and checks that everything adds up.

  --requests N        how many. Default: 50,000
  --limit N           most sockets of the session; 0: as many as descriptors allow. Default: 100
  --limit-per-host N  most sockets per origin; 0: no such limit. Default: 40
  --outstanding N     most requests submitted and not finished at one time. Default: 5,000
  --seed S            which requests; the same number, the same requests. Default: 1
  --trace FILE        draws every request and connection on a time line, for https://ui.perfetto.dev
  --sweep limit       runs once for each of several limits, and tells where more connections stop helping.
                      Options after this one change its defaults: 5,000 requests
                      each, no limit per host
  --plain             no colours and no progress line, also on a terminal

Exit code: 0 if all checks hold, 1 if not, 2 for wrong usage, 130 after Ctrl-C,
143 after SIGTERM.
)";

}  // namespace

DemoOptions parse_demo_options(const std::vector<std::string>& arguments) {
  DemoOptions options;
  OptionParser parser;
  const auto number = [&parser](const char* name, std::uint64_t& to, std::uint64_t least,
                                std::uint64_t most) {
    parser.value(name, [&to, name, least, most](const auto& v) { to = to_number(v, name, least, most); });
  };
  number("--requests", options.requests, 1, 100'000'000);
  number("--limit", options.limit, 0, 100'000);
  number("--limit-per-host", options.limit_per_host, 0, 100'000);
  number("--outstanding", options.outstanding, 1, 1'000'000);
  number("--seed", options.seed, 0, UINT64_MAX);
  parser.value("--trace", [&options](const std::string& v) { options.trace = v; });
  parser.value("--sweep", [&options](const std::string& v) {
    if (v != "limit") throw UsageError("--sweep: only 'limit' can be swept, not '" + v + "'");
    options.sweep = true;
    options.requests = kSweepRequests;
    options.limit_per_host = 0;
  });
  parser.flag("--plain", [&options] { options.plain = true; });
  parser.flag("-h --help", [&options] { options.help = true; });
  const auto rest = parser.parse(arguments);
  if (!rest.empty()) throw UsageError("demo: what is '" + rest.front() + "'?");
  if (options.sweep && !options.trace.empty())
    throw UsageError("demo: --trace draws one run, --sweep makes many");
  return options;
}

std::string_view demo_help() { return kHelp; }

}  // namespace hc::hcx
