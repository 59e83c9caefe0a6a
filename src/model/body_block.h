#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fork.h"

namespace hc {

/// Memory for bodies, between one piece and the next: given back to malloc it would go on to the system, and each
/// page that comes again costs as much as the bytes in it.
///
/// Rules: any thread. As much is kept as the streams need that run, and nothing when none does.
class BlockPool {
 public:
  static constexpr size_t kBlock = 65536;

  /// A stream that runs.
  class Stream {
   public:
    explicit Stream(std::shared_ptr<BlockPool> pool) : pool_(std::move(pool)) { pool_->count_streams(1); }
    ~Stream() { end(); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    void end() {
      if (std::exchange(is_running_, false)) pool_->count_streams(-1);
    }
    const std::shared_ptr<BlockPool>& pool() const { return pool_; }

   private:
    std::shared_ptr<BlockPool> pool_;
    bool is_running_ = true;
  };

  /// kBlock bytes.
  std::unique_ptr<char[]> take();
  void give(std::unique_ptr<char[]> bytes);
  size_t kept();

 private:
  static constexpr size_t kKeptForEach = 8;
  static constexpr size_t kMostKept = 256;

  void count_streams(int change);
  size_t limit_locked() const { return std::min(streams_ * kKeptForEach, kMostKept); }

  const ForkGuard made_in_;
  std::mutex mutex_;
  size_t streams_ = 0;
  std::vector<std::unique_ptr<char[]>> free_;  // the last one in is the first one out: it is in the cache
};

/// Memory with a piece of a body. One owner at a time: the pipe, and then whoever takes it.
class BodyBlock {
 public:
  BodyBlock(size_t capacity, std::shared_ptr<BlockPool> pool);
  ~BodyBlock();
  BodyBlock(const BodyBlock&) = delete;
  BodyBlock& operator=(const BodyBlock&) = delete;

  size_t room() const { return capacity_ - end_; }
  void append(std::string_view bytes);
  /// What nobody has read yet.
  std::string_view unread() const { return {bytes_.get() + begin_, end_ - begin_}; }
  void skip(size_t count) { begin_ += count; }

 private:
  const std::shared_ptr<BlockPool> pool_;
  const size_t capacity_;
  std::unique_ptr<char[]> bytes_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace hc
