// hcx get: fetches URLs, all at once, and prints them in order.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <deque>
#include <utility>
#include <vector>

#include "hcx/abi.h"
#include "hcx/commands.h"
#include "hcx/format.h"
#include "hcx/get_options.h"
#include "hcx/get_output.h"
#include "hcx/get_print.h"
#include "hcx/get_session.h"
#include "hcx/get_verbose.h"
#include "hcx/option_parser.h"
#include "hcx/stdin_body.h"
#include "hcx/terminal.h"
#include "hcx/url_text.h"

namespace hc::hcx {

namespace {

constexpr int kFailed = 1;
constexpr int kFailedOnStatus = 22;               // curl's number for -f
constexpr std::size_t kMostHeld = 10'000;         // submitted or answered, and not printed yet
constexpr std::uint64_t kMostKept = 64 << 20;     // bytes of answers whose turn has not come
constexpr std::uint64_t kMostDropped = 64 << 10;  // of a body that is not wanted, to keep its connection
constexpr std::size_t kPiece = 256 << 10;

/// What came of a request, for the user.
struct Outcome {
  int exit_code = 0;
  std::string text;  // of a failure
};

/// One request, from its submit until it is printed.
struct Held {
  std::size_t url_index = 0;
  hc_id id = 0;
  Response response;   // null: not there yet
  hc_error refusal{};  // of the submit; HC_OK: it was accepted
  Output output;
  std::vector<std::string> kept;  // of the body, until its turn; one long text would be copied to grow
  std::uint64_t received = 0;
  bool is_shared = false;   // its output is others', too
  bool has_begun = false;   // to go there
  bool is_wanted = false;   // then; else the body goes nowhere
  bool is_opened = false;   // what stands before the body has been told
  bool is_waiting = false;  // the server is held back until its turn
  bool is_done = false;

  bool has_head() const { return response != nullptr && hc_response_http_status(response.get()) != 0; }
};

/// The requests that may hold their servers back at one time: one connection is always left for the one whose turn
/// it is, or they would wait for each other for ever.
std::size_t most_waiting(const GetOptions& options) {
  constexpr std::uint64_t kDefaultLimit = 100;
  std::uint64_t limit = runtime_info().descriptor_budget;
  if (options.limit != 0) limit = std::min(limit, options.limit == HC_UNSET ? kDefaultLimit : options.limit);
  if (options.limit_per_host != HC_UNSET && options.limit_per_host != 0) {
    limit = std::min(limit, options.limit_per_host);
  }
  return limit == 0 ? 0 : limit - 1;
}

/// Requests in the order of printing: submitted, then answered, then printed.
///
/// The first one has its *turn*: its body is written as it comes. So is each that has an output of its own. The bodies
/// of the others are kept; when too much is, their servers are held back.
class Getter {
 public:
  explicit Getter(const GetOptions& options);
  ~Getter() { stdin_.stop(); }
  Getter(const Getter&) = delete;
  Getter& operator=(const Getter&) = delete;
  int run();

 private:
  std::size_t count() const { return options_.urls.size() * options_.repeat; }
  std::size_t url_index(std::size_t number) const { return number / options_.repeat; }
  const std::string& url_of(const Held& held) const { return options_.urls[held.url_index]; }
  bool is_next_done() const { return !held_.empty() && held_.front().is_done; }

  void submit_next();
  void take_answers();
  void take_body(Held& held);
  void begin(Held& held);
  void write_body(Held& held);
  void keep_body(Held& held);
  void keep(Held& held, std::string_view piece);
  std::string_view read_piece(Held& held);
  void write(Held& held, std::string_view text);
  Outcome refusal_of(const hc_response_info& info) const;

  void give_turn();
  void open(Held& held);
  void finish(Held& held);
  Outcome outcome_of(const Held& held) const;
  void write_out(const Held& held, const Outcome& outcome);
  std::string shown_url_of(const Held& held) const;
  void report(const Outcome& outcome);

