// Sends the demo's requests through one session and one completion queue, on one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <queue>
#include <vector>

#include "hcx/abi.h"
#include "hcx/chrome_trace.h"
#include "hcx/demo_options.h"
#include "hcx/demo_plan.h"
#include "hcx/demo_server.h"
#include "hcx/demo_tally.h"
#include "hcx/progress.h"
#include "hcx/socket_witness.h"

namespace hc::hcx {

/// What a process holds while it runs.
struct Footprint {
  std::uint64_t descriptors = 0;
  std::uint64_t threads = 0;
  bool operator==(const Footprint&) const = default;
};
Footprint footprint();

struct DemoResult {
  Tally tally;
  hc_stats stats{};
  // As the kernel had it.
  std::uint64_t sockets_made = 0;
  std::uint64_t peak = 0;
  std::array<std::uint64_t, 3> origin_peaks{};
  std::uint64_t elapsed_ns = 0;  // first submit to last completion
  int ended_by = 0;              // the signal that ended it early
  Footprint before;
  Footprint after;
};

/// Rule: a slot is busy from the submit to the completion; the request's user_data is its index. Life: run() once.
class DemoRun {
 public:
  DemoRun(const DemoOptions& options, const DemoServer& server, Progress& progress);
  /// Before run().
  void set_trace(ChromeTrace& trace) { trace_ = &trace; }
  DemoResult run();

  /// Makes run() end early; for signal handlers.
  static void interrupt(int signal);

 private:
  using Clock = std::chrono::steady_clock;

  struct Slot {
    Errand errand;
    hc_id id = 0;  // 0: free
  };
  struct Cancel {
    Clock::time_point due;
    std::size_t slot;
    hc_id id;
    bool operator>(const Cancel& other) const { return due > other.due; }
  };

  void create_session_and_queue();
  void exchange_all();
  bool submit_some();
  void submit(const Errand& errand, std::size_t slot);
  void cancel_due();
  bool drain_some();
  void wait();
  void show_progress();
  void close();

  const DemoOptions& options_;
  const DemoServer& server_;
  Progress& progress_;
  ChromeTrace* trace_ = nullptr;
  Plan plan_;
  SocketWitness witness_;  // before the session, whose loop writes to it
  Session session_;
  Queue queue_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> free_slots_;
  std::priority_queue<Cancel, std::vector<Cancel>, std::greater<>> cancels_;
  DemoResult result_;
};

}  // namespace hc::hcx
