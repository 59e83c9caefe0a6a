#include "base/block_region.h"

#include <sys/mman.h>

#include <algorithm>

#include "base/check.h"

namespace hc {

BlockRegion::BlockRegion(size_t block_size, size_t most)
    : block_size_(block_size), pitch_((block_size + kSpread * kLine + kPage - 1) / kPage * kPage) {
  // Without access it does not count as memory that somebody was promised.
  void* place = mmap(nullptr, pitch_ * most, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) return;
  madvise(place, pitch_ * most, MADV_NOHUGEPAGE);  // one of these would give memory to a hundred blocks
  base_ = static_cast<char*>(place);
  end_ = pitch_ * most;
  free_.reserve(most);
}

BlockRegion::~BlockRegion() {
  if (base_ != nullptr) munmap(base_, end_);
}

void* BlockRegion::take() noexcept {
  if (made_in_.is_inherited()) return nullptr;
  std::lock_guard lock(mutex_);
  if (!free_.empty()) {
    uint32_t number = free_.back();
    free_.pop_back();
    released_ = std::min(released_, free_.size());
    return at(number);
  }
  if (fresh_ == accessible_ && !make_accessible()) return nullptr;
  return at(fresh_++);
}

bool BlockRegion::make_accessible() noexcept {
  size_t begin = accessible_ * pitch_;
  size_t more = std::min(kStep * pitch_, end_ - begin);
  if (more == 0 || mprotect(base_ + begin, more, PROT_READ | PROT_WRITE) != 0) return false;
  accessible_ += static_cast<uint32_t>(more / pitch_);
  return true;
}

void BlockRegion::give(void* block) noexcept {
  if (made_in_.is_inherited()) return;
  auto number = static_cast<uint32_t>(static_cast<size_t>(static_cast<char*>(block) - base_) / pitch_);
  HC_CHECK(block == at(number));
  std::lock_guard lock(mutex_);
  free_.push_back(number);
}

void BlockRegion::release_one() noexcept {
  if (made_in_.is_inherited()) return;
  std::lock_guard lock(mutex_);
  if (released_ < free_.size()) madvise(pages(free_[released_++]), pitch_, MADV_DONTNEED);
}

}  // namespace hc
