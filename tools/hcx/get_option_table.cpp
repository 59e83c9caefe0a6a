#include "hcx/get_option_table.h"

namespace hc::hcx {

namespace {

constexpr std::uint64_t kMostRedirects = 1000;  // that the library takes

void add_flag(OptionParser& parser, std::string_view names, bool& option) {
  parser.flag(names, [&option] { option = true; });
}

// Empty is what a script's unset variable leaves: to go on without the option could send secrets to anybody.
std::string not_empty(const std::string& value, std::string_view names) {
  if (value.empty()) throw UsageError(std::string(names) + ": empty");
  return value;
}

void add_text(OptionParser& parser, std::string_view names, std::optional<std::string>& option) {
  parser.value(names, [names, &option](const auto& v) { option = not_empty(v, names); });
}

void add_number(OptionParser& parser, std::string_view name, std::uint64_t& option) {
  parser.value(name, [name, &option](const auto& v) { option = to_number(v, name); });
}

void add_data(GetOptions& options, const std::string& data) {
  options.body = options.body ? *options.body + "&" + data : data;
}

void set_certificate(GetOptions& options, const std::string& text) {
  CertificateArgument certificate = parse_certificate(text, "--cert");
  options.certificate_file = std::move(certificate.file);
  if (certificate.has_password) options.key_password = std::move(certificate.password);
}

HeaderArgument parse_proxy_header(const std::string& text) {
  HeaderArgument header = parse_header(text, "--proxy-header");
  if (header.is_removal) {
    throw UsageError("--proxy-header: 'Name:' removes nothing there; 'Name;' sends it empty");
  }
  return header;
}

}  // namespace

void add_request_options(OptionParser& parser, GetOptions& o) {
  parser.value("-H --header", [&o](const auto& v) { o.headers.push_back(parse_header(v)); });
  parser.value("-d --data --data-binary", [&o](const auto& v) { add_data(o, read_data(v, "-d")); });
  add_text(parser, "-T --upload-file", o.upload_file);
  add_flag(parser, "-L --location", o.follow);
  parser.value("--max-redirs", [&o](const auto& v) {
    o.max_redirects = v == "-1" ? kMostRedirects : to_number(v, "--max-redirs", 0, kMostRedirects);
  });
  add_flag(parser, "--compressed", o.compressed);
  parser.value("-X --request", [&o](const auto& v) { o.method = v; });
  parser.value("-u --user", [&o](const auto& v) { o.user = parse_user(v); });
  add_flag(parser, "-I --head", o.head);
}

void add_session_options(OptionParser& parser, GetOptions& o) {
  add_flag(parser, "-k --insecure", o.insecure);
  add_text(parser, "--cacert", o.ca_file);
  parser.value("-E --cert", [&o](const auto& v) { set_certificate(o, v); });
  add_text(parser, "--key", o.key_file);
  parser.value("--pass", [&o](const auto& v) { o.key_password = v; });
  parser.value("--pin-sha256", [&o](const auto& v) { o.pins.push_back(v); });
  add_text(parser, "--tls-server-name", o.server_name);
  add_flag(parser, "--tlsv1.3", o.tls_1_3);
  parser.value("--connect-timeout",
               [&o](const auto& v) { o.connect_timeout_ms = to_milliseconds(v, "--connect-timeout"); });
  parser.value("-m --max-time", [&o](const auto& v) { o.total_timeout_ms = to_milliseconds(v, "-m"); });
  add_number(parser, "--limit", o.limit);
  add_number(parser, "--limit-per-host", o.limit_per_host);
}

void add_route_options(OptionParser& parser, GetOptions& o) {
  parser.value("-x --proxy", [&o](const auto& v) { o.proxy = v; });
  parser.value("--proxy-header", [&o](const auto& v) { o.proxy_headers.push_back(parse_proxy_header(v)); });
  parser.value("--noproxy", [&o](const auto& v) { o.no_proxy = v; });
  add_flag(parser, "--trust-env", o.trust_env);
  add_text(parser, "--unix-socket", o.unix_path);
  add_flag(parser, "--public-only", o.public_only);
  parser.value("--resolve", [&o](const auto& v) { o.resolves.push_back(parse_resolve(v)); });
  add_text(parser, "--dns-servers", o.nameservers);
  parser.flag("-4 --ipv4", [&o] { o.family = HC_FAMILY_V4; });
  parser.flag("-6 --ipv6", [&o] { o.family = HC_FAMILY_V6; });
}

void add_output_options(OptionParser& parser, GetOptions& o) {
  add_flag(parser, "-v --verbose", o.verbose);
  add_flag(parser, "-w --timing", o.timing);
  add_flag(parser, "-i --include", o.include_head);
  parser.value("-o --output", [&o](const auto& v) { o.outputs.push_back(not_empty(v, "-o")); });
  add_flag(parser, "-f --fail", o.fail);
  add_flag(parser, "-s --silent", o.silent);
  parser.value("--repeat", [&o](const auto& v) { o.repeat = to_number(v, "--repeat", 1); });
  add_flag(parser, "-h --help", o.help);
}

}  // namespace hc::hcx
