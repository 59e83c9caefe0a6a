// What a server remembers about its traffic: written by its thread, read by tests from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http_server.h"

namespace hc::serve {

/// Counters that only the server's thread raises. Plain loads and stores would do for one writer, but
/// reset_counters() writes from other threads.
struct LiveCounters {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> peak{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> bytes_in{0};
  std::atomic<std::uint64_t> bytes_out{0};
  std::atomic<std::uint64_t> tls_full{0};
  std::atomic<std::uint64_t> tls_resumed{0};
  std::atomic<std::uint64_t> tls_failed{0};

  Counters snapshot() const;
  void reset();
};

class ServerState {
 public:
  ServerState(std::size_t listeners, std::size_t log_capacity);

  // -- Server's thread
  /// Returns the connection's number.
  std::uint64_t connection_opened(std::size_t listener, std::uint16_t peer_port);
  void connection_closed(std::size_t listener, std::uint64_t number);
  void request_arrived(const RequestView& request, std::chrono::steady_clock::time_point now);
  void received(std::size_t listener, std::uint64_t bytes) { add(listener, &LiveCounters::bytes_in, bytes); }
  void sent(std::size_t listener, std::uint64_t bytes) { add(listener, &LiveCounters::bytes_out, bytes); }
  void add(std::size_t listener, std::atomic<std::uint64_t> LiveCounters::*counter, std::uint64_t amount = 1);
  /// Counts an arrival; returns how many there have been with this one.
  std::uint64_t count_once(std::string_view key);
  /// Lets wait_until() look again. Called once per turn; costs one atomic operation when nobody waits.
  void notify_waiters();

  // -- Any thread
  Counters total() const { return total_.snapshot(); }
  Counters of_listener(std::size_t listener) const { return listeners_.at(listener).snapshot(); }
  std::size_t listener_count() const { return listeners_.size(); }
  std::vector<ConnectionRecord> connections() const;
  std::uint64_t requests_on_connection(std::uint64_t number) const;
  std::uint64_t once_count(std::string_view key) const;
  std::vector<LogEntry> log() const;
  void reset();
  bool wait_until(const std::function<bool(const Counters&)>& condition,
                  std::chrono::milliseconds timeout) const;

 private:
  // A record per connection for ever would be a leak in a server that runs for days.
  static constexpr std::size_t kMaxRecords = 200'000;

  ConnectionRecord* record_locked(std::uint64_t number);

  LiveCounters total_;
  std::deque<LiveCounters> listeners_;  // deque: atomics do not move
  const std::size_t log_capacity_;

  mutable std::atomic<int> waiters_{0};
  mutable std::condition_variable changed_;
  mutable std::mutex wait_mutex_;         // its own, so that a condition may ask for what mutex_ guards
  mutable std::mutex mutex_;              // guards all below; held for a few instructions per request
  std::deque<ConnectionRecord> records_;  // consecutive numbers; the oldest go first
  std::uint64_t next_number_ = 1;
  std::map<std::string, std::uint64_t, std::less<>> once_;
  std::deque<LogEntry> log_;
};

/// Counters, total and per listener, as JSON.
std::string counters_json(const ServerState& state);

}  // namespace hc::serve
