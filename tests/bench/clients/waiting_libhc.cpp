// How fast one thread submits, and what a waiting request costs: COUNT SECONDS
//
// Requests with URLs of 60 bytes, all different, and three headers go to a server that never answers, through a
// session with one connection, until COUNT wait; again with a new session until SECONDS have gone into submitting.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <ctime>
#include <string>
#include <vector>

#include "libhc_client.h"

namespace {

using bench::must;

constexpr size_t kUrlBytes = 60;

/// Its backlog takes the one connection; nobody accepts it.
class SilentServer {
 public:
  SilentServer() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (bind(fd_, any, length) != 0 || listen(fd_, 16) != 0 || getsockname(fd_, any, &length) != 0) {
      bench::die("cannot listen");
    }
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { close(fd_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  int port() const { return port_; }

 private:
  int fd_;
  int port_ = 0;
};

std::vector<std::string> make_urls(size_t count, int port) {
  std::vector<std::string> urls(count);
  for (size_t i = 0; i < count; ++i) {
    urls[i] =
        "http://127.0.0.1:" + std::to_string(port) + "/items/" + std::to_string(1'000'000 + i) + "?fields=";
    urls[i].resize(kUrlBytes, 'a');
  }
  return urls;
}

/// Of this thread, so that others who use the machine do not count.
double thread_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

class Rounds {
 public:
  explicit Rounds(size_t count);
  ~Rounds() { hc_queue_close(queue_); }
  Rounds(const Rounds&) = delete;
  Rounds& operator=(const Rounds&) = delete;

  double submitting() const { return submitting_; }
  void run();
  void report() const;

 private:
  void submit_all(hc_session* session);
  void wait_until_all_wait(hc_session* session);
  void end(hc_session* session);
  double own_bytes() const;

  const size_t count_;
  SilentServer server_;
  const std::vector<std::string> urls_;
  const std::array<hc_header, 3> headers_{
      hc_header{HC_STR("Accept"), HC_STR("application/json")},
      hc_header{HC_STR("Authorization"), HC_STR("Bearer 0123456789abcdef0123456789abcdef")},
      hc_header{HC_STR("X-Request-Id"), HC_STR("6f1c2b7e-4d0a-4c5e-9b3f-8a7d6e5c4b3a")}};
  hc_queue* queue_ = nullptr;
  hc_request request_;
  std::vector<hc_completion> items_;
  size_t rounds_ = 0;
  double submitting_ = 0;  // seconds, of all rounds
  double submitting_cpu_ = 0;
  double settling_ = 0;  // until the loop had put them all in line
  double resident_ = 0;  // bytes that the first round added
  double allocated_ = 0;
};

Rounds::Rounds(size_t count) : count_(count), urls_(make_urls(count, server_.port())), items_(1024) {
  must(hc_queue_create(&queue_, nullptr), "queue");
  must(hc_request_init(&request_, sizeof request_), "init");
  request_.queue = queue_;
  request_.headers = headers_.data();
  request_.header_count = headers_.size();
}

void Rounds::run() {
  hc_session_options options;
  must(hc_session_options_init(&options, sizeof options), "init");
  options.limit = 1;
  hc_session* session = nullptr;
  must(hc_session_create(&session, &options, nullptr), "create");
  const bench::Memory before = bench::Memory::now();
  const double cpu_before = thread_cpu_seconds();
  const bench::Stopwatch watch;
  submit_all(session);
  submitting_ += watch.seconds();
  submitting_cpu_ += thread_cpu_seconds() - cpu_before;
  wait_until_all_wait(session);
  settling_ += watch.seconds();
  if (rounds_++ == 0) {
    const bench::Memory after = bench::Memory::now();
    resident_ = after.resident - before.resident;
    allocated_ = after.allocated - before.allocated;
  }
  end(session);
}

void Rounds::submit_all(hc_session* session) {
  for (const std::string& url : urls_) {
    request_.url = bench::view(url);
    must(hc_session_submit(session, &request_, nullptr, nullptr), "submit");
  }
}

void Rounds::wait_until_all_wait(hc_session* session) {
  while (bench::stats_of(session).waiting < count_ - 1) usleep(200);
}

void Rounds::end(hc_session* session) {
  hc_session_close(session, 0);
  hc_session_free(session);
  for (size_t count = 1; count > 0;) {
    must(hc_queue_drain(queue_, items_.data(), sizeof items_[0], items_.size(), &count), "drain");
    for (size_t i = 0; i < count; ++i) hc_response_free(items_[i].response);
  }
}

double Rounds::own_bytes() const {
  size_t bytes = kUrlBytes;
  for (const hc_header& header : headers_) bytes += header.name.len + header.value.len;
  return static_cast<double>(bytes);
}

void Rounds::report() const {
  const auto all = static_cast<double>(count_ * rounds_);
  const auto waiting = static_cast<double>(count_);
  bench::Report report;
  report.add("requests", all);
  report.add("seconds", submitting_);
  report.add("settled_per_s", all / settling_);
  report.add("submit_cpu_us", submitting_cpu_ / all * 1e6);
  report.add("own_bytes", own_bytes());
  report.add("bytes_per_waiting", resident_ / waiting - own_bytes());
  report.add("malloc_bytes_per_waiting", allocated_ / waiting - own_bytes());
  report.print();
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv, 2);
  Rounds rounds(static_cast<size_t>(arguments.number(size_t{0})));
  do {
    rounds.run();
  } while (rounds.submitting() < std::atof(arguments.at(1).c_str()));
  rounds.report();
  return 0;
}
