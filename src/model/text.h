#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace hc {

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

/// RFC 9110 5.6.2: methods and field names.
bool is_token(std::string_view text);

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

}  // namespace hc
