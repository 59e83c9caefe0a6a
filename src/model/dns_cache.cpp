#include "model/dns_cache.h"

#include <algorithm>

namespace hc {

std::vector<IpAddress> AddressRing::take() {
  std::vector<IpAddress> taken = addresses_;
  if (!taken.empty()) {
    auto start = static_cast<std::ptrdiff_t>(next_++ % taken.size());
    std::rotate(taken.begin(), taken.begin() + start, taken.end());
  }
  return taken;
}

std::optional<CachedAnswer> DnsCache::take(const std::string& host, TimePoint now) {
  Entry* entry = find(host);
  if (entry == nullptr) return std::nullopt;
  touch(*entry);
  if (now >= entry->stale_until) return std::nullopt;
  CachedAnswer answer;
  answer.status = entry->failure;
  if (entry->ring != nullptr) answer.addresses = entry->ring->take();
  answer.wants_refresh = now >= entry->fresh_until && now >= entry->refresh_from;
  return answer;
}

std::shared_ptr<AddressRing> DnsCache::make_ring(const std::string& host,
                                                 std::vector<IpAddress> addresses) const {
  auto found = entries_.find(host);
  bool has_ring = found != entries_.end() && found->second.ring != nullptr;
  return std::make_shared<AddressRing>(std::move(addresses), has_ring ? found->second.ring->next() : 0);
}

void DnsCache::store(const std::string& host, std::shared_ptr<AddressRing> ring, Duration record_ttl,
                     TimePoint now) {
  if (!keeps_anything()) return;
  Entry& entry = make_entry(host);
  entry.ring = std::move(ring);
  entry.failure = Status::ok();
  entry.fresh_until = later(now, lifetime(record_ttl));
  entry.stale_until = later(entry.fresh_until, options_.stale_ttl);
  entry.refresh_from = 0;
}

void DnsCache::store_failure(const std::string& host, Status failure, TimePoint now) {
  if (!keeps_anything()) return;
  if (options_.negative_ttl <= 0) return erase(host);
  Entry& entry = make_entry(host);
  entry.ring = nullptr;
  entry.failure = std::move(failure);
  entry.fresh_until = entry.stale_until = later(now, options_.negative_ttl);
}

void DnsCache::defer_refresh(const std::string& host, TimePoint until) {
  Entry* entry = find(host);
  if (entry != nullptr) entry->refresh_from = until;
}

void DnsCache::erase(const std::string& host) {
  Entry* entry = find(host);
  if (entry != nullptr) forget(*entry);
}

void DnsCache::clear() {
  while (Entry* entry = by_use_.front()) forget(*entry);
}

// The record's TTL counts where it is shorter, but for at least a second: some records say 0, and a lookup for
// each connection helps nobody.
Duration DnsCache::lifetime(Duration record_ttl) const {
  if (options_.ttl == kNever || record_ttl == kNever) return options_.ttl;
  return std::min(std::max(record_ttl, kSecond), options_.ttl);
}

DnsCache::Entry* DnsCache::find(const std::string& host) {
  auto found = entries_.find(host);
  return found == entries_.end() ? nullptr : &found->second;
}

DnsCache::Entry& DnsCache::make_entry(const std::string& host) {
  auto [place, is_new] = entries_.try_emplace(host);
  Entry& entry = place->second;
  entry.host = &place->first;
  touch(entry);
  if (entries_.size() > options_.capacity) forget(*by_use_.front());
  return entry;
}

void DnsCache::touch(Entry& entry) {
  entry.unlink();
  by_use_.push_back(entry);
}

void DnsCache::forget(Entry& entry) {
  entry.unlink();
  entries_.erase(entries_.find(*entry.host));
}

}  // namespace hc
