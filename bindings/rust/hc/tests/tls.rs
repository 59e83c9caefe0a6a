//! TLS identities.

use std::process::Command;
use std::sync::Mutex;
use std::{fs, thread};

use hc::{Certificates, Error, Native, Phase, Session, Tls, TlsVersion};
use hc_testing::{shared, Server};

fn trusting(tls: &Tls) -> Session {
    Session::builder().tls(tls).build().unwrap()
}

#[test]
fn an_unknown_authority_is_refused() {
    let error = Session::new().unwrap().get(shared().https_url("/bytes/1")).send_blocking().unwrap_err();
    assert!(matches!(error, Error::TlsVerify(_)), "{error:?}");
    assert_eq!(error.phase(), Some(Phase::Connecting));
    assert!(matches!(error.native(), Some(Native::Tls(_))), "{error:?}");
}

#[test]
fn authorities_as_file_as_text_and_of_the_session() {
    let url = shared().https_url("/bytes/1");
    let pem = fs::read_to_string(shared().ca()).unwrap();
    let by_file = Tls::builder().ca_file(shared().ca()).min_version(TlsVersion::Tls12).build().unwrap();
    let by_text = Tls::builder().ca_pem(pem).build().unwrap();
    assert_eq!(trusting(&by_file).get(&url).send_blocking().unwrap().status(), 200);
    assert_eq!(trusting(&by_text).get(&url).send_blocking().unwrap().status(), 200);
    let plain = Session::builder().ca_file(shared().ca()).build().unwrap();
    assert_eq!(plain.get(&url).send_blocking().unwrap().status(), 200);
    let careless = Session::builder().tls_verify(false).build().unwrap();
    assert_eq!(careless.get(&url).send_blocking().unwrap().status(), 200);
}

#[test]
fn an_identity_for_one_request() {
    let session = Session::new().unwrap();
    let tls = Tls::builder().verify(false).build().unwrap();
    let request = session.get(shared().https_url("/bytes/1")).tls(&tls).certificates(Certificates::Pem);
    drop(tls); // who named it keeps it
    let response = request.send_blocking().unwrap();
    let certificates: Vec<_> = response.certificates().collect();
    assert!(certificates[0].starts_with(b"-----BEGIN CERTIFICATE-----"));
}

#[test]
fn pins_and_names() {
    let url = shared().https_url("/bytes/1");
    let pinned = Tls::builder().ca_file(shared().ca()).pin("00".repeat(32)).build().unwrap();
    let error = trusting(&pinned).get(&url).send_blocking().unwrap_err();
    assert!(matches!(error, Error::TlsVerify(_)), "{error:?}");
    let named = Tls::builder().ca_file(shared().ca()).server_name("localhost").build().unwrap();
    assert_eq!(trusting(&named).get(&url).send_blocking().unwrap().status(), 200);
    let wrong = Tls::builder().ca_file(shared().ca()).server_name("other.test").build().unwrap();
    assert!(matches!(trusting(&wrong).get(&url).send_blocking().unwrap_err(), Error::TlsVerify(_)));
}

#[test]
fn a_certificate_of_our_own() {
    let server = Server::start(&["--https", "127.0.0.1:0", "--require-client-cert"]);
    let url = server.https_url("/bytes/1");
    let folder = server.ca().parent().unwrap().to_owned();
    let stranger = Tls::builder().ca_file(server.ca()).build().unwrap();
    assert!(trusting(&stranger).get(&url).send_blocking().is_err());
    let known = Tls::builder()
        .ca_file(server.ca())
        .certificate_file(folder.join("client.pem"))
        .key_file(folder.join("client.key"))
        .build()
        .unwrap();
    assert_eq!(trusting(&known).get(&url).send_blocking().unwrap().status(), 200);
}

#[test]
fn what_is_wrong_with_an_identity_is_named() {
    let error = Tls::builder().ca_file("/nonexistent").build().unwrap_err();
    assert!(matches!(error, Error::TlsConfig(_)) && error.message().contains("ca_file"), "{error:?}");
    let error = Tls::builder().pin("short").build().unwrap_err();
    assert!(matches!(error, Error::Invalid(_)) && error.message().contains("pins"), "{error:?}");
    let error = Tls::builder().certificate_pem("nonsense").build().unwrap_err();
    assert!(error.message().contains("certificate_pem"), "{error:?}");
    let tls = Tls::builder().build().unwrap();
    let error = Session::builder().tls(&tls).tls_verify(true).build().unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
}

const URL_AT_EXIT: &str = "HC_TESTS_URL_AT_EXIT";
static NEVER_ENDED: Mutex<Option<Session>> = Mutex::new(None);

extern "C" {
    fn atexit(function: extern "C" fn()) -> i32;
}

extern "C" fn fetch_at_exit() {
    // On a thread of its own: this one has given up what is local to it.
    let fetch = || {
        let session = NEVER_ENDED.lock().unwrap().take().unwrap();
        session.get(std::env::var(URL_AT_EXIT).unwrap()).send_blocking().unwrap().status()
    };
    if !matches!(thread::spawn(fetch).join(), Ok(200)) {
        std::process::abort();
    }
}

/// As one ends that keeps its session in a static. What is registered first is called last: after whatever the libraries
/// registered when they were set up.
#[test]
fn a_program_may_end_while_its_session_works() {
    if std::env::var_os(URL_AT_EXIT).is_none() {
        let mut program = Command::new(std::env::current_exe().unwrap());
        let this = ["a_program_may_end_while_its_session_works", "--exact", "--nocapture"];
        program
            .args(this)
            .env(URL_AT_EXIT, shared().https_url("/bytes/10"))
            .env("SSL_CERT_FILE", shared().ca());
        assert!(program.status().unwrap().success());
        return;
    }
    assert_eq!(unsafe { atexit(fetch_at_exit) }, 0);
    *NEVER_ENDED.lock().unwrap() = Some(Session::new().unwrap());
    std::process::exit(0);
}
