#include "support/client.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace hc::test {

std::string loopback(int last_byte) { return "127.0.0." + std::to_string(last_byte); }

hc_response_info Outcome::info() const {
  hc_response_info info{};
  info.struct_size = sizeof info;
  EXPECT_EQ(hc_response_get_info(response.get(), &info), HC_OK);
  return info;
}

hc_error Outcome::error() const {
  hc_error error;
  hc_error_init(&error, sizeof error);
  EXPECT_EQ(hc_response_error(response.get(), &error), HC_OK);
  return error;
}

std::optional<std::string> Outcome::header(std::string_view name, size_t nth) const {
  hc_str value{};
  if (hc_response_header(response.get(), str(name), nth, &value) != HC_OK) return std::nullopt;
  return text(value);
}

Outcome Outcome::of(const hc_completion& completion) {
  Outcome outcome;
  outcome.id = completion.id;
  outcome.status = completion.status;
  outcome.http_status = completion.http_status;
  outcome.kind = completion.kind;
  outcome.user_data = completion.user_data;
  outcome.body = text(completion.body);
  outcome.response = {completion.response, hc_response_free};
  return outcome;
}

testing::AssertionResult is(const Outcome& outcome, hc_status expected) {
  if (outcome.status == expected) return testing::AssertionSuccess();
  hc_error error = outcome.error();
  return testing::AssertionFailure() << "expected " << hc_status_name(expected) << ", got "
                                     << hc_status_name(outcome.status) << " while "
                                     << hc_phase_name(error.phase) << ": " << error.message;
}

testing::AssertionResult is(const Outcome& outcome, hc_status expected, int32_t phase) {
  testing::AssertionResult result = is(outcome, expected);
  if (!result || outcome.error().phase == phase) return result;
  return testing::AssertionFailure() << hc_status_name(expected) << ", but while "
                                     << hc_phase_name(outcome.error().phase) << " and not while "
                                     << hc_phase_name(phase) << ": " << outcome.message();
}

Queue::Queue() {
  if (hc_queue_create(&queue_, nullptr) != HC_OK) throw std::runtime_error("hc_queue_create");
}

SessionSetup& every_client() {
  static SessionSetup setup;
  return setup;
}

void Queue::close() { hc_queue_close(std::exchange(queue_, nullptr)); }

void Queue::drain() {
  hc_completion items[64];
  size_t count = 0;
  do {
    if (hc_queue_drain(queue_, items, sizeof items[0], std::size(items), &count) != HC_OK) {
      throw std::runtime_error("hc_queue_drain");
    }
    for (size_t i = 0; i < count; ++i) arrived_.push_back(Outcome::of(items[i]));
  } while (count == std::size(items));
}

void Queue::wait_for_more(std::chrono::steady_clock::time_point deadline, std::string_view what) {
  auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) throw std::runtime_error("no completion of " + std::string(what));
  if (hc_queue_wait(queue_, static_cast<uint64_t>(left.count()), nullptr) != HC_OK) {
    throw std::runtime_error("hc_queue_wait");
  }
}

Outcome Queue::wait(hc_id id, milliseconds timeout) {
  auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    drain();
    auto found = std::find_if(arrived_.begin(), arrived_.end(), [&](const Outcome& o) { return o.id == id; });
    if (found != arrived_.end()) {
      Outcome outcome = std::move(*found);
      arrived_.erase(found);
      return outcome;
    }
    wait_for_more(deadline, "request " + std::to_string(id));
  }
}

std::vector<Outcome> Queue::collect(size_t count, milliseconds timeout) {
  auto deadline = std::chrono::steady_clock::now() + timeout;
  for (drain(); arrived_.size() < count; drain()) {
    wait_for_more(deadline,
                  std::to_string(count - arrived_.size()) + " of " + std::to_string(count) + " requests");
  }
  auto end = arrived_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Outcome> outcomes(std::make_move_iterator(arrived_.begin()), std::make_move_iterator(end));
  arrived_.erase(arrived_.begin(), end);
  return outcomes;
}

