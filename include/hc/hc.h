/*
 * libhc - one HTTP client session for every language.
 *
 * A session holds what is worth keeping between requests: connections, DNS
 * answers, TLS sessions and the limits that keep all of them in bounds. Make
 * one, hand it requests from any thread, and take the answers from a queue, in
 * a callback, or by waiting:
 *
 *     hc_session *session;
 *     hc_error error;
 *     hc_error_init(&error, sizeof error);
 *     if (hc_session_create(&session, NULL, &error) != HC_OK) die(error.message);
 *
 *     hc_request request;
 *     hc_request_init(&request, sizeof request);
 *     request.url = HC_STR("http://localhost:8080/");
 *
 *     hc_response *response;
 *     if (hc_session_perform(session, &request, &response, &error) == HC_OK) {
 *       hc_str body = hc_response_body(response);
 *       fwrite(body.data, 1, body.len, stdout);
 *       hc_response_free(response);
 *     }
 *     hc_session_free(session);
 *
 * Rules that hold everywhere, so that no function has to repeat them:
 *
 *   Threads    Every function may be called from any thread, also from inside a
 *              callback, unless its Threads line says otherwise. Callbacks run
 *              on the session's loop thread: keep them short and never block.
 *              (on_log alone may also be called by the thread that creates or
 *              frees the session.)
 *   Ownership  `_create` gives you a handle, `_free` takes it back; every _free
 *              accepts NULL. What a getter returns belongs to the object asked
 *              and lives as long as it does. Arguments are copied before a call
 *              returns, unless the field says borrowed.
 *   Strings    hc_str is a pointer and a length, not NUL-terminated, UTF-8 or
 *              ASCII. Only hc_error.message and what hc_version(), hc_*_name()
 *              and hc_status_text() return are NUL-terminated.
 *   Options    Call the init function of a struct before filling it. A field
 *              left alone means "the default" in session options and "as the
 *              session says" in a request. Structs grow at the end; struct_size
 *              tells the library which one you were compiled with.
 *   Time       Durations are whole milliseconds in fields ending in _ms, up to
 *              100 years or HC_FOREVER; 0 means none or off where the field says
 *              so. Measured times are nanoseconds of the monotonic clock, in
 *              fields ending in _ns.
 *   Outputs    Written on success only, all or nothing.
 *   Errors     Calls return an hc_status. The optional hc_error argument gets
 *              the details; a mistake in an argument names that argument.
 *   Forks      In a child process each inherited handle answers HC_E_FORKED;
 *              a new session works. The parent is not disturbed.
 *   Stability  Symbols and struct fields are only added until SOVERSION moves.
 */
#ifndef HC_HC_H
#define HC_HC_H

/* ---- 1 Includes and decorations ----------------------------------------- */

#include <stddef.h>
#include <stdint.h>

#include <hc/version.h>

#if defined(__GNUC__)
#define HC_API __attribute__((visibility("default")))
#define HC_NODISCARD __attribute__((warn_unused_result))
#define HC_DEPRECATED(since, use) __attribute__((deprecated("since " since ": use " use)))
#else
#define HC_API
#define HC_NODISCARD
#define HC_DEPRECATED(since, use)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 2 Version ----------------------------------------------------------- */

/**
 * Returns the version of the library that runs, such as "0.1.0".
 *
 * Since      0.1
 */
HC_API const char *hc_version(void);

/**
 * Returns the running library's version as a number: major * 1000000 +
 * minor * 1000 + patch. Compatible if it is at least the HC_VERSION_NUMBER you
 * were compiled with and has the same major number (before 1.0: the same minor).
 *
 * Since      0.1
 */
HC_API uint32_t hc_version_number(void);

/* ---- 3 Plain types ------------------------------------------------------- */

/** Result of a call or of a request: HC_OK, or a negative HC_E_*. */
typedef int32_t hc_status;

/** Number of a request within its session. Never 0, never used twice. */
typedef uint64_t hc_id;

/** Bytes owned by someone else; not NUL-terminated. {NULL, 0} is "not given". */
typedef struct hc_str {
  const char *data;
  size_t len;
} hc_str;

/** One header field. Order and case are kept as given. */
typedef struct hc_header {
  hc_str name;
  hc_str value;
} hc_header;

/** "Not set" in any 64-bit option: the default, or as the session says. */
#define HC_UNSET UINT64_MAX
/** The same for options that are one byte wide. */
#define HC_UNSET_FLAG UINT8_MAX
/** The same for options that are signed 32 bits wide. */
#define HC_UNSET_INT INT32_MIN
/** Without end, where a duration allows it. */
#define HC_FOREVER (UINT64_MAX - 1)

/** Values of flags. */
enum { HC_OFF = 0, HC_ON = 1 };

/** Address families, for hc_session_options.family. */
enum { HC_FAMILY_ANY = 0, HC_FAMILY_V4 = 4, HC_FAMILY_V6 = 6 };

/** How the body of a request is handed over, for hc_request.body_kind. */
enum {
  HC_BODY_COPIED = 0,  /* copied before submit returns                           */
  HC_BODY_BORROWED = 1, /* yours, unchanged and alive until on_release or HC_DONE */
  HC_BODY_FILE = 2,    /* a part of a regular file: body_path or body_fd         */
  HC_BODY_PULLED = 3   /* on_body gives it, piece by piece                       */
};

/** Forms of the server's certificates, for hc_request.certificates. */
enum {
  HC_CERTIFICATES_DER = 1,
  HC_CERTIFICATES_PEM = 2 /* text, with a line end after the last line            */
};

/** TLS versions, for hc_tls_options.min_version. */
enum { HC_TLS_1_2 = 12, HC_TLS_1_3 = 13 };

/** Where in its life a request was; see hc_error.phase. */
enum {
  HC_PHASE_NONE = 0,       /* not in the life of a request                       */
  HC_PHASE_WAITING = 1,    /* in line for a connection                           */
  HC_PHASE_RESOLVING = 2,  /* looking up the host name                           */
  HC_PHASE_CONNECTING = 3, /* TCP, TLS, proxy                                    */
  HC_PHASE_SENDING = 4,    /* request head and body on their way                 */
  HC_PHASE_AWAITING = 5,   /* sent; no byte of the response yet                  */
  HC_PHASE_RECEIVING = 6,  /* response head or body arriving                     */
  HC_PHASE_DONE = 7
};

/** Whose number hc_error.native_code is. */
enum {
  HC_NATIVE_NONE = 0,
  HC_NATIVE_ERRNO = 1,
  HC_NATIVE_CURL = 2, /* CURLcode                                                */
  HC_NATIVE_ARES = 3, /* ARES_* status                                           */
  HC_NATIVE_GAI = 4,  /* EAI_* of getaddrinfo                                    */
  HC_NATIVE_TLS = 5,  /* X509_V_ERR_* of a failed verification                   */
  HC_NATIVE_PROXY = 6 /* of a proxy: HTTP status, or SOCKS5 reply (below 100)     */
};

/** Log levels, most severe first. */
enum { HC_LOG_ERROR = 1, HC_LOG_WARNING = 2, HC_LOG_INFO = 3, HC_LOG_DEBUG = 4 };

/* ---- 4 Handles ----------------------------------------------------------- */

/** A pool of connections and its loop thread. Yours; any thread; hc_session_free(). */
typedef struct hc_session hc_session;
/** Finished requests on their way to you. Yours; one drainer; hc_queue_close(). */
typedef struct hc_queue hc_queue;
/** What a request came to. Yours; any thread; hc_response_free(). Immutable, but for
    the body and the outcome of a streamed one. */
typedef struct hc_response hc_response;
/** Memory with a piece of a streamed body. Yours; any thread; hc_block_free(). */
typedef struct hc_block hc_block;
/** A TLS identity: whom to trust, and who we are. Yours; immutable; any thread;
    hc_tls_free(). */
typedef struct hc_tls hc_tls;
/** A question to your resolver. Lent until you answer it: hc_resolve_answer() or _fail(). */
typedef struct hc_resolve_query hc_resolve_query;

/* ---- 5 Status codes ------------------------------------------------------ */

