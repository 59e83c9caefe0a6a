// Large bodies through the C interface: URL CONCURRENCY REQUESTS [KEY=VALUE...]
//
//   read=wait|queue|callback   the thread that reads waits in hc_response_wait() (CONCURRENCY must be 1), or for HC_BODY
//                     in a completion queue; or a callback reads on the loop thread
//   upload=N          POST so many bytes, given by a callback, and take the answer whole
//   body_window=N  decompress=off
//   ca_file=F
#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "libhc_client.h"

namespace {

using bench::must;

class Bodies {
 public:
  explicit Bodies(const bench::Arguments& arguments);
  ~Bodies();
  Bodies(const Bodies&) = delete;
  Bodies& operator=(const Bodies&) = delete;

  void run();
  void report() const;

 private:
  /// A request under way.
  struct Slot {
    Bodies* bodies = nullptr;
    hc_response* response = nullptr;
    uint64_t left_to_send = 0;
  };

  static void on_done(const hc_completion* news, void* self) noexcept;
  static hc_status on_body(void* buffer, size_t capacity, size_t* count, void* slot);

  void create_session(const bench::Arguments& arguments);
  void run_waiting();
  void run_queued();
  void run_called();
  void prepare(Slot& slot);
  void submit(Slot& slot);
  void on_news(const hc_completion& news);
  bool read(hc_response* response);
  void done(hc_response* response);

