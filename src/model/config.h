#pragma once

#include <hc/hc.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "model/address_policy.h"
#include "model/ip_address.h"
#include "model/name_service.h"
#include "model/route.h"

namespace hc {

/// One header field that the session adds to requests.
struct DefaultHeader {
  std::string name;
  std::string value;
};

inline constexpr uint64_t kMinBodyWindow = 1 << 10;
inline constexpr uint64_t kMaxBodyWindow = 1 << 30;
inline constexpr uint64_t kMaxBusyPollUs = 1'000'000;
inline constexpr uint64_t kMaxRedirects = 1000;

/// A session's options, all decided: no "unset" is left.
struct SessionConfig {
  uint64_t limit = 100;
  uint64_t limit_per_host = 0;
  uint64_t max_connecting = 0;
  uint64_t max_waiting = 0;
  Duration keepalive_timeout = 15 * kSecond;
  Duration max_lifetime = 0;
  bool force_close = false;
  bool retry_stale = true;

  NameServiceOptions names;
  Duration happy_eyeballs = 250 * kMillisecond;
  std::string nameservers;
  hc_resolve_fn on_resolve = nullptr;
  void* on_resolve_data = nullptr;

  RouteOptions routes;
  AddressPolicy addresses;

  std::string local_addr;
  std::string interface_name;
  bool tcp_nodelay = true;
  bool tcp_keepalive = false;
  Duration tcp_keepalive_idle = 60 * kSecond;
  Duration tcp_keepalive_interval = 60 * kSecond;
  Duration tcp_user_timeout = 0;
  uint64_t receive_buffer = 0;
  uint64_t send_buffer = 0;
  hc_socket_fn on_socket = nullptr;
  void* on_socket_data = nullptr;

  uint64_t busy_poll_us = 50;

  hc_timeouts timeouts{300'000, 0, 10'000, 0, 30'000, 0, 0, 0};

  uint64_t max_body = uint64_t{1} << 30;
  uint64_t max_stream = 0;  // the same for streamed bodies
  uint64_t body_window = 512 << 10;
  uint64_t max_header_bytes = 65536;
  uint64_t max_headers = 128;
  uint64_t max_redirects = 10;
  bool insecure_redirects = false;
  bool decompress = true;
  std::string base_url;
  std::string credentials;  // "user:password" or empty
  std::vector<DefaultHeader> headers;
  std::string user_agent;

  hc_log_fn on_log = nullptr;
  void* on_log_data = nullptr;
  int32_t log_level = HC_LOG_WARNING;
  hc_trace_fn on_trace = nullptr;
  void* on_trace_data = nullptr;
};

}  // namespace hc
