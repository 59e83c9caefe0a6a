// Numbers as people read them, and the arithmetic behind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hc::hcx {

std::string grouped(std::uint64_t number);                     ///< 1234567 -> "1,234,567"
std::string fixed(double number, int decimals);                ///< 1234.56, 1 -> "1,234.6"
std::string milliseconds(std::uint64_t ns, int decimals = 1);  ///< without the unit
std::string duration(std::uint64_t ns);                        ///< "412 us", "12.3 ms", "1.92 s", "2 min 5 s"
std::string bytes(std::uint64_t count);                        ///< "999 B", "12.3 kB", "52.1 MB"
std::string percent(std::uint64_t part, std::uint64_t whole);  ///< "97.4 %"; "-" of nothing
std::string plural(std::uint64_t count, std::string_view noun);  ///< "1 lookup", "2 lookups"
std::string left(std::string_view text, std::size_t width);      ///< padded behind
std::string right(std::string_view text, std::size_t width);     ///< padded in front

struct Percentiles {
  std::uint64_t p50 = 0;
  std::uint64_t p90 = 0;
  std::uint64_t p99 = 0;
  std::uint64_t max = 0;
};

/// The smallest sample that at least so many percent of all samples do not exceed (nearest rank); all 0 without
/// samples.
Percentiles percentiles_of(std::vector<std::uint64_t> samples);

/// Text that cannot make a terminal do anything, and is one line: `?` in place of control characters, those of
/// Unicode (C1) included, and of bytes that are not UTF-8, in which an old terminal sees the same. A tab is left.
std::string printable(std::string_view text);

}  // namespace hc::hcx
