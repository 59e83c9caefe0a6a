//! The futures of hc under tokio: on both kinds of its runtime, with its timeouts, tasks and channels.

use std::future::Future;
use std::time::Duration;

use hc::{Body, Error, Session};
use hc_testing::shared;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// The same on one thread and on several.
fn on_both<F: Future<Output = ()>>(code: impl Fn(Session) -> F) {
    let runtimes: [fn() -> std::io::Result<Runtime>; 2] = [
        || Builder::new_current_thread().enable_all().build(),
        || Builder::new_multi_thread().worker_threads(2).enable_all().build(),
    ];
    for runtime in runtimes {
        runtime().unwrap().block_on(code(Session::builder().limit(50).build().unwrap()));
    }
}

#[test]
fn a_thousand_requests_in_tasks() {
    on_both(|session| async move {
        let tasks: Vec<_> = (0..1_000)
            .map(|_| {
                let session = session.clone();
                tokio::spawn(async move { session.get(shared().url("/bytes/10")).send().await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap().body().len(), 10);
        }
        let stats = session.stats().unwrap();
        assert_eq!((stats.succeeded, stats.sockets_peak <= 50), (1_000, true));
    });
}

#[test]
fn timeouts_of_the_runtime_cancel() {
    on_both(|session| async move {
        let hanging = session.get(shared().url("/hang")).send();
        assert!(timeout(Duration::from_millis(20), hanging).await.is_err());
        assert_eq!(session.get(shared().url("/bytes/1")).send().await.unwrap().status(), 200);
        assert_eq!(session.stats().unwrap().cancelled, 1);
    });
}

#[test]
fn aborted_tasks_cancel() {
    on_both(|session| async move {
        let url = shared().url("/hang");
        let request = session.get(&url).send();
        let task = tokio::spawn(request);
        tokio::task::yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(session.get(shared().url("/bytes/1")).send().await.unwrap().status(), 200);
        assert_eq!(session.stats().unwrap().cancelled, 1);
    });
}

#[test]
fn bodies_stream_down_and_up_at_the_same_time() {
    on_both(|session| async move {
        let (mut sender, body) = Body::channel();
        let answer = session.post(shared().url("/echo")).body(body).send();
        let mut download = session.get(shared().url("/bytes/2000000")).stream().await.unwrap();
        let copied = tokio::spawn(async move {
            let mut size = 0;
            while let Some(chunk) = download.chunk().await.unwrap() {
                size += chunk.len();
                sender.send(chunk.to_vec()).await.unwrap();
            }
            sender.finish();
            size
        });
        assert_eq!(copied.await.unwrap(), 2_000_000);
        assert_eq!(answer.await.unwrap().body().len(), 2_000_000);
    });
}

#[test]
fn errors_come_through_tasks() {
    on_both(|session| async move {
        let request = session.get("http://127.0.0.1:1/").send();
        let error = tokio::spawn(request).await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Connect(_)), "{error:?}");
        session.close(Duration::ZERO).await.unwrap();
        let error = session.get(shared().url("/bytes/1")).send().await.unwrap_err();
        assert!(matches!(error, Error::Closed(_)), "{error:?}");
    });
}

#[test]
fn a_runtime_that_ends_first_cancels_its_tasks() {
    let session = Session::new().unwrap();
    session.get(shared().url("/bytes/1")).send_blocking().unwrap();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for _ in 0..10 {
        runtime.spawn(session.get(shared().url("/hang")).send());
    }
    runtime.block_on(tokio::task::yield_now());
    drop(runtime);
    assert_eq!(session.get(shared().url("/bytes/1")).send_blocking().unwrap().status(), 200);
    assert_eq!(session.stats().unwrap().cancelled, 10);
}
