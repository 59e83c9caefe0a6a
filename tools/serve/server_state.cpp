#include "serve/server_state.h"

#include <algorithm>

namespace hc::serve {

namespace {

void raise_peak(LiveCounters& counters) {
  const std::uint64_t open = counters.open.fetch_add(1) + 1;
  if (open > counters.peak.load()) counters.peak.store(open);
}

void append_field(std::string& json, std::string_view name, std::uint64_t value) {
  if (json.back() != '{') json += ',';
  json.append("\"").append(name).append("\":").append(std::to_string(value));
}

void append_counters(std::string& json, const Counters& counters) {
  append_field(json, "connections_accepted", counters.connections_accepted);
  append_field(json, "connections_open", counters.connections_open);
  append_field(json, "connections_peak", counters.connections_peak);
  append_field(json, "requests", counters.requests);
  append_field(json, "bytes_in", counters.bytes_in);
  append_field(json, "bytes_out", counters.bytes_out);
  append_field(json, "tls_full_handshakes", counters.tls_full_handshakes);
  append_field(json, "tls_resumptions", counters.tls_resumptions);
  append_field(json, "tls_failures", counters.tls_failures);
}

}  // namespace

Counters LiveCounters::snapshot() const {
  Counters result;
  result.connections_accepted = accepted.load();
  result.connections_open = open.load();
  result.connections_peak = peak.load();
  result.requests = requests.load();
  result.bytes_in = bytes_in.load();
  result.bytes_out = bytes_out.load();
  result.tls_full_handshakes = tls_full.load();
  result.tls_resumptions = tls_resumed.load();
  result.tls_failures = tls_failed.load();
  return result;
}

void LiveCounters::reset() {
  for (auto* counter : {&accepted, &requests, &bytes_in, &bytes_out, &tls_full, &tls_resumed, &tls_failed}) {
    counter->store(0);
  }
  peak.store(open.load());
}

ServerState::ServerState(std::size_t listeners, std::size_t log_capacity)
    : listeners_(listeners), log_capacity_(log_capacity) {}

void ServerState::add(std::size_t listener, std::atomic<std::uint64_t> LiveCounters::*counter,
                      std::uint64_t amount) {
  (total_.*counter).fetch_add(amount, std::memory_order_relaxed);
  (listeners_[listener].*counter).fetch_add(amount, std::memory_order_relaxed);
}

std::uint64_t ServerState::connection_opened(std::size_t listener, std::uint16_t peer_port) {
  add(listener, &LiveCounters::accepted);
  raise_peak(total_);
  raise_peak(listeners_[listener]);
  const std::lock_guard lock(mutex_);
  const std::uint64_t number = next_number_++;
  records_.push_back({number, listener, peer_port, 0, true});
  if (records_.size() > kMaxRecords) records_.pop_front();
  return number;
}

void ServerState::connection_closed(std::size_t listener, std::uint64_t number) {
  {
    const std::lock_guard lock(mutex_);
    if (auto* record = record_locked(number)) record->open = false;
  }
  total_.open.fetch_sub(1);
  listeners_[listener].open.fetch_sub(1);
}

void ServerState::request_arrived(const RequestView& request, std::chrono::steady_clock::time_point now) {
  {
    const std::lock_guard lock(mutex_);
    if (auto* record = record_locked(request.connection)) ++record->requests;
    if (log_capacity_ > 0) {
      log_.push_back({request.connection, request.listener, request.peer_port, std::string(request.method),
                      std::string(request.target), now});
      if (log_.size() > log_capacity_) log_.pop_front();
    }
  }
  add(request.listener, &LiveCounters::requests);
}

std::uint64_t ServerState::count_once(std::string_view key) {
  const std::lock_guard lock(mutex_);
  return ++once_[std::string(key)];
}

void ServerState::notify_waiters() {
  // A read that is a write: either the waiter sees the counters of this turn, or this sees the waiter. A
  // plain load could miss both.
  if (waiters_.fetch_add(0, std::memory_order_acq_rel) == 0) return;
  const std::lock_guard lock(wait_mutex_);
  changed_.notify_all();
}

ConnectionRecord* ServerState::record_locked(std::uint64_t number) {
  if (records_.empty() || number < records_.front().number) return nullptr;
  const std::uint64_t index = number - records_.front().number;
  return index < records_.size() ? &records_[index] : nullptr;
}

std::vector<ConnectionRecord> ServerState::connections() const {
  const std::lock_guard lock(mutex_);
  return {records_.begin(), records_.end()};
}

std::uint64_t ServerState::requests_on_connection(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto* record = const_cast<ServerState*>(this)->record_locked(number);
  return record != nullptr ? record->requests : 0;
}

std::uint64_t ServerState::once_count(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = once_.find(key);
  return found != once_.end() ? found->second : 0;
}

std::vector<LogEntry> ServerState::log() const {
  const std::lock_guard lock(mutex_);
  return {log_.begin(), log_.end()};
}

void ServerState::reset() {
  const std::lock_guard lock(mutex_);
  total_.reset();
  for (auto& listener : listeners_) listener.reset();
  // Numbers go on, so that an open connection keeps its own.
  log_.clear();
  for (auto& record : records_) record.requests = 0;
  once_.clear();
}

bool ServerState::wait_until(const std::function<bool(const Counters&)>& condition,
                             std::chrono::milliseconds timeout) const {
  waiters_.fetch_add(1, std::memory_order_acq_rel);
  bool fulfilled = false;
  {
    std::unique_lock lock(wait_mutex_);
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    fulfilled = changed_.wait_until(lock, deadline, [&] { return condition(total()); });
  }
  waiters_.fetch_sub(1, std::memory_order_acq_rel);
  return fulfilled;
}

std::string counters_json(const ServerState& state) {
  std::string json = "{";
  append_counters(json, state.total());
  json += ",\"listeners\":[";
  for (std::size_t i = 0; i < state.listener_count(); ++i) {
    json += i == 0 ? "{" : ",{";
    append_counters(json, state.of_listener(i));
    json += '}';
  }
  return json + "]}\n";
}

}  // namespace hc::serve
