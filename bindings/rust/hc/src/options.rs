//! How a session behaves.

use std::mem::{size_of, MaybeUninit};
use std::time::Duration;

use hc_sys as ffi;

use crate::callbacks::{Callbacks, LogLevel, Query, SocketInfo, TraceEvent};
use crate::error::Error;
use crate::kept::Kept;
use crate::request::Timeouts;
use crate::session::Session;
use crate::text::{count, milliseconds};
use crate::tls::Tls;

/// Which addresses of a name are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    Any,
    V4,
    V6,
}

impl Family {
    pub(crate) fn from_code(family: i32) -> Family {
        match family {
            ffi::HC_FAMILY_V4 => Family::V4,
            ffi::HC_FAMILY_V6 => Family::V6,
            _ => Family::Any,
        }
    }

    fn code(self) -> u8 {
        match self {
            Family::Any => ffi::HC_FAMILY_ANY as u8,
            Family::V4 => ffi::HC_FAMILY_V4 as u8,
            Family::V6 => ffi::HC_FAMILY_V6 as u8,
        }
    }
}

/// Makes a [`Session`]. What is not set keeps its default; what is wrong is told by [`build`](SessionBuilder::build).
///
/// Durations are rounded up to whole milliseconds; `Duration::MAX` is without end. Counts of 0 mean "no bound" unless
/// told otherwise.
///
/// ```
/// use std::time::Duration;
/// let session = hc::Session::builder()
///     .limit(200)
///     .limit_per_host(20)
///     .timeouts(hc::Timeouts { connect: Some(Duration::from_secs(5)), ..Default::default() })
///     .header("X-Team", "blue")
///     .build()?;
///
/// let error = hc::Session::builder().proxy("ftp://proxy.test").build().unwrap_err();
/// assert!(matches!(error, hc::Error::Invalid(_)) && error.message().starts_with("proxy"));
/// # Ok::<(), hc::Error>(())
/// ```
pub struct SessionBuilder {
    raw: ffi::hc_session_options,
    kept: Kept<'static>,
    headers: Vec<ffi::hc_header>,
    proxy_headers: Vec<ffi::hc_header>,
    tls: Option<Tls>,
    proxy_tls: Option<Tls>,
    callbacks: Callbacks,
}

// Safe: the pointers lead to what it owns itself.
unsafe impl Send for SessionBuilder {}

impl SessionBuilder {
    pub(crate) fn new() -> SessionBuilder {
        let mut raw = MaybeUninit::<ffi::hc_session_options>::zeroed();
        let raw = unsafe {
            ffi::hc_session_options_init(raw.as_mut_ptr(), size_of::<ffi::hc_session_options>());
            raw.assume_init() // zeroed at least: struct_size 0 is refused by the create
        };
        SessionBuilder {
            raw,
            kept: Kept::default(),
            headers: Vec::new(),
            proxy_headers: Vec::new(),
            tls: None,
            proxy_tls: None,
            callbacks: Callbacks::default(),
        }
    }

    /// Creates the session and starts its thread. May block on disk (CA bundle, resolver settings).
    pub fn build(self) -> Result<Session, Error> {
        let mut raw = self.raw;
        if !self.headers.is_empty() {
            (raw.headers, raw.header_count) = (self.headers.as_ptr(), self.headers.len());
        }
        if !self.proxy_headers.is_empty() {
            (raw.proxy_headers, raw.proxy_header_count) =
                (self.proxy_headers.as_ptr(), self.proxy_headers.len());
        }
        if let Some(tls) = &self.tls {
            raw.tls = tls.as_ptr();
        }
        if let Some(tls) = &self.proxy_tls {
            raw.proxy_tls = tls.as_ptr();
        }
        Session::create(raw, self.callbacks)
    }

