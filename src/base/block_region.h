#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/fork.h"

namespace hc {

/// Blocks of one size in a place of their own, so that they leave no holes between small ones that stay for long.
///
/// Rules: any thread. The last one in is the first one out, because it is warm. Each has pages of its own; a free one keeps
/// its memory until release_one() is called as often. Their beginnings are spread over the lines of a cache, which would
/// find all pages' beginnings in one place. A child of a fork gets none, for the lock may be held for ever.
class BlockRegion {
 public:
  /// Reserves addresses for `most` blocks and memory for none. Without addresses it has no blocks.
  BlockRegion(size_t block_size, size_t most);
  ~BlockRegion();
  BlockRegion(const BlockRegion&) = delete;
  BlockRegion& operator=(const BlockRegion&) = delete;

  /// What fits into each.
  size_t block_size() const { return block_size_; }
  /// Where its addresses begin and end.
  uintptr_t begin() const { return reinterpret_cast<uintptr_t>(base_); }
  uintptr_t end() const { return begin() + end_; }
  bool contains(const void* block) const { return reinterpret_cast<uintptr_t>(block) - begin() < end_; }

  /// nullptr when there is none. Its contents are whatever the last owner left.
  void* take() noexcept;
  /// Of this region.
  void give(void* block) noexcept;
  /// Gives the memory of the free block that was used longest ago back to the system, if one has any.
  void release_one() noexcept;

 private:
  static constexpr size_t kPage = 4096;
  static constexpr size_t kLine = 64;
  static constexpr size_t kSpread = 32;  // in lines
  static constexpr size_t kStep = 64;    // blocks that are made accessible at one time

  char* pages(uint32_t number) const { return base_ + number * pitch_; }
  char* at(uint32_t number) const { return pages(number) + number % kSpread * kLine; }
  bool make_accessible() noexcept;

  const size_t block_size_;
  const size_t pitch_;  // from one's pages to the next one's
  char* base_ = nullptr;
  size_t end_ = 0;  // in bytes, from base_
  const ForkGuard made_in_;

  std::mutex mutex_;            // guards what follows
  std::vector<uint32_t> free_;  // never grows: its capacity is that of the region
  size_t released_ = 0;         // of free_, from its cold end
  uint32_t fresh_ = 0;          // the first one that was never taken
  uint32_t accessible_ = 0;     // the first one that cannot be
};

}  // namespace hc
