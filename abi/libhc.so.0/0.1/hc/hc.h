#ifndef HC_HC_H
#define HC_HC_H
#include <stddef.h>
#include <stdint.h>
#include <hc/version.h>
#if defined(__GNUC__)
#define HC_API __attribute__((visibility("default")))
#define HC_NODISCARD __attribute__((warn_unused_result))
#define HC_DEPRECATED(since,use) __attribute__((deprecated("since " since ": use " use)))
#else
#define HC_API
#define HC_NODISCARD
#define HC_DEPRECATED(since,use)
#endif
#ifdef __cplusplus
extern "C" {
#endif
HC_API const char *hc_version(void);
HC_API uint32_t hc_version_number(void);
typedef int32_t hc_status;
typedef uint64_t hc_id;
typedef struct hc_str {
  const char *data;
  size_t len;
} hc_str;
typedef struct hc_header {
  hc_str name;
  hc_str value;
} hc_header;
#define HC_UNSET UINT64_MAX
#define HC_UNSET_FLAG UINT8_MAX
#define HC_UNSET_INT INT32_MIN
#define HC_FOREVER (UINT64_MAX - 1)
enum { HC_OFF = 0, HC_ON = 1 };
enum { HC_FAMILY_ANY = 0, HC_FAMILY_V4 = 4, HC_FAMILY_V6 = 6 };
enum {
  HC_BODY_COPIED = 0,
  HC_BODY_BORROWED = 1,
  HC_BODY_FILE = 2,
  HC_BODY_PULLED = 3
};
enum {
  HC_CERTIFICATES_DER = 1,
  HC_CERTIFICATES_PEM = 2
};
enum { HC_TLS_1_2 = 12, HC_TLS_1_3 = 13 };
enum {
  HC_PHASE_NONE = 0,
  HC_PHASE_WAITING = 1,
  HC_PHASE_RESOLVING = 2,
  HC_PHASE_CONNECTING = 3,
  HC_PHASE_SENDING = 4,
  HC_PHASE_AWAITING = 5,
  HC_PHASE_RECEIVING = 6,
  HC_PHASE_DONE = 7
};
enum {
  HC_NATIVE_NONE = 0,
  HC_NATIVE_ERRNO = 1,
  HC_NATIVE_CURL = 2,
  HC_NATIVE_ARES = 3,
  HC_NATIVE_GAI = 4,
  HC_NATIVE_TLS = 5,
  HC_NATIVE_PROXY = 6
};
enum { HC_LOG_ERROR = 1, HC_LOG_WARNING = 2, HC_LOG_INFO = 3, HC_LOG_DEBUG = 4 };
typedef struct hc_session hc_session;
typedef struct hc_queue hc_queue;
typedef struct hc_response hc_response;
typedef struct hc_block hc_block;
typedef struct hc_tls hc_tls;
typedef struct hc_resolve_query hc_resolve_query;
enum {
  HC_OK = 0,
  HC_E_INVALID = -1,
  HC_E_CLOSED = -2,
  HC_E_FORKED = -3,
  HC_E_DEADLOCK = -4,
  HC_E_TLS_CONFIG = -5,
  HC_E_UNSUPPORTED = -6,
  HC_E_CALLBACK = -7,
  HC_E_AGAIN = -8,
  HC_E_NOMEM = -10,
  HC_E_SYSTEM = -11,
  HC_E_OVERLOAD = -12,
  HC_E_CANCELLED = -20,
  HC_E_DNS = -30,
  HC_E_CONNECT = -31,
  HC_E_TLS = -32,
  HC_E_TLS_VERIFY = -33,
  HC_E_PROXY = -34,
  HC_E_ADDRESS_DENIED = -35,
  HC_E_STALE = -40,
  HC_E_DISCONNECTED = -41,
  HC_E_INCOMPLETE = -42,
  HC_E_PROTOCOL = -43,
  HC_E_TOO_LARGE = -44,
  HC_E_REDIRECT = -45,
  HC_E_TOO_MANY_REDIRECTS = -46,
  HC_E_TIMEOUT_TOTAL = -60,
  HC_E_TIMEOUT_POOL = -61,
  HC_E_TIMEOUT_DNS = -62,
  HC_E_TIMEOUT_CONNECT = -63,
  HC_E_TIMEOUT_SOCK_CONNECT = -64,
  HC_E_TIMEOUT_SOCK_READ = -65,
  HC_E_TIMEOUT_SOCK_WRITE = -66,
  HC_E_TIMEOUT_FIRST_BYTE = -67,
  HC_E_INTERNAL = -99
};
HC_API const char *hc_status_name(hc_status status);
HC_API const char *hc_status_text(hc_status status);
HC_API const char *hc_phase_name(int32_t phase);
typedef struct hc_error {
  uint32_t struct_size;
  hc_status status;
  int32_t phase;
  int32_t native_domain;
  int64_t native_code;
  uint64_t phase_ns;
  char message[232];
} hc_error;
HC_API hc_status hc_error_init(hc_error *error, size_t size);
enum {
  HC_DONE = 0,
  HC_HEAD = 1,
  HC_BODY = 2
};
typedef struct hc_completion {
  hc_id id;
  void *user_data;
  hc_response *response;
  hc_status status;
  int32_t http_status;
  hc_str body;
  int32_t kind;
  int32_t reserved;
} hc_completion;
typedef void (*hc_completion_fn)(const hc_completion *completion, void *user_data);
typedef hc_status (*hc_body_fn)(void *buffer, size_t capacity, size_t *count, void *user_data);
typedef hc_status (*hc_rewind_fn)(void *user_data);
typedef void (*hc_release_fn)(void *user_data);
typedef void (*hc_log_fn)(int32_t level, hc_str line, void *user_data);
typedef hc_status (*hc_resolve_fn)(hc_resolve_query *query, hc_str host, int32_t family, void *user_data);
enum { HC_RESOLVE_PASS = 1 };
typedef struct hc_socket_info {
  uint32_t struct_size;
  int32_t fd;
  hc_str host;
  hc_str address;
  uint16_t port;
  uint16_t reserved[3];
} hc_socket_info;
typedef int32_t (*hc_socket_fn)(const hc_socket_info *socket, void *user_data);
typedef void (*hc_closed_fn)(void *user_data);
enum {
  HC_TRACE_REQUEST_START = 1,
  HC_TRACE_CONNECTION_QUEUED_START = 2,
  HC_TRACE_CONNECTION_QUEUED_END = 3,
  HC_TRACE_CONNECTION_CREATE_START = 4,
  HC_TRACE_DNS_CACHE_HIT = 5,
  HC_TRACE_DNS_CACHE_MISS = 6,
  HC_TRACE_DNS_RESOLVEHOST_START = 7,
  HC_TRACE_DNS_RESOLVEHOST_END = 8,
  HC_TRACE_CONNECTION_CREATE_END = 9,
  HC_TRACE_CONNECTION_REUSECONN = 10,
  HC_TRACE_REQUEST_HEADERS_SENT = 11,
  HC_TRACE_REQUEST_CHUNK_SENT = 12,
  HC_TRACE_RESPONSE_CHUNK_RECEIVED = 13,
  HC_TRACE_REQUEST_REDIRECT = 14,
  HC_TRACE_REQUEST_END = 15,
  HC_TRACE_REQUEST_EXCEPTION = 16,
  HC_TRACE_ATTEMPT_START = 32,
  HC_TRACE_ATTEMPT_END = 33,
  HC_TRACE_RESPONSE_START = 34,
  HC_TRACE_REQUEST_RESUBMIT = 35,
  HC_TRACE_CONNECTION_IDLE = 36,
  HC_TRACE_CONNECTION_RETIRED = 37,
  HC_TRACE_CONNECTION_CLOSED = 38
};
typedef struct hc_trace_event {
  uint32_t struct_size;
  int32_t kind;
  uint64_t time_ns;
  hc_id id;
  uint64_t connection;
  hc_str origin;
  hc_str text;
  uint64_t bytes;
  hc_status status;
  int32_t http_status;
} hc_trace_event;
typedef void (*hc_trace_fn)(const hc_trace_event *event, void *user_data);
typedef struct hc_timeouts {
  uint64_t total_ms;
  uint64_t pool_ms;
  uint64_t dns_ms;
  uint64_t connect_ms;
  uint64_t sock_connect_ms;
  uint64_t sock_read_ms;
  uint64_t sock_write_ms;
  uint64_t first_byte_ms;
} hc_timeouts;
typedef struct hc_tls_options {
  uint32_t struct_size;
  uint8_t verify;
  uint8_t min_version;
  uint8_t reserved[2];
  hc_str ca_file;
  hc_str ca_pem;
  hc_str certificate_file;
  hc_str certificate_pem;
  hc_str key_file;
  hc_str key_pem;
  hc_str key_password;
  const hc_str *pins;
  size_t pin_count;
  hc_str server_name;
  hc_str key_log_file;
} hc_tls_options;
HC_API hc_status hc_tls_options_init(hc_tls_options *options, size_t size);
HC_API HC_NODISCARD hc_status hc_tls_create(hc_tls **out, const hc_tls_options *options, hc_error *error);
HC_API void hc_tls_free(hc_tls *tls);
typedef struct hc_session_options {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t limit;
  uint64_t limit_per_host;
  uint64_t max_connecting;
  uint64_t max_waiting;
  uint64_t keepalive_timeout_ms;
  uint64_t max_lifetime_ms;
  uint8_t force_close;
  uint8_t retry_stale;
  uint8_t use_dns_cache;
  uint8_t family;
  uint8_t tls_verify;
  uint8_t reserved_flags[3];
  const hc_tls *tls;
  uint64_t ttl_dns_cache_ms;
  uint64_t dns_stale_ttl_ms;
  uint64_t dns_negative_ttl_ms;
  uint64_t dns_cache_size;
  uint64_t happy_eyeballs_ms;
  hc_str nameservers;
  hc_resolve_fn on_resolve;
  void *on_resolve_data;
  hc_str proxy;
  const hc_header *proxy_headers;
  size_t proxy_header_count;
  const hc_tls *proxy_tls;
  hc_str no_proxy;
  hc_str unix_path;
  uint8_t trust_env;
  uint8_t public_only;
  uint8_t reserved_policy[6];
  hc_str deny_addresses;
  hc_str allow_addresses;
  hc_str trusted_proxies;
  hc_str local_addr;
  hc_str interface_name;
  uint8_t tcp_nodelay;
  uint8_t tcp_keepalive;
  uint8_t reserved_tcp[6];
  uint64_t tcp_keepalive_idle_ms;
  uint64_t tcp_keepalive_interval_ms;
  uint64_t tcp_user_timeout_ms;
  uint64_t receive_buffer;
  uint64_t send_buffer;
  hc_socket_fn on_socket;
  void *on_socket_data;
  hc_timeouts timeouts;
  uint64_t max_body;
  uint64_t body_window;
  uint64_t max_header_bytes;
  uint64_t max_headers;
  uint64_t max_redirects;
  uint8_t insecure_redirects;
  uint8_t decompress;
  uint8_t reserved_answers[6];
  hc_str base_url;
  hc_str username;
  hc_str password;
  const hc_header *headers;
  size_t header_count;
  hc_str user_agent;
  hc_str ca_file;
  hc_log_fn on_log;
  void *on_log_data;
  int32_t log_level;
  int32_t reserved_log;
  hc_trace_fn on_trace;
  void *on_trace_data;
} hc_session_options;
HC_API hc_status hc_session_options_init(hc_session_options *options, size_t size);
typedef struct hc_request {
  uint32_t struct_size;
  int32_t priority;
  hc_str method;
  hc_str url;
  const hc_header *headers;
  size_t header_count;
  hc_str body;
  hc_queue *queue;
  hc_completion_fn on_done;
  void *user_data;
  uint8_t body_kind;
  uint8_t force_close;
  uint8_t retry_stale;
  uint8_t stream;
  uint8_t insecure_redirects;
  uint8_t decompress;
  uint8_t expect_continue;
  uint8_t certificates;
  const hc_tls *tls;
  hc_str body_path;
  int32_t body_fd;
  int32_t reserved_body;
  uint64_t body_offset;
  uint64_t body_length;
  hc_body_fn on_body;
  hc_rewind_fn on_rewind;
  hc_release_fn on_release;
  void *body_data;
  uint64_t max_redirects;
  hc_timeouts timeouts;
  uint64_t max_body;
  uint64_t body_window;
  hc_str proxy;
  const hc_header *proxy_headers;
  size_t proxy_header_count;
  hc_str unix_path;
  hc_str username;
  hc_str password;
  const hc_str *addresses;
  size_t address_count;
} hc_request;
HC_API hc_status hc_request_init(hc_request *request, size_t size);
HC_API HC_NODISCARD hc_status hc_session_create(hc_session **out, const hc_session_options *options,
                                                hc_error *error);
HC_API HC_NODISCARD hc_status hc_session_submit(hc_session *session, const hc_request *request, hc_id *id,
                                                hc_error *error);
HC_API HC_NODISCARD hc_status hc_session_perform(hc_session *session, const hc_request *request,
                                                 hc_response **out, hc_error *error);
HC_API hc_status hc_session_cancel(hc_session *session, hc_id id);
HC_API hc_status hc_session_resume_upload(hc_session *session, hc_id id);
HC_API hc_status hc_session_close(hc_session *session, uint64_t drain_ms);
HC_API hc_status hc_session_close_async(hc_session *session, uint64_t drain_ms, hc_closed_fn on_closed,
                                        void *user_data);
HC_API void hc_session_free(hc_session *session);
HC_API hc_status hc_session_resolve_add(hc_session *session, hc_str host, uint16_t port,
                                        const hc_str *addresses, size_t count, hc_error *error);
HC_API hc_status hc_session_dns_clear(hc_session *session, hc_str host);
HC_API hc_status hc_resolve_answer(hc_resolve_query *query, const hc_str *addresses, size_t count,
                                   uint64_t ttl_ms);
HC_API hc_status hc_resolve_fail(hc_resolve_query *query, hc_str reason);
typedef struct hc_timing {
  uint64_t started_ns;
  uint64_t resolved_ns;
  uint64_t connected_ns;
  uint64_t secured_ns;
  uint64_t ready_ns;
  uint64_t sent_ns;
  uint64_t first_byte_ns;
  uint64_t done_ns;
} hc_timing;
typedef struct hc_hop {
  int32_t http_status;
  int32_t reserved;
  hc_str method;
  hc_str url;
  const hc_header *headers;
  size_t header_count;
} hc_hop;
typedef struct hc_response_info {
  uint32_t struct_size;
  hc_status status;
  int32_t http_status;
  int32_t http_version;
  hc_str reason;
  const hc_header *headers;
  size_t header_count;
  hc_str body;
  uint64_t connection;
  uint8_t reused;
  uint8_t reserved[3];
  uint32_t attempts;
  hc_str remote_address;
  uint16_t remote_port;
  uint16_t reserved_port[3];
  hc_timing timing;
  hc_str url;
  const hc_hop *history;
  size_t history_count;
} hc_response_info;
HC_API hc_status hc_response_get_info(const hc_response *response, hc_response_info *info);
HC_API hc_status hc_response_status(const hc_response *response);
HC_API int32_t hc_response_http_status(const hc_response *response);
HC_API hc_str hc_response_body(const hc_response *response);
HC_API hc_status hc_response_header(const hc_response *response, hc_str name, size_t nth, hc_str *value);
typedef struct hc_attempt {
  uint32_t struct_size;
  hc_status status;
  uint64_t connection;
  hc_str address;
  uint16_t port;
  uint8_t reused;
  uint8_t reserved;
  uint32_t hop;
  hc_timing timing;
  hc_str message;
} hc_attempt;
HC_API hc_status hc_response_attempt(const hc_response *response, size_t nth, hc_attempt *attempt);
HC_API hc_str hc_response_certificate(const hc_response *response, size_t nth);
HC_API hc_status hc_response_error(const hc_response *response, hc_error *error);
HC_API void hc_response_free(hc_response *response);
HC_API hc_status hc_response_read(hc_response *response, void *buffer, size_t capacity, size_t *count);
typedef struct hc_chunk {
  uint32_t struct_size;
  uint32_t reserved;
  hc_str bytes;
  hc_block *block;
} hc_chunk;
HC_API hc_status hc_response_take(hc_response *response, hc_chunk *chunk);
HC_API void hc_block_free(hc_block *block);
HC_API hc_status hc_response_wait(hc_response *response, uint64_t timeout_ms);
HC_API HC_NODISCARD hc_status hc_queue_create(hc_queue **out, hc_error *error);
HC_API int32_t hc_queue_fd(const hc_queue *queue);
HC_API hc_status hc_queue_drain(hc_queue *queue, hc_completion *items, size_t item_size, size_t capacity,
                                size_t *count);
HC_API hc_status hc_queue_wait(hc_queue *queue, uint64_t timeout_ms, size_t *ready);
HC_API void hc_queue_close(hc_queue *queue);
typedef struct hc_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t submitted;
  uint64_t succeeded;
  uint64_t failed;
  uint64_t cancelled;
  uint64_t in_flight;
  uint64_t waiting;
  uint64_t stale_retries;
  uint64_t waited_ns;
  uint64_t bytes_received;
  uint64_t bytes_sent;
  uint64_t sockets_opened;
  uint64_t sockets_closed;
  uint64_t sockets_connecting;
  uint64_t sockets_in_use;
  uint64_t sockets_idle;
  uint64_t sockets_retired;
  uint64_t sockets_peak;
  uint64_t connections_made;
  uint64_t connections_reused;
  uint64_t connect_failures;
  uint64_t dns_lookups;
  uint64_t dns_cache_hits;
  uint64_t dns_failures;
  uint64_t loop_turns;
  uint64_t loop_busy_ns;
  uint64_t loop_elapsed_ns;
  uint64_t loop_worst_turn_ns;
} hc_stats;
HC_API hc_status hc_session_stats(hc_session *session, hc_stats *stats);
#define HC_HISTOGRAM_BUCKETS 23
typedef struct hc_histogram {
  uint64_t count;
  uint64_t sum_ns;
  uint64_t buckets[23];
} hc_histogram;
typedef struct hc_histograms {
  uint32_t struct_size;
  uint32_t bound_count;
  const uint64_t *bounds_ns;
  hc_histogram waiting;
  hc_histogram connect;
  hc_histogram first_byte;
  hc_histogram total;
} hc_histograms;
HC_API hc_status hc_session_histograms(hc_session *session, hc_histograms *histograms);
#define HC_MAX_ORIGINS 257
typedef struct hc_origin_stats {
  uint32_t struct_size;
  uint32_t reserved;
  char origin[272];
  uint64_t submitted;
  uint64_t succeeded;
  uint64_t failed;
  uint64_t cancelled;
  uint64_t in_flight;
  uint64_t waiting;
  uint64_t sockets;
  uint64_t sockets_idle;
  uint64_t connections_made;
  uint64_t connections_reused;
  uint64_t stale_retries;
  uint64_t waited_ns;
  uint64_t total_ns;
} hc_origin_stats;
HC_API hc_status hc_session_origins(hc_session *session, hc_origin_stats *rows, size_t row_size,
                                    size_t capacity, size_t *count);
HC_API hc_status hc_metrics_prometheus(hc_session *const *sessions, const hc_str *names, size_t count,
                                       char *buffer, size_t capacity, size_t *length);
HC_API const char *hc_trace_name(int32_t kind);
typedef struct hc_runtime_info {
  uint32_t struct_size;
  uint32_t curl_version_number;
  hc_str curl_version;
  hc_str curl_features;
  hc_str ares_version;
  hc_str tls_version;
  hc_str ca_file;
  uint64_t descriptor_limit;
  uint64_t descriptor_budget;
  uint64_t descriptors_in_use;
} hc_runtime_info;
HC_API hc_status hc_runtime_get_info(hc_runtime_info *info);
#ifdef __cplusplus
#define HC_STR(literal) (hc_str{(literal), sizeof(literal) - 1})
#else
#define HC_STR(literal) ((hc_str){(literal), sizeof(literal) - 1})
#endif
#ifdef __cplusplus
}
#endif
#endif
