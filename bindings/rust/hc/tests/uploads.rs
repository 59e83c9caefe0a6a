//! Bodies of requests: lent, read from files, written piece by piece.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use hc::{block_on, Body, BodySource, Error, Session};
use hc_testing::shared;

fn echo(session: &Session, body: impl Into<Body<'static>>) -> Result<String, Error> {
    session
        .post(shared().url("/echo"))
        .body(body)
        .send_blocking()
        .map(|response| response.text().into_owned())
}

fn file_with(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn files_by_path_and_by_descriptor() {
    let session = Session::new().unwrap();
    let path = file_with("upload.txt", "0123456789");
    assert_eq!(echo(&session, Body::file(&path)).unwrap(), "0123456789");
    assert_eq!(echo(&session, File::open(&path).unwrap()).unwrap(), "0123456789");
    assert_eq!(echo(&session, Body::file(&path).range(2, 3)).unwrap(), "234");
    let error = echo(&session, Body::file("/nonexistent")).unwrap_err();
    assert!(error.message().contains("body_path"), "{error}");
    let error = echo(&session, Body::file(&path).range(5, 100)).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    let error = echo(&session, Body::from("0123456789").range(2, 3)).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}"); // not the whole of it
}

#[test]
fn a_channel_is_written_while_the_request_runs() {
    let session = Session::new().unwrap();
    let (mut sender, body) = Body::channel();
    let answer = session.post(shared().url("/echo")).body(body).send();
    let size = 5_000_000;
    let writer = thread::spawn(move || {
        let mut buffered = io::BufWriter::new(&mut sender);
        for _ in 0..size / 10 {
            buffered.write_all(b"0123456789").unwrap();
        }
        buffered.flush().unwrap();
        drop(buffered);
        sender.finish();
    });
    assert_eq!(block_on(answer).unwrap().body().len(), size);
    writer.join().unwrap();
}

#[test]
fn a_channel_of_known_length() {
    let session = Session::new().unwrap();
    let (mut sender, body) = Body::channel();
    sender.send_blocking("12345").unwrap();
    sender.finish();
    let answer = session.post(shared().url("/echo/head")).body(body.length(5)).send_blocking().unwrap();
    assert!(answer.text().contains("Content-Length: 5"), "{}", answer.text());
}

#[test]
fn a_sender_that_is_dropped_fails_the_request() {
    let session = Session::new().unwrap();
    let (mut sender, body) = Body::channel();
    sender.send_blocking("half").unwrap();
    drop(sender);
    let error = echo(&session, body).unwrap_err();
    assert!(matches!(error, Error::Callback(_)), "{error:?}");
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("dropped"), "{source}");
}

#[test]
fn a_sender_is_held_back() {
    let session = Session::new().unwrap();
    let (mut sender, body) = Body::channel();
    let refused = session.post("nonsense").body(body).send_blocking().unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)));
    assert_eq!(sender.send_blocking("x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);

    let (mut sender, body) = Body::channel(); // nobody reads it yet
    sender.send_blocking(vec![b'x'; 300_000]).unwrap();
    let mut second = sender.send("y");
    let waker = std::task::Waker::from(Arc::new(Nothing));
    let pending =
        std::future::Future::poll(std::pin::Pin::new(&mut second), &mut Context::from_waker(&waker));
    assert!(pending.is_pending());
    drop(second);
    drop(body);
}

struct Nothing;

impl std::task::Wake for Nothing {
    fn wake(self: Arc<Self>) {}
}

/// Gives the numbers from 0, a few bytes each time, and can begin again.
struct Numbers {
    next: usize,
    end: usize,
    rewound: Arc<AtomicUsize>,
}

impl BodySource for Numbers {
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.next == self.end {
            return Poll::Ready(Ok(0));
        }
        if self.next == self.end / 2 && self.rewound.fetch_add(0, Ordering::Relaxed) == 0 {
            self.rewound.store(100, Ordering::Relaxed);
            context.waker().wake_by_ref(); // "not yet", once
            return Poll::Pending;
        }
        let text = format!("{},", self.next);
        self.next += 1;
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        Poll::Ready(Ok(text.len()))
    }

    fn can_rewind(&self) -> bool {
        true
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.next = 0;
        self.rewound.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn a_source_is_asked_again_and_rewound_for_a_redirect() {
    let session = Session::new().unwrap();
    let rewound = Arc::new(AtomicUsize::new(0));
    let source = || Numbers { next: 0, end: 100, rewound: rewound.clone() };
    let expected: String = (0..100).map(|number| format!("{number},")).collect();
    assert_eq!(echo(&session, Body::source(source())).unwrap(), expected);
    let url = shared().url("/redirect-to?status=307&url=/echo");
    let response = session.post(url).body(Body::source(source())).send_blocking().unwrap();
    assert_eq!(response.text(), expected);
    assert!(rewound.load(Ordering::Relaxed) > 100);
}

#[test]
fn what_cannot_begin_again_is_not_repeated() {
    let session = Session::builder().limit(1).build().unwrap();
    let piecewise = || {
        let (mut sender, body) = Body::channel();
        sender.send_blocking("text").unwrap();
        sender.finish();
        body
    };
    let url = shared().url("/redirect-to?status=307&url=/echo");
    let error = session.post(url).body(piecewise()).send_blocking().unwrap_err();
    assert!(matches!(error, Error::Redirect(_)), "{error:?}");
    assert_eq!(error.response().unwrap().status(), 307);

    // The connection that is reused is reset when the request has come in.
    session.get(shared().url("/bytes/1")).send_blocking().unwrap();
    let url = shared().url("/reset?after=request");
    let error = session.put(url).body(piecewise()).send_blocking().unwrap_err();
    assert!(matches!(error, Error::Stale(_)), "{error:?}");
}

struct Broken(bool);

impl BodySource for Broken {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        assert!(!self.0, "a source that panics: this line is expected in the output");
        Poll::Ready(Ok(buffer.len() + 1))
    }
}

#[test]
fn sources_that_misbehave_fail_their_request_only() {
    let session = Session::new().unwrap();
    for panics in [true, false] {
        let error = echo(&session, Body::source(Broken(panics))).unwrap_err();
        assert!(matches!(error, Error::Callback(_)), "{error:?}");
    }
    assert_eq!(echo(&session, "still there").unwrap(), "still there");
}

#[test]
fn expect_continue_sends_the_body() {
    let session = Session::new().unwrap();
    let request = session.post(shared().url("/echo")).body("text").expect_continue(true);
    assert_eq!(request.send_blocking().unwrap().text(), "text");
}
