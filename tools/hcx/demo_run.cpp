#include "hcx/demo_run.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <thread>

namespace hc::hcx {

namespace {

constexpr std::size_t kBatch = 256;
constexpr std::uint64_t kDnsCacheMs = 150;  // so short that a run of some seconds asks again and again
constexpr std::chrono::milliseconds kLongestWait{100};

volatile sig_atomic_t interrupted_by = 0;

std::uint64_t entries(const char* directory) {
  const std::filesystem::directory_iterator begin(directory);
  return static_cast<std::uint64_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

// A thread that was joined may be visible for a moment longer.
Footprint settled_footprint(const Footprint& expected) {
  Footprint now = footprint();
  for (int i = 0; i < 100 && !(now == expected); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    now = footprint();
  }
  return now;
}

}  // namespace

// The descriptor that reads the directory is in both counts, before and after.
Footprint footprint() { return {entries("/proc/self/fd"), entries("/proc/self/task")}; }

void DemoRun::interrupt(int signal) { interrupted_by = signal; }

DemoRun::DemoRun(const DemoOptions& options, const DemoServer& server, Progress& progress)
    : options_(options),
      server_(server),
      progress_(progress),
      plan_(options.seed),
      witness_(options.limit, options.limit_per_host),
      slots_(std::min(options.outstanding, options.requests)) {
  for (std::size_t i = slots_.size(); i > 0; --i) free_slots_.push_back(i - 1);
}

DemoResult DemoRun::run() {
  std::thread([] {}).join();  // ThreadSanitizer starts a thread of its own together with the first one
  result_.before = footprint();
  create_session_and_queue();
  const Clock::time_point start = Clock::now();
  exchange_all();
  result_.elapsed_ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(Clock::now() - start).count());
  progress_.erase();
  close();
  result_.after = settled_footprint(result_.before);
  return std::move(result_);
}

void DemoRun::create_session_and_queue() {
  hc_session_options options = make_session_options();
  options.limit = options_.limit;
  options.limit_per_host = options_.limit_per_host;
  options.nameservers = str(server_.dns());
  options.ttl_dns_cache_ms = kDnsCacheMs;
  options.dns_negative_ttl_ms = kDnsCacheMs;
  options.on_socket = SocketWitness::on_socket;
  options.on_socket_data = &witness_;
  if (trace_ != nullptr) trace_->attach(options);
  session_ = create_session(options);
  queue_ = create_queue();
}

void DemoRun::exchange_all() {
  while (interrupted_by == 0) {
    bool has_worked = submit_some();
    cancel_due();
    has_worked = drain_some() || has_worked;
    if (result_.tally.completions == options_.requests) return;
    if (progress_.is_due()) show_progress();
    if (!has_worked) wait();
  }
  result_.ended_by = interrupted_by;
}

bool DemoRun::submit_some() {
  std::size_t count = 0;
  while (count < kBatch && !free_slots_.empty() && result_.tally.submitted < options_.requests) {
    const std::size_t slot = free_slots_.back();
    free_slots_.pop_back();
    submit(plan_.next(), slot);
    ++count;
  }
  return count > 0;
}

void DemoRun::submit(const Errand& errand, std::size_t slot) {
  const std::string url = url_of(errand, server_.ports());
  const std::string_view body = body_of(errand);
  hc_request request = make_request();
  request.url = str(url);
  request.queue = queue_.get();
  request.user_data = reinterpret_cast<void*>(slot);
  if (!body.empty()) {
    request.method = HC_STR("POST");
    request.body = str(body);
    request.body_kind = HC_BODY_BORROWED;
  }
  hc_error error = make_error();
  slots_[slot].errand = errand;
  if (hc_session_submit(session_.get(), &request, &slots_[slot].id, &error) != HC_OK) throw Refused(error);
  ++result_.tally.submitted;
  if (errand.cancel_after_ms == Errand::kNoCancel) return;
  cancels_.push({Clock::now() + std::chrono::milliseconds(errand.cancel_after_ms), slot, slots_[slot].id});
}

void DemoRun::cancel_due() {
  while (!cancels_.empty() && cancels_.top().due <= Clock::now()) {
    const Cancel cancel = cancels_.top();
    cancels_.pop();
    if (slots_[cancel.slot].id != cancel.id) continue;  // it was faster
    hc_session_cancel(session_.get(), cancel.id);
    ++result_.tally.cancels_asked;
  }
}

bool DemoRun::drain_some() {
  std::array<hc_completion, kBatch> items;
  std::size_t count = 0;
  hc_queue_drain(queue_.get(), items.data(), sizeof items[0], items.size(), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const Response response(items[i].response);
    const std::size_t number = reinterpret_cast<std::size_t>(items[i].user_data);
    Slot& slot = slots_.at(number);
    if (slot.id != items[i].id) {
      ++result_.tally.strays;
      continue;
    }
    result_.tally.count(slot.errand, items[i]);
    slot.id = 0;
    free_slots_.push_back(number);
  }
  return count > 0;
}

void DemoRun::wait() {
  auto longest = kLongestWait;
  if (!cancels_.empty()) {
    const auto until_cancel = std::chrono::ceil<std::chrono::milliseconds>(cancels_.top().due - Clock::now());
    longest = std::clamp(until_cancel, std::chrono::milliseconds(0), longest);
  }
  hc_queue_wait(queue_.get(), static_cast<std::uint64_t>(longest.count()), nullptr);
}

void DemoRun::show_progress() {
  const hc_stats stats = stats_of(session_.get());
  progress_.show({.done = result_.tally.completions,
                  .total = options_.requests,
                  .open = stats.sockets_connecting + stats.sockets_in_use + stats.sockets_idle,
                  .waiting = stats.waiting});
}

// After an interrupt requests are still under way: closing cancels them, and their completions count.
void DemoRun::close() {
  result_.tally.is_closing = true;
  hc_session_close(session_.get(), 0);
  while (drain_some()) {
  }
  result_.stats = stats_of(session_.get());
  session_.reset();
  queue_.reset();
  for (std::size_t i = 0; i < kOriginNames.size(); ++i) {
    result_.origin_peaks[i] = witness_.peak_of(server_.ports()[i]);
  }
  result_.peak = witness_.peak();
  result_.sockets_made = witness_.seen();
}

}  // namespace hc::hcx
