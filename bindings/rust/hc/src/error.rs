//! What can go wrong.

use std::mem::MaybeUninit;
use std::time::Duration;
use std::{fmt, io};

use hc_sys as ffi;

use crate::response::Response;
use crate::text::{constant_text, text_of_array};

/// Where in its life a request was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// In line for a connection.
    Waiting,
    /// Looking up the host name.
    Resolving,
    /// TCP, TLS, proxy.
    Connecting,
    /// Request head and body on their way.
    Sending,
    /// Sent; no byte of the response yet.
    Awaiting,
    /// Response head or body arriving.
    Receiving,
    Done,
}

impl Phase {
    fn from_code(phase: i32) -> Option<Phase> {
        Some(match phase {
            ffi::HC_PHASE_WAITING => Phase::Waiting,
            ffi::HC_PHASE_RESOLVING => Phase::Resolving,
            ffi::HC_PHASE_CONNECTING => Phase::Connecting,
            ffi::HC_PHASE_SENDING => Phase::Sending,
            ffi::HC_PHASE_AWAITING => Phase::Awaiting,
            ffi::HC_PHASE_RECEIVING => Phase::Receiving,
            ffi::HC_PHASE_DONE => Phase::Done,
            _ => return None,
        })
    }
}

/// Why, as a number of the library or system that said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Native {
    /// An `errno`.
    Errno(i64),
    /// A `CURLcode`.
    Curl(i64),
    /// An `ARES_*` status.
    Ares(i64),
    /// An `EAI_*` of getaddrinfo.
    Gai(i64),
    /// An `X509_V_ERR_*` of a failed verification.
    Tls(i64),
    /// Of a proxy: HTTP status, or SOCKS5 reply (below 100).
    Proxy(i64),
}

impl Native {
    fn from_code(domain: i32, code: i64) -> Option<Native> {
        Some(match domain {
            ffi::HC_NATIVE_ERRNO => Native::Errno(code),
            ffi::HC_NATIVE_CURL => Native::Curl(code),
            ffi::HC_NATIVE_ARES => Native::Ares(code),
            ffi::HC_NATIVE_GAI => Native::Gai(code),
            ffi::HC_NATIVE_TLS => Native::Tls(code),
            ffi::HC_NATIVE_PROXY => Native::Proxy(code),
            _ => return None,
        })
    }
}

/// The clock that ended a request; see [`Timeouts`](crate::Timeouts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Clock {
    Total,
    Pool,
    Dns,
    Connect,
    SockConnect,
    SockRead,
    SockWrite,
    FirstByte,
}

/// What is known about a failure, whatever it was; the methods of [`Error`] tell it.
pub struct Details(Box<Facts>);

#[derive(Debug)]
struct Facts {
    code: i32,
    phase: Option<Phase>,
    phase_elapsed: Duration,
    native: Option<Native>,
    message: String,
    response: Option<Response>,
    source: Option<io::Error>,
}

