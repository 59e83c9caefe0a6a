#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapter/lookup_inbox.h"
#include "model/resolver.h"

namespace hc {

/// The application's resolver, on the loop thread. HC_OK takes the query, HC_RESOLVE_PASS leaves it to others,
/// anything else fails it. `query` is what the C interface hands out as an hc_resolve_query.
using Hook = std::function<hc_status(uint64_t query, std::string_view host, Family family)>;

/// Ends a query that a hook took; any thread. HC_E_INVALID without addresses (the query stays open), HC_E_FORKED
/// for a query of the parent process, else HC_OK: also when it had ended, with its session or by another answer.
Status answer_hook_query(uint64_t query, std::vector<IpAddress> addresses, Duration ttl);
Status fail_hook_query(uint64_t query, std::string_view reason);

/// Asks the application.
///
/// Rules: a query is a number in a table of the process and not a pointer: the application may answer at any
/// time, also after the session has ended and freed what was open, and twice. Numbers are never used again.
class HookResolver {
 public:
  HookResolver(Hook hook, Post post);
  ~HookResolver();

  /// Loop thread. False: the hook passed, and `done` is the caller's again. Else it is answered, but not before
  /// this returns.
  bool offer(const std::string& host, Family family, Resolver::Done& done);

 private:
  const Hook hook_;
  std::shared_ptr<LookupInbox> inbox_;
};

/// Queries of all sessions that wait for an answer, for tests.
size_t open_hook_queries();

}  // namespace hc
