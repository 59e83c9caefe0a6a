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
constexpr size_t kBlock = 65536;

size_t block_size(size_t piece, uint64_t unread) {
  if (piece <= kSmallBlock && unread == 0) return kSmallBlock;
  return std::max(piece, kBlock);
}

}  // namespace

void BodyBlock::append(std::string_view bytes) {
  std::memcpy(bytes_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

BodyPipe::Put BodyPipe::put(std::string_view bytes) {
  std::lock_guard lock(mutex_);
  if (is_abandoned_) return Put::kTaken;
  if (unread_ >= window_) {
    is_full_ = true;
    return Put::kFull;
  }
  if (ready_.empty() || ready_.back()->room() < bytes.size()) {
    bool fits = spare_ != nullptr && spare_->room() >= bytes.size();
    ready_.push_back(fits ? std::move(spare_)
                          : std::make_unique<BodyBlock>(block_size(bytes.size(), unread_)));
  }
  ready_.back()->append(bytes);
  unread_ += bytes.size();
  changed_.notify_one();
  return std::exchange(is_wanted_, false) ? Put::kTakenAndWanted : Put::kTaken;
}

void BodyPipe::end(Status status, const hc_timing& timing) {
  std::lock_guard lock(mutex_);
  has_ended_ = true;
  status_ = std::move(status);
  timing_ = timing;
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
  on_read(done, front_->unread().empty() ? std::move(front_) : nullptr);
  *count = done;
  return Status::ok();
}

Status BodyPipe::take(std::unique_ptr<BodyBlock>* block) {
  if (front_ == nullptr) {
    std::lock_guard lock(mutex_);
    front_ = next_block_locked();
    if (front_ == nullptr) return nothing_here_locked();
  }
  on_read(front_->unread().size(), nullptr);
  *block = std::move(front_);
  return Status::ok();
}

void BodyPipe::on_read(size_t count, std::unique_ptr<BodyBlock> used) {
  bool must_tell = false;
  {
    std::lock_guard lock(mutex_);
    unread_ -= count;
    if (used != nullptr) {
      used->clear();
      spare_.swap(used);
    }
    if (is_full_ && unread_ <= window_ / 2) {
      is_full_ = false;
      must_tell = true;
    }
  }
  if (!must_tell) return;
  if (auto owner = owner_.lock()) owner->on_body_room(id_);
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
  std::deque<std::unique_ptr<BodyBlock>> dropped;  // freed outside the lock
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
  std::lock_guard lock(mutex_);
  return status_;
}

bool BodyPipe::final_timing(hc_timing* out) {
  std::lock_guard lock(mutex_);
  if (has_ended_) *out = timing_;
  return has_ended_;
}

}  // namespace hc
