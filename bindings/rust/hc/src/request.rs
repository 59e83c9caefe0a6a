//! What to send.

use std::borrow::Cow;
use std::mem::{size_of, MaybeUninit};
use std::sync::Arc;
use std::time::Duration;

use hc_sys as ffi;

use crate::body::{Body, Lease};
use crate::error::{Error, ErrorSlot};
use crate::exchange::{on_news, Exchange};
use crate::kept::Kept;
use crate::on_loop;
use crate::pending::{Pending, PendingStream, Running};
use crate::response::Response;
use crate::session::Session;
use crate::stream::StreamedResponse;
use crate::text::{milliseconds, NOT_GIVEN};
use crate::tls::Tls;

/// The eight clocks. They never fire early. None: as the session says, or its default; zero: off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// Submit to the last byte, everything: 300 s.
    pub total: Option<Duration>,
    /// Waiting for a connection slot: off.
    pub pool: Option<Duration>,
    /// One lookup as the request sees it: 10 s.
    pub dns: Option<Duration>,
    /// Slot, DNS, TCP and TLS together; not counted on reuse: off.
    pub connect: Option<Duration>,
    /// TCP and TLS, all addresses together: 30 s.
    pub sock_connect: Option<Duration>,
    /// Silence of the socket, once the upload is done: off.
    pub sock_read: Option<Duration>,
    /// No progress of the upload: off.
    pub sock_write: Option<Duration>,
    /// End of the upload to the first response byte: off.
    pub first_byte: Option<Duration>,
}

impl Timeouts {
    pub(crate) fn fill(&self, raw: &mut ffi::hc_timeouts) {
        let set = |field: &mut u64, value: Option<Duration>| {
            if let Some(value) = value {
                *field = milliseconds(value);
            }
        };
        set(&mut raw.total_ms, self.total);
        set(&mut raw.pool_ms, self.pool);
        set(&mut raw.dns_ms, self.dns);
        set(&mut raw.connect_ms, self.connect);
        set(&mut raw.sock_connect_ms, self.sock_connect);
        set(&mut raw.sock_read_ms, self.sock_read);
        set(&mut raw.sock_write_ms, self.sock_write);
        set(&mut raw.first_byte_ms, self.first_byte);
    }
}

/// In which form the server's certificates are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Certificates {
    Der,
    Pem,
}

/// A request in the making. Texts are borrowed until it is sent, or owned if they are given so.
#[must_use = "nothing is sent before send()"]
pub struct RequestBuilder<'a> {
    session: Session,
    raw: ffi::hc_request,
    kept: Kept<'a>,
    headers: Vec<ffi::hc_header>,
    proxy_headers: Vec<ffi::hc_header>,
    addresses: Vec<ffi::hc_str>,
    tls: Option<Tls>,
    body: Option<Body<'a>>,
}

// Safe: the pointers lead to what it owns itself, or to what is borrowed and Sync.
unsafe impl Send for RequestBuilder<'_> {}

