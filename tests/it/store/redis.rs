//! What is true of Redis only: it can be away, slow, or gone without a word.

use std::{
    io::Read,
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use openrouter_connector::{
    error::Kind,
    store::{Capability, Store},
};

use super::bench::{Bench, Engine, connect, job, settings};
use crate::support::block_on;

const TIMEOUT: Duration = Duration::from_millis(300);

/// Opens a store at `url` and sees it fail in time, in reads and in writes.
async fn fails_in_time(url: String) {
    let mut settings = settings(url);
    settings.timeout = TIMEOUT;
    let store = Store::open(&settings).await.unwrap();
    let new = job(&Capability::random());
    for _ in 0..2 {
        let started = Instant::now();
        let read = store.get(&new.address).await.unwrap_err();
        let written = store.put(&new).await.unwrap_err();
        let ready = store.ready().await.unwrap_err();
        let took = started.elapsed();
        assert!(took < TIMEOUT * 3 + Duration::from_millis(500), "{took:?}");
        for error in [read, written, ready] {
            assert_eq!(error.kind(), Kind::Unavailable);
            assert_eq!(error.wait(), Some(Duration::from_secs(5)));
            assert!(!format!("{error:?}").contains("hush"));
            assert!(!error.log_detail().contains("hush"));
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_an_error_in_time() {
    // Bound and closed again: nothing listens there.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    block_on(fails_in_time(format!("redis://me:hush@127.0.0.1:{port}/0")));
}

#[test]
fn a_server_that_says_nothing_is_an_error_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    block_on(fails_in_time(format!("redis://me:hush@{address}/0")));
}

#[test]
fn rediss_speaks_tls() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let first = thread::spawn(move || {
        let (mut caller, _) = server.accept().unwrap();
        let mut bytes = [0; 3];
        caller.read_exact(&mut bytes).unwrap();
        bytes
    });
    block_on(fails_in_time(format!("rediss://me:hush@{address}/0")));
    // A handshake record of TLS.
    assert_eq!(first.join().unwrap()[..2], [0x16, 0x03]);
}

#[test]
fn a_connection_that_breaks_comes_back_by_itself() {
    block_on(async {
        let Some(bench) = Bench::new(Engine::Redis).await else {
            return;
        };
        let new = job(&Capability::random());
        bench.store.put(&new).await.unwrap();
        let url = bench.database();
        let number = url.rsplit('/').next().unwrap();
        let mut other = connect(url.trim_end_matches(number)).await;
        for _ in 0..3 {
            let clients: String = redis::cmd("CLIENT")
                .arg("LIST")
                .query_async(&mut other)
                .await
                .unwrap();
            let ours = clients
                .lines()
                .filter(|line| line.contains(&format!(" db={number} ")));
            let mut closed = 0;
            for client in ours {
                let id = client.trim_start_matches("id=").split(' ').next().unwrap();
                let killed: u8 = redis::cmd("CLIENT")
                    .arg("KILL")
                    .arg("ID")
                    .arg(id)
                    .query_async(&mut other)
                    .await
                    .unwrap();
                closed += killed;
            }
            assert!(closed > 0, "{clients}");
            // A read is tried again at once; afterwards writes are fine too.
            assert!(bench.store.get(&new.address).await.unwrap().is_some());
            assert!(!bench.store.put(&new).await.unwrap());
        }
    });
}
