#pragma once

#include <memory>
#include <unordered_map>

#include "base/intrusive_list.h"
#include "model/ledger.h"
#include "model/origin.h"
#include "model/stats.h"

namespace hc {

/// Receives the permits that pump() gives out.
class Grantee {
 public:
  virtual ~Grantee() = default;
  virtual void on_granted(Waiter& waiter, Permit permit) = 0;
};

/// The gate: who of those in line goes next.
///
/// Rules: first come, first served within an origin and priority; origins take turns; an idle connection is no way
/// to jump the queue, since whoever's turn it is may have it retired to make room, unless it has its fair share of
/// the sockets already (docs/decisions/009). An origin that cannot go on for a reason of its own is parked until that
/// reason is gone or somebody else is first in its line, so that a pump costs as much as it starts.
/// Life cycle of an origin: made by origin_of(), in the ring while it has waiters and is not parked, gone when
/// nobody waits for it, rides it or has a socket of it.
class Admission {
 public:
  static constexpr size_t kPermitsInATurn = 64;  // as many as the events of a turn, see Poller

  /// `table`: where each origin gets its row from; none: it keeps its own.
  Admission(Ledger& ledger, DescriptorBudget& budget, DescriptorBudget::Listener& listener, Stats& stats,
            OriginTable* table = nullptr);
  ~Admission();

  /// The origin of this key, made if need be, with one more rider: give it back with release().
  Origin& origin_of(const OriginKey& key);
  void release(Origin& origin);

  /// Joins the end of its origin's line.
  void join(Waiter& waiter);
  /// Goes back to its place in line: it had its turn and lost its connection through no fault of its own.
  void rejoin(Waiter& waiter);
  void leave(Waiter& waiter);

  /// Gives permits until nobody fits any more, or somebody pauses it. False: this turn's are used up, and there may be
  /// others who fit.
  bool pump(Grantee& grantee);
  /// A new turn of the loop, which may give kPermitsInATurn. To start a request takes longer than to submit it: without
  /// a limit thousands of them would keep the loop from all else.
  void begin_turn() { permits_left_ = kPermitsInATurn; }
  /// No permits until resume(): the system has no descriptor for any of them.
  void pause() { is_paused_ = true; }
  void resume() { is_paused_ = false; }
  /// Takes somebody out of line, in no particular order, or nullptr. For closing.
  Waiter* pop_any();

  // What the ledger tells.
  void on_room(Origin& origin);
  void on_connecting_room();
  /// Descriptors came back to the process's budget.
  void on_descriptor_room();
  bool is_short_of_descriptors() { return !parked_descriptor_.empty(); }

 private:
  using Ring = IntrusiveList<Origin, Origin>;

  Refusal admit_first_of(Origin& origin, Grantee& grantee);
  Waiter* first_of(Origin& origin);
  void remove_from_line(Waiter& waiter);
  void count_in(Waiter& waiter);
  void move_to_ring_end(Origin& origin);
  void park(Origin& origin, Ring& where);
  void unpark_all(Ring& parked);
  void forget_if_unused(Origin& origin);

  Ledger& ledger_;
  DescriptorBudget& budget_;
  DescriptorBudget::Listener& listener_;
  Stats& stats_;
  OriginTable* const table_;
  std::unordered_map<OriginKey, std::unique_ptr<Origin>, OriginKeyHash> origins_;
  uint64_t last_turn_ = 0;
  size_t permits_left_ = kPermitsInATurn;
  bool is_paused_ = false;
  Ring ring_;                // have waiters and may go on, next turn first
  Ring parked_origin_full_;  // until a socket of theirs is given up or idle
  Ring parked_connecting_;   // until fewer sockets connect
  Ring parked_descriptor_;   // until the process has descriptors again
};

}  // namespace hc
