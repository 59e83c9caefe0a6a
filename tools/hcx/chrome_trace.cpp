#include "hcx/chrome_trace.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "hcx/abi.h"

namespace hc::hcx {

namespace {

constexpr std::size_t kBuffer = 1 << 20;  // the loop thread writes: seldom, and much at a time
constexpr int kRequests = 1;              // "processes" of the format: groups of rows
constexpr int kConnections = 2;

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    json += c;  // trace texts have no control bytes
  }
  return json + "\"";
}

// Microseconds with the nanoseconds behind the point.
std::string micros(std::uint64_t ns) {
  const std::string rest = std::to_string(ns % 1000);
  return std::to_string(ns / 1000) + "." + std::string(3 - rest.size(), '0') + rest;
}

std::string field(const char* name, std::string_view value) { return quoted(name) + ":" + quoted(value); }
std::string field(const char* name, std::uint64_t value) {
  return quoted(name) + ":" + std::to_string(value);
}

}  // namespace

ChromeTrace::ChromeTrace(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "wb")) {
  if (!file_) throw std::runtime_error("cannot write " + path + ": " + std::strerror(errno));
  std::setvbuf(file_.get(), nullptr, _IOFBF, kBuffer);
  std::fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", file_.get());
  write_row_name(kRequests, 0, "process_name", "requests");
  write_row_name(kConnections, 0, "process_name", "connections");
}

void ChromeTrace::attach(hc_session_options& options) {
  options.on_trace = on_trace;
  options.on_trace_data = this;
}

void ChromeTrace::finish() {
  std::fputs("\n]}\n", file_.get());
  if (std::ferror(file_.get()) != 0) has_failed_ = true;
  if (std::fclose(file_.release()) != 0 || has_failed_) {
    throw std::runtime_error("cannot write all of " + path_ + ": " + std::strerror(errno));
  }
}

void ChromeTrace::on_trace(const hc_trace_event* event, void* self) {
  auto& trace = *static_cast<ChromeTrace*>(self);
  if (trace.base_ == 0) trace.base_ = event->time_ns;
  if (event->id != 0) trace.on_request_event(*event);
  if (event->connection != 0) trace.on_connection_event(*event);
}

void ChromeTrace::on_request_event(const hc_trace_event& event) {
  if (event.kind == HC_TRACE_REQUEST_START) return begin(event);
  const auto found = requests_.find(event.id);
  if (found == requests_.end()) return;
  Request& request = found->second;
  const std::uint64_t now = event.time_ns;
  switch (event.kind) {
    case HC_TRACE_CONNECTION_QUEUED_START: return begin_step(request, "in line", now);
    case HC_TRACE_CONNECTION_QUEUED_END: return end_step(request, now);
    case HC_TRACE_CONNECTION_CREATE_START: request.connect_start = now; return;
    case HC_TRACE_DNS_RESOLVEHOST_START: return begin_step(request, "dns", now);
    case HC_TRACE_DNS_RESOLVEHOST_END: return end_step(request, now);
    case HC_TRACE_CONNECTION_CREATE_END: return end_connect(request, now);
    case HC_TRACE_REQUEST_HEADERS_SENT: return begin_step(request, request.has_body ? "send" : "await", now);
    case HC_TRACE_REQUEST_CHUNK_SENT: return begin_step(request, "await", now);
    case HC_TRACE_RESPONSE_START: return begin_step(request, "receive", now);
    case HC_TRACE_REQUEST_RESUBMIT: return end_step(request, now);
    case HC_TRACE_REQUEST_END:
    case HC_TRACE_REQUEST_EXCEPTION: return end(event);
    default: return;
  }
}

void ChromeTrace::begin(const hc_trace_event& event) {
  Request& request = requests_[event.id];
  request.start = event.time_ns;
  request.lane = take_lane(event.time_ns);
  request.has_body = event.bytes > 0;
  request.name = view(event.text);
  request.origin = view(event.origin);
}

std::uint64_t ChromeTrace::since_base(std::uint64_t time) const { return time < base_ ? 0 : time - base_; }

// The lane that has been free for the shortest time: the rows stay few and full.
std::uint64_t ChromeTrace::take_lane(std::uint64_t start) {
  auto place = free_lanes_.upper_bound({start, UINT64_MAX});
  if (place == free_lanes_.begin()) {
    write_row_name(kRequests, ++lanes_, "thread_name", "lane");
    return lanes_;
  }
  --place;
  const std::uint64_t lane = place->second;
  free_lanes_.erase(place);
  return lane;
}

