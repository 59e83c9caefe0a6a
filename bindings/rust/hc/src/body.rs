//! What a request carries.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::raw::c_void;
use std::os::unix::io::AsRawFd;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use hc_sys as ffi;

use crate::channel::{self, BodySender};
use crate::exchange::Exchange;
use crate::on_loop;
use crate::session::Session;
use crate::text::{count, path_bytes, view};

/// The body of a request: bytes, a file, or something that gives it piece by piece.
///
/// Most are made with `From`: borrowed bytes are copied when the request is sent, owned ones are lent to the library
/// and released when they are not needed any more, a [`File`] is read by the library from its first byte.
///
/// ```
/// # let server = hc_testing::serve();
/// # let url = &server.url("/echo");
/// # let session = hc::Session::new()?;
/// session.post(url).body("text").send_blocking()?;
/// session.post(url).body(vec![0; 1_000_000]).send_blocking()?;
/// let path = std::env::current_exe().unwrap();
/// let response = session.post(url).body(hc::Body::file(path).range(0, 1000)).send_blocking()?;
/// assert_eq!(response.body().len(), 1000);
/// # Ok::<(), hc::Error>(())
/// ```
pub struct Body<'a> {
    kind: Kind<'a>,
    offset: Option<u64>,
    length: Option<u64>,
}

enum Kind<'a> {
    Borrowed(&'a [u8]),
    Owned(Vec<u8>),
    Path(PathBuf),
    File(File),
    Source(Box<dyn BodySource + Send>),
}

/// Gives a body piece by piece, on the session's thread: keep it short, and never block.
pub trait BodySource {
    /// Writes the next bytes to the front of `buffer` and says how many; 0: that was the end. With `Pending` it is asked
    /// again when the context's waker was woken. An error fails the request with [`Error::Callback`](crate::Error),
    /// whose `source()` it is.
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Whether [`rewind`](BodySource::rewind) works; asked once, when the request is sent. Without it, a request whose body
    /// was begun is neither redirected with it nor repeated on a new connection: [`Error::Redirect`](crate::Error),
    /// [`Error::Stale`](crate::Error).
    fn can_rewind(&self) -> bool {
        false
    }

    /// Goes back to the first byte.
    fn rewind(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl<'a> Body<'a> {
    fn new(kind: Kind<'a>) -> Body<'a> {
        Body { kind, offset: None, length: None }
    }

    /// A regular file, opened when the request is sent and read as the connection takes it.
    pub fn file(path: impl AsRef<Path>) -> Body<'a> {
        Body::new(Kind::Path(path.as_ref().to_owned()))
    }

    /// A body of unknown length is sent chunked; see [`length`](Body::length).
    pub fn source(source: impl BodySource + Send + 'static) -> Body<'a> {
        Body::new(Kind::Source(Box::new(source)))
    }

    /// A body that is written as it comes into being, from any thread or task. A piece is taken when less than
    /// 256 KiB wait in between; it may be larger than that.
    ///
    /// ```
    /// # let server = hc_testing::serve();
    /// # let url = &server.url("/echo");
    /// # let session = hc::Session::new()?;
    /// let (mut sender, body) = hc::Body::channel();
    /// let answer = session.post(url).body(body).send();
    /// hc::block_on(async {
    ///     sender.send("one, ").await?;
    ///     sender.send("two").await?;
    ///     sender.finish(); // without it, the request fails
    ///     assert_eq!(answer.await?.text(), "one, two");
    ///     Ok::<(), Box<dyn std::error::Error>>(())
    /// }).unwrap();
    /// # Ok::<(), hc::Error>(())
    /// ```
    pub fn channel() -> (BodySender, Body<'a>) {
        let (sender, receiver) = channel::channel();
        (sender, Body::source(receiver))
    }

    /// A part of a file. Other bodies have none: [`Error::Invalid`](crate::Error).
    pub fn range(mut self, offset: u64, length: u64) -> Body<'a> {
        self.offset = Some(offset);
        self.length = Some(length);
        self
    }

    /// How long the body will be, if that is known: it is then sent with Content-Length.
    pub fn length(mut self, length: u64) -> Body<'a> {
        self.length = Some(length);
        self
    }

    /// Describes the body in a request. What it returns must live until the submit returns.
    pub(crate) fn fill(
        self,
        raw: &mut ffi::hc_request,
        session: &Session,
        exchange: &Arc<Exchange>,
    ) -> Lease {
        raw.body_offset = self.offset.map_or(ffi::HC_UNSET, count);
        raw.body_length = self.length.map_or(ffi::HC_UNSET, count);
        match self.kind {
            Kind::Borrowed(bytes) => {
                raw.body = view(bytes);
                Lease::Nothing
            }
            Kind::Owned(bytes) => {
                raw.body = view(&bytes);
                raw.body_kind = ffi::HC_BODY_BORROWED as u8;
                Lease::lend(raw, Upload::Bytes { _kept: bytes })
            }
            Kind::Path(path) => {
                let path = path_bytes(&path);
                raw.body_path = view(&path);
                raw.body_kind = ffi::HC_BODY_FILE as u8;
                Lease::Path { _kept: path }
            }
            Kind::File(file) => {
                raw.body_fd = file.as_raw_fd();
                raw.body_kind = ffi::HC_BODY_FILE as u8;
                Lease::File { _kept: file }
            }
            Kind::Source(source) => {
                raw.body_kind = ffi::HC_BODY_PULLED as u8;
                raw.on_body = Some(on_body);
                if source.can_rewind() {
                    raw.on_rewind = Some(on_rewind);
                }
                let waker = exchange.resuming_waker(session);
                Lease::lend(raw, Upload::Source { source, waker, exchange: exchange.clone() })
            }
        }
    }
}

/// What a request needs during its submit, and beyond.
pub(crate) enum Lease {
    Nothing,
    Path { _kept: Vec<u8> },
    File { _kept: File },
    Lent(*mut Upload),
}

impl Lease {
    fn lend(raw: &mut ffi::hc_request, upload: Upload) -> Lease {
        let upload = Box::into_raw(Box::new(upload));
        raw.on_release = Some(on_release);
        raw.body_data = upload.cast();
        Lease::Lent(upload)
    }

