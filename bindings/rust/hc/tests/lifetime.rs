//! Ends of sessions: dropped, closed, from inside of callbacks; threads and descriptors are all given back.
//!
//! One test at a time: they count what the process has.

use std::future::Future;
use std::pin::Pin;
use std::sync::{mpsc, Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use hc::{block_on, Body, BodySender, Error, Pending, Session};
use hc_testing::{descriptors, shared, threads};

fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    shared();
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// No thread, and no descriptor more than after the first time, which makes what is made once in a process.
fn leaves_nothing(code: impl Fn()) {
    code();
    wait_for_threads();
    let before = descriptors();
    for _ in 0..5 {
        code();
    }
    wait_for_threads();
    assert_eq!(descriptors(), before);
}

/// Those that nobody joins end by themselves.
fn wait_for_threads() {
    let end = Instant::now() + Duration::from_secs(10);
    while threads() > 0 {
        assert!(Instant::now() < end, "{} threads do not end", threads());
        thread::yield_now();
    }
}

#[test]
fn a_dropped_session_leaves_nothing() {
    let _turn = alone();
    leaves_nothing(|| {
        let session = Session::builder().limit(20).build().unwrap();
        let requests: Vec<_> = (0..100).map(|_| session.get(shared().url("/bytes/10")).send()).collect();
        for request in requests {
            request.wait().unwrap();
        }
    });
}

#[test]
fn whatever_was_under_way() {
    let _turn = alone();
    leaves_nothing(|| {
        let session = Session::builder().limit(10).nameservers(shared().dns()).build().unwrap();
        let hanging: Vec<_> = (0..20).map(|_| session.get(shared().url("/hang")).send()).collect();
        let resolving = session.get("http://mute.test/").send();
        let mut stream = session.get(shared().url("/bytes/10000000")).stream();
        let _ = Pin::new(&mut stream).poll(&mut Context::from_waker(&Waker::from(Arc::new(Ignore))));
        let (sender, body) = Body::channel();
        let upload = session.post(shared().url("/upload")).body(body).send();
        drop(session);
        drop((hanging, resolving, stream, sender, upload));
    });
}

struct Ignore;

impl Wake for Ignore {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn futures_keep_their_session() {
    let _turn = alone();
    leaves_nothing(|| {
        let request = Session::new().unwrap().get(shared().url("/delay/5")).send();
        assert_eq!(block_on(request).unwrap().status(), 200);
        let stream = Session::new().unwrap().get(shared().url("/bytes/100000")).stream();
        assert_eq!(block_on(async { stream.await?.rest().await }).unwrap().len(), 100_000);
    });
}

#[test]
fn closing_waits_for_what_runs() {
    let _turn = alone();
    leaves_nothing(|| {
        let (told, sent) = mpsc::sync_channel(10);
        let trace = move |event: &hc::TraceEvent<'_>| {
            if event.name() == "request_headers_sent" {
                told.send(()).unwrap();
            }
        };
        let session = Session::builder().on_trace(trace).build().unwrap();
        let request = session.get(shared().url("/delay/20")).send();
        sent.recv().unwrap(); // what still waits in line when its session closes is not waited for
        block_on(session.close(Duration::from_secs(10))).unwrap();
        assert_eq!(block_on(request).unwrap().status(), 200);
        block_on(session.close(Duration::ZERO)).unwrap(); // again is harmless
        session.close_blocking(Duration::ZERO).unwrap();
        drop(session.close(Duration::ZERO));
    });
}

/// Runs a closure where it is woken: on the session's thread.
struct OnWake(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Wake for OnWake {
    fn wake(self: Arc<Self>) {
        let code = self.0.lock().unwrap().take();
        if let Some(code) = code {
            code();
        }
    }
}

/// A request that is not over before its body is finished.
fn held(session: &Session) -> (Pending, BodySender) {
    let (sender, body) = Body::channel();
    (session.post(shared().url("/echo")).body(body).send(), sender)
}

fn when_done(request: &mut Pending, code: impl FnOnce() + Send + 'static) {
    let waker = Waker::from(Arc::new(OnWake(Mutex::new(Some(Box::new(code))))));
    assert!(Pin::new(request).poll(&mut Context::from_waker(&waker)).is_pending());
}

#[test]
fn blocking_calls_on_the_sessions_thread_are_refused() {
    let _turn = alone();
    let session = Session::new().unwrap();
    let (told, results) = mpsc::channel();
    let (mut request, sender) = held(&session);
    let inside = session;
    when_done(&mut request, move || {
        let sent = inside.get(shared().url("/bytes/1")).send_blocking().map(|_| ());
        let streamed = inside.get(shared().url("/bytes/1")).stream_blocking().map(|_| ());
        let closed = inside.close_blocking(Duration::ZERO);
        told.send(([sent, streamed, closed], inside.stats().unwrap().submitted)).unwrap();
    });
    sender.finish();
    let (refused, submitted) = results.recv().unwrap();
    assert_eq!(submitted, 1, "what is refused was not sent");
    for result in refused {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Deadlock(_)) && !error.message().is_empty(), "{error:?}");
    }
    assert_eq!(request.wait().unwrap().status(), 200);
}

