#pragma once

#include <hc/hc.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/completion.h"
#include "engine/loop.h"
#include "model/config.h"
#include "model/ip_address.h"
#include "model/prometheus.h"
#include "model/stats.h"

namespace hc {

/// What a caller holds: options, and the loop they started. Everything may be called from any thread.
///
/// Life cycle: open -> closing -> closed. Held by shared_ptr, so that a session that is released on its own loop
/// thread lives until that thread has ended.
class Session final : public QueueListener, public StreamOwner, public std::enable_shared_from_this<Session> {
 public:
  static Status create(SessionConfig config, std::shared_ptr<Session>* out);
  explicit Session(SessionConfig config);
  ~Session() override;

  Status submit(const hc_request& request, Destination destination, hc_id* id);
  /// Sends and waits. `out` gets the response when the status is HC_OK.
  Status perform(const hc_request& request, std::unique_ptr<Response>* out);
  void cancel(hc_id id) { loop_.cancel(id); }
  void resume_upload(hc_id id);
  Status close(Duration drain);
  void close_async(Duration drain, std::function<void()> on_closed);
  /// Closes it if need be; waits unless on the loop thread. The last call.
  void release();

  Status set_override(std::string host, uint16_t port, std::vector<IpAddress> addresses);
  Status clear_names(std::string host);
  Stats stats() { return loop_.stats(); }
  const Metrics& metrics() const { return loop_.metrics(); }
  MetricsReading metrics_reading();

 private:
  Status post(Loop::Task task);
  Status wait_for_end(const hc_request& request, std::unique_ptr<Response>* out);
  Status wait_for_head(const hc_request& request, std::unique_ptr<Response>* out);
  void on_queue_closed() override;
  void on_body_room(hc_id id) override;
  void on_body_abandoned(hc_id id) override;
  void join();
  void complain_of_release();

  const SessionConfig config_;
  Loop loop_;
  const uint64_t number_;  // in this process, never used again
  std::atomic<bool> is_closing_{false};
  std::mutex join_mutex_;
};

}  // namespace hc
