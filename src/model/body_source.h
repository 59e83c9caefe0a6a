#pragma once

#include <hc/hc.h>

#include <cstddef>

#include "base/status.h"
#include "base/user_call.h"

namespace hc {

/// Where the bytes of a request body come from that is not in memory. On the loop thread; read() inside libcurl, so that
/// the bytes go straight to where it sends them from.
class BodySource {
 public:
  virtual ~BodySource() = default;

  /// HC_OK with a count of 0 is the end; HC_E_AGAIN: not yet, somebody will resume the upload. Anything else ends the
  /// request.
  Status read(char* buffer, size_t capacity, size_t* count) {
    has_begun_ = true;
    return do_read(buffer, capacity, count);
  }
  /// Back to the beginning, for another try or hop.
  Status rewind() {
    if (!has_begun_) return Status::ok();
    has_begun_ = false;
    return do_rewind();
  }
  /// Whether rewind() can do it.
  bool can_repeat() const { return !has_begun_ || can_rewind(); }
  /// HC_UNSET: not known.
  uint64_t length() const { return length_; }

 protected:
  explicit BodySource(uint64_t length) : length_(length) {}
  virtual Status do_read(char* buffer, size_t capacity, size_t* count) = 0;
  virtual Status do_rewind() = 0;
  virtual bool can_rewind() const = 0;

 private:
  const uint64_t length_;
  bool has_begun_ = false;
};

/// Calls the caller's finalizer once, if the request was accepted: on the loop thread, to which it belongs from then on.
class BodyRelease {
 public:
  BodyRelease(hc_release_fn callback, void* user_data) : callback_(callback), user_data_(user_data) {}
  ~BodyRelease() {
    if (is_armed_) call_in_turn([this] { callback_(user_data_); });
  }
  BodyRelease(const BodyRelease&) = delete;
  BodyRelease& operator=(const BodyRelease&) = delete;
  void arm() { is_armed_ = true; }

 private:
  hc_release_fn callback_;
  void* user_data_;
  bool is_armed_ = false;
};

}  // namespace hc
