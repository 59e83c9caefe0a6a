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

void set_certificate(TlsArguments& tls, const std::string& text, std::string_view option) {
  CertificateArgument certificate = parse_certificate(text, option);
  tls.certificate_file = std::move(certificate.file);
  if (certificate.has_password) tls.key_password = std::move(certificate.password);
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
  parser.value("-b --cookie", [&o](const auto& v) { add_cookies(o.cookies, v); });
  parser.value("-e --referer", [&o](const auto& v) { o.headers.push_back({"Referer", v, v.empty()}); });
  parser.value("-d --data --data-binary", [&o](const auto& v) { add_data(o, read_data(v, "-d")); });
  parser.value("--data-raw", [&o](const auto& v) { add_data(o, v); });
  add_flag(parser, "-G --get", o.data_in_url);
  add_text(parser, "-T --upload-file", o.upload_file);
  add_flag(parser, "-L --location", o.follow);
  parser.value("--max-redirs", [&o](const auto& v) {
    o.max_redirects = v == "-1" ? kMostRedirects : to_number(v, "--max-redirs", 0, kMostRedirects);
  });
  parser.value("--max-filesize", [&o](const auto& v) { o.max_body = parse_size(v, "--max-filesize"); });
  add_flag(parser, "--compressed", o.compressed);
  parser.value("-X --request", [&o](const auto& v) { o.method = v; });
  parser.value("-u --user", [&o](const auto& v) { o.user = parse_user(v); });
  parser.value("-A --user-agent", [&o](const auto& v) { o.user_agent = v; });
  add_flag(parser, "-I --head", o.head);
}

void add_session_options(OptionParser& parser, GetOptions& o) {
  add_flag(parser, "-k --insecure", o.tls.insecure);
  add_text(parser, "--cacert", o.tls.ca_file);
  parser.value("-E --cert", [&o](const auto& v) { set_certificate(o.tls, v, "--cert"); });
  add_text(parser, "--key", o.tls.key_file);
  parser.value("--pass", [&o](const auto& v) { o.tls.key_password = v; });
  parser.value("--pin-sha256", [&o](const auto& v) { o.pins.push_back(v); });
  add_text(parser, "--tls-server-name", o.server_name);
  parser.flag("--tlsv1.2", [&o] { o.min_tls = HC_TLS_1_2; });
  parser.flag("--tlsv1.3", [&o] { o.min_tls = HC_TLS_1_3; });
  parser.value("--connect-timeout",
               [&o](const auto& v) { o.connect_timeout_ms = to_milliseconds(v, "--connect-timeout"); });
  parser.value("-m --max-time", [&o](const auto& v) { o.total_timeout_ms = to_milliseconds(v, "-m"); });
  parser.value("--keepalive-time",
               [&o](const auto& v) { o.keepalive_ms = 1000 * to_number(v, "--keepalive-time", 1); });
  add_number(parser, "--limit", o.limit);
  add_number(parser, "--limit-per-host", o.limit_per_host);
}

void add_route_options(OptionParser& parser, GetOptions& o) {
  parser.value("-x --proxy", [&o](const auto& v) { o.proxy = v; });
  parser.value("-U --proxy-user", [&o](const auto& v) { o.proxy_user = parse_user(v); });
  parser.value("--proxy-header", [&o](const auto& v) { o.proxy_headers.push_back(parse_proxy_header(v)); });
  add_flag(parser, "--proxy-insecure", o.proxy_tls.insecure);
  add_text(parser, "--proxy-cacert", o.proxy_tls.ca_file);
  parser.value("--proxy-cert", [&o](const auto& v) { set_certificate(o.proxy_tls, v, "--proxy-cert"); });
  add_text(parser, "--proxy-key", o.proxy_tls.key_file);
  parser.value("--proxy-pass", [&o](const auto& v) { o.proxy_tls.key_password = v; });
  parser.value("--noproxy", [&o](const auto& v) { o.no_proxy = v; });
  add_flag(parser, "--trust-env", o.trust_env);
  add_text(parser, "--unix-socket", o.unix_path);
  parser.value("--interface", [&o](const auto& v) { o.interface = parse_interface(v); });
  add_flag(parser, "--public-only", o.public_only);
  add_text(parser, "--deny-addresses", o.deny_addresses);
  add_text(parser, "--allow-addresses", o.allow_addresses);
  add_text(parser, "--trusted-proxies", o.trusted_proxies);
  parser.value("--resolve", [&o](const auto& v) { o.resolves.push_back(parse_resolve(v)); });
  add_text(parser, "--dns-servers", o.nameservers);
  parser.flag("-4 --ipv4", [&o] { o.family = HC_FAMILY_V4; });
  parser.flag("-6 --ipv6", [&o] { o.family = HC_FAMILY_V6; });
}

void add_output_options(OptionParser& parser, GetOptions& o) {
  add_flag(parser, "-v --verbose", o.verbose);
  add_flag(parser, "--timing", o.timing);
  parser.value("-w --write-out", [&o](const auto& v) { o.write_out.emplace(read_data(v, "-w")); });
  add_flag(parser, "-i --include", o.include_head);
  parser.value("-o --output", [&o](const auto& v) { o.outputs.push_back(not_empty(v, "-o")); });
  parser.flag("-O --remote-name", [&o] { o.outputs.push_back(std::string(kNameOfUrl)); });
  add_text(parser, "-D --dump-header", o.dump_file);
  add_flag(parser, "-f --fail", o.fail);
  add_flag(parser, "-s --silent", o.silent);
  add_flag(parser, "-S --show-error", o.show_error);
  parser.value("--repeat", [&o](const auto& v) { o.repeat = to_number(v, "--repeat", 1); });
  add_flag(parser, "-h --help", o.help);
}

}  // namespace hc::hcx
