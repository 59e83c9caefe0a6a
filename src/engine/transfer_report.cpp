// What others see of a transfer: trace events, the record of its attempts, a line of log.
#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

#include "engine/engine.h"
#include "engine/transfer.h"
#include "model/text.h"

namespace hc {
namespace {

constexpr size_t kMaxShownPath = 200;

// Without the query, which is where keys and tokens are.
std::string shown_path(const Request& request) {
  std::string_view path = request.url.substr(std::min(request.url.find("://") + 3, request.url.size()));
  path.remove_prefix(std::min(path.find('/'), path.size()));
  path = path.substr(0, path.find_first_of("?#"));
  return path.empty() ? "/" : escaped(path, kMaxShownPath);
}

std::string in_ms(uint64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(ns) / 1e6);
  return text;
}

// " dns 1.2 ms", or nothing if one of the two did not happen.
std::string step(const char* name, uint64_t start_ns, uint64_t end_ns) {
  if (start_ns == HC_UNSET || end_ns == HC_UNSET || end_ns < start_ns) return "";
  return std::string(", ") + name + " " + in_ms(end_ns - start_ns);
}

}  // namespace

bool Transfer::is_traced() const { return engine_->reporter().is_traced(); }

void Transfer::trace(int32_t kind, Detail detail) {
  engine_->reporter().trace({kind, engine_->now(), id, detail.connection, origin->name(),
                             std::move(detail.text), detail.bytes, detail.status, detail.http_status});
}

void Transfer::trace_start() {
  uint64_t length = request_->source != nullptr ? request_->source->length() : request_->body.size();
  engine_->reporter().trace({HC_TRACE_REQUEST_START, submitted_, id, 0, origin->name(),
                             std::string(request_->method_name) + " " + shown_path(*request_),
                             length == HC_UNSET ? 0 : length});
  engine_->note_joined(id);
}

void Transfer::note_queued() {
  if (std::exchange(is_queued_, true)) return;
  engine_->reporter().trace({HC_TRACE_CONNECTION_QUEUED_START, line_since_, id, 0, origin->name(), {}});
}

void Transfer::trace_granted(bool needs_connection) {
  if (std::exchange(is_queued_, false)) trace(HC_TRACE_CONNECTION_QUEUED_END, {});
  // Two addresses of one new connection may have a wait between them.
  if (needs_connection && !std::exchange(is_creating_, true)) trace(HC_TRACE_CONNECTION_CREATE_START, {});
}

void Transfer::trace_lookup(const NameAnswer* answer) {
  if (answer == nullptr) {
    if (engine_->config().names.use_cache) trace(HC_TRACE_DNS_CACHE_MISS, {});
    trace(HC_TRACE_DNS_RESOLVEHOST_START, {});
  } else if (answer->from_cache) {
    trace(HC_TRACE_DNS_CACHE_HIT, {.status = answer->status.code()});
  }
}

void Transfer::trace_attempt_start(const Attempt& attempt) {
  trace(HC_TRACE_ATTEMPT_START,
        {.text = attempt.beginning.remote.to_string(), .connection = attempt.beginning.connection});
}

void Transfer::trace_ready(const Attempt& attempt) {
  std::string address = attempt.connection()->remote_text();
  if (was_reused_) {
    trace(HC_TRACE_CONNECTION_REUSECONN, {.text = std::move(address), .connection = exchange_->connection});
  } else {
    is_creating_ = false;
    trace(HC_TRACE_ATTEMPT_END, {.text = address, .connection = attempt.beginning.connection});
    trace(HC_TRACE_CONNECTION_CREATE_END, {.text = std::move(address), .connection = exchange_->connection});
  }
  trace(HC_TRACE_REQUEST_HEADERS_SENT, {.connection = exchange_->connection});
}

void Transfer::on_chunk(Attempt&, uint64_t bytes) {
  trace(HC_TRACE_RESPONSE_CHUNK_RECEIVED, {.connection = exchange_->connection, .bytes = bytes});
}

