//! One client of tools/bench_rust.py: CLIENT URL OUTSTANDING REQUESTS; prints one line of JSON.
//!
//! So many tasks send GETs one after another, as in any program that fetches many things. The CPU is that of the whole
//! process while they run.

use std::future::Future;
use std::process::exit;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};

const SIZE: usize = 1024;

/// Gives each task its next turn, until all requests are given out.
#[derive(Clone)]
struct Turns(Arc<AtomicI64>);

impl Turns {
    fn next(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) > 0
    }
}

fn check(status: u16, size: usize) {
    if status != 200 || size != SIZE {
        eprintln!("a wrong answer: {status}, {size} bytes");
        exit(1);
    }
}

fn fail(what: impl std::fmt::Display) -> ! {
    eprintln!("{what}");
    exit(1)
}

async fn hc_task(session: hc::Session, url: Arc<str>, turns: Turns) {
    while turns.next() {
        let response = session.get(&*url).send().await.unwrap_or_else(|error| fail(error));
        check(response.status(), response.body().len());
    }
}

async fn reqwest_task(client: reqwest::Client, url: Arc<str>, turns: Turns) {
    while turns.next() {
        let response = client.get(&*url).send().await.unwrap_or_else(|error| fail(error));
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap_or_else(|error| fail(error));
        check(status, body.len());
    }
}

fn run<F: Future<Output = ()> + Send + 'static>(runtime: &Runtime, outstanding: usize, task: impl Fn() -> F) {
    let tasks: Vec<_> = (0..outstanding).map(|_| runtime.spawn(task())).collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap_or_else(|error| fail(error));
        }
    });
}

/// Of this process, in clock ticks of 1/100 s (see proc(5)).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_else(|error| fail(error));
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<f64>().unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (client, url): (&str, Arc<str>) = (&arguments[1], arguments[2].as_str().into());
    let number = |place: usize| arguments[place].parse::<usize>().unwrap_or_else(|error| fail(error));
    let (outstanding, requests) = (number(3), number(4));
    let turns = Turns(Arc::new(AtomicI64::new(requests as i64)));
    let runtime = match client.ends_with("-1") {
        true => Builder::new_current_thread().enable_all().build(),
        false => Builder::new_multi_thread().enable_all().build(),
    };
    let runtime = runtime.unwrap_or_else(|error| fail(error));
    let (started, cpu);
    if client.starts_with("hc") {
        let session = hc::Session::builder().limit(outstanding as u64).build();
        let session = session.unwrap_or_else(|error| fail(error));
        (started, cpu) = (Instant::now(), cpu_seconds());
        run(&runtime, outstanding, || hc_task(session.clone(), url.clone(), turns.clone()));
    } else {
        let client = reqwest::Client::builder().build().unwrap_or_else(|error| fail(error));
        (started, cpu) = (Instant::now(), cpu_seconds());
        run(&runtime, outstanding, || reqwest_task(client.clone(), url.clone(), turns.clone()));
    }
    let (seconds, used) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let each = used / requests as f64 * 1e6;
    println!("{{\"requests\": {requests}, \"seconds\": {seconds}, \"cpu_us_per_request\": {each}}}");
}
