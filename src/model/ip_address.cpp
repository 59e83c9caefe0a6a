#include "model/ip_address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <charconv>

namespace hc {
namespace {

// An interface by name or by number.
std::optional<uint32_t> parse_scope(const std::string& text) {
  uint32_t index = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error == std::errc() && end == text.data() + text.size()) return index;
  index = if_nametoindex(text.c_str());
  return index != 0 ? std::optional(index) : std::nullopt;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.empty() || text.size() > INET6_ADDRSTRLEN + IF_NAMESIZE) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;  // inet_pton() would stop there
  IpAddress address;
  std::string copy(text);
  if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) return address;

  address.family = Family::kV6;
  size_t percent = copy.find('%');
  if (percent != std::string::npos) {
    std::optional<uint32_t> scope = parse_scope(copy.substr(percent + 1));
    if (!scope) return std::nullopt;
    address.scope = *scope;
    copy.resize(percent);
  }
  if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

IpAddress IpAddress::loopback(Family family) {
  IpAddress address;
  address.family = family;
  if (family == Family::kV6) {
    address.bytes[15] = 1;
  } else {
    address.bytes = {127, 0, 0, 1};
  }
  return address;
}

std::string IpAddress::to_string() const {
  if (family == Family::kAny) return "";
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family == Family::kV6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof text);
  std::string result = text;
  if (scope != 0) result += '%' + std::to_string(scope);
  return result;
}

std::string Endpoint::to_string() const {
  if (address.family == Family::kAny) return "";
  std::string host = address.to_string();
  if (address.family == Family::kV6) host.insert(0, 1, '[').push_back(']');
  return host.append(1, ':').append(std::to_string(port));
}

}  // namespace hc
