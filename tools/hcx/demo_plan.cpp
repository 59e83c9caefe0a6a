#include "hcx/demo_plan.h"

#include "serve/exchange.h"

namespace hc::hcx {

namespace {

constexpr std::uint32_t kLargestBody = 16 * 1024;
constexpr std::uint32_t kOffsets = 64 * 1024;

// In so many of 1,000 requests; what is left are small GETs.
struct Share {
  Kind kind;
  std::uint32_t per_mille;
};
constexpr Share kShares[] = {
    {Kind::kPost, 30},   {Kind::kSlow, 20}, {Kind::kUnavailable, 20}, {Kind::kClose, 5},
    {Kind::kDropped, 5}, {Kind::kReset, 5}, {Kind::kNoSuchName, 5},
};
constexpr std::uint32_t kCancelledPerMille = 30;
constexpr std::uint32_t kLatestCancelMs = 250;
constexpr std::array<std::uint32_t, 4> kSizes{128, 1024, 4096, kLargestBody};

// The pattern that the server makes its bodies of, as far as the demo needs it.
std::string_view pattern_at(std::uint32_t offset, std::uint32_t size) {
  static const std::string all = serve::pattern(kOffsets + kLargestBody);
  return std::string_view(all).substr(offset, size);
}

Kind kind_of(std::uint32_t draw) {
  for (const Share& share : kShares) {
    if (draw < share.per_mille) return share.kind;
    draw -= share.per_mille;
  }
  return Kind::kGet;
}

std::string path_of(const Errand& errand) {
  switch (errand.kind) {
    case Kind::kGet: return "/bytes/" + std::to_string(errand.size);
    case Kind::kPost: return "/echo";
    case Kind::kSlow: return "/delay/" + std::to_string(errand.size);
    case Kind::kUnavailable: return "/status/503";
    case Kind::kClose: return "/close";
    case Kind::kDropped: return "/fin?after=request";
    case Kind::kReset: return "/reset?after=request";
    case Kind::kNoSuchName: break;
  }
  return "/";
}

}  // namespace

Errand Plan::next() {
  Errand errand;
  errand.kind = kind_of(below(1000));
  errand.origin = static_cast<std::uint8_t>(below(kOriginNames.size()));
  if (errand.kind == Kind::kGet) errand.size = kSizes[std::min(below(8), below(4))];
  if (errand.kind == Kind::kPost) errand.size = 1 + below(4096);
  if (errand.kind == Kind::kPost) errand.offset = below(kOffsets);
  if (errand.kind == Kind::kSlow) errand.size = 5 + below(36);
  if (below(1000) < kCancelledPerMille) errand.cancel_after_ms = below(kLatestCancelMs);
  return errand;
}

std::string url_of(const Errand& errand, const std::array<std::uint16_t, 3>& ports) {
  const bool is_missing = errand.kind == Kind::kNoSuchName;
  std::string url = "http://";
  url += is_missing ? kMissingName : kOriginNames[errand.origin];
  return url + ":" + std::to_string(ports[errand.origin]) + path_of(errand);
}

std::string_view body_of(const Errand& errand) {
  return errand.kind == Kind::kPost ? pattern_at(errand.offset, errand.size) : std::string_view();
}

bool is_possible(const Errand& errand, hc_status status, std::int32_t http_status) {
  if (status == HC_E_CANCELLED) return errand.cancel_after_ms != Errand::kNoCancel;
  switch (errand.kind) {
    case Kind::kDropped:
    case Kind::kReset: return status == HC_E_DISCONNECTED || status == HC_E_STALE;
    case Kind::kNoSuchName: return status == HC_E_DNS;
    case Kind::kUnavailable: return status == HC_OK && http_status == 503;
    default: return status == HC_OK && http_status == 200;
  }
}

bool is_right_body(const Errand& errand, std::string_view body) {
  switch (errand.kind) {
    case Kind::kGet: return body == pattern_at(0, errand.size);
    case Kind::kPost: return body == body_of(errand);
    case Kind::kSlow: return body == std::to_string(errand.size) + "\n";
    default: return true;
  }
}

}  // namespace hc::hcx