  const std::string url_;
  const std::string ca_file_;
  const uint64_t upload_;
  const std::string read_;
  const size_t total_;
  std::vector<Slot> slots_;
  hc_session* session_ = nullptr;
  hc_queue* queue_ = nullptr;
  hc_request request_;
  size_t submitted_ = 0;
  size_t done_ = 0;
  uint64_t bytes_ = 0;
  double seconds_ = 0;
  std::mutex mutex_;  // with callbacks: guards what the two threads share
  std::condition_variable all_done_;
};

Bodies::Bodies(const bench::Arguments& arguments)
    : url_(arguments.at(0)),
      ca_file_(arguments.text("ca_file")),
      upload_(static_cast<uint64_t>(arguments.number("upload", 0))),
      read_(arguments.text("read")),
      total_(static_cast<size_t>(arguments.number(size_t{2}))),
      slots_(static_cast<size_t>(arguments.number(size_t{1}))) {
  create_session(arguments);
  must(hc_queue_create(&queue_, nullptr), "queue");
  must(hc_request_init(&request_, sizeof request_), "init");
  request_.url = bench::view(url_);
  if (upload_ > 0) {
    request_.method = HC_STR("POST");
    request_.body_kind = HC_BODY_PULLED;
    request_.body_length = upload_;
    request_.on_body = on_body;
  } else {
    request_.stream = HC_ON;
  }
}

Bodies::~Bodies() {
  hc_session_close(session_, 0);
  hc_session_free(session_);
  hc_queue_close(queue_);
}

void Bodies::create_session(const bench::Arguments& arguments) {
  hc_session_options options;
  must(hc_session_options_init(&options, sizeof options), "init");
  options.limit = slots_.size();
  if (arguments.text("decompress") == "off") options.decompress = HC_OFF;
  if (!ca_file_.empty()) options.ca_file = bench::view(ca_file_);
  if (arguments.has("body_window")) {
    options.body_window = static_cast<uint64_t>(arguments.number("body_window", 0));
  }
  must(hc_session_create(&session_, &options, nullptr), "create");
}

// What it gives is there already, as with the baseline: making it is not what is measured.
hc_status Bodies::on_body(void* buffer, size_t capacity, size_t* count, void* self) {
  static const std::vector<char> zeros(1 << 20);
  auto& slot = *static_cast<Slot*>(self);
  *count = std::min({capacity, zeros.size(), static_cast<size_t>(slot.left_to_send)});
  std::memcpy(buffer, zeros.data(), *count);
  slot.left_to_send -= *count;
  return HC_OK;
}

void Bodies::run() {
  const bench::Stopwatch watch;
  if (read_ == "wait") {
    run_waiting();
  } else if (read_ == "callback") {
    run_called();
  } else {
    run_queued();
  }
  seconds_ = watch.seconds();
}

void Bodies::prepare(Slot& slot) {
  slot.left_to_send = upload_;
  request_.body_data = &slot;
  ++submitted_;
}

void Bodies::run_waiting() {
  while (done_ < total_) {
    prepare(slots_.front());
    hc_response* response = nullptr;
    must(hc_session_perform(session_, &request_, &response, nullptr), "perform");
    while (upload_ == 0 && read(response)) must(hc_response_wait(response, HC_FOREVER), "wait");
    done(response);
  }
}

void Bodies::run_queued() {
  request_.queue = queue_;
  std::vector<hc_completion> items(256);
  for (Slot& slot : slots_) {
    if (submitted_ < total_) submit(slot);
  }
  while (done_ < total_) {
    must(hc_queue_wait(queue_, HC_FOREVER, nullptr), "wait");
    size_t count = 0;
    must(hc_queue_drain(queue_, items.data(), sizeof items[0], items.size(), &count), "drain");
    for (size_t i = 0; i < count; ++i) on_news(items[i]);
  }
}

// What follows a submit happens on the loop thread, but for the first ones.
void Bodies::run_called() {
  request_.on_done = on_done;
  for (Slot& slot : slots_) slot.bodies = this;
  const size_t first = std::min(slots_.size(), total_);
  std::unique_lock lock(mutex_);
  for (size_t i = 0; i < first; ++i) submit(slots_[i]);
  all_done_.wait(lock, [this] { return done_ == total_; });
}

void Bodies::on_done(const hc_completion* news, void* slot) noexcept {
  Bodies& bodies = *static_cast<Slot*>(slot)->bodies;
  std::lock_guard lock(bodies.mutex_);
  bodies.on_news(*news);
  if (bodies.done_ == bodies.total_) bodies.all_done_.notify_one();
}

void Bodies::submit(Slot& slot) {
  prepare(slot);
  request_.user_data = &slot;
  must(hc_session_submit(session_, &request_, nullptr, nullptr), "submit");
}

void Bodies::on_news(const hc_completion& news) {
  auto& slot = *static_cast<Slot*>(news.user_data);
  if (news.response != nullptr) slot.response = news.response;
  must(news.status, "request");
  if (upload_ == 0) read(slot.response);
  if (news.kind != HC_DONE) return;
  done(std::exchange(slot.response, nullptr));
  if (submitted_ < total_) submit(slot);
}

// False: that was the end.
bool Bodies::read(hc_response* response) {
  hc_chunk chunk{};
  chunk.struct_size = sizeof chunk;
  for (;;) {
    const hc_status status = hc_response_take(response, &chunk);
    if (status == HC_E_AGAIN) return true;
    must(status, "take");
    if (chunk.block == nullptr) return false;
    bytes_ += chunk.bytes.len;
    hc_block_free(chunk.block);
  }
}

void Bodies::done(hc_response* response) {
  const int32_t http_status = hc_response_http_status(response);
  if (http_status != 200) bench::die("status " + std::to_string(http_status));
  bytes_ += upload_;
  ++done_;
  hc_response_free(response);
}

void Bodies::report() const {
  const hc_stats stats = bench::stats_of(session_);
  bench::Report report;
  report.add("requests", static_cast<double>(done_));
  report.add("seconds", seconds_);
  report.add("mb_per_s", static_cast<double>(bytes_) / seconds_ / 1e6);
  report.add("body_bytes", static_cast<double>(bytes_));
  report.add("kb_per_turn", static_cast<double>(bytes_) / static_cast<double>(stats.loop_turns) / 1000);
  report.add("loop_busy_s", static_cast<double>(stats.loop_busy_ns) / 1e9);
  report.print();
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv, 3);
  Bodies bodies(arguments);
  bodies.run();
  bodies.report();
  return 0;
}
