#include "model/response.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "model/spare_buffers.h"
#include "model/text.h"

namespace hc {
namespace {

constexpr size_t kUsualHead = 512;
constexpr uint64_t kMostOfARedirect = 64 << 10;  // more is not worth reading for a connection
constexpr uint64_t kMaxLength = INT64_MAX;
constexpr uint64_t kMaxAhead = 1U << 20;  // memory taken on the word of a Content-Length

std::string_view without_line_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

// Of a field that is refused: its value may be a cookie or a token, and so may be what has no colon.
std::string shown_name(std::string_view line) {
  size_t colon = line.find(':');
  bool has_name = colon != std::string_view::npos && line.front() != ' ' && line.front() != '\t';
  return "\"" + (has_name ? escaped(line.substr(0, colon)) : "") + "\"";
}

bool is_continuation(std::string_view line) { return line.starts_with(' ') || line.starts_with('\t'); }

hc_str as_str(std::string_view text) { return {text.data(), text.size()}; }

bool parse_number(std::string_view text, uint64_t* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::vector<hc_header> split_head(std::string_view head) {
  std::vector<hc_header> headers;
  while (!head.empty()) {
    size_t end = std::min(head.find('\n'), head.size() - 1) + 1;
    std::string_view line = without_line_end(head.substr(0, end));
    head.remove_prefix(end);
    size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;  // status line, end of head
    headers.push_back({as_str(line.substr(0, colon)), as_str(trim(line.substr(colon + 1)))});
  }
  return headers;
}

}  // namespace

Response::Response() { SpareBuffers::of_process().lend(head_, body_); }

Response::~Response() {
  SpareBuffers::of_process().take_back(head_, body_);
  delete lazy_.load();
  if (pipe == nullptr) return;
  if (pipe->is_inherited()) {
    new std::shared_ptr<BodyPipe>(std::move(pipe));  // its lock may be held for ever: it stays as it is
  } else {
    pipe->abandon();
  }
}

const Response::Lazy& Response::lazy() const {
  if (Lazy* made = lazy_.load(std::memory_order_acquire)) return *made;
  auto mine = std::make_unique<Lazy>();
  mine->headers = split_head(head().substr(std::min(head().find('\n'), head().size())));
  for (const Hop& hop : hops) {
    const std::vector<hc_header>& fields = hop.response->headers();
    mine->history.push_back({hop.response->http_status(), 0, as_str(hop.method), as_str(hop.response->url()),
                             fields.data(), fields.size()});
  }
  if (connection != 0) mine->remote_address = remote.address.to_string();
  Lazy* other = nullptr;  // of a thread that was faster
  if (!lazy_.compare_exchange_strong(other, mine.get(), std::memory_order_acq_rel)) return *other;
  return *mine.release();
}

// Of "HTTP/1.1 200 OK" what follows the code.
std::string_view Response::reason() const {
  std::string_view line = without_line_end(head().substr(0, head().find('\n')));
  size_t space = line.find(' ');
  return space != std::string_view::npos && line.size() > space + 5 ? line.substr(space + 5) : "";
}

void Response::set_url(std::string_view url, std::string_view fragment) {
  head_ += url;
  if (!fragment.empty()) head_.append("#").append(fragment);
}

const std::vector<hc_header>& Response::headers() const { return lazy().headers; }

AttemptRecord Response::last_attempt() const {
  AttemptRecord record{status_, connection, {}, remote.port, reused, hop_number, timing};
  if (connection != 0) record.address = remote.address.to_string();
  record.timing.started_ns = attempt_started_ns;
  record.timing.resolved_ns = HC_UNSET;
  return record;
}

const hc_header* Response::find_header(std::string_view name, size_t nth) const {
  for (const hc_header& header : headers()) {
    if (!equals_ignoring_case({header.name.data, header.name.len}, name)) continue;
    if (nth-- == 0) return &header;
  }
  return nullptr;
}

bool ResponseBuilder::refuse(Code code, std::string message) {
  refusal_ = Status(code, std::move(message));
  return false;
}

void ResponseBuilder::reset() {
  ResponseBuilder blank(limits_);
  blank.pipe_ = std::move(pipe_);
  blank.listener_ = listener_;
  *this = std::move(blank);
}

void ResponseBuilder::stream_into(std::shared_ptr<BodyPipe> pipe, StreamListener& listener) {
  pipe_ = std::move(pipe);
  listener_ = &listener;
}

bool ResponseBuilder::foresee(std::string_view line) {
  if (!is_continuation(line) || fields_ > 0) return true;
  return refuse(HC_E_PROTOCOL, "the first header field continues nothing");
}

bool ResponseBuilder::on_header_line(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > limits_.max_header_bytes) {
    return refuse(HC_E_TOO_LARGE, "response head is larger than max_header_bytes (" +
                                      std::to_string(limits_.max_header_bytes) + ")");
  }
  if (is_head_complete_) return true;  // a trailer field
  std::string_view text = without_line_end(line);
  Response& response = this->response();
  if (text.empty()) return end_field() && end_head();
  // Whoever writes it somewhere else would write two lines; libcurl before 8.18 lets it pass.
  if (text.find('\r') != std::string_view::npos) {
    return refuse(HC_E_PROTOCOL, "a CR in a line of the head: " + shown_name(text));
  }
  if (response.http_status_ == 0) {
    response.head_.reserve(kUsualHead);
    response.head_ += line;
    return on_status_line(text);
  }
  if (!foresee(text)) return false;
  return is_continuation(text) ? continue_field(line) : end_field() && begin_field(line);
}

// "HTTP/1.1 200 OK". libcurl has checked the beginning; the rest is checked here, because it accepts a lot.
bool ResponseBuilder::on_status_line(std::string_view line) {
  size_t space = line.find(' ');
  std::string_view version = line.substr(0, space);
  std::string_view rest = space == std::string_view::npos ? "" : line.substr(space + 1);
  uint64_t code = 0;
  bool is_old = version == "HTTP/1.0";
  bool is_known = is_old || version == "HTTP/1.1";  // nothing else was asked for
  bool is_plain = is_known && rest.size() >= 3 && parse_number(rest.substr(0, 3), &code);
  if (!is_plain || code < 100 || (rest.size() > 3 && rest[3] != ' ')) {
    return refuse(HC_E_PROTOCOL, "bad status line: \"" + escaped(line) + "\"");
  }
  response_->http_version_ = is_old ? 10 : 11;
  closes_ = closes_ || is_old;
  response_->http_status_ = static_cast<int32_t>(code);
  return true;
}

bool ResponseBuilder::begin_field(std::string_view line) {
  if (++fields_ > limits_.max_headers) {
    return refuse(HC_E_TOO_LARGE, "response head has more fields than max_headers (" +
                                      std::to_string(limits_.max_headers) + ")");
  }
  // "Transfer-Encoding : chunked" frames the body for some, and means nothing to others.
  size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return refuse(HC_E_PROTOCOL, "a header field without a proper name: " + shown_name(line));
  }
  field_start_ = response_->head_.size();
  response_->head_ += line;
  return true;
}

