// A request body that a callback gives.
#pragma once

#include <hc/hc.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <utility>

namespace hc::test {

/// A body that a callback gives: so much of a pattern, in pieces, with "not yet" where the test wants it.
class Source {
 public:
  explicit Source(std::string bytes, size_t piece = 100'000) : bytes_(std::move(bytes)), piece_(piece) {}

  void attach(hc_request& request) {
    request.body_kind = HC_BODY_PULLED;
    request.on_body = on_body;
    request.on_release = on_release;
    request.body_data = this;
  }
  static hc_status rewind(void* self) {
    static_cast<Source*>(self)->next_ = 0;
    ++static_cast<Source*>(self)->rewinds;
    return HC_OK;
  }
  /// Says "not yet" at this place until somebody allows it to go on.
  void hold_at(size_t place) { held_at_ = place; }
  void go_on() { held_at_ = SIZE_MAX; }
  void fail_at(size_t place) { fails_at_ = place; }

  std::atomic<int> rewinds{0};
  std::atomic<int> not_yet{0};
  std::atomic<int> releases{0};

 private:
  static hc_status on_body(void* buffer, size_t capacity, size_t* count, void* self) {
    return static_cast<Source*>(self)->give(static_cast<char*>(buffer), capacity, count);
  }
  static void on_release(void* self) { ++static_cast<Source*>(self)->releases; }
  hc_status give(char* buffer, size_t capacity, size_t* count) {
    if (next_ >= fails_at_) return 42;
    if (next_ >= held_at_) {
      ++not_yet;
      return HC_E_AGAIN;
    }
    *count = std::min({capacity, piece_, bytes_.size() - next_});
    std::memcpy(buffer, bytes_.data() + next_, *count);
    next_ += *count;
    return HC_OK;
  }

  std::string bytes_;
  size_t piece_;
  size_t next_ = 0;
  std::atomic<size_t> held_at_{SIZE_MAX};
  size_t fails_at_ = SIZE_MAX;
};

}  // namespace hc::test
