// What the demo sends, drawn from a seed, and what may come of each request.
#pragma once

#include <hc/hc.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace hc::hcx {

enum class Kind : std::uint8_t {
  kGet,          // a small body
  kPost,         // an echo
  kSlow,         // an answer after some milliseconds
  kUnavailable,  // 503
  kClose,        // an answer that ends its connection
  kDropped,      // the server closes without an answer
  kReset,        // the same with a RST
  kNoSuchName,
};

struct Errand {
  static constexpr std::uint32_t kNoCancel = UINT32_MAX;

  Kind kind = Kind::kGet;
  std::uint8_t origin = 0;
  std::uint32_t size = 0;    // of the body asked for or sent; ms for kSlow
  std::uint32_t offset = 0;  // of the body sent, in the pattern
  std::uint32_t cancel_after_ms = kNoCancel;
};

/// The origins by name; each has a port of its own.
inline constexpr std::array<std::string_view, 3> kOriginNames{"alpha.demo.test", "beta.demo.test",
                                                              "gamma.demo.test"};
inline constexpr std::string_view kMissingName = "nowhere.demo.test";

class Plan {
 public:
  explicit Plan(std::uint64_t seed) : random_(seed) {}
  Errand next();

 private:
  std::uint32_t below(std::uint32_t end) { return static_cast<std::uint32_t>(random_() % end); }

  std::mt19937_64 random_;
};

std::string url_of(const Errand& errand, const std::array<std::uint16_t, 3>& ports);
/// What a POST sends and gets back; empty for other errands. Valid forever.
std::string_view body_of(const Errand& errand);

/// Whether that outcome can be that errand's: its own failures and statuses, and a cancel if one was asked for.
bool is_possible(const Errand& errand, hc_status status, std::int32_t http_status);
/// Whether an answer brought the bytes it should.
bool is_right_body(const Errand& errand, std::string_view body);

}  // namespace hc::hcx
