// The baseline: GETs through libcurl's multi_socket_action and epoll, as one would write it; handles are used again.
// URLS CONCURRENCY REQUESTS READD [KEY=VALUE...]
//
//   READD               0: a finished handle is added again as it is; 1: it is reset first; 2: a new one each time
//   URLS                one URL, or several with commas between them
//   per=slot|request    with several: each handle keeps to its own, or each request takes the next
//   max_total=N         CURLMOPT_MAX_TOTAL_CONNECTIONS
//   address=A           all host names have this address
//   ca_file=F  force_close=1
//   discard=1           bodies are counted, not kept
//   upload=N            POST so many bytes, given by a callback
//   buffer=N            CURLOPT_BUFFERSIZE and CURLOPT_UPLOAD_BUFFERSIZE
#include <curl/curl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client.h"

namespace {

struct Slot {
  std::string body;
  size_t number = 0;
  size_t discarded = 0;
  size_t left_to_send = 0;
};

class CurlMulti {
 public:
  explicit CurlMulti(const bench::Arguments& arguments);

  void run();
  void report() const;

 private:
  static size_t on_body(char* data, size_t size, size_t count, void* slot);
  static size_t on_discarded(char* data, size_t size, size_t count, void* slot);
  static size_t on_upload(char* data, size_t size, size_t count, void* slot);
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
  static int on_timer(CURLM* multi, long ms, void* self);

  void prepare(CURL* easy, Slot& slot);
  void prepare_variant(CURL* easy);
  void prepare_large(CURL* easy, Slot& slot);
  void start(CURL* easy);
  void wait();
  void take_finished();
  void again(CURL* easy, Slot& slot);
  const std::string& url_for(const Slot& slot) const;

  const bench::Arguments& arguments_;
  const std::vector<std::string> urls_;
  const long concurrency_;
  const long total_;
  const long readd_;
  const bool is_per_request_;
  const std::string ca_file_;
  const size_t upload_;
  int epoll_ = epoll_create1(0);
  CURLM* multi_ = curl_multi_init();
  curl_slist* addresses_ = nullptr;
  std::vector<Slot> slots_;
  long timeout_ms_ = -1;
  long started_ = 0;
  long done_ = 0;
  long failed_ = 0;
  size_t bytes_ = 0;
  double seconds_ = 0;
};

CurlMulti::CurlMulti(const bench::Arguments& arguments)
    : arguments_(arguments),
      urls_(bench::split(arguments.at(0), ',')),
      concurrency_(arguments.number(size_t{1})),
      total_(arguments.number(size_t{2})),
      readd_(arguments.number(size_t{3})),
      is_per_request_(arguments.text("per") == "request"),
      ca_file_(arguments.text("ca_file")),
      upload_(static_cast<size_t>(arguments.number("upload", 0))),
      slots_(static_cast<size_t>(concurrency_)) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, concurrency_ * 2);
  if (arguments.has("max_total")) {
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, arguments.number("max_total", 0));
  }
  if (!arguments.has("address")) return;
  for (const std::string& url : urls_) {
    const size_t begin = url.find("://") + 3;
    const std::string host_and_port = url.substr(begin, url.find('/', begin) - begin);
    addresses_ = curl_slist_append(addresses_, (host_and_port + ":" + arguments.text("address")).c_str());
  }
}

size_t CurlMulti::on_body(char* data, size_t size, size_t count, void* slot) {
  static_cast<Slot*>(slot)->body.append(data, size * count);
  return size * count;
}

size_t CurlMulti::on_discarded(char*, size_t size, size_t count, void* slot) {
  static_cast<Slot*>(slot)->discarded += size * count;
  return size * count;
}

size_t CurlMulti::on_upload(char* data, size_t size, size_t count, void* self) {
  static const std::vector<char> zeros(1 << 20);
  auto& slot = *static_cast<Slot*>(self);
  const size_t given = std::min({size * count, zeros.size(), slot.left_to_send});
  std::memcpy(data, zeros.data(), given);
  slot.left_to_send -= given;
  return given;
}

int CurlMulti::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  const int epoll = static_cast<CurlMulti*>(self)->epoll_;
  epoll_event event{};
  event.data.fd = fd;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event);
    return 0;
  }
  event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) < 0) epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  return 0;
}

