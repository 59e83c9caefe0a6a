// Routes that behave.
#include <zlib.h>

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "serve/routes.h"
#include "serve/script.h"

namespace hc::serve {

namespace {

constexpr std::uint64_t kMaxGzip = 256u << 20;

// Hands out `head`, and then `length` bytes of the pattern, in pieces, with a pause before each but the first.
ResponseWriter::Generator drip(std::string head, std::uint64_t length, std::uint64_t chunk,
                               std::chrono::milliseconds pause) {
  const std::uint64_t total = head.size() + length;
  return
      [head = std::move(head), total, chunk, pause, done = std::uint64_t{0}](ResponseWriter& writer) mutable {
        if (done > 0) writer.wait(pause);
        const std::uint64_t piece = std::min(chunk, total - done);
        const std::uint64_t of_head =
            std::min<std::uint64_t>(piece, head.size() - std::min<std::uint64_t>(done, head.size()));
        if (of_head > 0) writer.raw(std::string_view(head).substr(done, of_head));
        if (of_head < piece) writer.raw_pattern(piece - of_head, done + of_head - head.size());
        done += piece;
        return done < total;
      };
}

std::string gzip(const std::string& text) {
  constexpr int kGzipWindow = 15 + 16;
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string result(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

}  // namespace

void answer_bytes(RouteContext& context) { context.writer.respond_pattern(context.rest_number(0, kLengths)); }

void answer_delay(RouteContext& context) {
  const std::uint64_t duration = context.rest_number(0);
  context.writer.wait(to_duration(duration));
  context.writer.respond_text(std::to_string(duration) + "\n");
}

void answer_drip(RouteContext& context) {
  const std::uint64_t length = context.number("bytes", 16, kLengths);
  const std::uint64_t chunk = context.number("chunk", 1, {.least = 1});
  const auto pause = context.milliseconds("every_ms", 10);
  const std::uint64_t sent = context.request.method == "HEAD" ? 0 : length;
  if (context.number("head", 0) != 0) {
    std::string head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(length) +
        "\r\n\r\n";
    return context.writer.stream(drip(std::move(head), sent, chunk, pause));
  }
  context.writer.begin(200, "text/plain", length);
  if (sent > 0) context.writer.stream(drip({}, sent, chunk, pause));
}

void answer_status(RouteContext& context) {
  const int status = static_cast<int>(context.rest_number(200, kFinalStatuses));
  const auto body = context.request.parameter("body");
  context.writer.respond(status, "text/plain", body ? *body : std::to_string(status) + "\n");
}

BodyPlan plan_echo(const RouteContext&) { return {.mode = BodyPlan::Mode::kKeep}; }

void answer_echo(RouteContext& context) {
  if (context.rest == "head") return context.writer.respond_text(context.request.head);
  const auto type = context.request.header("Content-Type");
  context.writer.respond(200, type.value_or("application/octet-stream"), context.request.body);
}

void answer_method(RouteContext& context) { context.writer.respond_text(context.request.method); }

void answer_chunked(RouteContext& context) {
  const std::uint64_t chunks = context.number("chunks", 4);
  const std::uint64_t size = context.number("size", 16, {1, kLengths.most});
  const auto pause = context.milliseconds("every_ms", 0);
  const bool with_trailer = context.number("trailer", 0) != 0;
  context.writer.begin_chunked(200, "text/plain");
  if (context.request.method == "HEAD") return;
  context.writer.stream([=, sent = std::uint64_t{0}](ResponseWriter& writer) mutable {
    if (sent == chunks) {
      writer.raw(with_trailer ? "0\r\nX-Trailer: seen\r\n\r\n" : "0\r\n\r\n");
      return false;
    }
    if (sent > 0) writer.wait(pause);
    writer.chunk_pattern(size, sent * size);
    ++sent;
    return true;
  });
}

void answer_interim(RouteContext& context) {
  const int status = context.status("status", 103, {100, 199});
  const std::uint64_t count = context.number("count", 1);
  const std::string interim = "HTTP/1.1 " + std::to_string(status) + " " +
                              std::string(reason_phrase(status)) + "\r\nX-Interim: yes\r\n\r\n";
  context.writer.stream([count, interim, sent = std::uint64_t{0}](ResponseWriter& writer) mutable {
    constexpr std::uint64_t kHeadsPerStep = 256;
    const std::uint64_t stop = std::min(count, sent + kHeadsPerStep);
    for (; sent < stop; ++sent) writer.raw(interim);
    if (sent < count) return true;
    writer.respond_text("final\n");
    return false;
  });
}

void answer_redirect(RouteContext& context) {
  const std::uint64_t hops = context.rest_number(0);
  if (hops == 0) return context.writer.respond_text("arrived\n");
  std::string location = "/redirect/" + std::to_string(hops - 1);
  if (!context.request.query.empty()) location.append("?").append(context.request.query);
  context.writer.add_header("Location", location);
  context.writer.respond(context.status("status", 302), "text/plain", "moved\n");
}

void answer_redirect_to(RouteContext& context) {
  context.writer.add_header("Location", context.request.parameter("url").value_or("/"));
  context.writer.respond(context.status("status", 302), "text/plain", "moved\n");
}

void answer_keepalive(RouteContext& context) {
  context.writer.add_header("Keep-Alive", "timeout=" + std::to_string(context.rest_number(5)));
  context.writer.respond_text("kept\n");
}

void answer_connection(RouteContext& context) {
  context.writer.respond_text(std::to_string(context.request.connection));
}

void answer_cookies(RouteContext& context) {
  if (const auto cookie = context.request.parameter("set")) context.writer.add_header("Set-Cookie", *cookie);
  context.writer.respond_text(context.request.header("Cookie").value_or(""));
}

void answer_gzip(RouteContext& context) {
  const std::uint64_t length = context.rest_number(0, {0, kMaxGzip});
  std::string data = gzip(pattern(length));
  data.resize(data.size() - std::min<std::uint64_t>(context.number("cut", 0), data.size()));
  context.writer.add_header("Content-Encoding", "gzip");
  if (context.number("chunked", 0) == 0) return context.writer.respond(200, "text/plain", data);
  context.writer.begin_chunked(200, "text/plain");
  context.writer.chunk(data);
  context.writer.raw("0\r\n\r\n");
}

}  // namespace hc::serve
