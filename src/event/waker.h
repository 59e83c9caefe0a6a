#pragma once

#include "base/fd.h"
#include "base/status.h"
#include "event/poller.h"

namespace hc {

/// Wakes a loop out of Poller::wait() from another thread.
class Waker final : public FdWatcher {
 public:
  static Status create(Waker* out);

  void attach(Poller& poller) { poller.watch(event_.get(), *this, kReadable | kOnceEach); }
  void detach(Poller& poller) { poller.forget(event_.get(), *this); }
  /// Detached. Nobody may wake it from now on.
  void close() { event_.reset(); }
  /// Any thread.
  void wake();
  /// Nothing to do: that the loop is awake is all.
  void on_ready(int, uint8_t) override {}

 private:
  Fd event_;
};

}  // namespace hc
