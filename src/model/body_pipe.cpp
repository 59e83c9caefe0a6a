#include "model/body_pipe.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/clock.h"

namespace hc {
namespace {

// A body that is one small piece gets no more memory than it needs; one that goes on gets blocks which are worth a
// system call of the reader each.
constexpr size_t kSmallBlock = 4096;
// Nearly one of unread bytes, and a read of two.
constexpr uint64_t kMostWindows = 3;

size_t block_size(size_t piece, uint64_t waiting) {
  if (piece <= kSmallBlock && waiting == 0) return kSmallBlock;
  return std::max(piece, BlockPool::kBlock);
}

}  // namespace

BodyPipe::Put BodyPipe::put(std::string_view bytes) {
  if (is_abandoned_.load(std::memory_order_relaxed)) return Put::kTaken;
  if (waiting() >= kMostWindows * window_) {
    is_held_ = true;
    return Put::kFull;
  }
  block_for(bytes.size()).append(bytes);
  gathered_bytes_ += bytes.size();
  if (waiting() < window_) return Put::kTaken;
  is_held_ = true;
  return Put::kTakenAndHold;
}

BodyBlock& BodyPipe::block_for(size_t piece) {
  if (gathered_.empty() || gathered_.back()->room() < piece) {
    gathered_.push_back(std::make_unique<BodyBlock>(block_size(piece, waiting()), stream_.pool()));
  }
  return *gathered_.back();
}

bool BodyPipe::publish() {
  bool is_wanted = false;
  bool has_room = false;
  {
    std::lock_guard lock(mutex_);
    move_gathered_locked();
    if (!ready_.empty()) is_wanted = std::exchange(is_wanted_, false);
    is_full_ = std::exchange(is_held_, false) || is_full_;
    has_room = found_room_locked();
  }
  changed_.notify_one();
  if (has_room) tell_of_room();
  return is_wanted;
}

bool BodyPipe::found_room_locked() {
  if (!is_full_ || unread_ > window_ / 2) return false;
  is_full_ = false;
  return true;
}

void BodyPipe::tell_of_room() {
  if (auto owner = owner_.lock()) owner->on_body_room(id_);
}

// Small pieces of several turns share a block, so that what is unread never takes much more memory than its bytes.
void BodyPipe::move_gathered_locked() {
  uint64_t bytes = std::exchange(gathered_bytes_, 0);
  if (!is_abandoned_) {
    unread_ += bytes;
    for (std::unique_ptr<BodyBlock>& block : gathered_) {
      if (!ready_.empty() && ready_.back()->room() >= block->unread().size()) {
        ready_.back()->append(block->unread());
      } else {
        ready_.push_back(std::move(block));
      }
    }
  }
  gathered_.clear();
}

void BodyPipe::end(Status status, const hc_timing& timing) {
  stream_.end();
  {
    std::lock_guard lock(mutex_);
    move_gathered_locked();
    has_ended_ = true;
    status_ = std::move(status);
    timing_ = timing;
  }
  changed_.notify_all();
}

std::unique_ptr<BodyBlock> BodyPipe::next_block_locked() {
  if (ready_.empty()) return nullptr;
  std::unique_ptr<BodyBlock> block = std::move(ready_.front());
  ready_.pop_front();
  return block;
}

Status BodyPipe::nothing_here_locked() {
  if (has_ended_) return status_;
  is_wanted_ = true;
  return {HC_E_AGAIN, "no bytes are here yet"};
}

Status BodyPipe::read(char* buffer, size_t capacity, size_t* count) {
  if (front_ == nullptr) {
    std::lock_guard lock(mutex_);
    front_ = next_block_locked();
    if (front_ == nullptr) {
      Status status = nothing_here_locked();
      if (status.is_ok()) *count = 0;
      return status;
    }
  }
  size_t done = std::min(capacity, front_->unread().size());
  std::memcpy(buffer, front_->unread().data(), done);
  front_->skip(done);
  if (front_->unread().empty()) front_.reset();
  on_read(done);
  *count = done;
  return Status::ok();
}

Status BodyPipe::take(std::unique_ptr<BodyBlock>* block) {
  if (front_ == nullptr) {
    std::lock_guard lock(mutex_);
    front_ = next_block_locked();
    if (front_ == nullptr) return nothing_here_locked();
  }
  on_read(front_->unread().size());
  *block = std::move(front_);
  return Status::ok();
}

void BodyPipe::on_read(size_t count) {
  bool has_room = false;
  {
    std::lock_guard lock(mutex_);
    unread_ -= count;
    has_room = found_room_locked();
  }
  if (has_room) tell_of_room();
}

bool BodyPipe::wait(uint64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  auto has_news = [this] { return front_ != nullptr || !ready_.empty() || has_ended_; };
  // Beyond that, adding it to the time of day would overflow inside wait_for().
  constexpr uint64_t kLongestWaitMs = 1000ULL * 3600 * 24 * 365 * 100;
  if (timeout_ms > kLongestWaitMs) {
    changed_.wait(lock, has_news);
    return true;
  }
  return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), has_news);
}

void BodyPipe::abandon() {
  Blocks dropped;  // freed outside the lock
  {
    std::lock_guard lock(mutex_);
    is_abandoned_ = true;
    is_full_ = false;
    unread_ = 0;
    dropped.swap(ready_);
    if (has_ended_) return;
  }
  if (auto owner = owner_.lock()) owner->on_body_abandoned(id_);
}

Status BodyPipe::status() {
  if (is_inherited()) return {HC_E_FORKED, "response: belongs to the parent process"};
  std::lock_guard lock(mutex_);
  return status_;
}

Code BodyPipe::code() noexcept {
  if (is_inherited()) return HC_E_FORKED;
  std::lock_guard lock(mutex_);
  return status_.code();
}

bool BodyPipe::final_timing(hc_timing* out) {
  if (is_inherited()) return false;
  std::lock_guard lock(mutex_);
  if (has_ended_) *out = timing_;
  return has_ended_;
}

}  // namespace hc
