#include "adapter/curl_shard.h"

#include <algorithm>
#include <utility>

#include "adapter/curl_attempt.h"
#include "adapter/curl_transport.h"
#include "adapter/janitor.h"
#include "base/check.h"

namespace hc {
namespace {

// Only a bound: nothing is allocated ahead. The default shrinks the pool by one connection per request when a
// session goes quiet (docs/curl-notes.md F18).
constexpr long kMaxConnects = 1'000'000;

int to_curl(uint8_t readiness) {
  return ((readiness & kReadable) != 0 ? CURL_CSELECT_IN : 0) |
         ((readiness & kWritable) != 0 ? CURL_CSELECT_OUT : 0) |
         ((readiness & kBroken) != 0 ? CURL_CSELECT_IN | CURL_CSELECT_ERR : 0);
}

}  // namespace

CurlShard::CurlShard(CurlTransport& transport, Reactor& reactor, uint32_t number)
    : transport_(transport), reactor_(reactor), number_(number), multi_(curl_multi_init()) {
  if (multi_ == nullptr) return;
  janitor_ = std::make_unique<Janitor>(*this, reactor);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, socket_callback);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, timer_callback);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxConnects);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
}

CurlShard::~CurlShard() { close(); }

void CurlShard::close() {
  if (multi_ == nullptr) return;
  janitor_->stop();
  curl_multi_cleanup(multi_);
  multi_ = nullptr;
}

void CurlShard::add(CurlAttempt& attempt) {
  CURLMcode code = curl_multi_add_handle(multi_, attempt.easy());
  HC_CHECK(code == CURLM_OK);
}

void CurlShard::remove(CurlAttempt& attempt) {
  CURLMcode code = curl_multi_remove_handle(multi_, attempt.easy());
  HC_CHECK(code == CURLM_OK);
  std::erase(uploads_to_check_, &attempt);
  std::erase(receivers_, &attempt);
}

void CurlShard::note_receiver(CurlAttempt& attempt) {
  if (receivers_.empty() || receivers_.back() != &attempt) receivers_.push_back(&attempt);
}

void CurlShard::look_at(int fd, int what) {
  std::pair<int, int> look(fd, what);
  if (std::find(to_look_at_.begin(), to_look_at_.end(), look) == to_look_at_.end())
    to_look_at_.push_back(look);
  transport_.mark_active(*this);
}

void CurlShard::kick() {
  std::vector<std::pair<int, int>> looks;
  looks.swap(to_look_at_);
  for (auto [fd, what] : looks) act_now(fd, what);
  if (std::exchange(wants_kick_, false)) act_now(CURL_SOCKET_TIMEOUT, 0);
}

CurlAttempt* CurlShard::next_finished(CURLcode* code) {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    *code = message->data.result;
    CurlAttempt* attempt = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &attempt);
    if (attempt != nullptr) return attempt;
    janitor_->on_done();
  }
  return nullptr;
}

void CurlShard::on_ready(int fd, uint8_t readiness) {
  reactor_.refresh();  // for on_activity() as well: a callback of another transfer may have taken its time
  if (!transport_.on_activity(fd, readiness)) return;
  act(fd, to_curl(readiness));
  transport_.collect(*this);
}

void CurlShard::on_timer(TimePoint) { act_now(CURL_SOCKET_TIMEOUT, 0); }

void CurlShard::act_now(curl_socket_t fd, int what) {
  reactor_.refresh();  // clocks that start now must not start at the beginning of a long turn
  act(fd, what);
}

void CurlShard::act(curl_socket_t fd, int what) {
  int running = 0;
  is_acting_ = true;
  curl_multi_socket_action(multi_, fd, what, &running);
  is_acting_ = false;
  check_uploads();
  bool may_have_read = fd != CURL_SOCKET_TIMEOUT && (what == kWhatIsReady || (what & CURL_CSELECT_IN) != 0);
  if (may_have_read) transport_.note_receiver(fd);
  check_receivers();
  transport_.mark_active(*this);
}

void CurlShard::check_uploads() {
  for (CurlAttempt* attempt : uploads_to_check_) attempt->check_sent();
  uploads_to_check_.clear();
}

void CurlShard::check_receivers() {
  for (CurlAttempt* attempt : receivers_) attempt->look_again();
  receivers_.clear();
}

int CurlShard::socket_callback(CURL* easy, curl_socket_t fd, int what, void* self, void*) noexcept {
  static_cast<CurlShard*>(self)->on_interest(easy, fd, what);
  return 0;
}

void CurlShard::on_interest(CURL* easy, curl_socket_t fd, int what) {
  if (what == CURL_POLL_REMOVE) {
    // Its socket may be closed already; who closes it, or finds it closed, ends the registration.
    if (transport_.is_connecting(fd)) return;
    if (transport_.keeps_watching(fd)) {
      reactor_.poller().watch(fd, *this, kReadable);
    } else {
      reactor_.poller().forget(fd, *this);
    }
    return;
  }
  uint8_t interest = 0;
  if ((what & CURL_POLL_IN) != 0) interest |= kReadable;
  if ((what & CURL_POLL_OUT) != 0) interest |= kWritable;
  reactor_.poller().watch(fd, *this, interest);
  CurlAttempt* attempt = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &attempt);
  if (attempt == nullptr || !attempt->is_upload_pending()) return;
  if ((what & CURL_POLL_OUT) != 0) {
    std::erase(uploads_to_check_, attempt);
  } else {
    check_upload(*attempt);
  }
}

int CurlShard::timer_callback(CURLM*, long timeout_ms, void* self) noexcept {
  auto& shard = *static_cast<CurlShard*>(self);
  TimerQueue& timers = shard.reactor_.timers();
  if (timeout_ms == 0 && !shard.wants_kick_) {
    shard.wants_kick_ = true;
    shard.transport_.mark_active(shard);
  }
  if (timeout_ms <= 0) {
    timers.disarm(shard);
  } else {
    timers.arm(shard, later(shard.reactor_.now(), from_ms(static_cast<uint64_t>(timeout_ms))));
  }
  return 0;
}

}  // namespace hc
