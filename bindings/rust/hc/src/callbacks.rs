//! The callbacks of a session: closures of the program, called by the library.

use std::borrow::Cow;
use std::os::raw::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use hc_sys as ffi;

use crate::error::{check, Error};
use crate::on_loop;
use crate::options::Family;
use crate::text::{bytes, constant_text, milliseconds, text, view};

type OnLog = dyn Fn(LogLevel, &str) + Send + Sync;
type OnTrace = dyn Fn(&TraceEvent<'_>) + Send + Sync;
type OnSocket = dyn Fn(&SocketInfo<'_>) -> bool + Send + Sync;
type OnResolve = dyn Fn(Query) -> Option<Query> + Send + Sync;

#[derive(Default)]
pub(crate) struct Callbacks {
    pub(crate) session: AtomicPtr<ffi::hc_session>,
    pub(crate) on_log: Option<Box<OnLog>>,
    pub(crate) on_trace: Option<Box<OnTrace>>,
    pub(crate) on_socket: Option<Box<OnSocket>>,
    pub(crate) on_resolve: Option<Box<OnResolve>>,
}

impl Callbacks {
    /// Names those that are there; they must live until the session has ended.
    pub(crate) fn fill(&self, options: &mut ffi::hc_session_options) {
        let data = self as *const Callbacks as *mut c_void;
        if self.on_log.is_some() {
            options.on_log = Some(on_log);
            options.on_log_data = data;
        }
        if self.on_trace.is_some() {
            options.on_trace = Some(on_trace);
            options.on_trace_data = data;
        }
        if self.on_socket.is_some() {
            options.on_socket = Some(on_socket);
            options.on_socket_data = data;
        }
        if self.on_resolve.is_some() {
            options.on_resolve = Some(on_resolve);
            options.on_resolve_data = data;
        }
    }

    fn run<T>(&self, code: impl FnOnce() -> T) -> Option<T> {
        on_loop::run(self.session.load(Ordering::Acquire), code)
    }
}

/// How severe a line of log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LogLevel {
    Error = ffi::HC_LOG_ERROR as isize,
    Warning = ffi::HC_LOG_WARNING as isize,
    Info = ffi::HC_LOG_INFO as isize,
    Debug = ffi::HC_LOG_DEBUG as isize,
}

unsafe extern "C" fn on_log(level: i32, line: ffi::hc_str, callbacks: *mut c_void) {
    let callbacks = &*(callbacks as *const Callbacks);
    let level = match level {
        ffi::HC_LOG_ERROR => LogLevel::Error,
        ffi::HC_LOG_WARNING => LogLevel::Warning,
        ffi::HC_LOG_INFO => LogLevel::Info,
        _ => LogLevel::Debug,
    };
    if let Some(on_log) = &callbacks.on_log {
        callbacks.run(|| on_log(level, &text(line)));
    }
}

/// What a request or connection went through; `docs/observability.md` of libhc tells which come in which order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TraceEvent<'a> {
    /// `HC_TRACE_*` of hc.h.
    pub kind: i32,
    /// Of the monotonic clock, when it happened.
    pub time: Duration,
    /// The request, or 0.
    pub id: u64,
    /// The connection's number; 0: none yet.
    pub connection: u64,
    /// `https://example.org:443`
    pub origin: Cow<'a, str>,
    /// Depends on the kind; no secrets, no query.
    pub text: Cow<'a, str>,
    /// Depends on the kind, or 0.
    pub bytes: u64,
    /// `HC_*`; depends on the kind, or HC_OK.
    pub code: i32,
    /// Depends on the kind, or 0.
    pub http_status: u16,
}

impl TraceEvent<'_> {
    /// The name of its kind, such as "connection_queued_start".
    pub fn name(&self) -> &'static str {
        unsafe { constant_text(ffi::hc_trace_name(self.kind)) }
    }
}