enum {
  HC_OK = 0,
  /* Mistakes of the caller. A retry does not help. */
  HC_E_INVALID = -1,      /* an argument or option; the message names it          */
  HC_E_CLOSED = -2,       /* the session or queue is closing or closed            */
  HC_E_FORKED = -3,       /* the handle belongs to the parent process             */
  HC_E_DEADLOCK = -4,     /* a blocking call from inside a callback; use _async   */
  HC_E_TLS_CONFIG = -5,   /* CA, certificate or key could not be loaded           */
  HC_E_UNSUPPORTED = -6,  /* the libcurl found at run time cannot do this         */
  HC_E_CALLBACK = -7,     /* your callback refused                                */
  HC_E_AGAIN = -8,        /* nothing there yet; a completion says when to come back */
  /* Resources here. A retry later may help. */
  HC_E_NOMEM = -10,       /* out of memory                                        */
  HC_E_SYSTEM = -11,      /* the operating system refused; native_code is errno   */
  HC_E_OVERLOAD = -12,    /* the waiting line is full (max_waiting)               */
  /* You asked for it. */
  HC_E_CANCELLED = -20,   /* hc_session_cancel(), hc_queue_close(), or close ended
                             the drain of a running request. (What waits in line
                             when its session closes ends with HC_E_CLOSED.)      */
  /* The way to the server. A retry may help; this attempt sent nothing. */
  HC_E_DNS = -30,         /* the name has no address, or the resolver failed      */
  HC_E_CONNECT = -31,     /* refused, unreachable, reset while connecting         */
  HC_E_TLS = -32,         /* the TLS handshake failed                             */
  HC_E_TLS_VERIFY = -33,  /* the certificate is not acceptable. Do not retry      */
  HC_E_PROXY = -34,       /* the proxy cannot be reached, refused, or could not
                             reach the server                                     */
  HC_E_ADDRESS_DENIED = -35, /* the session's address policy refused. Do not retry */
  /* The exchange. The server may have acted on the request. */
  HC_E_STALE = -40,       /* a reused connection died before any answer; it was
                             not sent twice. Retry if your request may be repeated */
  HC_E_DISCONNECTED = -41, /* the connection died before the response was whole    */
  HC_E_INCOMPLETE = -42,  /* the body ended before its announced end              */
  HC_E_PROTOCOL = -43,    /* the answer is not valid HTTP. A retry rarely helps   */
  HC_E_TOO_LARGE = -44,   /* max_body, max_header_bytes or max_headers was passed */
  HC_E_REDIRECT = -45,    /* a redirect that cannot be followed: an unusable Location,
                             from https to http, or a body that cannot be repeated */
  HC_E_TOO_MANY_REDIRECTS = -46, /* max_redirects was passed                      */
  /* Clocks; see the *_timeout_ms options. */
  HC_E_TIMEOUT_TOTAL = -60,
  HC_E_TIMEOUT_POOL = -61,
  HC_E_TIMEOUT_DNS = -62,
  HC_E_TIMEOUT_CONNECT = -63,
  HC_E_TIMEOUT_SOCK_CONNECT = -64,
  HC_E_TIMEOUT_SOCK_READ = -65,
  HC_E_TIMEOUT_SOCK_WRITE = -66,
  HC_E_TIMEOUT_FIRST_BYTE = -67,
  /* A fault of the library. Please report it. */
  HC_E_INTERNAL = -99
};

/**
 * Returns the name of a status: "HC_E_DNS". Unknown numbers give "HC_E_?".
 *
 * Since      0.1
 */
HC_API const char *hc_status_name(hc_status status);

/**
 * Returns a sentence about a status, for people.
 *
 * Since      0.1
 */
HC_API const char *hc_status_text(hc_status status);

/**
 * Returns the name of a phase: "connecting". Unknown numbers give "?".
 *
 * Since      0.1
 */
HC_API const char *hc_phase_name(int32_t phase);

/* ---- 6 Error details ----------------------------------------------------- */

/** Details of a failure, in memory that you provide. */
typedef struct hc_error {
  uint32_t struct_size;
  hc_status status;
  int32_t phase;         /* HC_PHASE_*: where it happened                        */
  int32_t native_domain; /* HC_NATIVE_*                                          */
  int64_t native_code;   /* number in that domain, 0 if none                     */
  uint64_t phase_ns;     /* how long that phase had lasted; 0 outside a request  */
  char message[232];     /* one line, NUL-terminated, no secrets                 */
} hc_error;

/**
 * Prepares an error struct to receive details.
 *
 * Parameters
 *   error  Not NULL.
 *   size   sizeof(hc_error) as you were compiled.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, or a size that no version of the struct had
 * Since      0.1
 */
HC_API hc_status hc_error_init(hc_error *error, size_t size);

/* ---- 7 Callbacks --------------------------------------------------------- */

/** What a completion tells. All but HC_DONE only come for streamed requests. */
enum {
  HC_DONE = 0, /* the request is over: exactly one, the last word about it       */
  HC_HEAD = 1, /* the response head is here, hc_response_read() may begin        */
  HC_BODY = 2  /* read on: bytes are here after HC_E_AGAIN                       */
};

/** News of a request, as a queue or callback delivers it. */
typedef struct hc_completion {
  hc_id id;
  void *user_data;       /* from the request                                     */
  hc_response *response; /* now yours: hc_response_free(). Once for each request,
                            with its first completion; NULL in those that follow  */
  hc_status status;      /* HC_OK: the server answered, with whatever code       */
  int32_t http_status;   /* 200, 404, ...; 0 unless status is HC_OK              */
  hc_str body;           /* of the response; lives as long as `response`         */
  int32_t kind;          /* HC_DONE, HC_HEAD, HC_BODY                            */
  int32_t reserved;
} hc_completion;

/**
 * Receives a finished request on the loop thread: one call for each accepted
 * request that named it, and the earlier news of a streamed one. The struct lives
 * for the call only; the response in it is yours to free. hc_session_close(), hc_session_perform() and
 * hc_queue_wait() would wait for the thread they are on: HC_E_DEADLOCK.
 */
typedef void (*hc_completion_fn)(const hc_completion *completion, void *user_data);

/**
 * Gives the next bytes of a request body, on the loop thread: up to `capacity` of
 * them into `buffer`, and how many into `count`. Return HC_OK (with a count of 0:
 * that was the end), HC_E_AGAIN for "not yet" (then call
 * hc_session_resume_upload(), from any thread, when there is more), or anything
 * else to fail the request with HC_E_CALLBACK.
 */
typedef hc_status (*hc_body_fn)(void *buffer, size_t capacity, size_t *count, void *user_data);

/** Goes back to the first byte of a pulled body. Anything but HC_OK: it cannot. */
typedef hc_status (*hc_rewind_fn)(void *user_data);

/** Tells that the library is done with what it was lent. */
typedef void (*hc_release_fn)(void *user_data);

/** Receives one line of log without a line end; `line` lives for the call only. */
typedef void (*hc_log_fn)(int32_t level, hc_str line, void *user_data);

/**
 * Answers a host name in place of the built-in resolver, on the loop thread, when
 * no override, literal, localhost or cached answer serves. `host` is lower case
 * without a trailing dot and lives for the call only; `family` is one of
 * HC_FAMILY_*. Return HC_OK to take the query (answer at once or later, from any
 * thread), HC_RESOLVE_PASS to leave it to the built-in resolver, anything else to
 * fail the lookup with HC_E_CALLBACK. A query that is never answered is ended by
 * the dns clock, but keep the promise: its memory is only freed by an answer or by
 * the end of the session.
 */
typedef hc_status (*hc_resolve_fn)(hc_resolve_query *query, hc_str host, int32_t family, void *user_data);
enum { HC_RESOLVE_PASS = 1 };

/** About a socket that was just made, before it connects. Lives for the call; read
    only fields that lie within its struct_size. */
typedef struct hc_socket_info {
  uint32_t struct_size;
  int32_t fd;      /* borrowed: set options, do not close or connect it           */
  hc_str host;     /* the name in the URL                                         */
  hc_str address;  /* the numeric address it will connect to, of the proxy if there
                      is one; or the path of a unix socket                        */
  uint16_t port;   /* 0 for a unix socket                                         */
  uint16_t reserved[3];
} hc_socket_info;

/** Sees each new socket on the loop thread. Non-zero refuses it: HC_E_CALLBACK. */
typedef int32_t (*hc_socket_fn)(const hc_socket_info *socket, void *user_data);

/** Tells that hc_session_close_async() is done; the loop thread's last act. */
typedef void (*hc_closed_fn)(void *user_data);

/**
 * What a trace event tells, in the words of aiohttp's tracing; numbers from 32 on are
 * things that aiohttp does not tell. Which come in which order for which kind of
 * request, and what is only close to the truth: docs/observability.md. More kinds may
 * be added; leave out those you do not know.
 */
