#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/fork.h"
#include "base/id_table.h"
#include "base/intrusive_list.h"
#include "engine/completion.h"
#include "engine/transfer.h"
#include "event/reactor.h"
#include "model/admission.h"
#include "model/config.h"
#include "model/ledger.h"
#include "model/log.h"
#include "model/metrics.h"
#include "model/name_service.h"
#include "model/reporter.h"
#include "model/stats.h"
#include "model/transport.h"

namespace hc {

/// What one loop knows: its transfers, the gate, the books, and the completions of this turn. All of it on the loop
/// thread, none of it about descriptors or threads, so that a test can drive it with a clock of its own.
///
/// Life cycle: bind() once; then accept(), cancel(), settle() and deliver() in each turn; begin_close(), and when
/// is_empty() it may go.
class Engine final : public Grantee, public LedgerObserver {
 public:
  Engine(const SessionConfig& config, Reactor& reactor, DescriptorBudget& budget,
         DescriptorBudget::Listener& listener,
         std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>());
  ~Engine() override;

  /// The transport needs the ledger, so it comes after the engine was made.
  void bind(Transport& transport, NameService& names);

  void accept(std::unique_ptr<Transfer> transfer);
  void cancel(hc_id id);
  /// The reader of a streamed body made room, or is gone.
  void on_body_room(hc_id id);
  void on_body_abandoned(hc_id id);
  void resume_upload(hc_id id);
  /// Cancels everything that would go to a queue which was closed.
  void cancel_orphans();
  /// Lets nobody in any more, ends those in line, and cancels the rest when `drain` has passed.
  void begin_close(Duration drain);
  void cancel_all(Code code);

  /// Starts what fits and tidies up, once.
  void settle();
  /// Hands out the completions of this turn. User code runs in here.
  void deliver();
  /// Whoever comes now waits in line until something ends here.
  bool is_saturated() const { return stats_.waiting > 0 && ledger_.is_full(); }
  /// Bodies have had their share of this turn: their readers should get them, and others their turn.
  bool has_much_to_publish() const { return body_bytes_in_turn_ >= kBodyBytesPerTurn; }
  bool has_completions() const { return !batches_.empty() || !callbacks_.empty(); }
  /// Some may start at once, and were left for the next turn.
  bool has_more_to_start() const { return !is_pumped_; }
  bool is_empty() const { return transfers_.size() == 0 && !has_completions(); }
  bool is_closing() const { return is_closing_; }
  /// Some request is in the middle of its body or of its answer's.
  bool moves_bodies() const { return moving_ > 0; }

  void on_descriptor_room() { admission_.on_descriptor_room(); }
  /// Another session of the process is short of descriptors.
  void on_descriptor_wanted() { ledger_.yield_to_others(now()); }

  // For transfers.
  void count_moving(int change) { moving_ += change; }
  TimePoint now() const { return reactor_.now(); }
  TimerQueue& timers() { return reactor_.timers(); }
  const SessionConfig& config() const { return config_; }
  Stats& stats() { return stats_; }
  Metrics& metrics() { return *metrics_; }
  Ledger& ledger() { return ledger_; }
  Admission& admission() { return admission_; }
  Transport& transport() { return *transport_; }
  NameService& names() { return *names_; }
  /// Where streamed bodies get their memory from.
  const std::shared_ptr<BlockPool>& blocks() const { return blocks_; }
  ResponseLimits response_limits(const Request& request) const;
  void end_losers_later(Transfer& transfer);
  void on_descriptor_shortage();
  /// News of a streamed request before its end.
  void on_news(const Transfer& transfer, Completion completion) {
    give(transfer.destination(), std::move(completion));
  }
  /// The same for a reader who should not wait for the end of the turn. Inside libcurl.
  void on_news_in_turn(const Transfer& transfer, Completion completion);
  void on_done(Transfer& transfer, Completion completion, uint64_t body_bytes);
  Reporter& reporter() { return reporter_; }
  void on_lookup_failed(const Status& status, bool is_no_such_name);
  /// A turn took that long, `in_callbacks` of it in user code. Outside libcurl: user code runs in here.
  void on_stall(Duration turn, Duration in_callbacks);
  /// Some of its body came in this turn.
  void note_body(hc_id id, size_t bytes, bool is_noted) {
    body_bytes_in_turn_ += bytes;
    if (!is_noted) with_bodies_.push_back(id);
  }
  /// It joined the line in this turn, and the trace wants to know whether it has to wait.
  void note_joined(hc_id id) { joined_.push_back(id); }

  void on_granted(Waiter& waiter, Permit permit) override;
  void on_retired(Connection& connection) override;
  void on_room(Origin& origin) override;
  void on_connecting_room() override;
  void on_idle(Connection& connection) override;
  void on_closed(Connection& connection) override;

 private:
  static constexpr size_t kBodyBytesPerTurn = 1 << 20;

  struct Batch {
    std::shared_ptr<CompletionQueue> queue;
    std::vector<Completion> completions;
  };

  /// A timer that calls a member.
  class Alarm final : public Timer {
   public:
    Alarm(Engine& engine, void (Engine::*ring)()) : engine_(engine), ring_(ring) {}
    void on_timer(TimePoint) override { (engine_.*ring_)(); }

   private:
    Engine& engine_;
    void (Engine::*ring_)();
  };

  void give(const Destination& destination, Completion completion);
  void count_result(const Transfer& transfer, Code code, uint64_t body_bytes);
  void note_queued();
  void publish_bodies();
  void trace(int32_t kind, const Connection& connection, const char* text);
  void log_connection(const Connection& connection, const char* what);
  std::vector<Completion>& batch_for(const std::shared_ptr<CompletionQueue>& queue);
  void refuse_overflow();
  void on_drained_out() { cancel_all(HC_E_CANCELLED); }
  void on_descriptor_retry() { admission_.resume(); }

  const SessionConfig& config_;
  const ForkGuard process_;
  Reactor& reactor_;
  DescriptorBudget& budget_;
  Stats stats_;
  const std::shared_ptr<Metrics> metrics_;
  Reporter reporter_;
  Ledger ledger_;
  Admission admission_;
  Transport* transport_ = nullptr;
  NameService* names_ = nullptr;
  const std::shared_ptr<BlockPool> blocks_ = std::make_shared<BlockPool>();
  IdTable<Transfer> transfers_;
  IntrusiveList<Transfer, Transfer> with_losers_;
  std::vector<std::unique_ptr<Transfer>> done_;  // until nothing on the stack can touch them
  std::vector<hc_id> accepted_;                  // in this turn, if the line is bounded
  std::vector<hc_id> joined_;                    // in this turn, if the session is traced
  std::vector<hc_id> with_bodies_;               // of which something came in this turn
  size_t body_bytes_in_turn_ = 0;
  std::vector<Batch> batches_;  // one for each queue that gets something in this turn
  std::vector<std::pair<Destination, Completion>> callbacks_;
  int64_t moving_ = 0;
  bool is_closing_ = false;
  bool is_pumped_ = true;
  Alarm drain_alarm_{*this, &Engine::on_drained_out};
  Alarm descriptor_alarm_{*this, &Engine::on_descriptor_retry};
  Alarm budget_alarm_{*this, &Engine::on_descriptor_room};
};

}  // namespace hc
