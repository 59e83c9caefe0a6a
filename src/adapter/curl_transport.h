#pragma once

#include <curl/curl.h>

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "adapter/curl_attempt.h"
#include "adapter/curl_runtime.h"
#include "adapter/curl_shard.h"
#include "adapter/janitor.h"
#include "adapter/socket_factory.h"
#include "adapter/trust_store.h"
#include "event/reactor.h"
#include "model/config.h"
#include "model/ledger.h"
#include "model/transport.h"

namespace hc {

/// HTTP over libcurl: the shards, the easy handles, and which descriptor is which connection.
///
/// Life cycle of a descriptor: made in start(), given to libcurl, closed in close_callback() - or, when it never
/// finished connecting and libcurl is older than 8.2, closed by libcurl without a word and dropped at the end of its
/// attempt (docs/curl-notes.md F15).
class CurlTransport final : public Transport {
 public:
  CurlTransport(const SessionConfig& config, TrustStore trust, Reactor& reactor, Ledger& ledger);
  ~CurlTransport() override;

  Status start(AttemptPlan plan, AttemptSink& sink, Attempt** out) override;
  void abort(Attempt& attempt) override;
  void resume(Attempt& attempt) override;
  void resume_upload(Attempt& attempt) override;
  void retire(Connection& connection) override;

  /// True when run() has something to do.
  bool is_active() const { return !active_.empty() || !to_fill_.empty(); }
  /// Lets libcurl go on where it asked for it, and hands finished attempts to their sinks. False: nothing was left.
  bool run();

  // For attempts, shards and janitors.
  const SessionConfig& config() const { return config_; }
  Reactor& reactor() { return reactor_; }
  CURLSH* share() const { return share_; }
  const TrustStore& trust() const { return trust_; }
  curl_slist* dummy_address(uint16_t port);
  void on_connected(Connection& connection, uint16_t local_port);
  void on_taken(Connection& connection, CurlAttempt& attempt);
  Connection* find_idle(const CurlAttempt& attempt, std::string_view remote_ip, uint16_t local_port);
  /// A descriptor is ready. False when it was an idle connection: that one is retired, and not libcurl's business.
  bool on_activity(int fd, uint8_t readiness);
  bool keeps_watching(int fd) const;
  void stop_watching(const Connection& connection);
  void mark_active(CurlShard& shard);
  /// Its upload needs bytes, or it is answered: for when no call of libcurl is on the stack.
  void fill_later(CurlAttempt& attempt);
  void on_janitor_done(CurlShard& shard);
  static int close_callback(void* self, curl_socket_t fd) noexcept;

 private:
  CurlShard& shard(uint32_t number);
  CurlAttempt* lease();
  void give_back(CurlAttempt& attempt);
  void collect(CurlShard& place);
  void fill_uploads();
  void release_early(Connection& connection);
  void finish(CurlAttempt& attempt, CURLcode code);
  /// After libcurl let go of an attempt: what becomes of its connection.
  void settle_connection(CurlAttempt& attempt);
  void unlink(Connection& connection);
  Connection* connection_of(int fd) const;

  const SessionConfig& config_;
  Reactor& reactor_;
  Ledger& ledger_;
  SocketFactory sockets_;
  const TrustStore trust_;
  CURLSH* share_;  // TLS sessions: in 7.88 they would belong to each easy handle (F2)
  std::map<uint16_t, curl_slist*> dummy_addresses_;
  std::vector<Connection*> by_fd_;
  std::unordered_multimap<uint32_t, Connection*> by_local_port_;  // shard << 16 | port
  std::vector<std::unique_ptr<CurlAttempt>> attempts_;
  std::vector<CurlAttempt*> free_attempts_;
  std::vector<CurlShard*> active_;  // have to be run
  std::vector<CurlAttempt*> to_fill_;
  std::vector<std::unique_ptr<CurlShard>> shards_;
  std::vector<std::unique_ptr<Janitor>> janitors_;  // one a shard
};

}  // namespace hc