  const GetOptions& options_;
  Outputs outputs_;
  Output dump_;                              // -D
  Output console_{STDOUT_FILENO, "stdout"};  // -w
  StdinBody stdin_;
  Queue queue_;
  Session session_;
  RequestTemplate template_;
  const std::size_t most_waiting_;
  std::vector<char> piece_;
  std::size_t submitted_ = 0;
  std::size_t printed_ = 0;
  std::deque<Held> held_;  // numbers printed_ to submitted_ - 1
  std::uint64_t kept_ = 0;
  std::size_t waiting_ = 0;
  int exit_code_ = 0;
};

Getter::Getter(const GetOptions& options)
    : options_(options),
      outputs_(options.outputs, options.dump_file, options.repeat),
      queue_(create_queue()),
      session_(open_session(options)),
      template_(options),
      most_waiting_(most_waiting(options)),
      piece_(kPiece) {
  template_.request.queue = queue_.get();
  template_.request.stream = HC_ON;
  dump_ = outputs_.open_dump();
  if (options.upload_file == "-") stdin_.attach(template_.request);
}

int Getter::run() {
  if (options_.timing) write_error(timing_header());
  while (printed_ < count()) {
    while (submitted_ < count() && held_.size() < kMostHeld) submit_next();
    if (!is_next_done()) hc_queue_wait(queue_.get(), HC_FOREVER, nullptr);
    take_answers();
    give_turn();
  }
  for (Output* output : {&dump_, &console_}) {
    output->close();
    if (output->has_failed()) report({kFailed, output->failure()});
  }
  return exit_code_;
}

void Getter::submit_next() {
  Held& held = held_.emplace_back();
  held.url_index = url_index(submitted_);
  held.is_shared = outputs_.is_shared(held.url_index);
  hc_error error = make_error();
  template_.request.url = str(url_of(held));
  template_.request.user_data = reinterpret_cast<void*>(submitted_);
  if (hc_session_submit(session_.get(), &template_.request, &held.id, &error) != HC_OK) {
    held.refusal = error;
    held.is_done = true;
  } else if (options_.upload_file == "-") {
    stdin_.start(session_.get(), held.id);
  }
  ++submitted_;
}

void Getter::take_answers() {
  std::array<hc_completion, 64> items;
  std::size_t count = 0;
  do {
    hc_queue_drain(queue_.get(), items.data(), sizeof items[0], items.size(), &count);
    for (std::size_t i = 0; i < count; ++i) {
      Held& held = held_[reinterpret_cast<std::size_t>(items[i].user_data) - printed_];
      if (items[i].response != nullptr) held.response.reset(items[i].response);
      if (items[i].kind == HC_DONE) held.is_done = true;
      take_body(held);
    }
  } while (count == items.size());
}

void Getter::take_body(Held& held) {
  if (!held.has_head()) return;
  const bool is_turn = &held == &held_.front();
  if (is_turn) open(held);
  if (!held.has_begun && (is_turn || !held.is_shared)) begin(held);
  if (held.has_begun) return write_body(held);
  if (!held.is_done) return keep_body(held);
  if (std::exchange(held.is_waiting, false)) --waiting_;
}

// The output is opened for bodies without a byte, too.
void Getter::begin(Held& held) {
  held.has_begun = true;
  const hc_response_info info = info_of(held.response.get());
  held.is_wanted = refusal_of(info).exit_code == 0;
  if (held.is_wanted) held.output = outputs_.open(held.url_index);
  if (options_.head || options_.include_head)
    write(held, all_heads(info, {"", "\r\n", held.output.reader()}));
  for (std::string& piece : held.kept) {
    write(held, piece);
    kept_ -= piece.size();
    piece = {};
  }
  held.kept.clear();
}

void Getter::write_body(Held& held) {
  if (std::exchange(held.is_waiting, false)) --waiting_;
  for (;;) {
    const std::string_view piece = read_piece(held);
    if (piece.empty()) break;
    write(held, piece);
  }
  if (held.is_done) held.output.close();
}

void Getter::keep_body(Held& held) {
  while (!held.is_waiting) {
    if (kept_ >= kMostKept && waiting_ < most_waiting_) {
      held.is_waiting = true;
      ++waiting_;
      return;
    }
    const std::string_view piece = read_piece(held);
    if (piece.empty()) return;
    keep(held, piece);
  }
}

void Getter::keep(Held& held, std::string_view piece) {
  kept_ += piece.size();
  if (held.kept.empty() || held.kept.back().size() + piece.size() > kPiece) {
    held.kept.emplace_back(piece);
  } else {
    held.kept.back() += piece;
  }
}

// Empty: nothing is here now, or that was all.
std::string_view Getter::read_piece(Held& held) {
  std::size_t count = 0;
  if (hc_response_read(held.response.get(), piece_.data(), piece_.size(), &count) != HC_OK) return {};
  held.received += count;
  return {piece_.data(), count};
}

// Who has nowhere to write to need not receive the rest.
void Getter::write(Held& held, std::string_view text) {
  if (held.is_wanted) held.output.write(text);
  const bool is_dropped_enough = !held.is_wanted && held.received > kMostDropped;
  if (is_dropped_enough || held.output.has_failed()) hc_session_cancel(session_.get(), held.id);
}

Outcome Getter::refusal_of(const hc_response_info& info) const {
  if (options_.fail && info.http_status >= 400) return {kFailedOnStatus, printable(status_line(info))};
  // The library takes 0 for "hand redirects over".
  if (options_.follow && options_.max_redirects == 0 && is_redirect(info)) {
    return {kFailed, "HC_E_TOO_MANY_REDIRECTS: more than 0 redirects (--max-redirs)"};
  }
  return {};
}

void Getter::give_turn() {
  while (!held_.empty()) {
    Held& held = held_.front();
    take_body(held);
    if (!held.is_done) return;
    finish(held);
    held_.pop_front();
    ++printed_;
  }
}

void Getter::open(Held& held) {
  if (std::exchange(held.is_opened, true)) return;
  if (options_.dump_file && held.has_head()) {
    dump_.write(all_heads(info_of(held.response.get()), {"", "\r\n", dump_.reader()}));
  }
  if (!options_.verbose) return;
  const Reader reader = is_terminal(STDERR_FILENO) ? Reader::kTerminal : Reader::kProgram;
  write_error(verbose_opening(url_of(held), options_, held.response.get(), reader));
}

void Getter::finish(Held& held) {
  if (held.response != nullptr) {
    open(held);
    const hc_response_info info = info_of(held.response.get());
    if (options_.verbose) write_error(verbose_closing(info, held.received));
    if (options_.timing) write_error(timing_line(url_of(held), info));
  }
  const Outcome outcome = outcome_of(held);
  if (outcome.exit_code != 0) report({outcome.exit_code, shown_url_of(held) + ": " + outcome.text});
  if (options_.write_out) write_out(held, outcome);
}

Outcome Getter::outcome_of(const Held& held) const {
  if (held.response == nullptr) return {kFailed, error_text(held.refusal, 0)};
  if (held.output.has_failed()) return {kFailed, held.output.failure()};
  const hc_response_info info = info_of(held.response.get());
  const Outcome refusal = refusal_of(info);
  if (refusal.exit_code != 0 || info.status == HC_OK) return refusal;
  // The library knows no more than that its callback failed.
  if (info.status == HC_E_CALLBACK && !stdin_.failure().empty()) return {kFailed, stdin_.failure()};
  return {kFailed, error_text(error_of(held.response.get()), phases_of(info.timing).total)};
}

void Getter::write_out(const Held& held, const Outcome& outcome) {
  Transfer transfer{.url = url_of(held), .method = options_.method_name(), .response = held.response.get()};
  if (transfer.response != nullptr) transfer.info = info_of(transfer.response);
  transfer.received = held.received;
  transfer.exit_code = outcome.exit_code;
  transfer.message = outcome.text;
  const WriteOut::Text text = options_.write_out->of(transfer);
  console_.write(text.out);
  write_error(text.error);
}

std::string Getter::shown_url_of(const Held& held) const {
  return held.response != nullptr ? shown_url(url_of(held)) : shown_doubtful_url(url_of(held));
}

// A request without an answer weighs more than one with a bad status.
void Getter::report(const Outcome& outcome) {
  if (exit_code_ != kFailed) exit_code_ = outcome.exit_code;
  if (options_.shows_errors()) write_error("hcx: " + outcome.text + "\n");
}

}  // namespace

int run_get(const Arguments& arguments) {
  const GetOptions options = parse_get_options(arguments);
  if (options.help) {
    write_out(get_help());
    return 0;
  }
  if (options.outputs.size() > options.urls.size() && !options.silent) {
    write_error("hcx: warning: more outputs than URLs\n");
  }
  std::signal(SIGPIPE, SIG_IGN);  // a reader that is gone is an error of one output
  return Getter(options).run();
}

}  // namespace hc::hcx
