//! A future that is dropped cancels its request, wherever that is, and frees its place.

#![allow(clippy::needless_collect)] // all requests are sent before the first outcome is awaited

use std::future::Future;
use std::net::TcpListener;
use std::sync::{mpsc, Arc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use hc::{block_on, Phase, Session};
use hc_testing::{shared, silent};

struct Ignore;

impl Wake for Ignore {
    fn wake(self: Arc<Self>) {}
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(&Waker::from(Arc::new(Ignore))))
}

/// A session of one connection that tells, by its trace, when a request has come to a phase.
fn watched(event: &'static str) -> (Session, mpsc::Receiver<()>) {
    let (told, seen) = mpsc::sync_channel(100);
    let trace = move |traced: &hc::TraceEvent<'_>| {
        if traced.name() == event {
            told.send(()).unwrap();
        }
    };
    let session = Session::builder().limit(1).nameservers(shared().dns()).on_trace(trace).build().unwrap();
    (session, seen)
}

/// Drops a request once `event` was seen, and sends another one through the session's only place.
fn is_free_after_drop(event: &'static str, url: &str) {
    let (session, seen) = watched(event);
    let mut request = session.get(url).send();
    seen.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(poll_once(&mut request).is_pending());
    drop(request);
    let response = session.get(shared().url("/bytes/1")).send_blocking().unwrap();
    assert_eq!(response.status(), 200);
    let stats = session.stats().unwrap();
    assert_eq!((stats.cancelled, stats.succeeded, stats.in_flight), (1, 1, 0), "{event}");
}

#[test]
fn while_the_name_is_looked_up() {
    is_free_after_drop("dns_resolvehost_start", "http://mute.test/");
}

#[test]
fn while_it_connects() {
    is_free_after_drop("attempt_start", &silent().https_url());
}

#[test]
fn while_the_server_thinks() {
    is_free_after_drop("request_headers_sent", &shared().url("/hang"));
}

#[test]
fn while_the_body_arrives() {
    is_free_after_drop("response_start", &shared().url("/drip?bytes=10000&chunk=10&every_ms=10"));
}

#[test]
fn while_it_waits_in_line() {
    let session = Session::builder().limit(1).build().unwrap();
    let first = session.get(shared().url("/hang")).send();
    let second = session.get(shared().url("/bytes/1")).send();
    drop(second);
    drop(first);
    assert_eq!(session.get(shared().url("/bytes/1")).send_blocking().unwrap().status(), 200);
    assert_eq!(session.stats().unwrap().cancelled, 2);
}

#[test]
fn an_upload_ends_with_its_future() {
    let session = Session::new().unwrap();
    let (mut sender, body) = hc::Body::channel();
    let request = session.post(shared().url("/upload")).body(body).send();
    sender.send_blocking("begun").unwrap();
    drop(request);
    let error = loop {
        match sender.send_blocking(vec![0; 100_000]) {
            Ok(()) => {} // until the session's thread has heard of it
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}

#[test]
fn a_future_that_was_never_polled() {
    let session = Session::builder().limit(1).build().unwrap();
    drop(session.get(shared().url("/hang")).send());
    assert_eq!(session.get(shared().url("/bytes/1")).send_blocking().unwrap().status(), 200);
}

#[test]
fn a_response_that_nobody_took_is_released() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (session, seen) = watched("request_end");
    let request = session.get(shared().url("/bytes/1000")).send();
    seen.recv_timeout(Duration::from_secs(10)).unwrap();
    drop(request);
    drop((session, listener));
}

#[test]
fn the_others_go_on() {
    let session = Session::builder().limit(4).build().unwrap();
    let url = shared().url("/delay/5");
    let requests: Vec<_> = (0..200).map(|_| session.get(&url).send()).collect();
    for (nth, request) in requests.into_iter().enumerate() {
        if nth % 2 == 0 {
            assert_eq!(block_on(request).unwrap().status(), 200);
        }
    }
    session.get(shared().url("/bytes/1")).send_blocking().unwrap(); // behind all cancels
    let stats = session.stats().unwrap();
    assert_eq!((stats.succeeded + stats.cancelled, stats.in_flight), (201, 0));
}

#[test]
fn closing_a_session_ends_what_still_runs() {
    let session = Session::new().unwrap();
    let request = session.get(shared().url("/hang")).send();
    session.close_blocking(Duration::ZERO).unwrap();
    let error = block_on(request).unwrap_err();
    assert!(matches!(error, hc::Error::Cancelled(_) | hc::Error::Closed(_)), "{error:?}");
    assert!(matches!(
        error.phase(),
        None | Some(Phase::Waiting | Phase::Connecting | Phase::Awaiting | Phase::Sending)
    ));
    let error = session.get(shared().url("/bytes/1")).send_blocking().unwrap_err();
    assert!(matches!(error, hc::Error::Closed(_)), "{error:?}");
}
