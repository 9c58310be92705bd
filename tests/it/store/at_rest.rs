//! What stands in the store is searched, byte by byte, for what must not stand there.

use std::{fs, path::Path, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use openrouter_connector::store::{Capability, Kind, New, Owner, Part, State, Store};
use redis::aio::MultiplexedConnection;

use super::bench::{Bench, Engine, connect, job};
use crate::support::block_on;

const KEY: &str = "sk-or-v1-8c2b7e55planted00000000000000key";
const PROMPT: &str = "a planted prompt about the merger of two lighthouses";
const ANSWER: &str = "a planted answer: the lighthouses agree to nothing";
/// Stored in clear, so that a search that finds nothing at all is noticed.
const CONTROL: &[u8] = b"planted in clear and therefore found";

/// Fills a store as jobs do, in every kind and state; the secrets that must not be found in it.
async fn fill(store: &Store) -> Vec<Vec<u8>> {
    let mut secrets: Vec<Vec<u8>> = [KEY, PROMPT, ANSWER]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    let group = Capability::from_secret("connection", KEY);
    let capabilities = [
        Capability::random(),
        Capability::from_secret("adoption", KEY),
    ];
    for capability in &capabilities {
        for kind in Kind::ALL {
            let owner = Owner::random();
            let address = capability.address(*kind);
            let request = format!("{KEY} {PROMPT}");
            let new = New {
                address,
                group: Some(group.address(*kind).locator),
                request: capability.seal(&address, Part::Request, request.as_bytes()),
                lease: Some((owner, Duration::from_mins(1))),
                ..job(capability)
            };
            store.put(&new).await.unwrap();
            let result = capability.seal(&address, Part::Result, ANSWER.as_bytes());
            let keep = Duration::from_mins(1);
            let finished = store.finish(&address, owner, State::Succeeded, &result, keep);
            assert!(finished.await.unwrap());
        }
    }
    for capability in capabilities.iter().chain([&group]) {
        let text = capability.to_text();
        secrets.push(BASE64URL_NOPAD.decode(text.as_bytes()).unwrap());
        secrets.push(text.as_bytes().to_vec());
    }
    let control = New {
        request: CONTROL.to_vec(),
        ..job(&Capability::random())
    };
    store.put(&control).await.unwrap();
    secrets
}

pub(crate) fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|found| found == wanted)
}

fn search(places: &[(String, Vec<u8>)], secrets: &[Vec<u8>]) {
    assert!(
        places.iter().any(|(_, bytes)| holds(bytes, CONTROL)),
        "the search finds nothing at all in {} places",
        places.len()
    );
    for (name, bytes) in places {
        for secret in secrets {
            let shown = String::from_utf8_lossy(secret);
            assert!(!holds(bytes, secret), "{name} holds {shown}");
        }
    }
}

/// Every file below `folder`.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn the_file_and_its_log_tell_nothing() {
    block_on(async {
        let bench = Bench::new(Engine::File).await.unwrap();
        let secrets = fill(&bench.store).await;
        let while_open = files(&bench.folder());
        let log = while_open.iter().find(|(name, _)| name.ends_with("-wal"));
        assert!(log.is_some_and(|(_, bytes)| holds(bytes, CONTROL)));
        search(&while_open, &secrets);
        bench.store.close().await;
        search(&files(&bench.folder()), &secrets);
    });
}

/// Every key of the database with its raw value, and with what `DUMP` makes of it.
pub(crate) async fn entries(database: &mut MultiplexedConnection) -> Vec<(String, Vec<u8>)> {
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("*")
        .query_async(database)
        .await
        .unwrap();
    let mut entries = Vec::new();
    for key in keys {
        let kind: String = redis::cmd("TYPE")
            .arg(&key)
            .query_async(database)
            .await
            .unwrap();
        let mut read = match kind.as_str() {
            "hash" => redis::cmd("HGETALL"),
            "string" => redis::cmd("GET"),
            "zset" => redis::cmd("ZRANGE"),
            other => panic!("{key} is a {other}"),
        };
        read.arg(&key);
        if kind == "zset" {
            read.arg(0).arg(-1);
        }
        let value: redis::Value = read.query_async(database).await.unwrap();
        let mut bytes = key.clone().into_bytes();
        flatten(&value, &mut bytes);
        entries.push((key.clone(), bytes));
        let dump: Vec<u8> = redis::cmd("DUMP")
            .arg(&key)
            .query_async(database)
            .await
            .unwrap();
        entries.push((format!("{key}, dumped"), dump));
    }
    entries
}

fn flatten(value: &redis::Value, bytes: &mut Vec<u8>) {
    match value {
        redis::Value::BulkString(text) => bytes.extend_from_slice(text),
        redis::Value::Array(values) => values.iter().for_each(|value| flatten(value, bytes)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_server_knows_nothing_and_drops_everything_in_time() {
    block_on(async {
        let Some(bench) = Bench::new(Engine::Redis).await else {
            return;
        };
        let secrets = fill(&bench.store).await;
        let mut database = connect(&bench.database()).await;
        let entries = entries(&mut database).await;
        search(&entries, &secrets);

        let mut mortal = 0;
        for (key, _) in entries.iter().filter(|(key, _)| !key.ends_with("dumped")) {
            let left: i64 = redis::cmd("PTTL")
                .arg(key)
                .query_async(&mut database)
                .await
                .unwrap();
            if key.starts_with("orc:1:record:") || key.starts_with("orc:1:group:") {
                mortal += 1;
                assert!((1..=60_000).contains(&left), "{key}: {left}");
            } else {
                let counters = ["orc:1:expiry", "orc:1:sizes", "orc:1:bytes"];
                assert!(counters.contains(&key.as_str()), "{key}");
            }
        }
        assert_eq!(mortal, 2 * Kind::ALL.len() + 1 + Kind::ALL.len());
    });
}
