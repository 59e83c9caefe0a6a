#pragma once

#include <curl/curl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapter/curl_shard.h"
#include "event/reactor.h"
#include "model/route.h"

namespace hc {

class CurlTransport;

/// What all origins of one route share, and nobody else: multi handles, and TLS sessions. libcurl would lend a
/// connection to a request with another pin or other proxy credentials (docs/curl-notes.md F5), and a TLS session to
/// another identity that asks for the same host.
///
/// Life cycle: made with the first origin of its route; claim() keeps it; when the last claim is gone the transport is
/// told, and lets it rest when libcurl is not on the stack: without multi handles, but with its TLS sessions.
class CurlLane {
 public:
  CurlLane(CurlTransport& transport, Reactor& reactor, RoutePointer route, uint32_t number);
  ~CurlLane();
  CurlLane(const CurlLane&) = delete;
  CurlLane& operator=(const CurlLane&) = delete;

  /// Its place in the order of making; never used again.
  uint32_t number() const { return number_; }
  const RoutePointer& route() const { return route_; }
  /// The TLS sessions of this host and some others. Made if need be; nullptr when memory is out: then none are kept.
  CURLSH* sessions_of(std::string_view host);
  /// For CURLOPT_PROXY; empty: none.
  const std::string& proxy_url() const { return proxy_url_; }
  curl_slist* proxy_headers() const { return proxy_headers_; }

  /// Made if need be; nullptr when the process has no descriptors for one.
  CurlShard* shard(uint32_t index);
  CurlShard& open_shard(uint32_t index) { return *shards_[index]; }
  /// Closes every connection it has. Nothing may be running.
  void close();
  /// Gives its multi handles up, after close().
  void drop_shards() { shards_.clear(); }

  /// An origin's hold on it. The pointer is to the lane.
  std::shared_ptr<void> claim();
  bool is_claimed() const { return !claim_.expired(); }
  bool is_listed_unused = false;  // kept by the transport

 private:
  void describe_proxy(const Proxy& proxy);

  CurlTransport& transport_;
  Reactor& reactor_;
  const RoutePointer route_;
  const uint32_t number_;
  std::string proxy_url_;
  curl_slist* proxy_headers_ = nullptr;
  // TLS sessions; in 7.88 they would belong to each easy handle (F2). Several caches, for 7.88 keeps 8 in one.
  std::array<CURLSH*, 32> session_caches_{};
  std::vector<std::unique_ptr<CurlShard>> shards_;
  std::weak_ptr<void> claim_;
};

}  // namespace hc
