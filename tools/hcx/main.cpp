// hcx: libhc at the command line.
#include <hc/hc.h>

#include <algorithm>
#include <exception>
#include <string>

#include "hcx/abi.h"
#include "hcx/commands.h"
#include "hcx/format.h"
#include "hcx/option_parser.h"
#include "hcx/terminal.h"
#include "serve/serve_command.h"

namespace {

using namespace hc::hcx;  // NOLINT: the whole file is about it

constexpr int kWrongUsage = 2;

constexpr const char* kHelp = R"(usage: hcx COMMAND [ARGUMENT...]

  hcx get URL...   fetch, with curl's letters
  hcx demo         many requests through one session to an embedded server, and what came of it
  hcx serve        HTTP, HTTPS and DNS servers for tests
  hcx doctor       what libhc runs on here, and what is missing or risky
  hcx --version

hcx COMMAND --help tells more.
)";

std::string library_versions() {
  try {
    const hc_runtime_info info = runtime_info();
    return "libcurl " + std::string(view(info.curl_version)) + ", c-ares " +
           std::string(view(info.ares_version)) + ", " + std::string(view(info.tls_version));
  } catch (const Refused& refused) {
    return refused.what();
  }
}

int show_version() {
  write_out("hcx " + std::string(hc_version()) + " (" + library_versions() + ")\n");
  return 0;
}

int run(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "serve") return hc::serve::run_serve_command(argc - 1, argv + 1);
  const Arguments arguments(argv + std::min(argc, 2), argv + argc);
  if (command == "get") return run_get(arguments);
  if (command == "demo") return run_demo(arguments);
  if (command == "doctor") return run_doctor(arguments);
  if (command == "--version" || command == "-V" || command == "version") return show_version();
  if (command == "help" || command == "--help" || command == "-h") {
    write_out(kHelp);
    return 0;
  }
  throw UsageError(command.empty() ? "no command" : "unknown command '" + printable(command) + "'");
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  try {
    const int code = run(argc, argv);
    if (code == 0) check_out();
    return code;
  } catch (const UsageError& error) {
    write_error("hcx: " + std::string(error.what()) + " (hcx help tells what there is)\n");
    return kWrongUsage;
  } catch (const std::exception& error) {
    write_error("hcx: " + std::string(error.what()) + "\n");
    return 1;
  }
}