enum {
  HC_TRACE_REQUEST_START = 1,           /* submitted; text: method and path; bytes of
                                           the body to send, as far as known      */
  HC_TRACE_CONNECTION_QUEUED_START = 2, /* has to wait in line                    */
  HC_TRACE_CONNECTION_QUEUED_END = 3,
  HC_TRACE_CONNECTION_CREATE_START = 4, /* has a slot, and no idle connection fits */
  HC_TRACE_DNS_CACHE_HIT = 5,           /* the name had been looked up before     */
  HC_TRACE_DNS_CACHE_MISS = 6,
  HC_TRACE_DNS_RESOLVEHOST_START = 7,
  HC_TRACE_DNS_RESOLVEHOST_END = 8,     /* status: HC_OK, or why there is no address */
  HC_TRACE_CONNECTION_CREATE_END = 9,   /* TCP and TLS are up; text: the address  */
  HC_TRACE_CONNECTION_REUSECONN = 10,   /* rides an idle one; text: the address   */
  HC_TRACE_REQUEST_HEADERS_SENT = 11,
  HC_TRACE_REQUEST_CHUNK_SENT = 12,     /* bytes of the request body              */
  HC_TRACE_RESPONSE_CHUNK_RECEIVED = 13, /* bytes of the response body            */
  HC_TRACE_REQUEST_REDIRECT = 14,       /* http_status; text: where to            */
  HC_TRACE_REQUEST_END = 15,            /* http_status; bytes of the whole body   */
  HC_TRACE_REQUEST_EXCEPTION = 16,      /* status, http_status if there was one; text:
                                           the error's message                    */
  HC_TRACE_ATTEMPT_START = 32,          /* a socket connects; text: the address   */
  HC_TRACE_ATTEMPT_END = 33,            /* status: HC_OK: it is up; HC_E_CANCELLED: not
                                           needed any more; or why it is not up   */
  HC_TRACE_RESPONSE_START = 34,         /* first byte of the answer               */
  HC_TRACE_REQUEST_RESUBMIT = 35,       /* back in line for a fresh connection;
                                           status: how the reused one ended       */
  /* Of a connection: id is 0. */
  HC_TRACE_CONNECTION_IDLE = 36,        /* back in the pool                       */
  HC_TRACE_CONNECTION_RETIRED = 37,     /* shut down while idle; text: why        */
  HC_TRACE_CONNECTION_CLOSED = 38       /* its descriptor is closed               */
};

/** One trace event. Lives for the call; read only fields within its struct_size. */
typedef struct hc_trace_event {
  uint32_t struct_size;
  int32_t kind;         /* HC_TRACE_*                                             */
  uint64_t time_ns;     /* of CLOCK_MONOTONIC, when it happened                   */
  hc_id id;             /* the request, or 0                                      */
  uint64_t connection;  /* its number; 0: none yet                                */
  hc_str origin;        /* "https://example.org:443"                              */
  hc_str text;          /* see the kind; no secrets, no query, no control bytes   */
  uint64_t bytes;       /* see the kind, or 0                                     */
  hc_status status;     /* see the kind, or HC_OK                                 */
  int32_t http_status;  /* see the kind, or 0                                     */
} hc_trace_event;

/**
 * Sees what requests and connections go through, on the loop thread: in batches, at the
 * end of each turn, before the completions of that turn. The events of one request come
 * in order, and so do those of one connection.
 */
typedef void (*hc_trace_fn)(const hc_trace_event *event, void *user_data);

/* ---- 8 Options ----------------------------------------------------------- */

/**
 * The eight clocks, in ms. They never fire early. 0: off. A request's values
 * override the session's one by one. HC_FOREVER is the same as 0. This struct is
 * part of others and never grows.
 */
typedef struct hc_timeouts {
  uint64_t total_ms;        /* 300000: submit to the last byte, everything        */
  uint64_t pool_ms;         /* 0: waiting for a connection slot                   */
  uint64_t dns_ms;          /* 10000: one lookup as this request sees it          */
  uint64_t connect_ms;      /* 0: slot + DNS + TCP + TLS; not counted on reuse    */
  uint64_t sock_connect_ms; /* 30000: TCP + TLS, all addresses together           */
  uint64_t sock_read_ms;    /* 0: silence of the socket, once the upload is done  */
  uint64_t sock_write_ms;   /* 0: no progress of the upload                       */
  uint64_t first_byte_ms;   /* 0: end of the upload to the first response byte    */
} hc_timeouts;

/**
 * Whom a TLS connection trusts, and who we are on it. Prepare with
 * hc_tls_options_init(). Files are PEM, and read once, by hc_tls_create().
 */
typedef struct hc_tls_options {
  uint32_t struct_size;
  uint8_t verify;             /* HC_ON: certificate chain and host name. HC_OFF trusts
                                 everybody (pins are checked all the same)         */
  uint8_t min_version;        /* HC_TLS_1_2                                        */
  uint8_t reserved[2];

  /* Authorities. Neither: those of $SSL_CERT_FILE, which are none if it cannot be
     read, or of the system. */
  hc_str ca_file;             /* bundle                                            */
  hc_str ca_pem;              /* the same as text, in place of a file              */

  /* Our own certificate, for servers that ask for one. */
  hc_str certificate_file;    /* with the chain to its authority, if one is needed */
  hc_str certificate_pem;     /* the same as text, in place of a file              */
  hc_str key_file;            /* where the certificate is, unless told otherwise   */
  hc_str key_pem;             /* the same as text, in place of a file              */
  hc_str key_password;        /* of an encrypted key; nobody is ever asked for it  */

  /* Up to 64 SHA-256 digests of whole certificates (DER), 64 hex digits each, with
     or without colons. The server's own must be one of them. This comes on top of
     `verify`. */
  const hc_str *pins;
  size_t pin_count;

  hc_str server_name;         /* host of the URL: the name asked for (SNI) and looked
                                 for in the certificate; an IP address is not asked
                                 for                                               */
  hc_str key_log_file;        /* none: secrets of each connection are appended there,
                                 for debugging. $SSLKEYLOGFILE is never obeyed     */
} hc_tls_options;

/**
 * Fills TLS options with "not set" in every field.
 *
 * Parameters
 *   options  Not NULL.
 *   size     sizeof(hc_tls_options) as you were compiled.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, or a size that no version of the struct had
 * Since      0.1
 */
HC_API hc_status hc_tls_options_init(hc_tls_options *options, size_t size);

/**
 * Makes a TLS identity, for sessions and requests to name.
 *
 * Connections and TLS sessions are never shared between two identities, not even
 * when they were made from equal options: make one and keep it.
 *
 * Parameters
 *   out      Receives the identity.
 *   options  NULL for all defaults.
 *   error    Optional. The message names the option at fault.
 * Ownership  You own *out; end it with hc_tls_free(), as soon as you like: sessions
 *            and requests that named it keep what they need.
 * Threads    Any. Reads files: do not call it from an event loop.
 * Returns    HC_OK
 *            HC_E_INVALID     NULL out, or an option that makes no sense
 *            HC_E_TLS_CONFIG  a file cannot be opened, or a file or text holds nothing
 *                             of its kind; certificate and key do not belong together
 *            HC_E_UNSUPPORTED  the libcurl found at run time lacks a needed feature
 *            HC_E_NOMEM
 * Since      0.1
 */
HC_API HC_NODISCARD hc_status hc_tls_create(hc_tls **out, const hc_tls_options *options, hc_error *error);

/**
 * Releases a TLS identity. NULL is fine.
 *
 * Threads    Any, also while sessions and requests use it.
 * Since      0.1
 */
HC_API void hc_tls_free(hc_tls *tls);

/**
 * How a session behaves. Prepare with hc_session_options_init(). Counts are 0 to
 * 2^32 - 1, buffers up to 1 GiB, unless the field says otherwise.
 */