void ChromeTrace::end(const hc_trace_event& event) {
  const auto node = requests_.extract(event.id);
  Request request = node.mapped();
  const std::uint64_t now = event.time_ns;
  end_connect(request, now);
  std::string arguments = field("id", event.id) + "," + field("origin", request.origin) + "," +
                          field("connection", event.connection) + "," + field("bytes", event.bytes);
  if (event.kind == HC_TRACE_REQUEST_END) {
    arguments += "," + field("http_status", static_cast<std::uint64_t>(event.http_status));
  } else {
    arguments +=
        "," + field("error", hc_status_name(event.status)) + "," + field("message", view(event.text));
  }
  write_bar(kRequests, request.lane, request.name, request.start, now, arguments);
  ++requests_written_;
  free_lanes_.emplace(now, request.lane);
}

void ChromeTrace::begin_step(Request& request, const char* step, std::uint64_t now) {
  end_step(request, now);
  request.step = step;
  request.step_start = now;
}

void ChromeTrace::end_step(Request& request, std::uint64_t now) {
  if (request.step_start != 0 && now > request.step_start) {
    write_bar(kRequests, request.lane, request.step, request.step_start, now, "");
  }
  request.step_start = 0;
}

void ChromeTrace::end_connect(Request& request, std::uint64_t now) {
  end_step(request, now);
  if (request.connect_start != 0 && now > request.connect_start) {
    write_bar(kRequests, request.lane, "connect", request.connect_start, now, "");
  }
  request.connect_start = 0;
}

void ChromeTrace::on_connection_event(const hc_trace_event& event) {
  switch (event.kind) {
    case HC_TRACE_ATTEMPT_START: return change_state(event.connection, "connecting", event);
    case HC_TRACE_CONNECTION_CREATE_END:
    case HC_TRACE_CONNECTION_REUSECONN: {
      const auto request = requests_.find(event.id);
      return change_state(event.connection, request == requests_.end() ? "in use" : request->second.name,
                          event);
    }
    case HC_TRACE_CONNECTION_IDLE: return change_state(event.connection, "idle", event);
    case HC_TRACE_CONNECTION_RETIRED: return change_state(event.connection, "retired", event);
    case HC_TRACE_CONNECTION_CLOSED:
      change_state(event.connection, "", event);
      connections_.erase(event.connection);
      return;
    default: return;
  }
}

// Writes what the connection was until now.
void ChromeTrace::change_state(std::uint64_t number, std::string state, const hc_trace_event& event) {
  const auto [place, is_new] = connections_.try_emplace(number);
  Connection& connection = place->second;
  if (is_new) {
    connection.address = view(event.text);
    write_row_name(kConnections, number, "thread_name",
                   std::string(view(event.origin)) + " at " + connection.address);
  } else if (event.time_ns > connection.since) {
    write_bar(kConnections, number, connection.state, connection.since, event.time_ns,
              field("origin", view(event.origin)));
  }
  connection.state = std::move(state);
  connection.since = event.time_ns;
}

void ChromeTrace::write_bar(int process, std::uint64_t row, std::string_view name, std::uint64_t start,
                            std::uint64_t end, const std::string& arguments) {
  const std::uint64_t from = since_base(start);
  write("{" + field("name", name) + ",\"ph\":\"X\",\"ts\":" + micros(from) +
        ",\"dur\":" + micros(since_base(end) - from) + ",\"pid\":" + std::to_string(process) +
        ",\"tid\":" + std::to_string(row) + (arguments.empty() ? "" : ",\"args\":{" + arguments + "}") + "}");
}

void ChromeTrace::write_row_name(int process, std::uint64_t row, std::string_view kind,
                                 std::string_view name) {
  write("{" + field("name", kind) + ",\"ph\":\"M\",\"pid\":" + std::to_string(process) +
        ",\"tid\":" + std::to_string(row) + ",\"args\":{" + field("name", name) + "}}");
}

void ChromeTrace::write(const std::string& json) {
  if (!is_first_) std::fputs(",\n", file_.get());
  is_first_ = false;
  if (std::fwrite(json.data(), 1, json.size(), file_.get()) != json.size()) has_failed_ = true;
}

}  // namespace hc::hcx
