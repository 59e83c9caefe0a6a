#include "hcx/get_print.h"

#include <algorithm>
#include <array>

#include "hcx/format.h"
#include "hcx/url_text.h"

namespace hc::hcx {

namespace {

constexpr std::size_t kColumn = 8;  // "   123.4", "first by"

std::string cell(std::uint64_t ns) { return right(ns == HC_UNSET ? "-" : milliseconds(ns), kColumn); }

std::string fields_text(const hc_header* headers, std::size_t count, const HeadStyle& style) {
  std::string text;
  const auto add = [&](const std::string& line) {
    text += style.prefix;
    text += line;
    text += style.line_end;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = view(headers[i].name);
    const bool is_hidden = style.secrets == Secrets::kHidden && is_secret(name);
    add(shown(name, style.reader) + ": " +
        shown(is_hidden ? kNotShown : view(headers[i].value), style.reader));
  }
  add("");
  return text;
}

std::string head_of(const std::string& status, const std::string& fields, const HeadStyle& style) {
  return std::string(style.prefix) + shown(status, style.reader) + std::string(style.line_end) + fields;
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

std::string error_text(const hc_error& error, std::uint64_t after_ns) {
  std::string text = std::string(hc_status_name(error.status)) + ": " + printable(error.message);
  if (error.phase == HC_PHASE_NONE) return text;
  return text + " (" + hc_phase_name(error.phase) + ", after " + duration(after_ns) + ")";
}

std::string version_text(std::int32_t version) {
  if (version == 20) return "2";
  return std::to_string(version / 10) + "." + std::to_string(version % 10);
}

std::string status_line(const hc_response_info& info) {
  std::string line = "HTTP/" + version_text(info.http_version) + " " + std::to_string(info.http_status);
  if (info.reason.len > 0) line += " " + std::string(view(info.reason));
  return line;
}

bool is_redirect(const hc_response_info& info) {
  constexpr std::array<std::int32_t, 5> kFollowed{301, 302, 303, 307, 308};
  return std::count(kFollowed.begin(), kFollowed.end(), info.http_status) > 0 &&
         std::any_of(info.headers, info.headers + info.header_count, [](const hc_header& header) {
           return equals_ignoring_case(view(header.name), "Location");
         });
}

std::string shown(std::string_view text, Reader reader) {
  return reader == Reader::kTerminal ? printable(text) : std::string(text);
}

bool is_secret(std::string_view field) {
  constexpr std::array<std::string_view, 4> kSecrets{"Authorization", "Proxy-Authorization", "Cookie",
                                                     "Set-Cookie"};
  return std::any_of(kSecrets.begin(), kSecrets.end(),
                     [field](std::string_view secret) { return equals_ignoring_case(field, secret); });
}

std::string response_head(const hc_response_info& info, const HeadStyle& style) {
  return head_of(status_line(info), fields_text(info.headers, info.header_count, style), style);
}

std::string redirect_head(const hc_response_info& info, std::size_t nth, const HeadStyle& style) {
  const hc_hop& hop = info.history[nth];
  return head_of("HTTP/1.1 " + std::to_string(hop.http_status),
                 fields_text(hop.headers, hop.header_count, style), style);
}

std::string all_heads(const hc_response_info& info, const HeadStyle& style) {
  std::string heads;
  for (std::size_t i = 0; i < info.history_count; ++i) heads += redirect_head(info, i, style);
  return heads + response_head(info, style);
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
