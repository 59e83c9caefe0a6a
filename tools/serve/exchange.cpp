#include "serve/exchange.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "serve/script.h"

namespace hc::serve {

namespace {

// Up to here a copy is cheaper than a second view in sendmsg().
constexpr std::uint64_t kCopiedPattern = 16 * 1024;

void append_number(std::string& text, std::uint64_t number, int base = 10) {
  std::array<char, 24> digits;
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  text.append(digits.data(), result.ptr);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    if (!escaped) {
      result += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    result += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return result;
}

bool status_allows_body(int status) { return status >= 200 && status != 204 && status != 304; }

void add_step(Script& script, Step step) { script.steps.push_back(step); }

void add_bytes(Script& script, std::size_t count) {
  if (count == 0) return;
  if (script.has_steps() && script.steps.back().kind == Step::Kind::kBytes) {
    script.steps.back().amount += count;
    return;
  }
  add_step(script, {Step::Kind::kBytes, count});
}

}  // namespace

std::optional<std::string_view> RequestView::header(std::string_view name) const {
  const auto same_name = [name](const HeaderView& field) {
    return field.name.size() == name.size() && strncasecmp(field.name.data(), name.data(), name.size()) == 0;
  };
  const auto found = std::find_if(headers.begin(), headers.end(), same_name);
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

std::optional<std::string> RequestView::parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    return equals == std::string_view::npos ? std::string() : percent_decoded(pair.substr(equals + 1));
  }
  return std::nullopt;
}

void ResponseWriter::start_head(int status, std::string_view content_type) {
  std::string& out = script_.bytes;
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(status));
  out.append(" ").append(reason_phrase(status)).append("\r\n");
  if (!content_type.empty()) out.append("Content-Type: ").append(content_type).append("\r\n");
}

void ResponseWriter::finish_head() {
  std::string& out = script_.bytes;
  if (script_.closes) {
    out.append("Connection: close\r\n");
  } else if (script_.says_keep_alive) {
    out.append("Connection: keep-alive\r\n");
  }
  if (script_.keep_alive_seconds > 0 && !script_.closes) {
    out.append("Keep-Alive: timeout=");
    append_number(out, script_.keep_alive_seconds);
    out.append("\r\n");
  }
  out.append(script_.extra_headers).append("\r\n");
  script_.extra_headers.clear();
}

void ResponseWriter::respond(int status, std::string_view content_type, std::string_view body) {
  if (!status_allows_body(status)) {
    const std::size_t before = script_.bytes.size();
    start_head(status, {});
    finish_head();
    return add_bytes(script_, script_.bytes.size() - before);
  }
  begin(status, content_type, body.size());
  if (!script_.is_head_request) raw(body);
}

void ResponseWriter::respond_pattern(std::uint64_t length) {
  begin(200, "text/plain", length);
  if (!script_.is_head_request) raw_pattern(length);
}

void ResponseWriter::add_header(std::string_view name, std::string_view value) {
  script_.extra_headers.append(name).append(": ").append(value).append("\r\n");
}

void ResponseWriter::announce_close() { script_.closes = true; }

void ResponseWriter::begin(int status, std::string_view content_type, std::uint64_t content_length) {
  const std::size_t before = script_.bytes.size();
  start_head(status, content_type);
  script_.bytes.append("Content-Length: ");
  append_number(script_.bytes, content_length);
  script_.bytes.append("\r\n");
  finish_head();
  add_bytes(script_, script_.bytes.size() - before);
}

void ResponseWriter::begin_chunked(int status, std::string_view content_type) {
  const std::size_t before = script_.bytes.size();
  start_head(status, content_type);
  script_.bytes.append("Transfer-Encoding: chunked\r\n");
  finish_head();
  add_bytes(script_, script_.bytes.size() - before);
}

void ResponseWriter::chunk(std::string_view data) {
  if (data.empty() || script_.is_head_request) return;
  start_chunk(data.size());
  raw(data);
  raw("\r\n");
}

void ResponseWriter::chunk_pattern(std::uint64_t length, std::uint64_t offset) {
  if (length == 0 || script_.is_head_request) return;
  start_chunk(length);
  raw_pattern(length, offset);
  raw("\r\n");
}

void ResponseWriter::start_chunk(std::uint64_t length) {
  const std::size_t before = script_.bytes.size();
  append_number(script_.bytes, length, 16);
  script_.bytes.append("\r\n");
  add_bytes(script_, script_.bytes.size() - before);
}

void ResponseWriter::end_chunks() {
  if (!script_.is_head_request) raw("0\r\n\r\n");
}

void ResponseWriter::raw(std::string_view bytes) {
  script_.bytes.append(bytes);
  add_bytes(script_, bytes.size());
}

void ResponseWriter::raw_pattern(std::uint64_t length, std::uint64_t offset) {
  if (length <= kCopiedPattern)
    return raw(pattern_stretch(offset).substr(0, static_cast<std::size_t>(length)));
  add_step(script_, {Step::Kind::kPattern, length, offset});
}

void ResponseWriter::wait(std::chrono::milliseconds duration) {
  if (duration.count() <= 0) return;
  add_step(script_,
           {Step::Kind::kWait, static_cast<std::uint64_t>(std::min(duration, kLongestWait).count())});
}

void ResponseWriter::stream(Generator generator) { script_.generator = std::move(generator); }

void ResponseWriter::end(Ending ending) { add_step(script_, {Step::Kind::kEnd, 0, 0, ending}); }

void ResponseWriter::hang() { add_step(script_, {Step::Kind::kHang}); }

std::string pattern(std::uint64_t length, std::uint64_t offset) {
  std::string result;
  result.reserve(static_cast<std::size_t>(length));
  while (result.size() < length) {
    const std::string_view stretch = pattern_stretch(offset + result.size());
    result.append(stretch.substr(0, static_cast<std::size_t>(length) - result.size()));
  }
  return result;
}

std::uint64_t checksum(std::string_view bytes) { return checksum_continued(kChecksumStart, bytes); }

std::uint64_t checksum_continued(std::uint64_t state, std::string_view bytes) {
  constexpr std::uint64_t kPrime = 0x100000001b3;
  for (const char byte : bytes) state = (state ^ static_cast<unsigned char>(byte)) * kPrime;
  return state;
}

}  // namespace hc::serve
