// hcx doctor: what libhc runs on here, and what is missing or risky.
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "hcx/abi.h"
#include "hcx/commands.h"
#include "hcx/format.h"
#include "hcx/library_traps.h"
#include "hcx/option_parser.h"
#include "hcx/terminal.h"

namespace hc::hcx {

namespace {

constexpr std::string_view kHelp = R"(usage: hcx doctor

Tells the versions and features of the libraries found at run time, the limits of this process, the CA
bundle, the resolver in use and the kernel; then what is missing or risky, with advice.

Exit code: 0 if nothing is missing, 1 if something is, 2 for wrong usage.
)";

constexpr std::size_t kLabelWidth = 13;
constexpr std::size_t kTextWidth = 64;
constexpr std::uint64_t kFewDescriptors = 1024;
constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr const char* kNsswitchConf = "/etc/nsswitch.conf";

/// Facts are printed as they come; advice is collected and printed last.
class Examination {
 public:
  Examination() : style_(STDOUT_FILENO, Colours::kOnTerminals) {}

  void fact(std::string_view label, const std::string& text);
  void risky(std::string text) { advice_.push_back({false, std::move(text)}); }
  void missing(std::string text) { advice_.push_back({true, std::move(text)}); }
  int finish() const;

 private:
  struct Advice {
    bool is_missing;
    std::string text;
  };
  Style style_;
  std::vector<Advice> advice_;
};

// Lines of at most `width`, at spaces; those after the first are indented by `indent`.
std::string wrapped(const std::string& text, std::size_t width, std::size_t indent) {
  std::istringstream words(text);
  std::string result;
  std::size_t column = 0;
  for (std::string word; words >> word;) {
    if (column > 0 && column + 1 + word.size() > width) {
      result += "\n" + std::string(indent, ' ');
      column = 0;
    } else if (column > 0) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

void Examination::fact(std::string_view label, const std::string& text) {
  write_out("  " + style_.bold(left(label, kLabelWidth)) + wrapped(text, kTextWidth, kLabelWidth + 2) + "\n");
}

int Examination::finish() const {
  bool is_missing = false;
  write_out("\n");
  for (const Advice& advice : advice_) {
    is_missing = is_missing || advice.is_missing;
    const std::string label = left(advice.is_missing ? "MISSING" : "risky", kLabelWidth);
    write_out("  " + (advice.is_missing ? style_.red(label) : style_.yellow(label)) +
              wrapped(advice.text, kTextWidth, kLabelWidth + 2) + "\n");
  }
  if (advice_.empty()) write_out("  " + style_.green("Nothing is missing or risky.") + "\n");
  return is_missing ? 1 : 0;
}

void examine_libhc(Examination& exam) {
  exam.fact("libhc",
            std::string(hc_version()) + (std::string(hc_version()) == HC_VERSION_STRING
                                             ? ""
                                             : " (this command was compiled with " HC_VERSION_STRING ")"));
}

void examine_libraries(Examination& exam, const hc_runtime_info& info) {
  exam.fact("libcurl",
            std::string(view(info.curl_version)) + " with " + std::string(view(info.curl_features)));
  exam.fact("c-ares", std::string(view(info.ares_version)));
  exam.fact("TLS", std::string(view(info.tls_version)));
  for (const std::string& trap : curl_traps(info.curl_version_number)) {
    exam.risky("libcurl " + std::string(view(info.curl_version)) + ": " + trap);
  }
  for (const std::string& trap : ares_traps(version_in(view(info.ares_version)))) {
    exam.risky("c-ares " + std::string(view(info.ares_version)) + ": " + trap);
  }
  if (version_in(view(info.ares_version)) < 0x011200) exam.missing("c-ares 1.18 or newer");
  if (view(info.tls_version).find("OpenSSL/3") == std::string_view::npos) {
    exam.risky("libcurl was built with " + std::string(view(info.tls_version)) +
               " and not with OpenSSL 3, the only TLS that libhc is tested with");
  }
}

void examine_features(Examination& exam, std::string_view features) {
  const std::string words = " " + std::string(features) + " ";
  const auto has = [&words](const char* name) {
    return words.find(" " + std::string(name) + " ") != std::string::npos;
  };
  if (!has("ipv6")) exam.risky("libcurl was built without IPv6");
  if (!has("threadsafe"))
    exam.risky("libcurl's global init is not thread-safe: create the first session early");
}

void examine_descriptors(Examination& exam, const hc_runtime_info& info) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const bool is_endless = limit.rlim_max == RLIM_INFINITY;
  exam.fact("descriptors", "soft limit " + grouped(info.descriptor_limit) + ", hard limit " +
                               (is_endless ? "none" : grouped(limit.rlim_max)));
  exam.fact("budget",
            "all sessions of a process may have " + plural(info.descriptor_budget, "socket") + " open");
  if (info.descriptor_limit > kFewDescriptors) return;
  exam.risky(
      "only " + grouped(info.descriptor_limit) +
      " descriptors per process: raise it with 'ulimit -n 65536', LimitNOFILE= of a systemd unit, or "
      "setrlimit() in the program" +
      (is_endless || limit.rlim_max > info.descriptor_limit ? "" : "; the hard limit must be raised, too"));
}

void examine_ca(Examination& exam, std::string_view ca_file) {
  exam.fact("CA bundle", ca_file.empty() ? "none found" : std::string(ca_file));
  if (ca_file.empty()) {
    exam.missing(
        "a CA bundle: https to public servers fails. apt-get install ca-certificates, or name a PEM file in "
        "ca_file, --cacert or SSL_CERT_FILE");
  } else if (access(std::string(ca_file).c_str(), R_OK) != 0) {
    exam.missing("authorities: $SSL_CERT_FILE names what cannot be read");
  }
}

// The values of all lines "keyword value", joined by spaces.
std::string lines_of(const char* path, std::string_view keyword) {
  std::ifstream file(path);
  std::string values;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find_first_of("#;")));
    std::string first;
    if (!(words >> first) || first != keyword) continue;
    for (std::string word; words >> word;) values += (values.empty() ? "" : " ") + word;
  }
  return printable(values);
}