    /// The request was refused: nobody will release what was lent.
    pub(crate) fn take_back(self) {
        if let Lease::Lent(upload) = self {
            drop(unsafe { Box::from_raw(upload) });
        }
    }
}

/// What is lent to the library until its on_release.
pub(crate) enum Upload {
    Bytes { _kept: Vec<u8> },
    Source { source: Box<dyn BodySource + Send>, waker: Waker, exchange: Arc<Exchange> },
}

impl Upload {
    fn run<T>(
        &mut self,
        ask: impl FnOnce(&mut dyn BodySource, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<Option<T>> {
        let (source, waker, exchange) = match self {
            Upload::Source { source, waker, exchange } => (source, waker, exchange),
            Upload::Bytes { .. } => return Poll::Ready(None), // never asked
        };
        let context = &mut Context::from_waker(waker);
        match on_loop::run(exchange.session(), || ask(source.as_mut(), context)) {
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(Ok(value))) => Poll::Ready(Some(value)),
            Some(Poll::Ready(Err(error))) => {
                exchange.blame(error);
                Poll::Ready(None)
            }
            None => Poll::Ready(None),
        }
    }
}

unsafe extern "C" fn on_body(
    buffer: *mut c_void,
    capacity: usize,
    count: *mut usize,
    upload: *mut c_void,
) -> ffi::hc_status {
    let upload = &mut *(upload as *mut Upload);
    let buffer = slice::from_raw_parts_mut(buffer.cast::<u8>(), capacity);
    buffer.fill(0); // a source may read it, too
    match upload.run(|source, context| source.poll_read(context, buffer)) {
        Poll::Pending => ffi::HC_E_AGAIN,
        Poll::Ready(Some(written)) if written <= capacity => {
            *count = written;
            ffi::HC_OK
        }
        Poll::Ready(_) => ffi::HC_E_CALLBACK,
    }
}

unsafe extern "C" fn on_rewind(upload: *mut c_void) -> ffi::hc_status {
    let upload = &mut *(upload as *mut Upload);
    match upload.run(|source, _| Poll::Ready(source.rewind())) {
        Poll::Ready(Some(())) => ffi::HC_OK,
        _ => ffi::HC_E_CALLBACK,
    }
}

unsafe extern "C" fn on_release(upload: *mut c_void) {
    let upload = Box::from_raw(upload as *mut Upload);
    let session = match upload.as_ref() {
        Upload::Source { exchange, .. } => exchange.session(),
        Upload::Bytes { .. } => std::ptr::null_mut(),
    };
    on_loop::run(session, move || drop(upload));
}

impl<'a> From<&'a [u8]> for Body<'a> {
    fn from(bytes: &'a [u8]) -> Body<'a> {
        Body::new(Kind::Borrowed(bytes))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Body<'a> {
    fn from(bytes: &'a [u8; N]) -> Body<'a> {
        Body::new(Kind::Borrowed(bytes))
    }
}

impl<'a> From<&'a Vec<u8>> for Body<'a> {
    fn from(bytes: &'a Vec<u8>) -> Body<'a> {
        Body::new(Kind::Borrowed(bytes))
    }
}

impl<'a> From<&'a str> for Body<'a> {
    fn from(text: &'a str) -> Body<'a> {
        Body::new(Kind::Borrowed(text.as_bytes()))
    }
}

impl<'a> From<&'a String> for Body<'a> {
    fn from(text: &'a String) -> Body<'a> {
        Body::new(Kind::Borrowed(text.as_bytes()))
    }
}

impl From<Vec<u8>> for Body<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Body::new(Kind::Owned(bytes))
    }
}

impl From<String> for Body<'_> {
    fn from(text: String) -> Self {
        Body::new(Kind::Owned(text.into_bytes()))
    }
}

impl<'a> From<Cow<'a, [u8]>> for Body<'a> {
    fn from(bytes: Cow<'a, [u8]>) -> Body<'a> {
        match bytes {
            Cow::Borrowed(bytes) => bytes.into(),
            Cow::Owned(bytes) => bytes.into(),
        }
    }
}

impl From<File> for Body<'_> {
    fn from(file: File) -> Self {
        Body::new(Kind::File(file))
    }
}
