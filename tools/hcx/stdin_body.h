// Standard input as the body of a request.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hcx/abi.h"
#include "serve/net.h"

namespace hc::hcx {

/// Rules: one request, as what was read is gone. A thread of its own reads, for the library's loop must not wait.
/// Life cycle: attach(), submit the request, start(), stop(); it outlives the session, which outlives stop().
class StdinBody {
 public:
  StdinBody();
  ~StdinBody() { stop(); }
  StdinBody(const StdinBody&) = delete;
  StdinBody& operator=(const StdinBody&) = delete;

  void attach(hc_request& request);
  void start(hc_session* session, hc_id id);
  void stop();
  /// "cannot read stdin: Is a directory". Empty: it was read as far as anybody wanted.
  std::string failure() const;

 private:
  static hc_status give(void* buffer, std::size_t capacity, std::size_t* count, void* self);
  hc_status take(char* buffer, std::size_t capacity, std::size_t* count);
  void read_all(hc_session* session, hc_id id);
  bool wait_for_room();
  bool wait_for_input() const;
  bool read_some();

  enum class State { kOpen, kEnded, kFailed };

  std::thread thread_;
  serve::Fd stop_event_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  State state_ = State::kOpen;
  int error_ = 0;            // errno of the failure
  std::vector<char> bytes_;  // read, and not given on yet
  std::size_t given_ = 0;    // of them
};

}  // namespace hc::hcx