// RFC 9112 5.2: the end of the line, with the blanks around it, is a space. libcurl joins the lines itself since 8.18;
// before that it acts on the first one alone, so that what it acts on must not go on.
bool ResponseBuilder::continue_field(std::string_view line) {
  std::string_view name = field().name;
  if (is_framing_field(name) || equals_ignoring_case(name, "content-encoding")) {
    return refuse(HC_E_PROTOCOL, std::string(name) + " goes on in another line");
  }
  std::string& head = response_->head_;
  head.erase(head.find_last_not_of(" \t\r\n") + 1);
  head += ' ';
  head += line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
  return true;
}

// The one that may still go on.
ResponseBuilder::Field ResponseBuilder::field() const {
  std::string_view line = without_line_end(std::string_view(response_->head_).substr(field_start_));
  size_t colon = line.find(':');
  return {line.substr(0, colon), trim(line.substr(colon + 1))};
}

bool ResponseBuilder::end_field() {
  if (fields_ == 0) return true;
  // Only a few names matter here: their first letters keep the others cheap.
  char first = to_lower(response_->head_[field_start_]);
  if (first != 'c' && first != 'k' && first != 't' && first != 'l' && first != 'p') return true;
  auto [name, value] = field();
  if (equals_ignoring_case(name, "content-length")) return on_content_length(value);
  if (equals_ignoring_case(name, "transfer-encoding")) return on_transfer_encoding(value);
  if (equals_ignoring_case(name, "keep-alive")) on_keep_alive(value);
  if (equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "proxy-connection"))
    on_connection(value);
  if (equals_ignoring_case(name, "location")) return on_location(value);
  if (equals_ignoring_case(name, "content-encoding")) on_content_encoding(value);
  return true;
}

