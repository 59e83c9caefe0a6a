#include "hcx/get_options.h"

#include <strings.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include "hcx/option_parser.h"
#include "hcx/url_text.h"

namespace hc::hcx {

namespace {

constexpr std::string_view kHelp = R"(usage: hcx get [OPTION...] URL...

All URLs go through one session at once; the bodies come out in the order of the URLs.

  -v, --verbose           heads as curl prints them (the request's as it was handed to libcurl), the
                          connection, and the time it took; on stderr
  -w, --timing            where the time went, one line per request; on stderr
  -o, --output FILE       the body of the n-th URL goes to the n-th FILE; '-' is stdout
  -i, --include           response heads before the bodies
  -I, --head              HEAD instead of GET; prints the response heads
  -H, --header LINE       'Name: value'; 'Name:' leaves the automatic field out; 'Name;' sends it empty
  -d, --data DATA         a body, by POST; '@FILE' or '@-' sends a file as it is; several are joined by '&'
  -T, --upload-file FILE  a body, by PUT; read as it is sent
  -X, --request METHOD
  -L, --location          follow redirects
      --max-redirs N      at most so many. Default: 50
      --compressed        ask for compressed bodies, and decode them
  -u, --user USER:PASSWORD    Basic authentication
  -k, --insecure          accept any certificate
      --cacert FILE       trust these authorities (PEM) and no others
  -E, --cert FILE[:PASSWORD]  our certificate (PEM), for servers that ask for one
      --key FILE          its key, if that is in a file of its own
      --pass PASSWORD     of the key
      --pin-sha256 HEX    the server's certificate must have this digest; several: any of them
      --tls-server-name NAME  in place of the URL's host: asked for, and looked for in the certificate
      --tlsv1.3           nothing older
  -x, --proxy URL         http, https, socks5 or socks5h, with user and password in it
      --proxy-header LINE 'Name: value', for the proxy alone
      --noproxy LIST      hosts to reach without it
      --trust-env         proxies of $http_proxy, $https_proxy, $all_proxy and $no_proxy
      --unix-socket PATH  in place of the URL's host; '@NAME' is an abstract one
      --public-only       no address that is not public
      --connect-timeout S until a connection is ready, waiting for a free one included
  -m, --max-time S        for the whole of each request
      --resolve HOST:PORT:ADDRESS[,ADDRESS...]    in place of DNS; port '*' is every port
      --dns-servers LIST  ADDRESS[:PORT],...
  -4, --ipv4 / -6, --ipv6
  -f, --fail              HTTP status 400 and above is an error: exit code 22, no body
  -s, --silent            no error lines
      --limit N           most connections at one time; 0: as many as descriptors allow. Default: 100
      --limit-per-host N  the same for each host
      --repeat N          each URL so many times

Exit code: 0 if all were answered, 1 if not, 2 for wrong usage, 22 with -f.
)";

std::string trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = text.find_last_not_of(" \t") + 1;
  return std::string(text.substr(begin, std::max(begin, end) - begin));
}

std::string read_all(std::istream& from) { return {std::istreambuf_iterator<char>(from), {}}; }

std::string data_of(const std::string& argument) {
  if (!argument.starts_with('@')) return argument;
  if (argument == "@-") return read_all(std::cin);
  std::ifstream file(argument.substr(1), std::ios::binary);
  if (!file) throw UsageError("-d: cannot read " + argument.substr(1));
  return read_all(file);
}

void add_data(GetOptions& options, const std::string& argument) {
  const std::string data = data_of(argument);
  options.body = options.body ? *options.body + "&" + data : data;
}

void set_user(GetOptions& options, const std::string& text) {
  const std::size_t colon = text.find(':');
  options.user = text.substr(0, colon);
  options.password = colon == std::string::npos ? "" : text.substr(colon + 1);
}

// As in curl, a colon begins the password: one in the path cannot be had.
void set_certificate(GetOptions& options, const std::string& text) {
  const std::size_t colon = text.find(':');
  options.certificate_file = text.substr(0, colon);
  if (colon != std::string::npos) options.key_password = text.substr(colon + 1);
}

void add_request_options(OptionParser& parser, GetOptions& o) {
  parser.value("-H --header", [&o](const auto& v) { o.headers.push_back(parse_header(v)); });
  parser.value("-d --data --data-binary", [&o](const auto& v) { add_data(o, v); });
  parser.value("-T --upload-file", [&o](const auto& v) { o.upload_file = v; });
  parser.flag("-L --location", [&o] { o.follow = true; });
  parser.value("--max-redirs",
               [&o](const auto& v) { o.max_redirects = to_number(v, "--max-redirs", 0, 1000); });
  parser.flag("--compressed", [&o] { o.compressed = true; });
  parser.value("-X --request", [&o](const auto& v) { o.method = v; });
  parser.value("-u --user", [&o](const auto& v) { set_user(o, v); });
  parser.flag("-I --head", [&o] { o.head = true; });
}

void add_session_options(OptionParser& parser, GetOptions& o) {
  parser.flag("-k --insecure", [&o] { o.insecure = true; });
  parser.value("--cacert", [&o](const auto& v) { o.ca_file = v; });
  parser.value("-E --cert", [&o](const auto& v) { set_certificate(o, v); });
  parser.value("--key", [&o](const auto& v) { o.key_file = v; });
  parser.value("--pass", [&o](const auto& v) { o.key_password = v; });
  parser.value("--pin-sha256", [&o](const auto& v) { o.pins.push_back(v); });
  parser.value("--tls-server-name", [&o](const auto& v) { o.server_name = v; });
  parser.flag("--tlsv1.3", [&o] { o.tls_1_3 = true; });
  parser.value("-x --proxy", [&o](const auto& v) { o.proxy = v; });
  parser.value("--proxy-header", [&o](const auto& v) { o.proxy_headers.push_back(parse_header(v)); });
  parser.value("--noproxy", [&o](const auto& v) { o.no_proxy = v; });
  parser.flag("--trust-env", [&o] { o.trust_env = true; });
  parser.value("--unix-socket", [&o](const auto& v) { o.unix_path = v; });
  parser.flag("--public-only", [&o] { o.public_only = true; });
  parser.value("--resolve", [&o](const auto& v) { o.resolves.push_back(parse_resolve(v)); });
  parser.value("--dns-servers", [&o](const auto& v) { o.nameservers = v; });
  parser.flag("-4 --ipv4", [&o] { o.family = HC_FAMILY_V4; });
  parser.flag("-6 --ipv6", [&o] { o.family = HC_FAMILY_V6; });
  parser.value("--connect-timeout",
               [&o](const auto& v) { o.connect_timeout_ms = to_milliseconds(v, "--connect-timeout"); });
  parser.value("-m --max-time", [&o](const auto& v) { o.total_timeout_ms = to_milliseconds(v, "-m"); });
  parser.value("--limit", [&o](const auto& v) { o.limit = to_number(v, "--limit"); });
  parser.value("--limit-per-host",
               [&o](const auto& v) { o.limit_per_host = to_number(v, "--limit-per-host"); });
}

void add_output_options(OptionParser& parser, GetOptions& o) {
  parser.flag("-v --verbose", [&o] { o.verbose = true; });
  parser.flag("-w --timing", [&o] { o.timing = true; });
  parser.flag("-i --include", [&o] { o.include_head = true; });
  parser.value("-o --output", [&o](const auto& v) { o.outputs.push_back(v); });
  parser.flag("-f --fail", [&o] { o.fail = true; });
  parser.flag("-s --silent", [&o] { o.silent = true; });
  parser.value("--repeat", [&o](const auto& v) { o.repeat = to_number(v, "--repeat", 1); });
  parser.flag("-h --help", [&o] { o.help = true; });
}

}  // namespace

