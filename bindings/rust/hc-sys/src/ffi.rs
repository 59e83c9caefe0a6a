//! The declarations of hc.h. Written by tools/rust_ffi.py; do not edit.

use std::os::raw::{c_char, c_void};

constants! {
    HC_VERSION_NUMBER: u32 = 1000;
    HC_UNSET: u64 = 18446744073709551615;
    HC_UNSET_FLAG: u8 = 255;
    HC_UNSET_INT: i32 = -2147483648;
    HC_FOREVER: u64 = 18446744073709551614;
    HC_HISTOGRAM_BUCKETS: i32 = 23;
    HC_MAX_ORIGINS: i32 = 257;
    HC_OFF: i32 = 0;
    HC_ON: i32 = 1;
    HC_FAMILY_ANY: i32 = 0;
    HC_FAMILY_V4: i32 = 4;
    HC_FAMILY_V6: i32 = 6;
    HC_BODY_COPIED: i32 = 0;
    HC_BODY_BORROWED: i32 = 1;
    HC_BODY_FILE: i32 = 2;
    HC_BODY_PULLED: i32 = 3;
    HC_CERTIFICATES_DER: i32 = 1;
    HC_CERTIFICATES_PEM: i32 = 2;
    HC_TLS_1_2: i32 = 12;
    HC_TLS_1_3: i32 = 13;
    HC_PHASE_NONE: i32 = 0;
    HC_PHASE_WAITING: i32 = 1;
    HC_PHASE_RESOLVING: i32 = 2;
    HC_PHASE_CONNECTING: i32 = 3;
    HC_PHASE_SENDING: i32 = 4;
    HC_PHASE_AWAITING: i32 = 5;
    HC_PHASE_RECEIVING: i32 = 6;
    HC_PHASE_DONE: i32 = 7;
    HC_NATIVE_NONE: i32 = 0;
    HC_NATIVE_ERRNO: i32 = 1;
    HC_NATIVE_CURL: i32 = 2;
    HC_NATIVE_ARES: i32 = 3;
    HC_NATIVE_GAI: i32 = 4;
    HC_NATIVE_TLS: i32 = 5;
    HC_NATIVE_PROXY: i32 = 6;
    HC_LOG_ERROR: i32 = 1;
    HC_LOG_WARNING: i32 = 2;
    HC_LOG_INFO: i32 = 3;
    HC_LOG_DEBUG: i32 = 4;
    HC_OK: i32 = 0;
    HC_E_INVALID: i32 = -1;
    HC_E_CLOSED: i32 = -2;
    HC_E_FORKED: i32 = -3;
    HC_E_DEADLOCK: i32 = -4;
    HC_E_TLS_CONFIG: i32 = -5;
    HC_E_UNSUPPORTED: i32 = -6;
    HC_E_CALLBACK: i32 = -7;
    HC_E_AGAIN: i32 = -8;
    HC_E_NOMEM: i32 = -10;
    HC_E_SYSTEM: i32 = -11;
    HC_E_OVERLOAD: i32 = -12;
    HC_E_CANCELLED: i32 = -20;
    HC_E_DNS: i32 = -30;
    HC_E_CONNECT: i32 = -31;
    HC_E_TLS: i32 = -32;
    HC_E_TLS_VERIFY: i32 = -33;
    HC_E_PROXY: i32 = -34;
    HC_E_ADDRESS_DENIED: i32 = -35;
    HC_E_STALE: i32 = -40;
    HC_E_DISCONNECTED: i32 = -41;
    HC_E_INCOMPLETE: i32 = -42;
    HC_E_PROTOCOL: i32 = -43;
    HC_E_TOO_LARGE: i32 = -44;
    HC_E_REDIRECT: i32 = -45;
    HC_E_TOO_MANY_REDIRECTS: i32 = -46;
    HC_E_TIMEOUT_TOTAL: i32 = -60;
    HC_E_TIMEOUT_POOL: i32 = -61;
    HC_E_TIMEOUT_DNS: i32 = -62;
    HC_E_TIMEOUT_CONNECT: i32 = -63;
    HC_E_TIMEOUT_SOCK_CONNECT: i32 = -64;
    HC_E_TIMEOUT_SOCK_READ: i32 = -65;
    HC_E_TIMEOUT_SOCK_WRITE: i32 = -66;
    HC_E_TIMEOUT_FIRST_BYTE: i32 = -67;
    HC_E_INTERNAL: i32 = -99;
    HC_DONE: i32 = 0;
    HC_HEAD: i32 = 1;
    HC_BODY: i32 = 2;
    HC_RESOLVE_PASS: i32 = 1;
    HC_TRACE_REQUEST_START: i32 = 1;
    HC_TRACE_CONNECTION_QUEUED_START: i32 = 2;
    HC_TRACE_CONNECTION_QUEUED_END: i32 = 3;
    HC_TRACE_CONNECTION_CREATE_START: i32 = 4;
    HC_TRACE_DNS_CACHE_HIT: i32 = 5;
    HC_TRACE_DNS_CACHE_MISS: i32 = 6;
    HC_TRACE_DNS_RESOLVEHOST_START: i32 = 7;
    HC_TRACE_DNS_RESOLVEHOST_END: i32 = 8;
    HC_TRACE_CONNECTION_CREATE_END: i32 = 9;
    HC_TRACE_CONNECTION_REUSECONN: i32 = 10;
    HC_TRACE_REQUEST_HEADERS_SENT: i32 = 11;
    HC_TRACE_REQUEST_CHUNK_SENT: i32 = 12;
    HC_TRACE_RESPONSE_CHUNK_RECEIVED: i32 = 13;
    HC_TRACE_REQUEST_REDIRECT: i32 = 14;
    HC_TRACE_REQUEST_END: i32 = 15;
    HC_TRACE_REQUEST_EXCEPTION: i32 = 16;
    HC_TRACE_ATTEMPT_START: i32 = 32;
    HC_TRACE_ATTEMPT_END: i32 = 33;
    HC_TRACE_RESPONSE_START: i32 = 34;
    HC_TRACE_REQUEST_RESUBMIT: i32 = 35;
    HC_TRACE_CONNECTION_IDLE: i32 = 36;
    HC_TRACE_CONNECTION_RETIRED: i32 = 37;
    HC_TRACE_CONNECTION_CLOSED: i32 = 38;
}

