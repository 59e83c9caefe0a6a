#include "stress/stress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <barrier>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>

namespace hc::test {

size_t raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1'000'000);
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

void busy_wait(std::chrono::nanoseconds duration) {
  auto end = std::chrono::steady_clock::now() + duration;
  while (std::chrono::steady_clock::now() < end) {
  }
}

void Receipts::note(const hc_completion& completion, void* ticket) {
  auto& count = *static_cast<Count*>(ticket);
  count.status.store(completion.status, std::memory_order_relaxed);
  count.times.fetch_add(1, std::memory_order_relaxed);
  hc_response_free(completion.response);
}

void Receipts::take(const hc_completion& completion) { note(completion, completion.user_data); }

void Receipts::on_done(const hc_completion* completion, void* ticket) { note(*completion, ticket); }

size_t Receipts::total() const {
  size_t sum = 0;
  for (const Count& count : counts_) sum += count.times.load(std::memory_order_relaxed);
  return sum;
}

size_t Receipts::total(hc_status status) const {
  return static_cast<size_t>(std::count_if(counts_.begin(), counts_.end(), [status](const Count& count) {
    return count.times.load(std::memory_order_relaxed) > 0 &&
           count.status.load(std::memory_order_relaxed) == status;
  }));
}

void Receipts::expect_each_once(size_t first) const {
  size_t never = 0;
  size_t twice = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    uint32_t times = counts_[i].times.load(std::memory_order_relaxed);
    uint32_t expected = i < first ? 1 : 0;
    never += times < expected ? 1 : 0;
    twice += times > expected ? 1 : 0;
  }
  EXPECT_EQ(never, 0u) << "requests of " << first << " that were never completed";
  EXPECT_EQ(twice, 0u) << "requests of " << first << " that were completed more than once, or never accepted";
}

size_t drain_ready(hc_queue* queue, const std::function<void(const hc_completion&)>& take) {
  hc_completion items[64];
  size_t total = 0;
  for (size_t count = std::size(items); count == std::size(items); total += count) {
    count = 0;
    EXPECT_EQ(hc_queue_drain(queue, items, sizeof items[0], std::size(items), &count), HC_OK);
    for (size_t i = 0; i < count; ++i) take(items[i]);
  }
  return total;
}

Drainer::Drainer(hc_queue* queue, std::function<void(const hc_completion&)> take)
    : queue_(queue), take_(std::move(take)) {
  if (pipe2(stop_, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  thread_ = std::thread([this] { run(); });
}

Drainer::~Drainer() {
  close(stop_[1]);
  thread_.join();
  close(stop_[0]);
}

void Drainer::run() {
  pollfd watched[2] = {{hc_queue_fd(queue_), POLLIN, 0}, {stop_[0], POLLIN, 0}};
  while (watched[1].revents == 0) {
    poll(watched, 2, -1);
    drain_ready(queue_, take_);
  }
}

void SocketWitness::attach(hc_session_options& options) {
  options.on_socket = on_socket;
  options.on_socket_data = this;
}

int32_t SocketWitness::on_socket(const hc_socket_info* info, void* self) {
  auto& witness = *static_cast<SocketWitness*>(self);
  std::lock_guard lock(witness.mutex_);
  std::vector<Socket>& sockets = witness.sockets_;
  std::erase_if(sockets, [](const Socket& socket) { return !is_open(socket); });
  sockets.push_back({info->fd, cookie_of(info->fd)});
  auto live = static_cast<size_t>(std::count_if(sockets.begin(), sockets.end(), is_live));
  witness.peak_ = std::max(witness.peak_.load(), live);
  witness.peak_open_ = std::max(witness.peak_open_.load(), sockets.size());
  return 0;
}

uint64_t SocketWitness::cookie_of(int fd) {
  uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

bool SocketWitness::is_live(const Socket& socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (!is_open(socket) || getsockopt(socket.fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  return info.tcpi_state == TCP_SYN_SENT || info.tcpi_state == TCP_ESTABLISHED ||
         info.tcpi_state == TCP_CLOSE_WAIT || is_unused(socket.fd);
}

// A socket has its port from connect() on, and keeps it when the connection is over.
bool SocketWitness::is_unused(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  if (address.ss_family == AF_INET6) return reinterpret_cast<sockaddr_in6&>(address).sin6_port == 0;
  return reinterpret_cast<sockaddr_in&>(address).sin_port == 0;
}

hc_session* make_session(const SessionSetup& setup) {
  hc_session_options options;
  hc_session_options_init(&options, sizeof options);
  if (setup) setup(options);
  hc_error error;
  hc_error_init(&error, sizeof error);
  hc_session* session = nullptr;
  if (hc_session_create(&session, &options, &error) != HC_OK) throw std::runtime_error(error.message);
  return session;
}

hc_stats stats_of(hc_session* session) {
  hc_stats stats{};
  stats.struct_size = sizeof stats;
  EXPECT_EQ(hc_session_stats(session, &stats), HC_OK);
  expect_sums(stats);
  return stats;
}

hc_request make_request(std::string_view url) {
  hc_request request;
  hc_request_init(&request, sizeof request);
  request.url = str(url);
  return request;
}

void on_threads(size_t count, const std::function<void(size_t)>& work) {
  std::barrier together(static_cast<std::ptrdiff_t>(count));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      together.arrive_and_wait();
      work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace hc::test
