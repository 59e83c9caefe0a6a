#pragma once

#include <functional>
#include <memory>
#include <string>

#include "adapter/lookup_inbox.h"
#include "model/resolver.h"

namespace hc {

struct SystemResolverOptions {
  /// What the threads call; it blocks. Empty: getaddrinfo(). Tests put their own here.
  std::function<LookupResult(const std::string& host, Family family)> blocking_lookup;
  std::function<TimePoint()> now;  // asked on any thread. Empty: the monotonic clock
  size_t max_threads = 4;
  Duration idle_time = 10 * kSecond;  // a thread without work ends after it
  Duration grace = 10 * kSecond;      // longest wait of the destructor
};

/// Asks the operating system, with getaddrinfo() on a few threads of its own: for names that live in NSS modules
/// (mDNS, LLMNR, LDAP, the machine's own name) and not in DNS.
///
/// Rules: a thread is made when a lookup finds none idle. A lookup that has waited for a thread for as long as
/// NameService has patience fails: the name may have been asked for again by then, and threads that hang must not
/// leave a line behind that nobody waits for any more. getaddrinfo() cannot be cancelled, so what to do at the
/// end was a choice between two promises: "close is prompt" and "after close every thread is gone". The
/// destructor waits: a thread inside getaddrinfo() also holds a socket, and who forks or measures after close
/// must be able to rely on it. The wait is bounded twice. Each thread tells glibc to ask each name server for
/// 2 s, twice (by default 5 s; NSS modules have times of their own). And after `grace` the destructor lets the
/// thread go: it ends when the call returns, and what it shares with us lives until then. Lookups that have not
/// started are dropped at once.
/// Life cycle: made anywhere, used and destroyed on the loop thread (or when the loop is gone).
class SystemResolver final : public Resolver {
 public:
  explicit SystemResolver(Post post, SystemResolverOptions options = {});
  ~SystemResolver() override;

  void lookup(const std::string& host, Family family, Done done) override;

  /// Threads that have not ended, for tests.
  size_t threads() const;

 private:
  class Pool;

  std::shared_ptr<LookupInbox> inbox_;
  std::shared_ptr<Pool> pool_;
};

/// getaddrinfo() as a LookupResult: every address once, families in turns, no TTL.
LookupResult blocking_getaddrinfo(const std::string& host, Family family);

}  // namespace hc
