#include "adapter/janitor.h"

#include "adapter/curl_shard.h"

namespace hc {
namespace {

// A little more than the second in which libcurl looks only once.
constexpr Duration kRound = 1050 * kMillisecond;
// A host that no request can have (Url::parse), so that nobody's connection fits when libcurl looks for one.
constexpr char kNobodys[] = "http://no..body:1/";
// Where that is said to be (CURLOPT_CONNECT_TO): an address, so that nothing is looked up.
char nowhere[] = "::127.0.0.1:1";

}  // namespace

Janitor::Janitor(CurlShard& shard, Reactor& reactor)
    : shard_(shard), reactor_(reactor), way_{nowhere, nullptr} {}

Janitor::~Janitor() { stop(); }

void Janitor::stop() {
  reactor_.timers().disarm(*this);
  if (easy_ == nullptr) return;
  if (is_running_) shard_.remove_janitor(easy_);
  is_running_ = false;
  curl_easy_cleanup(easy_);
  easy_ = nullptr;
}

void Janitor::on_retired() {
  ++retired_;
  // The next turn at the latest: if libcurl has not looked for a second, this closes it now.
  if (!is_running_ && !is_armed()) reactor_.timers().arm(*this, reactor_.now());
}

void Janitor::on_closed() { --retired_; }

void Janitor::on_timer(TimePoint) {
  if (retired_ == 0) return;
  if (easy_ == nullptr) {
    easy_ = curl_easy_init();
    if (easy_ == nullptr) return;  // out of memory: the next retirement tries again
    // Not CURLOPT_FRESH_CONNECT: since 8.22 libcurl looks for dead connections only where it looks for one to reuse.
    curl_easy_setopt(easy_, CURLOPT_URL, kNobodys);
    curl_easy_setopt(easy_, CURLOPT_CONNECT_TO, &way_);
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, refuse_socket);
    // Older than what any connection may be: only dead ones are pruned. 0 would mean "off" on some versions.
    curl_easy_setopt(easy_, CURLOPT_MAXAGE_CONN, 10L * 365 * 24 * 3600);
    curl_easy_setopt(easy_, CURLOPT_MAXLIFETIME_CONN, 0L);
  }
  is_running_ = true;
  shard_.add_janitor(easy_);
}

void Janitor::on_done() {
  is_running_ = false;
  shard_.remove_janitor(easy_);
  if (retired_ > 0) reactor_.timers().arm(*this, reactor_.now() + kRound);
}

curl_socket_t Janitor::refuse_socket(void*, curlsocktype, curl_sockaddr*) noexcept { return CURL_SOCKET_BAD; }

}  // namespace hc