    counts! {
        /// Sockets connecting, in use and idle: 100. 0: only the process's descriptor budget.
        limit;
        /// The same for each scheme, host, port and identity of the connection: none.
        limit_per_host;
        /// Sockets connecting at one time: no bound.
        max_connecting;
        /// Requests in line; beyond, they fail with [`Error::Overload`]: no bound.
        max_waiting;
        /// Names kept in the DNS cache, 1 to 1000000: 1000.
        dns_cache_size;
        /// SO_RCVBUF in bytes: the system's.
        receive_buffer;
        /// SO_SNDBUF in bytes: the system's.
        send_buffer;
        /// Bytes of a response body: 1 GiB for bodies held whole, none for streamed ones.
        max_body;
        /// Bytes of a streamed body, not yet read, before the server is held back, 1 KiB to 1 GiB: 512 KiB.
        body_window;
        /// Bytes of response heads: 65536.
        max_header_bytes;
        /// Fields in a response head: 128.
        max_headers;
        /// Redirects followed by one request, up to 1000: 10. 0: they are handed over as answers.
        max_redirects;
    }

    durations! {
        /// Longest idle time of a connection: 15 s. 0: never reuse.
        keepalive_timeout => keepalive_timeout_ms;
        /// Longest life of a connection, +-10 %: no bound.
        max_lifetime => max_lifetime_ms;
        /// Upper bound of a DNS answer's life: 10 s. 0: none is kept.
        ttl_dns_cache => ttl_dns_cache_ms;
        /// How long an expired DNS answer may still serve while it is refreshed, or when that fails: 0.
        dns_stale_ttl => dns_stale_ttl_ms;
        /// How long "no such name" is remembered: 1 s.
        dns_negative_ttl => dns_negative_ttl_ms;
        /// Head start of an address before the next one is tried beside it: 250 ms. 0: only failures start the next.
        happy_eyeballs => happy_eyeballs_ms;
        /// Idle time before the first kernel keep-alive probe, in whole seconds: 60 s.
        tcp_keepalive_idle => tcp_keepalive_idle_ms;
        /// Between these probes, in whole seconds: 60 s.
        tcp_keepalive_interval => tcp_keepalive_interval_ms;
        /// How long sent data may stay unacknowledged: the system's.
        tcp_user_timeout => tcp_user_timeout_ms;
    }

    /// How long the session's thread looks for work before it sleeps, in whole microseconds, up to 1 s: 50 us. Answers
    /// that come within that time come sooner. It seldom looks when that is in vain, and not while a body is
    /// under way. 0: never.
    pub fn busy_poll(mut self, value: std::time::Duration) -> Self {
        let whole = value.as_nanos().saturating_add(999) / 1_000;
        self.raw.busy_poll_us = count(u64::try_from(whole).unwrap_or(u64::MAX));
        self
    }

    flags! {
        /// Close after each response: off. Not together with `keepalive_timeout`.
        force_close;
        /// Repeat an idempotent request once when a reused connection died before any answer: on.
        retry_stale;
        /// On.
        use_dns_cache;
        /// Verify certificate chain and host name: on. Not together with `tls`.
        tls_verify;
        /// Read $http_proxy, $https_proxy, $all_proxy and $no_proxy, once, at `build`: off.
        trust_env;
        /// Refuse all addresses that are not public, and unix sockets: off.
        public_only;
        /// On.
        tcp_nodelay;
        /// Kernel keep-alive probes: off.
        tcp_keepalive;
        /// Follow redirects from https to http, too: off.
        insecure_redirects;
        /// Ask for compressed bodies and decode what comes: on.
        decompress;
    }

    texts! { String;
        /// In place of the system's, in order: `127.0.0.1:5353,[::1]:53`.
        nameservers;
        /// `[SCHEME://][USER:PASSWORD@]HOST[:PORT]`, with http, https, socks5 or socks5h: none.
        proxy;
        /// Hosts to reach without the proxy: names (with all below them), addresses, blocks, "*"; each with :PORT.
        no_proxy;
        /// Blocks of addresses that are never connected to, "10.0.0.0/8, fc00::/7": none.
        deny_addresses;
        /// Blocks of addresses that may be connected to though they are not public; without `public_only` nothing but
        /// these: none.
        allow_addresses;
        /// Names of proxies whose own address is not checked: none.
        trusted_proxies;
        /// Numeric address to bind to: none.
        local_addr;
        /// Device to bind to, up to 15 bytes: none.
        interface_name;
        /// What relative URLs of requests are resolved against: none.
        base_url;
        /// "libhc/VERSION". Empty: none is sent.
        user_agent;
    }

