#pragma once

#include <hc/hc.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/fork.h"
#include "base/status.h"
#include "model/body_block.h"

namespace hc {

/// Who hears what the reader of a body did. Called from any thread.
class StreamOwner {
 public:
  virtual ~StreamOwner() = default;
  /// The reader of a full pipe has made room.
  virtual void on_body_room(hc_id id) = 0;
  /// Nobody will read any more.
  virtual void on_body_abandoned(hc_id id) = 0;
};

/// The body of a streamed response on its way from the loop to its reader.
///
/// Rules: put(), publish() and end() belong to the loop thread, the rest to one reader at a time. What is put is gathered
/// without a lock; the reader finds it, and is woken, with the next publish(): not once for each of libcurl's pieces, but
/// at the end of a turn of the loop, and when it has_much() in the middle of one, so that the reader works while the loop
/// reads on. Once the window is full the connection should not be read; what libcurl had taken from it by then, a read of
/// at most twice the window, still fits. After a publish() the owner hears of room when half of the window is free: at
/// each byte it would be a wake-up a read.
class BodyPipe {
 public:
  BodyPipe(uint64_t window, std::shared_ptr<BlockPool> blocks, std::weak_ptr<StreamOwner> owner, hc_id id)
      : window_(window), stream_(std::move(blocks)), owner_(std::move(owner)), id_(id) {}

  enum class Put : uint8_t {
    kTaken,
    kTakenAndHold,  // the window is full: stop, on_body_room() follows
    kFull,          // not taken, and the same
  };
  Put put(std::string_view bytes);
  /// The reader gets what was put. True: it had found nothing before, tell it.
  bool publish();
  /// So much was put that the turn's end is late for it.
  bool has_much() const { return gathered_bytes_ >= std::min(window_ - window_ / 4, kMuch); }
  /// The same for a reader on the loop's own thread, who finds a block in the cache that was just written, and leaves it
  /// there for the next bytes.
  bool has_block() const { return gathered_bytes_ >= std::min(window_ - window_ / 4, kBlockful); }
  /// Nothing more will come, for this reason.
  void end(Status status, const hc_timing& timing);

  /// Copies up to `capacity` bytes. HC_OK with 0 is the end of a whole body; HC_E_AGAIN: nothing is here yet.
  Status read(char* buffer, size_t capacity, size_t* count);
  /// The same without copying; nullptr at the end.
  Status take(std::unique_ptr<BodyBlock>* block);
  /// Waits until read() has something to say. False: `timeout_ms` passed.
  bool wait(uint64_t timeout_ms);
  /// The reader is gone.
  void abandon();

  /// What the request came to; ok while it runs. HC_E_FORKED in a child process.
  Status status();
  /// Its code alone, which takes no memory.
  Code code() noexcept;
  /// False while the request runs, and in a child process.
  bool final_timing(hc_timing* out);
  /// Made by a parent process: its lock may be held for ever.
  bool is_inherited() const { return made_in_.is_inherited(); }

 private:
  static constexpr uint64_t kMuch = 384 << 10;
  static constexpr uint64_t kBlockful = 48 << 10;  // libcurl's next piece may not fit into the block

  using Blocks = std::deque<std::unique_ptr<BodyBlock>>;

  uint64_t waiting() const { return unread_.load(std::memory_order_relaxed) + gathered_bytes_; }
  BodyBlock& block_for(size_t piece);
  void move_gathered_locked();
  bool found_room_locked();
  void tell_of_room();
  std::unique_ptr<BodyBlock> next_block_locked();
  Status nothing_here_locked();
  void on_read(size_t count);

  const uint64_t window_;
  BlockPool::Stream stream_;
  const std::weak_ptr<StreamOwner> owner_;
  const hc_id id_;
  const ForkGuard made_in_;

  // The loop's.
  Blocks gathered_;
  uint64_t gathered_bytes_ = 0;
  bool is_held_ = false;  // put() has said so since the last publish()

  std::unique_ptr<BodyBlock> front_;  // the reader's: begun

  std::atomic<bool> is_abandoned_{false};
  std::atomic<uint64_t> unread_{0};  // published, front_ included; changed under the lock

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Blocks ready_;
  bool is_wanted_ = false;  // the reader found nothing
  bool is_full_ = false;    // the owner waits for room
  bool has_ended_ = false;
  Status status_;
  hc_timing timing_{};
};

}  // namespace hc
