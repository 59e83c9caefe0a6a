//! Fetches all URLs on the command line at once, through one session.
//!
//!     cargo run --offline --example fetch http://localhost:8080/bytes/1000 http://127.0.0.1:1/

use std::time::Duration;

fn main() -> hc::Result<()> {
    let session = hc::Session::builder()
        .limit(20) // sockets at one time, idle ones included
        .limit_per_host(8)
        .timeout(Duration::from_secs(10))
        .build()?;
    let urls: Vec<String> = std::env::args().skip(1).collect();
    let requests: Vec<_> = urls.iter().map(|url| session.get(url).send()).collect();
    hc::block_on(async {
        for (url, request) in urls.iter().zip(requests) {
            match request.await {
                Ok(response) => println!("{}  {} bytes  {url}", response.status(), response.body().len()),
                Err(error) => println!("{}  {error}  {url}", error.code_name()),
            }
        }
        session.close(Duration::ZERO).await
    })
}
