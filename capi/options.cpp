// hc.h chapter 8: options and their defaults.
#include "capi/options.h"

#include <array>
#include <optional>

#include "adapter/tls_identity.h"
#include "capi/guard.h"
#include "capi/option_reader.h"
#include "capi/route_options.h"
#include "capi/structs.h"
#include "model/text.h"
#include "model/url.h"

namespace hc::capi {
namespace {

constexpr uint64_t kMaxSocketBuffer = uint64_t{1} << 30;

void unset(hc_timeouts* timeouts) {
  *timeouts = {HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET, HC_UNSET};
}

void read_connections(const hc_session_options& o, Reader& read, SessionConfig* config) {
  read.number(o.limit, "limit", 0, UINT32_MAX, &config->limit);
  read.number(o.limit_per_host, "limit_per_host", 0, UINT32_MAX, &config->limit_per_host);
  read.number(o.max_connecting, "max_connecting", 0, UINT32_MAX, &config->max_connecting);
  read.number(o.max_waiting, "max_waiting", 0, UINT32_MAX, &config->max_waiting);
  read.duration(o.keepalive_timeout_ms, "keepalive_timeout_ms", &config->keepalive_timeout);
  read.duration(o.max_lifetime_ms, "max_lifetime_ms", &config->max_lifetime);
  read.flag(o.force_close, "force_close", &config->force_close);
  read.flag(o.retry_stale, "retry_stale", &config->retry_stale);
  if (config->force_close && o.keepalive_timeout_ms != HC_UNSET) {
    read.fail("keepalive_timeout_ms", "means nothing together with force_close");
  }
}

void read_family(uint8_t given, Reader& read, Family* out) {
  if (given == HC_UNSET_FLAG) return;
  if (given != HC_FAMILY_ANY && given != HC_FAMILY_V4 && given != HC_FAMILY_V6) {
    return read.fail("family", "is not one of HC_FAMILY_*");
  }
  *out = static_cast<Family>(given);
}

void read_names(const hc_session_options& o, Reader& read, SessionConfig* config) {
  NameServiceOptions& names = config->names;
  uint64_t capacity = names.capacity;
  read.flag(o.use_dns_cache, "use_dns_cache", &names.use_cache);
  read_family(o.family, read, &names.family);
  read.duration(o.ttl_dns_cache_ms, "ttl_dns_cache_ms", &names.ttl);
  read.duration(o.dns_stale_ttl_ms, "dns_stale_ttl_ms", &names.stale_ttl);
  read.duration(o.dns_negative_ttl_ms, "dns_negative_ttl_ms", &names.negative_ttl);
  read.number(o.dns_cache_size, "dns_cache_size", 1, 1'000'000, &capacity);
  names.capacity = capacity;
  read.duration(o.happy_eyeballs_ms, "happy_eyeballs_ms", &config->happy_eyeballs);
  read.text(o.nameservers, "nameservers", &config->nameservers);
  config->on_resolve = o.on_resolve;
  config->on_resolve_data = o.on_resolve_data;
}

void read_sockets(const hc_session_options& o, Reader& read, SessionConfig* config) {
  read.text(o.local_addr, "local_addr", &config->local_addr);
  if (!config->local_addr.empty() && !IpAddress::parse(config->local_addr)) {
    read.fail("local_addr", "is not a numeric address");
  }
  read.text(o.interface_name, "interface_name", &config->interface_name);
  if (config->interface_name.size() > 15) read.fail("interface_name", "is longer than 15 bytes");
  read.flag(o.tcp_nodelay, "tcp_nodelay", &config->tcp_nodelay);
  read.flag(o.tcp_keepalive, "tcp_keepalive", &config->tcp_keepalive);
  read.duration(o.tcp_keepalive_idle_ms, "tcp_keepalive_idle_ms", &config->tcp_keepalive_idle);
  read.duration(o.tcp_keepalive_interval_ms, "tcp_keepalive_interval_ms", &config->tcp_keepalive_interval);
  read.duration(o.tcp_user_timeout_ms, "tcp_user_timeout_ms", &config->tcp_user_timeout);
  read.number(o.receive_buffer, "receive_buffer", 0, kMaxSocketBuffer, &config->receive_buffer);
  read.number(o.send_buffer, "send_buffer", 0, kMaxSocketBuffer, &config->send_buffer);
  config->on_socket = o.on_socket;
  config->on_socket_data = o.on_socket_data;
}

void read_timeouts(const hc_timeouts& given, Reader& read, hc_timeouts* out) {
  read.timeout(given.total_ms, "timeouts.total_ms", &out->total_ms);
  read.timeout(given.pool_ms, "timeouts.pool_ms", &out->pool_ms);
  read.timeout(given.dns_ms, "timeouts.dns_ms", &out->dns_ms);
  read.timeout(given.connect_ms, "timeouts.connect_ms", &out->connect_ms);
  read.timeout(given.sock_connect_ms, "timeouts.sock_connect_ms", &out->sock_connect_ms);
  read.timeout(given.sock_read_ms, "timeouts.sock_read_ms", &out->sock_read_ms);
  read.timeout(given.sock_write_ms, "timeouts.sock_write_ms", &out->sock_write_ms);
  read.timeout(given.first_byte_ms, "timeouts.first_byte_ms", &out->first_byte_ms);
}

void read_headers(const hc_session_options& o, Reader& read, SessionConfig* config) {
  if (o.header_count > 1000) return read.fail("header_count", "is more than 1000");
  if (o.header_count > 0 && o.headers == nullptr) return read.fail("headers", "NULL");
  for (size_t i = 0; i < o.header_count; ++i) {
    DefaultHeader header;
    read.text(o.headers[i].name, "headers: name", &header.name);
    read.text(o.headers[i].value, "headers: value", &header.value);
    header.value = trim(header.value);
    if (!is_token(header.name)) read.fail("headers", "a name is not a token");
    if (is_framing_field(header.name)) read.fail("headers", header.name + " is set by the library");
    if (equals_ignoring_case(header.name, "proxy-authorization")) {
      read.fail("headers", "Proxy-Authorization belongs into the proxy's URL or into proxy_headers");
    }
    config->headers.push_back(std::move(header));
  }
}

void read_answers(const hc_session_options& o, Reader& read, SessionConfig* config) {
  read.number(o.max_redirects, "max_redirects", 0, kMaxRedirects, &config->max_redirects);
  read.flag(o.insecure_redirects, "insecure_redirects", &config->insecure_redirects);
  read.flag(o.decompress, "decompress", &config->decompress);
  read.text(o.base_url, "base_url", &config->base_url);
  if (config->base_url.empty()) return;
  Url url;
  if (Status status = Url::parse(config->base_url, &url); !status.is_ok())
    read.fail("base_url", status.message());
}

void read_credentials(const hc_session_options& o, Reader& read, SessionConfig* config) {
  if (o.username.data == nullptr && o.password.data != nullptr) read.fail("password", "only with username");
  if (o.username.data == nullptr) return;
  std::string username;
  std::string password;
  read.text(o.username, "username", &username);
  read.text(o.password, "password", &password);
  if (username.find(':') != std::string::npos) read.fail("username", "contains a colon");
  config->credentials = username + ":" + password;
}

void read_rest(const hc_session_options& o, Reader& read, SessionConfig* config) {
  read.number(o.max_body, "max_body", 0, HC_UNSET - 1, &config->max_body);
  read.number(o.max_body, "max_body", 0, HC_UNSET - 1, &config->max_stream);
  read.number(o.body_window, "body_window", kMinBodyWindow, kMaxBodyWindow, &config->body_window);
  read.number(o.max_header_bytes, "max_header_bytes", 1, UINT32_MAX, &config->max_header_bytes);
  read.number(o.max_headers, "max_headers", 1, UINT32_MAX, &config->max_headers);
  read.number(o.busy_poll_us, "busy_poll_us", 0, kMaxBusyPollUs, &config->busy_poll_us);
  config->user_agent = "libhc/" HC_VERSION_STRING;
  read.text(o.user_agent, "user_agent", &config->user_agent);
  config->on_log = o.on_log;
  config->on_log_data = o.on_log_data;
  config->on_trace = o.on_trace;
  config->on_trace_data = o.on_trace_data;
  if (o.log_level == HC_UNSET_INT) return;
  if (o.log_level < 0 || o.log_level > HC_LOG_DEBUG) read.fail("log_level", "is not one of HC_LOG_*");
  config->log_level = o.log_level;
}

Status read_policy(const hc_session_options& o, SessionConfig* config) {
  Status status;
  Reader read(&status);
  read.flag(o.public_only, "public_only", &config->addresses.public_only);
  if (Status ranges = parse_ranges(view(o.deny_addresses), &config->addresses.deny); !ranges.is_ok()) {
    read.fail("deny_addresses", ranges.message());
  }
  if (Status ranges = parse_ranges(view(o.allow_addresses), &config->addresses.allow); !ranges.is_ok()) {
    read.fail("allow_addresses", ranges.message());
  }
  read.text(o.trusted_proxies, "trusted_proxies", &config->routes.trusted_proxies);
  return status;
}

// The simple form of a TLS identity: two options of the session itself.
Status read_tls(const hc_session_options& o, SessionConfig* config) {
  Route route;
  if (o.tls != nullptr) {
    if (o.tls_verify != HC_UNSET_FLAG) return Status::invalid("tls_verify: means nothing together with tls");
    if (o.ca_file.data != nullptr) return Status::invalid("ca_file: means nothing together with tls");
    HC_RETURN_IF_BAD(check_handle(o.tls, "tls"));
    route.tls = o.tls->identity;
  } else {
    Status status;
    Reader read(&status);
    TlsOptions tls;
    read.flag(o.tls_verify, "tls_verify", &tls.verify);
    read.text(o.ca_file, "ca_file", &tls.ca_file);
    tls.complete_authorities();
    if (!status.is_ok()) return status;
    HC_RETURN_IF_BAD(TlsIdentity::create(tls, &route.tls));
  }
  config->routes.direct = std::make_shared<const Route>(std::move(route));
  return read_routes(o, config);
}

}  // namespace

void unset(hc_session_options* options) {
  hc_session_options o{};
  for (uint64_t* number : {&o.limit,
                           &o.limit_per_host,
                           &o.max_connecting,
                           &o.max_waiting,
                           &o.keepalive_timeout_ms,
                           &o.max_lifetime_ms,
                           &o.ttl_dns_cache_ms,
                           &o.dns_stale_ttl_ms,
                           &o.dns_negative_ttl_ms,
                           &o.dns_cache_size,
                           &o.happy_eyeballs_ms,
                           &o.tcp_keepalive_idle_ms,
                           &o.tcp_keepalive_interval_ms,
                           &o.tcp_user_timeout_ms,
                           &o.receive_buffer,
                           &o.send_buffer,
                           &o.max_body,
                           &o.body_window,
                           &o.max_redirects,
                           &o.max_header_bytes,
                           &o.max_headers,
                           &o.busy_poll_us}) {
    *number = HC_UNSET;
  }
  for (uint8_t* flag :
       {&o.force_close, &o.retry_stale, &o.use_dns_cache, &o.family, &o.tls_verify, &o.tcp_nodelay,
        &o.tcp_keepalive, &o.insecure_redirects, &o.decompress, &o.trust_env, &o.public_only}) {
    *flag = HC_UNSET_FLAG;
  }
  o.log_level = HC_UNSET_INT;
  unset(&o.timeouts);
  *options = o;
}

void unset(hc_request* request) {
  *request = {};
  request->certificates = HC_UNSET_FLAG;
  request->body_kind = request->force_close = request->retry_stale = request->stream = HC_UNSET_FLAG;
  request->insecure_redirects = request->decompress = request->expect_continue = HC_UNSET_FLAG;
  request->body_fd = HC_UNSET_INT;
  request->body_offset = request->body_length = HC_UNSET;
  request->max_body = request->body_window = request->max_redirects = HC_UNSET;
  unset(&request->timeouts);
}

Status session_config(const hc_session_options* options, SessionConfig* out) {
  hc_session_options given;
  unset(&given);
  if (options != nullptr) HC_RETURN_IF_BAD(copy_in(options, "options", &given));
  Status status;
  Reader read(&status);
  read_connections(given, read, out);
  read_names(given, read, out);
  read_sockets(given, read, out);
  read_timeouts(given.timeouts, read, &out->timeouts);
  read_headers(given, read, out);
  read_answers(given, read, out);
  read_credentials(given, read, out);
  read_rest(given, read, out);
  if (!status.is_ok()) return status;
  HC_RETURN_IF_BAD(read_policy(given, out));
  return read_tls(given, out);
}

}  // namespace hc::capi

extern "C" hc_status hc_session_options_init(hc_session_options* options, size_t size) {
  return hc::capi::init(options, size);
}

extern "C" hc_status hc_request_init(hc_request* request, size_t size) {
  return hc::capi::init(request, size);
}
