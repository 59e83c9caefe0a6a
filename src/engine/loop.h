#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "event/busy_poll.h"
#include "event/mailbox.h"
#include "event/reactor.h"
#include "event/waker.h"

namespace hc {

class CurlTransport;
class Resolver;

/// The thread that owns everything that moves, and the mailbox through which the others reach it.
///
/// One turn: tell the kernel what changed; look for work for a moment, then sleep; read the clock; take the mail;
/// serve ready descriptors; fire timers; let libcurl run, start what fits, until nothing moves; deliver completions
/// (one wake-up a queue and turn).
/// Life cycle: open() makes all that may block or fail; start() the thread; post() from anywhere; the thread ends
/// after close() when everything promised is delivered; join() then.
class Loop final : public DescriptorBudget::Listener, public DescriptorBudget::Holder {
 public:
  using Task = std::function<void(Engine&)>;

  explicit Loop(const SessionConfig& config);
  ~Loop() override;

  Status open();
  Status start();

  /// Any thread. False when the loop has ended or takes no more requests.
  bool submit(std::unique_ptr<Transfer> transfer, hc_id* id);
  void cancel(hc_id id);
  /// Any thread. False: the loop has ended and will never run it.
  bool post(Task task);
  void close(Duration drain);
  /// Called on the loop thread as its last act, or now if it has ended.
  void on_ended(std::function<void()> callback);

  /// On the loop thread of this or of any other session.
  static bool is_any_loop_thread();
  bool is_loop_thread() const;
  void join();
  void detach();
  Stats stats();
  /// Any thread, also when the loop has ended.
  const Metrics& metrics() const { return *metrics_; }
  uint64_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  /// Open sockets when the loop began to close.
  uint64_t open_at_close() const { return open_at_close_; }

 private:
  struct Mail {
    std::unique_ptr<Transfer> transfer;
    hc_id cancel = 0;
    std::unique_ptr<Task> task;
  };

  void run();
  void turn();
  void await_work();
  bool has_work_left() const;
  bool look_for_work();
  void read_mail();
  void read(Mail& mail);
  void expire_timers();
  void count_read(uint64_t submits);
  void settle();
  void publish();
  void count_turn(TimePoint start, TimePoint callbacks_start, Duration in_callbacks);
  void end();
  void on_room() override;
  void on_wanted() override;

  const SessionConfig& config_;
  const uint64_t number_;  // never used again in this process
  SystemClock clock_;
  Reactor reactor_{clock_};
  Waker waker_;
  Mailbox<Mail> mailbox_{waker_};
  std::shared_ptr<Metrics> metrics_ = std::make_shared<Metrics>();
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<NameService> names_;
  std::unique_ptr<CurlTransport> transport_;
  std::thread thread_;
  std::vector<Mail> mail_;      // being read,
  size_t next_mail_ = 0;        // from here on
  bool has_read_mail_ = false;  // in the last turn
  BusyPoll looks_for_mail_;     // nothing is in flight
  BusyPoll looks_for_answers_;  // something is
  hc_id last_id_ = 0;           // under the mailbox's lock
  bool is_accepting_ = true;    // under the mailbox's lock
  std::atomic<bool> has_room_{false};
  std::atomic<bool> is_wanted_{false};
  std::atomic<uint64_t> waiting_{0};
  std::atomic<uint64_t> mailed_{0};  // submits that the loop has not read yet
  uint64_t open_at_close_ = 0;
  TimePoint started_ = 0;

  std::mutex mutex_;  // guards what follows
  Stats published_;
  bool has_ended_ = false;
  TimePoint ended_at_ = 0;
  std::vector<std::function<void()>> ended_callbacks_;
};

}  // namespace hc
