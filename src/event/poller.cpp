#include "event/poller.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/check.h"

namespace hc {
namespace {

uint32_t to_epoll(uint8_t interest) {
  return ((interest & kReadable) != 0 ? EPOLLIN : 0U) | ((interest & kWritable) != 0 ? EPOLLOUT : 0U) |
         ((interest & kOnceEach) != 0 ? EPOLLET : 0U);
}

uint8_t from_epoll(uint32_t events) {
  uint8_t readiness = 0;
  if ((events & EPOLLIN) != 0) readiness |= kReadable;
  if ((events & EPOLLOUT) != 0) readiness |= kWritable;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) readiness |= kBroken;
  return readiness;
}

int to_epoll_timeout(Duration timeout) {
  if (timeout <= 0) return 0;
  if (timeout >= static_cast<Duration>(INT_MAX) * kMillisecond) return timeout == kNever ? -1 : INT_MAX;
  return static_cast<int>((timeout + kMillisecond - 1) / kMillisecond);
}

}  // namespace

Status Poller::create(Poller* out) {
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return Status::system("epoll_create1", errno);
  out->epoll_ = std::move(epoll);
  return Status::ok();
}

void Poller::watch(int fd, FdWatcher& watcher, uint8_t interest) {
  HC_CHECK(fd >= 0);
  if (watches_.size() <= static_cast<size_t>(fd)) watches_.resize(static_cast<size_t>(fd) + 64);
  Watch& watch = watches_[static_cast<size_t>(fd)];
  if (watch.watcher != nullptr && watch.watcher != &watcher) {
    // The number has a new owner, so its old descriptor was closed without a word; see apply().
    ++watch.generation;
    watch.is_in_kernel = false;
  }
  watch.watcher = &watcher;
  watch.interest = interest;
  if (watch.is_dirty || (watch.is_in_kernel && watch.registered == interest)) return;
  watch.is_dirty = true;
  dirty_.push_back(fd);
}

void Poller::forget(int fd, FdWatcher& watcher) {
  Watch* watch = find(fd);
  if (watch == nullptr || watch->watcher != &watcher) return;
  if (watch->is_in_kernel) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  forget_closed(fd, watcher);
}

void Poller::forget_closed(int fd, FdWatcher& watcher) {
  Watch* watch = find(fd);
  if (watch == nullptr || watch->watcher != &watcher) return;
  bool is_dirty = watch->is_dirty;
  uint32_t generation = watch->generation + 1;
  *watch = Watch{};
  watch->generation = generation;
  watch->is_dirty = is_dirty;
}

bool Poller::is_watched(int fd) const {
  return static_cast<size_t>(fd) < watches_.size() && watches_[static_cast<size_t>(fd)].watcher != nullptr;
}

void Poller::flush() {
  for (int fd : dirty_) {
    Watch& watch = watches_[static_cast<size_t>(fd)];
    watch.is_dirty = false;
    if (watch.watcher == nullptr) continue;
    if (watch.is_in_kernel && watch.registered == watch.interest) continue;
    apply(fd, watch);
  }
  dirty_.clear();
}

void Poller::wait(Duration timeout) {
  std::array<epoll_event, kBatch> events;
  int count = epoll_wait(epoll_.get(), events.data(), kBatch, to_epoll_timeout(timeout));
  HC_CHECK(count >= 0 || errno == EINTR);
  found_ = count < 0 ? 0 : count;
  events_.clear();
  for (int i = 0; i < found_; ++i) {
    uint64_t data = events[static_cast<size_t>(i)].data.u64;
    events_.push_back({static_cast<int>(data & UINT32_MAX), static_cast<uint32_t>(data >> 32),
                       from_epoll(events[static_cast<size_t>(i)].events)});
  }
}

void Poller::dispatch() {
  for (const Event& event : events_) {
    Watch* watch = find(event.fd);
    if (watch == nullptr || watch->generation != event.generation) continue;
    watch->watcher->on_ready(event.fd, event.readiness);
  }
  events_.clear();
}

Poller::Watch* Poller::find(int fd) { return is_watched(fd) ? &watches_[static_cast<size_t>(fd)] : nullptr; }

void Poller::apply(int fd, Watch& watch) {
  epoll_event event{};
  event.events = to_epoll(watch.interest);
  event.data.u64 = static_cast<uint64_t>(watch.generation) << 32 | static_cast<uint32_t>(fd);
  int operation = watch.is_in_kernel ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  int result = epoll_ctl(epoll_.get(), operation, fd, &event);
  // libcurl and c-ares may close a descriptor and open another of the same number without a word to us
  // (docs/curl-notes.md 3.5): then the kernel's list and ours differ, and the other operation is right.
  if (result < 0 && (errno == ENOENT || errno == EEXIST)) {
    operation = errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    result = epoll_ctl(epoll_.get(), operation, fd, &event);
  }
  watch.is_in_kernel = result == 0;
  watch.registered = watch.interest;
}

}  // namespace hc
