#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/status.h"
#include "model/ip_address.h"

namespace hc {

/// The addresses of one name. Each taker gets all of them, in their order, starting at the next one.
class AddressRing {
 public:
  explicit AddressRing(std::vector<IpAddress> addresses, size_t start = 0)
      : addresses_(std::move(addresses)), next_(start) {}

  std::vector<IpAddress> take();
  /// Where the next taker starts; counts on over answers of another size.
  size_t next() const { return next_; }

 private:
  std::vector<IpAddress> addresses_;
  size_t next_;
};

struct DnsCacheOptions {
  Duration ttl = 10 * kSecond;      // upper bound; kNever: answers do not expire; 0: nothing is kept
  Duration stale_ttl = 0;           // how long past its end an answer may still be taken
  Duration negative_ttl = kSecond;  // of "no such name"; 0: not remembered
  size_t capacity = 1000;           // names; 0: nothing is kept
};

/// What the cache knows about a name.
struct CachedAnswer {
  Status status;  // HC_OK, or the remembered "no such name"
  std::vector<IpAddress> addresses;
  bool wants_refresh = false;  // expired, within its stale time, and nobody failed to refresh it just now
};

/// Answers by host name, the least recently used forgotten first.
///
/// Rules: an expired answer stays until it is pushed out, because it knows where the next connection starts: with
/// a TTL of one second and a connection every two, a server whose answers have a fixed order would otherwise see
/// all of them at one address.
class DnsCache {
 public:
  explicit DnsCache(const DnsCacheOptions& options) : options_(options) {}
  DnsCache(const DnsCache&) = delete;
  DnsCache& operator=(const DnsCache&) = delete;
  ~DnsCache() { clear(); }

  /// The answer for one new connection, if there is one that may still be used.
  std::optional<CachedAnswer> take(const std::string& host, TimePoint now);

  /// Makes a ring of `addresses` that goes on where the host's last one stood.
  std::shared_ptr<AddressRing> make_ring(const std::string& host, std::vector<IpAddress> addresses) const;
  /// Keeps `ring`, which others may go on taking from. `record_ttl`: kNever when the source knows none.
  void store(const std::string& host, std::shared_ptr<AddressRing> ring, Duration record_ttl, TimePoint now);
  /// Keeps a "no such name". It replaces a stale answer too: it is the truth (RFC 8767, section 4).
  void store_failure(const std::string& host, Status failure, TimePoint now);
  /// A refresh failed: a stale answer does not ask for the next one before `until`.
  void defer_refresh(const std::string& host, TimePoint until);

  void erase(const std::string& host);
  void clear();
  size_t size() const { return entries_.size(); }

 private:
  struct Entry : ListLink<struct DnsCacheTag> {
    const std::string* host = nullptr;  // the key in entries_
    std::shared_ptr<AddressRing> ring;  // null: a failure
    Status failure;
    TimePoint fresh_until = 0;
    TimePoint stale_until = 0;
    TimePoint refresh_from = 0;
  };

  Duration lifetime(Duration record_ttl) const;
  bool keeps_anything() const { return options_.capacity > 0 && options_.ttl > 0; }
  Entry* find(const std::string& host);
  Entry& make_entry(const std::string& host);
  void touch(Entry& entry);
  void forget(Entry& entry);

  const DnsCacheOptions options_;
  std::unordered_map<std::string, Entry> entries_;  // its nodes stay where they are, so they can be linked
  IntrusiveList<Entry, DnsCacheTag> by_use_;        // the least recent in front
};

}  // namespace hc
