#include "adapter/system_resolver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <list>
#include <new>
#include <system_error>
#include <thread>

#include "adapter/address_order.h"
#include "base/fd.h"
#include "base/signals_blocked.h"
#include "model/name_service.h"

namespace hc {
namespace {

struct Job {
  uint64_t number;
  std::string host;
  Family family;
  TimePoint came = 0;
};

// _res belongs to the calling thread. glibc does not reload resolv.conf by itself into one that was changed, so
// each lookup reads it anew; with res_init() instead of the two calls it would, and take 5 s from the second
// lookup on (measured with a silent server, glibc 2.36: 4 s and 4 s, against 4 s and 10 s).
void bound_system_lookup() {
  constexpr int kSecondsPerTry = 2;
  constexpr int kTries = 2;
  if ((_res.options & RES_INIT) != 0) res_nclose(&_res);
  if (res_ninit(&_res) != 0) return;
  _res.retrans = std::min(_res.retrans, kSecondsPerTry);
  _res.retry = std::min(_res.retry, kTries);
}

bool to_address(const sockaddr* socket_address, IpAddress* out) {
  *out = IpAddress{};
  if (socket_address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(socket_address);
    out->family = Family::kV6;
    out->scope = v6->sin6_scope_id;
    std::memcpy(out->bytes.data(), &v6->sin6_addr, 16);
    return true;
  }
  if (socket_address->sa_family != AF_INET) return false;
  std::memcpy(out->bytes.data(), &reinterpret_cast<const sockaddr_in*>(socket_address)->sin_addr, 4);
  return true;
}

LookupResult gai_failure(int error, int error_number) {
  // It says EAI_AGAIN or worse when it could not make a socket.
  if (int shortage = error == EAI_NONAME ? 0 : descriptor_shortage(); shortage != 0) {
    LookupResult result;
    result.status = Status::system("getaddrinfo", shortage);
    return result;
  }
  std::string reason =
      error == EAI_SYSTEM ? std::generic_category().message(error_number) : gai_strerror(error);
  LookupResult result;
  result.status = Status(error == EAI_MEMORY ? HC_E_NOMEM : HC_E_DNS, reason + " (getaddrinfo)")
                      .with_native(HC_NATIVE_GAI, error);
  result.is_no_such_name = error == EAI_NONAME;
  return result;
}

LookupResult failed(Code code, std::string message) {
  LookupResult result;
  result.status = Status(code, std::move(message));
  return result;
}

LookupResult waited_too_long() {
  return failed(HC_E_DNS,
                "no thread for getaddrinfo was free within " + seconds_text(NameService::kPatience));
}

}  // namespace

LookupResult blocking_getaddrinfo(const std::string& host, Family family) {
  bound_system_lookup();
  addrinfo hints{};
  hints.ai_family = family == Family::kV4 ? AF_INET : family == Family::kV6 ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) return gai_failure(error, errno);
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &freeaddrinfo);
  std::vector<IpAddress> addresses;
  for (const addrinfo* item = found; item != nullptr; item = item->ai_next) {
    IpAddress address;
    if (!to_address(item->ai_addr, &address)) continue;
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(address);
  }
  LookupResult result;
  result.addresses = interleave_families(addresses);
  return result;
}

/// What the resolver and its threads share; whoever goes last takes it along.
class SystemResolver::Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(std::shared_ptr<LookupInbox> inbox, SystemResolverOptions options)
      : inbox_(std::move(inbox)), options_(std::move(options)) {
    if (!options_.blocking_lookup) options_.blocking_lookup = blocking_getaddrinfo;
    if (!options_.now) options_.now = [] { return SystemClock().now(); };
  }

  /// False: there is no thread, and none can be made.
  bool add(Job job);
  void close();
  size_t threads();

 private:
  struct Worker {
    std::thread thread;
    bool has_ended = false;  // guarded by mutex_; the thread's last act
  };

  bool start_worker_locked();
  bool is_too_old(const Job& job) const { return options_.now() - job.came >= NameService::kPatience; }
  std::deque<Job> take_old_jobs_locked();
  std::list<Worker> take_ended_locked();
  static void join(std::list<Worker> workers);
  void run(Worker& self);
  bool wait_for_job_locked(std::unique_lock<std::mutex>& lock, Job* job);
  void work_on(const Job& job);

  const std::shared_ptr<LookupInbox> inbox_;
  SystemResolverOptions options_;  // not changed any more when there is a thread
  std::mutex mutex_;
  std::condition_variable work_changed_;
  std::condition_variable worker_ended_;
  std::deque<Job> jobs_;
  std::list<Worker> workers_;  // a list: each thread holds a reference to its own
  size_t idle_ = 0;
  bool is_closing_ = false;
};

