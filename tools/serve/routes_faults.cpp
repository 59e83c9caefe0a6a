// Routes that misbehave.
#include <algorithm>
#include <string>

#include "serve/routes.h"

namespace hc::serve {

namespace {

constexpr std::string_view kHalfHead = "HTTP/1.1 200 OK\r\nContent-Ty";
constexpr std::uint64_t kBrokenBody = 64;

// What is sent before the break, by stage; false: no such stage.
bool write_until(ResponseWriter& writer, std::string_view stage) {
  if (stage == "request" || stage == "request-head") return true;
  if (stage == "half-head") {
    writer.raw(kHalfHead);
    return true;
  }
  const std::uint64_t sent = stage == "body" ? kBrokenBody : stage == "half-body" ? kBrokenBody / 2 : 0;
  if (sent == 0 && stage != "head") return false;
  writer.begin(200, "text/plain", kBrokenBody);
  writer.raw_pattern(sent);
  return true;
}

}  // namespace

BodyPlan plan_broken(const RouteContext& context) {
  const bool at_head = context.request.parameter("after") == "request-head";
  return {.mode = at_head ? BodyPlan::Mode::kIgnore : BodyPlan::Mode::kCount};
}

void answer_broken(RouteContext& context, Ending ending) {
  const std::string stage = context.request.parameter("after").value_or("request");
  if (stage == "accept") {
    context.accept_fault = {context.number("count", 1), ending};
    return context.writer.respond_text("armed\n");
  }
  if (!write_until(context.writer, stage))
    return context.writer.respond(400, "text/plain", "no such stage\n");
  context.writer.wait(context.milliseconds("after_ms", 0));
  context.writer.end(ending);
}

void answer_reset(RouteContext& context) { answer_broken(context, Ending::kReset); }

void answer_fin(RouteContext& context) { answer_broken(context, Ending::kFin); }

void answer_close(RouteContext& context) {
  if (context.rest != "silent") {
    context.writer.announce_close();
    return context.writer.respond_text("bye\n");
  }
  context.writer.respond_text("see you\n");
  context.writer.wait(context.milliseconds("after_ms", 0));
  context.writer.end(Ending::kCloseNow);
}

void answer_hang(RouteContext& context) { context.writer.hang(); }

void answer_truncate(RouteContext& context) {
  const std::uint64_t sent = context.number("sent", 50, kLengths);
  if (context.number("chunked", 0) != 0) {
    context.writer.begin_chunked(200, "text/plain");
    context.writer.chunk_pattern(sent);
  } else {
    context.writer.begin(200, "text/plain", context.number("claimed", 100));
    context.writer.raw_pattern(sent);
  }
  context.writer.end(Ending::kFin);
}

void answer_bad_chunk(RouteContext& context) {
  context.writer.begin_chunked(200, "text/plain");
  context.writer.chunk("good");
  context.writer.raw("zz\r\nbad chunk size\r\n0\r\n\r\n");
  context.writer.end(Ending::kFin);
}

void answer_bad_status(RouteContext& context) {
  context.writer.raw("HTTP/1.1 banana\r\nContent-Length: 2\r\n\r\nno");
  context.writer.end(Ending::kFin);
}

void answer_bad_header(RouteContext& context) {
  context.writer.raw("HTTP/1.1 200 OK\r\nno colon here\r\n: no name\r\nContent-Length: 2\r\n\r\nno");
  context.writer.end(Ending::kFin);
}

void answer_header_bomb(RouteContext& context) {
  const std::uint64_t count = context.number("count", 1000);
  const std::uint64_t size = context.number("size", 100, kLengths);
  context.writer.raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
  // Line by line as the client takes them: a bomb of gigabytes must not explode here.
  context.writer.stream([count, size, sent = std::uint64_t{0}](ResponseWriter& writer) mutable {
    constexpr std::uint64_t kLinesPerStep = 64;
    const std::uint64_t stop = std::min(count, sent + kLinesPerStep);
    for (; sent < stop; ++sent) {
      writer.raw("X-Bomb-" + std::to_string(sent) + ": ");
      writer.raw_pattern(size);
      writer.raw("\r\n");
    }
    if (sent < count) return true;
    writer.raw("\r\nok");
    return false;
  });
}

void answer_both_lengths(RouteContext& context) {
  context.writer.raw(
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
}

void answer_late(RouteContext& context) {
  constexpr std::string_view kPoison = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Poison: yes\r\n\r\nEVIL";
  const bool is_garbage = context.request.parameter("poison") == "garbage";
  context.writer.respond_text("fine\n");
  context.writer.wait(context.milliseconds("after_ms", 50));
  context.writer.raw(is_garbage ? std::string_view("garbage on the wire") : kPoison);
}

}  // namespace hc::serve