typedef struct hc_session_options {
  uint32_t struct_size;
  uint32_t reserved;

  /* Connections. */
  uint64_t limit;                /* 100: sockets connecting, in use and idle; 0: only
                                    the process's descriptor budget. A request holds
                                    its place from before its name is looked up    */
  uint64_t limit_per_host;       /* 0 (none): the same per scheme, host, port and
                                    identity of the connection                     */
  uint64_t max_connecting;       /* 0 (none): sockets connecting at one time       */
  uint64_t max_waiting;          /* 0 (none): requests in line; beyond: HC_E_OVERLOAD */
  uint64_t keepalive_timeout_ms; /* 15000: longest idle time; 0: never reuse       */
  uint64_t max_lifetime_ms;      /* 0 (none): longest life of a connection, +-10 % */
  uint8_t force_close;           /* HC_OFF: HC_ON closes after each response. Not
                                    together with keepalive_timeout_ms             */
  uint8_t retry_stale;           /* HC_ON: repeat an idempotent request once when a
                                    reused connection died before any answer       */

  /* DNS. */
  uint8_t use_dns_cache;         /* HC_ON                                          */
  uint8_t family;                /* HC_FAMILY_ANY                                  */

  /* TLS: the simple form, or with `tls` everything. */
  uint8_t tls_verify;            /* HC_ON: certificate chain and host name         */

  uint8_t reserved_flags[3];
  const hc_tls *tls;             /* NULL. Not together with tls_verify and ca_file */
  uint64_t ttl_dns_cache_ms;     /* 10000: upper bound of an answer's life; 0: none;
                                    HC_FOREVER                                     */
  uint64_t dns_stale_ttl_ms;     /* 0: how long an expired answer may still serve
                                    while it is refreshed, or when that fails      */
  uint64_t dns_negative_ttl_ms;  /* 1000: how long "no such name" is remembered    */
  uint64_t dns_cache_size;       /* 1000: names kept; 1 to 1000000                 */
  uint64_t happy_eyeballs_ms;    /* 250: head start of an address before the next one
                                    is tried beside it; a failure starts the next at
                                    once. 0: only failures do                      */
  hc_str nameservers;            /* system's: "127.0.0.1:5353,[::1]:53", in order  */
  hc_resolve_fn on_resolve;      /* NULL                                           */
  void *on_resolve_data;

  /* The way to servers. */
  hc_str proxy;                  /* none: [SCHEME://][USER:PASSWORD@]HOST[:PORT], with
                                    http (port 80, the default), https (443), socks5
                                    or socks5h (1080). All but socks5 look the
                                    server's name up themselves. http is forwarded by
                                    http(s) proxies, everything else tunnelled. User
                                    and password are part of the identity          */
  const hc_header *proxy_headers; /* none: for the proxy, with each CONNECT and each
                                    forwarded request; up to 100                   */
  size_t proxy_header_count;
  const hc_tls *proxy_tls;       /* of https proxies. NULL: they are trusted as the
                                    request's TLS identity trusts, and see nothing
                                    else of it                                     */
  hc_str no_proxy;               /* none: hosts to reach without `proxy`, as in
                                    $no_proxy: names (with all below them), addresses,
                                    blocks such as 10.0.0.0/8, "*"; each with :PORT */
  hc_str unix_path;              /* none: socket to connect to whatever the URL's host
                                    is; '@' begins an abstract name, to which no
                                    connection is ever reused. Not with proxy      */
  uint8_t trust_env;             /* HC_OFF: HC_ON reads $http_proxy, $https_proxy,
                                    $all_proxy and $no_proxy, the last three also in
                                    capitals, once, at create. `proxy` and `no_proxy`
                                    go before them                                 */

  /* Address policy: which addresses may be connected to, asked after every look-up
     about the very address of each socket. Lists of blocks such as
     "10.0.0.0/8, fc00::/7". An IPv4 address within an IPv6 one (mapped, NAT64, 6to4,
     Teredo) counts as what it leads to, and 0.0.0.0 and :: as loopback: denied if one
     of these is, allowed if it is named itself or all of these are. What is refused:
     HC_E_ADDRESS_DENIED.                                                          */
  uint8_t public_only;           /* HC_OFF: HC_ON refuses all that is not public:
                                    loopback, private, link-local, multicast and every
                                    other special purpose; and unix sockets        */
  uint8_t reserved_policy[6];
  hc_str deny_addresses;         /* none: never these                              */
  hc_str allow_addresses;        /* none: these, though not public; without public_only
                                    nothing but these                              */
  hc_str trusted_proxies;        /* none: names of proxies whose own address is not
                                    checked, as they stand in `proxy`; "a.test, b.test".
                                    Behind a proxy the server's address is checked only
                                    if it is known here: a literal or localhost in
                                    the URL, or with socks5                        */

  /* Sockets. */
  hc_str local_addr;             /* none: numeric address to bind to               */
  hc_str interface_name;         /* none: device to bind to, up to 15 bytes        */
  uint8_t tcp_nodelay;           /* HC_ON                                          */
  uint8_t tcp_keepalive;         /* HC_OFF: kernel keep-alive probes               */
  uint8_t reserved_tcp[6];
  uint64_t tcp_keepalive_idle_ms;     /* 60000, in whole seconds                   */
  uint64_t tcp_keepalive_interval_ms; /* 60000, in whole seconds                   */
  uint64_t tcp_user_timeout_ms;  /* 0 (system's): unacknowledged data              */
  uint64_t receive_buffer;       /* 0 (system's): SO_RCVBUF in bytes               */
  uint64_t send_buffer;          /* 0 (system's): SO_SNDBUF in bytes               */
  hc_socket_fn on_socket;        /* NULL                                           */
  void *on_socket_data;

  /* Time. */
  hc_timeouts timeouts;

  /* Bounds on what a server may send. */
  uint64_t max_body;             /* 1 GiB for bodies held whole, none for streamed
                                    ones: bytes; 0: no bound                       */
  uint64_t body_window;          /* 512 KiB: of a streamed body, not yet read, before
                                    the server is held back. 1 KiB to 1 GiB        */
  uint64_t max_header_bytes;     /* 65536, at least 1: response heads (interim ones and
                                    trailers count, though they are dropped). libcurl
                                    takes at most 100 KB of one line, and 300 KB in all
                                    if it is 8.3 or newer, or Debian's 7.88        */
  uint64_t max_headers;          /* 128, at least 1: fields in a response head     */

  /* What is done with answers. */
  uint64_t max_redirects;        /* 10: redirects followed by one request; 0: they are
                                    handed over as answers. Up to 1000             */
  uint8_t insecure_redirects;    /* HC_OFF: follow from https to http, too         */
  uint8_t decompress;            /* HC_ON: ask for gzip, deflate, br and zstd, as far
                                    as libcurl has them, and decode what comes     */
  uint8_t reserved_answers[6];

  hc_str base_url;               /* none: what relative URLs of requests are resolved
                                    against (RFC 3986)                             */
  hc_str username;               /* none: Basic auth for requests without their own;
                                    no ':'                                         */
  hc_str password;               /* only with username                             */

  /* Sent with each request, unless the request has a field of that name. Up to
     1000; Content-Length and Transfer-Encoding are the library's to write, and
     Proxy-Authorization belongs to the proxy. */
  const hc_header *headers;
  size_t header_count;
  hc_str user_agent;             /* "libhc/VERSION"; empty with data set: none     */

  hc_str ca_file;                /* PEM bundle of trusted authorities, read once, at
                                    create. $SSL_CERT_FILE (no https server is trusted
                                    if that cannot be read), or the system's        */

  hc_log_fn on_log;              /* NULL                                           */
  void *on_log_data;
  int32_t log_level;             /* HC_LOG_WARNING                                 */
  int32_t reserved_log;
  hc_trace_fn on_trace;          /* NULL: not traced, which costs nothing          */
  void *on_trace_data;

  uint64_t busy_poll_us;         /* 50: how long the session's thread looks for work,
                                    in microseconds, before it sleeps; up to 1000000.
                                    Answers that come within that time come sooner. It
                                    seldom looks when that is in vain, and not while a
                                    body is under way. 0: never                    */
} hc_session_options;

/**
 * Fills session options with "not set" in every field.
 *
 * Parameters
 *   options  Not NULL.
 *   size     sizeof(hc_session_options) as you were compiled.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, or a size that no version of the struct had
 * Since      0.1
 */
HC_API hc_status hc_session_options_init(hc_session_options *options, size_t size);

