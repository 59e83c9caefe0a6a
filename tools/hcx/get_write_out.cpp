#include "hcx/get_write_out.h"

#include <array>
#include <cstdio>
#include <utility>

#include "hcx/get_print.h"
#include "hcx/option_parser.h"
#include "hcx/option_values.h"

namespace hc::hcx {

namespace {

std::string text_of(hc_str text) { return std::string(view(text)); }

// Three digits, as in curl: 000 without an answer.
std::string http_code(const Transfer& transfer) {
  const std::string digits = std::to_string(transfer.info.http_status);
  return std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}

std::string http_version(const Transfer& transfer) {
  return transfer.info.http_version == 0 ? "0" : version_text(transfer.info.http_version);
}

std::string seconds(std::uint64_t ns) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.6f", ns == HC_UNSET ? 0.0 : static_cast<double>(ns) / 1e9);
  return text.data();
}

template <std::uint64_t hc_timing::*kMoment>
std::string moment(const Transfer& transfer) {
  return seconds(transfer.response == nullptr ? HC_UNSET : transfer.info.timing.*kMoment);
}

std::string content_type(const Transfer& transfer) {
  hc_str value{nullptr, 0};
  if (transfer.response == nullptr) return "";
  hc_response_header(transfer.response, HC_STR("content-type"), 0, &value);
  return value.data == nullptr ? "" : text_of(value);
}

std::string connects(const Transfer& transfer) {
  std::size_t count = 0;
  hc_attempt attempt{};
  attempt.struct_size = sizeof attempt;
  for (std::size_t i = 0; transfer.response != nullptr; ++i) {
    if (hc_response_attempt(transfer.response, i, &attempt) != HC_OK) break;
    if (attempt.reused != HC_ON && attempt.timing.ready_ns != HC_UNSET) ++count;
  }
  return std::to_string(count);
}

std::string url_effective(const Transfer& transfer) {
  return transfer.info.url.len > 0 ? text_of(transfer.info.url) : std::string(transfer.url);
}

}  // namespace

const std::vector<WriteOut::Variable>& WriteOut::variables() {
  static const std::vector<Variable> all{
      {"http_code", http_code},
      {"response_code", http_code},
      {"size_download", [](const Transfer& t) { return std::to_string(t.received); }},
      {"time_namelookup", moment<&hc_timing::resolved_ns>},
      {"time_connect", moment<&hc_timing::connected_ns>},
      {"time_appconnect", moment<&hc_timing::secured_ns>},
      {"time_pretransfer", moment<&hc_timing::ready_ns>},
      {"time_starttransfer", moment<&hc_timing::first_byte_ns>},
      {"time_total", moment<&hc_timing::done_ns>},
      {"num_connects", connects},
      {"num_redirects", [](const Transfer& t) { return std::to_string(t.info.history_count); }},
      {"remote_ip", [](const Transfer& t) { return text_of(t.info.remote_address); }},
      {"remote_port", [](const Transfer& t) { return std::to_string(t.info.remote_port); }},
      {"url", [](const Transfer& t) { return std::string(t.url); }},
      {"url_effective", url_effective},
      {"method", [](const Transfer& t) { return std::string(t.method); }},
      {"content_type", content_type},
      {"http_version", http_version},
      {"exitcode", [](const Transfer& t) { return std::to_string(t.exit_code); }},
      {"errormsg", [](const Transfer& t) { return std::string(t.message); }},
  };
  return all;
}

WriteOut::Piece WriteOut::piece_of(std::string_view name) {
  if (name == "stdout") return {Kind::kToOut, "", nullptr};
  if (name == "stderr") return {Kind::kToError, "", nullptr};
  for (const Variable& variable : variables()) {
    if (variable.name == name) return {Kind::kValue, "", variable.value};
  }
  throw UsageError("-w: unknown variable %{" + std::string(name) + "}");
}

WriteOut::WriteOut(std::string_view format) {
  for (std::size_t i = 0; i < format.size(); ++i) {
    const std::string_view rest = format.substr(i);
    const std::size_t end = rest.starts_with("%{") ? rest.find('}') : std::string_view::npos;
    if (end != std::string_view::npos) {
      pieces_.push_back(piece_of(rest.substr(2, end - 2)));
      i += end;
      continue;
    }
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kEscapes{
        {{"\\n", "\n"}, {"\\r", "\r"}, {"\\t", "\t"}, {"%%", "%"}}};
    std::string_view text = rest.substr(0, 1);
    for (const auto& [escape, meaning] : kEscapes) {
      if (!rest.starts_with(escape)) continue;
      text = meaning;
      ++i;
    }
    add_text(text);
  }
}

void WriteOut::add_text(std::string_view text) {
  if (pieces_.empty() || pieces_.back().kind != Kind::kText) pieces_.push_back({Kind::kText, "", nullptr});
  pieces_.back().text += text;
}

WriteOut::Text WriteOut::of(const Transfer& transfer) const {
  Text text;
  std::string* to = &text.out;
  for (const Piece& piece : pieces_) {
    if (piece.kind == Kind::kToOut) to = &text.out;
    if (piece.kind == Kind::kToError) to = &text.error;
    *to += piece.kind == Kind::kValue ? piece.value(transfer) : piece.text;
  }
  return text;
}

}  // namespace hc::hcx
