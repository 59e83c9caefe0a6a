#include "hcx/format.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace hc::hcx {

namespace {

// Commas between groups of three digits that end at `end`.
void group(std::string& text, std::size_t end) {
  while (end > 3) {
    end -= 3;
    text.insert(end, 1, ',');
  }
}

std::uint64_t at_percent(const std::vector<std::uint64_t>& sorted, std::uint64_t percent) {
  const std::uint64_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<std::uint64_t>(rank, 1) - 1];
}

unsigned byte_at(std::string_view text, std::size_t position) {
  return position < text.size() ? static_cast<unsigned char>(text[position]) : 0;
}

// How many bytes the UTF-8 character has that begins with `first`; 0 for what begins none.
std::size_t length_after(unsigned first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

bool is_whole(std::string_view text, std::size_t length) {
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xc0) != 0x80) return false;
  }
  return length > 0;
}

bool is_control(std::string_view character) {
  const unsigned first = byte_at(character, 0);
  return (first < ' ' && first != '\t') || first == 0x7f || (first == 0xc2 && byte_at(character, 1) < 0xa0);
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  group(text, text.size());
  return text;
}

std::string fixed(double number, int decimals) {
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, number);
  std::string text = buffer.data();
  group(text, std::min(text.find('.'), text.size()));
  return text;
}

std::string milliseconds(std::uint64_t ns, int decimals) {
  return fixed(static_cast<double>(ns) / 1e6, decimals);
}

std::string duration(std::uint64_t ns) {
  const double amount = static_cast<double>(ns);
  if (ns < 999'500) return fixed(amount / 1e3, 0) + " us";
  if (ns < 999'950'000) return fixed(amount / 1e6, ns < 99'950'000 ? 1 : 0) + " ms";
  if (ns < 119'500'000'000) return fixed(amount / 1e9, ns < 9'995'000'000 ? 2 : 1) + " s";
  const std::uint64_t seconds = (ns + 500'000'000) / 1'000'000'000;
  return grouped(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
}

std::string bytes(std::uint64_t count) {
  if (count < 1000) return std::to_string(count) + " B";
  constexpr std::array<const char*, 4> kUnits{" kB", " MB", " GB", " TB"};
  double amount = static_cast<double>(count) / 1e3;
  std::size_t unit = 0;
  for (; amount >= 999.95 && unit + 1 < kUnits.size(); ++unit) amount /= 1e3;
  return fixed(amount, 1) + kUnits[unit];
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  return fixed(100.0 * static_cast<double>(part) / static_cast<double>(whole), 1) + " %";
}

std::string plural(std::uint64_t count, std::string_view noun) {
  return grouped(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string left(std::string_view text, std::size_t width) {
  std::string padded(text);
  if (padded.size() < width) padded.append(width - padded.size(), ' ');
  return padded;
}

std::string right(std::string_view text, std::size_t width) {
  std::string padded(text);
  if (padded.size() < width) padded.insert(0, width - padded.size(), ' ');
  return padded;
}

Percentiles percentiles_of(std::vector<std::uint64_t> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  return {at_percent(samples, 50), at_percent(samples, 90), at_percent(samples, 99), samples.back()};
}

std::string printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = length_after(byte_at(text, 0));
    const bool is_character = is_whole(text, length);
    const std::string_view character = text.substr(0, is_character ? length : 1);
    clean += is_character && !is_control(character) ? character : "?";
    text.remove_prefix(character.size());
  }
  return clean;
}

}  // namespace hc::hcx
