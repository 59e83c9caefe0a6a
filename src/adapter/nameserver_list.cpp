#include "adapter/nameserver_list.h"

#include <charconv>
#include <optional>

#include "model/text.h"

namespace hc {
namespace {

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

struct HostAndPort {
  std::string_view host;
  std::string_view port;  // empty: none was given
};

// "1.2.3.4", "1.2.3.4:53", "::1", "[::1]", "[::1]:53". Empty host: none of these.
HostAndPort split(std::string_view text) {
  if (text.starts_with('[')) {
    size_t end = text.find(']');
    if (end == std::string_view::npos) return {};
    std::string_view rest = text.substr(end + 1);
    if (rest.empty()) return {text.substr(1, end - 1), {}};
    return rest.size() > 1 && rest.front() == ':' ? HostAndPort{text.substr(1, end - 1), rest.substr(1)}
                                                  : HostAndPort{};
  }
  size_t colon = text.find(':');
  bool is_bare = colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos;
  if (is_bare) return {text, {}};
  return colon + 1 < text.size() ? HostAndPort{text.substr(0, colon), text.substr(colon + 1)} : HostAndPort{};
}

std::optional<Endpoint> parse_nameserver(std::string_view text) {
  HostAndPort parts = split(text);
  std::optional<IpAddress> address = IpAddress::parse(parts.host);
  std::optional<uint16_t> port = parts.port.empty() ? kDnsPort : parse_port(parts.port);
  // c-ares takes the interface of a link-local server from version 1.34 on only.
  if (!address || !port || address->scope != 0) return std::nullopt;
  return Endpoint{*address, *port};
}

}  // namespace

Status parse_nameservers(std::string_view text, std::vector<Endpoint>* out) {
  std::vector<Endpoint> nameservers;
  for (;;) {
    size_t comma = text.find(',');
    std::string_view item = trim(text.substr(0, comma));
    std::optional<Endpoint> nameserver = parse_nameserver(item);
    if (!nameserver) {
      return Status::invalid("nameservers: \"" + escaped(item) +
                             "\" is not an address like 127.0.0.1:53 or [::1]:53");
    }
    nameservers.push_back(*nameserver);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  *out = std::move(nameservers);
  return Status::ok();
}

std::string to_string(const std::vector<Endpoint>& nameservers) {
  std::string text;
  for (const Endpoint& nameserver : nameservers) {
    if (!text.empty()) text += ", ";
    text += nameserver.port == kDnsPort ? nameserver.address.to_string() : nameserver.to_string();
  }
  return text;
}

}  // namespace hc
