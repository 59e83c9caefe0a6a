//! Options of a session and of a request, one of each kind at least: that they arrive, and what they then do.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::thread;
use std::time::Duration;

use hc::{Body, Error, Family, LogLevel, Session, SessionBuilder, Timeouts};
use hc_testing::shared;

fn get(session: &Session, path: &str) -> hc::Response {
    session.get(shared().url(path)).send_blocking().unwrap()
}

#[test]
fn every_option_is_taken() {
    let second = Duration::from_secs(1);
    let session = Session::builder()
        .limit(10)
        .limit_per_host(5)
        .max_connecting(5)
        .max_waiting(100)
        .keepalive_timeout(second)
        .max_lifetime(60 * second)
        .retry_stale(true)
        .use_dns_cache(true)
        .family(Family::V4)
        .tls_verify(true)
        .ttl_dns_cache(second)
        .dns_stale_ttl(second)
        .dns_negative_ttl(second)
        .dns_cache_size(10)
        .happy_eyeballs(second)
        .nameservers(shared().dns())
        .no_proxy("127.0.0.1, localhost")
        .proxy("http://127.0.0.1:1")
        .proxy_header("X-Way", "1")
        .trust_env(false)
        .public_only(false)
        .deny_addresses("192.0.2.0/24")
        .trusted_proxies("proxy.test")
        .local_addr("127.0.0.1")
        .tcp_nodelay(true)
        .tcp_keepalive(true)
        .tcp_keepalive_idle(60 * second)
        .tcp_keepalive_interval(60 * second)
        .tcp_user_timeout(60 * second)
        .receive_buffer(100_000)
        .send_buffer(100_000)
        .timeouts(Timeouts {
            total: Some(60 * second),
            pool: Some(60 * second),
            dns: Some(60 * second),
            connect: Some(60 * second),
            sock_connect: Some(60 * second),
            sock_read: Some(60 * second),
            sock_write: Some(60 * second),
            first_byte: Some(60 * second),
        })
        .max_body(1_000_000)
        .body_window(100_000)
        .max_header_bytes(10_000)
        .max_headers(100)
        .max_redirects(5)
        .insecure_redirects(false)
        .decompress(true)
        .base_url(shared().url("/bytes/"))
        .basic_auth("me", "secret")
        .header("X-Team", "blue")
        .user_agent("tester/1")
        .on_log(LogLevel::Debug, |_, _| {})
        .busy_poll(Duration::from_micros(100))
        .build()
        .unwrap();
    assert_eq!(session.get("7").send_blocking().unwrap().body().len(), 7);
}

/// In the C interface that number stands for "not set".
#[test]
fn the_largest_number_is_not_the_default() {
    let error = Session::builder().limit(u64::MAX).build().unwrap_err();
    assert!(error.message().starts_with("limit:"), "{error}");

    let session = Session::builder().max_body(2).build().unwrap();
    let unbounded = session.get(shared().url("/bytes/10")).max_body(u64::MAX).send_blocking();
    assert_eq!(unbounded.unwrap().body().len(), 10);

    let program = std::env::current_exe().unwrap();
    let beyond = session.post(shared().url("/echo")).body(Body::file(program).range(u64::MAX, 0));
    let error = beyond.send_blocking().unwrap_err();
    assert!(error.message().starts_with("body_offset:"), "{error}");
}

#[test]
fn every_field_of_a_request_is_taken() {
    let second = Duration::from_secs(1);
    let session = Session::new().unwrap();
    let request = session
        .request("POST", shared().url("/echo/head"))
        .priority(3)
        .force_close(true)
        .retry_stale(false)
        .insecure_redirects(true)
        .decompress(false)
        .expect_continue(false)
        .max_redirects(3)
        .max_body(10_000)
        .timeouts(Timeouts { sock_read: Some(10 * second), ..Default::default() })
        .timeout(10 * second)
        .basic_auth("me", "secret")
        .proxy("none")
        .address("127.0.0.1")
        .certificates(hc::Certificates::Der)
        .body("x");
    let head = request.send_blocking().unwrap();
    assert!(head.text().contains("Authorization: Basic bWU6c2VjcmV0"), "{}", head.text());
    assert!(!head.text().contains("Accept-Encoding"), "decompress is off");
}

