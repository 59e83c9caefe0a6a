// hcx get: fetches URLs, all at once, and prints them in order.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "hcx/abi.h"
#include "hcx/commands.h"
#include "hcx/format.h"
#include "hcx/get_options.h"
#include "hcx/get_print.h"
#include "hcx/get_session.h"
#include "hcx/option_parser.h"
#include "hcx/terminal.h"
#include "hcx/url_text.h"

namespace hc::hcx {

namespace {

constexpr int kFailedOnStatus = 22;        // curl's number for -f
constexpr std::size_t kMostHeld = 10'000;  // submitted or answered, and not printed yet

struct FileClose {
  void operator()(std::FILE* file) const {
    if (file != stdout) std::fclose(file);
  }
};

/// Where bodies go; a file is emptied when it is first written to.
class Outputs {
 public:
  explicit Outputs(const std::vector<std::string>& names) : names_(names) {}

  void write(std::size_t url_index, std::string_view text) {
    const std::string name = url_index < names_.size() ? names_[url_index] : "-";
    std::FILE* file = open(name);
    if (std::fwrite(text.data(), 1, text.size(), file) != text.size() || std::fflush(file) != 0) fail(name);
  }

 private:
  using File = std::unique_ptr<std::FILE, FileClose>;

  std::FILE* open(const std::string& name) {
    File& file = files_[name];
    if (!file) file.reset(name == "-" ? stdout : std::fopen(name.c_str(), "wb"));
    if (!file) fail(name);
    return file.get();
  }
  [[noreturn]] static void fail(const std::string& name) {
    throw std::runtime_error("cannot write " + (name == "-" ? "stdout" : name) + ": " + std::strerror(errno));
  }

  const std::vector<std::string>& names_;
  std::map<std::string, File> files_;
};

/// Requests in the order of printing: submitted, then answered, then printed.
class Getter {
 public:
  explicit Getter(const GetOptions& options);
  int run();

 private:
  struct Held {
    Response response;   // null: not there yet
    hc_error refusal{};  // of the submit; HC_OK: it was accepted
    bool is_done = false;
    bool is_saved = false;    // its body goes into a file as it comes
    bool has_begun = false;   // to go there
    std::uint64_t saved = 0;  // bytes of it
  };

  std::size_t count() const { return options_.urls.size() * options_.repeat; }
  std::size_t url_index(std::size_t number) const { return number / options_.repeat; }
  bool is_next_there() const {
    return !held_.empty() && (held_.front().is_done || held_.front().refusal.status != HC_OK);
  }
  void submit_next();
  bool can_save(std::size_t index) const;
  void take_answers();
  void save(std::size_t index, Held& held);
  void begin_saving(std::size_t index, Held& held);
  void print_next();
  void print_answer(const std::string& url, const Held& held, const hc_response_info& info);
  bool is_refused(int http_status) const { return options_.fail && http_status >= 400; }
  void report(int exit_code, const std::string& text);

