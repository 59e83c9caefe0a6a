// The built-in routes: what http_server.h describes, each one a function that scripts an answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "serve/exchange.h"
#include "serve/server_state.h"

namespace hc::serve {

/// Connections of a listener that shall end right after accept.
struct AcceptFault {
  std::uint64_t count = 0;
  Ending ending = Ending::kReset;
};

/// A request asked for something by a number that is none, or that makes no sense. It is answered with 400 and what().
class BadNumber : public std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

struct Range {
  std::uint64_t least = 0;
  std::uint64_t most = UINT64_MAX;
};
/// Bodies of more bytes than clients can count are of no use.
constexpr Range kLengths{0, INT64_MAX};
/// An interim one would leave the client waiting for the answer.
constexpr Range kFinalStatuses{200, 999};

struct RouteContext {
  const RequestView& request;
  ResponseWriter& writer;
  std::string_view rest;  // of the path, after "/name/"
  ServerState& state;
  AcceptFault& accept_fault;
  std::uint64_t note = 0;  // from the route's BodyPlan

  /// A query parameter as a number; `fallback` when it is absent. Throws BadNumber.
  std::uint64_t number(std::string_view parameter, std::uint64_t fallback, Range range = {}) const;
  /// The same as a duration, kLongestWait at most.
  std::chrono::milliseconds milliseconds(std::string_view parameter, std::uint64_t fallback) const;
  int status(std::string_view parameter, int fallback, Range range = kFinalStatuses) const;
  /// The rest of the path up to the next slash as a number; `fallback` when there is nothing. Throws BadNumber.
  std::uint64_t rest_number(std::uint64_t fallback, Range range = {}) const;
};

std::chrono::milliseconds to_duration(std::uint64_t milliseconds);

/// What is to be done with a request's body before the route answers.
struct BodyPlan {
  enum class Mode {
    kKeep,    // the answer follows the body, which is kept in memory
    kCount,   // the answer follows the body, of which only length and checksum are known
    kIgnore,  // the answer comes at once; the body is dropped as it arrives
  };
  Mode mode = Mode::kCount;
  bool with_checksum = false;
  std::chrono::milliseconds pause{0};  // before the body is read
  std::uint64_t note = 0;              // handed on to the answer
};

struct Route {
  void (*answer)(RouteContext&) = nullptr;
  /// Called at the end of the head; null: the default plan. It may count, but not write.
  BodyPlan (*plan)(const RouteContext&) = nullptr;
};

/// The route of a path and, in `rest`, what follows its name; null if there is none.
const Route* find_route(std::string_view path, std::string_view& rest);

// Scripts with `after` and `after_ms`, shared by /reset and /fin.
void answer_broken(RouteContext& context, Ending ending);

// routes_plain.cpp
void answer_bytes(RouteContext& context);
void answer_delay(RouteContext& context);
void answer_drip(RouteContext& context);
void answer_status(RouteContext& context);
void answer_echo(RouteContext& context);
void answer_method(RouteContext& context);
void answer_chunked(RouteContext& context);
void answer_interim(RouteContext& context);
void answer_redirect(RouteContext& context);
void answer_redirect_to(RouteContext& context);
void answer_keepalive(RouteContext& context);
void answer_connection(RouteContext& context);
void answer_cookies(RouteContext& context);
void answer_gzip(RouteContext& context);
BodyPlan plan_echo(const RouteContext& context);

// routes_bookkeeping.cpp
void answer_upload(RouteContext& context);
void answer_once(RouteContext& context);
void answer_once_count(RouteContext& context);
void answer_count(RouteContext& context);
void answer_reset_counters(RouteContext& context);
BodyPlan plan_upload(const RouteContext& context);
BodyPlan plan_once(const RouteContext& context);

// routes_faults.cpp
void answer_close(RouteContext& context);
void answer_reset(RouteContext& context);
void answer_fin(RouteContext& context);
void answer_hang(RouteContext& context);
void answer_truncate(RouteContext& context);
void answer_bad_chunk(RouteContext& context);
void answer_bad_status(RouteContext& context);
void answer_bad_header(RouteContext& context);
void answer_header_bomb(RouteContext& context);
void answer_both_lengths(RouteContext& context);
void answer_late(RouteContext& context);
BodyPlan plan_broken(const RouteContext& context);

}  // namespace hc::serve