bool ResponseBuilder::on_content_length(std::string_view value) {
  uint64_t length = 0;
  if (!parse_number(value, &length)) {
    return refuse(HC_E_PROTOCOL, "Content-Length is not a number: \"" + escaped(value) + "\"");
  }
  // libcurl ignores it then, and takes the end of the connection for the end of the body.
  if (length > kMaxLength) return refuse(HC_E_PROTOCOL, "Content-Length is 2^63 or more");
  if (content_length_ != HC_UNSET && content_length_ != length) {
    return refuse(HC_E_PROTOCOL, "two Content-Length fields that differ");
  }
  content_length_ = length;
  return true;
}

// Nothing else was asked for (RFC 9110 10.1.4). Of all else libcurl decodes some, and some means that the connection ends
// the body, in each version something else.
bool ResponseBuilder::on_transfer_encoding(std::string_view value) {
  if (is_chunked_) return refuse(HC_E_PROTOCOL, "two Transfer-Encoding fields");
  if (!equals_ignoring_case(value, "chunked")) {
    return refuse(HC_E_PROTOCOL, "Transfer-Encoding is not chunked: \"" + escaped(value) + "\"");
  }
  is_chunked_ = true;
  return true;
}

void ResponseBuilder::on_content_encoding(std::string_view value) {
  if (!limits_.decodes) return;
  if (compressed_end_ == nullptr) compressed_end_ = std::make_unique<CompressedEnd>();
  compressed_end_->add_codings(value);
}

// Whoever could add a field to an answer could lead astray with it. libcurl has that rule since 8.17, redirect or not.
bool ResponseBuilder::on_location(std::string_view value) {
  if (value.empty()) return true;
  if (!location_.empty() && location_ != value) {
    return refuse(HC_E_PROTOCOL, "two Location fields that differ");
  }
  location_ = value;
  return true;
}

// "timeout=5, max=100". A second less, so that ours closes before theirs does.
void ResponseBuilder::on_keep_alive(std::string_view value) {
  std::string text = lower(value);
  size_t place = text.find("timeout=");
  if (place == std::string::npos) return;
  std::string_view digits = std::string_view(text).substr(place + 8);
  digits = digits.substr(0, std::min(digits.find_first_not_of("0123456789"), digits.size()));
  uint64_t seconds = 0;
  if (!parse_number(digits, &seconds)) return;
  keepalive_hint_ = seconds <= 1 ? 0 : from_ms(std::min<uint64_t>(seconds - 1, 1U << 30) * 1000);
}

// A list. libcurl closes it then, and newer versions wait for the server's close_notify before they say so.
void ResponseBuilder::on_connection(std::string_view value) {
  while (!value.empty()) {
    size_t end = std::min(value.find(','), value.size());
    std::string_view option = trim(value.substr(0, end));
    if (equals_ignoring_case(option, "close")) closes_ = true;
    if (equals_ignoring_case(option, "keep-alive") && response_->http_version_ == 10) closes_ = false;
    value.remove_prefix(std::min(end + 1, value.size()));
  }
}

bool ResponseBuilder::end_head() {
  if (is_interim()) {
    response_->head_.clear();
    response_->http_status_ = 0;
    fields_ = 0;
    content_length_ = HC_UNSET;
    is_chunked_ = false;
    compressed_end_.reset();
    location_.clear();
    return true;
  }
  is_head_complete_ = true;
  if (response_->http_status_ == 101) {  // another protocol: libcurl asks no field where it ends
    content_length_ = HC_UNSET;
    is_chunked_ = false;
  }
  if (compressed_end_ != nullptr && is_chunked_) compressed_end_->set_chunked();
  is_expectation_failed_ = response_->http_status_ == 417;
  has_no_body_ = limits_.is_head || response_->http_status_ == 204 || response_->http_status_ == 304;
  ends_with_connection_ = !has_no_body_ && content_length_ == HC_UNSET && !is_chunked_;
  // libcurl accepts both and believes Transfer-Encoding (docs/curl-notes.md F24); a proxy on the way may believe the
  // other, which is how responses are smuggled.
  if (is_chunked_ && content_length_ != HC_UNSET) {
    return refuse(HC_E_PROTOCOL, "Content-Length together with Transfer-Encoding");
  }
  if (is_followed()) {
    is_redirect_ = true;
    discard_rest(kMostOfARedirect);
    return true;
  }
  if (listener_ != nullptr) {
    listener_->on_head();
    return true;
  }
  if (limits_.max_body != 0 && content_length_ != HC_UNSET && content_length_ > limits_.max_body) {
    return true;  // HEAD and 304 announce bodies that never come: on_body() decides
  }
  if (content_length_ != HC_UNSET) response_->body_.reserve(std::min(content_length_, kMaxAhead));
  return true;
}