/** One request. Prepare with hc_request_init(); may be reused after each submit. */
typedef struct hc_request {
  uint32_t struct_size;
  int32_t priority;           /* 0: higher goes first within its origin            */

  hc_str method;              /* "GET": any token up to 64 bytes                   */
  hc_str url;                 /* http or https, up to 64 KiB. User and password in
                                 it become Basic auth; the fragment stays here     */
  const hc_header *headers;   /* an empty value is sent; data NULL in the value
                                 removes the automatic field of that name. Not
                                 Transfer-Encoding and Proxy-Authorization;
                                 Content-Length only if right, and of a file only
                                 together with body_length                         */
  size_t header_count;
  hc_str body;                /* data NULL: no body. Not with HEAD                 */

  /* Where the outcome goes: exactly one of queue and on_done (neither for
     hc_session_perform). */
  hc_queue *queue;
  hc_completion_fn on_done;
  void *user_data;

  uint8_t body_kind;          /* HC_BODY_COPIED                                    */
  uint8_t force_close;        /* as the session says                               */
  uint8_t retry_stale;        /* as the session says                               */
  uint8_t stream;             /* HC_OFF: HC_ON gives the response at its head, and
                                 its body piece by piece; see chapter 11           */
  uint8_t insecure_redirects; /* as the session says                               */
  uint8_t decompress;         /* as the session says                               */
  uint8_t expect_continue;    /* HC_OFF: HC_ON waits up to 1 s for "100 Continue"
                                 before it sends the body                          */
  uint8_t certificates;       /* HC_OFF: HC_CERTIFICATES_* keeps the server's        */
  const hc_tls *tls;          /* as the session says                               */

  /* Bodies that are not in memory. A file is opened (a descriptor duplicated) by
     the submit, and read as the connection takes it. */
  hc_str body_path;           /* HC_BODY_FILE: this or                             */
  int32_t body_fd;            /* HC_UNSET_INT; its own offset is not used          */
  int32_t reserved_body;
  uint64_t body_offset;       /* HC_BODY_FILE, 0: first byte to send               */
  uint64_t body_length;       /* HC_BODY_FILE: to the end. HC_BODY_PULLED: if not
                                 known before, it is sent chunked                  */
  hc_body_fn on_body;         /* HC_BODY_PULLED                                    */
  hc_rewind_fn on_rewind;     /* HC_BODY_PULLED, optional: lets it be repeated, for
                                 a redirect or on a new connection                 */
  hc_release_fn on_release;   /* optional, for bodies of every kind: called once for
                                 an accepted request, on the loop thread, when
                                 nothing of the body is needed any more            */
  void *body_data;            /* for these three                                   */

  uint64_t max_redirects;     /* as the session says                               */
  hc_timeouts timeouts;       /* each as the session says                          */
  uint64_t max_body;          /* as the session says                               */
  uint64_t body_window;       /* as the session says; only with `stream`           */

  hc_str proxy;               /* as the session says; as there, or "none". no_proxy
                                 does not count for it                             */
  const hc_header *proxy_headers; /* only together with proxy                      */
  size_t proxy_header_count;
  hc_str unix_path;           /* as the session says; empty with data set: none    */

  hc_str username;            /* Basic auth, in place of the one in the URL; no ':' */
  hc_str password;            /* only with username                                */
  const hc_str *addresses;    /* up to 64 numeric addresses in place of DNS and of
                                 overrides, whatever `family` says. An idle
                                 connection of the origin is taken all the same.
                                 Not where the way leads through a unix socket or a
                                 proxy that looks names up itself (all but socks5) */
  size_t address_count;
} hc_request;

/**
 * Fills a request with "as the session says" in every field.
 *
 * Parameters
 *   request  Not NULL.
 *   size     sizeof(hc_request) as you were compiled.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, or a size that no version of the struct had
 * Since      0.1
 */
HC_API hc_status hc_request_init(hc_request *request, size_t size);

/* ---- 9 Session ----------------------------------------------------------- */

/**
 * Creates a session and starts its loop thread.
 *
 * Make one per trust domain and keep it; one per request would throw away what a
 * session is for.
 *
 * Parameters
 *   out      Receives the session.
 *   options  NULL for all defaults.
 *   error    Optional. For a bad option the message names it.
 * Ownership  You own *out; end it with hc_session_free().
 * Threads    Any. May block on disk (CA bundle, resolver settings): do not call
 *            it from an event loop.
 * Returns    HC_OK
 *            HC_E_INVALID      NULL out, or an option outside its range
 *            HC_E_TLS_CONFIG   ca_file could not be read
 *            HC_E_UNSUPPORTED  the libcurl found at run time lacks a needed feature
 *            HC_E_SYSTEM       no thread, descriptor or resolver; see native_domain
 *            HC_E_NOMEM
 * Since      0.1
 */
HC_API HC_NODISCARD hc_status hc_session_create(hc_session **out, const hc_session_options *options,
                                                hc_error *error);

/**
 * Hands a request to the session; the outcome arrives later, at the queue or the
 * callback that the request names.
 *
 * HC_OK is a promise: exactly one HC_DONE completion follows, whatever happens:
 * answer, failure, timeout, cancel or close. Any other return means that none will. At
 * its limits the session lets the request wait in line, first come, first served
 * within its origin, with fair turns between origins.
 *
 * Parameters
 *   session  An open session.
 *   request  What to send. Copied before return, except an HC_BODY_BORROWED body.
 *   id       Optional; the number to cancel by. Written before the request can
 *            start.
 *   error    Optional.
 * Threads    Any, also from a callback. Never blocks on the network.
 * Returns    HC_OK
 *            HC_E_INVALID   URL, method, header or option not acceptable
 *            HC_E_SYSTEM    a body's file cannot be opened, or its descriptor is none
 *            HC_E_CLOSED    the session or the queue is closing or closed
 *            HC_E_OVERLOAD  the waiting line is full (max_waiting). In a burst the
 *                           loop finds out later: then it is the completion's
 *            HC_E_FORKED    the session belongs to the parent process
 *            HC_E_NOMEM
 * Since      0.1
 */
HC_API HC_NODISCARD hc_status hc_session_submit(hc_session *session, const hc_request *request, hc_id *id,
                                                hc_error *error);

/**
 * Sends a request and waits for its outcome; for the head of a streamed one, of
 * which hc_response_read() and hc_response_wait() give the body.
 *
 * Parameters
 *   session  An open session.
 *   request  As for hc_session_submit(), without queue and on_done.
 *   out      Receives the response when the server answered, with whatever
 *            HTTP status.
 *   error    Optional.
 * Ownership  You own *out: hc_response_free().
 * Threads    Any but the session's own loop thread. Blocks.
 * Returns    HC_OK
 *            HC_E_DEADLOCK  called from a callback of this session
 *            any status of hc_session_submit(), or of the request itself
 * Since      0.1
 */
HC_API HC_NODISCARD hc_status hc_session_perform(hc_session *session, const hc_request *request,
                                                 hc_response **out, hc_error *error);

/**
 * Ends a request early.
 *
 * Its one completion still comes: HC_E_CANCELLED, or the result if it was already
 * there. Its slot is free in the same turn of the loop.
 *
 * Parameters
 *   session  An open session, or a closed one (then nothing happens).
 *   id       From hc_session_submit(). A finished or unknown id is no error.
 * Threads    Any, also from a callback. Never blocks on the network.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL session, or id 0
 *            HC_E_FORKED
 * Since      0.1
 */
HC_API hc_status hc_session_cancel(hc_session *session, hc_id id);

/**
 * Goes on with an upload whose hc_body_fn said HC_E_AGAIN.
 *
 * Parameters
 *   session  An open session, or a closed one (then nothing happens).
 *   id       From hc_session_submit(). One that is finished, unknown or not waiting
 *            for its callback is no error.
 * Threads    Any, also from a callback. Never blocks on the network.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL session, or id 0
 *            HC_E_FORKED
 * Since      0.1
 */
HC_API hc_status hc_session_resume_upload(hc_session *session, hc_id id);

/**
 * Ends a session's work; the handle stays valid until hc_session_free().
 *
 * New submits are refused at once. Requests still waiting end with HC_E_CLOSED;
 * running ones get up to `drain_ms` to finish and are then cancelled. When this
 * returns, every promised completion has been delivered, no callback of this
 * session is running or will run, and its descriptors and threads are gone. (A
 * getaddrinfo() that hangs can hold this up for 10 s more; its thread then ends
 * when it returns.)
 *
 * Parameters
 *   session   Open, closing or closed: closing again is harmless, and the
 *             shortest drain counts.
 *   drain_ms  0 cancels at once; HC_FOREVER waits without limit.
 * Threads    Any but the session's own loop thread. Blocks.
 * Returns    HC_OK
 *            HC_E_INVALID   NULL session
 *            HC_E_DEADLOCK  called from a callback of this session; nothing was
 *                           changed, use hc_session_close_async()
 *            HC_E_FORKED
 * Since      0.1
 */
HC_API hc_status hc_session_close(hc_session *session, uint64_t drain_ms);

