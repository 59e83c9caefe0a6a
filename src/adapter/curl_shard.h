#pragma once

#include <curl/curl.h>

#include <memory>
#include <utility>
#include <vector>

#include "event/poller.h"
#include "event/reactor.h"
#include "event/timer_queue.h"

namespace hc {

class CurlAttempt;
class CurlTransport;
class Janitor;

/// One libcurl multi handle on the loop.
///
/// Rules: all of its connections have one identity (CurlLane); the socket and timer callbacks only record (libcurl forbids calling it from them); a socket that libcurl
/// lets go of stays registered for reading, so that a connection that ends while idle is seen at once.
class CurlShard final : public FdWatcher, private Timer {
 public:
  CurlShard(CurlTransport& transport, Reactor& reactor, uint32_t number);
  ~CurlShard();

  /// False: the process had no descriptors for it (since 8.20 libcurl wants some; before, it did without its wakeup).
  bool is_open() const { return multi_ != nullptr; }
  /// Closes every connection it has. Nothing may be running.
  void close();

  /// Its place in the order of making; never used again.
  uint32_t number() const { return number_; }
  Janitor& janitor() { return *janitor_; }
  void add(CurlAttempt& attempt);
  void remove(CurlAttempt& attempt);
  /// What libcurl does now it does of its own accord: nobody has removed a transfer.
  bool is_acting() const { return is_acting_; }
  void add_janitor(CURL* easy) { curl_multi_add_handle(multi_, easy); }
  void remove_janitor(CURL* easy) { curl_multi_remove_handle(multi_, easy); }

  /// Its request begins to go out: looks whether it all did as soon as libcurl comes back.
  void check_upload(CurlAttempt& attempt) { uploads_to_check_.push_back(&attempt); }

  /// It may have received something: libcurl may not see that there is more.
  void note_receiver(CurlAttempt& attempt);
  /// For look_at(): libcurl asks the socket itself, with a poll().
  static constexpr int kWhatIsReady = 0;
  /// Has libcurl act on a descriptor (CURL_CSELECT_*) without an event, as soon as no call of it is on the stack.
  void look_at(int fd, int what);

  /// libcurl asked to be called at once, or there is something to look at.
  bool wants_kick() const { return wants_kick_ || !to_look_at_.empty(); }
  void kick();
  /// The next finished attempt and its code, or nullptr.
  CurlAttempt* next_finished(CURLcode* code);

  void on_ready(int fd, uint8_t readiness) override;

 private:
  static int socket_callback(CURL* easy, curl_socket_t fd, int what, void* self, void* assigned) noexcept;
  static int timer_callback(CURLM* multi, long timeout_ms, void* self) noexcept;

  void on_timer(TimePoint now) override;
  void act_now(curl_socket_t fd, int what);
  void act(curl_socket_t fd, int what);
  void on_interest(CURL* easy, curl_socket_t fd, int what);
  void check_uploads();
  void check_receivers();

  CurlTransport& transport_;
  Reactor& reactor_;
  uint32_t number_;
  CURLM* multi_;
  std::unique_ptr<Janitor> janitor_;
  bool wants_kick_ = false;
  bool is_acting_ = false;
  std::vector<CurlAttempt*> uploads_to_check_;
  std::vector<CurlAttempt*> receivers_;          // to be looked at when libcurl comes back
  std::vector<std::pair<int, int>> to_look_at_;  // descriptor, CURL_CSELECT_*
};

}  // namespace hc
