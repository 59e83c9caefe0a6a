#pragma once

#include <cstdint>

namespace hc {

/// Counters and gauges of one loop; written by the loop thread only. The names are those of hc_stats.
struct Stats {
  uint64_t submitted = 0;
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  uint64_t in_flight = 0;
  uint64_t waiting = 0;
  uint64_t stale_retries = 0;
  uint64_t waited_ns = 0;
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;

  uint64_t sockets_opened = 0;
  uint64_t sockets_closed = 0;
  uint64_t sockets_connecting = 0;
  uint64_t sockets_in_use = 0;
  uint64_t sockets_idle = 0;
  uint64_t sockets_retired = 0;
  uint64_t sockets_peak = 0;
  uint64_t connections_made = 0;
  uint64_t connections_reused = 0;
  uint64_t connect_failures = 0;

  uint64_t dns_lookups = 0;
  uint64_t dns_cache_hits = 0;
  uint64_t dns_failures = 0;

  uint64_t loop_turns = 0;
  uint64_t loop_busy_ns = 0;
  uint64_t loop_elapsed_ns = 0;
  uint64_t loop_worst_turn_ns = 0;
};

}  // namespace hc
