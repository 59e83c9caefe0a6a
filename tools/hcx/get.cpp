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
  void add_overrides();
  void prepare_request();
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
  std::vector<hc_header> headers_;
  hc_request request_;
  std::size_t submitted_ = 0;
  std::size_t printed_ = 0;
  std::deque<Held> held_;  // numbers printed_ to submitted_ - 1
  int exit_code_ = 0;
};

void set_if_given(const std::string& text, hc_str* option) {
  if (!text.empty()) *option = str(text);
}

Tls tls_of(const GetOptions& given) {
  hc_tls_options options = make_tls_options();
  if (given.insecure) options.verify = HC_OFF;
  if (given.tls_1_3) options.min_version = HC_TLS_1_3;
  if (!given.insecure) set_if_given(given.ca_file, &options.ca_file);
  set_if_given(given.certificate_file, &options.certificate_file);
  set_if_given(given.key_file, &options.key_file);
  set_if_given(given.key_password, &options.key_password);
  set_if_given(given.server_name, &options.server_name);
  std::vector<hc_str> pins;
  for (const std::string& pin : given.pins) pins.push_back(str(pin));
  options.pins = pins.data();
  options.pin_count = pins.size();
  return create_tls(options);
}

hc_session_options session_options_of(const GetOptions& given) {
  hc_session_options options = make_session_options();
  options.limit = given.limit;
  options.limit_per_host = given.limit_per_host;
  options.family = given.family;
  options.timeouts.total_ms = given.total_timeout_ms;
  options.timeouts.connect_ms = given.connect_timeout_ms;
  options.max_redirects = given.follow ? given.max_redirects : 0;
  options.decompress = given.compressed ? HC_ON : HC_OFF;
  if (given.trust_env) options.trust_env = HC_ON;
  if (given.public_only) options.public_only = HC_ON;
  set_if_given(given.nameservers, &options.nameservers);
  set_if_given(given.proxy, &options.proxy);
  set_if_given(given.no_proxy, &options.no_proxy);
  set_if_given(given.unix_path, &options.unix_path);
  return options;
}

Session session_of(const GetOptions& given, const hc_tls* tls) {
  hc_session_options options = session_options_of(given);
  options.tls = tls;
  std::vector<hc_header> headers;
  for (const HeaderArgument& header : given.proxy_headers)
    headers.push_back({str(header.name), str(header.value)});
  options.proxy_headers = headers.data();
  options.proxy_header_count = headers.size();
  return create_session(options);
}

Getter::Getter(const GetOptions& options)
    : options_(options),
      outputs_(options.outputs),
      queue_(create_queue()),
      session_(session_of(options, tls_of(options).get())),
      request_(make_request()) {
  add_overrides();
  prepare_request();
}

void Getter::add_overrides() {
  for (const ResolveArgument& resolve : options_.resolves) {
    std::vector<hc_str> addresses;
    for (const std::string& address : resolve.addresses) addresses.push_back(str(address));
    hc_error error = make_error();
    if (hc_session_resolve_add(session_.get(), str(resolve.host), resolve.port, addresses.data(),
                               addresses.size(), &error) != HC_OK) {
      throw UsageError("--resolve: " + std::string(error.message));
    }
  }
}

void Getter::prepare_request() {
  for (const HeaderArgument& header : options_.headers) {
    headers_.push_back({str(header.name), header.is_removal ? hc_str{nullptr, 0} : str(header.value)});
  }
  if (options_.body && !options_.has_header("Content-Type")) {
    headers_.push_back({HC_STR("Content-Type"), HC_STR("application/x-www-form-urlencoded")});
  }
  request_.method = str(options_.method_name());
  request_.headers = headers_.data();
  request_.header_count = headers_.size();
  if (options_.body) request_.body = str(*options_.body);
  request_.body_kind = HC_BODY_BORROWED;
  if (!options_.upload_file.empty()) {
    request_.body_kind = HC_BODY_FILE;
    request_.body_path = str(options_.upload_file);
  }
  if (!options_.user.empty()) {
    request_.username = str(options_.user);
    request_.password = str(options_.password);
  }
  request_.queue = queue_.get();
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
  request_.url = str(options_.urls[url_index(submitted_)]);
  request_.stream = held.is_saved ? HC_ON : HC_OFF;
  request_.user_data = reinterpret_cast<void*>(submitted_);
  if (hc_session_submit(session_.get(), &request_, nullptr, &error) != HC_OK) held.refusal = error;
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