aliases! {
    hc_status = i32;
    hc_id = u64;
}

handles! {
    hc_session;
    hc_queue;
    hc_response;
    hc_block;
    hc_tls;
    hc_resolve_query;
}

structs! {
    hc_str {
        data: *const c_char,
        len: usize,
    }
    hc_header {
        name: hc_str,
        value: hc_str,
    }
    hc_error {
        struct_size: u32,
        status: hc_status,
        phase: i32,
        native_domain: i32,
        native_code: i64,
        phase_ns: u64,
        message: [c_char; 232],
    }
    hc_completion {
        id: hc_id,
        user_data: *mut c_void,
        response: *mut hc_response,
        status: hc_status,
        http_status: i32,
        body: hc_str,
        kind: i32,
        reserved: i32,
    }
    hc_socket_info {
        struct_size: u32,
        fd: i32,
        host: hc_str,
        address: hc_str,
        port: u16,
        reserved: [u16; 3],
    }
    hc_trace_event {
        struct_size: u32,
        kind: i32,
        time_ns: u64,
        id: hc_id,
        connection: u64,
        origin: hc_str,
        text: hc_str,
        bytes: u64,
        status: hc_status,
        http_status: i32,
    }
    hc_timeouts {
        total_ms: u64,
        pool_ms: u64,
        dns_ms: u64,
        connect_ms: u64,
        sock_connect_ms: u64,
        sock_read_ms: u64,
        sock_write_ms: u64,
        first_byte_ms: u64,
    }
    hc_tls_options {
        struct_size: u32,
        verify: u8,
        min_version: u8,
        reserved: [u8; 2],
        ca_file: hc_str,
        ca_pem: hc_str,
        certificate_file: hc_str,
        certificate_pem: hc_str,
        key_file: hc_str,
        key_pem: hc_str,
        key_password: hc_str,
        pins: *const hc_str,
        pin_count: usize,
        server_name: hc_str,
        key_log_file: hc_str,
    }
    hc_session_options {
        struct_size: u32,
        reserved: u32,
        limit: u64,
        limit_per_host: u64,
        max_connecting: u64,
        max_waiting: u64,
        keepalive_timeout_ms: u64,
        max_lifetime_ms: u64,
        force_close: u8,
        retry_stale: u8,
        use_dns_cache: u8,
        family: u8,
        tls_verify: u8,
        reserved_flags: [u8; 3],
        tls: *const hc_tls,
        ttl_dns_cache_ms: u64,
        dns_stale_ttl_ms: u64,
        dns_negative_ttl_ms: u64,
        dns_cache_size: u64,
        happy_eyeballs_ms: u64,
        nameservers: hc_str,
        on_resolve: hc_resolve_fn,
        on_resolve_data: *mut c_void,
        proxy: hc_str,
        proxy_headers: *const hc_header,
        proxy_header_count: usize,
        proxy_tls: *const hc_tls,
        no_proxy: hc_str,
        unix_path: hc_str,
        trust_env: u8,
        public_only: u8,
        reserved_policy: [u8; 6],
        deny_addresses: hc_str,
        allow_addresses: hc_str,
        trusted_proxies: hc_str,
        local_addr: hc_str,
        interface_name: hc_str,
        tcp_nodelay: u8,
        tcp_keepalive: u8,
        reserved_tcp: [u8; 6],
        tcp_keepalive_idle_ms: u64,
        tcp_keepalive_interval_ms: u64,
        tcp_user_timeout_ms: u64,
        receive_buffer: u64,
        send_buffer: u64,
        on_socket: hc_socket_fn,
        on_socket_data: *mut c_void,
        timeouts: hc_timeouts,
        max_body: u64,
        body_window: u64,
        max_header_bytes: u64,
        max_headers: u64,
        max_redirects: u64,
        insecure_redirects: u8,
        decompress: u8,
        reserved_answers: [u8; 6],
        base_url: hc_str,
        username: hc_str,
        password: hc_str,
        headers: *const hc_header,
        header_count: usize,
        user_agent: hc_str,
        ca_file: hc_str,
        on_log: hc_log_fn,
        on_log_data: *mut c_void,
        log_level: i32,
        reserved_log: i32,
        on_trace: hc_trace_fn,
        on_trace_data: *mut c_void,
        busy_poll_us: u64,
    }
    hc_request {
        struct_size: u32,
        priority: i32,
        method: hc_str,
        url: hc_str,
        headers: *const hc_header,
        header_count: usize,
        body: hc_str,
        queue: *mut hc_queue,
        on_done: hc_completion_fn,
        user_data: *mut c_void,
        body_kind: u8,
        force_close: u8,
        retry_stale: u8,
        stream: u8,
        insecure_redirects: u8,
        decompress: u8,
        expect_continue: u8,
        certificates: u8,
        tls: *const hc_tls,
        body_path: hc_str,
        body_fd: i32,
        reserved_body: i32,
        body_offset: u64,
        body_length: u64,
        on_body: hc_body_fn,
        on_rewind: hc_rewind_fn,
        on_release: hc_release_fn,
        body_data: *mut c_void,
        max_redirects: u64,
        timeouts: hc_timeouts,
        max_body: u64,
        body_window: u64,
        proxy: hc_str,
        proxy_headers: *const hc_header,
        proxy_header_count: usize,
        unix_path: hc_str,
        username: hc_str,
        password: hc_str,
        addresses: *const hc_str,
        address_count: usize,
    }
    hc_timing {
        started_ns: u64,
        resolved_ns: u64,
        connected_ns: u64,
        secured_ns: u64,
        ready_ns: u64,
        sent_ns: u64,
        first_byte_ns: u64,
        done_ns: u64,
    }
    hc_hop {
        http_status: i32,
        reserved: i32,
        method: hc_str,
        url: hc_str,
        headers: *const hc_header,
        header_count: usize,
    }
    hc_response_info {
        struct_size: u32,
        status: hc_status,
        http_status: i32,
        http_version: i32,
        reason: hc_str,
        headers: *const hc_header,
        header_count: usize,
        body: hc_str,
        connection: u64,
        reused: u8,
        reserved: [u8; 3],
        attempts: u32,
        remote_address: hc_str,
        remote_port: u16,
        reserved_port: [u16; 3],
        timing: hc_timing,
        url: hc_str,
        history: *const hc_hop,
        history_count: usize,
    }
    hc_attempt {
        struct_size: u32,
        status: hc_status,
        connection: u64,
        address: hc_str,
        port: u16,
        reused: u8,
        reserved: u8,
        hop: u32,
        timing: hc_timing,
        message: hc_str,
    }
    hc_chunk {
        struct_size: u32,
        reserved: u32,
        bytes: hc_str,
        block: *mut hc_block,
    }
    hc_stats {
        struct_size: u32,
        reserved: u32,
        submitted: u64,
        succeeded: u64,
        failed: u64,
        cancelled: u64,
        in_flight: u64,
        waiting: u64,
        stale_retries: u64,
        waited_ns: u64,
        bytes_received: u64,
        bytes_sent: u64,
        sockets_opened: u64,
        sockets_closed: u64,
        sockets_connecting: u64,
        sockets_in_use: u64,
        sockets_idle: u64,
        sockets_retired: u64,
        sockets_peak: u64,
        connections_made: u64,
        connections_reused: u64,
        connect_failures: u64,
        dns_lookups: u64,
        dns_cache_hits: u64,
        dns_failures: u64,
        loop_turns: u64,
        loop_busy_ns: u64,
        loop_elapsed_ns: u64,
        loop_worst_turn_ns: u64,
    }
    hc_histogram {
        count: u64,
        sum_ns: u64,
        buckets: [u64; 23],
    }
    hc_histograms {
        struct_size: u32,
        bound_count: u32,
        bounds_ns: *const u64,
        waiting: hc_histogram,
        connect: hc_histogram,
        first_byte: hc_histogram,
        total: hc_histogram,
    }
    hc_origin_stats {
        struct_size: u32,
        reserved: u32,
        origin: [c_char; 272],
        submitted: u64,
        succeeded: u64,
        failed: u64,
        cancelled: u64,
        in_flight: u64,
        waiting: u64,
        sockets: u64,
        sockets_idle: u64,
        connections_made: u64,
        connections_reused: u64,
        stale_retries: u64,
        waited_ns: u64,
        total_ns: u64,
    }
    hc_runtime_info {
        struct_size: u32,
        curl_version_number: u32,
        curl_version: hc_str,
        curl_features: hc_str,
        ares_version: hc_str,
        tls_version: hc_str,
        ca_file: hc_str,
        descriptor_limit: u64,
        descriptor_budget: u64,
        descriptors_in_use: u64,
    }
}

