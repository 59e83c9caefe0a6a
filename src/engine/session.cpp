#include "engine/session.h"

#include <condition_variable>
#include <utility>

#include "engine/body_sources.h"
#include "model/log.h"
#include "model/request.h"

namespace hc {
namespace {

// Where a blocking caller waits for its response.
class Waiting {
 public:
  static void on_done(const hc_completion* completion, void* self) {
    static_cast<Waiting*>(self)->arrive(completion->response);
  }
  /// Of a streamed request: `self` is a shared_ptr<Waiting>*, for more comes after the waiter has gone on.
  static void on_news(const hc_completion* completion, void* self) {
    auto* waiting = static_cast<std::shared_ptr<Waiting>*>(self);
    if (completion->response != nullptr) (*waiting)->arrive(completion->response);
    if (completion->kind == HC_DONE) delete waiting;
  }
  std::unique_ptr<Response> wait() {
    std::unique_lock lock(mutex_);
    is_done_.wait(lock, [this] { return response_ != nullptr; });
    return std::move(response_);
  }

 private:
  void arrive(hc_response* response) {
    std::lock_guard lock(mutex_);
    response_.reset(reinterpret_cast<Response*>(response));
    is_done_.notify_one();  // under the lock: the waiter destroys this as soon as it may
  }

  std::mutex mutex_;
  std::condition_variable is_done_;
  std::unique_ptr<Response> response_;
};

std::atomic<uint64_t> last_number{0};

Status closed() { return {HC_E_CLOSED, "the session is closed"}; }

}  // namespace

Session::Session(SessionConfig config)
    : config_(std::move(config)), loop_(config_), number_(last_number.fetch_add(1) + 1) {}

Session::~Session() = default;

Status Session::create(SessionConfig config, std::shared_ptr<Session>* out) {
  // Not make_shared: queues keep weak pointers, and would keep the whole object's memory with them.
  std::shared_ptr<Session> session(new Session(std::move(config)));
  if (Status status = session->loop_.open(); !status.is_ok()) return status;
  if (Status status = session->loop_.start(); !status.is_ok()) return status;
  if (session->config_.limit == 0) {
    Log(session->config_)
        .line(HC_LOG_WARNING, "limit is 0: only the process's descriptor budget bounds the sockets");
  }
  *out = std::move(session);
  return Status::ok();
}

Status Session::submit(const hc_request& args, Destination destination, hc_id* id) {
  if (is_closing_.load(std::memory_order_relaxed)) return closed();
  if (config_.max_waiting != 0 && loop_.waiting() >= config_.max_waiting) {
    return {HC_E_OVERLOAD,
            "the waiting line is full (max_waiting " + std::to_string(config_.max_waiting) + ")"};
  }
  std::unique_ptr<Request> request;
  if (Status status = Request::create(args, config_, &request); !status.is_ok()) return status;
  std::unique_ptr<BodySource> source;
  if (Status status = make_body_source(args, &source); !status.is_ok()) return status;
  request->source = std::move(source);
  if (destination.queue != nullptr) {
    if (destination.queue->is_closed()) return {HC_E_CLOSED, "the queue is closed"};
    if (!destination.queue->knows(number_)) destination.queue->add_listener(number_, weak_from_this());
  }
  auto transfer = std::make_unique<Transfer>(std::move(request), std::move(destination), SystemClock().now());
  if (transfer->request().is_streamed) transfer->set_stream_owner(weak_from_this());
  return loop_.submit(std::move(transfer), id) ? Status::ok() : closed();
}

void Session::on_queue_closed() {
  loop_.post([](Engine& engine) { engine.cancel_orphans(); });
}

void Session::on_body_room(hc_id id) {
  loop_.post([id](Engine& engine) { engine.on_body_room(id); });
}

void Session::resume_upload(hc_id id) {
  loop_.post([id](Engine& engine) { engine.resume_upload(id); });
}

void Session::on_body_abandoned(hc_id id) {
  loop_.post([id](Engine& engine) { engine.on_body_abandoned(id); });
}

Status Session::perform(const hc_request& request, std::unique_ptr<Response>* out) {
  if (loop_.is_loop_thread()) {
    return {HC_E_DEADLOCK, "hc_session_perform() from a callback would wait for the thread it is on"};
  }
  std::unique_ptr<Response> response;
  Status status =
      request.stream == HC_ON ? wait_for_head(request, &response) : wait_for_end(request, &response);
  if (!status.is_ok()) return status;
  if (!response->status().is_ok()) return response->status();
  *out = std::move(response);
  return Status::ok();
}

Status Session::wait_for_end(const hc_request& request, std::unique_ptr<Response>* out) {
  Waiting waiting;
  Status status = submit(request, {nullptr, Waiting::on_done, &waiting}, nullptr);
  if (status.is_ok()) *out = waiting.wait();
  return status;
}

Status Session::wait_for_head(const hc_request& request, std::unique_ptr<Response>* out) {
  auto waiting = std::make_shared<Waiting>();
  auto keeper = std::make_unique<std::shared_ptr<Waiting>>(waiting);
  Status status = submit(request, {nullptr, Waiting::on_news, keeper.get(), true}, nullptr);
  if (!status.is_ok()) return status;
  keeper.release();  // on_news() frees it
  *out = waiting->wait();
  return status;
}

Status Session::close(Duration drain) {
  if (loop_.is_loop_thread()) {
    return {HC_E_DEADLOCK, "hc_session_close() from a callback would wait for the thread it is on"};
  }
  is_closing_.store(true);
  loop_.close(drain);
  join();
  return Status::ok();
}

void Session::close_async(Duration drain, std::function<void()> on_closed) {
  auto self = shared_from_this();  // on_closed may release it before this returns
  is_closing_.store(true);
  if (on_closed) loop_.on_ended(std::move(on_closed));
  loop_.close(drain);
}

void Session::release() {
  bool was_open = !is_closing_.exchange(true);
  if (loop_.is_loop_thread()) {
    // Kept alive by the thread's last act.
    loop_.on_ended([self = shared_from_this(), was_open] {
      if (was_open) self->complain_of_release();
    });
    loop_.close(0);
    loop_.detach();
    return;
  }
  loop_.close(0);
  join();
  if (was_open) complain_of_release();
}

void Session::complain_of_release() {
  Log(config_).line(HC_LOG_WARNING, "session released while open; it had " +
                                        std::to_string(loop_.open_at_close()) +
                                        " open connections. Close sessions with hc_session_close()");
}

MetricsReading Session::metrics_reading() {
  MetricsReading reading;
  reading.stats = stats();
  reading.histograms = metrics().histograms();
  for (size_t i = 0; i < Metrics::kCodes; ++i) reading.failures[i] = metrics().failures[i].get();
  reading.origins = metrics().origins.read();
  return reading;
}

void Session::join() {
  std::lock_guard lock(join_mutex_);
  loop_.join();
}

Status Session::post(Loop::Task task) {
  if (is_closing_.load() || !loop_.post(std::move(task))) return closed();
  return Status::ok();
}

Status Session::set_override(std::string host, uint16_t port, std::vector<IpAddress> addresses) {
  return post([host = std::move(host), port, addresses = std::move(addresses)](Engine& engine) {
    engine.names().set_override(host, port, addresses);
  });
}

Status Session::clear_names(std::string host) {
  return post([host = std::move(host)](Engine& engine) { engine.names().clear(host); });
}

}  // namespace hc
