"""The declarations of hc.h for ctypes. Written by tools/python_ffi.py; do not edit.

Pointers to handles are c_void_p. A hc_str that comes from the library is not NUL-terminated: its `data` must not be
read as a field, see _library.text_of().
"""

from ctypes import CFUNCTYPE, POINTER, Structure
from ctypes import c_char, c_char_p, c_int32, c_int64, c_size_t, c_uint16, c_uint32, c_uint64, c_uint8, c_void_p
from typing import Any, Dict, List, Tuple

VERSION_NUMBER = 1000

HC_UNSET = 18446744073709551615
HC_UNSET_FLAG = 255
HC_UNSET_INT = -2147483648
HC_FOREVER = 18446744073709551614
HC_HISTOGRAM_BUCKETS = 23
HC_MAX_ORIGINS = 257
HC_OFF = 0
HC_ON = 1
HC_FAMILY_ANY = 0
HC_FAMILY_V4 = 4
HC_FAMILY_V6 = 6
HC_BODY_COPIED = 0
HC_BODY_BORROWED = 1
HC_BODY_FILE = 2
HC_BODY_PULLED = 3
HC_CERTIFICATES_DER = 1
HC_CERTIFICATES_PEM = 2
HC_TLS_1_2 = 12
HC_TLS_1_3 = 13
HC_PHASE_NONE = 0
HC_PHASE_WAITING = 1
HC_PHASE_RESOLVING = 2
HC_PHASE_CONNECTING = 3
HC_PHASE_SENDING = 4
HC_PHASE_AWAITING = 5
HC_PHASE_RECEIVING = 6
HC_PHASE_DONE = 7
HC_NATIVE_NONE = 0
HC_NATIVE_ERRNO = 1
HC_NATIVE_CURL = 2
HC_NATIVE_ARES = 3
HC_NATIVE_GAI = 4
HC_NATIVE_TLS = 5
HC_NATIVE_PROXY = 6
HC_LOG_ERROR = 1
HC_LOG_WARNING = 2
HC_LOG_INFO = 3
HC_LOG_DEBUG = 4
HC_OK = 0
HC_E_INVALID = -1
HC_E_CLOSED = -2
HC_E_FORKED = -3
HC_E_DEADLOCK = -4
HC_E_TLS_CONFIG = -5
HC_E_UNSUPPORTED = -6
HC_E_CALLBACK = -7
HC_E_AGAIN = -8
HC_E_NOMEM = -10
HC_E_SYSTEM = -11
HC_E_OVERLOAD = -12
HC_E_CANCELLED = -20
HC_E_DNS = -30
HC_E_CONNECT = -31
HC_E_TLS = -32
HC_E_TLS_VERIFY = -33
HC_E_PROXY = -34
HC_E_ADDRESS_DENIED = -35
HC_E_STALE = -40
HC_E_DISCONNECTED = -41
HC_E_INCOMPLETE = -42
HC_E_PROTOCOL = -43
HC_E_TOO_LARGE = -44
HC_E_REDIRECT = -45
HC_E_TOO_MANY_REDIRECTS = -46
HC_E_TIMEOUT_TOTAL = -60
HC_E_TIMEOUT_POOL = -61
HC_E_TIMEOUT_DNS = -62
HC_E_TIMEOUT_CONNECT = -63
HC_E_TIMEOUT_SOCK_CONNECT = -64
HC_E_TIMEOUT_SOCK_READ = -65
HC_E_TIMEOUT_SOCK_WRITE = -66
HC_E_TIMEOUT_FIRST_BYTE = -67
HC_E_INTERNAL = -99
HC_DONE = 0
HC_HEAD = 1
HC_BODY = 2
HC_RESOLVE_PASS = 1
HC_TRACE_REQUEST_START = 1
HC_TRACE_CONNECTION_QUEUED_START = 2
HC_TRACE_CONNECTION_QUEUED_END = 3
HC_TRACE_CONNECTION_CREATE_START = 4
HC_TRACE_DNS_CACHE_HIT = 5
HC_TRACE_DNS_CACHE_MISS = 6
HC_TRACE_DNS_RESOLVEHOST_START = 7
HC_TRACE_DNS_RESOLVEHOST_END = 8
HC_TRACE_CONNECTION_CREATE_END = 9
HC_TRACE_CONNECTION_REUSECONN = 10
HC_TRACE_REQUEST_HEADERS_SENT = 11
HC_TRACE_REQUEST_CHUNK_SENT = 12
HC_TRACE_RESPONSE_CHUNK_RECEIVED = 13
HC_TRACE_REQUEST_REDIRECT = 14
HC_TRACE_REQUEST_END = 15
HC_TRACE_REQUEST_EXCEPTION = 16
HC_TRACE_ATTEMPT_START = 32
HC_TRACE_ATTEMPT_END = 33
HC_TRACE_RESPONSE_START = 34
HC_TRACE_REQUEST_RESUBMIT = 35
HC_TRACE_CONNECTION_IDLE = 36
HC_TRACE_CONNECTION_RETIRED = 37
HC_TRACE_CONNECTION_CLOSED = 38


