//! Failures: their variant, phase, number of the system's, and the C interface's one line.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use hc::{Clock, Error, Native, Phase, Session, Timeouts};
use hc_testing::{closed_port, shared, silent};

fn error_of(session: &Session, url: impl Into<String>) -> Error {
    session.get(url.into()).send_blocking().unwrap_err()
}

fn with_dns() -> hc::SessionBuilder {
    Session::builder().nameservers(shared().dns())
}

#[test]
fn refused() {
    let port = closed_port();
    let error = error_of(&Session::new().unwrap(), format!("http://127.0.0.1:{port}/"));
    assert!(matches!(error, Error::Connect(_)), "{error:?}");
    assert_eq!((error.phase(), error.native()), (Some(Phase::Connecting), Some(Native::Errno(111))));
    assert_eq!(error.to_string(), format!("127.0.0.1:{port}: connect failed: Connection refused"));
    assert!(error.response().is_none() && !error.is_timeout());
}

#[test]
fn no_such_name() {
    let error = error_of(&with_dns().build().unwrap(), "http://gone.test/");
    assert!(matches!(error, Error::Dns(_)), "{error:?}");
    assert_eq!((error.phase(), error.native()), (Some(Phase::Resolving), Some(Native::Ares(4))));
}

#[test]
fn clocks_tell_which_one_and_where() {
    let short = Some(Duration::from_millis(30));
    let long = Some(Duration::from_millis(500)); // to come to the phase that is looked for on a busy machine
    let server = shared();
    let (hang, silent) = (server.url("/hang"), silent());
    let cases = [
        (Timeouts { total: long, ..Default::default() }, hang.clone(), Clock::Total, Phase::Awaiting),
        (Timeouts { sock_read: short, ..Default::default() }, hang.clone(), Clock::SockRead, Phase::Awaiting),
        (Timeouts { first_byte: short, ..Default::default() }, hang, Clock::FirstByte, Phase::Awaiting),
        (
            Timeouts { dns: short, ..Default::default() },
            "http://mute.test/".into(),
            Clock::Dns,
            Phase::Resolving,
        ),
        (
            Timeouts { sock_connect: short, ..Default::default() },
            silent.https_url(),
            Clock::SockConnect,
            Phase::Connecting,
        ),
        (
            Timeouts { connect: short, ..Default::default() },
            silent.https_url(),
            Clock::Connect,
            Phase::Connecting,
        ),
    ];
    for (timeouts, url, clock, phase) in cases {
        let error = error_of(&with_dns().timeouts(timeouts).build().unwrap(), url);
        assert!(matches!(error, Error::Timeout(ended, _) if ended == clock), "{error:?}");
        assert_eq!(error.phase(), Some(phase), "{clock:?}");
        assert!(error.is_timeout() && error.phase_elapsed() > Duration::ZERO);
    }
}

#[test]
fn the_pool_clock_ends_a_request_in_line() {
    let session = Session::builder().limit(1).build().unwrap();
    let first = session.get(shared().url("/hang")).send();
    let timeouts = Timeouts { pool: Some(Duration::from_millis(20)), ..Default::default() };
    let error = session.get(shared().url("/bytes/1")).timeouts(timeouts).send_blocking().unwrap_err();
    assert!(matches!(error, Error::Timeout(Clock::Pool, _)));
    assert_eq!(error.phase(), Some(Phase::Waiting));
    drop(first);
}

#[test]
fn bodies_that_end_early_keep_what_arrived() {
    let error = error_of(&Session::new().unwrap(), shared().url("/truncate"));
    assert!(matches!(error, Error::Incomplete(_)), "{error:?}");
    assert_eq!(error.phase(), Some(Phase::Receiving));
    assert_eq!(error.response().unwrap().status(), 200);
}

#[test]
fn answers_that_are_not_http() {
    let session = Session::new().unwrap();
    assert!(matches!(error_of(&session, shared().url("/badchunk")), Error::Protocol(_)));
    assert!(matches!(error_of(&session, shared().url("/reset")), Error::Disconnected(_)));
}

#[test]
fn bounds_of_the_session() {
    let session = Session::builder().max_body(100).max_redirects(1).build().unwrap();
    assert!(matches!(error_of(&session, shared().url("/bytes/101")), Error::TooLarge(_)));
    let error = error_of(&session, shared().url("/redirect/2"));
    assert!(matches!(error, Error::TooManyRedirects(_)));
    assert_eq!(error.response().unwrap().status(), 302);
    assert!(matches!(error_of(&session, shared().url("/headerbomb")), Error::TooLarge(_)));
}

#[test]
fn a_full_line_is_overload() {
    let session = Session::builder().limit(1).max_waiting(1).build().unwrap();
    let held: Vec<_> = (0..10).map(|_| session.get(shared().url("/hang")).send()).collect();
    let error = error_of(&session, shared().url("/bytes/1"));
    assert!(matches!(error, Error::Overload(_)), "{error:?}");
    drop(held);
}

#[test]
fn address_policy() {
    let error = error_of(&Session::builder().public_only(true).build().unwrap(), shared().url("/bytes/1"));
    assert!(matches!(error, Error::AddressDenied(_)), "{error:?}");
}

#[test]
fn proxies_that_refuse() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let _ = client.read(&mut [0; 4096]).unwrap();
        client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let error = error_of(&Session::builder().proxy(proxy).build().unwrap(), "https://server.test/");
    assert!(matches!(error, Error::Proxy(_)), "{error:?}");
    assert_eq!(error.native(), Some(Native::Proxy(403)));
    serving.join().unwrap();
}

#[test]
fn options_that_make_no_sense_are_named() {
    let wrong = [
        (Session::builder().proxy("ftp://proxy.test"), "proxy"),
        (Session::builder().nameservers("nonsense"), "nameservers"),
        (Session::builder().deny_addresses("nonsense"), "deny_addresses"),
        (Session::builder().local_addr("localhost"), "local_addr"),
        (Session::builder().max_redirects(1001), "max_redirects"),
        (Session::builder().body_window(1), "body_window"),
        (Session::builder().dns_cache_size(0), "dns_cache_size"),
        (Session::builder().header("Content-Length", "1"), "headers"),
        (Session::builder().base_url("relative"), "base_url"),
        (Session::builder().force_close(true).keepalive_timeout(Duration::from_secs(1)), "force_close"),
    ];
    for (builder, named) in wrong {
        let error = builder.build().unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        assert!(error.message().contains(named), "{error}");
    }
    let error = Session::builder().ca_file("/nonexistent").build().unwrap_err();
    assert!(matches!(error, Error::TlsConfig(_)), "{error:?}");
}

#[test]
fn errors_are_standard_ones() {
    let error = error_of(&Session::new().unwrap(), format!("http://127.0.0.1:{}/", closed_port()));
    let line = error.message().to_owned();
    let boxed: Box<dyn std::error::Error + Send + Sync> = error.into();
    assert_eq!(boxed.to_string(), line);
    let timed_out: std::io::Error = Session::new()
        .unwrap()
        .get(shared().url("/hang"))
        .timeout(Duration::from_millis(10))
        .send_blocking()
        .unwrap_err()
        .into();
    assert_eq!(timed_out.kind(), std::io::ErrorKind::TimedOut);
}