bool SystemResolver::Pool::add(Job job) {
  job.came = options_.now();
  std::list<Worker> ended;
  std::deque<Job> old;
  {
    std::lock_guard lock(mutex_);
    ended = take_ended_locked();
    old = take_old_jobs_locked();
    jobs_.push_back(std::move(job));
    bool needs_worker = jobs_.size() > idle_ && workers_.size() < options_.max_threads;
    if (needs_worker && !start_worker_locked() && workers_.empty()) {
      jobs_.pop_back();
      return false;
    }
  }
  work_changed_.notify_one();
  join(std::move(ended));
  for (const Job& late : old) inbox_->answer(late.number, waited_too_long());
  return true;
}

void SystemResolver::Pool::close() {
  std::list<Worker> ended;
  {
    std::unique_lock lock(mutex_);
    is_closing_ = true;
    jobs_.clear();
    work_changed_.notify_all();
    worker_ended_.wait_for(lock, std::chrono::nanoseconds(options_.grace), [this] {
      return std::all_of(workers_.begin(), workers_.end(),
                         [](const Worker& worker) { return worker.has_ended; });
    });
    ended = take_ended_locked();
    for (Worker& worker : workers_) worker.thread.detach();
  }
  join(std::move(ended));
}

size_t SystemResolver::Pool::threads() {
  std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(workers_.begin(), workers_.end(),
                                           [](const Worker& worker) { return !worker.has_ended; }));
}

bool SystemResolver::Pool::start_worker_locked() {
  Worker& worker = workers_.emplace_back();
  try {
    SignalsBlocked signals_blocked;
    worker.thread = std::thread([pool = shared_from_this(), &worker] { pool->run(worker); });
    return true;
  } catch (const std::system_error&) {
    workers_.pop_back();
    return false;
  }
}

// Threads that hang take none, and the line must not grow for ever.
std::deque<Job> SystemResolver::Pool::take_old_jobs_locked() {
  std::deque<Job> old;
  while (!jobs_.empty() && is_too_old(jobs_.front())) {
    old.push_back(std::move(jobs_.front()));
    jobs_.pop_front();
  }
  return old;
}

std::list<SystemResolver::Pool::Worker> SystemResolver::Pool::take_ended_locked() {
  std::list<Worker> ended;
  for (auto worker = workers_.begin(); worker != workers_.end();) {
    auto next = std::next(worker);
    if (worker->has_ended) ended.splice(ended.end(), workers_, worker);
    worker = next;
  }
  return ended;
}

void SystemResolver::Pool::join(std::list<Worker> workers) {
  for (Worker& worker : workers) worker.thread.join();
}

void SystemResolver::Pool::run(Worker& self) {
  pthread_setname_np(pthread_self(), "hc-names");
  std::unique_lock lock(mutex_);
  Job job;
  while (wait_for_job_locked(lock, &job)) {
    lock.unlock();
    work_on(job);
    lock.lock();
  }
  self.has_ended = true;
  worker_ended_.notify_all();
}

bool SystemResolver::Pool::wait_for_job_locked(std::unique_lock<std::mutex>& lock, Job* job) {
  ++idle_;
  work_changed_.wait_for(lock, std::chrono::nanoseconds(options_.idle_time),
                         [this] { return is_closing_ || !jobs_.empty(); });
  --idle_;
  if (is_closing_ || jobs_.empty()) return false;
  *job = std::move(jobs_.front());
  jobs_.pop_front();
  return true;
}

void SystemResolver::Pool::work_on(const Job& job) {
  try {
    LookupResult result =
        is_too_old(job) ? waited_too_long() : options_.blocking_lookup(job.host, job.family);
    inbox_->answer(job.number, std::move(result));
  } catch (const std::bad_alloc&) {
    // Not even room to say so: the dns clock ends the request.
  }
}

SystemResolver::SystemResolver(Post post, SystemResolverOptions options)
    : inbox_(std::make_shared<LookupInbox>(std::move(post))),
      pool_(std::make_shared<Pool>(inbox_, std::move(options))) {}

SystemResolver::~SystemResolver() {
  inbox_->close();
  pool_->close();
}

void SystemResolver::lookup(const std::string& host, Family family, Done done) {
  uint64_t number = inbox_->add(std::move(done));
  if (pool_->add({number, host, family})) return;
  inbox_->answer(number, failed(HC_E_SYSTEM, "no thread for getaddrinfo"));
}

size_t SystemResolver::threads() const { return pool_->threads(); }

}  // namespace hc
