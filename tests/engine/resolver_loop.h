// A loop in the test's own thread, for resolvers that need a real one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "adapter/lookup_inbox.h"
#include "event/mailbox.h"
#include "event/reactor.h"
#include "event/waker.h"
#include "model/resolver.h"

namespace hc {

/// The monotonic clock, which a test can push forward.
class SkippingClock final : public Clock {
 public:
  TimePoint now() override { return (stopped_at_ == kNever ? real_.now() : stopped_at_) + skipped_; }
  void skip(Duration length) { skipped_ += length; }
  /// From now on it only skips: no time passes, however long the machine takes.
  void stop() { stopped_at_ = real_.now(); }

 private:
  SystemClock real_;
  TimePoint stopped_at_ = kNever;
  Duration skipped_ = 0;
};

class ResolverLoop {
 public:
  static constexpr Duration kMustHappen = 20 * kSecond;

  ResolverLoop() {
    EXPECT_TRUE(Reactor::open(&reactor).is_ok());
    EXPECT_TRUE(Waker::create(&waker_).is_ok());
    reactor.bind_to_this_thread();
    waker_.attach(reactor.poller());
  }
  ~ResolverLoop() { waker_.detach(reactor.poller()); }

  Post post() {
    return [this](std::function<void()> task) { mailbox_.push([&] { return std::move(task); }); };
  }

  /// Turns until `is_done()`; false after `limit`.
  bool run_until(const std::function<bool()>& is_done, Duration limit = kMustHappen) {
    TimePoint end = reactor.refresh() + limit;
    for (;;) {
      run_what_is_due();
      if (is_done()) return true;
      if (reactor.now() >= end) return false;
      wait_until(end);
    }
  }
  /// Turns for `length`: for what must not happen.
  void run_for(Duration length) {
    run_until([] { return false; }, length);
  }

  SkippingClock clock;
  Reactor reactor{clock};

 private:
  void run_what_is_due() {
    reactor.refresh();
    std::vector<std::function<void()>> tasks;
    mailbox_.drain(tasks);
    for (const std::function<void()>& task : tasks) task();
    reactor.timers().expire(reactor.now());
  }
  void wait_until(TimePoint end) {
    reactor.poller().flush();
    TimePoint due = mailbox_.prepare_sleep() ? std::min(end, reactor.timers().next_due()) : reactor.now();
    reactor.poller().wait(due - reactor.now());
    reactor.refresh();
    reactor.poller().dispatch();
  }

  Waker waker_;
  Mailbox<std::function<void()>> mailbox_{waker_};
};

/// Where a lookup's result arrives.
struct Lookup {
  bool is_done = false;
  LookupResult result;

  Resolver::Done done() {
    return [this](LookupResult arrived) {
      EXPECT_FALSE(is_done) << "answered twice";
      is_done = true;
      result = std::move(arrived);
    };
  }
};

/// "addr addr", or the reason of the failure.
inline std::string text_of(const LookupResult& result) {
  if (!result.status.is_ok()) return result.status.message();
  std::string out;
  for (const IpAddress& address : result.addresses) out += (out.empty() ? "" : " ") + address.to_string();
  return out;
}

/// A file that ends with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    char name[] = "/tmp/hc-test-XXXXXX";
    int fd = mkstemp(name);
    EXPECT_GE(fd, 0);
    close(fd);
    path_ = name;
    write(content);
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }
  /// In place of the file, as resolvconf and editors do.
  void write(const std::string& content) {
    std::string fresh = path_ + "~";
    FILE* file = fopen(fresh.c_str(), "w");
    fwrite(content.data(), 1, content.size(), file);
    fclose(file);
    std::filesystem::rename(fresh, path_);
  }

 private:
  std::string path_;
};

}  // namespace hc