macro_rules! errors {
    ($($(#[doc = $doc:literal])* $name:ident = $code:ident,)*) => {
        /// What went wrong. The text is one line of libhc's, without secrets; a mistake in an argument names it.
        ///
        /// An HTTP status such as 500 is an answer, not an error.
        #[derive(Debug)]
        #[non_exhaustive]
        pub enum Error {
            $($(#[doc = $doc])* $name(Details),)*
            /// One of the eight clocks; which one says whether anything was sent.
            Timeout(Clock, Details),
            /// A code that a later libhc than this crate's has.
            Other(Details),
        }

        impl Error {
            fn from_details(details: Details) -> Error {
                match details.0.code {
                    $(ffi::$code => Error::$name(details),)*
                    ffi::HC_E_TIMEOUT_TOTAL => Error::Timeout(Clock::Total, details),
                    ffi::HC_E_TIMEOUT_POOL => Error::Timeout(Clock::Pool, details),
                    ffi::HC_E_TIMEOUT_DNS => Error::Timeout(Clock::Dns, details),
                    ffi::HC_E_TIMEOUT_CONNECT => Error::Timeout(Clock::Connect, details),
                    ffi::HC_E_TIMEOUT_SOCK_CONNECT => Error::Timeout(Clock::SockConnect, details),
                    ffi::HC_E_TIMEOUT_SOCK_READ => Error::Timeout(Clock::SockRead, details),
                    ffi::HC_E_TIMEOUT_SOCK_WRITE => Error::Timeout(Clock::SockWrite, details),
                    ffi::HC_E_TIMEOUT_FIRST_BYTE => Error::Timeout(Clock::FirstByte, details),
                    _ => Error::Other(details),
                }
            }

            /// What every variant has.
            pub fn details(&self) -> &Details {
                match self {
                    $(Error::$name(details) => details,)*
                    Error::Timeout(_, details) | Error::Other(details) => details,
                }
            }
        }
    };
}

errors! {
    /// An argument or option is not acceptable. A retry does not help.
    Invalid = HC_E_INVALID,
    /// The session is closing or closed.
    Closed = HC_E_CLOSED,
    /// The session belongs to the parent process; a new one works.
    Forked = HC_E_FORKED,
    /// A blocking call from inside a callback of the same session.
    Deadlock = HC_E_DEADLOCK,
    /// A CA file, certificate or key could not be loaded.
    TlsConfig = HC_E_TLS_CONFIG,
    /// The libcurl found at run time cannot do this.
    Unsupported = HC_E_UNSUPPORTED,
    /// A callback or body of yours refused, or panicked.
    Callback = HC_E_CALLBACK,
    /// Out of memory.
    NoMemory = HC_E_NOMEM,
    /// The operating system refused.
    System = HC_E_SYSTEM,
    /// The waiting line is full (`max_waiting`).
    Overload = HC_E_OVERLOAD,
    /// The session was closed, and its drain was over.
    Cancelled = HC_E_CANCELLED,
    /// The name has no address, or the resolver failed. Nothing was sent.
    Dns = HC_E_DNS,
    /// Refused, unreachable, reset while connecting. Nothing was sent.
    Connect = HC_E_CONNECT,
    /// The TLS handshake failed. Nothing was sent.
    Tls = HC_E_TLS,
    /// The certificate is not acceptable. Nothing was sent; do not retry.
    TlsVerify = HC_E_TLS_VERIFY,
    /// The proxy cannot be reached, refused, or could not reach the server.
    Proxy = HC_E_PROXY,
    /// The session's address policy refused. Nothing was sent; do not retry.
    AddressDenied = HC_E_ADDRESS_DENIED,
    /// A reused connection died before any answer, and the request was not sent twice. Retry if it may be repeated.
    Stale = HC_E_STALE,
    /// The connection died before the response was whole.
    Disconnected = HC_E_DISCONNECTED,
    /// The body ended before its announced end.
    Incomplete = HC_E_INCOMPLETE,
    /// The answer is not valid HTTP.
    Protocol = HC_E_PROTOCOL,
    /// `max_body`, `max_header_bytes` or `max_headers` was passed.
    TooLarge = HC_E_TOO_LARGE,
    /// A redirect that cannot be followed.
    Redirect = HC_E_REDIRECT,
    /// `max_redirects` was passed.
    TooManyRedirects = HC_E_TOO_MANY_REDIRECTS,
    /// A fault of the library. Please report it.
    Internal = HC_E_INTERNAL,
}

impl Error {
    /// `HC_E_*` of hc.h, a negative number.
    pub fn code(&self) -> i32 {
        self.details().0.code
    }

    /// The name of [`code`](Error::code), such as "HC_E_DNS".
    pub fn code_name(&self) -> &'static str {
        unsafe { constant_text(ffi::hc_status_name(self.code())) }
    }

    /// Where the request was; None: the error is not of a request under way.
    pub fn phase(&self) -> Option<Phase> {
        self.details().0.phase
    }

    /// How long that phase had lasted.
    pub fn phase_elapsed(&self) -> Duration {
        self.details().0.phase_elapsed
    }

    pub fn native(&self) -> Option<Native> {
        self.details().0.native
    }

    /// One line for people, as the C interface gives it.
    pub fn message(&self) -> &str {
        &self.details().0.message
    }

    /// What had arrived of the response: its body may be cut short. None: not even a head.
    pub fn response(&self) -> Option<&Response> {
        self.details().0.response.as_ref()
    }

    pub fn is_timeout(&self) -> bool {
        matches!(self, Error::Timeout(..))
    }

    /// An error that only a binding can find, in the library's own words.
    pub(crate) fn of_status(status: i32) -> Error {
        let message = unsafe { constant_text(ffi::hc_status_text(status)) };
        Error::with_message(status, message.to_owned())
    }

    pub(crate) fn with_message(code: i32, message: String) -> Error {
        let facts = Facts {
            code,
            phase: None,
            phase_elapsed: Duration::ZERO,
            native: None,
            message,
            response: None,
            source: None,
        };
        Error::from_details(Details(Box::new(facts)))
    }

    pub(crate) fn blaming(mut self, source: Option<io::Error>) -> Error {
        if let Error::Callback(details) = &mut self {
            details.0.source = source;
        }
        self
    }

    /// Why the request of that response failed, with what arrived.
    pub(crate) fn of_response(response: Response) -> Error {
        let mut facts = Facts::of_failed(&response);
        facts.response = (response.status() != 0).then(|| response);
        Error::from_details(Details(facts))
    }

    /// The same without the response, which somebody else has.
    pub(crate) fn of_failed(response: &Response) -> Error {
        Error::from_details(Details(Facts::of_failed(response)))
    }
}

impl Facts {
    fn of_failed(response: &Response) -> Box<Facts> {
        let mut slot = ErrorSlot::new();
        unsafe { ffi::hc_response_error(response.as_ptr(), slot.as_mut_ptr()) };
        slot.facts()
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {
    /// What the source of the request's body said.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.details().0.source.as_ref().map(|source| source as _)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match &error {
            Error::Timeout(..) => io::ErrorKind::TimedOut,
            Error::Invalid(_) => io::ErrorKind::InvalidInput,
            Error::Disconnected(_) | Error::Stale(_) => io::ErrorKind::ConnectionReset,
            Error::Incomplete(_) => io::ErrorKind::UnexpectedEof,
            Error::Protocol(_) => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// Where a call of the C interface writes why it failed.
pub(crate) struct ErrorSlot(MaybeUninit<ffi::hc_error>);

impl ErrorSlot {
    pub(crate) fn new() -> ErrorSlot {
        let mut slot = MaybeUninit::zeroed();
        unsafe { ffi::hc_error_init(slot.as_mut_ptr(), std::mem::size_of::<ffi::hc_error>()) };
        ErrorSlot(slot)
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut ffi::hc_error {
        self.0.as_mut_ptr()
    }

    /// Ok, or what is written here.
    pub(crate) fn check(self, status: i32) -> Result<(), Error> {
        if status == ffi::HC_OK {
            return Ok(());
        }
        let mut facts = self.facts();
        facts.code = status;
        Err(Error::from_details(Details(facts)))
    }

    fn facts(&self) -> Box<Facts> {
        let error = unsafe { self.0.assume_init_ref() }; // zeroed at least
        Box::new(Facts {
            code: error.status,
            phase: Phase::from_code(error.phase),
            phase_elapsed: Duration::from_nanos(error.phase_ns),
            native: Native::from_code(error.native_domain, error.native_code),
            message: text_of_array(&error.message),
            response: None,
            source: None,
        })
    }
}

/// For functions without an `hc_error` argument.
pub(crate) fn check(status: i32) -> Result<(), Error> {
    if status == ffi::HC_OK {
        return Ok(());
    }
    Err(Error::of_status(status))
}
