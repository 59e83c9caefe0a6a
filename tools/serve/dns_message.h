// The wire format of DNS (RFC 1035, EDNS: RFC 6891), as far as a test server needs it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/dns_server.h"

namespace hc::serve {

enum class DnsRcode : std::uint8_t { kNoError = 0, kServFail = 2, kNxDomain = 3, kRefused = 5 };

struct DnsQuery {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::string question;  ///< name, type and class as received: a resolver may check that the case comes back
  std::string name;      ///< lower case, without the final dot
  std::uint16_t type = 0;
  bool has_edns = false;
  std::size_t udp_size = 512;  ///< largest answer that the client takes over UDP
};

struct DnsRecord {
  std::string name;
  DnsType type = DnsType::kA;
  std::uint32_t ttl = 0;
  std::string value;  ///< an address, or for CNAME a name
};

struct DnsResponse {
  DnsRcode rcode = DnsRcode::kNoError;
  std::vector<DnsRecord> records;
  std::uint32_t negative_ttl = 60;  ///< of the SOA that goes with a response without address records
  bool truncated = false;           ///< TC set, no records
};

/// nullopt: not a query with one question.
std::optional<DnsQuery> parse_dns_query(std::string_view message);
std::string encode_dns_response(const DnsQuery& query, const DnsResponse& response);
/// Lower case, without the final dot.
std::string normal_dns_name(std::string_view name);

}  // namespace hc::serve
