#pragma once

#include <hc/hc.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fork.h"
#include "model/config.h"
#include "model/text.h"

namespace hc {

/// A trace event on its way out.
struct TraceRecord {
  int32_t kind = 0;  // HC_TRACE_*
  TimePoint time = 0;
  hc_id id = 0;
  uint64_t connection = 0;
  std::shared_ptr<const std::string> origin;
  std::string text;  // escaped
  uint64_t bytes = 0;
  Code status = HC_OK;
  int32_t http_status = 0;
};

/// The words of aiohttp's tracing: "request_start".
const char* trace_name(int32_t kind);

/// Warnings that may come many times in a row.
enum class Warning : uint8_t { kStall, kDescriptors, kLookup };

/// What a session tells its trace hook and its log hook.
///
/// Rules: recorded wherever it happens, also inside libcurl; handed to user code by deliver() only, which the engine
/// calls at the end of a turn. What nobody wants is not even put together: ask is_traced() or wants() first.
class Reporter {
 public:
  explicit Reporter(const SessionConfig& config) : config_(config), is_traced_(config.on_trace != nullptr) {}

  bool is_traced() const { return is_traced_; }
  void trace(TraceRecord&& record);

  bool wants(int32_t level) const { return config_.on_log != nullptr && level <= config_.log_level; }
  /// `line` has no secrets.
  void log(int32_t level, std::string line) { lines_.push_back({level, in_one_line(std::move(line))}); }

  /// The same at level HC_LOG_WARNING, at most once in 10 s for each kind; then it says how many were left out.
  void warn(Warning kind, TimePoint now, std::string line);

  /// User code runs in here.
  void deliver();

 private:
  struct Line {
    int32_t level;
    std::string text;
  };
  struct Pause {
    TimePoint end = 0;
    uint64_t left_out = 0;
  };
  void deliver_records();
  void deliver_lines();

  const SessionConfig& config_;
  const ForkGuard process_;
  const bool is_traced_;
  std::vector<TraceRecord> records_;
  std::vector<Line> lines_;
  std::array<Pause, 3> pauses_;  // by Warning
};

}  // namespace hc
