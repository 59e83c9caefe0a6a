#include "model/metrics.h"

#include <algorithm>

namespace hc {
namespace {

static_assert(sizeof(hc_histogram::buckets) == HC_HISTOGRAM_BUCKETS * sizeof(uint64_t));

hc_origin_stats reading_of(const OriginRow& row) {
  hc_origin_stats stats{};
  stats.struct_size = sizeof stats;
  row.name.copy(stats.origin, sizeof stats.origin - 1);
  // The ends before the beginnings: never more of them, whatever happens meanwhile.
  stats.succeeded = row.succeeded.get();
  stats.failed = row.failed.get();
  stats.cancelled = row.cancelled.get();
  stats.submitted = row.submitted.get();
  stats.in_flight = stats.submitted - stats.succeeded - stats.failed - stats.cancelled;
  stats.waiting = row.waiting.get();
  stats.sockets_idle = row.sockets_idle.get();
  stats.sockets = row.sockets.get();
  stats.connections_made = row.connections_made.get();
  stats.connections_reused = row.connections_reused.get();
  stats.stale_retries = row.stale_retries.get();
  stats.waited_ns = row.waited_ns.get();
  stats.total_ns = row.total_ns.get();
  return stats;
}

}  // namespace

void Histogram::add(Duration value) {
  uint64_t ns = value > 0 ? static_cast<uint64_t>(value) : 0;
  auto bound = std::lower_bound(kBoundsNs.begin(), kBoundsNs.end(), ns);
  buckets_[static_cast<size_t>(bound - kBoundsNs.begin())].add();
  sum_ns_.add(ns);
}

hc_histogram Histogram::read() const {
  hc_histogram histogram{};
  histogram.sum_ns = sum_ns_.get();
  for (size_t i = 0; i < buckets_.size(); ++i) {
    histogram.buckets[i] = buckets_[i].get();
    histogram.count += histogram.buckets[i];
  }
  return histogram;
}

void OriginRow::add(const OriginRow& other) {
  submitted.add(other.submitted.get());
  succeeded.add(other.succeeded.get());
  failed.add(other.failed.get());
  cancelled.add(other.cancelled.get());
  connections_made.add(other.connections_made.get());
  connections_reused.add(other.connections_reused.get());
  stale_retries.add(other.stale_retries.get());
  waited_ns.add(other.waited_ns.get());
  total_ns.add(other.total_ns.get());
}

OriginTable::~OriginTable() {
  while (unused_.pop_front() != nullptr) {
  }
}

std::shared_ptr<OriginRow> OriginTable::open(const std::string& name) {
  auto found = rows_.find(name);
  if (found == rows_.end()) {
    std::lock_guard lock(mutex_);
    if (rows_.size() >= capacity_ && !make_room()) return others_;
    auto row = std::make_shared<OriginRow>(name);
    found = rows_.emplace(row->name, row).first;
  }
  OriginRow& row = *found->second;
  row.unlink();
  ++row.origins;
  return found->second;
}

// Nothing waits for it and no socket of it is left, so its gauges are 0.
void OriginTable::close(OriginRow& row) {
  if (&row == others_.get()) return;
  if (--row.origins == 0) unused_.push_back(row);
}

bool OriginTable::make_room() {
  OriginRow* oldest = unused_.pop_front();
  if (oldest == nullptr) return false;
  others_->add(*oldest);
  rows_.erase(oldest->name);
  return true;
}

std::vector<hc_origin_stats> OriginTable::read() const {
  std::vector<hc_origin_stats> stats;
  std::lock_guard lock(mutex_);
  stats.reserve(rows_.size() + 1);
  for (const auto& [name, row] : rows_) stats.push_back(reading_of(*row));
  std::sort(stats.begin(), stats.end(), [](const hc_origin_stats& a, const hc_origin_stats& b) {
    return a.submitted != b.submitted ? a.submitted > b.submitted : std::string_view(a.origin) < b.origin;
  });
  if (others_->submitted.get() > 0) stats.push_back(reading_of(*others_));
  return stats;
}

hc_histograms Metrics::histograms() const {
  hc_histograms all{};
  all.bound_count = Histogram::kBoundsNs.size();
  all.bounds_ns = Histogram::kBoundsNs.data();
  all.waiting = waiting.read();
  all.connect = connect.read();
  all.first_byte = first_byte.read();
  all.total = total.read();
  return all;
}

}  // namespace hc
