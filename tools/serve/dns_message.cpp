#include "serve/dns_message.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace hc::serve {

namespace {

constexpr std::size_t kHeaderSize = 12;
constexpr std::uint16_t kTypeOpt = 41;
constexpr std::uint16_t kClassInternet = 1;
constexpr std::uint16_t kPointerToQuestion = 0xc000 | kHeaderSize;
constexpr std::uint16_t kFlagResponse = 0x8000, kFlagTruncated = 0x0200, kFlagRecursionAvailable = 0x0080;
constexpr std::uint16_t kKeptFlags = 0x7900;  // opcode, RD

std::uint16_t read16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

void put16(std::string& out, std::uint32_t value) {
  out += static_cast<char>(value >> 8 & 0xff);
  out += static_cast<char>(value & 0xff);
}

void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

void put_name(std::string& out, std::string_view name) {
  while (!name.empty()) {
    const std::string_view label = name.substr(0, std::min<std::size_t>(name.find('.'), 63));
    out += static_cast<char>(label.size());
    out.append(label);
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  out += '\0';
}

// Reads an uncompressed name, as questions have them; `at` moves behind it.
std::optional<std::string> read_name(std::string_view message, std::size_t& at) {
  std::string name;
  while (at < message.size()) {
    const std::size_t length = static_cast<unsigned char>(message[at++]);
    if (length == 0) return name;
    if (length > 63 || at + length > message.size() || name.size() + length > 254) return std::nullopt;
    if (!name.empty()) name += '.';
    name.append(message.substr(at, length));
    at += length;
  }
  return std::nullopt;
}

// The OPT record is the only one that queries carry; anything else in front of it hides it.
void read_edns(std::string_view message, std::size_t at, DnsQuery& query) {
  constexpr std::size_t kFixedPart = 11;
  if (at + kFixedPart > message.size() || message[at] != '\0' || read16(message, at + 1) != kTypeOpt) return;
  query.has_edns = true;
  query.udp_size = std::max<std::size_t>(512, read16(message, at + 3));
}

std::string record_data(const DnsRecord& record) {
  std::string data;
  if (record.type == DnsType::kCname) {
    put_name(data, record.value);
    return data;
  }
  std::array<char, 16> address{};
  const bool is_six = record.type == DnsType::kAaaa;
  inet_pton(is_six ? AF_INET6 : AF_INET, record.value.c_str(), address.data());
  return {address.data(), is_six ? 16u : 4u};
}

void put_record(std::string& out, const DnsQuery& query, const DnsRecord& record) {
  if (record.name == query.name) {
    put16(out, kPointerToQuestion);
  } else {
    put_name(out, record.name);
  }
  put16(out, static_cast<std::uint16_t>(record.type));
  put16(out, kClassInternet);
  put32(out, record.ttl);
  const std::string data = record_data(record);
  put16(out, static_cast<std::uint32_t>(data.size()));
  out += data;
}

void put_soa(std::string& out, std::uint32_t negative_ttl) {
  std::string data;
  put_name(data, "ns.test");
  put_name(data, "admin.test");
  for (const std::uint32_t number : {1u, 3600u, 600u, 86400u, negative_ttl}) put32(data, number);
  put_name(out, "");
  put16(out, static_cast<std::uint16_t>(DnsType::kSoa));
  put16(out, kClassInternet);
  put32(out, negative_ttl);
  put16(out, static_cast<std::uint32_t>(data.size()));
  out += data;
}

void put_opt(std::string& out) {
  put_name(out, "");
  put16(out, kTypeOpt);
  put16(out, 1232);
  put32(out, 0);
  put16(out, 0);
}

bool needs_soa(const DnsResponse& response) {
  if (response.truncated) return false;
  if (response.rcode == DnsRcode::kNxDomain) return true;
  const auto is_address = [](const DnsRecord& record) { return record.type != DnsType::kCname; };
  return response.rcode == DnsRcode::kNoError &&
         std::none_of(response.records.begin(), response.records.end(), is_address);
}

}  // namespace

std::string normal_dns_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string result(name);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::optional<DnsQuery> parse_dns_query(std::string_view message) {
  if (message.size() < kHeaderSize) return std::nullopt;
  DnsQuery query;
  query.id = read16(message, 0);
  query.flags = read16(message, 2);
  if ((query.flags & kFlagResponse) != 0 || read16(message, 4) != 1) return std::nullopt;
  std::size_t at = kHeaderSize;
  const auto name = read_name(message, at);
  if (!name || at + 4 > message.size()) return std::nullopt;
  query.name = normal_dns_name(*name);
  query.type = read16(message, at);
  query.question = message.substr(kHeaderSize, at + 4 - kHeaderSize);
  if (read16(message, 10) > 0) read_edns(message, at + 4, query);
  return query;
}

std::string encode_dns_response(const DnsQuery& query, const DnsResponse& response) {
  const std::size_t count = response.truncated ? 0 : response.records.size();
  const bool with_soa = needs_soa(response);
  std::string out;
  put16(out, query.id);
  put16(out, kFlagResponse | (query.flags & kKeptFlags) | (response.truncated ? kFlagTruncated : 0u) |
                 kFlagRecursionAvailable | static_cast<std::uint32_t>(response.rcode));
  put16(out, 1);
  put16(out, static_cast<std::uint32_t>(count));
  put16(out, with_soa ? 1 : 0);
  put16(out, query.has_edns ? 1 : 0);
  out += query.question;
  for (std::size_t i = 0; i < count; ++i) put_record(out, query, response.records[i]);
  if (with_soa) put_soa(out, response.negative_ttl);
  if (query.has_edns) put_opt(out);
  return out;
}

}  // namespace hc::serve
