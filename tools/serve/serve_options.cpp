#include "serve/serve_options.h"

#include <charconv>
#include <functional>
#include <limits>
#include <map>
#include <stdexcept>

#include "serve/net.h"

namespace hc::serve {

namespace {

constexpr std::string_view kHelp = R"(usage: hcx serve [option...]

Test servers on this machine; they run until SIGINT or SIGTERM, and if stdin is a pipe or a socket until it closes.
Prints "http ADDRESS:PORT", "https ...", "dns ..." and "ca PATH", one per line, then "ready".

  --http ENDPOINT          plain HTTP; repeatable. ENDPOINT is PORT, ADDRESS:PORT or [V6]:PORT; port 0 is any
                           free one. Without any of --http, --https, --dns: --http 127.0.0.1:0
  --https ENDPOINT         HTTPS with a certificate made for the occasion; repeatable
  --tls-name NAME          one more name or IP address in that certificate, beside localhost, 127.0.0.1
                           and ::1; repeatable
  --tls-directory DIR      keep the certificates there. Default: a temporary directory
  --require-client-cert    accept only clients with the certificate client.pem of that directory
  --no-session-tickets     no TLS resumption
  --dns ENDPOINT           DNS over UDP and TCP
  --dns-name NAME=REPLY[/REPLY...]   one reply per query, the last one repeats; repeatable. REPLY is
                           ADDRESS[,ADDRESS...], cname:NAME, nxdomain, servfail, refused or silence, then if
                           wanted @TTL (seconds), +MS (delay), !tc (truncated over UDP), in this order.
                           NAME may be *.suffix
  --backlog N              of the listening sockets. Default: 4096
  --idle-timeout-ms N      close idle connections after N milliseconds. Default: never
  --keep-alive N           say "Keep-Alive: timeout=N" in each answer
  --max-keepalive-requests N   the N-th answer of a connection says close
  --exit-with-parent       end when the parent process does
  --ignore-stdin           do not end when stdin closes, whatever it is
  --help                   this text

Routes: /bytes/N /gzip/N /delay/MS /drip /status/N /echo /echo/head /method /connection /chunked /1xx
/redirect/N /redirect-to /keepalive/N /cookies /upload /upload/slow /upload/early /once/KEY
/once-count/KEY /count /reset-counters /close /close/silent /reset /fin /hang /truncate /badchunk
/badstatus /badheader /headerbomb /both /late (parameters: hcx(1))
)";

template <typename Number>
Number to_number(std::string_view text, std::string_view what) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  throw std::invalid_argument(std::string(what) + ": '" + std::string(text) + "' is not a number from " +
                              std::to_string(std::numeric_limits<Number>::min()) + " to " +
                              std::to_string(std::numeric_limits<Number>::max()));
}

Endpoint to_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {"127.0.0.1", to_number<std::uint16_t>(text, "port")};
  std::string_view address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return {std::string(address), to_number<std::uint16_t>(text.substr(colon + 1), "port")};
}

