//! A request under way: what its future and the session's thread share.
//!
//! Life: made by the submit; held by the future, and by the library (as `user_data`) until its HC_DONE. A response that
//! nobody takes any more is released with it, or as it comes.

use std::io;
use std::os::raw::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

use hc_sys as ffi;

use crate::error::Error;
use crate::on_loop;
use crate::response::Response;
use crate::session::{Session, WeakSession};

pub(crate) struct Exchange {
    session: usize,
    /// Written by the submit, before the session's thread can see the request.
    id: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waker: Option<Waker>,
    arrived: Option<Response>,
    is_done: bool,
    /// Why the source of the body failed.
    blame: Option<io::Error>,
    /// Nobody waits any more: what still comes is released at once.
    is_abandoned: bool,
}

impl Exchange {
    pub(crate) fn new(session: *mut ffi::hc_session) -> Arc<Exchange> {
        Arc::new(Exchange { session: session as usize, id: AtomicU64::new(0), state: Mutex::default() })
    }

    pub(crate) fn id(&self) -> u64 {
        self.id.load(Ordering::Acquire)
    }

    /// To compare with; the session may be gone.
    pub(crate) fn session(&self) -> *mut ffi::hc_session {
        self.session as *mut ffi::hc_session
    }

    /// Wakes the upload of this request.
    pub(crate) fn resuming_waker(self: &Arc<Self>, session: &Session) -> Waker {
        Waker::from(Arc::new(Resume { session: session.downgrade(), exchange: self.clone() }))
    }

    pub(crate) fn blame(&self, error: io::Error) {
        self.state().blame = Some(error);
    }

    pub(crate) fn take_blame(&self) -> Option<io::Error> {
        self.state().blame.take()
    }

    pub(crate) fn id_slot(&self) -> *mut ffi::hc_id {
        &self.id as *const AtomicU64 as *mut ffi::hc_id
    }

    /// The outcome, or the head of a streamed response, when it is here; else the task is woken with the next news.
    pub(crate) fn poll_response(&self, context: &mut Context<'_>) -> Poll<Result<Response, Error>> {
        let waker = context.waker().clone();
        let mut state = self.state();
        let response = match state.arrived.take() {
            Some(response) => response,
            None => {
                let replaced = state.waker.replace(waker);
                drop(state);
                drop(replaced);
                return Poll::Pending;
            }
        };
        let blame = state.blame.take();
        drop(state);
        Poll::Ready(response.into_result().map_err(|error| error.blaming(blame)))
    }

    /// Wakes that task with the next news.
    pub(crate) fn remember(&self, context: &mut Context<'_>) {
        let waker = context.waker().clone();
        let replaced = self.state().waker.replace(waker);
        drop(replaced);
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state().is_done
    }

    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.is_abandoned = true;
        let unwanted = (state.arrived.take(), state.waker.take());
        drop(state);
        drop(unwanted);
    }

    fn deliver(&self, completion: &ffi::hc_completion) {
        let response = NonNull::new(completion.response);
        let response = response.map(|handle| unsafe { Response::new(handle, completion) });
        let mut state = self.state();
        state.is_done |= completion.kind == ffi::HC_DONE;
        let unwanted = match response {
            Some(response) if !state.is_abandoned => state.arrived.replace(response),
            other => other,
        };
        let waker = state.waker.take();
        drop(state);
        drop(unwanted);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The lock is only held for moves: no code of the program runs meanwhile, and nothing panics.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

struct Resume {
    session: WeakSession,
    exchange: Arc<Exchange>,
}

impl Wake for Resume {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(session) = self.session.upgrade() {
            unsafe { ffi::hc_session_resume_upload(session.as_ptr(), self.exchange.id()) };
        }
    }
}

/// News of a request. `exchange` is from `Arc::into_raw`, and given back with the last of them.
pub(crate) unsafe extern "C" fn on_news(completion: *const ffi::hc_completion, exchange: *mut c_void) {
    let exchange: *const Exchange = exchange.cast();
    let completion = &*completion;
    if completion.kind != ffi::HC_DONE {
        Arc::increment_strong_count(exchange);
    }
    let exchange = Arc::from_raw(exchange);
    on_loop::run(exchange.session(), move || exchange.deliver(completion));
}