/**
 * Starts what hc_session_close() does and returns at once.
 *
 * Parameters
 *   session    As for hc_session_close().
 *   drain_ms   As for hc_session_close().
 *   on_closed  Optional; called when everything is delivered and every connection
 *              is closed. Only the thread itself is still to end then:
 *              hc_session_free() waits for that.
 *   user_data  For on_closed.
 * Threads    Any, also from a callback.
 * Callbacks  on_closed, on the loop thread, as its last act; on the calling
 *            thread if the session is closed already.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL session
 *            HC_E_FORKED
 *            HC_E_NOMEM
 * Since      0.1
 */
HC_API hc_status hc_session_close_async(hc_session *session, uint64_t drain_ms, hc_closed_fn on_closed,
                                        void *user_data);

/**
 * Releases a session. An open one is closed first, without drain, and says so on
 * the log hook with the number of connections that were open.
 *
 * A drain that hc_session_close_async() began is cut short. In a forked child only
 * the handle's memory is given up.
 *
 * Parameters
 *   session  NULL is fine. Must not be used afterwards. Responses and queues
 *            outlive it.
 * Threads    Any but the session's own loop thread, where it closes the session
 *            without waiting and releases it when the thread ends. Blocks.
 * Since      0.1
 */
HC_API void hc_session_free(hc_session *session);

/**
 * Answers a host name from a fixed list, in place of DNS, for requests submitted
 * from now on. It goes before everything else, literals too, is never rotated, and
 * leaves open connections alone.
 *
 * Parameters
 *   session    An open session.
 *   host       As in a URL; of an IPv6 literal the brackets may be left out.
 *   port       1 to 65535, or 0 for every port.
 *   addresses  Numeric addresses, IPv4 or IPv6, tried in this order. None (and
 *              count 0) removes the entry.
 *   count      0 to 64.
 *   error      Optional.
 * Threads    Any, also from a callback.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL session, what is no host of a URL, or an address that
 *                          is not numeric
 *            HC_E_CLOSED, HC_E_FORKED, HC_E_NOMEM
 * Since      0.1
 */
HC_API hc_status hc_session_resolve_add(hc_session *session, hc_str host, uint16_t port,
                                        const hc_str *addresses, size_t count, hc_error *error);

/**
 * Forgets cached DNS answers. Overrides from hc_session_resolve_add() stay.
 *
 * Parameters
 *   session  An open session.
 *   host     The name to forget, or {NULL, 0} for all.
 * Threads    Any, also from a callback.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL session
 *            HC_E_CLOSED, HC_E_FORKED, HC_E_NOMEM
 * Since      0.1
 */
HC_API hc_status hc_session_dns_clear(hc_session *session, hc_str host);

/**
 * Answers a query that your hc_resolve_fn took.
 *
 * Parameters
 *   query      Ends with this call, whatever it returns but HC_E_INVALID.
 *   addresses  Numeric addresses in order of preference.
 *   count      1 to 64.
 *   ttl_ms     How long the answer may be cached, 1000 at least and up to
 *              ttl_dns_cache_ms; HC_UNSET: that.
 * Threads    Any, also inside the hc_resolve_fn.
 * Returns    HC_OK         also when nobody waits for it any more
 *            HC_E_INVALID  NULL, no address, or an address that is not numeric:
 *                          the query is still open
 *            HC_E_FORKED, HC_E_NOMEM
 * Since      0.1
 */
HC_API hc_status hc_resolve_answer(hc_resolve_query *query, const hc_str *addresses, size_t count,
                                   uint64_t ttl_ms);

/**
 * Ends a query that your hc_resolve_fn took without an answer: HC_E_DNS.
 *
 * Parameters
 *   query   Ends with this call.
 *   reason  Optional; goes into the error message.
 * Threads    Any, also inside the hc_resolve_fn.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL query
 *            HC_E_FORKED, HC_E_NOMEM
 * Since      0.1
 */
HC_API hc_status hc_resolve_fail(hc_resolve_query *query, hc_str reason);

/* ---- 10 Responses -------------------------------------------------------- */

/**
 * When things happened, in ns after the submit; HC_UNSET: it did not. Of several
 * attempts the last one counts.
 */
typedef struct hc_timing {
  uint64_t started_ns;    /* a connection slot was given                          */
  uint64_t resolved_ns;   /* the name has an address (unset if none was needed)   */
  uint64_t connected_ns;  /* TCP connected (unset on a reused connection)         */
  uint64_t secured_ns;    /* TLS done (unset on a reused connection)              */
  uint64_t ready_ns;      /* the connection may carry the request                 */
  uint64_t sent_ns;       /* request head and body written                        */
  uint64_t first_byte_ns; /* first byte of the response head                      */
  uint64_t done_ns;       /* last byte, or the failure                            */
} hc_timing;

/** One answer on the way: a redirect that was followed. */
typedef struct hc_hop {
  int32_t http_status;
  int32_t reserved;
  hc_str method;            /* of the request that got it                         */
  hc_str url;               /* the same                                           */
  const hc_header *headers;
  size_t header_count;
} hc_hop;

/** Everything about a response in one read. */
typedef struct hc_response_info {
  uint32_t struct_size;
  hc_status status;         /* HC_OK, or why it failed                            */
  int32_t http_status;      /* 0 unless a response head arrived                   */
  int32_t http_version;     /* 10, 11, 20; 0 unless a response head arrived       */
  hc_str reason;            /* the words after the status code, may be empty      */
  const hc_header *headers; /* in the order of arrival                            */
  size_t header_count;
  hc_str body;
  uint64_t connection;      /* number of the connection in its session, from 1; 0:
                               the request never had one                          */
  uint8_t reused;           /* HC_ON: the connection had served before            */
  uint8_t reserved[3];
  uint32_t attempts;        /* connections tried, each address of a race counts;
                               see hc_response_attempt()                          */
  hc_str remote_address;    /* numeric, of the proxy if there was one; empty for a
                               unix socket                                        */
  uint16_t remote_port;
  uint16_t reserved_port[3];
  hc_timing timing;
  hc_str url;               /* that answered: after redirects, without user and
                               password, with the fragment                        */
  const hc_hop *history;    /* redirects that were followed, the first one first  */
  size_t history_count;
} hc_response_info;

/**
 * Reads everything about a response.
 *
 * Parameters
 *   response  Not NULL.
 *   info      Set info->struct_size to sizeof(hc_response_info) first. The views
 *             in it live as long as the response.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, or struct_size not that of any version
 * Since      0.1
 */
HC_API hc_status hc_response_get_info(const hc_response *response, hc_response_info *info);

/**
 * Returns HC_OK, or why the request failed. HC_OK also while a streamed body is
 * still arriving.
 *
 * Since      0.1
 */
HC_API hc_status hc_response_status(const hc_response *response);

/**
 * Returns the HTTP status code, 0 if no response head arrived.
 *
 * Since      0.1
 */
HC_API int32_t hc_response_http_status(const hc_response *response);

/**
 * Returns the body, as much as arrived; empty for a streamed response.
 *
 * Since      0.1
 */
HC_API hc_str hc_response_body(const hc_response *response);

/**
 * Finds a header field by name, without case.
 *
 * Parameters
 *   response  Not NULL.
 *   name      Such as HC_STR("content-type").
 *   nth       0 for the first field of that name, 1 for the second, ...
 *   value     Receives a view that lives as long as the response.
 * Returns    HC_OK         found
 *            HC_E_INVALID  no such field, or NULL response or value; *value is
 *                          untouched, so set it to {NULL, 0} first if "absent" and
 *                          "mistaken" are the same to you
 * Since      0.1
 */
HC_API hc_status hc_response_header(const hc_response *response, hc_str name, size_t nth, hc_str *value);

/** A connection that a request tried; of a streamed one as of its head. */
typedef struct hc_attempt {
  uint32_t struct_size;
  hc_status status;         /* HC_OK: it brought the answer; HC_E_CANCELLED: it was not
                               needed any more; or how it failed                  */
  uint64_t connection;      /* its number; 0: it came to no socket                */
  hc_str address;           /* numeric; empty: it was to ride an idle connection, and
                               none was alive                                     */
  uint16_t port;
  uint8_t reused;           /* HC_ON: it rode an idle connection                  */
  uint8_t reserved;
  uint32_t hop;             /* redirects followed before                          */
  hc_timing timing;         /* of this attempt alone; started_ns: when it began,
                               done_ns: when it ended                             */
  hc_str message;           /* of a failure, one line                             */
} hc_attempt;

