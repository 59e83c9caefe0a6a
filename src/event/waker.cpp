#include "event/waker.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>

namespace hc {

Status Waker::create(Waker* out) {
  Fd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.is_open()) return Status::system("eventfd", errno);
  out->event_ = std::move(event);
  return Status::ok();
}

void Waker::wake() {
  uint64_t one = 1;
  // Each one is told, though nobody reads the counter; it would be full after 2^64.
  [[maybe_unused]] ssize_t written = write(event_.get(), &one, sizeof one);
}

}  // namespace hc