class hc_str(Structure):
    _fields_ = [
        ("data", c_char_p),
        ("len", c_size_t),
    ]


class hc_header(Structure):
    _fields_ = [
        ("name", hc_str),
        ("value", hc_str),
    ]


class hc_error(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("status", c_int32),
        ("phase", c_int32),
        ("native_domain", c_int32),
        ("native_code", c_int64),
        ("phase_ns", c_uint64),
        ("message", c_char * 232),
    ]


class hc_completion(Structure):
    _fields_ = [
        ("id", c_uint64),
        ("user_data", c_void_p),
        ("response", c_void_p),
        ("status", c_int32),
        ("http_status", c_int32),
        ("body", hc_str),
        ("kind", c_int32),
        ("reserved", c_int32),
    ]


hc_completion_fn = CFUNCTYPE(None, POINTER(hc_completion), c_void_p)


hc_body_fn = CFUNCTYPE(c_int32, c_void_p, c_size_t, POINTER(c_size_t), c_void_p)


hc_rewind_fn = CFUNCTYPE(c_int32, c_void_p)


hc_release_fn = CFUNCTYPE(None, c_void_p)


hc_log_fn = CFUNCTYPE(None, c_int32, hc_str, c_void_p)


hc_resolve_fn = CFUNCTYPE(c_int32, c_void_p, hc_str, c_int32, c_void_p)


class hc_socket_info(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("fd", c_int32),
        ("host", hc_str),
        ("address", hc_str),
        ("port", c_uint16),
        ("reserved", c_uint16 * 3),
    ]


hc_socket_fn = CFUNCTYPE(c_int32, POINTER(hc_socket_info), c_void_p)


hc_closed_fn = CFUNCTYPE(None, c_void_p)


class hc_trace_event(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("time_ns", c_uint64),
        ("id", c_uint64),
        ("connection", c_uint64),
        ("origin", hc_str),
        ("text", hc_str),
        ("bytes", c_uint64),
        ("status", c_int32),
        ("http_status", c_int32),
    ]


hc_trace_fn = CFUNCTYPE(None, POINTER(hc_trace_event), c_void_p)


class hc_timeouts(Structure):
    _fields_ = [
        ("total_ms", c_uint64),
        ("pool_ms", c_uint64),
        ("dns_ms", c_uint64),
        ("connect_ms", c_uint64),
        ("sock_connect_ms", c_uint64),
        ("sock_read_ms", c_uint64),
        ("sock_write_ms", c_uint64),
        ("first_byte_ms", c_uint64),
    ]


class hc_tls_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("verify", c_uint8),
        ("min_version", c_uint8),
        ("reserved", c_uint8 * 2),
        ("ca_file", hc_str),
        ("ca_pem", hc_str),
        ("certificate_file", hc_str),
        ("certificate_pem", hc_str),
        ("key_file", hc_str),
        ("key_pem", hc_str),
        ("key_password", hc_str),
        ("pins", POINTER(hc_str)),
        ("pin_count", c_size_t),
        ("server_name", hc_str),
        ("key_log_file", hc_str),
    ]


