//! Requests and their responses, as futures and blocking.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use hc::{block_on, Error, Session};
use hc_testing::shared;

#[test]
fn a_blocking_get() {
    let session = Session::new().unwrap();
    let response = session.get(shared().url("/bytes/1000")).send_blocking().unwrap();
    assert_eq!((response.status(), response.body().len()), (200, 1000));
    assert_eq!((response.reason().as_ref(), response.http_version()), ("OK", (1, 1)));
    assert!(response.is_success() && !response.is_reused());
    assert_eq!(response.remote().unwrap().port(), shared().port());
    assert_eq!(response.url(), shared().url("/bytes/1000"));
}

#[test]
fn futures_under_a_bare_block_on() {
    let session = Session::new().unwrap();
    let url = shared().url("/bytes/10");
    let requests: Vec<_> = (0..100).map(|_| session.get(&url).send()).collect();
    let sizes = block_on(async {
        let mut sizes = 0;
        for request in requests {
            sizes += request.await.unwrap().body().len();
        }
        sizes
    });
    assert_eq!(sizes, 1000);
}

/// Woken while it waits for something else on its thread, as a blocking call does.
#[derive(Default)]
struct WokenInTheMeantime {
    has_waited: bool,
}

impl Future for WokenInTheMeantime {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.has_waited {
            return Poll::Ready(());
        }
        self.has_waited = true;
        context.waker().wake_by_ref();
        thread::park();
        Poll::Pending
    }
}

#[test]
fn blocking_calls_inside_of_block_on_lose_no_wake_up() {
    let (over, is_over) = mpsc::channel();
    thread::spawn(move || {
        block_on(WokenInTheMeantime::default());
        over.send(()).unwrap();
    });
    is_over.recv_timeout(Duration::from_secs(10)).unwrap();
}

#[test]
fn an_error_status_is_an_answer() {
    let session = Session::new().unwrap();
    let response = session.get(shared().url("/status/404")).send_blocking().unwrap();
    assert_eq!((response.status(), response.is_success()), (404, false));
}

#[test]
fn every_method_is_sent_as_it_is_called() {
    let session = Session::new().unwrap();
    let url = &shared().url("/method");
    let named = [
        (session.get(url), "GET"),
        (session.post(url), "POST"),
        (session.put(url), "PUT"),
        (session.patch(url), "PATCH"),
        (session.delete(url), "DELETE"),
        (session.options(url), "OPTIONS"),
        (session.request("PURGE", url), "PURGE"),
    ];
    for (request, name) in named {
        assert_eq!(request.send_blocking().unwrap().text(), name);
    }
    assert_eq!(session.head(url).send_blocking().unwrap().status(), 200);
}

#[test]
fn headers_go_out_as_they_are_given() {
    let session = Session::builder().header("X-Team", "blue").header("X-Other", "1").build().unwrap();
    let response = session
        .get(shared().url("/echo/head"))
        .header("X-Mine", String::from("owned"))
        .header("X-Empty", "")
        .header("x-team", "red")
        .header_bytes("X-Bytes", &b"\xe4\xf6"[..])
        .without_header("X-Other")
        .without_header("User-Agent")
        .send_blocking()
        .unwrap();
    let head = response.body();
    let has = |line: &[u8]| head.windows(line.len()).any(|window| window == line);
    assert!(
        has(b"X-Mine: owned\r\n")
            && has(b"X-Empty:")
            && has(b"x-team: red\r\n")
            && has(b"X-Bytes: \xe4\xf6\r\n")
    );
    assert!(!has(b"blue") && !has(b"X-Other") && !has(b"User-Agent"));
}

#[test]
fn headers_are_found_without_case_and_listed_in_order() {
    let session = Session::new().unwrap();
    let response = session.get(shared().url("/bytes/3")).send_blocking().unwrap();
    assert_eq!(response.header("CONTENT-length").as_deref(), Some("3"));
    assert_eq!(response.header("x-none"), None);
    assert_eq!(response.header_bytes("content-length", 1), None);
    let named = response.headers().find(|header| header.name().eq_ignore_ascii_case("content-length"));
    assert_eq!(named.unwrap().value(), "3");
    assert_eq!(response.headers().len(), response.headers().count());
}

#[test]
fn bodies_are_sent() {
    let session = Session::new().unwrap();
    let url = &shared().url("/echo");
    let borrowed = vec![7_u8; 100_000];
    assert_eq!(session.post(url).body(&borrowed).send_blocking().unwrap().body(), borrowed);
    assert_eq!(session.post(url).body(borrowed.clone()).send_blocking().unwrap().body(), borrowed);
    assert_eq!(session.post(url).body("text").send_blocking().unwrap().text(), "text");
    assert_eq!(session.post(url).body("").send_blocking().unwrap().text(), "");
}

#[test]
fn redirects_leave_their_history() {
    let session = Session::new().unwrap();
    let response = session.get(shared().url("/redirect/2")).send_blocking().unwrap();
    let hops: Vec<_> = response.history().collect();
    assert_eq!((response.status(), hops.len()), (200, 2));
    assert!(hops[0].status() == 302 && hops[0].method() == "GET" && hops[0].url().ends_with("/redirect/2"));
    assert!(hops[0].headers().any(|header| header.name() == "Location"));
}

#[test]
fn times_and_attempts_are_told() {
    let session = Session::new().unwrap();
    let url = &shared().url("/delay/20");
    let response = session.get(url).send_blocking().unwrap();
    let timing = response.timing();
    assert!(timing.done.unwrap() >= timing.first_byte.unwrap());
    assert!(timing.first_byte.unwrap() >= Duration::from_millis(20) && timing.connected.is_some());
    let attempts: Vec<_> = response.attempts().collect();
    assert_eq!((attempts.len(), attempts[0].code, attempts[0].connection), (1, 0, response.connection()));
    assert_eq!(attempts[0].remote, response.remote());
    let again = session.get(url).send_blocking().unwrap();
    assert!(again.is_reused() && again.timing().connected.is_none());
}

#[test]
fn responses_outlive_their_session_and_cross_threads() {
    let session = Session::new().unwrap();
    let response = session.get(shared().url("/bytes/10")).send_blocking().unwrap();
    drop(session);
    let length = thread::spawn(move || response.body().len()).join().unwrap();
    assert_eq!(length, 10);
}

#[test]
fn one_session_serves_many_threads() {
    let session = Session::builder().limit(8).build().unwrap();
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let response = session.get(shared().url("/bytes/5")).send_blocking().unwrap();
                    answered.fetch_add(response.body().len() / 5, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(answered.into_inner(), 400);
}

#[test]
fn what_is_wrong_with_a_request_its_future_tells() {
    let session = Session::new().unwrap();
    let wrong = [
        (session.get("ftp://127.0.0.1/"), "url"),
        (session.request("BAD METHOD", "http://127.0.0.1/"), "method"),
        (session.get("http://127.0.0.1/").header("Bad Name", ""), "headers"),
        (session.get("http://127.0.0.1/").header("A", "b\r\nc: d"), "headers"),
        (session.get("http://127.0.0.1/").address("not numeric"), "addresses"),
        (session.get("http://127.0.0.1/").timeout(Duration::from_secs(4_000_000_000)), "timeouts.total_ms"),
        (session.head("http://127.0.0.1/").body("x"), "body"),
    ];
    for (request, named) in wrong {
        let error = block_on(request.send()).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        assert!(error.message().starts_with(named), "{error}");
        assert_eq!((error.code(), error.code_name(), error.phase()), (-1, "HC_E_INVALID", None));
    }
}
