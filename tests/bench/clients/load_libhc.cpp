// GETs through the C interface and one completion queue: URLS OUTSTANDING REQUESTS [KEY=VALUE...]
//
//   URLS              one URL, or several with commas between them
//   per=slot|request  with several: each of the OUTSTANDING keeps to its own, or each request takes the next
//   limit=N           connections; else as many as OUTSTANDING
//   limit_per_host=N
//   address=A         all host names have this address
//   ca_file=F  force_close=1
//   head=bare         neither User-Agent nor Accept-Encoding goes along, as with a libcurl that is told nothing
//   clocks=all|off    all eight clocks run, or none
//   stats_ms=N        read the statistics so often
//   trace=1           with a trace hook that counts its events
//   memory=1          report what an idle connection costs, after a rest, and after malloc_trim()
//   resumed=1         the server answers "r" on a resumed TLS session: report the share
#include <malloc.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "libhc_client.h"

namespace {

using bench::must;

// Until the session has released what only the burst needed.
constexpr unsigned kRestSeconds = 6;

class Load {
 public:
  explicit Load(const bench::Arguments& arguments);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void run();
  void report();

 private:
  void create_session();
  void set_clocks(hc_timeouts& clocks) const;
  void warm_up();
  void submit(size_t slot);
  void drain();
  void take(const hc_completion& completion);