callbacks! {
    hc_completion_fn(completion: *const hc_completion, user_data: *mut c_void);
    hc_body_fn(buffer: *mut c_void, capacity: usize, count: *mut usize, user_data: *mut c_void) -> hc_status;
    hc_rewind_fn(user_data: *mut c_void) -> hc_status;
    hc_release_fn(user_data: *mut c_void);
    hc_log_fn(level: i32, line: hc_str, user_data: *mut c_void);
    hc_resolve_fn(query: *mut hc_resolve_query, host: hc_str, family: i32, user_data: *mut c_void) -> hc_status;
    hc_socket_fn(socket: *const hc_socket_info, user_data: *mut c_void) -> i32;
    hc_closed_fn(user_data: *mut c_void);
    hc_trace_fn(event: *const hc_trace_event, user_data: *mut c_void);
}

functions! {
    fn hc_version() -> *const c_char;
    fn hc_version_number() -> u32;
    fn hc_status_name(status: hc_status) -> *const c_char;
    fn hc_status_text(status: hc_status) -> *const c_char;
    fn hc_phase_name(phase: i32) -> *const c_char;
    fn hc_error_init(error: *mut hc_error, size: usize) -> hc_status;
    fn hc_tls_options_init(options: *mut hc_tls_options, size: usize) -> hc_status;
    fn hc_tls_create(out: *mut *mut hc_tls, options: *const hc_tls_options, error: *mut hc_error) -> hc_status;
    fn hc_tls_free(tls: *mut hc_tls);
    fn hc_session_options_init(options: *mut hc_session_options, size: usize) -> hc_status;
    fn hc_request_init(request: *mut hc_request, size: usize) -> hc_status;
    fn hc_session_create(out: *mut *mut hc_session, options: *const hc_session_options, error: *mut hc_error) -> hc_status;
    fn hc_session_submit(session: *mut hc_session, request: *const hc_request, id: *mut hc_id, error: *mut hc_error) -> hc_status;
    fn hc_session_perform(session: *mut hc_session, request: *const hc_request, out: *mut *mut hc_response, error: *mut hc_error) -> hc_status;
    fn hc_session_cancel(session: *mut hc_session, id: hc_id) -> hc_status;
    fn hc_session_resume_upload(session: *mut hc_session, id: hc_id) -> hc_status;
    fn hc_session_close(session: *mut hc_session, drain_ms: u64) -> hc_status;
    fn hc_session_close_async(session: *mut hc_session, drain_ms: u64, on_closed: hc_closed_fn, user_data: *mut c_void) -> hc_status;
    fn hc_session_free(session: *mut hc_session);
    fn hc_session_resolve_add(session: *mut hc_session, host: hc_str, port: u16, addresses: *const hc_str, count: usize, error: *mut hc_error) -> hc_status;
    fn hc_session_dns_clear(session: *mut hc_session, host: hc_str) -> hc_status;
    fn hc_resolve_answer(query: *mut hc_resolve_query, addresses: *const hc_str, count: usize, ttl_ms: u64) -> hc_status;
    fn hc_resolve_fail(query: *mut hc_resolve_query, reason: hc_str) -> hc_status;
    fn hc_response_get_info(response: *const hc_response, info: *mut hc_response_info) -> hc_status;
    fn hc_response_status(response: *const hc_response) -> hc_status;
    fn hc_response_http_status(response: *const hc_response) -> i32;
    fn hc_response_body(response: *const hc_response) -> hc_str;
    fn hc_response_header(response: *const hc_response, name: hc_str, nth: usize, value: *mut hc_str) -> hc_status;
    fn hc_response_attempt(response: *const hc_response, nth: usize, attempt: *mut hc_attempt) -> hc_status;
    fn hc_response_certificate(response: *const hc_response, nth: usize) -> hc_str;
    fn hc_response_get_certificate(response: *const hc_response, nth: usize, certificate: *mut hc_str) -> hc_status;
    fn hc_response_error(response: *const hc_response, error: *mut hc_error) -> hc_status;
    fn hc_response_free(response: *mut hc_response);
    fn hc_response_read(response: *mut hc_response, buffer: *mut c_void, capacity: usize, count: *mut usize) -> hc_status;
    fn hc_response_take(response: *mut hc_response, chunk: *mut hc_chunk) -> hc_status;
    fn hc_block_free(block: *mut hc_block);
    fn hc_response_wait(response: *mut hc_response, timeout_ms: u64) -> hc_status;
    fn hc_queue_create(out: *mut *mut hc_queue, error: *mut hc_error) -> hc_status;
    fn hc_queue_fd(queue: *const hc_queue) -> i32;
    fn hc_queue_drain(queue: *mut hc_queue, items: *mut hc_completion, item_size: usize, capacity: usize, count: *mut usize) -> hc_status;
    fn hc_queue_wait(queue: *mut hc_queue, timeout_ms: u64, ready: *mut usize) -> hc_status;
    fn hc_queue_close(queue: *mut hc_queue);
    fn hc_session_stats(session: *mut hc_session, stats: *mut hc_stats) -> hc_status;
    fn hc_session_histograms(session: *mut hc_session, histograms: *mut hc_histograms) -> hc_status;
    fn hc_session_origins(session: *mut hc_session, rows: *mut hc_origin_stats, row_size: usize, capacity: usize, count: *mut usize) -> hc_status;
    fn hc_metrics_prometheus(sessions: *const *mut hc_session, names: *const hc_str, count: usize, buffer: *mut c_char, capacity: usize, length: *mut usize) -> hc_status;
    fn hc_trace_name(kind: i32) -> *const c_char;
    fn hc_runtime_get_info(info: *mut hc_runtime_info) -> hc_status;
}