int CurlMulti::on_timer(CURLM*, long ms, void* self) {
  static_cast<CurlMulti*>(self)->timeout_ms_ = ms;
  return 0;
}

const std::string& CurlMulti::url_for(const Slot& slot) const {
  return urls_[(is_per_request_ ? static_cast<size_t>(started_) : slot.number) % urls_.size()];
}

void CurlMulti::prepare(CURL* easy, Slot& slot) {
  curl_easy_setopt(easy, CURLOPT_URL, url_for(slot).c_str());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &slot);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &slot);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 300000L);
  prepare_variant(easy);
  prepare_large(easy, slot);
}

// Nothing of this in the plain keep-alive runs. The addresses of the names go into the multi handle's cache once.
void CurlMulti::prepare_variant(CURL* easy) {
  if (addresses_ != nullptr) {
    if (started_ == 0) curl_easy_setopt(easy, CURLOPT_RESOLVE, addresses_);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
  }
  if (!ca_file_.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file_.c_str());
  if (arguments_.has("force_close")) curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

void CurlMulti::prepare_large(CURL* easy, Slot& slot) {
  if (arguments_.has("discard")) curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_discarded);
  if (arguments_.has("buffer")) {
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, arguments_.number("buffer", 0));
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, arguments_.number("buffer", 0));
  }
  if (upload_ == 0) return;
  slot.left_to_send = upload_;
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(upload_));
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
  curl_easy_setopt(easy, CURLOPT_READDATA, &slot);
}

void CurlMulti::start(CURL* easy) {
  curl_multi_add_handle(multi_, easy);
  ++started_;
}

void CurlMulti::run() {
  const bench::Stopwatch watch;
  for (long i = 0; i < concurrency_ && started_ < total_; ++i) {
    CURL* easy = curl_easy_init();
    Slot& slot = slots_[static_cast<size_t>(i)];
    slot.number = static_cast<size_t>(i);
    prepare(easy, slot);
    start(easy);
  }
  while (done_ < total_) {
    wait();
    take_finished();
  }
  seconds_ = watch.seconds();
}

void CurlMulti::wait() {
  epoll_event events[256];
  int running = 0;
  const int count = epoll_wait(epoll_, events, 256, timeout_ms_ < 0 ? 1000 : static_cast<int>(timeout_ms_));
  if (count == 0 || timeout_ms_ == 0) {
    timeout_ms_ = -1;
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  for (int i = 0; i < count; ++i) {
    const uint32_t happened = events[i].events;
    const int what = ((happened & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
                     ((happened & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                     ((happened & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(multi_, events[i].data.fd, what, &running);
  }
}

void CurlMulti::take_finished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    if (message->data.result != CURLE_OK) {
      std::fprintf(stderr, "%s\n", curl_easy_strerror(message->data.result));
      ++failed_;
    }
    Slot* slot = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
    bytes_ += slot->body.size() + std::exchange(slot->discarded, 0) + upload_;
    slot->body.clear();
    slot->left_to_send = upload_;
    curl_multi_remove_handle(multi_, easy);
    ++done_;
    if (started_ < total_) again(easy, *slot);
  }
}

void CurlMulti::again(CURL* easy, Slot& slot) {
  if (readd_ == 2) {
    curl_easy_cleanup(easy);
    easy = curl_easy_init();
    prepare(easy, slot);
  } else if (readd_ == 1) {
    curl_easy_reset(easy);
    prepare(easy, slot);
  } else if (is_per_request_) {
    curl_easy_setopt(easy, CURLOPT_URL, url_for(slot).c_str());
  }
  start(easy);
}

void CurlMulti::report() const {
  if (failed_ > 0) bench::die(std::to_string(failed_) + " requests failed");
  bench::Report report;
  report.add("requests", static_cast<double>(done_));
  report.add("seconds", seconds_);
  report.add("body_bytes", static_cast<double>(bytes_));
  report.add("mb_per_s", static_cast<double>(bytes_) / seconds_ / 1e6);
  report.print();
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv, 4);
  curl_global_init(CURL_GLOBAL_ALL);
  CurlMulti client(arguments);
  client.run();
  client.report();
  return 0;
}
