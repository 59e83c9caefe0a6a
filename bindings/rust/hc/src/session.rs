//! A pool of connections and its thread.

use std::borrow::Cow;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::os::raw::c_void;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use hc_sys as ffi;

use crate::callbacks::Callbacks;
use crate::error::{check, Error, ErrorSlot};
use crate::on_loop;
use crate::options::SessionBuilder;
use crate::request::RequestBuilder;
use crate::text::{constant_text, milliseconds, view, NOT_GIVEN};

/// One long-lived HTTP client session, cheap to clone.
///
/// The last of the clones ends it when it is dropped, and waits until its thread has ended; futures and streamed
/// responses count as clones. To end it gracefully, and without waiting on a thread, use [`close`](Session::close) first.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    handle: NonNull<ffi::hc_session>,
    callbacks: Option<Box<Callbacks>>,
}

// Safe: every function of hc.h that takes a session may be called from any thread, and callbacks are Send and Sync.
unsafe impl Send for Inner {}
unsafe impl Sync for Inner {}

impl Session {
    /// A session with all defaults.
    pub fn new() -> Result<Session, Error> {
        Session::builder().build()
    }

    pub fn builder() -> SessionBuilder {
        SessionBuilder::new()
    }

    pub(crate) fn create(
        mut options: ffi::hc_session_options,
        callbacks: Callbacks,
    ) -> Result<Session, Error> {
        let callbacks = Box::new(callbacks);
        callbacks.fill(&mut options);
        let (mut handle, mut slot) = (ptr::null_mut(), ErrorSlot::new());
        let status = unsafe { ffi::hc_session_create(&mut handle, &options, slot.as_mut_ptr()) };
        slot.check(status)?;
        callbacks.session.store(handle, Ordering::Release);
        let handle = NonNull::new(handle).expect("HC_OK comes with a session");
        Ok(Session(Arc::new(Inner { handle, callbacks: Some(callbacks) })))
    }

    pub(crate) fn as_ptr(&self) -> *mut ffi::hc_session {
        self.0.handle.as_ptr()
    }

    pub(crate) fn downgrade(&self) -> WeakSession {
        WeakSession(Arc::downgrade(&self.0))
    }

    /// Begins a request with any method.
    pub fn request<'a>(
        &self,
        method: impl Into<Cow<'a, str>>,
        url: impl Into<Cow<'a, str>>,
    ) -> RequestBuilder<'a> {
        RequestBuilder::new(self.clone(), method.into(), url.into())
    }

    pub fn get<'a>(&self, url: impl Into<Cow<'a, str>>) -> RequestBuilder<'a> {
        self.request("GET", url)
    }

    pub fn head<'a>(&self, url: impl Into<Cow<'a, str>>) -> RequestBuilder<'a> {
        self.request("HEAD", url)
    }

    pub fn post<'a>(&self, url: impl Into<Cow<'a, str>>) -> RequestBuilder<'a> {
        self.request("POST", url)
    }

    pub fn put<'a>(&self, url: impl Into<Cow<'a, str>>) -> RequestBuilder<'a> {
        self.request("PUT", url)
    }

    pub fn patch<'a>(&self, url: impl Into<Cow<'a, str>>) -> RequestBuilder<'a> {
        self.request("PATCH", url)
    }

    pub fn delete<'a>(&self, url: impl Into<Cow<'a, str>>) -> RequestBuilder<'a> {
        self.request("DELETE", url)
    }

    pub fn options<'a>(&self, url: impl Into<Cow<'a, str>>) -> RequestBuilder<'a> {
        self.request("OPTIONS", url)
    }

    /// Ends the session's work: new requests are refused, those in line fail with [`Error::Closed`], running ones get up
    /// to `drain` to finish. The future is ready when everything is delivered and every connection is closed; the
    /// closing goes on when it is dropped.
    pub fn close(&self, drain: Duration) -> Closing {
        let signal = Arc::new(Signal::default());
        let data = Arc::into_raw(signal.clone());
        let drain = milliseconds(drain);
        let status = unsafe {
            ffi::hc_session_close_async(self.as_ptr(), drain, Some(on_closed), data as *mut c_void)
        };
        if status != ffi::HC_OK {
            drop(unsafe { Arc::from_raw(data) });
        }
        Closing { refused: check(status).err(), signal }
    }

    /// The same, waiting on this thread; afterwards the session's thread has ended, too.
    pub fn close_blocking(&self, drain: Duration) -> Result<(), Error> {
        check(unsafe { ffi::hc_session_close(self.as_ptr(), milliseconds(drain)) })
    }

    /// Answers a host name from a fixed list, in place of DNS, for requests from now on. Port 0: for every port. No
    /// address: removes the entry.
    pub fn resolve_add(&self, host: &str, port: u16, addresses: &[&str]) -> Result<(), Error> {
        let views: Vec<_> = addresses.iter().map(|address| view(address.as_bytes())).collect();
        let mut slot = ErrorSlot::new();
        let (session, host, error) = (self.as_ptr(), view(host.as_bytes()), slot.as_mut_ptr());
        let status =
            unsafe { ffi::hc_session_resolve_add(session, host, port, views.as_ptr(), views.len(), error) };
        slot.check(status)
    }

    /// Forgets the cached DNS answers of a name, or all.
    pub fn dns_clear(&self, host: Option<&str>) -> Result<(), Error> {
        let host = host.map_or(NOT_GIVEN, |host| view(host.as_bytes()));
        check(unsafe { ffi::hc_session_dns_clear(self.as_ptr(), host) })
    }
}

pub(crate) struct WeakSession(Weak<Inner>);

impl WeakSession {
    pub(crate) fn upgrade(&self) -> Option<Session> {
        self.0.upgrade().map(Session)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let (handle, callbacks) = (self.handle.as_ptr(), self.callbacks.take());
        if !on_loop::is_in_callback_of(handle) {
            unsafe { ffi::hc_session_free(handle) };
            return; // no callback is running or will run
        }
        // Here it would not wait for the end of the thread, which may still call back.
        let (handle, callbacks) = (handle as usize, ManuallyDrop::new(callbacks));
        let spawned = thread::Builder::new().name("hc-end".to_owned()).spawn(move || {
            unsafe { ffi::hc_session_free(handle as *mut ffi::hc_session) };
            drop(ManuallyDrop::into_inner(callbacks));
        });
        drop(spawned); // without a thread, the session leaks, and its callbacks, which it goes on calling
    }
}

/// The future of a session's end.
#[must_use = "the session is closed when this is ready"]
pub struct Closing {
    refused: Option<Error>,
    signal: Arc<Signal>,
}

#[derive(Default)]
struct Signal(Mutex<(bool, Option<Waker>)>);

impl Future for Closing {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(error) = self.refused.take() {
            return Poll::Ready(Err(error));
        }
        let waker = context.waker().clone();
        let mut state = self.signal.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if state.0 {
            return Poll::Ready(Ok(()));
        }
        let replaced = state.1.replace(waker);
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

unsafe extern "C" fn on_closed(signal: *mut c_void) {
    let signal = Arc::from_raw(signal as *const Signal);
    let waker = {
        let mut state = signal.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        state.0 = true;
        state.1.take()
    };
    if let Some(waker) = waker {
        on_loop::run(ptr::null_mut(), || waker.wake());
    }
}

/// The version of the library that runs, such as "0.1.0".
pub fn version() -> &'static str {
    unsafe { constant_text(ffi::hc_version()) }
}
