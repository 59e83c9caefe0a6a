//! A body that somebody else writes, piece by piece.
//!
//! Vocabulary: the sender is the program's; the receiver is the source that the session's thread reads.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use crate::body::BodySource;
use crate::wait::block_on;

const CAPACITY: usize = 256 * 1024;

/// Writes the body of a request; see [`Body::channel`](crate::Body::channel). To drop it before
/// [`finish`](BodySender::finish) fails the request.
pub struct BodySender(Arc<Shared>);

struct Receiver(Arc<Shared>);

struct Shared(Mutex<State>);

struct State {
    pieces: VecDeque<Vec<u8>>,
    /// Bytes of the first piece that were read already.
    taken: usize,
    buffered: usize,
    sender: Side,
    receiver: Side,
}

struct Side {
    end: End,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Open,
    Finished,
    Dropped,
}

pub(crate) fn channel() -> (BodySender, impl BodySource + Send) {
    let side = || Side { end: End::Open, waker: None };
    let state = State { pieces: VecDeque::new(), taken: 0, buffered: 0, sender: side(), receiver: side() };
    let shared = Arc::new(Shared(Mutex::new(state)));
    (BodySender(shared.clone()), Receiver(shared))
}

impl Shared {
    /// The lock is only held for moves and copies: no code of the program runs meanwhile, and nothing panics.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl BodySender {
    /// Hands over the next piece, as soon as there is room. `BrokenPipe`: the request is over.
    pub fn send(&mut self, piece: impl Into<Vec<u8>>) -> Sending<'_> {
        Sending { sender: self, piece: Some(piece.into()) }
    }

    /// The same, waiting on this thread.
    pub fn send_blocking(&mut self, piece: impl Into<Vec<u8>>) -> io::Result<()> {
        block_on(self.send(piece))
    }

    /// That was the whole body.
    pub fn finish(self) {
        self.end(End::Finished);
    }

    fn end(&self, end: End) {
        let mut state = self.0.state();
        if state.sender.end == End::Open {
            state.sender.end = end;
        }
        let reader = state.receiver.waker.take();
        drop(state);
        wake(reader);
    }
}

impl Drop for BodySender {
    fn drop(&mut self) {
        self.end(End::Dropped);
    }
}

/// Each write is a piece of its own, and waits on this thread: wrap it in a `BufWriter` for small ones.
impl io::Write for BodySender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(CAPACITY)];
        self.send_blocking(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The future of room for a piece.
#[must_use = "nothing is sent before it is awaited"]
pub struct Sending<'a> {
    sender: &'a mut BodySender,
    piece: Option<Vec<u8>>,
}

impl Future for Sending<'_> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let waker = context.waker().clone();
        let mut state = this.sender.0.state();
        if state.receiver.end != End::Open {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.buffered >= CAPACITY {
            let replaced = state.sender.waker.replace(waker);
            drop(state);
            drop(replaced);
            return Poll::Pending;
        }
        let piece = this.piece.take().expect("a piece is sent once");
        if piece.is_empty() {
            return Poll::Ready(Ok(()));
        }
        state.buffered += piece.len();
        state.pieces.push_back(piece);
        let reader = state.receiver.waker.take();
        drop(state);
        wake(reader);
        Poll::Ready(Ok(()))
    }
}

impl BodySource for Receiver {
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let waker = context.waker().clone();
        let mut state = self.0.state();
        if !state.pieces.is_empty() {
            let written = state.copy_out(buffer);
            let writer = state.sender.waker.take();
            drop(state);
            wake(writer);
            return Poll::Ready(Ok(written));
        }
        match state.sender.end {
            End::Finished => Poll::Ready(Ok(0)),
            End::Dropped => {
                let text = "the sender was dropped before it finished the body";
                Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, text)))
            }
            End::Open => {
                let replaced = state.receiver.waker.replace(waker);
                drop(state);
                drop(replaced);
                Poll::Pending
            }
        }
    }
}

impl State {
    /// As much of the pieces as there is room for.
    fn copy_out(&mut self, buffer: &mut [u8]) -> usize {
        let mut written = 0;
        while let Some(piece) = self.pieces.front() {
            let rest = &piece[self.taken..];
            let count = rest.len().min(buffer.len() - written);
            buffer[written..written + count].copy_from_slice(&rest[..count]);
            written += count;
            if count < rest.len() {
                self.taken += count;
                break;
            }
            self.taken = 0;
            self.pieces.pop_front();
        }
        self.buffered -= written;
        written
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.receiver.end = End::Dropped;
        let writer = state.sender.waker.take();
        drop(state);
        wake(writer);
    }
}