  const bench::Arguments& arguments_;
  const std::vector<std::string> urls_;
  const bool is_per_request_;
  const size_t outstanding_;
  const size_t total_;
  hc_session* session_ = nullptr;
  hc_queue* queue_ = nullptr;
  hc_request request_;
  std::vector<hc_completion> items_;
  size_t submitted_ = 0;
  size_t done_ = 0;
  size_t failed_ = 0;
  size_t resumed_ = 0;
  size_t events_ = 0;  // of the trace; the loop thread's until the session is closed
  double seconds_ = 0;
  bench::Memory before_;
};

Load::Load(const bench::Arguments& arguments)
    : arguments_(arguments),
      urls_(bench::split(arguments.at(0), ',')),
      is_per_request_(arguments.text("per") == "request"),
      outstanding_(static_cast<size_t>(arguments.number(size_t{1}))),
      total_(static_cast<size_t>(arguments.number(size_t{2}))),
      items_(1024) {
  create_session();
  must(hc_queue_create(&queue_, nullptr), "queue");
  must(hc_request_init(&request_, sizeof request_), "init");
  request_.queue = queue_;
  if (arguments_.has("memory")) warm_up();
}

Load::~Load() {
  hc_session_close(session_, 0);
  hc_session_free(session_);
  hc_queue_close(queue_);
}

void Load::create_session() {
  hc_session_options options;
  must(hc_session_options_init(&options, sizeof options), "init");
  options.limit = static_cast<uint64_t>(arguments_.number("limit", static_cast<long>(outstanding_)));
  if (arguments_.has("limit_per_host")) {
    options.limit_per_host = static_cast<uint64_t>(arguments_.number("limit_per_host", 0));
  }
  if (arguments_.has("force_close")) options.force_close = HC_ON;
  if (arguments_.text("head") == "bare") {
    options.user_agent = HC_STR("");
    options.decompress = HC_OFF;
  }
  const std::string ca_file = arguments_.text("ca_file");
  if (!ca_file.empty()) options.ca_file = bench::view(ca_file);
  if (arguments_.has("trace")) {
    options.on_trace_data = &events_;
    options.on_trace = [](const hc_trace_event*, void* count) { ++*static_cast<size_t*>(count); };
  }
  set_clocks(options.timeouts);
  must(hc_session_create(&session_, &options, nullptr), "create");
  if (!arguments_.has("address")) return;
  const std::string text = arguments_.text("address");
  const hc_str address = bench::view(text);
  for (const std::string& url : urls_) {
    const std::string host = bench::host_of(url);
    must(hc_session_resolve_add(session_, bench::view(host), 0, &address, 1, nullptr), "resolve_add");
  }
}

void Load::set_clocks(hc_timeouts& clocks) const {
  if (!arguments_.has("clocks")) return;
  const uint64_t ms = arguments_.text("clocks") == "all" ? 3'600'000 : 0;
  clocks = {ms, ms, ms, ms, ms, ms, ms, ms};
}

// So that what the first request alone needs does not count as the connections' memory.
void Load::warm_up() {
  hc_request request = request_;
  request.queue = nullptr;
  request.url = bench::view(urls_.front());
  hc_response* response = nullptr;
  must(hc_session_perform(session_, &request, &response, nullptr), "perform");
  hc_response_free(response);
  before_ = bench::Memory::now();
}

void Load::submit(size_t slot) {
  request_.url = bench::view(urls_[(is_per_request_ ? submitted_ : slot) % urls_.size()]);
  request_.user_data = reinterpret_cast<void*>(static_cast<uintptr_t>(slot));
  must(hc_session_submit(session_, &request_, nullptr, nullptr), "submit");
  ++submitted_;
}

void Load::run() {
  const double stats_every = static_cast<double>(arguments_.number("stats_ms", 0)) / 1000;
  double stats_next = stats_every;
  bench::Stopwatch watch;
  while (submitted_ < outstanding_ && submitted_ < total_) submit(submitted_);
  while (done_ < total_) {
    must(hc_queue_wait(queue_, HC_FOREVER, nullptr), "wait");
    drain();
    if (stats_every == 0 || watch.seconds() < stats_next) continue;
    bench::stats_of(session_);
    stats_next += stats_every;
  }
  seconds_ = watch.seconds();
}

void Load::drain() {
  size_t count = 0;
  must(hc_queue_drain(queue_, items_.data(), sizeof items_[0], items_.size(), &count), "drain");
  for (size_t i = 0; i < count; ++i) {
    take(items_[i]);
    if (submitted_ < total_) submit(static_cast<size_t>(reinterpret_cast<uintptr_t>(items_[i].user_data)));
  }
}

void Load::take(const hc_completion& completion) {
  ++done_;
  if (completion.status != HC_OK || completion.http_status != 200) {
    if (failed_++ == 0) {
      hc_error error;
      hc_error_init(&error, sizeof error);
      hc_response_error(completion.response, &error);
      std::fprintf(stderr, "first failure: %d %s %s\n", completion.http_status, hc_status_name(error.status),
                   error.message);
    }
  } else if (completion.body.len > 0 && completion.body.data[0] == 'r') {
    ++resumed_;
  }
  hc_response_free(completion.response);
}

void Load::report() {
  if (failed_ > 0) bench::die(std::to_string(failed_) + " requests failed");
  const hc_stats stats = bench::stats_of(session_);
  bench::Report report;
  report.add("requests", static_cast<double>(done_));
  report.add("seconds", seconds_);
  report.add("sockets_opened", static_cast<double>(stats.sockets_opened));
  report.add("loop_busy_s", static_cast<double>(stats.loop_busy_ns) / 1e9);
  report.add("requests_per_turn", static_cast<double>(done_) / static_cast<double>(stats.loop_turns));
  if (arguments_.has("resumed")) {
    report.add("resumed_share", static_cast<double>(resumed_) / static_cast<double>(done_));
  }
  if (arguments_.has("memory")) {
    sleep(kRestSeconds);
    const bench::Memory after = bench::Memory::now();
    const auto added = static_cast<double>(stats.sockets_idle) - 1;
    report.add("sockets_idle", static_cast<double>(stats.sockets_idle));
    report.add("bytes_per_connection", (after.resident - before_.resident) / added);
    report.add("malloc_bytes_per_connection", (after.allocated - before_.allocated) / added);
    malloc_trim(0);
    report.add("trimmed_bytes_per_connection", (bench::Memory::now().resident - before_.resident) / added);
  }
  report.print();
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv, 3);
  Load load(arguments);
  load.run();
  load.report();
  return 0;
}
