//! The futures of requests.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll};

use hc_sys as ffi;

use crate::error::Error;
use crate::exchange::Exchange;
use crate::on_loop;
use crate::response::Response;
use crate::session::Session;
use crate::stream::StreamedResponse;
use crate::wait::block_on;

/// A request on its way to a [`Response`]. It was handed to the session already: polling only waits for it, and
/// dropping cancels it.
#[must_use = "a request is cancelled when its future is dropped"]
pub struct Pending(State);

/// A request on its way to the head of a [`StreamedResponse`]; otherwise as [`Pending`].
#[must_use = "a request is cancelled when its future is dropped"]
pub struct PendingStream(State);

enum State {
    Refused(Error),
    Running(Running),
    Over,
}

/// A request of which somebody waits for news; cancels it at its end.
pub(crate) struct Running {
    pub(crate) session: Session,
    pub(crate) exchange: Arc<Exchange>,
}

impl State {
    fn new(submitted: Result<Running, Error>) -> State {
        match submitted {
            Ok(running) => State::Running(running),
            Err(error) => State::Refused(error),
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(Running, Response), Error>> {
        if let State::Running(running) = self {
            let result = match running.exchange.poll_response(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(result) => result,
            };
            return Poll::Ready(result.map(|response| (self.take_running(), response)));
        }
        match std::mem::replace(self, State::Over) {
            State::Refused(error) => Poll::Ready(Err(error)),
            _ => panic!("polled after it was ready"),
        }
    }

    fn take_running(&mut self) -> Running {
        match std::mem::replace(self, State::Over) {
            State::Running(running) => running,
            _ => unreachable!("only called while it runs"),
        }
    }

    fn refuse_to_wait_in_callback(&self) -> Result<(), Error> {
        match self {
            State::Running(running) => on_loop::refuse_in_callback_of(running.session.as_ptr()),
            _ => Ok(()),
        }
    }
}

impl Pending {
    pub(crate) fn new(submitted: Result<Running, Error>) -> Pending {
        Pending(State::new(submitted))
    }

    /// Waits on this thread.
    pub fn wait(self) -> Result<Response, Error> {
        self.0.refuse_to_wait_in_callback()?;
        block_on(self)
    }
}

impl PendingStream {
    pub(crate) fn new(submitted: Result<Running, Error>) -> PendingStream {
        PendingStream(State::new(submitted))
    }

    /// Waits on this thread.
    pub fn wait(self) -> Result<StreamedResponse, Error> {
        self.0.refuse_to_wait_in_callback()?;
        block_on(self)
    }
}

impl Future for Pending {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().0.poll(context).map_ok(|(_, response)| response)
    }
}

impl Future for PendingStream {
    type Output = Result<StreamedResponse, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().0.poll(context).map_ok(|(running, head)| StreamedResponse::new(running, head))
    }
}

impl Running {
    /// The request is not cancelled any more.
    pub(crate) fn into_parts(self) -> (Session, Arc<Exchange>) {
        let parts = ManuallyDrop::new(self);
        // Safe: each is moved out once, and what is left is not dropped.
        unsafe { (ptr::read(&parts.session), ptr::read(&parts.exchange)) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.exchange.abandon();
        if !self.exchange.is_done() {
            unsafe { ffi::hc_session_cancel(self.session.as_ptr(), self.exchange.id()) };
        }
    }
}
