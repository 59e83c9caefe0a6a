#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "event/timer_queue.h"
#include "model/config.h"
#include "model/descriptor_budget.h"
#include "model/ip_address.h"
#include "model/origin.h"
#include "model/stats.h"

namespace hc {

class Ledger;

/// Why an idle connection was shut down.
enum class EndReason : uint8_t {
  kServer,       // readable while idle: its end, or bytes that nobody asked for
  kIdleTimeout,  // keepalive_timeout, or what the server allows
  kLifetime,     // max_lifetime
  kNoReuse,      // neither of them leaves any time at all
  kRoom,         // limit or limit_per_host: somebody else needs its place
  kDescriptors,  // this session or another one of the process is short of descriptors
};
const char* text_of(EndReason reason);

/// One socket of ours, from the moment it is opened until its descriptor is closed.
class Connection final : public ListLink<Connection>, private Timer {
 public:
  enum class State : uint8_t {
    kConnecting,  // belongs to one attempt; that attempt's end is its end
    kInUse,       // carries a request
    kIdle,        // in libcurl's pool
    kRetired,     // shut down; counts for nobody but the descriptor budget; libcurl will close it
  };

  uint64_t number() const { return number_; }
  int fd() const { return fd_; }
  State state() const { return state_; }
  Origin& origin() const { return *origin_; }
  uint32_t shard() const { return shard_; }
  const Endpoint& remote() const { return remote_; }
  /// The same as text, made when somebody asks for the first time.
  const std::string& remote_text() const {
    if (remote_text_.empty()) remote_text_ = remote_.to_string();
    return remote_text_;
  }
  bool is_unix() const { return remote_.address.family == Family::kAny; }
  EndReason end_reason() const { return end_reason_; }  // of a retired one

  /// Kept by the transport: which attempt it belongs to (connecting, in use), and its own port, by which a reused
  /// connection is recognised.
  void* rider = nullptr;
  uint16_t local_port = 0;
  /// Who means to ride it while it is idle, and for libcurl its name in the pool; where it cannot be recognised later.
  void* chooser = nullptr;
  std::string pool_name;
  std::shared_ptr<void> of_transport;  // what is found out about its TLS

 private:
  friend class Ledger;
  explicit Connection(Ledger& ledger) : ledger_(ledger) {}
  void on_timer(TimePoint now) override;

  Ledger& ledger_;
  Origin* origin_ = nullptr;
  uint64_t number_ = 0;
  TimePoint idle_since_ = 0;
  TimePoint idle_end_ = kNever;  // when it has been idle for too long
  TimePoint lifetime_end_ = kNever;
  Endpoint remote_;
  mutable std::string remote_text_;
  uint32_t shard_ = 0;
  int fd_ = -1;
  uint32_t place_ = 0;  // of `shard_` among its origin's; while it counts
  State state_ = State::kConnecting;
  EndReason end_reason_ = EndReason::kServer;
};

/// The right to one socket of an origin: an idle one, or a new one. Move-only; an unspent one returns by itself.
class Permit {
 public:
  enum class Kind : uint8_t { kNone, kIdleSocket, kNewSocket };

  Permit() = default;
  Permit(Permit&& other) noexcept { *this = std::move(other); }
  Permit& operator=(Permit&& other) noexcept;
  ~Permit() { give_back(); }

  Kind kind() const { return kind_; }
  uint32_t shard() const { return shard_; }
  void give_back() noexcept;

 private:
  friend class Ledger;
  Permit(Ledger& ledger, Origin& origin, uint32_t place, Kind kind)
      : ledger_(&ledger), origin_(&origin), shard_(origin.shards[place].number), place_(place), kind_(kind) {}

  Ledger* ledger_ = nullptr;
  Origin* origin_ = nullptr;
  uint32_t shard_ = 0;
  uint32_t place_ = 0;  // of `shard_` among the origin's
  Kind kind_ = Kind::kNone;
};

/// Why a permit was refused.
enum class Refusal : uint8_t {
  kNone,
  kOriginFull,      // limit_per_host
  kConnectingFull,  // max_connecting
  kFull,            // limit, and no idle connection can make room
  kOthersShare,     // limit, and the idle connection that could make room is its owner's by fair share
  kNoDescriptor,    // the process's budget
};

/// Learns from the ledger what the outside must do or may want to know.
class LedgerObserver {
 public:
  virtual ~LedgerObserver() = default;
  /// Shut its socket down now. It counts no more.
  virtual void on_retired(Connection& connection) = 0;
  /// A socket or permit of `origin` was given up, or one became idle: somebody may fit now.
  virtual void on_room(Origin& origin) = 0;
  /// Fewer sockets are connecting now.
  virtual void on_connecting_room() = 0;
  /// Told only while the session is traced.
  virtual void on_idle(Connection&) {}
  /// Its descriptor is closed, and it is gone when this returns. Maybe inside libcurl.
  virtual void on_closed(Connection&) {}
};

/// The books about sockets: who may have one, which ones there are, and when an idle one goes.
///
/// Vocabulary: *live* sockets are promised, connecting, in use or idle; `limit` and `limit_per_host` bound these.
/// *Retired* ones were shut down and only wait for libcurl to close them.
/// Rules: an idle socket that a permit was given for is not retired in its place; the books never exceed a limit
/// (checked); each socket is closed exactly once.
/// Life cycle of a socket: admit() -> open() -> use() -> rest() -> use() ... -> retire() or close().
class Ledger {
 public:
  /// Beyond this many sockets in one multi, what libcurl does with all of them for each request costs more than another
  /// multi (docs/curl-notes.md F13).
  static constexpr uint32_t kShardSockets = 64;

