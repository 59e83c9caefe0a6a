#include "engine/completion.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/clock.h"

namespace hc {
namespace {

int to_poll_timeout(TimePoint end, TimePoint now) {
  if (end == kNever) return -1;
  Duration left = std::max<Duration>(end - now, 0);
  return static_cast<int>(std::min<Duration>((left + kMillisecond - 1) / kMillisecond, INT_MAX));
}

}  // namespace

hc_completion to_c(Completion& completion) {
  hc_completion item{};
  item.id = completion.id;
  item.user_data = completion.user_data;
  item.kind = completion.kind;
  item.status = completion.status;
  item.http_status = item.status == HC_OK ? completion.http_status : 0;
  if (completion.response == nullptr) return item;
  std::string_view body = completion.response->body();
  item.body = {body.data(), body.size()};
  item.response = to_handle(completion.response.release());
  return item;
}

Status CompletionQueue::create(std::shared_ptr<CompletionQueue>* out) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
    return Status::system("socketpair", errno);
  }
  auto queue = std::make_shared<CompletionQueue>();
  queue->readable_.reset(pair[0]);
  queue->writable_.reset(pair[1]);
  *out = std::move(queue);
  return Status::ok();
}

void CompletionQueue::push(std::vector<Completion>& batch) {
  std::vector<Completion> dropped;  // freed outside the lock
  bool must_signal = false;
  {
    std::lock_guard lock(mutex_);
    if (is_closed()) {
      dropped.swap(batch);
      return;
    }
    if (ready_.empty()) {
      ready_.swap(batch);
    } else {
      std::move(batch.begin(), batch.end(), std::back_inserter(ready_));
    }
    must_signal = !is_readable();
    is_signalled_ = true;
  }
  batch.clear();
  // Outside the lock, which the drainer wants as soon as it wakes. If it was faster and took everything, it wakes once
  // for nothing and reads the byte then.
  if (must_signal) signal();
}

size_t CompletionQueue::drain(size_t capacity, const std::function<void(Completion)>& take) {
  std::lock_guard lock(mutex_);
  size_t count = std::min(capacity, size());
  for (size_t i = 0; i < count; ++i) take(std::move(ready_[taken_ + i]));
  taken_ += count;
  if (taken_ > ready_.size() / 2 && taken_ < ready_.size()) {
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<ptrdiff_t>(taken_));
    taken_ = 0;
  }
  if (taken_ == ready_.size()) {
    ready_.clear();
    taken_ = 0;
    clear_signal();
  } else if (!is_readable()) {
    is_signalled_ = true;
    signal();
  }
  return count;
}

size_t CompletionQueue::wait(uint64_t timeout_ms) {
  SystemClock clock;
  TimePoint end = timeout_ms == HC_FOREVER ? kNever : later(clock.now(), from_ms(timeout_ms));
  for (bool has_woken = false;; has_woken = true) {
    {
      std::lock_guard lock(mutex_);
      if (size() > 0 || is_closed()) return size();
      if (has_woken) clear_signal();  // a byte that came after its completions were taken; see push()
    }
    TimePoint now = clock.now();
    if (now >= end) return 0;
    pollfd ready{readable_.get(), POLLIN, 0};
    poll(&ready, 1, to_poll_timeout(end, now));
  }
}

void CompletionQueue::add_listener(uint64_t number, std::weak_ptr<QueueListener> listener) {
  {
    std::lock_guard lock(mutex_);
    last_listener_.store(number, std::memory_order_relaxed);
    if (listeners_.contains(number)) return;
    if (!is_closed()) {
      std::erase_if(listeners_, [](const auto& entry) { return entry.second.expired(); });
      listeners_.emplace(number, std::move(listener));
      return;
    }
  }
  if (auto alive = listener.lock()) alive->on_queue_closed();
}

void CompletionQueue::close() {
  std::vector<Completion> dropped;  // freed outside the lock
  std::map<uint64_t, std::weak_ptr<QueueListener>> listeners;
  {
    std::lock_guard lock(mutex_);
    is_closed_.store(true, std::memory_order_release);
    dropped.swap(ready_);
    taken_ = 0;
    listeners.swap(listeners_);
    readable_.reset();
  }
  for (auto& [number, listener] : listeners) {
    if (auto alive = listener.lock()) alive->on_queue_closed();
  }
}

size_t CompletionQueue::size() { return ready_.size() - taken_; }

// writable_ lives as long as the object, so that no loop writes into somebody else's descriptor.
void CompletionQueue::signal() {
  char byte = 1;
  [[maybe_unused]] ssize_t sent = send(writable_.get(), &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Somebody may have read the descriptor by hand, or the byte is still on its way: one too many does no harm.
bool CompletionQueue::is_readable() const {
  char byte = 0;
  return is_signalled_ && recv(readable_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

void CompletionQueue::clear_signal() {
  char bytes[16];
  [[maybe_unused]] ssize_t got = read(readable_.get(), bytes, sizeof bytes);
  is_signalled_ = false;
}

}  // namespace hc
