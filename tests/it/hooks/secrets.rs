//! The callback URL and the key stand neither in the store nor in the log.

use std::{
    fs,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use openrouter_connector::{hooks::Hooks, store::Store};
use tracing_subscriber::fmt::MakeWriter;

use super::receiver::{Receiver, key, settings};
use crate::support::store_settings;

const KEY: &str = "sk-or-v1-planted-key-of-the-hooks";
/// What makes the URL a secret; the host and the port are none.
const SIGNATURE: &str = "planted-signature-of-the-callback";
const ANSWER: &str = "a planted answer of a job";

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|found| found == text.as_bytes())
}

#[tokio::test]
async fn neither_the_store_nor_a_log_of_everything_tells_the_url_or_the_key() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(log.clone())
        .init();
    let folder = tempfile::tempdir().unwrap();
    let mut file = store_settings();
    let url = format!("sqlite://{}/store.db", folder.path().display());
    file.url = url.try_into().unwrap();
    let store = Store::open(&file).await.unwrap();
    let hooks = Hooks::new(store.clone(), &settings()).unwrap();

    let receiver = Receiver::start().await;
    for (at, statuses) in [
        ("/done", [500, 200]),
        ("/gone", [410, 410]),
        ("/refuses", [401, 401]),
    ] {
        receiver.answers(at, &statuses).await;
        let url = receiver.url(&format!("{at}?sig={SIGNATURE}"));
        hooks.subscribe(&key(KEY), &url).await.unwrap();
    }
    let nowhere = format!("http://127.0.0.1:9/{SIGNATURE}");
    hooks.subscribe(&key(KEY), &nowhere).await.unwrap();
    let bad = format!("https://example.com/{SIGNATURE}");
    hooks.subscribe(&key(KEY), &bad).await.unwrap_err();

    let places: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(places.len() > 1, "{places:?}");
    for place in places {
        let bytes = fs::read(&place).unwrap();
        for secret in [KEY, SIGNATURE, "127.0.0.1"] {
            assert!(!holds(&bytes, secret), "{} holds {secret}", place.display());
        }
    }

    let event = format!(r#"{{"job_id":"j-1","text":"{ANSWER}"}}"#);
    hooks.notify(&key(KEY), event.into()).await;
    receiver.is_called("/done", 2).await;
    receiver.is_called("/gone", 1).await;
    receiver.is_called("/refuses", 1).await;
    let told = || String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    for _ in 0..100 {
        if told().contains("delivered attempts=2") || told().contains(r"delivered hook") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let told = told();
    assert!(
        told.contains("TRACE") && told.contains("delivered"),
        "{told}"
    );
    for secret in [KEY, SIGNATURE, ANSWER] {
        // The receiver is in this process and logs what it is sent.
        let line = told
            .lines()
            .find(|line| line.contains(secret) && !line.contains("wiremock"));
        assert!(line.is_none(), "{line:?}");
    }
}