#[test]
fn limits_hold() {
    let session = Session::builder().limit(3).build().unwrap();
    let send_held = |_| {
        let (sender, body) = Body::channel();
        (session.post(shared().url("/echo")).body(body).send(), sender)
    };
    let held: Vec<_> = (0..30).map(send_held).collect();
    for (request, sender) in held {
        sender.finish(); // none is over before all are sent
        request.wait().unwrap();
    }
    assert_eq!(session.stats().unwrap().sockets_peak, 3);
}

#[test]
fn connections_are_closed_or_kept_as_the_session_says() {
    let session = Session::builder().force_close(true).build().unwrap();
    assert!(!get(&session, "/bytes/1").is_reused() && !get(&session, "/bytes/1").is_reused());
    let session = Session::builder().keepalive_timeout(Duration::ZERO).build().unwrap();
    assert!(!get(&session, "/bytes/1").is_reused() && !get(&session, "/bytes/1").is_reused());
    let session = Session::new().unwrap();
    assert!(!get(&session, "/bytes/1").is_reused() && get(&session, "/bytes/1").is_reused());
}

#[test]
fn agents_and_base_urls() {
    let session =
        Session::builder().user_agent("tester/1").base_url(shared().url("/echo/x")).build().unwrap();
    assert!(session.get("head").send_blocking().unwrap().text().contains("User-Agent: tester/1\r\n"));
    let session = Session::builder().user_agent("").build().unwrap();
    assert!(!get(&session, "/echo/head").text().contains("User-Agent"));
}

#[test]
fn bodies_are_decoded_or_not() {
    let session = Session::new().unwrap();
    assert_eq!(get(&session, "/gzip/1000").body().len(), 1000);
    let raw = session.get(shared().url("/gzip/1000")).decompress(false).send_blocking().unwrap();
    assert_ne!(raw.body().len(), 1000);
}

#[test]
fn redirects_are_followed_as_far_as_allowed() {
    let session = Session::builder().max_redirects(0).build().unwrap();
    assert_eq!(get(&session, "/redirect/1").status(), 302);
    let followed = session.get(shared().url("/redirect/1")).max_redirects(1).send_blocking().unwrap();
    assert_eq!(followed.status(), 200);
}

#[test]
fn names_are_answered_by_overrides_servers_and_caches() {
    let session = Session::builder().nameservers(shared().dns()).build().unwrap();
    let port = shared().port();
    let url = format!("http://one.test:{port}/bytes/1");
    assert_eq!(session.get(&url).send_blocking().unwrap().status(), 200);
    session.resolve_add("fixed.test", 0, &["127.0.0.1"]).unwrap();
    let fixed = format!("http://fixed.test:{port}/bytes/1");
    assert_eq!(session.get(&fixed).send_blocking().unwrap().status(), 200);
    session.resolve_add("fixed.test", 0, &[]).unwrap();
    session.dns_clear(Some("fixed.test")).unwrap();
    session.dns_clear(None).unwrap();
    assert_eq!(session.stats().unwrap().dns_lookups, 1);
    let error = session.resolve_add("fixed.test", 0, &["not numeric"]).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)) && error.message().starts_with("addresses"), "{error}");
}

#[test]
fn a_proxy_gets_the_request() {
    let session = Session::builder().proxy(shared().url("")).proxy_header("X-Way", "blue").build().unwrap();
    let head = session.get("http://server.test/echo/head").send_blocking().unwrap();
    assert!(head.text().starts_with("GET http://server.test/echo/head HTTP/1.1\r\n"), "{}", head.text());
    assert!(head.text().contains("X-Way: blue\r\n"));
    let direct = session.get(shared().url("/echo/head")).proxy("none").send_blocking().unwrap();
    assert!(direct.text().starts_with("GET /echo/head"));
}

#[test]
fn a_unix_socket() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("socket");
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let serving = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let _ = client.read(&mut [0; 4096]).unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
    });
    let session = Session::builder().unix_path(&path).build().unwrap();
    let response = session.get("http://anything.test/").send_blocking().unwrap();
    assert_eq!((response.text().as_ref(), response.remote()), ("ok", None));
    serving.join().unwrap();
}