/**
 * Tells about one of the connections that a request tried, in the order of their
 * start: which address, when, and how it ended.
 *
 * Parameters
 *   response  Not NULL.
 *   nth       0 to hc_response_info.attempts - 1.
 *   attempt   Set attempt->struct_size to sizeof(hc_attempt) first. The views in it
 *             live as long as the response.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, no such attempt, or struct_size not that of any
 *                          version
 * Since      0.1
 */
HC_API hc_status hc_response_attempt(const hc_response *response, size_t nth, hc_attempt *attempt);

/**
 * Returns a certificate of the server: 0 is its own, 1 the one that signed that, and
 * so on as far as the server sent them. On a resumed TLS session that may be its own
 * only. {NULL, 0} when there is none, or the request did not ask for `certificates`.
 *
 * Since      0.1
 */
HC_API hc_str hc_response_certificate(const hc_response *response, size_t nth);

/**
 * The same for languages that cannot call a function that returns a struct.
 *
 * Parameters
 *   response     Not NULL.
 *   nth          0 for the server's own, 1 for the one that signed it, ...
 *   certificate  Receives a view that lives as long as the response.
 * Returns    HC_OK
 *            HC_E_INVALID  no such certificate, or NULL; *certificate is untouched
 * Since      0.1
 */
HC_API hc_status hc_response_get_certificate(const hc_response *response, size_t nth, hc_str *certificate);

/**
 * Copies out the details of a failed request; HC_OK in error->status otherwise.
 *
 * Parameters
 *   response  Not NULL.
 *   error     Prepared by hc_error_init().
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, or error->struct_size not that of any version
 * Since      0.1
 */
HC_API hc_status hc_response_error(const hc_response *response, hc_error *error);

/**
 * Releases a response. NULL is fine.
 *
 * The rest of a streamed body that is still arriving is thrown away: up to 64 KiB
 * of it within 100 ms, after which the connection can serve again; else the
 * connection is closed. Its HC_DONE comes all the same: HC_OK if the rest was
 * short enough, HC_E_CANCELLED if not.
 *
 * Threads    Any, also after the session is gone, and in a forked child. Of a
 *            streamed one: nobody may be reading it.
 * Since      0.1
 */
HC_API void hc_response_free(hc_response *response);

/* ---- 11 Streamed bodies --------------------------------------------------- */

/*
 * A request with `stream` = HC_ON gets up to three kinds of completions:
 *
 *     HC_HEAD   once, unless it fails before. The response is yours; read on until
 *               the end or HC_E_AGAIN.
 *     HC_BODY   after a read that said HC_E_AGAIN: bytes are here, read again.
 *     HC_DONE   once, the last. Nothing more will arrive, but what is here can be
 *               read as long as you keep the response.
 *
 * A body that nobody reads fills its window and then holds the server back. No
 * clock but the total one runs meanwhile.
 */

/**
 * Copies what is there of a streamed body, without waiting.
 *
 * Parameters
 *   response  Of a streamed request. One of a request that failed before its head
 *             gives that failure, any other one HC_E_INVALID.
 *   buffer    Room for `capacity` bytes, at least 1.
 *   count     Receives how many were written; 0: the body is at its end, whole.
 * Threads    Any, one reader at a time. Never waits.
 * Returns    HC_OK
 *            HC_E_AGAIN    nothing is here yet: HC_BODY or HC_DONE will come, or
 *                          use hc_response_wait()
 *            HC_E_INVALID  NULL, capacity 0, or a response that is not streamed
 *            HC_E_FORKED
 *            why the request failed, after the bytes that did arrive
 * Since      0.1
 */
HC_API hc_status hc_response_read(hc_response *response, void *buffer, size_t capacity, size_t *count);

/** A piece of a streamed body, in the memory into which it was received. */
typedef struct hc_chunk {
  uint32_t struct_size;
  uint32_t reserved;
  hc_str bytes;    /* never empty, but at the end of the body                    */
  hc_block *block; /* what holds `bytes`: hc_block_free(). NULL at the end       */
} hc_chunk;

/**
 * Takes the next piece of a streamed body as it is, without copying and without
 * waiting. It no longer counts against the window.
 *
 * Parameters
 *   response  As for hc_response_read(); the two may be mixed.
 *   chunk     Set chunk->struct_size to sizeof(hc_chunk) first. Empty at the end of
 *             the body.
 * Ownership  You own chunk->block, which may outlive the response: hc_block_free().
 * Threads    Any, one reader at a time. Never waits.
 * Returns    as hc_response_read()
 * Since      0.1
 */
HC_API hc_status hc_response_take(hc_response *response, hc_chunk *chunk);

/**
 * Releases the memory of a piece. NULL is fine.
 *
 * Threads    Any, also after the response and the session are gone.
 * Since      0.1
 */
HC_API void hc_block_free(hc_block *block);

/**
 * Waits until hc_response_read() would not say HC_E_AGAIN.
 *
 * Parameters
 *   response    As for hc_response_read().
 *   timeout_ms  0: just look; HC_FOREVER: without limit (the clocks of the request
 *               run on).
 * Threads    Any but a session's loop thread; the reader's. Blocks.
 * Returns    HC_OK          read now
 *            HC_E_AGAIN     timeout_ms passed
 *            HC_E_INVALID   NULL, or a response that is not streamed
 *            HC_E_DEADLOCK  called from a callback
 *            HC_E_FORKED
 * Since      0.1
 */
HC_API hc_status hc_response_wait(hc_response *response, uint64_t timeout_ms);

/* ---- 12 Completion queue ------------------------------------------------- */

/**
 * Creates a queue that requests can name as their destination. It belongs to no
 * session: several sessions may deliver into one queue, and one session into
 * several.
 *
 * Parameters
 *   out    Receives the queue.
 *   error  Optional.
 * Ownership  You own *out: hc_queue_close().
 * Returns    HC_OK
 *            HC_E_INVALID  NULL out
 *            HC_E_SYSTEM   no descriptor; native_code is errno
 *            HC_E_NOMEM
 * Since      0.1
 */
HC_API HC_NODISCARD hc_status hc_queue_create(hc_queue **out, hc_error *error);

/**
 * Returns a descriptor that is readable while finished requests wait, for poll, epoll, asyncio, libuv and
 * their like; -1 for NULL or in a forked child. Where only changes are told (EPOLLET), drain until it is 0.
 *
 * Ownership  The queue's: do not close it. A loop that closes what it watches takes a dup() of it, and ends
 *            that before the queue. hc_queue_drain() reads it; so may you, if you drain after that.
 * Since      0.1
 */
HC_API int32_t hc_queue_fd(const hc_queue *queue);

/**
 * Takes finished requests from a queue, without waiting.
 *
 * Parameters
 *   queue      Not NULL.
 *   items      Room for `capacity` items of `item_size` bytes each.
 *   item_size  sizeof(hc_completion), so that items can grow in later versions.
 *   capacity   At least 1.
 *   count      Receives how many were written; 0 when nothing is ready.
 * Ownership  Each items[i].response is now yours: hc_response_free(). Ids are of the
 *            session that gave them; where several sessions deliver here, tell
 *            requests apart by user_data.
 * Threads    One drainer at a time per queue.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, item_size of no version, or capacity 0
 *            HC_E_FORKED
 * Since      0.1
 */
HC_API hc_status hc_queue_drain(hc_queue *queue, hc_completion *items, size_t item_size, size_t capacity,
                                size_t *count);

/**
 * Waits until finished requests are ready.
 *
 * Parameters
 *   queue       Not NULL.
 *   timeout_ms  0: just look; HC_FOREVER: without limit.
 *   ready       Optional; receives how many are ready, 0 after the timeout.
 * Threads    Any but a session's loop thread, one waiter at a time. Blocks.
 * Returns    HC_OK
 *            HC_E_INVALID   NULL queue
 *            HC_E_DEADLOCK  called from a callback
 *            HC_E_FORKED
 * Since      0.1
 */
HC_API hc_status hc_queue_wait(hc_queue *queue, uint64_t timeout_ms, size_t *ready);

/**
 * Ends a queue: cancels the requests that would be delivered to it, releases what
 * was not taken, and closes its descriptor. NULL is fine.
 *
 * Returns at once; the sessions drop the outcomes as they come.
 *
 * Parameters
 *   queue  Must not be used afterwards.
 * Threads    Any, also from a callback; nobody may be inside hc_queue_drain() or
 *            hc_queue_wait().
 * Since      0.1
 */
HC_API void hc_queue_close(hc_queue *queue);

/* ---- 13 Statistics and trace --------------------------------------------- */