// Of a streamed response the head was given away.
int32_t Transfer::http_status_so_far() const {
  if (exchange_->http_status != 0) return exchange_->http_status;
  return exchange_->builder.http_status();
}

uint64_t Transfer::body_bytes_so_far() const { return exchange_->builder.body_bytes(); }

void Transfer::report_end(const Status& status) {
  if (is_traced()) trace_end(status);
  log_end(status);
}

void Transfer::trace_end(const Status& status) {
  trace(status.is_ok() ? HC_TRACE_REQUEST_END : HC_TRACE_REQUEST_EXCEPTION,
        {.text = status.message(),
         .connection = exchange_->connection,
         .bytes = body_bytes_so_far(),
         .status = status.code(),
         .http_status = http_status_so_far()});
}

Status beaten() { return {HC_E_CANCELLED, "another address was faster"}; }

// An attempt that never carried the request.
AttemptRecord Transfer::failure_of(const Attempt& attempt, const Status& status) const {
  const Attempt::Beginning& beginning = attempt.beginning;
  bool is_new = beginning.connection != 0;
  AttemptRecord record;
  record.status = is_new ? status : Status(HC_E_STALE, "no idle connection was alive");
  record.connection = beginning.connection;
  record.reused = !is_new;
  record.hop = hop_;
  if (is_new) record.address = beginning.remote.address.to_string();
  record.port = beginning.remote.port;
  record.timing.started_ns = since_submit(beginning.time);
  if (attempt.connected_at() != 0) record.timing.connected_ns = since_submit(attempt.connected_at());
  record.timing.done_ns = since_submit(engine_->now());
  return record;
}

void Transfer::record_failure(const Attempt& attempt, const Status& status) {
  const Attempt::Beginning& beginning = attempt.beginning;
  if (is_traced() && beginning.connection != 0) {
    trace(
        HC_TRACE_ATTEMPT_END,
        {.text = beginning.remote.to_string(), .connection = beginning.connection, .status = status.code()});
  }
  exchange_->attempt_records.push_back(failure_of(attempt, status));
}

// There was not even a socket.
void Transfer::record_refusal(const Endpoint& remote, const Status& status) {
  ++attempt_count_;
  AttemptRecord record{status, 0, remote.address.to_string(), remote.port, false, hop_, kNothingHappened};
  record.timing.started_ns = record.timing.done_ns = since_submit(engine_->now());
  exchange_->attempt_records.push_back(std::move(record));
}

// The request had a connection, and goes on without it.
void Transfer::record_winner(const Status& status) {
  AttemptRecord record{status,
                       exchange_->connection,
                       exchange_->remote.address.to_string(),
                       exchange_->remote.port,
                       was_reused_,
                       hop_,
                       exchange_->timing};
  record.timing.started_ns = exchange_->attempt_started_ns;
  record.timing.resolved_ns = HC_UNSET;
  record.timing.done_ns = since_submit(engine_->now());
  exchange_->attempt_records.push_back(std::move(record));
}

void Transfer::report_redirect(const Request& next, int32_t http_status) {
  record_winner(Status::ok());
  ++hop_;
  bool is_logged = engine_->reporter().wants(HC_LOG_DEBUG);
  if (!is_traced() && !is_logged) return;
  std::string target = name_of({next.is_https, next.port, next.host}) + shown_path(next);
  if (is_logged) {
    engine_->reporter().log(HC_LOG_DEBUG, "request " + std::to_string(id) + " to " + *origin->name() + ": " +
                                              std::to_string(http_status) + ", goes on to " + target);
  }
  if (!is_traced()) return;
  trace(HC_TRACE_REQUEST_REDIRECT,
        {.text = std::move(target), .connection = exchange_->connection, .http_status = http_status});
}

