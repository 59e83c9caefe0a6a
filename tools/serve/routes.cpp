#include "serve/routes.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <unordered_map>

namespace hc::serve {

namespace {

using RouteTable = std::unordered_map<std::string_view, Route>;

const RouteTable& route_table() {
  static const RouteTable table{
      {"bytes", {answer_bytes}},
      {"delay", {answer_delay}},
      {"drip", {answer_drip}},
      {"status", {answer_status}},
      {"echo", {answer_echo, plan_echo}},
      {"method", {answer_method}},
      {"chunked", {answer_chunked}},
      {"1xx", {answer_interim}},
      {"redirect", {answer_redirect}},
      {"redirect-to", {answer_redirect_to}},
      {"keepalive", {answer_keepalive}},
      {"connection", {answer_connection}},
      {"cookies", {answer_cookies}},
      {"gzip", {answer_gzip}},
      {"upload", {answer_upload, plan_upload}},
      {"once", {answer_once, plan_once}},
      {"once-count", {answer_once_count}},
      {"count", {answer_count}},
      {"reset-counters", {answer_reset_counters}},
      {"close", {answer_close}},
      {"reset", {answer_reset, plan_broken}},
      {"fin", {answer_fin, plan_broken}},
      {"hang", {answer_hang}},
      {"truncate", {answer_truncate}},
      {"badchunk", {answer_bad_chunk}},
      {"badstatus", {answer_bad_status}},
      {"badheader", {answer_bad_header}},
      {"headerbomb", {answer_header_bomb}},
      {"both", {answer_both_lengths}},
      {"late", {answer_late}},
  };
  return table;
}

std::uint64_t to_number(std::string_view what, std::string_view digits, Range range) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool is_number = error == std::errc() && end == digits.data() + digits.size();
  if (is_number && value >= range.least && value <= range.most) return value;
  throw BadNumber(std::string(what) + ": a number from " + std::to_string(range.least) + " to " +
                  std::to_string(range.most) + " expected");
}

}  // namespace

std::chrono::milliseconds to_duration(std::uint64_t milliseconds) {
  constexpr auto kMost = static_cast<std::uint64_t>(kLongestWait.count());
  return std::chrono::milliseconds(std::min(milliseconds, kMost));
}

std::uint64_t RouteContext::number(std::string_view parameter, std::uint64_t fallback, Range range) const {
  if (request.query.empty()) return fallback;
  const auto text = request.parameter(parameter);
  return text ? to_number(parameter, *text, range) : fallback;
}

std::chrono::milliseconds RouteContext::milliseconds(std::string_view parameter,
                                                     std::uint64_t fallback) const {
  return to_duration(number(parameter, fallback));
}

int RouteContext::status(std::string_view parameter, int fallback, Range range) const {
  return static_cast<int>(number(parameter, static_cast<std::uint64_t>(fallback), range));
}

std::uint64_t RouteContext::rest_number(std::uint64_t fallback, Range range) const {
  const std::string_view digits = rest.substr(0, rest.find('/'));
  return digits.empty() ? fallback : to_number("in the path", digits, range);
}

const Route* find_route(std::string_view path, std::string_view& rest) {
  if (path.empty() || path.front() != '/') return nullptr;
  path.remove_prefix(1);
  const std::string_view name = path.substr(0, path.find('/'));
  const auto found = route_table().find(name);
  if (found == route_table().end()) return nullptr;
  rest = path.substr(name.size() < path.size() ? name.size() + 1 : path.size());
  return &found->second;
}

}  // namespace hc::serve
