//! Code of the program that runs on a session's own thread: callbacks, wakers, bodies.

use std::any::Any;
use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::{mem, ptr};

use hc_sys as ffi;

use crate::error::Error;

thread_local! {
    /// The session whose callback this thread is in.
    static CURRENT: Cell<*mut ffi::hc_session> = Cell::new(ptr::null_mut());
}

/// Runs code of the program inside a callback of that session. None: it panicked, and the panic hook has told.
pub(crate) fn run<T>(session: *mut ffi::hc_session, code: impl FnOnce() -> T) -> Option<T> {
    let before = CURRENT.with(|current| current.replace(session));
    let result = catch_unwind(AssertUnwindSafe(code));
    let result = result.map_err(forget_payload);
    CURRENT.with(|current| current.set(before));
    result.ok()
}

/// What a panic carries may panic in its turn when it is dropped, and must not, across the frames of C.
fn forget_payload(payload: Box<dyn Any + Send>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(payload);
    }
}

pub(crate) fn is_in_callback_of(session: *mut ffi::hc_session) -> bool {
    CURRENT.with(|current| current.get()) == session
}

/// To wait here for that session would be to wait for ever.
pub(crate) fn refuse_in_callback_of(session: *mut ffi::hc_session) -> Result<(), Error> {
    if is_in_callback_of(session) {
        return Err(Error::of_status(ffi::HC_E_DEADLOCK));
    }
    Ok(())
}
