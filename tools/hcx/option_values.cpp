#include "hcx/option_values.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "hcx/descriptors.h"
#include "hcx/option_parser.h"
#include "serve/net.h"

namespace hc::hcx {

namespace {

std::string trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = text.find_last_not_of(" \t") + 1;
  return std::string(text.substr(begin, std::max(begin, end) - begin));
}

std::string without_brackets(std::string_view address) {
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return std::string(address);
}

std::vector<std::string> parse_addresses(std::string_view text) {
  std::vector<std::string> addresses;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) addresses.push_back(without_brackets(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return addresses;
}

UsageError unreadable(std::string_view option, const std::string& name) {
  return UsageError(std::string(option) + ": cannot read " + name + ": " + std::strerror(errno));
}

std::string read_all(int from, std::string_view option, const std::string& name) {
  std::array<char, 64 << 10> piece;
  std::string text;
  for (;;) {
    const ssize_t count = read(from, piece.data(), piece.size());
    if (count == 0) return text;
    if (count < 0 && !goes_on(from, POLLIN)) throw unreadable(option, name);
    if (count > 0) text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

bool equals_ignoring_case(std::string_view one, std::string_view other) {
  return one.size() == other.size() && strncasecmp(one.data(), other.data(), other.size()) == 0;
}

HeaderArgument parse_header(std::string_view text, std::string_view option) {
  const std::string named(option);
  const std::size_t mark = text.find_first_of(":;");
  if (mark == std::string_view::npos || mark == 0) {
    throw UsageError(named + ": 'Name: value', 'Name:' or 'Name;' expected");
  }
  HeaderArgument header{std::string(text.substr(0, mark)), trimmed(text.substr(mark + 1)), false};
  if (text[mark] == ';' && !header.value.empty()) throw UsageError(named + ": nothing may follow 'Name;'");
  header.is_removal = text[mark] == ':' && header.value.empty();
  return header;
}

ResolveArgument parse_resolve(std::string_view text) {
  const auto refuse = [] { return UsageError("--resolve: HOST:PORT:ADDRESS[,ADDRESS...] expected"); };
  // In curl, '+' lets the entry expire after a minute. Here none does; nothing of ours runs for long.
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::size_t first = text.find(':', text.starts_with('[') ? std::min(text.find(']'), text.size()) : 0);
  if (first == std::string_view::npos || first == 0) throw refuse();
  const std::size_t second = text.find(':', first + 1);
  if (second == std::string_view::npos) throw refuse();
  ResolveArgument resolve;
  resolve.host = without_brackets(text.substr(0, first));
  if (resolve.host == "*") throw UsageError("--resolve: the host '*' (every one) is not supported");
  const std::string_view port = text.substr(first + 1, second - first - 1);
  if (port != "*") resolve.port = static_cast<std::uint16_t>(to_number(port, "--resolve", 1, 65535));
  resolve.addresses = parse_addresses(text.substr(second + 1));
  if (resolve.addresses.empty()) throw refuse();
  return resolve;
}

UserArgument parse_user(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  return {std::string(text.substr(0, colon)), std::string(text.substr(std::min(colon + 1, text.size())))};
}

CertificateArgument parse_certificate(std::string_view text, std::string_view option) {
  CertificateArgument certificate;
  std::size_t i = 0;
  for (; i < text.size() && text[i] != ':'; ++i) {
    const bool is_escape =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == ':' || text[i + 1] == '\\');
    certificate.file += text[is_escape ? ++i : i];
  }
  certificate.has_password = i < text.size();
  if (certificate.has_password) certificate.password = text.substr(i + 1);
  if (certificate.file.empty()) throw UsageError(std::string(option) + ": no file");
  return certificate;
}

// As in curl: "if!" and "host!" say which it is; else what looks like an address is one.
InterfaceArgument parse_interface(std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> ignored;
  const std::string given(text);
  const auto is_address = [&](const std::string& name) {
    return inet_pton(AF_INET, name.c_str(), ignored.data()) == 1 ||
           inet_pton(AF_INET6, name.c_str(), ignored.data()) == 1;
  };
  InterfaceArgument interface;
  if (given.starts_with("if!")) {
    interface.device = given.substr(3);
  } else if (given.starts_with("host!")) {
    interface.address = given.substr(5);
  } else {
    (is_address(given) ? interface.address : interface.device) = given;
  }
  if (interface.device.empty() && interface.address.empty()) throw UsageError("--interface: empty");
  return interface;
}

std::uint64_t parse_size(std::string_view text, std::string_view option) {
  constexpr std::string_view kUnits = "KMGT";
  constexpr std::uint64_t kMost = 1'000'000;  // of the largest unit
  const std::size_t unit =
      text.empty() ? std::string_view::npos : kUnits.find(static_cast<char>(std::toupper(text.back())));
  if (unit == std::string_view::npos) return to_number(text, option, 0, kMost << 40);
  return to_number(text.substr(0, text.size() - 1), option, 0, kMost) << (10 * (unit + 1));
}

void add_cookies(std::string& cookies, std::string_view text) {
  if (text.find('=') == std::string_view::npos) {
    throw UsageError("-b: NAME=VALUE expected; files of cookies are not read");
  }
  cookies += (cookies.empty() ? "" : "; ") + std::string(text);
}

std::string read_data(const std::string& text, std::string_view option) {
  if (!text.starts_with('@')) return text;
  if (text == "@-") return read_all(STDIN_FILENO, option, "stdin");
  const std::string path = text.substr(1);
  const serve::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) throw unreadable(option, path);
  return read_all(file.get(), option, path);
}

}  // namespace hc::hcx
