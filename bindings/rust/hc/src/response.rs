//! What a request came to.

use std::borrow::Cow;
use std::fmt;
use std::mem::{size_of, MaybeUninit};
use std::net::{IpAddr, SocketAddr};
use std::ptr::NonNull;
use std::time::Duration;

use hc_sys as ffi;

use crate::error::Error;
use crate::text::{array, bytes, nanoseconds, text, view, NOT_GIVEN};

/// A whole response, in the library's memory. Immutable; it may outlive its session.
pub struct Response {
    handle: NonNull<ffi::hc_response>,
    failure: i32,
    status: u16,
    body: ffi::hc_str,
}

// Safe: every function of hc.h that takes a response may be called from any thread, and those that only read it by many
// at once.
unsafe impl Send for Response {}
unsafe impl Sync for Response {}

impl Response {
    /// # Safety
    /// `handle` is the completion's response, and nobody else's.
    pub(crate) unsafe fn new(handle: NonNull<ffi::hc_response>, completion: &ffi::hc_completion) -> Response {
        let status = ffi::hc_response_http_status(handle.as_ptr());
        let status = u16::try_from(status).unwrap_or(0);
        Response { handle, failure: completion.status, status, body: completion.body }
    }

    pub(crate) fn into_result(self) -> Result<Response, Error> {
        if self.failure == ffi::HC_OK {
            return Ok(self);
        }
        Err(Error::of_response(self))
    }

    pub(crate) fn as_ptr(&self) -> *mut ffi::hc_response {
        self.handle.as_ptr()
    }

    /// 200, 404, ...; in an error's response 0 if no head arrived.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The words after the status, if there are any.
    pub fn reason(&self) -> Cow<'_, str> {
        unsafe { text(self.info().reason) }
    }

    /// (1, 1) for HTTP/1.1.
    pub fn http_version(&self) -> (u8, u8) {
        let version = self.info().http_version;
        ((version / 10) as u8, (version % 10) as u8)
    }

    /// The whole body; empty for a streamed response.
    pub fn body(&self) -> &[u8] {
        unsafe { bytes(self.body) }
    }

    /// The body as UTF-8, with U+FFFD in place of what is not.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.body())
    }

    /// The first value of that field, by its name in any case, as UTF-8 with U+FFFD in place of what is not.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.header_bytes(name, 0).map(String::from_utf8_lossy)
    }

    /// The value of the `nth` field of that name, from 0.
    pub fn header_bytes(&self, name: &str, nth: usize) -> Option<&[u8]> {
        let mut value = NOT_GIVEN;
        let found = unsafe { ffi::hc_response_header(self.as_ptr(), view(name.as_bytes()), nth, &mut value) };
        (found == ffi::HC_OK).then(|| unsafe { bytes(value) })
    }

    /// All fields in the order of their arrival.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = Header<'_>> {
        let info = self.info();
        unsafe { headers(info.headers, info.header_count) }
    }

    /// That answered: after redirects, without user and password, with the fragment.
    pub fn url(&self) -> Cow<'_, str> {
        unsafe { text(self.info().url) }
    }

    /// The redirects that were followed, the first one first.
    pub fn history(&self) -> impl ExactSizeIterator<Item = Hop<'_>> {
        let info = self.info();
        let hops: &[ffi::hc_hop] = unsafe { array(info.history, info.history_count) };
        hops.iter().map(Hop)
    }

    /// The number of its connection in the session, from 1; 0: it never had one.
    pub fn connection(&self) -> u64 {
        self.info().connection
    }

    /// Whether the connection had served before.
    pub fn is_reused(&self) -> bool {
        self.info().reused == ffi::HC_ON as u8
    }

    /// The other end of the connection: the server's, or the proxy's. None for a unix socket.
    pub fn remote(&self) -> Option<SocketAddr> {
        let info = self.info();
        address(info.remote_address, info.remote_port)
    }

    /// When things happened, after the submit.
    pub fn timing(&self) -> Timing {
        Timing::new(&self.info().timing)
    }

    /// The connections that were tried, in the order of their start.
    pub fn attempts(&self) -> impl ExactSizeIterator<Item = Attempt<'_>> {
        let count = self.info().attempts as usize;
        (0..count).map(move |nth| self.attempt(nth))
    }

    /// The server's certificates, its own first, if the request asked for them.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        let nth = |nth| unsafe { bytes(ffi::hc_response_certificate(self.as_ptr(), nth)) };
        (0..).map(nth).take_while(|certificate: &&[u8]| !certificate.is_empty())
    }

    fn attempt(&self, nth: usize) -> Attempt<'_> {
        let mut attempt = MaybeUninit::<ffi::hc_attempt>::zeroed();
        unsafe {
            (*attempt.as_mut_ptr()).struct_size = size_of::<ffi::hc_attempt>() as u32;
            ffi::hc_response_attempt(self.as_ptr(), nth, attempt.as_mut_ptr());
            Attempt::new(&attempt.assume_init())
        }
    }

    fn info(&self) -> ffi::hc_response_info {
        let mut info = MaybeUninit::<ffi::hc_response_info>::zeroed();
        unsafe {
            (*info.as_mut_ptr()).struct_size = size_of::<ffi::hc_response_info>() as u32;
            ffi::hc_response_get_info(self.as_ptr(), info.as_mut_ptr());
            info.assume_init() // zeroed at least
        }
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        unsafe { ffi::hc_response_free(self.as_ptr()) };
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Response");
        shown.field("status", &self.status).field("url", &self.url()).field("body_len", &self.body.len);
        shown.finish_non_exhaustive()
    }
}

