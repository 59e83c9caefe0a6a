#include "adapter/curl_lane.h"

#include <functional>
#include <new>
#include <utility>

#include "adapter/curl_transport.h"

namespace hc {

CurlLane::CurlLane(CurlTransport& transport, Reactor& reactor, RoutePointer route, uint32_t number)
    : transport_(transport), reactor_(reactor), route_(std::move(route)), number_(number) {
  if (route_->proxy != nullptr) describe_proxy(*route_->proxy);
}

// libcurl learns a proxy's name only where it has to check a certificate for it. It connects to what we say anyway, and
// before 8.13 it could not be told the address of an IPv6 literal.
void CurlLane::describe_proxy(const Proxy& proxy) {
  static constexpr const char* kSchemes[] = {"http", "https", "socks5", "socks5h"};
  bool is_v6 = proxy.host.find(':') != std::string::npos;
  bool needs_name = proxy.kind == ProxyKind::kHttps;
  std::string host = is_v6 ? "[" + proxy.host + "]" : proxy.host;
  proxy_url_ = std::string(kSchemes[static_cast<size_t>(proxy.kind)]) + "://" +
               (needs_name ? host : std::string(CurlTransport::kDummyAddress)) + ":" +
               std::to_string(proxy.port);
  for (const std::string& line : proxy.headers) {
    curl_slist* longer = curl_slist_append(proxy_headers_, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    proxy_headers_ = longer;
  }
}

CurlLane::~CurlLane() {
  close();
  for (CURLSH* cache : session_caches_) curl_share_cleanup(cache);
  curl_slist_free_all(proxy_headers_);
}

CURLSH* CurlLane::sessions_of(std::string_view host) {
  CURLSH*& cache = session_caches_[std::hash<std::string_view>()(host) % session_caches_.size()];
  if (cache != nullptr) return cache;
  cache = curl_share_init();
  if (cache != nullptr) curl_share_setopt(cache, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  return cache;
}

CurlShard* CurlLane::shard(uint32_t index) {
  while (shards_.size() <= index) {
    auto next = std::make_unique<CurlShard>(transport_, reactor_, transport_.next_shard_number());
    if (!next->is_open()) return nullptr;
    shards_.push_back(std::move(next));
  }
  return shards_[index].get();
}

void CurlLane::close() {
  for (auto& shard : shards_) shard->close();
}

std::shared_ptr<void> CurlLane::claim() {
  std::shared_ptr<void> claim = claim_.lock();
  if (claim != nullptr) return claim;
  claim.reset(this, [&transport = transport_](void* lane) {
    transport.on_lane_unused(*static_cast<CurlLane*>(lane));
  });
  claim_ = claim;
  return claim;
}

}  // namespace hc
