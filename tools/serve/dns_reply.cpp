#include <utility>

#include "serve/dns_server.h"

namespace hc::serve {

namespace {

DnsReply with_outcome(DnsReply::Outcome outcome) {
  DnsReply reply;
  reply.outcome = outcome;
  return reply;
}

}  // namespace

DnsReply DnsReply::addresses(const std::vector<std::string>& addresses, std::uint32_t ttl) {
  DnsReply reply;
  for (const auto& address : addresses) reply.records.push_back({address, ttl});
  return reply;
}

DnsReply DnsReply::with_records(std::vector<DnsAddress> records) {
  DnsReply reply;
  reply.records = std::move(records);
  return reply;
}

DnsReply DnsReply::alias(std::string target, std::uint32_t ttl) {
  DnsReply reply;
  reply.cname = std::move(target);
  reply.cname_ttl = ttl;
  return reply;
}

DnsReply DnsReply::nxdomain() { return with_outcome(Outcome::kNxDomain); }
DnsReply DnsReply::servfail() { return with_outcome(Outcome::kServFail); }
DnsReply DnsReply::refused() { return with_outcome(Outcome::kRefused); }
DnsReply DnsReply::silence() { return with_outcome(Outcome::kSilence); }
DnsReply DnsReply::no_data() { return {}; }

DnsReply DnsReply::delayed(std::chrono::milliseconds duration) const {
  DnsReply reply = *this;
  reply.delay = duration;
  return reply;
}

DnsReply DnsReply::truncated() const {
  DnsReply reply = *this;
  reply.truncate_udp = true;
  return reply;
}

}  // namespace hc::serve
