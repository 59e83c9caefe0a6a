//! Bodies that are read as they arrive, and held back when nobody reads.

use std::io::{self, Read};
use std::time::Duration;

use hc::{block_on, Error, Session};
use hc_testing::shared;

#[test]
fn chunk_by_chunk() {
    let session = Session::new().unwrap();
    block_on(async {
        let mut response = session.get(shared().url("/bytes/300000")).stream().await.unwrap();
        assert_eq!((response.status(), response.header("content-length").as_deref()), (200, Some("300000")));
        let mut size = 0;
        while let Some(chunk) = response.chunk().await.unwrap() {
            assert!(!chunk.is_empty());
            size += chunk.len();
        }
        assert_eq!(size, 300_000);
        assert!(response.chunk().await.unwrap().is_none(), "the end stays the end");
    });
}

#[test]
fn as_a_reader() {
    let session = Session::new().unwrap();
    let whole = session.get(shared().url("/bytes/100000")).send_blocking().unwrap();
    let mut response = session.get(shared().url("/bytes/100000")).stream_blocking().unwrap();
    let (mut first, mut rest) = ([0; 10], Vec::new());
    response.read_exact(&mut first).unwrap();
    response.read_to_end(&mut rest).unwrap();
    assert_eq!([&first[..], &rest].concat(), whole.body());
    assert_eq!(response.read(&mut first).unwrap(), 0);
    assert_eq!(response.read(&mut []).unwrap(), 0);
}

#[test]
fn reads_and_chunks_may_be_mixed() {
    let session = Session::new().unwrap();
    let mut response = session.get(shared().url("/bytes/5000")).stream_blocking().unwrap();
    let mut first = [0; 100];
    response.read_exact(&mut first).unwrap();
    let rest = block_on(response.rest()).unwrap();
    assert_eq!(rest.len(), 4900);
    let mut slow = session.get(shared().url("/drip?bytes=30&chunk=10&every_ms=5")).stream_blocking().unwrap();
    let mut size = 0;
    while let Some(chunk) = slow.chunk_blocking().unwrap() {
        size += chunk.len();
    }
    assert_eq!(size, 30);
}

#[test]
fn chunks_outlive_their_response_and_session() {
    let session = Session::new().unwrap();
    let mut response = session.get(shared().url("/bytes/1000")).stream_blocking().unwrap();
    let chunk = response.chunk_blocking().unwrap().unwrap();
    let copy = chunk.to_vec();
    drop((response, session));
    let kept = std::thread::spawn(move || chunk.to_vec()).join().unwrap();
    assert_eq!(kept, copy);
}

#[test]
fn who_does_not_read_holds_the_server_back() {
    let session = Session::builder().body_window(64 * 1024).build().unwrap();
    let mut response = session.get(shared().url("/bytes/50000000")).stream_blocking().unwrap();
    let mut received = 0;
    for _ in 0..100 {
        let stats = session.stats().unwrap();
        received = stats.bytes_received;
        // Lets the server fill what it may: more would be the error that is looked for.
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(received <= 256 * 1024, "{received} bytes were taken in unread");
    assert_eq!(io::copy(&mut response, &mut io::sink()).unwrap(), 50_000_000);
}

#[test]
fn the_failure_comes_after_what_arrived() {
    let session = Session::new().unwrap();
    let mut response = session.get(shared().url("/truncate")).stream_blocking().unwrap();
    let mut size = 0;
    let error = loop {
        match response.chunk_blocking() {
            Ok(chunk) => size += chunk.expect("it is not whole").len(),
            Err(error) => break error,
        }
    };
    assert!(size > 0 && matches!(error, Error::Incomplete(_)), "{size} {error:?}");
    assert_eq!((error.phase(), error.response().is_none()), (Some(hc::Phase::Receiving), true));
    let read =
        io::copy(&mut session.get(shared().url("/truncate")).stream_blocking().unwrap(), &mut io::sink());
    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn failures_before_the_head() {
    let session = Session::new().unwrap();
    let error = block_on(session.get("http://127.0.0.1:1/").stream()).unwrap_err();
    assert!(matches!(error, Error::Connect(_)));
    assert!(matches!(session.get("nonsense").stream_blocking().unwrap_err(), Error::Invalid(_)));
}

#[test]
fn a_short_rest_leaves_the_connection() {
    let session = Session::builder().limit(1).build().unwrap();
    let mut response = session.get(shared().url("/bytes/1000")).stream_blocking().unwrap();
    response.read_exact(&mut [0; 10]).unwrap();
    let connection = response.connection();
    drop(response);
    let next = session.get(shared().url("/bytes/1")).send_blocking().unwrap();
    assert_eq!((next.connection(), next.is_reused()), (connection, true));
}

#[test]
fn a_long_rest_is_given_up_and_the_place_is_free() {
    let session = Session::builder().limit(1).build().unwrap();
    for _ in 0..3 {
        let response = session.get(shared().url("/bytes/50000000")).stream_blocking().unwrap();
        drop(response);
    }
    assert_eq!(session.get(shared().url("/bytes/1")).send_blocking().unwrap().status(), 200);
    drop(session.get(shared().url("/bytes/50000000")).stream()); // before its head
    assert_eq!(session.get(shared().url("/bytes/1")).send_blocking().unwrap().status(), 200);
}

#[test]
fn many_at_once() {
    let session = Session::builder().limit(10).build().unwrap();
    let url = shared().url("/bytes/20000");
    let streams: Vec<_> = (0..50).map(|_| session.get(&url).stream()).collect();
    for stream in streams {
        let whole = block_on(async { stream.await?.rest().await }).unwrap();
        assert_eq!(whole.len(), 20_000);
    }
}