/// A header field. Names and values come from the server: they need not be UTF-8.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header<'a> {
    pub name_bytes: &'a [u8],
    pub value_bytes: &'a [u8],
}

impl<'a> Header<'a> {
    pub fn name(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.name_bytes)
    }

    pub fn value(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.value_bytes)
    }
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.value())
    }
}

/// # Safety
/// The fields live for `'a`.
unsafe fn headers<'a>(
    fields: *const ffi::hc_header,
    count: usize,
) -> impl ExactSizeIterator<Item = Header<'a>> {
    let field =
        |field: &ffi::hc_header| Header { name_bytes: bytes(field.name), value_bytes: bytes(field.value) };
    array(fields, count).iter().map(field)
}

/// A redirect that was followed.
#[derive(Clone, Copy)]
pub struct Hop<'a>(&'a ffi::hc_hop);

impl fmt::Debug for Hop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.status(), self.method(), self.url())
    }
}

impl<'a> Hop<'a> {
    pub fn status(&self) -> u16 {
        self.0.http_status as u16
    }

    /// Of the request that was redirected.
    pub fn method(&self) -> Cow<'a, str> {
        unsafe { text(self.0.method) }
    }

    /// Of the request that was redirected.
    pub fn url(&self) -> Cow<'a, str> {
        unsafe { text(self.0.url) }
    }

    pub fn headers(&self) -> impl ExactSizeIterator<Item = Header<'a>> {
        unsafe { headers(self.0.headers, self.0.header_count) }
    }
}

/// When things happened, after the submit; None: they did not. Of several attempts the last one counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// A connection slot was given.
    pub started: Option<Duration>,
    /// The name has an address (None if none was needed).
    pub resolved: Option<Duration>,
    /// TCP connected (None on a reused connection).
    pub connected: Option<Duration>,
    /// TLS done (None on a reused connection).
    pub secured: Option<Duration>,
    /// The connection may carry the request.
    pub ready: Option<Duration>,
    /// Request head and body written.
    pub sent: Option<Duration>,
    /// First byte of the response head.
    pub first_byte: Option<Duration>,
    /// Last byte, or the failure.
    pub done: Option<Duration>,
}

impl Timing {
    fn new(timing: &ffi::hc_timing) -> Timing {
        Timing {
            started: nanoseconds(timing.started_ns),
            resolved: nanoseconds(timing.resolved_ns),
            connected: nanoseconds(timing.connected_ns),
            secured: nanoseconds(timing.secured_ns),
            ready: nanoseconds(timing.ready_ns),
            sent: nanoseconds(timing.sent_ns),
            first_byte: nanoseconds(timing.first_byte_ns),
            done: nanoseconds(timing.done_ns),
        }
    }
}

/// A connection that a request tried.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// `HC_*` of hc.h. HC_OK (0): it brought the answer; HC_E_CANCELLED: it was not needed any more; or how it failed.
    pub code: i32,
    /// Its number; 0: it came to no socket.
    pub connection: u64,
    /// None: it was to ride an idle connection, and none was alive; or a unix socket.
    pub remote: Option<SocketAddr>,
    pub is_reused: bool,
    /// Redirects followed before.
    pub hop: u32,
    /// Of this attempt alone: `started` is when it began, `done` when it ended.
    pub timing: Timing,
    /// Of a failure, one line.
    pub message: Cow<'a, str>,
}

impl Attempt<'_> {
    /// # Safety
    /// The views in it live for `'a`.
    unsafe fn new<'a>(attempt: &ffi::hc_attempt) -> Attempt<'a> {
        Attempt {
            code: attempt.status,
            connection: attempt.connection,
            remote: address(attempt.address, attempt.port),
            is_reused: attempt.reused == ffi::HC_ON as u8,
            hop: attempt.hop,
            timing: Timing::new(&attempt.timing),
            message: text(attempt.message),
        }
    }
}

fn address(numeric: ffi::hc_str, port: u16) -> Option<SocketAddr> {
    let address: IpAddr = unsafe { text(numeric) }.parse().ok()?;
    Some(SocketAddr::new(address, port))
}
