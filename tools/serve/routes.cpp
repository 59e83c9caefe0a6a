#include "serve/routes.h"

#include <charconv>
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

}  // namespace

std::uint64_t RouteContext::rest_number(std::uint64_t fallback) const {
  const std::string_view digits = rest.substr(0, rest.find('/'));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size() ? value : fallback;
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
