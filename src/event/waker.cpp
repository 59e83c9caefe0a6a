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
  // EAGAIN means that the counter is full: the loop will wake.
  [[maybe_unused]] ssize_t written = write(event_.get(), &one, sizeof one);
}

void Waker::on_ready(int, uint8_t) {
  uint64_t count = 0;
  [[maybe_unused]] ssize_t got = read(event_.get(), &count, sizeof count);
}

}  // namespace hc
