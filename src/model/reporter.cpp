#include "model/reporter.h"

#include <utility>

namespace hc {
namespace {

constexpr Duration kWarningPause = 10 * kSecond;

hc_str as_str(const std::string& text) { return {text.data(), text.size()}; }

hc_trace_event to_c(const TraceRecord& record) {
  hc_trace_event event{};
  event.struct_size = sizeof event;
  event.kind = record.kind;
  event.time_ns = static_cast<uint64_t>(record.time);
  event.id = record.id;
  event.connection = record.connection;
  if (record.origin != nullptr) event.origin = as_str(*record.origin);
  event.text = as_str(record.text);
  event.bytes = record.bytes;
  event.status = record.status;
  event.http_status = record.http_status;
  return event;
}

}  // namespace

const char* trace_name(int32_t kind) {
  switch (kind) {
    case HC_TRACE_REQUEST_START: return "request_start";
    case HC_TRACE_CONNECTION_QUEUED_START: return "connection_queued_start";
    case HC_TRACE_CONNECTION_QUEUED_END: return "connection_queued_end";
    case HC_TRACE_CONNECTION_CREATE_START: return "connection_create_start";
    case HC_TRACE_DNS_CACHE_HIT: return "dns_cache_hit";
    case HC_TRACE_DNS_CACHE_MISS: return "dns_cache_miss";
    case HC_TRACE_DNS_RESOLVEHOST_START: return "dns_resolvehost_start";
    case HC_TRACE_DNS_RESOLVEHOST_END: return "dns_resolvehost_end";
    case HC_TRACE_CONNECTION_CREATE_END: return "connection_create_end";
    case HC_TRACE_CONNECTION_REUSECONN: return "connection_reuseconn";
    case HC_TRACE_REQUEST_HEADERS_SENT: return "request_headers_sent";
    case HC_TRACE_REQUEST_CHUNK_SENT: return "request_chunk_sent";
    case HC_TRACE_RESPONSE_CHUNK_RECEIVED: return "response_chunk_received";
    case HC_TRACE_REQUEST_REDIRECT: return "request_redirect";
    case HC_TRACE_REQUEST_END: return "request_end";
    case HC_TRACE_REQUEST_EXCEPTION: return "request_exception";
    case HC_TRACE_ATTEMPT_START: return "attempt_start";
    case HC_TRACE_ATTEMPT_END: return "attempt_end";
    case HC_TRACE_RESPONSE_START: return "response_start";
    case HC_TRACE_REQUEST_RESUBMIT: return "request_resubmit";
    case HC_TRACE_CONNECTION_IDLE: return "connection_idle";
    case HC_TRACE_CONNECTION_RETIRED: return "connection_retired";
    case HC_TRACE_CONNECTION_CLOSED: return "connection_closed";
    default: return "?";
  }
}

void Reporter::trace(TraceRecord&& record) {
  if (!record.text.empty()) record.text = in_one_line(std::move(record.text));
  records_.push_back(std::move(record));
}

void Reporter::warn(Warning kind, TimePoint now, std::string line) {
  if (!wants(HC_LOG_WARNING)) return;
  Pause& pause = pauses_[static_cast<size_t>(kind)];
  if (now < pause.end) {
    ++pause.left_out;
    return;
  }
  if (pause.left_out > 0)
    line += " (and " + std::to_string(pause.left_out) + " more like this since the last line)";
  pause = {later(now, kWarningPause), 0};
  log(HC_LOG_WARNING, std::move(line));
}

void Reporter::deliver() {
  if (!records_.empty()) deliver_records();
  if (!lines_.empty()) deliver_lines();
}

// A callback may fork; in the child, which returns from it, the rest is not told again.
void Reporter::deliver_records() {
  for (const TraceRecord& record : records_) {
    if (process_.is_inherited()) return;
    hc_trace_event event = to_c(record);
    config_.on_trace(&event, config_.on_trace_data);
  }
  records_.clear();
}

void Reporter::deliver_lines() {
  for (const Line& line : lines_) {
    if (process_.is_inherited()) return;
    config_.on_log(line.level, as_str(line.text), config_.on_log_data);
  }
  lines_.clear();
}

}  // namespace hc