std::string_view GetOptions::method_name() const {
  if (!method.empty()) return method;
  if (head) return "HEAD";
  if (!upload_file.empty()) return "PUT";
  return body ? "POST" : "GET";
}

bool GetOptions::has_header(std::string_view name) const {
  return std::any_of(headers.begin(), headers.end(),
                     [name](const auto& header) { return header.is_named(name); });
}

bool HeaderArgument::is_named(std::string_view other) const {
  return name.size() == other.size() && strncasecmp(name.data(), other.data(), other.size()) == 0;
}

HeaderArgument parse_header(std::string_view text) {
  const std::size_t mark = text.find_first_of(":;");
  if (mark == std::string_view::npos || mark == 0) {
    throw UsageError("-H: 'Name: value', 'Name:' or 'Name;' expected");
  }
  HeaderArgument header{std::string(text.substr(0, mark)), trimmed(text.substr(mark + 1)), false};
  if (text[mark] == ';' && !header.value.empty()) throw UsageError("-H: nothing may follow 'Name;'");
  header.is_removal = text[mark] == ':' && header.value.empty();
  return header;
}

ResolveArgument parse_resolve(std::string_view text) {
  const auto refuse = [] { return UsageError("--resolve: HOST:PORT:ADDRESS[,ADDRESS...] expected"); };
  const std::size_t first = text.find(':', text.starts_with('[') ? std::min(text.find(']'), text.size()) : 0);
  if (first == std::string_view::npos || first == 0) throw refuse();
  const std::size_t second = text.find(':', first + 1);
  if (second == std::string_view::npos) throw refuse();
  ResolveArgument resolve;
  resolve.host = text.substr(0, first);
  const std::string_view port = text.substr(first + 1, second - first - 1);
  if (port != "*") resolve.port = static_cast<std::uint16_t>(to_number(port, "--resolve", 1, 65535));
  for (std::string_view rest = text.substr(second + 1); !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    std::string_view address = rest.substr(0, comma);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    if (!address.empty()) resolve.addresses.emplace_back(address);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  if (resolve.addresses.empty()) throw refuse();
  return resolve;
}

GetOptions parse_get_options(const std::vector<std::string>& arguments) {
  GetOptions options;
  OptionParser parser;
  add_request_options(parser, options);
  add_session_options(parser, options);
  add_output_options(parser, options);
  for (const std::string& url : parser.parse(arguments)) options.urls.push_back(with_scheme(url));
  if (options.urls.empty() && !options.help) throw UsageError("get: no URL");
  if (options.body && !options.upload_file.empty()) throw UsageError("-T: not together with -d");
  return options;
}

std::string_view get_help() { return kHelp; }

}  // namespace hc::hcx