std::vector<Outcome> Queue::take_ready() {
  drain();
  return std::exchange(arrived_, {});
}

Client::Client(const SessionSetup& setup) {
  hc_session_options options;
  hc_session_options_init(&options, sizeof options);
  if (every_client()) every_client()(options);
  if (setup) setup(options);
  hc_error error;
  hc_error_init(&error, sizeof error);
  if (hc_session_create(&session_, &options, &error) != HC_OK) throw std::runtime_error(error.message);
}

Client::~Client() {
  close();
  hc_stats last = stats();
  EXPECT_EQ(last.in_flight, 0u);
  EXPECT_EQ(last.waiting, 0u);
  EXPECT_EQ(last.sockets_opened, last.sockets_closed);
  hc_session_free(session_);
}

void Client::close(uint64_t drain_ms) { EXPECT_EQ(hc_session_close(session_, drain_ms), HC_OK); }

hc_status Client::try_submit(std::string_view url, const Tune& tune, hc_error* error) {
  hc_request request;
  hc_request_init(&request, sizeof request);
  request.url = str(url);
  request.queue = queue_.get();
  if (tune) tune(request);
  hc_id id = 0;
  return hc_session_submit(session_, &request, &id, error);
}

hc_id Client::submit(std::string_view url, const Tune& tune) {
  hc_request request;
  hc_request_init(&request, sizeof request);
  request.url = str(url);
  request.queue = queue_.get();
  if (tune) tune(request);
  hc_error error;
  hc_error_init(&error, sizeof error);
  hc_id id = 0;
  if (hc_session_submit(session_, &request, &id, &error) != HC_OK) {
    throw std::runtime_error("refused: " + std::string(error.message));
  }
  return id;
}

hc_stats Client::stats() const {
  hc_stats stats{};
  stats.struct_size = sizeof stats;
  EXPECT_EQ(hc_session_stats(session_, &stats), HC_OK);
  expect_sums(stats);
  return stats;
}

std::string read_ready(hc_response* response, hc_status* end) {
  std::string body;
  std::string piece(1 << 16, '\0');
  hc_status status = HC_OK;
  for (size_t count = 1; status == HC_OK && count > 0;) {
    status = hc_response_read(response, piece.data(), piece.size(), &count);
    if (status == HC_OK) body.append(piece, 0, count);
  }
  if (end != nullptr) *end = status;
  return body;
}

std::string read_all(hc_response* response, hc_status* end) {
  std::string body;
  hc_status status = HC_E_AGAIN;
  while (status == HC_E_AGAIN) {
    body += read_ready(response, &status);
    if (status == HC_E_AGAIN && hc_response_wait(response, kMustHappen.count()) != HC_OK) break;
  }
  if (end != nullptr) *end = status;
  return body;
}

void expect_sums(const hc_stats& stats) {
  EXPECT_EQ(stats.submitted, stats.succeeded + stats.failed + stats.cancelled + stats.in_flight);
  EXPECT_EQ(stats.sockets_opened, stats.sockets_closed + stats.sockets_connecting + stats.sockets_in_use +
                                      stats.sockets_idle + stats.sockets_retired);
}

Tune with_body(std::string_view method, std::string_view body) {
  return [=](hc_request& request) {
    request.method = str(method);
    request.body = str(body);
  };
}

Tune with_method(std::string_view method) {
  return [=](hc_request& request) { request.method = str(method); };
}

void LogLines::attach(hc_session_options& options, int32_t level) {
  options.on_log = on_log;
  options.on_log_data = this;
  options.log_level = level;
}

void LogLines::on_log(int32_t, hc_str line, void* self) {
  auto& lines = *static_cast<LogLines*>(self);
  std::lock_guard lock(lines.mutex_);
  lines.lines_.push_back(text(line));
}

size_t LogLines::count(std::string_view part) const {
  std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(lines_.begin(), lines_.end(), [&](const std::string& line) {
    return line.find(part) != std::string::npos;
  }));
}

size_t LogLines::size() const {
  std::lock_guard lock(mutex_);
  return lines_.size();
}

}  // namespace hc::test
