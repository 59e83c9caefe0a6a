#include "model/body_block.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hc {

std::unique_ptr<char[]> BlockPool::take() {
  {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      std::unique_ptr<char[]> bytes = std::move(free_.back());
      free_.pop_back();
      return bytes;
    }
  }
  return std::make_unique_for_overwrite<char[]>(kBlock);
}

void BlockPool::give(std::unique_ptr<char[]> bytes) {
  if (made_in_.is_inherited()) return;  // its lock may be held for ever
  std::lock_guard lock(mutex_);
  if (free_.size() < limit_locked()) free_.push_back(std::move(bytes));
}

size_t BlockPool::kept() {
  std::lock_guard lock(mutex_);
  return free_.size();
}

void BlockPool::count_streams(int change) {
  if (made_in_.is_inherited()) return;
  std::vector<std::unique_ptr<char[]>> surplus;  // freed outside the lock
  std::lock_guard lock(mutex_);
  streams_ += static_cast<size_t>(change);
  while (free_.size() > limit_locked()) {
    surplus.push_back(std::move(free_.back()));
    free_.pop_back();
  }
}

BodyBlock::BodyBlock(size_t capacity, std::shared_ptr<BlockPool> pool)
    : pool_(std::move(pool)),
      capacity_(capacity),
      bytes_(capacity == BlockPool::kBlock ? pool_->take()
                                           : std::make_unique_for_overwrite<char[]>(capacity)) {}

BodyBlock::~BodyBlock() {
  if (capacity_ == BlockPool::kBlock) pool_->give(std::move(bytes_));
}

void BodyBlock::append(std::string_view bytes) {
  std::memcpy(bytes_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

}  // namespace hc