#[test]
fn the_last_session_may_be_dropped_on_its_own_thread() {
    let _turn = alone();
    leaves_nothing(|| {
        let session = Session::builder().on_log(hc::LogLevel::Debug, |_, _| {}).build().unwrap();
        let (mut request, sender) = held(&session);
        let (told, dropped) = mpsc::channel();
        let (handed, taken) = mpsc::channel::<(Pending, Session)>();
        when_done(&mut request, move || {
            drop(taken.recv().unwrap());
            told.send(()).unwrap();
        });
        handed.send((request, session)).unwrap();
        sender.finish();
        dropped.recv().unwrap();
    });
}

#[test]
fn a_waker_that_panics_harms_nobody_else() {
    let _turn = alone();
    let session = Session::new().unwrap();
    let (mut request, sender) = held(&session);
    when_done(&mut request, || panic!("a waker that panics: this line is expected in the output"));
    sender.finish();
    assert_eq!(session.get(shared().url("/delay/20")).send_blocking().unwrap().status(), 200);
    assert_eq!(request.wait().unwrap().status(), 200);
}

#[test]
fn a_future_may_move_between_tasks() {
    let _turn = alone();
    let session = Session::new().unwrap();
    let (mut request, sender) = held(&session);
    when_done(&mut request, || panic!("it was polled by another task since"));
    let (told, polled) = mpsc::channel();
    let other = thread::spawn(move || {
        let once = Pin::new(&mut request).poll(&mut Context::from_waker(&Waker::from(Arc::new(Ignore))));
        told.send(once.is_pending()).unwrap();
        block_on(request)
    });
    assert!(polled.recv().unwrap());
    sender.finish();
    assert_eq!(other.join().unwrap().unwrap().status(), 200);
}

#[test]
fn a_future_is_ready_once() {
    let _turn = alone();
    let session = Session::new().unwrap();
    let mut request = session.get("nonsense").send();
    let waker = Waker::from(Arc::new(Ignore));
    let mut poll = || Pin::new(&mut request).poll(&mut Context::from_waker(&waker));
    assert!(matches!(poll(), Poll::Ready(Err(Error::Invalid(_)))));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)).is_err());
}

#[test]
fn many_outstanding() {
    let _turn = alone();
    leaves_nothing(|| {
        let session = Session::builder().limit(100).build().unwrap();
        let url = shared().url("/bytes/10");
        let requests: Vec<_> = (0..5_000).map(|_| session.get(&url).send()).collect();
        let answered = block_on(async {
            let mut answered = 0;
            for request in requests {
                answered += usize::from(request.await.unwrap().status() == 200);
            }
            answered
        });
        assert_eq!((answered, session.stats().unwrap().sockets_peak <= 100), (5_000, true));
    });
}

#[test]
fn a_forked_child_is_told_so() {
    let _turn = alone();
    let session = Session::new().unwrap();
    session.get(shared().url("/bytes/1")).send_blocking().unwrap();
    // Safe enough: the child only calls what is allowed after a fork, and leaves by _exit.
    let child = unsafe { fork() };
    if child == 0 {
        let refused = matches!(session.get(shared().url("/bytes/1")).send_blocking(), Err(Error::Forked(_)));
        unsafe { _exit(i32::from(!refused)) };
    }
    let mut status = 0;
    assert_eq!(unsafe { waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0);
    assert_eq!(session.get(shared().url("/bytes/1")).send_blocking().unwrap().status(), 200);
}

extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(status: i32) -> !;
}
