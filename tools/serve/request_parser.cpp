#include "serve/request_parser.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace hc::serve {

namespace {

constexpr std::size_t kMaxChunkLine = 4096;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equal_ignoring_case(trim(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> table{};
  constexpr std::string_view kAllowed =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (const char c : kAllowed) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_token(std::string_view text) {
  const auto allowed = [](char c) { return kTokenCharacters[static_cast<unsigned char>(c)]; };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

void split_target(RequestHead& head) {
  std::string_view rest = head.target;
  if (rest.front() != '/') {  // absolute form, as sent to proxies
    const std::size_t scheme = rest.find("://");
    if (scheme != std::string_view::npos) {
      const std::size_t slash = rest.find('/', scheme + 3);
      rest = slash == std::string_view::npos ? std::string_view("/") : rest.substr(slash);
    }
  }
  const std::size_t question = rest.find('?');
  head.path = rest.substr(0, question);
  head.query = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
}

bool parse_request_line(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return false;
  if (!is_token(head.method) || head.target.empty() || head.target.find(' ') != std::string_view::npos)
    return false;
  head.keep_alive = version == "HTTP/1.1";
  split_target(head);
  return true;
}

bool apply_content_length(std::string_view value, RequestHead& head) {
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (error != std::errc() || end != value.data() + value.size()) return false;
  if (head.framing != BodyFraming::kNone) return false;  // twice, or beside Transfer-Encoding
  head.framing = BodyFraming::kLength;
  head.content_length = length;
  return true;
}

bool apply_transfer_encoding(std::string_view value, RequestHead& head) {
  if (head.framing != BodyFraming::kNone || !equal_ignoring_case(value, "chunked")) return false;
  head.framing = BodyFraming::kChunked;
  return true;
}

// What the fields mean for this hop. Lengths first: most names need no comparison at all.
bool apply_field(const HeaderView& field, RequestHead& head) {
  switch (field.name.size()) {
    case 6:
      if (equal_ignoring_case(field.name, "expect")) {
        head.expects_continue = equal_ignoring_case(field.value, "100-continue");
      }
      return true;
    case 10:
      if (!equal_ignoring_case(field.name, "connection")) return true;
      if (has_token(field.value, "close")) head.keep_alive = false;
      if (has_token(field.value, "keep-alive")) head.keep_alive = true;
      return true;
    case 14:
      return !equal_ignoring_case(field.name, "content-length") || apply_content_length(field.value, head);
    case 17:
      return !equal_ignoring_case(field.name, "transfer-encoding") ||
             apply_transfer_encoding(field.value, head);
    default: return true;
  }
}

bool parse_field(std::string_view line, RequestHead& head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const HeaderView field{line.substr(0, colon), trim(line.substr(colon + 1))};
  if (!is_token(field.name)) return false;  // a folded line fails here, too
  head.headers.push_back(field);
  return apply_field(field, head);
}

bool parse_lines(std::string_view text, RequestHead& head) {
  bool is_first = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || end == 0 || text[end - 1] != '\r') return false;
    const std::string_view line = text.substr(0, end - 1);
    text.remove_prefix(end + 1);
    if (line.find('\r') != std::string_view::npos || line.find('\0') != std::string_view::npos) return false;
    if (!(is_first ? parse_request_line(line, head) : parse_field(line, head))) return false;
    is_first = false;
  }
  return !is_first;
}

void clear(RequestHead& head) {
  head.headers.clear();
  head.framing = BodyFraming::kNone;
  head.content_length = 0;
  head.expects_continue = false;
}

}  // namespace

ParseResult parse_head(std::string_view input, RequestHead& head, std::size_t& consumed) {
  std::size_t start = 0;
  while (input.substr(start, 2) == "\r\n") start += 2;
  const std::size_t end = input.find("\r\n\r\n", start);
  if (end == std::string_view::npos) {
    if (input.size() - start > kMaxHeadBytes) return ParseResult::kTooLarge;
    return input.find("\n\n", start) == std::string_view::npos ? ParseResult::kIncomplete : ParseResult::kBad;
  }
  clear(head);
  head.head = input.substr(start, end + 4 - start);
  consumed = end + 4;
  return parse_lines(input.substr(start, end + 2 - start), head) ? ParseResult::kComplete : ParseResult::kBad;
}

void BodyReader::start(const RequestHead& head) {
  line_.clear();
  left_ = head.content_length;
  state_ = head.framing == BodyFraming::kChunked ? State::kSizeLine : State::kData;
}

BodyReader::Status BodyReader::read(std::string_view input, std::size_t& consumed, std::string_view& data) {
  consumed = 0;
  data = {};
  if (state_ != State::kData && state_ != State::kChunkData) return read_line(input, consumed);
  consumed = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  data = input.substr(0, consumed);
  left_ -= consumed;
  if (left_ > 0) return Status::kMore;
  if (state_ == State::kData) return Status::kDone;
  state_ = State::kChunkEnd;
  return Status::kMore;
}

BodyReader::Status BodyReader::read_line(std::string_view input, std::size_t& consumed) {
  const std::size_t end = input.find('\n');
  consumed = end == std::string_view::npos ? input.size() : end + 1;
  line_.append(input.substr(0, consumed));
  if (line_.size() > kMaxChunkLine) return Status::kBad;
  if (end == std::string_view::npos) return Status::kMore;
  if (line_.size() < 2 || line_[line_.size() - 2] != '\r') return Status::kBad;
  line_.resize(line_.size() - 2);
  const Status status = end_of_line();
  line_.clear();
  return status;
}

BodyReader::Status BodyReader::end_of_line() {
  switch (state_) {
    case State::kChunkEnd: state_ = State::kSizeLine; return line_.empty() ? Status::kMore : Status::kBad;
    case State::kTrailer: return line_.empty() ? Status::kDone : Status::kMore;
    default: return parse_size_line() ? Status::kMore : Status::kBad;
  }
}

bool BodyReader::parse_size_line() {
  const char* last = line_.data() + line_.size();
  const auto [end, error] = std::from_chars(line_.data(), last, left_, 16);
  if (error != std::errc() || (end != last && *end != ';' && *end != ' ')) return false;
  state_ = left_ == 0 ? State::kTrailer : State::kChunkData;
  return true;
}

}  // namespace hc::serve
