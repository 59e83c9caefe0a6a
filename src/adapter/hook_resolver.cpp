#include "adapter/hook_resolver.h"

#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/fork.h"
#include "model/text.h"

namespace hc {
namespace {

std::atomic<uint64_t> last_query{0};  // goes on in a child process

/// The open queries of one process.
class QueryTable {
 public:
  struct Entry {
    std::shared_ptr<LookupInbox> inbox;
    uint64_t number;
  };

  static QueryTable& of_this_process();

  bool is_inherited(uint64_t query) const { return query < first_; }

  uint64_t open(Entry entry) {
    std::lock_guard lock(mutex_);
    uint64_t query = ++last_query;
    open_.emplace(query, std::move(entry));
    return query;
  }
  std::optional<Entry> take(uint64_t query) {
    std::lock_guard lock(mutex_);
    auto node = open_.extract(query);
    return node.empty() ? std::nullopt : std::optional(std::move(node.mapped()));
  }
  void drop_all_of(const std::shared_ptr<LookupInbox>& inbox) {
    std::lock_guard lock(mutex_);
    std::erase_if(open_, [&](const auto& item) { return item.second.inbox == inbox; });
  }
  size_t size() {
    std::lock_guard lock(mutex_);
    return open_.size();
  }

 private:
  explicit QueryTable(QueryTable* parent) : parent_(parent) {}

  const ForkGuard process_;
  const uint64_t first_ = last_query.load() + 1;
  QueryTable* const parent_;  // unused, and kept for the leak checker's eyes
  std::mutex mutex_;
  std::unordered_map<uint64_t, Entry> open_;
};

// A child process begins with an empty table: the parent's mutex may be locked by a thread that the child does
// not have.
QueryTable& QueryTable::of_this_process() {
  static std::atomic<QueryTable*> current{nullptr};
  QueryTable* table = current.load(std::memory_order_acquire);
  if (table != nullptr && !table->process_.is_inherited()) return *table;
  std::unique_ptr<QueryTable> fresh(new QueryTable(table));
  if (current.compare_exchange_strong(table, fresh.get(), std::memory_order_acq_rel)) return *fresh.release();
  return *table;
}

LookupResult failure(Code code, std::string reason) {
  LookupResult result;
  result.status = Status(code, std::move(reason));
  return result;
}

Status end_query(uint64_t query, LookupResult result) {
  QueryTable& table = QueryTable::of_this_process();
  if (table.is_inherited(query)) return Status(HC_E_FORKED, "query belongs to the parent process");
  std::optional<QueryTable::Entry> entry = table.take(query);
  if (entry) entry->inbox->answer(entry->number, std::move(result));
  return Status::ok();
}

}  // namespace

Status answer_hook_query(uint64_t query, std::vector<IpAddress> addresses, Duration ttl) {
  if (addresses.empty()) return Status::invalid("addresses: at least one is needed");
  LookupResult result;
  result.addresses = std::move(addresses);
  result.ttl = ttl;
  return end_query(query, std::move(result));
}

Status fail_hook_query(uint64_t query, std::string_view reason) {
  return end_query(query,
                   failure(HC_E_DNS, reason.empty() ? "the resolver callback gave up" : escaped(reason)));
}

HookResolver::HookResolver(Hook hook, Post post)
    : hook_(std::move(hook)), inbox_(std::make_shared<LookupInbox>(std::move(post))) {}

HookResolver::~HookResolver() {
  QueryTable::of_this_process().drop_all_of(inbox_);
  inbox_->close();
}

bool HookResolver::offer(const std::string& host, Family family, Resolver::Done& done) {
  uint64_t number = inbox_->add(std::move(done));
  uint64_t query = QueryTable::of_this_process().open({inbox_, number});
  hc_status reply = hook_(query, host, family);
  if (reply == HC_OK) return true;
  // Answered inside the hook: that counts more than what it returned.
  if (!QueryTable::of_this_process().take(query)) return true;
  if (reply == HC_RESOLVE_PASS) {
    done = inbox_->take(number);
    return false;
  }
  inbox_->answer(number,
                 failure(HC_E_CALLBACK, "the resolver callback refused with " + std::to_string(reply)));
  return true;
}

size_t open_hook_queries() { return QueryTable::of_this_process().size(); }

}  // namespace hc
