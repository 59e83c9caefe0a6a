#include "adapter/lookup_inbox.h"

#include <utility>

namespace hc {

uint64_t LookupInbox::add(Resolver::Done done) {
  open_.emplace(++last_number_, std::move(done));
  return last_number_;
}

Resolver::Done LookupInbox::take(uint64_t number) {
  auto node = open_.extract(number);
  return node.empty() ? nullptr : std::move(node.mapped());
}

void LookupInbox::answer(uint64_t number, LookupResult result) {
  // Posting under the lock is what lets close() promise that the loop's mailbox is not touched after it.
  std::lock_guard lock(mutex_);
  if (post_ == nullptr) return;
  post_([self = shared_from_this(), number, result = std::move(result)] { self->deliver(number, result); });
}

void LookupInbox::close() {
  {
    std::lock_guard lock(mutex_);
    post_ = nullptr;
  }
  std::unordered_map<uint64_t, Resolver::Done> dropped = std::exchange(open_, {});
}

void LookupInbox::deliver(uint64_t number, LookupResult result) {
  Resolver::Done done = take(number);
  if (done) done(std::move(result));
}

}  // namespace hc