class hc_session_options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("limit", c_uint64),
        ("limit_per_host", c_uint64),
        ("max_connecting", c_uint64),
        ("max_waiting", c_uint64),
        ("keepalive_timeout_ms", c_uint64),
        ("max_lifetime_ms", c_uint64),
        ("force_close", c_uint8),
        ("retry_stale", c_uint8),
        ("use_dns_cache", c_uint8),
        ("family", c_uint8),
        ("tls_verify", c_uint8),
        ("reserved_flags", c_uint8 * 3),
        ("tls", c_void_p),
        ("ttl_dns_cache_ms", c_uint64),
        ("dns_stale_ttl_ms", c_uint64),
        ("dns_negative_ttl_ms", c_uint64),
        ("dns_cache_size", c_uint64),
        ("happy_eyeballs_ms", c_uint64),
        ("nameservers", hc_str),
        ("on_resolve", hc_resolve_fn),
        ("on_resolve_data", c_void_p),
        ("proxy", hc_str),
        ("proxy_headers", POINTER(hc_header)),
        ("proxy_header_count", c_size_t),
        ("proxy_tls", c_void_p),
        ("no_proxy", hc_str),
        ("unix_path", hc_str),
        ("trust_env", c_uint8),
        ("public_only", c_uint8),
        ("reserved_policy", c_uint8 * 6),
        ("deny_addresses", hc_str),
        ("allow_addresses", hc_str),
        ("trusted_proxies", hc_str),
        ("local_addr", hc_str),
        ("interface_name", hc_str),
        ("tcp_nodelay", c_uint8),
        ("tcp_keepalive", c_uint8),
        ("reserved_tcp", c_uint8 * 6),
        ("tcp_keepalive_idle_ms", c_uint64),
        ("tcp_keepalive_interval_ms", c_uint64),
        ("tcp_user_timeout_ms", c_uint64),
        ("receive_buffer", c_uint64),
        ("send_buffer", c_uint64),
        ("on_socket", hc_socket_fn),
        ("on_socket_data", c_void_p),
        ("timeouts", hc_timeouts),
        ("max_body", c_uint64),
        ("body_window", c_uint64),
        ("max_header_bytes", c_uint64),
        ("max_headers", c_uint64),
        ("max_redirects", c_uint64),
        ("insecure_redirects", c_uint8),
        ("decompress", c_uint8),
        ("reserved_answers", c_uint8 * 6),
        ("base_url", hc_str),
        ("username", hc_str),
        ("password", hc_str),
        ("headers", POINTER(hc_header)),
        ("header_count", c_size_t),
        ("user_agent", hc_str),
        ("ca_file", hc_str),
        ("on_log", hc_log_fn),
        ("on_log_data", c_void_p),
        ("log_level", c_int32),
        ("reserved_log", c_int32),
        ("on_trace", hc_trace_fn),
        ("on_trace_data", c_void_p),
        ("busy_poll_us", c_uint64),
    ]


class hc_request(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("priority", c_int32),
        ("method", hc_str),
        ("url", hc_str),
        ("headers", POINTER(hc_header)),
        ("header_count", c_size_t),
        ("body", hc_str),
        ("queue", c_void_p),
        ("on_done", hc_completion_fn),
        ("user_data", c_void_p),
        ("body_kind", c_uint8),
        ("force_close", c_uint8),
        ("retry_stale", c_uint8),
        ("stream", c_uint8),
        ("insecure_redirects", c_uint8),
        ("decompress", c_uint8),
        ("expect_continue", c_uint8),
        ("certificates", c_uint8),
        ("tls", c_void_p),
        ("body_path", hc_str),
        ("body_fd", c_int32),
        ("reserved_body", c_int32),
        ("body_offset", c_uint64),
        ("body_length", c_uint64),
        ("on_body", hc_body_fn),
        ("on_rewind", hc_rewind_fn),
        ("on_release", hc_release_fn),
        ("body_data", c_void_p),
        ("max_redirects", c_uint64),
        ("timeouts", hc_timeouts),
        ("max_body", c_uint64),
        ("body_window", c_uint64),
        ("proxy", hc_str),
        ("proxy_headers", POINTER(hc_header)),
        ("proxy_header_count", c_size_t),
        ("unix_path", hc_str),
        ("username", hc_str),
        ("password", hc_str),
        ("addresses", POINTER(hc_str)),
        ("address_count", c_size_t),
    ]


class hc_timing(Structure):
    _fields_ = [
        ("started_ns", c_uint64),
        ("resolved_ns", c_uint64),
        ("connected_ns", c_uint64),
        ("secured_ns", c_uint64),
        ("ready_ns", c_uint64),
        ("sent_ns", c_uint64),
        ("first_byte_ns", c_uint64),
        ("done_ns", c_uint64),
    ]