// Cuts `text` at the last `mark` and returns what followed; empty when there is none.
std::string_view cut_suffix(std::string_view& text, char mark) {
  const std::size_t at = text.rfind(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view suffix = text.substr(at + 1);
  text = text.substr(0, at);
  return suffix;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

DnsReply to_reply(std::string_view text) {
  const bool is_truncated = cut_suffix(text, '!') == "tc";
  const std::string_view delay = cut_suffix(text, '+');
  const std::string_view ttl_text = cut_suffix(text, '@');
  const std::uint32_t ttl = ttl_text.empty() ? 60 : to_number<std::uint32_t>(ttl_text, "TTL");
  DnsReply reply;
  if (text == "nxdomain") {
    reply = DnsReply::nxdomain();
  } else if (text == "servfail") {
    reply = DnsReply::servfail();
  } else if (text == "refused") {
    reply = DnsReply::refused();
  } else if (text == "silence") {
    reply = DnsReply::silence();
  } else if (text.starts_with("cname:")) {
    reply = DnsReply::alias(std::string(text.substr(6)), ttl);
  } else {
    reply = DnsReply::addresses(split(text, ','), ttl);
    for (const auto& record : reply.records) SocketAddress::parse(record.address, 0);
  }
  if (!delay.empty()) reply.delay = std::chrono::milliseconds(to_number<std::uint32_t>(delay, "delay"));
  return is_truncated ? reply.truncated() : reply;
}

DnsScript to_script(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) throw std::invalid_argument("--dns-name: NAME=REPLY expected");
  DnsScript script{std::string(text.substr(0, equals)), {}};
  for (const auto& reply : split(text.substr(equals + 1), '/')) script.replies.push_back(to_reply(reply));
  return script;
}

bool is_address(const std::string& text) {
  try {
    SocketAddress::parse(text, 0);
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

using ValueOption = std::function<void(ServeOptions&, const std::string&)>;

const std::map<std::string_view, ValueOption>& value_options() {
  static const std::map<std::string_view, ValueOption> table{
      {"--http", [](auto& o, const auto& v) { o.http.push_back(to_endpoint(v)); }},
      {"--https", [](auto& o, const auto& v) { o.https.push_back(to_endpoint(v)); }},
      {"--dns", [](auto& o, const auto& v) { o.dns.push_back(to_endpoint(v)); }},
      {"--dns-name", [](auto& o, const auto& v) { o.dns_scripts.push_back(to_script(v)); }},
      {"--tls-name",
       [](auto& o, const auto& v) { (is_address(v) ? o.pki.addresses : o.pki.names).push_back(v); }},
      {"--tls-directory", [](auto& o, const auto& v) { o.pki.directory = v; }},
      {"--backlog", [](auto& o, const auto& v) { o.backlog = to_number<int>(v, "--backlog"); }},
      {"--idle-timeout-ms",
       [](auto& o, const auto& v) {
         o.server.idle_timeout = std::chrono::milliseconds(to_number<std::uint32_t>(v, "--idle-timeout-ms"));
       }},
      {"--keep-alive",
       [](auto& o, const auto& v) {
         o.server.keep_alive_header_seconds = to_number<std::uint32_t>(v, "--keep-alive");
       }},
      {"--max-keepalive-requests",
       [](auto& o, const auto& v) {
         o.server.max_keepalive_requests = to_number<std::uint64_t>(v, "--max-keepalive-requests");
       }},
  };
  return table;
}

const std::map<std::string_view, std::function<void(ServeOptions&)>>& switches() {
  static const std::map<std::string_view, std::function<void(ServeOptions&)>> table{
      {"--require-client-cert", [](auto& o) { o.require_client_certificate = true; }},
      {"--no-session-tickets", [](auto& o) { o.session_tickets = false; }},
      {"--exit-with-parent", [](auto& o) { o.exit_with_parent = true; }},
      {"--ignore-stdin", [](auto& o) { o.ignore_stdin = true; }},
      {"--help", [](auto& o) { o.help = true; }},
      {"-h", [](auto& o) { o.help = true; }},
  };
  return table;
}

void refuse_what_has_no_effect(const ServeOptions& options) {
  if (options.dns.size() > 1) throw std::invalid_argument("--dns: there is only one DNS server");
  if (!options.dns_scripts.empty() && options.dns.empty())
    throw std::invalid_argument("--dns-name needs --dns");
  const TestPkiOptions usual;
  const bool names_more =
      options.pki.names.size() > usual.names.size() || options.pki.addresses.size() > usual.addresses.size();
  const bool is_about_tls = names_more || !options.pki.directory.empty() ||
                            options.require_client_certificate || !options.session_tickets;
  if (is_about_tls && options.https.empty())
    throw std::invalid_argument(
        "--tls-name, --tls-directory, --require-client-cert and --no-session-tickets need --https");
}

}  // namespace

ServeOptions parse_serve_options(int argc, char** argv) {
  ServeOptions options;
  for (int i = 1; i < argc; ++i) {
    // Both "--option value" and "--option=value".
    const std::string_view argument = argv[i];
    const std::string_view name = argument.substr(0, argument.find('='));
    if (const auto found = switches().find(argument); found != switches().end()) {
      found->second(options);
      continue;
    }
    const auto found = value_options().find(name);
    if (found == value_options().end())
      throw std::invalid_argument("unknown option: " + std::string(argument));
    if (name.size() == argument.size() && i + 1 == argc)
      throw std::invalid_argument(std::string(name) + " needs a value");
    found->second(options,
                  std::string(name.size() < argument.size() ? argument.substr(name.size() + 1) : argv[++i]));
  }
  if (!options.help) refuse_what_has_no_effect(options);
  if (options.http.empty() && options.https.empty() && options.dns.empty())
    options.http.push_back({"127.0.0.1", 0});
  return options;
}

std::string_view serve_help() { return kHelp; }

}  // namespace hc::serve
