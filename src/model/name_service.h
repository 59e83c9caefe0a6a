#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/status.h"
#include "model/dns_cache.h"
#include "model/ip_address.h"
#include "model/resolver.h"
#include "model/stats.h"

namespace hc {

struct NameServiceOptions {
  bool use_cache = true;
  Duration ttl = 10 * kSecond;  // upper bound; kNever: answers do not expire; 0: no caching across lookups
  Duration stale_ttl = 0;       // how long past its end an answer may still serve
  Duration negative_ttl = kSecond;  // NXDOMAIN only
  size_t capacity = 1000;           // names
  Family family = Family::kAny;
};

/// The addresses of a name, first choice first.
struct NameAnswer {
  Status status;  // HC_OK with at least one address, or why not
  std::vector<IpAddress> addresses;
  bool from_cache = false;  // fresh, stale or "no such name"; false for what needs no lookup at all
};

/// All addresses of a literal (without brackets) and of localhost, whatever the family of a session; of other names none.
std::vector<IpAddress> addresses_without_lookup(std::string_view host);

/// Somebody who waits for a name. Leaving early, also by dying, disturbs nobody else.
class NameWaiter : public ListLink<struct NameWaiterTag> {
 public:
  virtual ~NameWaiter() { unlink(); }
  /// Called at most once per resolve(), and not from inside it. May do anything but destroy the service:
  /// resolve again, leave, destroy itself and other waiters.
  virtual void on_name(NameAnswer answer) = 0;
};

/// Names to addresses: overrides, literals and localhost, the cache, and single flight over a Resolver.
/// Pure policy: time is an argument.
///
/// Vocabulary: a *flight* is one lookup at the resolver and those who wait for it.
/// Rules: a host has at most one flight that may still be joined. clear() closes it to newcomers, for they want
/// to know what is true now; and so does kPatience, for a resolver may have lost the question. What a closed
/// flight brings goes to its waiters and not into the cache. A flight without waiters still feeds the cache.
/// Life cycle: ends after its waiters have left; the resolver may end before or after it.
class NameService {
 public:
  using Now = std::function<TimePoint()>;
  /// The default dns clock: whoever was there at the start of an older flight has given up by now.
  static constexpr Duration kPatience = 10 * kSecond;

  /// `now` is asked when the answer of a lookup arrives.
  NameService(Resolver& resolver, const NameServiceOptions& options, Stats& stats, Now now);
  NameService(const NameService&) = delete;
  NameService& operator=(const NameService&) = delete;

  /// Addresses for one new connection to `host`, in any case, with or without trailing dot; a literal IPv6
  /// address comes without brackets. Empty: `waiter` is in line and will get on_name().
  std::optional<NameAnswer> resolve(std::string_view host, uint16_t port, TimePoint now, NameWaiter& waiter);
  /// Takes `waiter` out of line, if it is in one. The lookup goes on: others and the cache want its answer.
  void leave(NameWaiter& waiter) { waiter.unlink(); }

  /// Answers (`host`, `port`) from `addresses` from now on, in this order each time; port 0: every port without
  /// an entry of its own. No address removes the entry. Goes before everything else, literals included.
  void set_override(std::string_view host, uint16_t port, std::vector<IpAddress> addresses);
  /// Forgets what is cached for `host`, or everything when it is empty. Overrides stay.
  void clear(std::string_view host = {});

  /// Called for each lookup that failed, from inside this: it may only look and record.
  using OnFailure = std::function<void(const Status& status, bool is_no_such_name)>;
  void set_on_failure(OnFailure on_failure) { on_failure_ = std::move(on_failure); }

  size_t cached_names() const { return cache_.size(); }

 private:
  // Between attempts to refresh a stale answer, so that a dead name server is not asked for each connection.
  static constexpr Duration kRefreshPause = kSecond;

  struct Flight {
    std::string host;
    TimePoint started = 0;
    IntrusiveList<NameWaiter, NameWaiterTag> waiters;
  };
  // Shared by flights_ and the question at the resolver; only the latter once the flight is closed.
  using FlightPointer = std::shared_ptr<Flight>;

  std::optional<NameAnswer> answer_without_lookup(const std::string& host, uint16_t port) const;
  const std::vector<IpAddress>* find_override(const std::string& host, uint16_t port) const;
  std::optional<NameAnswer> answer_from_cache(const std::string& host, TimePoint now);
  NameAnswer choose_family(const std::string& host, const std::vector<IpAddress>& addresses) const;
  /// The flight to `host` that may be joined, or nullptr.
  Flight* find_flight(const std::string& host, TimePoint now) const;
  FlightPointer open_flight(const std::string& host, TimePoint now);
  void ask(const FlightPointer& flight);
  void land(FlightPointer flight, LookupResult result);
  void remember(const std::string& host, const LookupResult& result, const NameAnswer& answer,
                const std::shared_ptr<AddressRing>& ring);

  Resolver& resolver_;
  const NameServiceOptions options_;
  Stats& stats_;
  const Now now_;
  OnFailure on_failure_;
  DnsCache cache_;
  std::map<std::pair<std::string, uint16_t>, std::vector<IpAddress>> overrides_;
  std::unordered_map<std::string, FlightPointer> flights_;  // those that may be joined
  const std::shared_ptr<NameService*> self_;  // tells a late answer of the resolver that the service is gone
};

}  // namespace hc
