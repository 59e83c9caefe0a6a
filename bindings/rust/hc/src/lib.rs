//! One long-lived HTTP client session, for futures of every runtime and for plain threads.
//!
//! A [`Session`] holds what is worth keeping between requests: connections, DNS answers, TLS sessions, and the limits
//! that keep all of them in bounds. Make one and keep it: creating one starts a thread and reads the CA bundle.
//!
//! ```
//! # let server = hc_testing::serve();
//! # let url = server.url("/bytes/10");
//! let session = hc::Session::builder().limit(100).build()?;
//! let response = session.get(&url).send_blocking()?;
//! assert_eq!((response.status(), response.body().len()), (200, 10));
//!
//! // The same as a future, under any executor:
//! # hc::block_on(async {
//! let response = session.get(&url).send().await?;
//! assert_eq!(response.header("content-length").as_deref(), Some("10"));
//! # Ok::<(), hc::Error>(()) })?;
//! # Ok::<(), hc::Error>(())
//! ```
//!
//! No runtime is needed and none is started: the session's own thread does the work of all requests and wakes the
//! tasks that wait for them. A future that is dropped cancels its request, which frees its place at once.
//!
//! What the session does, rule by rule, is in `docs/semantics.md` of libhc; its C interface is the crate `hc_sys`.

#![warn(missing_debug_implementations)]

#[macro_use]
mod setters;

mod body;
mod callbacks;
mod channel;
mod error;
mod exchange;
mod kept;
mod on_loop;
mod opaque;
mod options;
mod pending;
mod request;
mod response;
mod session;
mod stats;
mod stream;
mod text;
mod tls;
mod wait;

pub use body::{Body, BodySource};
pub use callbacks::{LogLevel, Query, SocketInfo, TraceEvent};
pub use channel::{BodySender, Sending};
pub use error::{Clock, Details, Error, Native, Phase};
pub use options::{Family, SessionBuilder};
pub use pending::{Pending, PendingStream};
pub use request::{Certificates, RequestBuilder, Timeouts};
pub use response::{Attempt, Header, Hop, Response, Timing};
pub use session::{version, Closing, Session};
pub use stats::{prometheus, runtime_info, Histogram, Histograms, OriginCounts, RuntimeInfo, Stats};
pub use stream::{Chunk, NextChunk, StreamedResponse};
pub use tls::{Tls, TlsBuilder, TlsVersion};
pub use wait::block_on;

/// Like every `Result` of this crate.
pub type Result<T> = std::result::Result<T, Error>;

const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Session>();
    is_send_and_sync::<Response>();
    is_send_and_sync::<Error>();
    is_send_and_sync::<Pending>();
    is_send_and_sync::<PendingStream>();
    is_send_and_sync::<StreamedResponse>();
    is_send_and_sync::<Chunk>();
    is_send_and_sync::<Tls>();
    is_send_and_sync::<Query>();
    is_send_and_sync::<Closing>();
    const fn is_send<T: Send>() {}
    is_send::<SessionBuilder>();
    is_send::<RequestBuilder<'static>>();
    is_send::<Body<'static>>();
    is_send::<BodySender>();
};

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
