#include "model/name_service.h"

#include <algorithm>

#include "model/text.h"

namespace hc {
namespace {

constexpr size_t kMaxName = 253;  // RFC 1035 2.3.4, without the length bytes
constexpr size_t kMaxLabel = 63;

std::string normalised(std::string_view host) {
  if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
  return lower(host);
}

Status cannot_resolve(const std::string& host, const Status& reason) {
  return Status(reason.code(), "cannot resolve \"" + escaped(host) + "\": " + reason.message())
      .with_native(reason.native_domain(), reason.native_code());
}

NameAnswer refuse(const std::string& host, std::string reason) {
  return {cannot_resolve(host, Status(HC_E_DNS, std::move(reason))), {}, false};
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_hex_number(std::string_view text) {
  return text.starts_with("0x") && text.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
}

// What is wrong with `host` as a name; empty if nothing is.
std::string name_fault(std::string_view host) {
  if (host.empty()) return "the host name is empty";
  if (host.size() > kMaxName) return "a host name has at most 253 bytes";
  for (char c : host) {
    if (c <= 0x20 || c >= 0x7F) return "a host name has no space, control byte or byte beyond ASCII";
  }
  for (;;) {
    size_t dot = host.find('.');
    std::string_view label = host.substr(0, dot);
    if (label.empty() || label.size() > kMaxLabel) return "a part of a host name has 1 to 63 bytes";
    if (dot != std::string_view::npos) {
      host.remove_prefix(dot + 1);
      continue;
    }
    // "127.1", "0x7f000001", "2130706433": getaddrinfo takes them for addresses, a name server for names. No
    // top-level domain is a number, so nothing is lost when they are neither (WHATWG URL, "ends in a number").
    return is_digits(label) || is_hex_number(label) ? "not a name, and not an address in full (127.0.0.1)"
                                                    : "";
  }
}

// localhost never leaves the machine (RFC 6761 6.3; c-ares would ask for "x.localhost"). 127.0.0.1 goes first:
// most local servers listen there only, and many containers have no ::1 at all. It is not rotated, for the two
// are not equal copies of one service.
std::vector<IpAddress> addresses_of_localhost(std::string_view host) {
  if (host != "localhost" && !host.ends_with(".localhost")) return {};
  return {IpAddress::loopback(Family::kV4), IpAddress::loopback(Family::kV6)};
}

const char* family_name(Family family) { return family == Family::kV4 ? "v4" : "v6"; }

std::string wrong_family(std::string_view what, Family family) {
  return std::string(what) + ", and the session's family is " + family_name(family);
}

DnsCacheOptions cache_options(const NameServiceOptions& options) {
  return {options.ttl, options.stale_ttl, options.negative_ttl, options.use_cache ? options.capacity : 0};
}

}  // namespace

std::vector<IpAddress> addresses_without_lookup(std::string_view host) {
  std::string name = normalised(host);
  if (std::optional<IpAddress> literal = IpAddress::parse(name)) return {*literal};
  return addresses_of_localhost(name);
}

NameService::NameService(Resolver& resolver, const NameServiceOptions& options, Stats& stats, Now now)
    : resolver_(resolver),
      options_(options),
      stats_(stats),
      now_(std::move(now)),
      cache_(cache_options(options)),
      self_(std::make_shared<NameService*>(this)) {}

std::optional<NameAnswer> NameService::resolve(std::string_view host, uint16_t port, TimePoint now,
                                               NameWaiter& waiter) {
  std::string name = normalised(host);
  if (std::optional<NameAnswer> answer = answer_without_lookup(name, port)) return answer;
  if (std::optional<NameAnswer> answer = answer_from_cache(name, now)) return answer;
  if (Flight* flight = find_flight(name, now)) {
    flight->waiters.push_back(waiter);
    return std::nullopt;
  }
  FlightPointer flight = open_flight(name, now);
  flight->waiters.push_back(waiter);
  ask(flight);
  return std::nullopt;
}

void NameService::set_override(std::string_view host, uint16_t port, std::vector<IpAddress> addresses) {
  std::pair<std::string, uint16_t> key(normalised(host), port);
  if (addresses.empty()) {
    overrides_.erase(key);
  } else {
    overrides_[std::move(key)] = std::move(addresses);
  }
}

void NameService::clear(std::string_view host) {
  if (host.empty()) {
    flights_.clear();
    cache_.clear();
    return;
  }
  std::string name = normalised(host);
  flights_.erase(name);
  cache_.erase(name);
}

std::optional<NameAnswer> NameService::answer_without_lookup(const std::string& host, uint16_t port) const {
  const std::vector<IpAddress>* override_list = find_override(host, port);
  if (override_list != nullptr) return choose_family(host, *override_list);
  if (std::optional<IpAddress> literal = IpAddress::parse(host)) return choose_family(host, {*literal});
  std::string fault = name_fault(host);
  if (!fault.empty()) return refuse(host, std::move(fault));
  std::vector<IpAddress> loopback = addresses_of_localhost(host);
  if (loopback.empty()) return std::nullopt;
  return choose_family(host, loopback);
}

const std::vector<IpAddress>* NameService::find_override(const std::string& host, uint16_t port) const {
  if (overrides_.empty()) return nullptr;
  auto found = overrides_.find({host, port});
  if (found == overrides_.end()) found = overrides_.find({host, 0});
  return found == overrides_.end() ? nullptr : &found->second;
}

std::optional<NameAnswer> NameService::answer_from_cache(const std::string& host, TimePoint now) {
  std::optional<CachedAnswer> cached = cache_.take(host, now);
  if (!cached) return std::nullopt;
  ++stats_.dns_cache_hits;
  if (cached->wants_refresh && find_flight(host, now) == nullptr) ask(open_flight(host, now));
  return NameAnswer{std::move(cached->status), std::move(cached->addresses), true};
}

NameAnswer NameService::choose_family(const std::string& host,
                                      const std::vector<IpAddress>& addresses) const {
  NameAnswer answer;
  for (const IpAddress& address : addresses) {
    bool is_wanted = options_.family == Family::kAny || address.family == options_.family;
    if (is_wanted && answer.addresses.size() < kMaxAddresses) answer.addresses.push_back(address);
  }
  if (!answer.addresses.empty()) return answer;
  if (addresses.empty()) return refuse(host, "the resolver gave no address");
  bool is_v4 = addresses.front().family == Family::kV4;
  return refuse(host, wrong_family(is_v4 ? "it has only IPv4 addresses" : "it has only IPv6 addresses",
                                   options_.family));
}

NameService::Flight* NameService::find_flight(const std::string& host, TimePoint now) const {
  auto found = flights_.find(host);
  if (found == flights_.end() || now - found->second->started >= kPatience) return nullptr;
  return found->second.get();
}

NameService::FlightPointer NameService::open_flight(const std::string& host, TimePoint now) {
  auto flight = std::make_shared<Flight>();
  flight->host = host;
  flight->started = now;
  flights_[host] = flight;
  return flight;
}

void NameService::ask(const FlightPointer& flight) {
  ++stats_.dns_lookups;
  std::weak_ptr<NameService*> self = self_;
  resolver_.lookup(flight->host, options_.family, [self, flight](LookupResult result) {
    std::shared_ptr<NameService*> service = self.lock();
    if (service != nullptr) (*service)->land(flight, std::move(result));
  });
}

void NameService::land(FlightPointer flight, LookupResult result) {
  auto found = flights_.find(flight->host);
  bool is_open = found != flights_.end() && found->second == flight;
  if (is_open) flights_.erase(found);

  NameAnswer answer = result.status.is_ok()
                          ? choose_family(flight->host, result.addresses)
                          : NameAnswer{cannot_resolve(flight->host, result.status), {}, false};
  if (!answer.status.is_ok()) {
    ++stats_.dns_failures;
    if (on_failure_) on_failure_(answer.status, result.is_no_such_name);
  }
  std::shared_ptr<AddressRing> ring = cache_.make_ring(flight->host, std::move(answer.addresses));
  if (is_open) remember(flight->host, result, answer, ring);
  // One by one, from a list that nobody can join any more: each may take others out of it.
  while (NameWaiter* waiter = flight->waiters.pop_front()) {
    waiter->on_name({answer.status, ring->take(), false});
  }
}

void NameService::remember(const std::string& host, const LookupResult& result, const NameAnswer& answer,
                           const std::shared_ptr<AddressRing>& ring) {
  TimePoint now = now_();
  if (answer.status.is_ok()) return cache_.store(host, ring, result.ttl, now);
  if (result.is_no_such_name) return cache_.store_failure(host, answer.status, now);
  cache_.defer_refresh(host, later(now, kRefreshPause));
}

}  // namespace hc
