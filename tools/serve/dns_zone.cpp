#include "serve/dns_zone.h"

#include <algorithm>

#include "serve/net.h"

namespace hc::serve {

namespace {

constexpr int kMaxAliases = 8;

DnsRcode rcode_of(DnsReply::Outcome outcome) {
  switch (outcome) {
    case DnsReply::Outcome::kNxDomain: return DnsRcode::kNxDomain;
    case DnsReply::Outcome::kServFail: return DnsRcode::kServFail;
    case DnsReply::Outcome::kRefused: return DnsRcode::kRefused;
    case DnsReply::Outcome::kAnswer:
    case DnsReply::Outcome::kSilence: break;
  }
  return DnsRcode::kNoError;
}

void append_addresses(DnsResponse& response, const DnsReply& reply, const std::string& name,
                      std::uint16_t type) {
  if (reply.outcome != DnsReply::Outcome::kAnswer) return;
  for (const DnsAddress& record : reply.records) {
    const bool is_six = record.address.find(':') != std::string::npos;
    const DnsType record_type = is_six ? DnsType::kAaaa : DnsType::kA;
    if (static_cast<std::uint16_t>(record_type) != type) continue;
    response.records.push_back({name, record_type, record.ttl, record.address});
  }
}

// A typing error in a test shall not become an answer of zeros.
void check_addresses(const std::vector<DnsReply>& replies) {
  for (const DnsReply& reply : replies) {
    for (const DnsAddress& record : reply.records) SocketAddress::parse(record.address, 0);
  }
}

}  // namespace

DnsDecision DnsZone::decide(const DnsQuery& query, DnsTransport transport) {
  DnsDecision decision;
  const std::lock_guard lock(mutex_);
  count_locked(query, transport);
  auto response = resolve_locked(query, transport, decision.delay);
  decision.is_silent = !response.has_value();
  if (decision.is_silent) return decision;
  decision.message = encode_dns_response(query, *response);
  if (transport == DnsTransport::kTcp || decision.message.size() <= query.udp_size) return decision;
  response->truncated = true;
  decision.message = encode_dns_response(query, *response);
  return decision;
}

void DnsZone::count_locked(const DnsQuery& query, DnsTransport transport) {
  ++counts_[{query.name, query.type}];
  ++total_;
  if (transport == DnsTransport::kTcp) ++total_over_tcp_;
  counted_.notify_all();
}

// Follows aliases as a recursive resolver does. nullopt: no answer at all.
std::optional<DnsResponse> DnsZone::resolve_locked(const DnsQuery& query, DnsTransport transport,
                                                   std::chrono::milliseconds& delay) {
  DnsResponse response;
  std::string name = query.name;
  for (int i = 0; i < kMaxAliases; ++i) {
    const DnsReply reply = next_reply_locked(name, query.type);
    if (reply.outcome == DnsReply::Outcome::kSilence) return std::nullopt;
    delay += reply.delay;
    response.truncated = response.truncated || (reply.truncate_udp && transport == DnsTransport::kUdp);
    response.rcode = rcode_of(reply.outcome);
    response.negative_ttl = reply.negative_ttl;
    if (reply.cname.empty() || reply.outcome != DnsReply::Outcome::kAnswer) {
      append_addresses(response, reply, name, query.type);
      return response;
    }
    response.records.push_back({name, DnsType::kCname, reply.cname_ttl, reply.cname});
    if (query.type == static_cast<std::uint16_t>(DnsType::kCname)) return response;
    name = normal_dns_name(reply.cname);
  }
  response.rcode = DnsRcode::kServFail;  // an alias of itself
  return response;
}

DnsReply DnsZone::next_reply_locked(const std::string& name, std::uint16_t type) {
  Entry* entry = find_locked(name);
  if (entry == nullptr) return default_reply_;
  const auto typed = entry->by_type.find(type);
  Script* script = typed != entry->by_type.end() ? &typed->second : entry->any ? &*entry->any : nullptr;
  if (script == nullptr || script->replies.empty()) return DnsReply::no_data();
  std::size_t& next = script->next[type];
  const DnsReply& reply = script->replies[next];
  if (next + 1 < script->replies.size()) ++next;
  return reply;
}

DnsZone::Entry* DnsZone::find_locked(const std::string& name) {
  auto found = entries_.find(name);
  std::size_t dot = name.find('.');
  while (found == entries_.end() && dot != std::string::npos) {
    found = entries_.find("*" + name.substr(dot));
    dot = name.find('.', dot + 1);
  }
  return found != entries_.end() ? &found->second : nullptr;
}

void DnsZone::script(std::string_view name, std::vector<DnsReply> replies) {
  check_addresses(replies);
  const std::lock_guard lock(mutex_);
  entries_[normal_dns_name(name)] = {.any = Script{std::move(replies), {}}, .by_type = {}};
}

void DnsZone::script(std::string_view name, DnsType type, std::vector<DnsReply> replies) {
  check_addresses(replies);
  const std::lock_guard lock(mutex_);
  entries_[normal_dns_name(name)].by_type[static_cast<std::uint16_t>(type)] = Script{std::move(replies), {}};
}

void DnsZone::forget(std::string_view name) {
  const std::lock_guard lock(mutex_);
  entries_.erase(normal_dns_name(name));
}

void DnsZone::set_default(DnsReply reply) {
  const std::lock_guard lock(mutex_);
  default_reply_ = std::move(reply);
}

std::uint64_t DnsZone::count(std::string_view name, std::optional<DnsType> type) const {
  const std::lock_guard lock(mutex_);
  const std::string wanted = normal_dns_name(name);
  std::uint64_t sum = 0;
  for (const auto& [key, number] : counts_) {
    if (key.first == wanted && (!type || key.second == static_cast<std::uint16_t>(*type))) sum += number;
  }
  return sum;
}

std::uint64_t DnsZone::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

std::uint64_t DnsZone::total_over_tcp() const {
  const std::lock_guard lock(mutex_);
  return total_over_tcp_;
}

void DnsZone::reset_counters() {
  const std::lock_guard lock(mutex_);
  counts_.clear();
  total_ = 0;
  total_over_tcp_ = 0;
}

bool DnsZone::wait_for_queries(std::uint64_t queries, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  return counted_.wait_until(lock, deadline, [&] { return total_ >= queries; });
}

}  // namespace hc::serve
