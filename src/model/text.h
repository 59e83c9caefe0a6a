#pragma once

#include <hc/hc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace hc {

/// Without data it is nothing, whatever its length: no pointer is read for that.
inline std::string_view view(hc_str text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.len);
}

/// ASCII only, whatever the locale says: protocol text is not language.
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

inline std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

/// Sixteen bytes that are compared in one step (a vector of gcc's and clang's, on every processor).
using Sixteen = uint8_t __attribute__((vector_size(16)));

/// Whether any byte of `text` passes `test`, which compares Sixteen of them, and which 'x' must not pass. Looking at
/// each byte of URLs and headers by itself was a fifth of the time of a submit.
template <typename Test>
bool any_byte(std::string_view text, Test test) {
  constexpr size_t kStep = sizeof(Sixteen);
  std::array<char, kStep> padded;
  if (text.size() < kStep) {
    padded.fill('x');
    std::copy(text.begin(), text.end(), padded.begin());
    text = {padded.data(), kStep};
  }
  decltype(test(Sixteen())) found{};
  auto look_at = [&](const char* place) {
    Sixteen bytes;
    std::memcpy(&bytes, place, kStep);
    found |= test(bytes);
  };
  for (size_t i = 0; i + kStep < text.size(); i += kStep) look_at(text.data() + i);
  look_at(text.data() + text.size() - kStep);  // goes back over some of those before it
  std::array<uint64_t, 2> halves{};
  std::memcpy(&halves, &found, kStep);
  return (halves[0] | halves[1]) != 0;
}

/// CR, LF and NUL, of which none may be in a value that goes out on a line of its own.
inline bool has_line_break(std::string_view text) {
  return any_byte(text, [](Sixteen bytes) { return (bytes == '\r') | (bytes == '\n') | (bytes == '\0'); });
}

/// What kinds of bytes a short text has.
namespace bytes {
enum Kind : uint8_t {
  kNotAscii = 1,
  kNotToken = 2,     // RFC 9110 5.6.2
  kNotHostName = 4,  // of the characters of host names, in lower case
  kUpperCase = 8,
};

constexpr bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

constexpr uint8_t kinds_of(unsigned char byte) {
  auto c = static_cast<char>(byte);
  bool is_digit = c >= '0' && c <= '9';
  bool is_upper = c >= 'A' && c <= 'Z';
  bool is_lower = c >= 'a' && c <= 'z';
  unsigned kinds = 0;
  if (byte >= 0x80) kinds |= kNotAscii;
  if (!is_digit && !is_upper && !is_lower && !is_one_of(c, "!#$%&'*+-.^_`|~")) kinds |= kNotToken;
  if (!is_digit && !is_lower && !is_one_of(c, "-._")) kinds |= kNotHostName;
  if (is_upper) kinds |= kUpperCase;
  return static_cast<uint8_t>(kinds);
}

inline constexpr std::array<uint8_t, 256> kKinds = [] {
  std::array<uint8_t, 256> kinds{};
  for (unsigned byte = 0; byte < kinds.size(); ++byte)
    kinds[byte] = kinds_of(static_cast<unsigned char>(byte));
  return kinds;
}();

/// The set of all kinds that occur.
constexpr uint8_t kinds_in(std::string_view text) {
  uint8_t kinds = 0;
  for (char c : text) kinds |= kKinds[static_cast<unsigned char>(c)];
  return kinds;
}
}  // namespace bytes

/// RFC 9110 5.6.2: methods and field names.
constexpr bool is_token(std::string_view text) {
  return !text.empty() && (bytes::kinds_in(text) & bytes::kNotToken) == 0;
}

/// Fields that frame a message. The library writes them; a caller's own would let the rest of a body pass for another
/// request.
constexpr bool is_framing_field(std::string_view name) {
  return equals_ignoring_case(name, "transfer-encoding") || equals_ignoring_case(name, "content-length");
}

/// Without spaces and tabs at both ends.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Bytes from a peer, safe to print on one line: control bytes become \xNN, and it ends after `limit` bytes.
std::string escaped(std::string_view text, size_t limit = 120);

/// Two lower-case digits a byte.
std::string to_hex(std::string_view bytes);
/// The bytes of "ab:cd:..." or "abcd...", in any case; empty when it is not that.
std::string from_hex(std::string_view text);
/// One line of ASCII: what is neither becomes \xNN. For text that was put together of such and of an unknown part.
std::string in_one_line(std::string text);

}  // namespace hc
