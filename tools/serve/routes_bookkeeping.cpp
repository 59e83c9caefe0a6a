// Routes that count and report.
#include <array>
#include <cstdio>
#include <string>

#include "serve/routes.h"

namespace hc::serve {

namespace {

bool should_die(const RouteContext& context, std::string_view stage, std::uint64_t arrival) {
  return context.request.parameter("die") == stage && arrival <= context.number("times", UINT64_MAX);
}

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
  return text.data();
}

}  // namespace

BodyPlan plan_upload(const RouteContext& context) {
  if (context.rest == "early") return {.mode = BodyPlan::Mode::kIgnore};
  BodyPlan plan{.mode = BodyPlan::Mode::kCount, .with_checksum = context.number("checksum", 1) != 0};
  if (context.rest == "slow") plan.pause = context.milliseconds("ms", 100);
  return plan;
}

void answer_upload(RouteContext& context) {
  if (context.rest == "early") {
    if (context.number("close", 0) != 0) context.writer.announce_close();
    if (const std::uint64_t length = context.number("body", 0, kLengths)) {
      return context.writer.respond_pattern(length);
    }
    return context.writer.respond(context.status("status", 200), "text/plain", "early\n");
  }
  const std::uint64_t sum = context.request.body_length > 0 ? context.request.body_checksum : kChecksumStart;
  context.writer.respond(200, "application/json",
                         "{\"length\":" + std::to_string(context.request.body_length) + ",\"checksum\":\"" +
                             hexadecimal(sum) + "\"}\n");
}

// Counts at the head already: a request of which only half the body came has arrived, too.
BodyPlan plan_once(const RouteContext& context) {
  const std::uint64_t arrival = context.state.count_once(context.rest);
  const bool at_once = should_die(context, "before_body", arrival);
  return {.mode = at_once ? BodyPlan::Mode::kIgnore : BodyPlan::Mode::kCount, .note = arrival};
}

void answer_once(RouteContext& context) {
  const std::uint64_t arrival = context.note;
  if (should_die(context, "before_body", arrival) || should_die(context, "before_reply", arrival)) {
    return context.writer.end(Ending::kFin);
  }
  context.writer.respond_text(std::to_string(arrival));
}

void answer_once_count(RouteContext& context) {
  context.writer.respond_text(std::to_string(context.state.once_count(context.rest)));
}

void answer_count(RouteContext& context) {
  context.writer.respond(200, "application/json", counters_json(context.state));
}

void answer_reset_counters(RouteContext& context) {
  context.state.reset();
  context.writer.respond_text("reset\n");
}

}  // namespace hc::serve
