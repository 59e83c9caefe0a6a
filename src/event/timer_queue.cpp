#include "event/timer_queue.h"

#include <algorithm>

#include "base/check.h"

namespace hc {

Timer::~Timer() {
  if (queue_ != nullptr) queue_->disarm(*this);
}

TimerQueue::~TimerQueue() { HC_CHECK(heap_.empty()); }

void TimerQueue::arm(Timer& timer, TimePoint due) {
  if (timer.queue_ != nullptr) {
    if (timer.due_ == due) return;
    disarm(timer);
  }
  if (due == kNever) return;
  timer.queue_ = this;
  timer.due_ = due;
  heap_.push_back({due, &timer});
  rise(heap_.size() - 1, {due, &timer});
}

void TimerQueue::disarm(Timer& timer) {
  if (timer.queue_ == nullptr) return;
  HC_CHECK(timer.queue_ == this);
  timer.queue_ = nullptr;
  if (timer.place_ < heap_.size() && heap_[timer.place_].timer == &timer) {
    remove_at(timer.place_);
    return;
  }
  // It is in the batch that expire() is firing right now.
  HC_CHECK(ready_[timer.place_] == &timer);
  ready_[timer.place_] = nullptr;
}

void TimerQueue::expire(TimePoint now) {
  while (!heap_.empty() && heap_.front().due <= now) {
    Timer* timer = heap_.front().timer;
    remove_at(0);
    timer->place_ = ready_.size();
    ready_.push_back(timer);
  }
  for (size_t i = 0; i < ready_.size(); ++i) {
    Timer* timer = ready_[i];
    if (timer == nullptr) continue;
    ready_[i] = nullptr;
    timer->queue_ = nullptr;
    timer->on_timer(now);
  }
  ready_.clear();
}

void TimerQueue::put(size_t place, Entry entry) {
  heap_[place] = entry;
  entry.timer->place_ = place;
}

void TimerQueue::rise(size_t place, Entry entry) {
  while (place > 0) {
    size_t parent = (place - 1) / kArity;
    if (heap_[parent].due <= entry.due) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, entry);
}

void TimerQueue::sink(size_t place, Entry entry) {
  for (;;) {
    size_t first = place * kArity + 1;
    if (first >= heap_.size()) break;
    size_t last = std::min(first + kArity, heap_.size());
    size_t least = first;
    for (size_t child = first + 1; child < last; ++child) {
      if (heap_[child].due < heap_[least].due) least = child;
    }
    if (heap_[least].due >= entry.due) break;
    put(place, heap_[least]);
    place = least;
  }
  put(place, entry);
}

void TimerQueue::remove_at(size_t place) {
  Entry last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  if (place > 0 && heap_[(place - 1) / kArity].due > last.due) {
    rise(place, last);
  } else {
    sink(place, last);
  }
}

}  // namespace hc
