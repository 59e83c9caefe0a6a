#pragma once

#include <hc/hc.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/intrusive_list.h"
#include "base/status.h"

namespace hc {

/// A number that one thread changes and any thread reads. Costs the writer what a plain one does.
class Counter {
 public:
  void add(uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_release);
  }
  void subtract(uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_release);
  }
  uint64_t get() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<uint64_t> value_{0};
};

/// Durations, sorted into fixed buckets.
class Histogram {
 public:
  /// OpenTelemetry's for HTTP (5 ms to 10 s), and some below and above: much of what a session does takes less than
  /// 5 ms, and its default total timeout is 300 s.
  static constexpr std::array<uint64_t, HC_HISTOGRAM_BUCKETS - 1> kBoundsNs = {
      100'000,        250'000,        500'000,        1'000'000,      2'500'000,     5'000'000,
      10'000'000,     25'000'000,     50'000'000,     75'000'000,     100'000'000,   250'000'000,
      500'000'000,    750'000'000,    1'000'000'000,  2'500'000'000,  5'000'000'000, 7'500'000'000,
      10'000'000'000, 30'000'000'000, 60'000'000'000, 300'000'000'000};

  void add(Duration value);
  hc_histogram read() const;

 private:
  std::array<Counter, HC_HISTOGRAM_BUCKETS> buckets_;
  Counter sum_ns_;
};

/// What is counted about one origin. The gauges are changed where those of Stats are.
struct OriginRow : public ListLink<OriginRow> {
  explicit OriginRow(std::string origin = {}) : name(std::move(origin)) {}

  const std::string name;
  Counter submitted;
  Counter succeeded;
  Counter failed;
  Counter cancelled;
  Counter waiting;       // gauge
  Counter sockets;       // gauge: promised, connecting, in use, idle
  Counter sockets_idle;  // gauge
  Counter connections_made;
  Counter connections_reused;
  Counter stale_retries;
  Counter waited_ns;
  Counter total_ns;

  uint32_t origins = 0;  // that count in here; kept by OriginTable

  void add(const OriginRow& other);
};

/// The rows of all origins: those that live, and as many of the others as fit, the ones seen last. What does not fit
/// is counted in one row together, so that the rows always add up to the session's sums.
///
/// Rules: open() and close() on the loop thread; read() anywhere. Rows are counted in without the lock; it only keeps
/// them from being made and forgotten while somebody reads.
class OriginTable {
 public:
  explicit OriginTable(size_t capacity = HC_MAX_ORIGINS - 1) : capacity_(capacity) {}
  ~OriginTable();

  std::shared_ptr<OriginRow> open(const std::string& name);
  void close(OriginRow& row);
  /// The busiest first, the common row last.
  std::vector<hc_origin_stats> read() const;

 private:
  bool make_room();

  const size_t capacity_;
  std::unordered_map<std::string_view, std::shared_ptr<OriginRow>> rows_;  // by the name in the row
  IntrusiveList<OriginRow, OriginRow> unused_;                             // longest unused first
  const std::shared_ptr<OriginRow> others_ = std::make_shared<OriginRow>();
  mutable std::mutex mutex_;  // guards which rows there are
};

/// What a session counts beside its Stats; outlives the loop.
struct Metrics {
  static constexpr size_t kCodes = 100;

  Histogram waiting;
  Histogram connect;
  Histogram first_byte;
  Histogram total;
  std::array<Counter, kCodes> failures;  // by minus the status
  OriginTable origins;

  void count_failure(Code code) { failures[static_cast<size_t>(-code) % kCodes].add(); }
  hc_histograms histograms() const;
};

}  // namespace hc
