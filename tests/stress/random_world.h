// What the random test sends its requests into: servers and names that behave, and ones that do not.
#pragma once

#include <hc/hc.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "serve/dead_ends.h"
#include "serve/dns_server.h"
#include "serve/http_server.h"
#include "serve/test_pki.h"
#include "stress/stress.h"

namespace hc::test {

/// One request, and what its answer must be if there is one.
struct Errand {
  std::string url;
  bool is_post = false;
  std::string key;      // of a POST: how often it arrived
  int64_t length = -1;  // of a body that is the server's pattern; -1: any body
  hc_timeouts timeouts{};
  uint8_t force_close = HC_UNSET_FLAG;

  /// Lives as long as the errand.
  hc_request request() const;
  /// Fails the test if this body cannot be the answer, such as one from another request's.
  void check_body(int32_t http_status, hc_str body) const;
};

class World {
 public:
  static constexpr size_t kPlain = 0;  // listeners of `server`
  static constexpr size_t kTls = 1;

  World();
  /// Tells a session of the name server and of whom to trust.
  void introduce(hc_session_options& options) const;
  /// Any thread.
  Errand errand(Dice& dice);

 private:
  serve::HttpServerOptions options() const;
  std::string place(Dice& dice) const;
  std::string path(Dice& dice, Errand& errand);

  serve::TestPki pki_;

 public:
  serve::HttpServer server;

 private:
  serve::DnsServer dns_;
  std::string nameserver_;
  serve::RefusedPort refused_;
  std::unique_ptr<serve::BlackHole> hole_;
  std::atomic<uint64_t> last_key_{0};
};

}  // namespace hc::test
