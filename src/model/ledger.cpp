#include "model/ledger.h"

#include <algorithm>

#include "base/check.h"

namespace hc {
namespace {

// Who holds one socket less than another gets the odd one after so many turns, not at each: its own may be busy for
// hours.
constexpr uint32_t kMostPasses = 32;
constexpr uint64_t kPartOfTheShare = 8;    // a session gives up one of so many at one time
constexpr Duration kUnused = 1 * kSecond;  // idle for so long: it may go for another session's sake

}  // namespace

const char* text_of(EndReason reason) {
  switch (reason) {
    case EndReason::kServer: return "the server closed it, or sent what nobody asked for";
    case EndReason::kIdleTimeout: return "idle for too long";
    case EndReason::kLifetime: return "max_lifetime";
    case EndReason::kNoReuse: return "may not be reused";
    case EndReason::kRoom: return "another origin or address needs its place";
    case EndReason::kDescriptors: return "the process is short of descriptors";
  }
  return "?";
}

Permit& Permit::operator=(Permit&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  ledger_ = other.ledger_;
  origin_ = other.origin_;
  shard_ = other.shard_;
  place_ = other.place_;
  kind_ = std::exchange(other.kind_, Kind::kNone);
  return *this;
}

void Permit::give_back() noexcept {
  if (kind_ == Kind::kNone) return;
  ledger_->returned(*this);
  kind_ = Kind::kNone;
}

void Connection::on_timer(TimePoint now) { ledger_.expire(*this, now); }

Ledger::Ledger(const SessionConfig& config, TimerQueue& timers, DescriptorBudget& budget, Stats& stats)
    : config_(config), timers_(timers), budget_(budget), stats_(stats) {}

Ledger::~Ledger() {
  HC_CHECK(connections_.empty());
  HC_CHECK(promised_ == 0);
}

Refusal Ledger::admit(Origin& origin, bool needs_new_socket, Permit* out) {
  if (!needs_new_socket && take_idle(origin, out)) return Refusal::kNone;
  if (Refusal refusal = make_room(origin, needs_new_socket); refusal != Refusal::kNone) return refusal;
  if (!budget_.try_take()) {
    give_up_one();
    return Refusal::kNoDescriptor;
  }
  uint32_t place = choose_shard(origin);
  count(origin, place);
  ++origin.permits;
  ++promised_;
  *out = Permit(*this, origin, place, Permit::Kind::kNewSocket);
  return Refusal::kNone;
}

bool Ledger::take_idle(Origin& origin, Permit* out) {
  for (uint32_t place = 0; place < origin.shards.size(); ++place) {
    if (!origin.shards[place].has_spare_idle()) continue;
    ++origin.shards[place].idle_promised;
    ++origin.permits;
    *out = Permit(*this, origin, place, Permit::Kind::kIdleSocket);
    return true;
  }
  return false;
}

Refusal Ledger::make_room(Origin& origin, bool needs_new_socket) {
  const Origin* own = needs_new_socket ? nullptr : &origin;
  if (config_.max_connecting != 0 && connecting() >= config_.max_connecting) return Refusal::kConnectingFull;
  bool is_origin_full = config_.limit_per_host != 0 && origin.sockets >= config_.limit_per_host;
  bool is_full = config_.limit != 0 && live() >= config_.limit;
  if (!is_origin_full && !is_full) return Refusal::kNone;

  Connection* victim = is_origin_full ? find_retirable(&origin, own) : find_retirable(nullptr, own);
  if (victim == nullptr) return is_origin_full ? Refusal::kOriginFull : Refusal::kFull;
  if (is_share_of(victim->origin(), origin)) return Refusal::kOthersShare;
  retire(*victim, EndReason::kRoom);
  return Refusal::kNone;
}

// Whether the idle connection of `owner` stays with it although it is the turn of `asking`, which holds as many sockets.
// With turns alone nearly every request at the limit would retire another origin's connection (docs/decisions/009).
bool Ledger::is_share_of(const Origin& owner, const Origin& asking) {
  bool has_use = owner.waiting > 0 && !owner.is_parked;
  if (&owner == &asking || !has_use || asking.sockets == 0) return false;
  if (owner.sockets <= asking.sockets) return true;
  return owner.sockets == asking.sockets + 1 && asking.passes < kMostPasses;
}

// The longest idle one that no permit was given for; of `only`, if given, and not of `except`.
Connection* Ledger::find_retirable(const Origin* only, const Origin* except) {
  for (Connection* connection = idle_.front(); connection != nullptr; connection = idle_.next(*connection)) {
    const Origin& origin = connection->origin();
    if (&origin == except || (only != nullptr && &origin != only)) continue;
    if (origin.shards[connection->place_].has_spare_idle()) return connection;
  }
  return nullptr;
}

// One that the origin is in already, else the first of its route that is not full. Its place among the origin's.
uint32_t Ledger::choose_shard(Origin& origin) {
  const std::vector<uint32_t>& sockets = shard_sockets_[origin.route()];
  std::vector<OriginShard>& own = origin.shards;
  auto has_room = [&](const OriginShard& shard) {
    return shard.number >= sockets.size() || sockets[shard.number] < kShardSockets;
  };
  auto place = std::find_if(own.begin(), own.end(), has_room);
  if (place == own.end()) {
    auto room =
        std::find_if(sockets.begin(), sockets.end(), [](uint32_t count) { return count < kShardSockets; });
    place = std::find_if(own.begin(), own.end(), [](const OriginShard& shard) { return shard.is_unused(); });
    if (place == own.end()) place = own.insert(own.end(), OriginShard());
    place->number = static_cast<uint32_t>(room - sockets.begin());
  }
  return static_cast<uint32_t>(place - own.begin());
}

void Ledger::count(Origin& origin, uint32_t place) {
  ++origin.sockets;
  origin.row->sockets.add();
  OriginShard& shard = origin.shards[place];
  ++shard.sockets;
  std::vector<uint32_t>& sockets = shard_sockets_[origin.route()];
  if (sockets.size() <= shard.number) sockets.resize(shard.number + 1);
  ++sockets[shard.number];
}

void Ledger::uncount(Origin& origin, uint32_t place) {
  --origin.sockets;
  origin.row->sockets.subtract();
  OriginShard& shard = origin.shards[place];
  --shard.sockets;
  auto of_route = shard_sockets_.find(origin.route());
  std::vector<uint32_t>& sockets = of_route->second;
  --sockets[shard.number];
  while (!sockets.empty() && sockets.back() == 0) sockets.pop_back();
  if (sockets.empty()) shard_sockets_.erase(of_route);
}

void Ledger::returned(Permit& permit) noexcept {
  Origin& origin = *permit.origin_;
  --origin.permits;
  if (permit.kind_ == Permit::Kind::kIdleSocket) {
    --origin.shards[permit.place_].idle_promised;
  } else {
    --promised_;
    uncount(origin, permit.place_);
    budget_.give_back();
    observer_->on_connecting_room();
  }
  observer_->on_room(origin);
}

Connection& Ledger::open(Permit permit, int fd, const Endpoint& remote, TimePoint now) {
  HC_CHECK(permit.kind_ == Permit::Kind::kNewSocket);
  std::unique_ptr<Connection> owned(new Connection(*this));
  Connection& connection = *owned;
  connection.number_ = ++last_number_;
  connection.origin_ = permit.origin_;
  connection.shard_ = permit.shard_;
  connection.place_ = permit.place_;
  connection.fd_ = fd;
  connection.remote_ = remote;
  connection.lifetime_end_ = lifetime_end(connection.number_, now);
  connections_.emplace(connection.number_, std::move(owned));

  permit.kind_ = Permit::Kind::kNone;  // its count, and its part of the budget, are the connection's now
  --permit.origin_->permits;
  ++permit.origin_->descriptors;
  --promised_;
  ++stats_.sockets_connecting;
  ++stats_.sockets_opened;
  stats_.sockets_peak = std::max(stats_.sockets_peak, live() - promised_);
  HC_CHECK(config_.limit == 0 || live() <= config_.limit);
  return connection;
}

void Ledger::use_new(Connection& connection) {
  HC_CHECK(connection.state_ == Connection::State::kConnecting);
  connection.state_ = Connection::State::kInUse;
  --stats_.sockets_connecting;
  ++stats_.sockets_in_use;
  ++stats_.connections_made;
  connection.origin_->row->connections_made.add();
  observer_->on_connecting_room();
}

void Ledger::use_idle(Connection& connection, Permit permit) {
  HC_CHECK(connection.state_ == Connection::State::kIdle);
  if (permit.kind_ == Permit::Kind::kIdleSocket) {
    permit.kind_ = Permit::Kind::kNone;
    --permit.origin_->permits;
    --permit.origin_->shards[permit.place_].idle_promised;
  }
  leave_idle(connection);
  connection.state_ = Connection::State::kInUse;
  ++stats_.sockets_in_use;
  ++stats_.connections_reused;
  connection.origin_->row->connections_reused.add();
}

bool Ledger::trade_idle(Connection& idle, Origin& origin) {
  HC_CHECK(idle.state_ == Connection::State::kIdle);
  for (Connection* other = idle_.front(); other != nullptr; other = idle_.next(*other)) {
    if (other->origin_ != &origin || other->shard_ != idle.shard_) continue;
    std::swap(other->origin_, idle.origin_);
    std::swap(other->place_, idle.place_);
    return true;
  }
  return false;
}

Connection* Ledger::choose_idle(const Origin& origin, uint32_t shard) {
  Connection* first = nullptr;
  for (Connection* idle = idle_.front(); idle != nullptr; idle = idle_.next(*idle)) {
    bool fits = idle->origin_ == &origin && idle->shard_ == shard && idle->chooser == nullptr;
    if (fits && (first == nullptr || idle->number_ < first->number_)) first = idle;
  }
  return first;
}

void Ledger::rest(Connection& connection, Duration hint, TimePoint now) {
  HC_CHECK(connection.state_ == Connection::State::kInUse);
  connection.state_ = Connection::State::kIdle;
  connection.rider = nullptr;
  --stats_.sockets_in_use;
  ++stats_.sockets_idle;
  connection.origin_->row->sockets_idle.add();
  ++connection.origin_->shards[connection.place_].idle;
  idle_.push_back(connection);
  connection.idle_since_ = now;
  connection.idle_end_ = later(now, std::min(config_.keepalive_timeout, hint));
  TimePoint end = std::min(connection.idle_end_, connection.lifetime_end_);
  if (end <= now || owed_ > 0) {
    owed_ -= std::min<uint64_t>(owed_, 1);
    retire(connection, end <= now ? reason_of_end(connection, now) : EndReason::kDescriptors);
    return;
  }
  // Left armed while in use: on the usual path the timer is touched once per idle timeout, not once per request.
  if (!connection.is_armed() || connection.due() > end) timers_.arm(connection, end);
  if (config_.on_trace != nullptr) observer_->on_idle(connection);
  observer_->on_room(*connection.origin_);
}

void Ledger::expire(Connection& connection, TimePoint now) {
  if (connection.state_ != Connection::State::kIdle) return;  // rest() arms it again
  TimePoint end = std::min(connection.idle_end_, connection.lifetime_end_);
  if (end <= now) {
    retire(connection, reason_of_end(connection, now));
  } else {
    timers_.arm(connection, end);
  }
}

EndReason Ledger::reason_of_end(const Connection& connection, TimePoint now) {
  if (connection.lifetime_end_ <= now) return EndReason::kLifetime;
  return connection.idle_end_ == connection.idle_since_ ? EndReason::kNoReuse : EndReason::kIdleTimeout;
}

void Ledger::retire(Connection& connection, EndReason reason) {
  HC_CHECK(connection.state_ == Connection::State::kIdle);
  leave_idle(connection);
  connection.end_reason_ = reason;
  connection.state_ = Connection::State::kRetired;
  ++stats_.sockets_retired;
  timers_.disarm(connection);
  uncount(*connection.origin_, connection.place_);
  observer_->on_retired(connection);
  observer_->on_room(*connection.origin_);
}

void Ledger::retire_one() {
  if (Connection* oldest = find_retirable(nullptr, nullptr)) retire(*oldest, EndReason::kDescriptors);
}

void Ledger::give_up_one() {
  if (stats_.sockets_retired == 0) retire_one();
}

// Some at a time: those who want them may want fewer, and libcurl closes retired ones about once a second.
void Ledger::yield_to_others(TimePoint now) {
  uint64_t held = live() + stats_.sockets_retired;
  uint64_t share = budget_.share();
  uint64_t excess = held - std::min(held, share);
  uint64_t yielded = std::min(excess, std::max<uint64_t>(share / kPartOfTheShare, 1));
  owed_ = yielded - std::min(yielded, stats_.sockets_retired);
  Connection* oldest = find_retirable(nullptr, nullptr);
  if (excess == 0 && stats_.sockets_retired == 0 && oldest != nullptr &&
      oldest->idle_since_ + kUnused <= now) {
    retire(*oldest, EndReason::kDescriptors);
  }
  for (; owed_ > 0 && oldest != nullptr; oldest = find_retirable(nullptr, nullptr)) {
    --owed_;
    retire(*oldest, EndReason::kDescriptors);
  }
}

void Ledger::close(Connection& connection) {
  Origin& origin = *connection.origin_;
  switch (connection.state_) {
    case Connection::State::kConnecting:
      --stats_.sockets_connecting;
      ++stats_.connect_failures;
      uncount(origin, connection.place_);
      observer_->on_connecting_room();
      break;
    case Connection::State::kInUse:
      --stats_.sockets_in_use;
      uncount(origin, connection.place_);
      break;
    case Connection::State::kIdle:
      leave_idle(connection);
      uncount(origin, connection.place_);
      break;
    case Connection::State::kRetired: --stats_.sockets_retired; break;
  }
  ++stats_.sockets_closed;
  observer_->on_closed(connection);
  timers_.disarm(connection);
  connections_.erase(connection.number_);
  budget_.give_back();
  --origin.descriptors;
  observer_->on_room(origin);
}

void Ledger::leave_idle(Connection& connection) {
  idle_.remove(connection);
  --stats_.sockets_idle;
  connection.origin_->row->sockets_idle.subtract();
  --connection.origin_->shards[connection.place_].idle;
}

// Spread over +-10 %, so that connections opened together do not end together. The number, well mixed, is random
// enough for that and the same in every run.
TimePoint Ledger::lifetime_end(uint64_t number, TimePoint now) const {
  if (config_.max_lifetime == 0) return kNever;
  auto mixed = static_cast<uint32_t>(number * 0x9E3779B97F4A7C15U >> 32);
  Duration tenth = config_.max_lifetime / 10;
  auto extra = static_cast<Duration>(static_cast<double>(2 * tenth) * (mixed / 0x1p32));
  return later(later(now, config_.max_lifetime - tenth), extra);
}

}  // namespace hc