class hc_hop(Structure):
    _fields_ = [
        ("http_status", c_int32),
        ("reserved", c_int32),
        ("method", hc_str),
        ("url", hc_str),
        ("headers", POINTER(hc_header)),
        ("header_count", c_size_t),
    ]


class hc_response_info(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("status", c_int32),
        ("http_status", c_int32),
        ("http_version", c_int32),
        ("reason", hc_str),
        ("headers", POINTER(hc_header)),
        ("header_count", c_size_t),
        ("body", hc_str),
        ("connection", c_uint64),
        ("reused", c_uint8),
        ("reserved", c_uint8 * 3),
        ("attempts", c_uint32),
        ("remote_address", hc_str),
        ("remote_port", c_uint16),
        ("reserved_port", c_uint16 * 3),
        ("timing", hc_timing),
        ("url", hc_str),
        ("history", POINTER(hc_hop)),
        ("history_count", c_size_t),
    ]


class hc_attempt(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("status", c_int32),
        ("connection", c_uint64),
        ("address", hc_str),
        ("port", c_uint16),
        ("reused", c_uint8),
        ("reserved", c_uint8),
        ("hop", c_uint32),
        ("timing", hc_timing),
        ("message", hc_str),
    ]


class hc_chunk(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("bytes", hc_str),
        ("block", c_void_p),
    ]


class hc_stats(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("submitted", c_uint64),
        ("succeeded", c_uint64),
        ("failed", c_uint64),
        ("cancelled", c_uint64),
        ("in_flight", c_uint64),
        ("waiting", c_uint64),
        ("stale_retries", c_uint64),
        ("waited_ns", c_uint64),
        ("bytes_received", c_uint64),
        ("bytes_sent", c_uint64),
        ("sockets_opened", c_uint64),
        ("sockets_closed", c_uint64),
        ("sockets_connecting", c_uint64),
        ("sockets_in_use", c_uint64),
        ("sockets_idle", c_uint64),
        ("sockets_retired", c_uint64),
        ("sockets_peak", c_uint64),
        ("connections_made", c_uint64),
        ("connections_reused", c_uint64),
        ("connect_failures", c_uint64),
        ("dns_lookups", c_uint64),
        ("dns_cache_hits", c_uint64),
        ("dns_failures", c_uint64),
        ("loop_turns", c_uint64),
        ("loop_busy_ns", c_uint64),
        ("loop_elapsed_ns", c_uint64),
        ("loop_worst_turn_ns", c_uint64),
    ]


class hc_histogram(Structure):
    _fields_ = [
        ("count", c_uint64),
        ("sum_ns", c_uint64),
        ("buckets", c_uint64 * 23),
    ]


class hc_histograms(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("bound_count", c_uint32),
        ("bounds_ns", POINTER(c_uint64)),
        ("waiting", hc_histogram),
        ("connect", hc_histogram),
        ("first_byte", hc_histogram),
        ("total", hc_histogram),
    ]


class hc_origin_stats(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("origin", c_char * 272),
        ("submitted", c_uint64),
        ("succeeded", c_uint64),
        ("failed", c_uint64),
        ("cancelled", c_uint64),
        ("in_flight", c_uint64),
        ("waiting", c_uint64),
        ("sockets", c_uint64),
        ("sockets_idle", c_uint64),
        ("connections_made", c_uint64),
        ("connections_reused", c_uint64),
        ("stale_retries", c_uint64),
        ("waited_ns", c_uint64),
        ("total_ns", c_uint64),
    ]


class hc_runtime_info(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("curl_version_number", c_uint32),
        ("curl_version", hc_str),
        ("curl_features", hc_str),
        ("ares_version", hc_str),
        ("tls_version", hc_str),
        ("ca_file", hc_str),
        ("descriptor_limit", c_uint64),
        ("descriptor_budget", c_uint64),
        ("descriptors_in_use", c_uint64),
    ]


FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {
    "hc_version": (c_char_p, []),
    "hc_version_number": (c_uint32, []),
    "hc_status_name": (c_char_p, [c_int32]),
    "hc_status_text": (c_char_p, [c_int32]),
    "hc_phase_name": (c_char_p, [c_int32]),
    "hc_error_init": (c_int32, [POINTER(hc_error), c_size_t]),
    "hc_tls_options_init": (c_int32, [POINTER(hc_tls_options), c_size_t]),
    "hc_tls_create": (c_int32, [POINTER(c_void_p), POINTER(hc_tls_options), POINTER(hc_error)]),
    "hc_tls_free": (None, [c_void_p]),
    "hc_session_options_init": (c_int32, [POINTER(hc_session_options), c_size_t]),
    "hc_request_init": (c_int32, [POINTER(hc_request), c_size_t]),
    "hc_session_create": (c_int32, [POINTER(c_void_p), POINTER(hc_session_options), POINTER(hc_error)]),
    "hc_session_submit": (c_int32, [c_void_p, POINTER(hc_request), POINTER(c_uint64), POINTER(hc_error)]),
    "hc_session_perform": (c_int32, [c_void_p, POINTER(hc_request), POINTER(c_void_p), POINTER(hc_error)]),
    "hc_session_cancel": (c_int32, [c_void_p, c_uint64]),
    "hc_session_resume_upload": (c_int32, [c_void_p, c_uint64]),
    "hc_session_close": (c_int32, [c_void_p, c_uint64]),
    "hc_session_close_async": (c_int32, [c_void_p, c_uint64, hc_closed_fn, c_void_p]),
    "hc_session_free": (None, [c_void_p]),
    "hc_session_resolve_add": (c_int32, [
        c_void_p,
        hc_str,
        c_uint16,
        POINTER(hc_str),
        c_size_t,
        POINTER(hc_error),
    ]),
    "hc_session_dns_clear": (c_int32, [c_void_p, hc_str]),
    "hc_resolve_answer": (c_int32, [c_void_p, POINTER(hc_str), c_size_t, c_uint64]),
    "hc_resolve_fail": (c_int32, [c_void_p, hc_str]),
    "hc_response_get_info": (c_int32, [c_void_p, POINTER(hc_response_info)]),
    "hc_response_status": (c_int32, [c_void_p]),
    "hc_response_http_status": (c_int32, [c_void_p]),
    "hc_response_body": (hc_str, [c_void_p]),
    "hc_response_header": (c_int32, [c_void_p, hc_str, c_size_t, POINTER(hc_str)]),
    "hc_response_attempt": (c_int32, [c_void_p, c_size_t, POINTER(hc_attempt)]),
    "hc_response_certificate": (hc_str, [c_void_p, c_size_t]),
    "hc_response_get_certificate": (c_int32, [c_void_p, c_size_t, POINTER(hc_str)]),
    "hc_response_error": (c_int32, [c_void_p, POINTER(hc_error)]),
    "hc_response_free": (None, [c_void_p]),
    "hc_response_read": (c_int32, [c_void_p, c_void_p, c_size_t, POINTER(c_size_t)]),
    "hc_response_take": (c_int32, [c_void_p, POINTER(hc_chunk)]),
    "hc_block_free": (None, [c_void_p]),
    "hc_response_wait": (c_int32, [c_void_p, c_uint64]),
    "hc_queue_create": (c_int32, [POINTER(c_void_p), POINTER(hc_error)]),
    "hc_queue_fd": (c_int32, [c_void_p]),
    "hc_queue_drain": (c_int32, [c_void_p, POINTER(hc_completion), c_size_t, c_size_t, POINTER(c_size_t)]),
    "hc_queue_wait": (c_int32, [c_void_p, c_uint64, POINTER(c_size_t)]),
    "hc_queue_close": (None, [c_void_p]),
    "hc_session_stats": (c_int32, [c_void_p, POINTER(hc_stats)]),
    "hc_session_histograms": (c_int32, [c_void_p, POINTER(hc_histograms)]),
    "hc_session_origins": (c_int32, [
        c_void_p,
        POINTER(hc_origin_stats),
        c_size_t,
        c_size_t,
        POINTER(c_size_t),
    ]),
    "hc_metrics_prometheus": (c_int32, [
        POINTER(c_void_p),
        POINTER(hc_str),
        c_size_t,
        c_char_p,
        c_size_t,
        POINTER(c_size_t),
    ]),
    "hc_trace_name": (c_char_p, [c_int32]),
    "hc_runtime_get_info": (c_int32, [POINTER(hc_runtime_info)]),
}
