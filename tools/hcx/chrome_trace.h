// A sink for a session's trace: one file for https://ui.perfetto.dev or chrome://tracing.
#pragma once

#include <hc/hc.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace hc::hcx {

/// Writes trace events as Chrome trace JSON: each request and each connection as bars on a time line.
///
/// Vocabulary: a *lane* is a row of requests, of which at most one is under way at a time; a new request takes a lane
/// that was free before it began. A connection has a row of its own.
/// Rules: on_trace() runs on one loop thread; everything else before the session is made or after it is closed.
/// Life cycle: attach(), run the session, close it, finish().
class ChromeTrace {
 public:
  /// Throws std::runtime_error when the file cannot be written.
  explicit ChromeTrace(const std::string& path);
  void attach(hc_session_options& options);
  /// Throws std::runtime_error when something could not be written.
  void finish();
  /// Bars that are whole requests.
  std::uint64_t requests() const { return requests_written_; }

 private:
  struct Request {
    std::uint64_t lane = 0;
    std::uint64_t start = 0;
    std::uint64_t connect_start = 0;  // 0: not connecting
    std::uint64_t step_start = 0;     // 0: in no step
    const char* step = "";            // of its connection, or a wait: no two at one time
    bool has_body = false;
    std::string name;
    std::string origin;
  };
  struct Connection {
    std::uint64_t since = 0;
    std::string state;  // what it has been since then
    std::string address;
  };
  struct FileClose {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  static void on_trace(const hc_trace_event* event, void* self);
  void on_request_event(const hc_trace_event& event);
  void on_connection_event(const hc_trace_event& event);

  void begin(const hc_trace_event& event);
  void end(const hc_trace_event& event);
  void begin_step(Request& request, const char* step, std::uint64_t now);
  void end_step(Request& request, std::uint64_t now);
  void end_connect(Request& request, std::uint64_t now);
  std::uint64_t take_lane(std::uint64_t start);
  void change_state(std::uint64_t connection, std::string state, const hc_trace_event& event);

  std::uint64_t since_base(std::uint64_t time) const;
  void write_bar(int process, std::uint64_t row, std::string_view name, std::uint64_t start,
                 std::uint64_t end, const std::string& arguments);
  void write_row_name(int process, std::uint64_t row, std::string_view kind, std::string_view name);
  void write(const std::string& json);

  std::string path_;
  std::unique_ptr<std::FILE, FileClose> file_;
  bool is_first_ = true;
  bool has_failed_ = false;
  std::uint64_t base_ = 0;  // time of the first event: small numbers survive a reader's floating point
  std::uint64_t requests_written_ = 0;
  std::unordered_map<hc_id, Request> requests_;
  std::map<std::uint64_t, Connection> connections_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> free_lanes_;  // since when, and which
  std::uint64_t lanes_ = 0;
};

}  // namespace hc::hcx
