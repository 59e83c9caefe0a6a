#include "serve/script.h"

#include <algorithm>

namespace hc::serve {

namespace {

constexpr std::size_t kPatternPeriod = 251;
constexpr std::size_t kStretch = 64 * 1024;
constexpr std::size_t kKeptCapacity = 256 * 1024;

std::string make_pattern_text() {
  constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string text(kPatternPeriod + kStretch, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = kAlphabet[(i % kPatternPeriod) % kAlphabet.size()];
  return text;
}

}  // namespace

std::string_view pattern_stretch(std::uint64_t offset) {
  static const std::string text = make_pattern_text();
  return std::string_view(text).substr(offset % kPatternPeriod, kStretch);
}

void Script::clear() {
  if (bytes.capacity() > kKeptCapacity) bytes = std::string();
  bytes.clear();
  bytes_taken = 0;
  steps.clear();
  next = 0;
  if (generator) generator = nullptr;
  closes = false;
  extra_headers.clear();
}

std::size_t Script::gather(iovec* views, std::size_t capacity) const {
  std::size_t count = 0;
  std::size_t from = bytes_taken;
  for (std::size_t i = next; i < steps.size() && count < capacity; ++i) {
    const Step& step = steps[i];
    if (step.kind == Step::Kind::kBytes) {
      views[count++] = {const_cast<char*>(bytes.data()) + from, step.amount};
      from += step.amount;
      continue;
    }
    if (step.kind != Step::Kind::kPattern) break;
    for (std::uint64_t done = 0; done < step.amount && count < capacity;) {
      const std::string_view stretch = pattern_stretch(step.offset + done);
      const std::size_t length =
          static_cast<std::size_t>(std::min<std::uint64_t>(stretch.size(), step.amount - done));
      views[count++] = {const_cast<char*>(stretch.data()), length};
      done += length;
    }
  }
  return count;
}

void Script::take(std::size_t count) {
  while (has_steps()) {
    Step& step = front();
    if (step.kind != Step::Kind::kBytes && step.kind != Step::Kind::kPattern) return;
    const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(step.amount, count));
    (step.kind == Step::Kind::kBytes ? bytes_taken : step.offset) += taken;
    step.amount -= taken;
    count -= taken;
    if (step.amount > 0) return;
    finish_step();
  }
}

void Script::finish_step() {
  ++next;
  if (next < steps.size()) return;
  steps.clear();
  next = 0;
  bytes.clear();
  bytes_taken = 0;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 102: return "Processing";
    case 103: return "Early Hints";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Status";
  }
}

}  // namespace hc::serve
