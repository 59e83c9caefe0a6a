// The half of Connection that reads requests and carries out answers.
#include <array>
#include <exception>
#include <utility>

#include "serve/connection.h"
#include "serve/server_core.h"

namespace hc::serve {

namespace {

constexpr std::size_t kMaxViews = 16;
// A reader faster than we are would never let the socket be full, and the loop never leave this connection.
constexpr int kWritesPerTurn = 16;
constexpr std::size_t kKeptInput = 256 * 1024;

}  // namespace

// Calls what routes and handlers made. False: it threw, and the script is a refusal now.
template <typename Action>
bool Connection::attempt(Action action) {
  try {
    action();
    return true;
  } catch (const BadNumber& error) {
    script_refusal(400, error.what());
  } catch (const std::exception& error) {
    script_refusal(500, error.what());
  }
  return false;
}

void Connection::advance() {
  Progress progress = Progress::kContinue;
  while (progress == Progress::kContinue) {
    if (state_ == State::kHead) {
      progress = begin_exchange();
    } else if (state_ == State::kExchange && !body_done_) {
      progress = read_body();
    } else if (state_ == State::kExchange && answered_ && !answering_) {
      progress = finish_exchange();
    } else {
      progress = Progress::kStop;
    }
  }
  if (peer_ended_ && (state_ == State::kHead || state_ == State::kExchange) && !answering_) drop();
}

Connection::Progress Connection::begin_exchange() {
  if (input_.empty() || listener_.behaviour() == Behaviour::kSilent) return Progress::kStop;
  std::size_t consumed = 0;
  const ParseResult result = parse_head(unread(), head_, consumed);
  if (result == ParseResult::kIncomplete) return Progress::kStop;
  state_ = State::kExchange;
  answered_ = false;
  answer_begun_ = false;
  body_done_ = true;
  script_.clear();
  if (result != ParseResult::kComplete) {
    refuse(result == ParseResult::kTooLarge ? 431 : 400);
    return Progress::kContinue;
  }
  ++requests_;
  open_script();
  if (head_.framing == BodyFraming::kNone) {
    input_taken_ += consumed;
    if (attempt([this] { plan_ = make_plan(); })) {
      answer();
    } else {
      pump();
    }
    return Progress::kContinue;
  }
  prepare_body(consumed);
  return Progress::kContinue;
}

void Connection::open_script() {
  const std::uint64_t limit = core_.options.max_keepalive_requests;
  script_.is_head_request = head_.method == "HEAD";
  script_.closes = !head_.keep_alive || (limit > 0 && requests_ >= limit);
  script_.says_keep_alive = head_.keep_alive && head_.head.find("HTTP/1.0\r\n") != std::string_view::npos;
  script_.keep_alive_seconds = core_.options.keep_alive_header_seconds;
}

// The head must outlive the input that brings the body.
void Connection::prepare_body(std::size_t head_size) {
  head_copy_.assign(head_.head);
  std::size_t ignored = 0;
  parse_head(head_copy_, head_, ignored);
  input_taken_ += head_size;
  body_.clear();
  body_length_ = 0;
  body_checksum_ = kChecksumStart;
  body_reader_.start(head_);
  body_done_ = head_.framing == BodyFraming::kLength && head_.content_length == 0;
  if (!attempt([this] { plan_ = make_plan(); })) return pump();
  if (body_done_ || plan_.mode == BodyPlan::Mode::kIgnore) return answer();
  if (plan_.pause.count() > 0) {
    body_paused_ = true;
    arm(Purpose::kBodyPause, plan_.pause);
  }
  if (!head_.expects_continue) return;
  // Past the script, which is empty: nothing was sent since the last answer, so these bytes fit the socket.
  script_.bytes = "HTTP/1.1 100 Continue\r\n\r\n";
  script_.steps.push_back({Step::Kind::kBytes, script_.bytes.size()});
  write_some();
}

BodyPlan Connection::make_plan() {
  const RequestView request = view_request();
  core_.state.request_arrived(request, core_.loop.now());
  if (core_.find_handler(head_.path)) return {.mode = BodyPlan::Mode::kKeep};
  route_ = find_route(head_.path, route_rest_);
  if (route_ == nullptr || route_->plan == nullptr) return {};
  ResponseWriter unused(script_);
  return route_->plan(route_context(request, unused));
}

Connection::Progress Connection::read_body() {
  if (body_paused_) return Progress::kStop;
  BodyReader::Status status = BodyReader::Status::kMore;
  while (status == BodyReader::Status::kMore) {
    if (unread().empty()) return finish_input();
    std::size_t consumed = 0;
    std::string_view data;
    status = body_reader_.read(unread(), consumed, data);
    if (!keep_body(data)) {
      refuse(413);
      return Progress::kContinue;
    }
    input_taken_ += consumed;
  }
  body_done_ = true;
  if (status == BodyReader::Status::kBad) {
    refuse(400);
  } else if (!answered_) {
    answer();
  }
  return Progress::kContinue;
}

Connection::Progress Connection::finish_input() {
  input_.clear();
  input_taken_ = 0;
  return Progress::kStop;
}

bool Connection::keep_body(std::string_view data) {
  body_length_ += data.size();
  if (plan_.with_checksum) body_checksum_ = checksum_continued(body_checksum_, data);
  if (plan_.mode != BodyPlan::Mode::kKeep) return true;
  if (body_.size() + data.size() > core_.options.max_body_buffer) return false;
  body_.append(data);
  return true;
}

RequestView Connection::view_request() const {
  RequestView request;
  request.method = head_.method;
  request.target = head_.target;
  request.path = head_.path;
  request.query = head_.query;
  request.head = head_.head;
  request.headers = head_.headers;
  request.connection = number_;
  request.request_on_connection = requests_;
  request.peer_port = peer_port_;
  request.listener = listener_.index();
  request.is_tls = stream_.is_tls();
  if (head_.framing == BodyFraming::kNone) return request;
  request.body = body_;
  request.body_length = body_length_;
  request.body_checksum = plan_.with_checksum ? body_checksum_ : 0;
  return request;
}

RouteContext Connection::route_context(const RequestView& request, ResponseWriter& writer) {
  return {request, writer, route_rest_, core_.state, listener_.accept_fault(), plan_.note};
}

void Connection::answer() {
  answered_ = true;
  answering_ = true;
  attempt([this] { script_answer(); });
  pump();
}

void Connection::script_answer() {
  const RequestView request = view_request();
  ResponseWriter writer(script_);
  // Looked up again, and held: tests change handlers while bodies arrive, and from within handlers.
  if (const auto handler = core_.find_handler(head_.path)) {
    (*handler)(request, writer);
  } else if (route_ != nullptr) {
    RouteContext context = route_context(request, writer);
    route_->answer(context);
  } else {
    writer.respond(404, "text/plain", "no such route\n");
  }
  if (!script_.has_steps() && !script_.generator) writer.hang();
}

// What follows a malformed request cannot be told from a body: the connection ends.
void Connection::refuse(int status) {
  script_refusal(status, "refused");
  pump();
}

void Connection::script_refusal(int status, std::string_view reason) {
  answered_ = true;
  answering_ = true;
  body_done_ = true;
  script_.clear();
  ResponseWriter writer(script_);
  if (answer_begun_) return writer.end(Ending::kFin);
  script_.closes = true;
  writer.respond(status, "text/plain", std::string(reason) + "\n");
}

void Connection::pump() {
  int writes = 0;
  while (answering_ && !waiting_) {
    if (!script_.has_steps() && !generate()) return finish_answer();
    const Step& step = script_.front();
    switch (step.kind) {
      case Step::Kind::kBytes:
      case Step::Kind::kPattern:
        answer_begun_ = true;
        if (writes++ == kWritesPerTurn) {
          wants_write_ = true;
          return;
        }
        if (!write_some()) return;
        break;
      case Step::Kind::kWait:
        waiting_ = true;
        arm(Purpose::kWait, Milliseconds(step.amount));
        break;
      case Step::Kind::kHang: waiting_ = true; break;
      case Step::Kind::kEnd: return end(step.ending);
    }
  }
  if (waiting_ && peer_ended_) drop();
}

// False: nothing more will come.
bool Connection::generate() {
  if (!script_.generator) return false;
  // Out of the script while it runs: it may install a successor.
  ResponseWriter::Generator generator = std::exchange(script_.generator, nullptr);
  attempt([&] {
    ResponseWriter writer(script_);
    const bool goes_on = generator(writer);
    if (goes_on && !script_.generator) script_.generator = std::move(generator);
  });
  return script_.has_steps();
}

bool Connection::write_some() {
  std::array<iovec, kMaxViews> views;
  const std::size_t count = script_.gather(views.data(), views.size());
  const Stream::Result result = stream_.write(views.data(), count);
  if (result.status == Stream::Status::kDone) {
    core_.state.sent(listener_.index(), result.bytes);
    script_.take(result.bytes);
    return true;
  }
  if (result.status == Stream::Status::kBlocked) {
    wants_write_ = true;
  } else {
    drop();
  }
  return false;
}

void Connection::finish_answer() {
  answering_ = false;
  if (script_.closes) end(Ending::kClose);
}

Connection::Progress Connection::finish_exchange() {
  state_ = State::kHead;
  if (core_.options.idle_timeout.count() > 0 && !timer_.armed())
    arm(Purpose::kIdle, core_.options.idle_timeout);
  if (!unread().empty()) return Progress::kContinue;
  if (input_.capacity() > kKeptInput) input_ = std::string();
  return finish_input();
}

}  // namespace hc::serve