unsafe extern "C" fn on_trace(event: *const ffi::hc_trace_event, callbacks: *mut c_void) {
    let (event, callbacks) = (&*event, &*(callbacks as *const Callbacks));
    let told = TraceEvent {
        kind: event.kind,
        time: Duration::from_nanos(event.time_ns),
        id: event.id,
        connection: event.connection,
        origin: text(event.origin),
        text: text(event.text),
        bytes: event.bytes,
        code: event.status,
        http_status: u16::try_from(event.http_status).unwrap_or(0),
    };
    if let Some(on_trace) = &callbacks.on_trace {
        callbacks.run(|| on_trace(&told));
    }
}

/// A socket that was just made, before it connects.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SocketInfo<'a> {
    /// Borrowed: set options, do not close or connect it.
    pub fd: i32,
    /// The name in the URL.
    pub host: Cow<'a, str>,
    /// The numeric address it will connect to, of the proxy if there is one; or the path of a unix socket.
    pub address: Cow<'a, str>,
    /// 0 for a unix socket.
    pub port: u16,
}

unsafe extern "C" fn on_socket(socket: *const ffi::hc_socket_info, callbacks: *mut c_void) -> i32 {
    let (socket, callbacks) = (&*socket, &*(callbacks as *const Callbacks));
    let (host, address) = (text(socket.host), text(socket.address));
    let info = SocketInfo { fd: socket.fd, host, address, port: socket.port };
    let is_welcome =
        callbacks.on_socket.as_ref().map_or(Some(true), |on_socket| callbacks.run(|| on_socket(&info)));
    i32::from(is_welcome != Some(true))
}

/// A host name to be answered, now or later, from any thread. One that is dropped fails its lookup.
pub struct Query {
    handle: *mut ffi::hc_resolve_query,
    host: String,
    family: Family,
}

// Safe: a query may be answered from any thread.
unsafe impl Send for Query {}
unsafe impl Sync for Query {}

impl Query {
    /// Lower case, without a trailing dot.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn family(&self) -> Family {
        self.family
    }

    /// Numeric addresses in order of preference, 1 to 64; they may be cached for `ttl`, None: as long as the session
    /// caches at most.
    pub fn answer<A: AsRef<str>>(
        self,
        addresses: impl IntoIterator<Item = A>,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        let addresses: Vec<A> = addresses.into_iter().collect();
        let views: Vec<_> = addresses.iter().map(|address| view(address.as_ref().as_bytes())).collect();
        let ttl = ttl.map_or(ffi::HC_UNSET, milliseconds);
        let status = unsafe { ffi::hc_resolve_answer(self.handle, views.as_ptr(), views.len(), ttl) };
        check(status)?; // of an answer that was not taken the query is open still, and fails
        self.leave();
        Ok(())
    }

    /// Ends the lookup without an address; the reason goes into the error's message.
    pub fn fail(self, reason: &str) {
        unsafe { ffi::hc_resolve_fail(self.handle, view(reason.as_bytes())) };
        self.leave();
    }

    /// Somebody else ends it.
    fn leave(mut self) {
        self.handle = ptr::null_mut();
    }
}

impl Drop for Query {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            unsafe { ffi::hc_resolve_fail(self.handle, view(b"the query was dropped")) };
        }
    }
}

unsafe extern "C" fn on_resolve(
    handle: *mut ffi::hc_resolve_query,
    host: ffi::hc_str,
    family: i32,
    callbacks: *mut c_void,
) -> ffi::hc_status {
    let callbacks = &*(callbacks as *const Callbacks);
    let host = String::from_utf8_lossy(bytes(host)).into_owned();
    let query = Query { handle, host, family: Family::from_code(family) };
    let handed_back = match &callbacks.on_resolve {
        Some(on_resolve) => callbacks.run(|| on_resolve(query)).flatten(),
        None => Some(query),
    };
    match handed_back {
        Some(query) => {
            query.leave();
            ffi::HC_RESOLVE_PASS
        }
        None => ffi::HC_OK, // taken, or ended already
    }
}