/**
 * Counters since the session was created, and gauges of now. One consistent
 * picture: submitted = succeeded + failed + cancelled + in_flight, and
 * sockets_opened = sockets_closed + connecting + in use + idle + retired.
 */
typedef struct hc_stats {
  uint32_t struct_size;
  uint32_t reserved;
  /* Requests. */
  uint64_t submitted;        /* accepted by hc_session_submit()                   */
  uint64_t succeeded;        /* answered, with whatever HTTP status               */
  uint64_t failed;           /* every other end, refused by the loop included     */
  uint64_t cancelled;        /* HC_E_CANCELLED, or HC_E_CLOSED while waiting      */
  uint64_t in_flight;        /* gauge: no completion yet, waiting ones included   */
  uint64_t waiting;          /* gauge: in line for a connection                   */
  uint64_t stale_retries;    /* repeated on a fresh connection                    */
  uint64_t waited_ns;        /* sum of the time in line, of those who left it for a
                                connection                                        */
  uint64_t bytes_received;   /* bodies                                            */
  uint64_t bytes_sent;       /* bodies                                            */
  /* Connections. */
  uint64_t sockets_opened;
  uint64_t sockets_closed;
  uint64_t sockets_connecting; /* gauge                                           */
  uint64_t sockets_in_use;   /* gauge                                             */
  uint64_t sockets_idle;     /* gauge                                             */
  uint64_t sockets_retired;  /* gauge: shut down, descriptor not yet closed       */
  uint64_t sockets_peak;     /* highest connecting + in use + idle so far         */
  uint64_t connections_made; /* became usable                                     */
  uint64_t connections_reused; /* times a request rode an existing one            */
  uint64_t connect_failures; /* sockets that never became usable: failed, cancelled
                                or beaten in a race                               */
  /* DNS. */
  uint64_t dns_lookups;      /* questions that left the cache                     */
  uint64_t dns_cache_hits;
  uint64_t dns_failures;
  /* The loop. */
  uint64_t loop_turns;
  uint64_t loop_busy_ns;     /* working, not waiting                              */
  uint64_t loop_elapsed_ns;  /* since the session was created                     */
  uint64_t loop_worst_turn_ns;
} hc_stats;

/**
 * Reads the statistics of a session, without stopping its loop.
 *
 * Parameters
 *   session  Open or closed.
 *   stats    Set stats->struct_size to sizeof(hc_stats) first.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, or struct_size not that of any version
 *            HC_E_FORKED
 * Since      0.1
 */
HC_API hc_status hc_session_stats(hc_session *session, hc_stats *stats);

/** Buckets of an hc_histogram: one for each bound, and one for what is beyond. */
#define HC_HISTOGRAM_BUCKETS 23

/** How long something took, many times over. Part of hc_histograms; never grows. */
typedef struct hc_histogram {
  uint64_t count;  /* the sum of the buckets                                      */
  uint64_t sum_ns;
  uint64_t buckets[23]; /* [i]: up to and including bounds_ns[i], and above the bound
                           before                                                 */
} hc_histogram;

/** Where the time of requests went, since the session was created. */
typedef struct hc_histograms {
  uint32_t struct_size;
  uint32_t bound_count;      /* HC_HISTOGRAM_BUCKETS - 1                          */
  const uint64_t *bounds_ns; /* ascending; lives as long as the process           */
  hc_histogram waiting;      /* in line; each slot that was given counts, 0 too   */
  hc_histogram connect;      /* from the slot to a usable new connection          */
  hc_histogram first_byte;   /* from the request sent to the first byte           */
  hc_histogram total;        /* from the submit to the end, whatever it was       */
} hc_histograms;

/**
 * Reads the histograms of a session, without stopping its loop.
 *
 * Parameters
 *   session     Open or closed.
 *   histograms  Set histograms->struct_size to sizeof(hc_histograms) first.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, or struct_size not that of any version
 *            HC_E_FORKED, HC_E_NOMEM
 * Since      0.1
 */
HC_API hc_status hc_session_histograms(hc_session *session, hc_histograms *histograms);

/** Most rows that hc_session_origins() gives: 256 origins, and one for all others. */
#define HC_MAX_ORIGINS 257

/** One origin's part of hc_stats. in_flight makes up for the other three. */
typedef struct hc_origin_stats {
  uint32_t struct_size;
  uint32_t reserved;
  char origin[272];        /* "https://example.org:443", NUL-terminated; "": all that
                              have no row of their own                            */
  uint64_t submitted;
  uint64_t succeeded;
  uint64_t failed;
  uint64_t cancelled;
  uint64_t in_flight;      /* gauge                                               */
  uint64_t waiting;        /* gauge                                               */
  uint64_t sockets;        /* gauge: promised to a request, connecting, in use, idle */
  uint64_t sockets_idle;   /* gauge                                               */
  uint64_t connections_made;
  uint64_t connections_reused;
  uint64_t stale_retries;
  uint64_t waited_ns;      /* sum of the time in line, of those who left it for a
                              connection                                          */
  uint64_t total_ns;       /* sum from the submits to the ends                    */
} hc_origin_stats;

/**
 * Reads what a session counted for each origin, without stopping its loop: those in
 * use now, and the others seen last, busiest first; what has no row any more is in
 * one row at the end.
 *
 * Parameters
 *   session   Open or closed.
 *   rows      Room for `capacity` rows of `row_size` bytes each.
 *   row_size  sizeof(hc_origin_stats), so that rows can grow in later versions.
 *   capacity  At least 1; HC_MAX_ORIGINS is enough for all.
 *   count     Receives how many were written.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, row_size of no version, or capacity 0
 *            HC_E_FORKED, HC_E_NOMEM
 * Since      0.1
 */
HC_API hc_status hc_session_origins(hc_session *session, hc_origin_stats *rows, size_t row_size,
                                    size_t capacity, size_t *count);

/**
 * Writes the statistics of sessions in Prometheus' text format, for a scraper. The
 * metrics and their names: docs/observability.md.
 *
 * Parameters
 *   sessions  Open or closed ones.
 *   names     For each session the value of its label `session`; NULL for none, if
 *             there is one session only.
 *   count     1 to 1000.
 *   buffer    Receives the text, not NUL-terminated, if all of it fits; NULL with
 *             capacity 0 just asks for the length.
 *   capacity  Bytes at buffer.
 *   length    Receives the length of the text. More than capacity: nothing was
 *             written; try again with some more, for it may have grown meanwhile.
 * Returns    HC_OK
 *            HC_E_INVALID  NULL, no session, or names missing
 *            HC_E_FORKED, HC_E_NOMEM
 * Since      0.1
 */
HC_API hc_status hc_metrics_prometheus(hc_session *const *sessions, const hc_str *names, size_t count,
                                       char *buffer, size_t capacity, size_t *length);

/**
 * Returns the name of a trace event's kind, as aiohttp spells it:
 * "connection_queued_start". Unknown numbers give "?".
 *
 * Since      0.1
 */
HC_API const char *hc_trace_name(int32_t kind);

/* ---- 14 What is underneath ----------------------------------------------- */

/** The libraries found at run time, and the limits of this process. */
typedef struct hc_runtime_info {
  uint32_t struct_size;
  uint32_t curl_version_number; /* 0x075801 is 7.88.1                             */
  hc_str curl_version;
  hc_str curl_features;         /* separated by spaces                            */
  hc_str ares_version;
  hc_str tls_version;
  hc_str ca_file;               /* the default bundle; empty: none was found      */
  uint64_t descriptor_limit;    /* soft RLIMIT_NOFILE                             */
  uint64_t descriptor_budget;   /* sockets that all sessions together may open    */
  uint64_t descriptors_in_use;  /* of that budget                                 */
} hc_runtime_info;

/**
 * Tells what the library runs on.
 *
 * Parameters
 *   info  Set info->struct_size to sizeof(hc_runtime_info) first. The views in it
 *         live as long as the process.
 * Returns    HC_OK
 *            HC_E_INVALID      NULL, or struct_size not that of any version
 *            HC_E_UNSUPPORTED  the libcurl found cannot be used
 * Since      0.1
 */
HC_API hc_status hc_runtime_get_info(hc_runtime_info *info);

/* ---- 15 Sugar ------------------------------------------------------------ */

/** An hc_str of a string literal. */
#ifdef __cplusplus
#define HC_STR(literal) (hc_str{(literal), sizeof(literal) - 1})
#else
#define HC_STR(literal) ((hc_str){(literal), sizeof(literal) - 1})
#endif

#ifdef __cplusplus
}
#endif

#endif /* HC_HC_H */