#[test]
fn the_log_tells_what_it_is_asked_for() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let log = move |level: LogLevel, line: &str| kept.lock().unwrap().push((level, line.to_owned()));
    let session = Session::builder().limit(0).on_log(LogLevel::Warning, log).build().unwrap();
    drop(session);
    let lines = lines.lock().unwrap();
    assert!(lines.iter().all(|(level, _)| *level <= LogLevel::Warning));
    assert!(lines[0].1.contains("limit is 0"), "{lines:?}");
}

#[test]
fn traces_come_in_order() {
    let (told, events) = mpsc::channel();
    let told = Mutex::new(told);
    let trace = move |event: &hc::TraceEvent<'_>| {
        let _ = told.lock().unwrap().send((event.name(), event.origin.clone().into_owned(), event.id));
    };
    let session = Session::builder().on_trace(trace).build().unwrap();
    get(&session, "/bytes/1");
    drop(session);
    let events: Vec<_> = events.into_iter().collect();
    let place = |name| {
        events.iter().position(|event| event.0 == name).unwrap_or_else(|| panic!("{name}: {events:?}"))
    };
    assert!(place("request_start") < place("connection_create_start"));
    assert!(place("connection_create_end") < place("response_start"));
    assert!(place("response_start") < place("request_end"));
    assert_eq!(events[place("request_end")].1, shared().url(""));
    assert_ne!(events[place("request_end")].2, 0);
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("what a panic carries: this line is expected in the output");
    }
}

#[test]
fn what_a_panic_carries_may_panic() {
    let session = Session::builder().on_socket(|_| std::panic::panic_any(PanicsWhenDropped)).build().unwrap();
    let error = session.get(shared().url("/bytes/1")).send_blocking().unwrap_err();
    assert!(matches!(error, Error::Callback(_)), "{error:?}");
}

#[test]
fn sockets_are_seen_and_refused() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = seen.clone();
    let look = move |socket: &hc::SocketInfo<'_>| {
        assert!(socket.fd >= 0 && socket.address == "127.0.0.1" && socket.host == "127.0.0.1");
        counted.fetch_add(1, Ordering::Relaxed) == 0
    };
    let session = Session::builder().on_socket(look).force_close(true).build().unwrap();
    get(&session, "/bytes/1");
    let error = session.get(shared().url("/bytes/1")).send_blocking().unwrap_err();
    assert!(matches!(error, Error::Callback(_)), "{error:?}");
    assert_eq!(seen.load(Ordering::Relaxed), 2);
}

fn resolving(resolve: impl Fn(hc::Query) -> Option<hc::Query> + Send + Sync + 'static) -> Session {
    SessionBuilder::on_resolve(Session::builder().nameservers(shared().dns()), resolve).build().unwrap()
}

#[test]
fn queries_are_answered_now_later_or_never() {
    let port = shared().port();
    let url = |host: &str| format!("http://{host}:{port}/bytes/1");
    let (told, asked) = mpsc::channel::<hc::Query>();
    let told = Mutex::new(told);
    let session = resolving(move |query| match query.host() {
        "now.test" => query.answer(["127.0.0.1"], Some(Duration::from_secs(5))).ok().and(None),
        "later.test" => told.lock().unwrap().send(query).ok().and(None),
        "wrong.test" => query.answer(["not numeric"], None).err().and(None),
        "fails.test" => {
            query.fail("for no reason");
            None
        }
        "panics.test" => panic!("a resolver that panics: this line is expected in the output"),
        "drops.test" => None,
        _ => Some(query),
    });
    let later = session.get(url("later.test")).send();
    let query = asked.recv().unwrap();
    assert_eq!((query.host(), query.family()), ("later.test", Family::Any));
    query.answer(["127.0.0.1"], None).unwrap();
    assert_eq!(later.wait().unwrap().status(), 200);
    for host in ["now.test", "one.test"] {
        assert_eq!(session.get(url(host)).send_blocking().unwrap().status(), 200, "{host}");
    }
    for (host, reason) in
        [("fails.test", "for no reason"), ("panics.test", "dropped"), ("wrong.test", "dropped")]
    {
        let error = session.get(url(host)).send_blocking().unwrap_err();
        assert!(matches!(error, Error::Dns(_)) && error.message().contains(reason), "{host}: {error:?}");
    }
}
