#include "hcx/get_print.h"

#include <algorithm>
#include <array>

#include "hcx/format.h"
#include "hcx/url_text.h"

namespace hc::hcx {

namespace {

constexpr std::size_t kColumn = 8;  // "   123.4", "first by"

std::string cell(std::uint64_t ns) { return right(ns == HC_UNSET ? "-" : milliseconds(ns), kColumn); }

std::string version_text(std::int32_t version) {
  if (version == 20) return "2";
  return std::to_string(version / 10) + "." + std::to_string(version % 10);
}

std::string connection_text(const hc_response_info& info) {
  if (info.connection == 0) return "* No connection\n";
  std::string address(view(info.remote_address));
  if (address.find(':') != std::string::npos) address = "[" + address + "]";
  return "* Connection #" + std::to_string(info.connection) +
         (info.reused == HC_ON ? ", reused, to " : ", new, to ") + address + ":" +
         std::to_string(info.remote_port) +
         (info.attempts > 1 ? ", attempt " + std::to_string(info.attempts) : "") + "\n";
}

std::string phases_text(const Phases& phases) {
  const std::array<std::pair<const char*, std::uint64_t>, 7> parts{{{"waited", phases.waited},
                                                                    {"dns", phases.dns},
                                                                    {"connect", phases.connect},
                                                                    {"tls", phases.tls},
                                                                    {"sent", phases.sent},
                                                                    {"first byte", phases.first_byte},
                                                                    {"done", phases.done}}};
  std::string text = "* " + milliseconds(phases.total) + " ms:";
  for (const auto& [name, ns] : parts) {
    if (ns != HC_UNSET) text += std::string(" ") + name + " " + milliseconds(ns) + ",";
  }
  text.back() = '\n';
  return text;
}

}  // namespace

// Each part lasts from the last moment that happened before it.
Phases phases_of(const hc_timing& timing) {
  Phases phases;
  std::uint64_t last = 0;
  const auto part = [&last](std::uint64_t at) {
    if (at == HC_UNSET) return HC_UNSET;
    const std::uint64_t length = at > last ? at - last : 0;
    last = std::max(last, at);
    return length;
  };
  phases.waited = part(timing.started_ns);
  // On a reused connection there was nothing to look up.
  if (timing.connected_ns != HC_UNSET || timing.ready_ns == HC_UNSET) phases.dns = part(timing.resolved_ns);
  phases.connect = part(timing.connected_ns);
  phases.tls = part(timing.secured_ns);
  phases.sent = part(timing.sent_ns);
  phases.first_byte = part(timing.first_byte_ns);
  phases.done = part(timing.done_ns);
  phases.total = timing.done_ns == HC_UNSET ? 0 : timing.done_ns;
  return phases;
}

std::string error_text(std::string_view url, const hc_error& error, std::uint64_t after_ns) {
  std::string text = shown_url(url) + ": " + hc_status_name(error.status) + ": " + printable(error.message);
  if (error.phase == HC_PHASE_NONE) return text;
  return text + " (" + hc_phase_name(error.phase) + ", after " + duration(after_ns) + ")";
}

std::string status_line(const hc_response_info& info) {
  std::string line = "HTTP/" + version_text(info.http_version) + " " + std::to_string(info.http_status);
  if (info.reason.len > 0) line += " " + printable(view(info.reason));
  return line;
}

bool is_redirect(const hc_response_info& info) {
  constexpr std::array<std::int32_t, 5> kFollowed{301, 302, 303, 307, 308};
  return std::count(kFollowed.begin(), kFollowed.end(), info.http_status) > 0 &&
         std::any_of(info.headers, info.headers + info.header_count, [](const hc_header& header) {
           return equals_ignoring_case(view(header.name), "Location");
         });
}

std::string response_head(const hc_response_info& info, std::string_view prefix, std::string_view line_end) {
  std::string head = std::string(prefix) + status_line(info) + std::string(line_end);
  for (std::size_t i = 0; i < info.header_count; ++i) {
    const hc_header& header = info.headers[i];
    head += std::string(prefix) + printable(view(header.name)) + ": " + printable(view(header.value));
    head += line_end;
  }
  return head + std::string(prefix) + std::string(line_end);
}

// The library does not tell what it sent; this is what it was asked to, and what libcurl adds by itself.
std::string request_head(std::string_view url, const GetOptions& options) {
  const UrlText text = split_url(url);
  std::string head = "> " + std::string(options.method_name()) + " " + printable(text.target) + " HTTP/1.1\n";
  const auto add = [&](const char* name, const std::string& value) {
    if (!options.has_header(name)) head += "> " + std::string(name) + ": " + value + "\n";
  };
  add("Host", printable(text.authority));
  if (options.user || !text.userinfo.empty()) add("Authorization", "Basic (not shown)");
  add("Accept", "*/*");
  for (const HeaderArgument& header : options.headers) {
    if (header.is_removal) continue;
    const bool is_secret = header.is_named("Authorization") || header.is_named("Proxy-Authorization");
    head +=
        "> " + printable(header.name) + ": " + (is_secret ? "(not shown)" : printable(header.value)) + "\n";
  }
  if (options.body) add("Content-Type", "application/x-www-form-urlencoded");
  add("User-Agent", std::string("libhc/") + hc_version());
  if (options.body) add("Content-Length", std::to_string(options.body->size()));
  return head + "> \n";
}

std::string verbose_opening(std::string_view url, const GetOptions& options, const hc_response_info& info) {
  std::string text = "* " + shown_url(url) + "\n" + connection_text(info);
  if (info.connection != 0) text += request_head(url, options);
  if (info.http_status != 0) text += response_head(info, "< ", "\n");
  return text;
}

std::string verbose_closing(const hc_response_info& info, std::uint64_t received) {
  const std::string body = info.http_status != 0 ? "* " + plural(received, "byte") + " of body\n" : "";
  return body + phases_text(phases_of(info.timing));
}

std::string timing_header() {
  std::string line;
  for (const char* name : {"waited", "dns", "connect", "tls", "sent", "first", "done", "total"}) {
    line += right(name, kColumn);
  }
  return line + "  ms\n";
}

std::string timing_line(std::string_view url, const hc_response_info& info) {
  const Phases phases = phases_of(info.timing);
  std::string line;
  for (const std::uint64_t ns : {phases.waited, phases.dns, phases.connect, phases.tls, phases.sent,
                                 phases.first_byte, phases.done, phases.total}) {
    line += cell(ns);
  }
  const std::string outcome =
      info.status == HC_OK ? std::to_string(info.http_status) : hc_status_name(info.status);
  return line + "  " + outcome + " " + shown_url(url) + "\n";
}

}  // namespace hc::hcx