bool ResponseBuilder::is_followed() const {
  if (!limits_.follows_redirects || location_.empty()) return false;
  int32_t status = response_->http_status_;
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Intake ResponseBuilder::on_body(std::string_view bytes) {
  if (!refusal_.is_ok()) return Intake::kRefused;
  if (is_discarding_) {
    if (bytes.size() > discards_left_) {
      refuse(HC_E_CANCELLED, "released before its end, with more to come than is worth draining");
      return Intake::kRefused;
    }
    discards_left_ -= bytes.size();
    return Intake::kTaken;
  }
  if (limits_.max_body != 0 && body_bytes_ + bytes.size() > limits_.max_body) {
    refuse(HC_E_TOO_LARGE, "body is larger than max_body (" + std::to_string(limits_.max_body) + ")");
    return Intake::kRefused;
  }
  Intake intake = pipe_ != nullptr ? stream(bytes) : keep(bytes);
  if (intake == Intake::kHeld) return intake;
  body_bytes_ += bytes.size();
  if (compressed_end_ != nullptr) compressed_end_->on_decoded(bytes);
  return intake;
}

// It cannot stop anything from here: on_body() and check_end() do.
void ResponseBuilder::on_raw(std::string_view bytes) {
  // libcurl shows what is behind the body as well, and takes no part of it.
  if (content_length_ != HC_UNSET && !is_chunked_) bytes = bytes.substr(0, content_length_ - raw_bytes_);
  raw_bytes_ += bytes.size();
  compressed_end_->on_raw(bytes);
  if (!compressed_end_->has_bad_chunk() || !refusal_.is_ok()) return;
  refuse(HC_E_PROTOCOL, "behind the size of a chunk is no extension, or one of more than 4 KiB");
}

Intake ResponseBuilder::keep(std::string_view bytes) {
  response().body_ += bytes;
  return Intake::kTaken;
}

Intake ResponseBuilder::stream(std::string_view bytes) {
  BodyPipe::Put put = pipe_->put(bytes);
  listener_->on_body(put == BodyPipe::Put::kFull ? 0 : bytes.size());
  bool was_last = put == BodyPipe::Put::kTakenAndHold && bytes_left() == bytes.size();
  if (put == BodyPipe::Put::kTaken || was_last) return Intake::kTaken;
  listener_->on_body_held();
  return put == BodyPipe::Put::kFull ? Intake::kHeld : Intake::kTakenAndHold;
}

bool ResponseBuilder::check_end() {
  if (!refusal_.is_ok()) return false;
  if (is_discarding_) return true;
  uint64_t left = bytes_left();
  if (left != 0 && left != HC_UNSET) {
    return refuse(HC_E_INCOMPLETE,
                  "the body ended " + std::to_string(left) + " bytes before its Content-Length");
  }
  if (!wants_raw() || compressed_end_->is_whole()) return true;
  return refuse(HC_E_INCOMPLETE, "the body is whole, but its " + std::string(compressed_end_->name()) +
                                     " data stop before their end");
}

void ResponseBuilder::discard_rest(uint64_t most) {
  is_discarding_ = true;
  discards_left_ = most;
}

uint64_t ResponseBuilder::bytes_left() const {
  if (has_no_body_) return 0;
  bool is_decoded = compressed_end_ != nullptr && compressed_end_->has_coding();  // and so of another length
  bool is_known = content_length_ != HC_UNSET && content_length_ >= body_bytes_ && !is_decoded;
  return is_known ? content_length_ - body_bytes_ : HC_UNSET;
}

std::unique_ptr<Response> ResponseBuilder::take_head() {
  response_->pipe = pipe_;
  response_->head_size_ = response_->head_.size();
  return std::move(response_);
}

std::unique_ptr<Response> ResponseBuilder::finish(Status status) {
  response().status_ = std::move(status);
  response_->head_size_ = response_->head_.size();
  return std::move(response_);
}

}  // namespace hc