void examine_resolver(Examination& exam) {
  const std::string nameservers = lines_of(kResolvConf, "nameserver");
  const std::string hosts = lines_of(kNsswitchConf, "hosts:");
  exam.fact("nameservers", (nameservers.empty() ? "none" : nameservers) + " (" + kResolvConf + ")");
  exam.fact("hosts", (hosts.empty() ? "not set" : hosts) + " (" + kNsswitchConf + ")");
  const std::string options = lines_of(kResolvConf, "options");
  if (!options.empty()) exam.fact("DNS options", options);
  if (nameservers.empty()) {
    exam.risky(std::string("no nameserver in ") + kResolvConf +
               ": c-ares asks 127.0.0.1; set the nameservers option");
  }
}

void examine_system(Examination& exam) {
  utsname name{};
  uname(&name);
  exam.fact("kernel", std::string(name.sysname) + " " + name.release + " " + name.machine + ", " +
                          plural(static_cast<std::uint64_t>(sysconf(_SC_NPROCESSORS_ONLN)), "processor"));
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

void examine_environment(Examination& exam) {
  std::string proxies;
  for (const char* variable :
       {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) {
    if (is_set(variable)) proxies += (proxies.empty() ? "" : ", ") + std::string(variable);
  }
  if (!proxies.empty()) {
    exam.fact("environment",
              proxies + " set: only sessions with trust_env (hcx get --trust-env) look at that");
  }
  if (is_set("SSLKEYLOGFILE")) {
    exam.risky("SSLKEYLOGFILE is set: programs may write the keys of TLS connections to that file");
  }
}

void examine_all(Examination& exam) {
  examine_libhc(exam);
  const hc_runtime_info info = runtime_info();
  examine_libraries(exam, info);
  examine_features(exam, view(info.curl_features));
  examine_descriptors(exam, info);
  examine_ca(exam, view(info.ca_file));
  examine_resolver(exam);
  examine_system(exam);
  examine_environment(exam);
  create_session(make_session_options());
}

}  // namespace

int run_doctor(const Arguments& arguments) {
  bool help = false;
  OptionParser parser;
  parser.flag("-h --help", [&help] { help = true; });
  if (!parser.parse(arguments).empty()) throw UsageError("doctor: takes no argument");
  if (help) {
    write_out(kHelp);
    return 0;
  }
  Examination exam;
  write_out("hcx doctor\n\n");
  try {
    examine_all(exam);
  } catch (const Refused& refused) {
    exam.missing(std::string("a session cannot be created here: ") + refused.what());
  }
  return exam.finish();
}

}  // namespace hc::hcx
