#include "serve/event_loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <future>
#include <utility>

namespace hc::serve {

namespace {

// To fall asleep and be woken costs more, here and at the client, than a small answer. So a loop that had much to
// do since it last slept looks for more first, for about 50 us: `wrk -c 64` then finds it asleep for one request of
// thirty to a hundred, and not of ten.
constexpr std::uint64_t kMuch = 16;
constexpr int kLooks = 300;

}  // namespace

EventLoop::EventLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      now_(std::chrono::steady_clock::now()) {
  if (!epoll_ || !wake_) throw_errno("epoll_create1 or eventfd");
  watch(wake_.get(), EPOLLIN, nullptr);
}

EventLoop::~EventLoop() { stop(); }

void EventLoop::start() {
  quit_ = false;
  // The thread inherits the mask: with everything blocked, signals go to the program's own threads, and a
  // write to a dead peer inside OpenSSL raises no SIGPIPE.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void EventLoop::stop() {
  if (!running()) return;
  call([this] { quit_ = true; });
  thread_.join();
}

void EventLoop::call(const std::function<void()>& task) {
  if (!running() || std::this_thread::get_id() == thread_.get_id()) return task();
  std::promise<void> done;
  {
    const std::lock_guard lock(mutex_);
    tasks_.emplace_back([&] {
      task();
      done.set_value();
    });
  }
  wake();
  done.get_future().wait();
}

void EventLoop::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void EventLoop::watch(int fd, std::uint32_t events, EventTarget* target) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = target;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl");
}

void EventLoop::change(int fd, std::uint32_t events, EventTarget* target) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = target;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::unwatch(int fd) {
  if (fd >= 0) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::run() {
  now_ = std::chrono::steady_clock::now();
  while (!quit_) run_turn();
}

int EventLoop::wait(std::span<epoll_event> events) {
  const int capacity = static_cast<int>(events.size());
  const int looks = done_since_sleep_ >= kMuch ? kLooks : 1;
  for (int look = 0; look < looks; ++look) {
    const int count = epoll_wait(epoll_.get(), events.data(), capacity, 0);
    if (count <= 0) continue;
    done_since_sleep_ += static_cast<std::uint64_t>(count);
    return count;
  }
  done_since_sleep_ = 0;
  return epoll_wait(epoll_.get(), events.data(), capacity, wait_timeout());
}

void EventLoop::run_turn() {
  std::array<epoll_event, 128> events;
  const int count = wait(events);
  now_ = std::chrono::steady_clock::now();
  bool woken = false;
  for (int i = 0; i < count; ++i) {
    auto* target = static_cast<EventTarget*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (target == nullptr) {
      woken = true;
      continue;
    }
    target->on_event(events[static_cast<std::size_t>(i)].events);
  }
  run_timers();
  if (woken) run_tasks();
  if (end_of_turn_) end_of_turn_();
}

void EventLoop::run_tasks() {
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto read = ::read(wake_.get(), &ignored, sizeof ignored);
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (auto& task : tasks) task();
}

int EventLoop::wait_timeout() const {
  if (heap_.empty()) return -1;
  const auto left =
      std::chrono::ceil<Milliseconds>(heap_.front()->deadline_ - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<Milliseconds::rep>(left.count(), 0, INT_MAX));
}

void EventLoop::run_timers() {
  while (!heap_.empty() && heap_.front()->deadline_ <= now_) {
    Timer* timer = heap_.front();
    disarm(*timer);
    timer->action_();
  }
}

void EventLoop::arm(Timer& timer, TimePoint deadline) {
  disarm(timer);
  timer.deadline_ = deadline;
  heap_.push_back(&timer);
  place(heap_.size() - 1, &timer);
  sift_up(timer.heap_index_);
}

void EventLoop::disarm(Timer& timer) {
  if (!timer.armed()) return;
  const std::size_t index = std::exchange(timer.heap_index_, Timer::kNotArmed);
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(index, last);
  sift_up(index);
  sift_down(last->heap_index_);
}

void EventLoop::place(std::size_t index, Timer* timer) {
  heap_[index] = timer;
  timer->heap_index_ = index;
}

void EventLoop::sift_up(std::size_t index) {
  Timer* timer = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->deadline_ <= timer->deadline_) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, timer);
}

void EventLoop::sift_down(std::size_t index) {
  Timer* timer = heap_[index];
  while (true) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->deadline_ < heap_[child]->deadline_) ++child;
    if (timer->deadline_ <= heap_[child]->deadline_) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, timer);
}

}  // namespace hc::serve
