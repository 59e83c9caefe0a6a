#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/intrusive_list.h"
#include "model/metrics.h"
#include "model/route.h"

namespace hc {

class Origin;

/// Somebody in line for a connection. Never in two lines.
class Waiter : public ListLink<Waiter> {
 public:
  Origin* origin = nullptr;
  int32_t priority = 0;
  /// Place in the order of joining, kept when it has to go back in line.
  uint64_t turn = 0;
  /// An idle connection will not do: the last one this waiter rode was dead.
  bool needs_new_socket = false;

 protected:
  ~Waiter() = default;
};

/// What limits and reuse are counted by: scheme, host, port, and the identity of the way there.
struct OriginKey {
  bool is_https = false;
  uint16_t port = 0;
  std::string_view host;
  RoutePointer route;

  bool operator==(const OriginKey& other) const {
    return is_https == other.is_https && port == other.port && host == other.host &&
           is_same_route(route, other.route);
  }
};

struct OriginKeyHash {
  size_t operator()(const OriginKey& key) const {
    return std::hash<std::string_view>()(key.host) * 31 + key.port * 2U + (key.is_https ? 1 : 0) +
           RouteHash()(key.route) * 7;
  }
};

/// As in a URL, control bytes escaped.
std::string name_of(const OriginKey& key);

/// One origin's part of one shard.
struct OriginShard {
  uint32_t number = 0;   // of the shard
  uint32_t sockets = 0;  // promised, connecting, in use and idle
  uint32_t idle = 0;
  uint32_t idle_promised =
      0;  // idle ones that a permit was given for; may pass `idle` when the server closes some

  bool has_spare_idle() const { return idle > idle_promised; }
  /// Nothing counts here: it may become another shard's.
  bool is_unused() const { return sockets == 0 && idle_promised == 0; }
};

/// The state of one origin. Lives as long as anybody waits for it, holds a permit or a socket of it.
///
/// Rules: only Ledger changes the counts, only Admission changes the line and the ring.
class Origin : public ListLink<Origin> {
 public:
  explicit Origin(const OriginKey& key)
      : host_(key.host),
        key_{key.is_https, key.port, host_, key.route},
        name_(std::make_shared<const std::string>(name_of(key))) {}

  const OriginKey& key() const { return key_; }
  const std::string& host() const { return host_; }
  const RoutePointer& route() const { return key_.route; }
  /// "https://example.org:443", for people; outlives the origin with those who keep it.
  const std::shared_ptr<const std::string>& name() const { return name_; }

  /// Kept by the transport: its part of what all origins of one route share.
  std::shared_ptr<void> lane;

  // Counts, kept by Ledger.
  uint32_t sockets = 0;      // promised, connecting, in use and idle
  uint32_t descriptors = 0;  // sockets that are open in any way, retired ones too
  uint32_t permits = 0;      // unspent
  std::vector<OriginShard> shards;

  // The line, kept by Admission: one list for each priority in use, highest first. Most origins only ever see one,
  // so the list of priority 0 stays.
  std::map<int32_t, IntrusiveList<Waiter, Waiter>, std::greater<>> line;
  size_t waiting = 0;
  bool is_parked = false;  // in one of Admission's parked lists, not in the ring
  uint32_t passes = 0;     // how often in a row its turn went to the owner of an idle connection

  bool is_unused() const { return waiting == 0 && permits == 0 && descriptors == 0 && riders == 0; }
  /// What the transport keeps with it.
  std::shared_ptr<void> of_transport;
  /// What is counted about it for hc_session_origins(); its own until Admission finds one in the table.
  std::shared_ptr<OriginRow> row = std::make_shared<OriginRow>();
  /// Transfers that point here without waiting or holding a permit.
  uint32_t riders = 0;

 private:
  std::string host_;
  OriginKey key_;
  std::shared_ptr<const std::string> name_;
};

}  // namespace hc
