#pragma once

#include <curl/curl.h>

#include "event/reactor.h"
#include "event/timer_queue.h"
#include "model/ledger.h"

namespace hc {

class CurlShard;

/// Makes libcurl close the connections that were retired.
///
/// libcurl closes nothing on its own (docs/curl-notes.md F4): it looks for dead connections when a transfer begins,
/// and at most once a second (F9). The janitor is such a transfer: to nowhere, refused its socket. In a busy shard
/// the ordinary transfers do the work, and the janitor finds nothing left.
class Janitor final : private Timer {
 public:
  Janitor(CurlShard& shard, Reactor& reactor);
  ~Janitor();
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

  /// Before its shard closes.
  void stop();
  void on_retired();
  /// A retired connection was closed.
  void on_closed();
  /// Its transfer ended.
  void on_done();

 private:
  static curl_socket_t refuse_socket(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  void on_timer(TimePoint now) override;

  CurlShard& shard_;
  Reactor& reactor_;
  curl_slist way_;
  CURL* easy_ = nullptr;  // made when first needed
  uint64_t retired_ = 0;
  bool is_running_ = false;
};

}  // namespace hc