impl<'a> RequestBuilder<'a> {
    pub(crate) fn new(session: Session, method: Cow<'a, str>, url: Cow<'a, str>) -> RequestBuilder<'a> {
        let mut raw = MaybeUninit::<ffi::hc_request>::zeroed();
        let mut raw = unsafe {
            ffi::hc_request_init(raw.as_mut_ptr(), size_of::<ffi::hc_request>());
            raw.assume_init() // zeroed at least: struct_size 0 is refused by the submit
        };
        let mut kept = Kept::default();
        (raw.method, raw.url) = (kept.text(method), kept.text(url));
        let (headers, proxy_headers, addresses) = (Vec::new(), Vec::new(), Vec::new());
        RequestBuilder { session, raw, kept, headers, proxy_headers, addresses, tls: None, body: None }
    }

    /// Hands the request to the session, and gives the future of its [`Response`]. It is on its way at once; what is
    /// wrong with it the future tells.
    pub fn send(self) -> Pending {
        Pending::new(self.submit())
    }

    /// The same, waiting on this thread.
    ///
    /// In a callback of the same session this is [`Error::Deadlock`].
    pub fn send_blocking(self) -> Result<Response, Error> {
        on_loop::refuse_in_callback_of(self.session.as_ptr())?; // before it is sent
        self.send().wait()
    }

    /// As [`send`](RequestBuilder::send), but the future is ready with the head of the response, and its body is read
    /// piece by piece.
    pub fn stream(mut self) -> PendingStream {
        self.raw.stream = ffi::HC_ON as u8;
        PendingStream::new(self.submit())
    }

    /// The same, waiting on this thread.
    pub fn stream_blocking(self) -> Result<StreamedResponse, Error> {
        on_loop::refuse_in_callback_of(self.session.as_ptr())?;
        self.stream().wait()
    }

    fn submit(mut self) -> Result<Running, Error> {
        let exchange = Exchange::new(self.session.as_ptr());
        let mut raw = self.raw;
        self.point_to_lists(&mut raw);
        let body = self.body.take();
        let lease = body.map_or(Lease::Nothing, |body| body.fill(&mut raw, &self.session, &exchange));
        raw.on_done = Some(on_news);
        raw.user_data = Arc::into_raw(exchange.clone()) as *mut _;
        let mut slot = ErrorSlot::new();
        let (session, id, error) = (self.session.as_ptr(), exchange.id_slot(), slot.as_mut_ptr());
        let status = unsafe { ffi::hc_session_submit(session, &raw, id, error) };
        if let Err(error) = slot.check(status) {
            drop(unsafe { Arc::from_raw(raw.user_data as *const Exchange) }); // nobody will call back
            lease.take_back();
            return Err(error);
        }
        Ok(Running { session: self.session, exchange })
    }

    fn point_to_lists(&self, raw: &mut ffi::hc_request) {
        if !self.headers.is_empty() {
            (raw.headers, raw.header_count) = (self.headers.as_ptr(), self.headers.len());
        }
        if !self.proxy_headers.is_empty() {
            (raw.proxy_headers, raw.proxy_header_count) =
                (self.proxy_headers.as_ptr(), self.proxy_headers.len());
        }
        if !self.addresses.is_empty() {
            (raw.addresses, raw.address_count) = (self.addresses.as_ptr(), self.addresses.len());
        }
        if let Some(tls) = &self.tls {
            raw.tls = tls.as_ptr();
        }
    }

    /// One more header field. An empty value is sent as such.
    pub fn header(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        let (name, value) = (self.kept.text(name), self.kept.text(value));
        self.headers.push(ffi::hc_header { name, value });
        self
    }

    /// A header field whose value is not UTF-8.
    pub fn header_bytes(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, [u8]>>) -> Self {
        let (name, value) = (self.kept.text(name), self.kept.bytes(value));
        self.headers.push(ffi::hc_header { name, value });
        self
    }

    /// Removes the field of that name that would be sent by itself, or as the session's.
    pub fn without_header(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        let name = self.kept.text(name);
        self.headers.push(ffi::hc_header { name, value: NOT_GIVEN });
        self
    }

    counts! {
        /// As the session says.
        max_redirects;
        /// As the session says.
        max_body;
        /// As the session says; only for streamed responses.
        body_window;
    }

    flags! {
        /// As the session says.
        force_close;
        /// As the session says.
        retry_stale;
        /// As the session says.
        insecure_redirects;
        /// As the session says.
        decompress;
        /// Wait up to 1 s for "100 Continue" before the body is sent: off.
        expect_continue;
    }

    texts! { Cow<'a, str>;
        /// As the session says; as there, or "none". The session's `no_proxy` does not count for it.
        proxy;
    }

    paths! {
        /// As the session says; empty: none.
        unix_path;
    }

    /// Higher goes first within its origin: 0.
    pub fn priority(mut self, priority: i32) -> Self {
        self.raw.priority = priority;
        self
    }

    /// Clocks of its own; those that are None are the session's.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        timeouts.fill(&mut self.raw.timeouts);
        self
    }

    /// The total clock alone.
    pub fn timeout(mut self, total: Duration) -> Self {
        self.raw.timeouts.total_ms = milliseconds(total);
        self
    }

    /// In place of the URL's, or the session's. No ':' in the user's name.
    pub fn basic_auth(
        mut self,
        username: impl Into<Cow<'a, str>>,
        password: impl Into<Cow<'a, str>>,
    ) -> Self {
        self.raw.username = self.kept.text(username);
        self.raw.password = self.kept.text(password);
        self
    }

    /// Only together with `proxy`.
    pub fn proxy_header(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        let (name, value) = (self.kept.text(name), self.kept.text(value));
        self.proxy_headers.push(ffi::hc_header { name, value });
        self
    }

    /// One more numeric address, in place of DNS; up to 64. An idle connection of the origin is taken all the same.
    pub fn address(mut self, address: impl Into<Cow<'a, str>>) -> Self {
        let address = self.kept.text(address);
        self.addresses.push(address);
        self
    }

    /// As the session says.
    pub fn tls(mut self, tls: &Tls) -> Self {
        self.tls = Some(tls.clone());
        self
    }

    /// Keeps the server's certificates for [`Response::certificates`].
    pub fn certificates(mut self, form: Certificates) -> Self {
        self.raw.certificates = match form {
            Certificates::Der => ffi::HC_CERTIFICATES_DER as u8,
            Certificates::Pem => ffi::HC_CERTIFICATES_PEM as u8,
        };
        self
    }

    /// What to send. Not with HEAD.
    pub fn body(mut self, body: impl Into<Body<'a>>) -> Self {
        self.body = Some(body.into());
        self
    }
}