void Transfer::report_stale(const Status& status) {
  record_winner(status);
  log_stale(status);
  if (is_traced()) {
    trace(HC_TRACE_REQUEST_RESUBMIT,
          {.text = status.message(), .connection = exchange_->connection, .status = status.code()});
  }
}

void Transfer::describe(Response& response) {
  response.timing = exchange_->timing;
  response.attempts = attempt_count_;
  response.connection = exchange_->connection;
  response.reused = was_reused_;
  response.remote = exchange_->remote;
  response.set_url(request_->url, request_->fragment);
  response.hops = std::move(exchange_->hops);
  response.attempt_started_ns = exchange_->attempt_started_ns;
  response.hop_number = hop_;
  complete_records(response);
}

// At the head of a streamed response a race may still have losers that run.
void Transfer::complete_records(Response& response) const {
  std::vector<AttemptRecord> records = exchange_->attempt_records;
  auto& running = exchange_->running;
  for (Attempt* attempt = running.front(); attempt != nullptr; attempt = running.next(*attempt)) {
    if (attempt != exchange_->winner) records.push_back(failure_of(*attempt, beaten()));
  }
  if (records.empty()) return;
  if (has_connection()) records.push_back(response.last_attempt());
  std::stable_sort(records.begin(), records.end(),
                   [](const auto& a, const auto& b) { return a.timing.started_ns < b.timing.started_ns; });
  response.attempt_records = std::move(records);
}

void Transfer::log_ready() const {
  if (was_reused_ || !engine_->reporter().wants(HC_LOG_DEBUG)) return;
  uint64_t tcp_start = exchange_->attempt_started_ns;
  engine_->reporter().log(HC_LOG_DEBUG,
                          "connection " + std::to_string(exchange_->connection) + " to " + *origin->name() +
                              " at " + exchange_->remote.to_string() + " is up" +
                              step("tcp", tcp_start, exchange_->timing.connected_ns) +
                              step("tls", exchange_->timing.connected_ns, exchange_->timing.secured_ns));
}

void Transfer::log_stale(const Status& status) const {
  if (!engine_->reporter().wants(HC_LOG_INFO)) return;
  engine_->reporter().log(HC_LOG_INFO, "request " + std::to_string(id) + " to " + *origin->name() +
                                           " goes once more: reused connection " +
                                           std::to_string(exchange_->connection) +
                                           " died before any answer: " + status.message());
}

void Transfer::log_end(const Status& status) const {
  Code code = status.code();
  bool is_failure = code != HC_OK && code != HC_E_CANCELLED && code != HC_E_CLOSED;
  int32_t level = is_failure ? HC_LOG_INFO : HC_LOG_DEBUG;
  if (engine_->reporter().wants(level)) engine_->reporter().log(level, end_line(status));
}

// "request 7 GET https://a.test:443/path: 200, 12 bytes after 3.4 ms on connection 2, reused, waited 1.0 ms, ..."
std::string Transfer::end_line(const Status& status) const {
  const hc_timing& t = exchange_->timing;
  std::string line = "request " + std::to_string(id) + " " + std::string(request_->method_name) + " " +
                     *origin->name() + shown_path(*request_) + ": ";
  if (status.is_ok()) {
    line += std::to_string(http_status_so_far()) + ", " + std::to_string(body_bytes_so_far()) + " bytes";
  } else {
    line += std::string(status_name(status.code())) + " while " + phase_name(status.phase());
  }
  line += " after " + in_ms(t.done_ns);
  if (has_connection()) {
    line += " on connection " + std::to_string(exchange_->connection) + (was_reused_ ? ", reused" : ", new");
  }
  if (waited_ > 0) line += ", waited " + in_ms(static_cast<uint64_t>(waited_));
  line += step("dns", t.started_ns, t.resolved_ns) +
          step("connect", exchange_->attempt_started_ns, was_reused_ ? HC_UNSET : t.ready_ns) +
          step("first byte", t.sent_ns, t.first_byte_ns);
  return status.is_ok() ? line : line + ": " + status.message();
}

}  // namespace hc
