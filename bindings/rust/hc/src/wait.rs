//! Waiting without a runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// The flag is what counts: code inside of the future may park this thread, too, and take the token of `unpark`.
struct Unpark {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Unpark {
    fn wait(&self) {
        while !self.is_woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

/// Runs a future on this thread, and parks the thread while there is nothing to do.
///
/// It is enough for the futures of this crate. Do not call it from inside a callback of a session.
///
/// ```
/// # let server = hc_testing::serve();
/// # let url = server.url("/bytes/1");
/// let session = hc::Session::new()?;
/// let (one, two) = (session.get(&url).send(), session.get(&url).send()); // both are on their way
/// let statuses = hc::block_on(async { Ok::<_, hc::Error>([one.await?.status(), two.await?.status()]) })?;
/// assert_eq!(statuses, [200, 200]);
/// # Ok::<(), hc::Error>(())
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = future;
    // Safe: `future` is not moved any more, as nobody else has its name.
    let mut future = unsafe { Pin::new_unchecked(&mut future) };
    let unpark = Arc::new(Unpark { thread: thread::current(), is_woken: AtomicBool::new(false) });
    let waker = Waker::from(unpark.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
        unpark.wait();
    }
}
