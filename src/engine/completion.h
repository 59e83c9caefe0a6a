#pragma once

#include <hc/hc.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/fd.h"
#include "base/status.h"
#include "model/response.h"

namespace hc {

/// News of a request on its way out.
struct Completion {
  hc_id id = 0;
  void* user_data = nullptr;
  std::unique_ptr<Response> response;  // with the first one of a request
  Code status = HC_OK;
  int32_t http_status = 0;
  int32_t kind = HC_DONE;
};

/// As the C interface gives it away; the response changes hands.
hc_completion to_c(Completion& completion);

/// Somebody who delivers into a queue.
class QueueListener {
 public:
  virtual ~QueueListener() = default;
  virtual void on_queue_closed() = 0;
};

/// Finished requests from any number of loops, taken by one drainer.
///
/// Rules: the descriptor is readable while something waits; it is written once for each time the queue becomes
/// non-empty, not once a request. A socket pair and not an eventfd, because Node refuses an eventfd
/// (docs/curl-notes.md F22), and reading from it by mistake does no harm.
class CompletionQueue {
 public:
  static Status create(std::shared_ptr<CompletionQueue>* out);

  int fd() const { return readable_.get(); }
  bool is_closed() const { return is_closed_.load(std::memory_order_acquire); }

  /// Takes all of `batch`; drops it when the queue is closed.
  void push(std::vector<Completion>& batch);
  size_t drain(size_t capacity, const std::function<void(Completion)>& take);
  /// Waits up to `timeout_ms` (HC_FOREVER: without limit); returns how many are ready.
  size_t wait(uint64_t timeout_ms);

  /// Tells `listener` when the queue closes (at once if it has). `number` is its own in this process.
  void add_listener(uint64_t number, std::weak_ptr<QueueListener> listener);
  /// True if that listener was the last one added: then it need not come again.
  bool knows(uint64_t number) const { return last_listener_.load(std::memory_order_relaxed) == number; }
  void close();

 private:
  size_t size();
  void signal();
  bool is_readable() const;
  void clear_signal();

  Fd readable_;
  Fd writable_;
  std::mutex mutex_;
  std::vector<Completion> ready_;
  size_t taken_ = 0;  // of ready_, from the front
  bool is_signalled_ = false;
  std::atomic<bool> is_closed_{false};
  std::atomic<uint64_t> last_listener_{0};
  std::map<uint64_t, std::weak_ptr<QueueListener>> listeners_;
};

/// Where the outcome of a request goes.
struct Destination {
  std::shared_ptr<CompletionQueue> queue;  // or
  hc_completion_fn on_done = nullptr;
  void* user_data = nullptr;
  bool waits_at_pipe = false;  // hc_session_perform(): to its reader news of a body's bytes mean nothing

  bool reads_in_callback() const { return queue == nullptr && !waits_at_pipe; }
};

}  // namespace hc
