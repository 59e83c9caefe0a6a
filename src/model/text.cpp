#include "model/text.h"

namespace hc {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

}  // namespace

std::string escaped(std::string_view text, size_t limit) {
  std::string out;
  for (char c : text.substr(0, limit)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '\\') {
      out += c;
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
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

}  // namespace hc
