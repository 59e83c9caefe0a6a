#include "model/admission.h"

#include "base/check.h"

namespace hc {

Admission::Admission(Ledger& ledger, DescriptorBudget& budget, DescriptorBudget::Listener& listener,
                     Stats& stats, OriginTable* table)
    : ledger_(ledger), budget_(budget), listener_(listener), stats_(stats), table_(table) {}

Admission::~Admission() {
  budget_.stop_listening(listener_);
  HC_CHECK(origins_.empty());
}

Origin& Admission::origin_of(const OriginKey& key) {
  auto found = origins_.find(key);
  if (found == origins_.end()) {
    auto origin = std::make_unique<Origin>(key);
    OriginKey own_key = origin->key();
    if (table_ != nullptr) origin->row = table_->open(*origin->name());
    found = origins_.emplace(own_key, std::move(origin)).first;
  }
  ++found->second->riders;
  return *found->second;
}

void Admission::release(Origin& origin) {
  HC_CHECK(origin.riders > 0);
  --origin.riders;
  forget_if_unused(origin);
}

void Admission::forget_if_unused(Origin& origin) {
  if (!origin.is_unused()) return;
  origin.ListLink<Origin>::unlink();
  if (table_ != nullptr) table_->close(*origin.row);
  origins_.erase(origin.key());
}

void Admission::join(Waiter& waiter) {
  waiter.turn = ++last_turn_;
  waiter.origin->line[waiter.priority].push_back(waiter);
  count_in(waiter);
}

void Admission::rejoin(Waiter& waiter) {
  auto& line = waiter.origin->line[waiter.priority];
  Waiter* before = nullptr;  // few are back in line at one time, so this walk is short
  for (Waiter* other = line.front(); other != nullptr && other->turn < waiter.turn;
       other = line.next(*other)) {
    before = other;
  }
  if (before == nullptr) {
    line.push_front(waiter);
  } else {
    line.insert_after(*before, waiter);
  }
  count_in(waiter);
}

void Admission::count_in(Waiter& waiter) {
  Origin& origin = *waiter.origin;
  ++origin.waiting;
  origin.row->waiting.add();
  ++stats_.waiting;
  if (!origin.ListLink<Origin>::is_linked()) ring_.push_back(origin);
  if (origin.is_parked && first_of(origin) == &waiter) move_to_ring_end(origin);
}

void Admission::leave(Waiter& waiter) {
  if (waiter.is_linked()) remove_from_line(waiter);
}

void Admission::remove_from_line(Waiter& waiter) {
  Origin& origin = *waiter.origin;
  bool was_first = first_of(origin) == &waiter;
  waiter.unlink();
  --origin.waiting;
  origin.row->waiting.subtract();
  --stats_.waiting;
  auto level = origin.line.find(waiter.priority);
  if (waiter.priority != 0 && level->second.empty()) origin.line.erase(level);
  if (origin.waiting > 0) {
    if (origin.is_parked && was_first) move_to_ring_end(origin);
    return;
  }
  origin.ListLink<Origin>::unlink();
  origin.is_parked = false;
}

Waiter* Admission::first_of(Origin& origin) {
  for (auto& [priority, waiters] : origin.line) {
    if (Waiter* waiter = waiters.front()) return waiter;
  }
  return nullptr;
}

void Admission::move_to_ring_end(Origin& origin) {
  origin.ListLink<Origin>::unlink();
  origin.is_parked = false;
  ring_.push_back(origin);
}

void Admission::park(Origin& origin, Ring& where) {
  origin.ListLink<Origin>::unlink();
  origin.is_parked = true;
  where.push_back(origin);
}

void Admission::unpark_all(Ring& parked) {
  while (Origin* origin = parked.front()) move_to_ring_end(*origin);
}

bool Admission::pump(Grantee& grantee) {
  // A grantee that meets the end of the system's descriptors pauses it from in here.
  while (Origin* origin = is_paused_ ? nullptr : ring_.front()) {
    if (permits_left_ == 0) return false;
    Refusal refusal = admit_first_of(*origin, grantee);
    if (refusal == Refusal::kOthersShare) {
      ++origin->passes;
      move_to_ring_end(*origin);  // a turn all the same: those behind it may have nothing yet
      refusal = admit_first_of(ledger_.owner_of_room(), grantee);
    }
    if (refusal == Refusal::kFull) break;
  }
  return true;
}

Refusal Admission::admit_first_of(Origin& origin, Grantee& grantee) {
  Waiter* waiter = first_of(origin);
  HC_CHECK(waiter != nullptr);
  Permit permit;
  Refusal refusal = ledger_.admit(origin, waiter->needs_new_socket, &permit);
  switch (refusal) {
    case Refusal::kNone:
      origin.passes = 0;
      --permits_left_;
      remove_from_line(*waiter);
      if (origin.waiting > 0) move_to_ring_end(origin);  // now it is the others' turn
      grantee.on_granted(*waiter, std::move(permit));
      break;
    case Refusal::kFull:
    case Refusal::kOthersShare: break;
    case Refusal::kOriginFull: park(origin, parked_origin_full_); break;
    case Refusal::kConnectingFull: park(origin, parked_connecting_); break;
    case Refusal::kNoDescriptor:
      park(origin, parked_descriptor_);
      budget_.listen(listener_);
      break;
  }
  return refusal;
}

Waiter* Admission::pop_any() {
  for (Ring* ring : {&ring_, &parked_origin_full_, &parked_connecting_, &parked_descriptor_}) {
    if (Origin* origin = ring->front()) {
      Waiter* waiter = first_of(*origin);
      remove_from_line(*waiter);
      return waiter;
    }
  }
  return nullptr;
}

void Admission::on_room(Origin& origin) {
  if (origin.is_parked) move_to_ring_end(origin);
  forget_if_unused(origin);
}

void Admission::on_connecting_room() { unpark_all(parked_connecting_); }

void Admission::on_descriptor_room() { unpark_all(parked_descriptor_); }

}  // namespace hc
