// The scripts and counters of a DnsServer. Threads: any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/dns_message.h"
#include "serve/dns_server.h"

namespace hc::serve {

enum class DnsTransport { kUdp, kTcp };

/// What to do with one query.
struct DnsDecision {
  bool is_silent = false;
  std::chrono::milliseconds delay{0};
  std::string message;
};

class DnsZone {
 public:
  explicit DnsZone(DnsReply default_reply) : default_reply_(std::move(default_reply)) {}

  /// Counts the query and takes the next scripted reply.
  DnsDecision decide(const DnsQuery& query, DnsTransport transport);

  void script(std::string_view name, std::vector<DnsReply> replies);
  void script(std::string_view name, DnsType type, std::vector<DnsReply> replies);
  void forget(std::string_view name);
  void set_default(DnsReply reply);

  std::uint64_t count(std::string_view name, std::optional<DnsType> type) const;
  std::uint64_t total() const;
  std::uint64_t total_over_tcp() const;
  void reset_counters();
  bool wait_for_queries(std::uint64_t queries, std::chrono::milliseconds timeout) const;

 private:
  struct Script {
    std::vector<DnsReply> replies;
    std::map<std::uint16_t, std::size_t> next;  // by type: A and AAAA do not use up each other's replies
  };
  struct Entry {
    std::optional<Script> any;
    std::map<std::uint16_t, Script> by_type;
  };

  void count_locked(const DnsQuery& query, DnsTransport transport);
  Entry* find_locked(const std::string& name);
  DnsReply next_reply_locked(const std::string& name, std::uint16_t type);
  std::optional<DnsResponse> resolve_locked(const DnsQuery& query, DnsTransport transport,
                                            std::chrono::milliseconds& delay);

  mutable std::mutex mutex_;
  mutable std::condition_variable counted_;
  std::map<std::string, Entry> entries_;  // wildcards under their text, "*.suffix"
  DnsReply default_reply_;
  std::map<std::pair<std::string, std::uint16_t>, std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  std::uint64_t total_over_tcp_ = 0;
};

}  // namespace hc::serve