  Ledger(const SessionConfig& config, TimerQueue& timers, DescriptorBudget& budget, Stats& stats);
  ~Ledger();

  void set_observer(LedgerObserver* observer) { observer_ = observer; }

  /// Gives the right to a socket, or says why not. Retires an idle connection if that makes the room.
  Refusal admit(Origin& origin, bool needs_new_socket, Permit* out);

  /// After kOthersShare: whose turn it is then.
  Origin& owner_of_room() { return find_retirable(nullptr, nullptr)->origin(); }

  /// A socket was made on a permit of kind kNewSocket, which is spent.
  Connection& open(Permit permit, int fd, const Endpoint& remote, TimePoint now);
  /// A new connection became usable.
  void use_new(Connection& connection);
  /// An idle connection was taken, on a permit of kind kIdleSocket, which is spent.
  void use_idle(Connection& connection, Permit permit);
  /// `idle` turned out to serve `origin` as well (a forwarding proxy's connections do). It changes places with an idle
  /// connection of that origin in the same shard, so that every count stays as it is. False: there is none.
  bool trade_idle(Connection& idle, Origin& origin);
  /// The idle connection of `origin` in this shard that was made first and that nobody has chosen yet, or nullptr.
  Connection* choose_idle(const Origin& origin, uint32_t shard);
  /// The request is done and the connection stays: it becomes idle. `hint` is what the server allows, or kNever.
  void rest(Connection& connection, Duration hint, TimePoint now);
  /// An idle connection must go: it counts no more.
  void retire(Connection& connection, EndReason reason);
  /// Retires the connection that has been idle for longest, if there is one that no permit was given for.
  void retire_one();
  /// The same, unless one is on its way out already: its descriptor comes back when libcurl closes it.
  void give_up_one();
  /// Another session is short of descriptors: gives up what this one holds beyond its share, at once or as soon as it
  /// is idle, or else one that it does not use.
  void yield_to_others(TimePoint now);
  /// The descriptor is closed. `connection` is gone.
  void close(Connection& connection);

  template <typename Visit>
  void for_each(Visit&& visit) {
    for (auto& [number, connection] : connections_) visit(*connection);
  }
  size_t open_count() const { return connections_.size(); }
  /// Nobody gets a socket before somebody gives one up.
  bool is_full() const { return config_.limit != 0 && live() >= config_.limit && idle_.empty(); }
  uint64_t live() const {
    return promised_ + stats_.sockets_connecting + stats_.sockets_in_use + stats_.sockets_idle;
  }
  uint64_t promised() const { return promised_; }
  uint64_t connecting() const { return promised_ + stats_.sockets_connecting; }

 private:
  friend class Connection;
  friend class Permit;

  Refusal make_room(Origin& origin, bool needs_new_socket);
  static bool is_share_of(const Origin& owner, const Origin& asking);
  Connection* find_retirable(const Origin* only, const Origin* except);
  bool take_idle(Origin& origin, Permit* out);
  uint32_t choose_shard(Origin& origin);
  void count(Origin& origin, uint32_t place);
  void uncount(Origin& origin, uint32_t place);
  void leave_idle(Connection& connection);
  void returned(Permit& permit) noexcept;
  void expire(Connection& connection, TimePoint now);
  static EndReason reason_of_end(const Connection& connection, TimePoint now);
  TimePoint lifetime_end(uint64_t number, TimePoint now) const;

  const SessionConfig& config_;
  TimerQueue& timers_;
  DescriptorBudget& budget_;
  Stats& stats_;
  LedgerObserver* observer_ = nullptr;
  uint64_t promised_ = 0;
  uint64_t owed_ = 0;  // sockets to retire for others as soon as they are idle
  uint64_t last_number_ = 0;
  std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections_;
  // Of all origins of one route, by the number of the shard; no entry for a route without any.
  std::unordered_map<RoutePointer, std::vector<uint32_t>, RouteHash, SameRoute> shard_sockets_;
  IntrusiveList<Connection, Connection> idle_;  // longest idle first, because that one makes room
};

}  // namespace hc
