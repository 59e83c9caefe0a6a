//! Waiting without a runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
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
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
        thread::park();
    }
}
