// Keeps what a session tells its trace hook.
#pragma once

#include <hc/hc.h>

#include <mutex>
#include <string>
#include <vector>

namespace hc {

struct TraceEvent {
  std::string name;
  int32_t kind = 0;
  uint64_t time_ns = 0;
  hc_id id = 0;
  uint64_t connection = 0;
  std::string origin;
  std::string text;
  uint64_t bytes = 0;
  hc_status status = HC_OK;
  int32_t http_status = 0;
};

class TraceEvents {
 public:
  /// `name_of` is hc_trace_name(), or what is behind it for tests that do not link the C interface.
  explicit TraceEvents(const char* (*name_of)(int32_t)) : name_of_(name_of) {}

  /// For SessionConfig and for hc_session_options.
  template <typename Options>
  void attach(Options& options) {
    options.on_trace = on_trace;
    options.on_trace_data = this;
  }

  std::vector<TraceEvent> all() const {
    std::lock_guard lock(mutex_);
    return events_;
  }
  /// Of one request; of 0: of connections.
  std::vector<TraceEvent> of(hc_id id) const {
    std::vector<TraceEvent> own;
    for (const TraceEvent& event : all()) {
      if (event.id == id) own.push_back(event);
    }
    return own;
  }
  std::vector<std::string> names(hc_id id) const {
    std::vector<std::string> all_names;
    for (const TraceEvent& event : of(id)) all_names.push_back(event.name);
    return all_names;
  }
  /// The first one of that kind; an empty one if there is none.
  TraceEvent find(hc_id id, int32_t kind) const {
    for (const TraceEvent& event : of(id)) {
      if (event.kind == kind) return event;
    }
    return {};
  }

 private:
  static void on_trace(const hc_trace_event* event, void* self) {
    auto text = [](hc_str view) { return std::string(view.data == nullptr ? "" : view.data, view.len); };
    auto& events = *static_cast<TraceEvents*>(self);
    std::lock_guard lock(events.mutex_);
    events.events_.push_back({events.name_of_(event->kind), event->kind, event->time_ns, event->id,
                              event->connection, text(event->origin), text(event->text), event->bytes,
                              event->status, event->http_status});
  }

  const char* (*name_of_)(int32_t);
  mutable std::mutex mutex_;
  std::vector<TraceEvent> events_;
};

}  // namespace hc
