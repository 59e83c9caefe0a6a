#pragma once

#include <curl/curl.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adapter/curl_attempt.h"
#include "adapter/curl_lane.h"
#include "adapter/curl_runtime.h"
#include "adapter/curl_shard.h"
#include "adapter/socket_factory.h"
#include "event/reactor.h"
#include "event/warm_pool.h"
#include "model/config.h"
#include "model/ledger.h"
#include "model/transport.h"

namespace hc {

/// HTTP over libcurl: the lanes, the easy handles, and which descriptor is which connection.
///
/// Life cycle of a descriptor: made in start(), given to libcurl, closed in close_callback() - or, when it never
/// finished connecting and libcurl is older than 8.2, closed by libcurl without a word and dropped at the end of its
/// attempt (docs/curl-notes.md F15).
class CurlTransport final : public Transport {
 public:
  CurlTransport(const SessionConfig& config, Reactor& reactor, Ledger& ledger);
  ~CurlTransport() override;

  Status start(AttemptPlan plan, AttemptSink& sink, Attempt** out) override;
  void abort(Attempt& attempt) override;
  void resume(Attempt& attempt) override;
  void resume_upload(Attempt& attempt) override;
  void retire(Connection& connection) override;

  /// True when run() has something to do.
  bool is_active() const { return !active_.empty() || !to_finish_.empty() || !unused_lanes_.empty(); }
  /// Lets libcurl go on where it asked for it, and hands finished attempts to their sinks. False: nothing was left.
  bool run();

  // For attempts, lanes and shards.
  const SessionConfig& config() const { return config_; }
  Reactor& reactor() { return reactor_; }
  const std::string& user_agent_line() const { return user_agent_line_; }
  const std::string& encodings_line() const { return encodings_line_; }
  uint32_t next_shard_number() { return ++last_shard_; }
  void on_lane_unused(CurlLane& lane);
  /// Never connected to: the socket that goes with an attempt replaces it. From the reserved 240/4, so that a mistake
  /// would fail loudly.
  static constexpr const char* kDummyAddress = "240.0.0.1";
  curl_slist* dummy_address(const Request& request);
  void on_connected(Connection& connection, uint16_t local_port);
  void on_taken(Connection& connection, CurlAttempt& attempt);
  Connection* find_idle(const CurlAttempt& attempt, std::string_view remote_ip, uint16_t local_port);
  /// A descriptor is ready. False when it was an idle connection: that one is retired, and not libcurl's business.
  bool on_activity(int fd, uint8_t readiness);
  /// libcurl was told to read from it.
  void note_receiver(int fd);
  bool is_connecting(int fd) const;
  bool keeps_watching(int fd) const;
  /// Bytes of a body that libcurl takes at one time, where it goes piece by piece: the fewer there are the more.
  long buffer_of_a_stream() const;
  void stop_watching(const Connection& connection);
  /// It is not read, but written to.
  void watch_for_sending(const Connection& connection);
  void mark_active(CurlShard& shard);
  /// It is answered already: ends it when no call of libcurl is on the stack.
  void finish_later(CurlAttempt& attempt);
  static int close_callback(void* self, curl_socket_t fd) noexcept;

  /// Ends the attempts that are finished.
  void collect(CurlShard& place);

 private:
  struct RouteHash {
    size_t operator()(const Route* route) const { return route->hash(); }
  };
  struct RouteEqual {
    bool operator()(const Route* a, const Route* b) const { return *a == *b; }
  };

  CurlLane& lane_of(const RoutePointer& route);
  CurlLane& lane_of(Origin& origin);
  static CurlShard& shard_of(const Connection& connection);
  void end_unused_lanes();
  void choose_connection(CurlAttempt& attempt, Connection* connection);
  CurlAttempt* lease();
  void give_back(CurlAttempt& attempt);
  void finish_early_answers();
  void release_early(Connection& connection);
  void finish(CurlAttempt& attempt, CURLcode code);
  /// After libcurl let go of an attempt: what becomes of its connection.
  void settle_connection(CurlAttempt& attempt);
  void watch_idle(const Connection& connection);
  void unlink(Connection& connection, bool is_closed);
  Connection* connection_of(int fd) const;

  const SessionConfig& config_;
  Reactor& reactor_;
  Ledger& ledger_;
  const std::string user_agent_line_;
  const std::string encodings_line_;
  SocketFactory sockets_;
  std::map<std::pair<bool, uint16_t>, curl_slist*> dummy_addresses_;  // is SOCKS, port
  std::vector<Connection*> by_fd_;
  std::unordered_multimap<uint64_t, Connection*> by_local_port_;  // shard << 16 | port
  // An easy handle is 7 KB, twice what else an idle connection takes.
  WarmPool<CurlAttempt> free_attempts_;
  size_t leased_ = 0;
  size_t streams_ = 0;              // of those leased
  std::vector<CurlShard*> active_;  // have to be run
  std::vector<CurlAttempt*> to_finish_;
  std::unordered_map<const Route*, std::unique_ptr<CurlLane>, RouteHash, RouteEqual> lanes_;
  std::vector<CurlLane*> unused_lanes_;  // nobody had a claim on them; perhaps somebody has again
  std::deque<CurlLane*> resting_lanes_;  // longest first; some may be claimed again
  std::shared_ptr<void> own_claim_;      // on the lane of the session's own route, which stays
  uint32_t last_lane_ = 0;
  uint32_t last_shard_ = 0;
};

}  // namespace hc
