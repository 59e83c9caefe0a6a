#include "model/text.h"

namespace hc {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool is_printable(char c) { return c >= 0x20 && c < 0x7F; }

void add_escaped(char c, std::string* out) {
  auto byte = static_cast<unsigned char>(c);
  *out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
}

}  // namespace

std::string escaped(std::string_view text, size_t limit) {
  std::string out;
  for (char c : text.substr(0, limit)) {
    if (is_printable(c) && c != '\\') {
      out += c;
    } else {
      add_escaped(c, &out);
    }
  }
  if (text.size() > limit) out += "...";
  return out;
}

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    out += {kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

std::string from_hex(std::string_view text) {
  std::string out;
  while (text.size() >= 2) {
    size_t high = kHex.find(to_lower(text[0]));
    size_t low = kHex.find(to_lower(text[1]));
    if (high == std::string_view::npos || low == std::string_view::npos) return {};
    out += static_cast<char>(high * 16 + low);
    text.remove_prefix(2);
    if (text.starts_with(':') && text.size() > 1) text.remove_prefix(1);
  }
  return text.empty() ? out : std::string();
}

std::string in_one_line(std::string text) {
  if (std::all_of(text.begin(), text.end(), is_printable)) return text;
  std::string out;
  for (char c : text) is_printable(c) ? out.push_back(c) : add_escaped(c, &out);
  return out;
}

}  // namespace hc