    paths! {
        /// Socket to connect to whatever the URL's host is; '@' begins an abstract name: none. Not with `proxy`.
        unix_path;
        /// PEM bundle of trusted authorities, read once, at `build`: $SSL_CERT_FILE (nobody is trusted if that cannot be
        /// read) or the system's. Not together with `tls`.
        ca_file;
    }

    /// Which addresses of a name are used: any.
    pub fn family(mut self, family: Family) -> Self {
        self.raw.family = family.code();
        self
    }

    /// The eight clocks of requests without their own.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        timeouts.fill(&mut self.raw.timeouts);
        self
    }

    /// The total clock alone: submit to the last byte, everything: 300 s.
    pub fn timeout(mut self, total: Duration) -> Self {
        self.raw.timeouts.total_ms = milliseconds(total);
        self
    }

    /// Basic auth for requests without their own.
    pub fn basic_auth(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.raw.username = self.kept.text(username.into());
        self.raw.password = self.kept.text(password.into());
        self
    }

    /// Sent with each request, unless the request has a field of that name. Up to 1000.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (self.kept.text(name.into()), self.kept.text(value.into()));
        self.headers.push(ffi::hc_header { name, value });
        self
    }

    /// For the proxy, with each CONNECT and each forwarded request; up to 100.
    pub fn proxy_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (self.kept.text(name.into()), self.kept.text(value.into()));
        self.proxy_headers.push(ffi::hc_header { name, value });
        self
    }

    /// Whom to trust, and who we are. Not together with `tls_verify` and `ca_file`.
    pub fn tls(mut self, tls: &Tls) -> Self {
        self.tls = Some(tls.clone());
        self
    }

    /// Of https proxies. Without it they are trusted as the request's identity trusts, and see nothing else of it.
    pub fn proxy_tls(mut self, tls: &Tls) -> Self {
        self.proxy_tls = Some(tls.clone());
        self
    }

    /// Receives the log, down to `level`. Like all callbacks it runs on the session's thread, where everything else of
    /// the session waits meanwhile; but a line or two come on the thread that builds or drops the session.
    pub fn on_log(mut self, level: LogLevel, log: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> Self {
        self.raw.log_level = level as i32;
        self.callbacks.on_log = Some(Box::new(log));
        self
    }

    /// Sees what requests and connections go through, in batches, on the session's thread.
    pub fn on_trace(mut self, trace: impl Fn(&TraceEvent<'_>) + Send + Sync + 'static) -> Self {
        self.callbacks.on_trace = Some(Box::new(trace));
        self
    }

    /// Sees each new socket on the session's thread. To return false, or to panic, refuses it: [`Error::Callback`].
    pub fn on_socket(mut self, look: impl Fn(&SocketInfo<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.callbacks.on_socket = Some(Box::new(look));
        self
    }

    /// Answers host names in place of the built-in resolver, on the session's thread. A query that is handed back is
    /// left to the built-in resolver; one that is kept can be answered later, from any thread.
    ///
    /// ```
    /// # let server = hc_testing::serve();
    /// let session = hc::Session::builder()
    ///     .on_resolve(|query| match query.host() {
    ///         "shop.test" => query.answer(["127.0.0.1"], None).ok().and(None),
    ///         _ => Some(query),
    ///     })
    ///     .build()?;
    /// # let port = server.port();
    /// let response = session.get(format!("http://shop.test:{port}/bytes/1")).send_blocking()?;
    /// assert_eq!(response.remote().unwrap().ip().to_string(), "127.0.0.1");
    /// # Ok::<(), hc::Error>(())
    /// ```
    pub fn on_resolve(mut self, resolve: impl Fn(Query) -> Option<Query> + Send + Sync + 'static) -> Self {
        self.callbacks.on_resolve = Some(Box::new(resolve));
        self
    }
}
