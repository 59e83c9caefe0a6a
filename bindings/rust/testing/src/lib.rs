//! What the tests of `hc` share: the embedded server, and counts of threads and descriptors.
//!
//! The server is `hcx serve` of the file that HC_HCX names, else of the tree's dev build.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::Once;

/// A server of its own, that ends with this.
pub struct Server {
    process: Child,
    endpoints: HashMap<String, String>,
}

/// http, https and DNS, each on a port of its own.
pub fn serve() -> Server {
    let mut arguments = vec!["--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--dns", "127.0.0.1:0"];
    for name in ["slow.test=127.0.0.1+400", "mute.test=silence", "gone.test=nxdomain", "one.test=127.0.0.1"] {
        arguments.extend(["--dns-name", name]);
    }
    Server::start(&arguments)
}

/// The server of this process. It ends when its standard input closes, with the process.
pub fn shared() -> &'static Server {
    static START: Once = Once::new();
    static SERVER: AtomicPtr<Server> = AtomicPtr::new(ptr::null_mut());
    START.call_once(|| SERVER.store(Box::into_raw(Box::new(serve())), Ordering::Release));
    unsafe { &*SERVER.load(Ordering::Acquire) } // never freed
}

impl Server {
    pub fn start(arguments: &[&str]) -> Server {
        let mut process = Command::new(hcx())
            .arg("serve")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|why| panic!("{}: {why}", hcx().display()));
        let told = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let told: Vec<String> = told.take_while(|line| line != "ready").collect();
        let endpoints = told.iter().filter_map(|line| line.split_once(' '));
        let endpoints = endpoints.map(|(kind, value)| (kind.to_owned(), value.to_owned())).collect();
        Server { process, endpoints }
    }

    fn endpoint(&self, kind: &str) -> &str {
        self.endpoints.get(kind).unwrap_or_else(|| panic!("the server has no {kind}"))
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.endpoint("http"))
    }

    pub fn https_url(&self, path: &str) -> String {
        format!("https://{}{path}", self.endpoint("https"))
    }

    pub fn port(&self) -> u16 {
        self.endpoint("http").rsplit(':').next().unwrap().parse().unwrap()
    }

    pub fn dns(&self) -> &str {
        self.endpoint("dns")
    }

    /// The authority of the https endpoint's certificate.
    pub fn ca(&self) -> PathBuf {
        self.endpoint("ca").into()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take()); // which ends it
        let _ = self.process.wait();
    }
}

fn hcx() -> PathBuf {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../build/dev/bin/hcx");
    std::env::var_os("HC_HCX").map_or_else(|| PathBuf::from(built), PathBuf::from)
}

/// A listener to which the kernel connects, and behind which nobody answers.
pub struct Silent(TcpListener);

pub fn silent() -> Silent {
    Silent(TcpListener::bind("127.0.0.1:0").unwrap())
}

impl Silent {
    pub fn url(&self) -> String {
        format!("http://{}/", self.0.local_addr().unwrap())
    }

    pub fn https_url(&self) -> String {
        format!("https://{}/", self.0.local_addr().unwrap())
    }
}

/// A port on which nobody listens.
pub fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The threads of sessions, as pthread_join() counts: one that was joined leaves /proc a moment later.
pub fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().filter(|task| is_alive(&task.as_ref().unwrap().path())).count()
}

fn is_alive(task: &Path) -> bool {
    const EXITING: u64 = 0x4; // PF_EXITING of linux/sched.h
    fs::read_to_string(task.join("stat")).map_or(false, |stat| {
        let (name, fields) = stat.rsplit_once(')').unwrap(); // see proc(5)
        let is_of_a_session = ["(libhc", "(hc-names", "(hc-end"].iter().any(|ours| name.ends_with(ours));
        is_of_a_session && fields.split_whitespace().nth(6).unwrap().parse::<u64>().unwrap() & EXITING == 0
    })
}
