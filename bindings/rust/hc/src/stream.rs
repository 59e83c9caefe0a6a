//! Responses whose bodies are read as they arrive.

use std::future::Future;
use std::mem::size_of;
use std::ops::Deref;
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fmt, io};

use hc_sys as ffi;

use crate::error::{check, Error};
use crate::exchange::Exchange;
use crate::pending::Running;
use crate::response::Response;
use crate::session::Session;
use crate::text::{bytes, NOT_GIVEN};

/// A response with its head; the body is still on its way, and is read piece by piece.
///
/// Whoever does not read holds the server back: no more than `body_window` bytes (512 KiB) are kept. To drop it early
/// throws the rest away if it is short, and the connection stays; else the connection is closed.
///
/// ```
/// # let server = hc_testing::serve();
/// # let url = &server.url("/bytes/1000000");
/// # let session = hc::Session::new()?;
/// hc::block_on(async {
///     let mut response = session.get(url).stream().await?;
///     let mut size = 0;
///     while let Some(chunk) = response.chunk().await? {
///         size += chunk.len(); // the library's own memory, not copied
///     }
///     assert_eq!((response.status(), size), (200, 1_000_000));
///     Ok::<(), hc::Error>(())
/// })?;
///
/// let mut response = session.get(url).stream_blocking()?; // is std::io::Read
/// assert_eq!(std::io::copy(&mut response, &mut std::io::sink()).unwrap(), 1_000_000);
/// # Ok::<(), hc::Error>(())
/// ```
pub struct StreamedResponse {
    head: Response,
    exchange: Arc<Exchange>,
    /// The body ends with its session.
    _session: Session,
}

/// A piece of a body, in the memory into which it was received. It may outlive its response.
pub struct Chunk {
    block: *mut ffi::hc_block,
    bytes: ffi::hc_str,
}

// Safe: the bytes do not change any more, and any thread may release them.
unsafe impl Send for Chunk {}
unsafe impl Sync for Chunk {}

impl StreamedResponse {
    pub(crate) fn new(running: Running, head: Response) -> StreamedResponse {
        let (session, exchange) = running.into_parts();
        StreamedResponse { head, exchange, _session: session }
    }

    /// The next piece, as it came in; None at the end of the body, when it was whole.
    pub fn chunk(&mut self) -> NextChunk<'_> {
        NextChunk(self)
    }

    /// The same, waiting on this thread.
    pub fn chunk_blocking(&mut self) -> Result<Option<Chunk>, Error> {
        loop {
            match self.take() {
                Poll::Ready(result) => return result,
                Poll::Pending => self.wait()?,
            }
        }
    }

    /// The next piece if it is here, else the task is woken when it is.
    pub fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Chunk>, Error>> {
        self.exchange.remember(context);
        self.take()
    }

    /// Copies what is here, 0 at the end of the body; else the task is woken when there is something.
    pub fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, Error>> {
        self.exchange.remember(context);
        self.read_now(buffer)
    }

    /// All that is still to come.
    pub async fn rest(&mut self) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole)
    }

    fn take(&mut self) -> Poll<Result<Option<Chunk>, Error>> {
        let struct_size = size_of::<ffi::hc_chunk>() as u32;
        let mut chunk = ffi::hc_chunk { struct_size, reserved: 0, bytes: NOT_GIVEN, block: ptr::null_mut() };
        match unsafe { ffi::hc_response_take(self.head.as_ptr(), &mut chunk) } {
            ffi::HC_OK if chunk.block.is_null() => Poll::Ready(Ok(None)),
            ffi::HC_OK => Poll::Ready(Ok(Some(Chunk { block: chunk.block, bytes: chunk.bytes }))),
            ffi::HC_E_AGAIN => Poll::Pending,
            failure => Poll::Ready(Err(self.failure(failure))),
        }
    }

    fn read_now(&mut self, buffer: &mut [u8]) -> Poll<Result<usize, Error>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let mut count = 0;
        let (response, place) = (self.head.as_ptr(), buffer.as_mut_ptr().cast());
        match unsafe { ffi::hc_response_read(response, place, buffer.len(), &mut count) } {
            ffi::HC_OK => Poll::Ready(Ok(count)),
            ffi::HC_E_AGAIN => Poll::Pending,
            failure => Poll::Ready(Err(self.failure(failure))),
        }
    }

    fn wait(&self) -> Result<(), Error> {
        check(unsafe { ffi::hc_response_wait(self.head.as_ptr(), ffi::HC_FOREVER) })
    }

    fn failure(&self, status: i32) -> Error {
        if unsafe { ffi::hc_response_status(self.head.as_ptr()) } == status {
            return Error::of_failed(&self.head).blaming(self.exchange.take_blame());
        }
        Error::of_status(status) // of the call itself
    }
}

/// Its head; there is no whole [`body`](Response::body).
impl Deref for StreamedResponse {
    type Target = Response;

    fn deref(&self) -> &Response {
        &self.head
    }
}

impl io::Read for StreamedResponse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.read_now(buffer) {
                Poll::Ready(result) => return result.map_err(io::Error::from),
                Poll::Pending => self.wait()?,
            }
        }
    }
}

impl Drop for StreamedResponse {
    fn drop(&mut self) {
        self.exchange.abandon();
    }
}

impl fmt::Debug for StreamedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamedResponse").field(&self.head).finish()
    }
}

/// The future of the next piece of a body.
#[must_use = "futures do nothing unless they are awaited"]
pub struct NextChunk<'a>(&'a mut StreamedResponse);

impl Future for NextChunk<'_> {
    type Output = Result<Option<Chunk>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().0.poll_chunk(context)
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        unsafe { bytes(self.bytes) }
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({} bytes)", self.len())
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        unsafe { ffi::hc_block_free(self.block) };
    }
}
