#pragma once

#include <hc/hc.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/fork.h"
#include "base/status.h"

namespace hc {

/// Memory with a piece of a body. One owner at a time: the pipe, and then whoever takes it.
class BodyBlock {
 public:
  explicit BodyBlock(size_t capacity)
      : bytes_(std::make_unique_for_overwrite<char[]>(capacity)), capacity_(capacity) {}

  size_t room() const { return capacity_ - end_; }
  void append(std::string_view bytes);
  /// What nobody has read yet.
  std::string_view unread() const { return {bytes_.get() + begin_, end_ - begin_}; }
  void skip(size_t count) { begin_ += count; }
  void clear() { begin_ = end_ = 0; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t capacity_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

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
/// Rules: put() and end() belong to the loop thread, the rest to one reader at a time. The window bounds what is
/// unread; one piece may reach beyond it, since libcurl's pieces cannot be split without copying them twice. When the
/// pipe has been full, the owner hears of room once half of the window is free: at each byte it would be a wake-up a
/// read.
class BodyPipe {
 public:
  BodyPipe(uint64_t window, std::weak_ptr<StreamOwner> owner, hc_id id)
      : window_(window), owner_(std::move(owner)), id_(id) {}

  enum class Put : uint8_t {
    kTaken,
    kTakenAndWanted,  // the reader had found nothing before: tell it
    kFull,            // not taken; on_body_room() follows
  };
  Put put(std::string_view bytes);
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

  /// What the request came to; ok while it runs.
  Status status();
  /// False while the request runs.
  bool final_timing(hc_timing* out);
  /// Made by a parent process: its lock may be held for ever.
  bool is_inherited() const { return made_in_.is_inherited(); }

 private:
  std::unique_ptr<BodyBlock> next_block_locked();
  Status nothing_here_locked();
  void on_read(size_t count, std::unique_ptr<BodyBlock> used);

  const uint64_t window_;
  const std::weak_ptr<StreamOwner> owner_;
  const hc_id id_;
  const ForkGuard made_in_;

  std::unique_ptr<BodyBlock> front_;  // the reader's: begun

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::unique_ptr<BodyBlock>> ready_;
  std::unique_ptr<BodyBlock> spare_;  // so that a steady reader costs no allocation
  uint64_t unread_ = 0;               // front_ included
  bool is_wanted_ = false;            // the reader found nothing
  bool is_full_ = false;              // put() has said so
  bool is_abandoned_ = false;
  bool has_ended_ = false;
  Status status_;
  hc_timing timing_{};
};

}  // namespace hc
