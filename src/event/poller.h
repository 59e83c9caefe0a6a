#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/status.h"

namespace hc {

/// What a watcher waits for, and what happened: a set of these.
enum Readiness : uint8_t {
  kReadable = 1,
  kWritable = 2,
  kBroken = 4,    // error or hang-up; always reported
  kOnceEach = 8,  // interest only: told once each time that it becomes so (EPOLLET)
};

/// Receives what happened on a descriptor.
class FdWatcher {
 public:
  virtual ~FdWatcher() = default;
  virtual void on_ready(int fd, uint8_t readiness) = 0;
};

/// epoll with kept registrations.
///
/// Vocabulary: *interest* is what a watcher wants; *registered* is what the kernel was last told.
/// Rules: watch() only records, flush() tells the kernel what changed in between, so that a descriptor that goes
/// idle and is used again costs no system call (docs/curl-notes.md F14: 30 % of the CPU at 64 connections).
/// Level-triggered: libcurl may stop reading before EAGAIN. An event meets only the registration it was
/// reported for: descriptors are reused at once by the kernel, so each registration has a generation.
class Poller {
 public:
  static Status create(Poller* out);
  void close() { epoll_.reset(); }

  /// Records that `watcher` wants `interest` (of kReadable, kWritable, kOnceEach) on `fd` from the next flush() on.
  void watch(int fd, FdWatcher& watcher, uint8_t interest);
  /// Ends the registration at once. Must come before the descriptor is closed: after a fork the child keeps the
  /// open file alive, and the kernel would go on reporting it.
  /// Does nothing when somebody else watches a descriptor of that number by now.
  void forget(int fd, FdWatcher& watcher);
  /// The same for a descriptor that is closed already: its number may be another thread's by now.
  void forget_closed(int fd, FdWatcher& watcher);
  bool is_watched(int fd) const;

  void flush();

  /// Waits until something happens or `timeout` has passed (rounded up to whole ms, so that no timer is met
  /// early; kNever: without limit).
  void wait(Duration timeout);
  /// Hands out what wait() found.
  void dispatch();
  bool found_nothing() const { return found_ == 0; }

 private:
  // What a turn touches should still be in the cache when it is touched again: 64 requests have some 600 KB. With 512
  // events and 256 permits in a turn, 1,000 connections took 1.2 times the CPU for each request.
  static constexpr int kBatch = 64;

  struct Watch {
    FdWatcher* watcher = nullptr;
    uint32_t generation = 0;
    uint8_t interest = 0;
    uint8_t registered = 0;
    bool is_in_kernel = false;
    bool is_dirty = false;
  };
  struct Event {
    int fd;
    uint32_t generation;
    uint8_t readiness;
  };

  Watch* find(int fd);
  void apply(int fd, Watch& watch);

  Fd epoll_;
  std::vector<Watch> watches_;  // by descriptor: the kernel gives out the smallest free number
  std::vector<int> dirty_;
  std::vector<Event> events_;
  int found_ = 0;
};

}  // namespace hc