  const GetOptions& options_;
  Outputs outputs_;
  Queue queue_;
  Session session_;
  RequestTemplate template_;
  std::size_t submitted_ = 0;
  std::size_t printed_ = 0;
  std::deque<Held> held_;  // numbers printed_ to submitted_ - 1
  int exit_code_ = 0;
};

Getter::Getter(const GetOptions& options)
    : options_(options),
      outputs_(options.outputs),
      queue_(create_queue()),
      session_(open_session(options)),
      template_(options) {
  template_.request.queue = queue_.get();
}

int Getter::run() {
  if (options_.timing) write_error(timing_header());
  while (printed_ < count()) {
    while (submitted_ < count() && held_.size() < kMostHeld) submit_next();
    if (!is_next_there()) hc_queue_wait(queue_.get(), HC_FOREVER, nullptr);
    take_answers();
    while (is_next_there()) print_next();
  }
  return exit_code_;
}

void Getter::submit_next() {
  Held held;
  held.is_saved = can_save(url_index(submitted_));
  hc_error error = make_error();
  template_.request.url = str(options_.urls[url_index(submitted_)]);
  template_.request.stream = held.is_saved ? HC_ON : HC_OFF;
  template_.request.user_data = reinterpret_cast<void*>(submitted_);
  if (hc_session_submit(session_.get(), &template_.request, nullptr, &error) != HC_OK) held.refusal = error;
  held_.push_back(std::move(held));
  ++submitted_;
}

void Getter::take_answers() {
  std::array<hc_completion, 64> items;
  std::size_t count = 0;
  do {
    hc_queue_drain(queue_.get(), items.data(), sizeof items[0], items.size(), &count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t number = reinterpret_cast<std::size_t>(items[i].user_data);
      Held& held = held_[number - printed_];
      if (items[i].response != nullptr) held.response.reset(items[i].response);
      if (held.is_saved) save(url_index(number), held);
      held.is_done = items[i].kind == HC_DONE;
    }
  } while (count == items.size());
}

// What is printed, or shares its file with another one, has to wait for its turn.
bool Getter::can_save(std::size_t index) const {
  if (index >= options_.outputs.size() || options_.repeat > 1) return false;
  const std::string& name = options_.outputs[index];
  return name != "-" && std::count(options_.outputs.begin(), options_.outputs.end(), name) == 1;
}

// What has come of a body. Of one that --fail does not want, too, which goes nowhere.
void Getter::save(std::size_t index, Held& held) {
  const int http_status = hc_response_http_status(held.response.get());
  if (http_status == 0) return;
  if (!std::exchange(held.has_begun, true) && !is_refused(http_status)) begin_saving(index, held);
  std::vector<char> piece(256 << 10);
  for (;;) {
    std::size_t count = 0;
    const hc_status status = hc_response_read(held.response.get(), piece.data(), piece.size(), &count);
    if (status != HC_OK || count == 0) return;
    if (!is_refused(http_status)) outputs_.write(index, {piece.data(), count});
    held.saved += count;
  }
}

void Getter::begin_saving(std::size_t index, Held& held) {
  const bool with_head = options_.head || options_.include_head;
  outputs_.write(index, with_head ? response_head(info_of(held.response.get()), "", "\r\n") : "");
}

void Getter::print_next() {
  const Held held = std::move(held_.front());
  const std::string& url = options_.urls[url_index(printed_)];
  if (held.response == nullptr) {
    report(1, error_text(url, held.refusal, 0));
  } else {
    hc_response_info info = info_of(held.response.get());
    if (held.is_saved) info.body.len = held.saved;  // for those who tell how long it is
    if (options_.verbose) write_error(verbose_text(url, options_, info));
    if (options_.timing) write_error(timing_line(url, info));
    if (info.status == HC_OK) {
      print_answer(url, held, info);
    } else {
      report(1, error_text(url, error_of(held.response.get()), phases_of(info.timing).total));
    }
  }
  held_.pop_front();
  ++printed_;
}

void Getter::print_answer(const std::string& url, const Held& held, const hc_response_info& info) {
  if (is_refused(info.http_status)) {
    return report(kFailedOnStatus, shown_url(url) + ": " + status_line(info));
  }
  if (held.is_saved) return;
  const std::size_t index = url_index(printed_);
  if (options_.head || options_.include_head) outputs_.write(index, response_head(info, "", "\r\n"));
  outputs_.write(index, view(info.body));
}

// A request without an answer weighs more than one with a bad status.
void Getter::report(int exit_code, const std::string& text) {
  if (exit_code_ != 1) exit_code_ = exit_code;
  if (!options_.silent) write_error("hcx: " + text + "\n");
}

}  // namespace

int run_get(const Arguments& arguments) {
  const GetOptions options = parse_get_options(arguments);
  if (options.help) {
    write_out(get_help());
    return 0;
  }
  return Getter(options).run();
}

}  // namespace hc::hcx
