//! What is true of the SQLite file only.

use std::{fs, path::PathBuf, time::Duration};

use openrouter_connector::{
    error::{Kind as ErrorKind, Result},
    store::{Capability, New, Owner, State, Store},
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::bench::{Bench, Engine, job, settings};
use crate::support::block_on;

/// A place for a file that is not there yet.
fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

async fn open(path: &std::path::Path) -> Result<Store> {
    Store::open(&settings(format!("sqlite://{}", path.display()))).await
}

async fn raw(path: &std::path::Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    SqliteConnection::connect_with(&options).await.unwrap()
}

#[test]
fn what_is_stored_survives_a_restart() {
    block_on(async {
        let bench = Bench::new(Engine::File).await.unwrap();
        let owner = Owner::random();
        let keep = Duration::from_mins(1);
        let running = New {
            lease: Some((owner, keep)),
            ..job(&Capability::random())
        };
        let finished = New {
            lease: Some((owner, keep)),
            ..job(&Capability::random())
        };
        for new in [&running, &finished] {
            bench.store.put(new).await.unwrap();
        }
        let at = &finished.address;
        let done = bench.store.finish(at, owner, State::Failed, b"r", keep);
        assert!(done.await.unwrap());
        let before = [
            bench.store.get(&running.address).await.unwrap(),
            bench.store.get(at).await.unwrap(),
        ];
        let usage = bench.store.usage().await.unwrap();
        bench.store.close().await;
        assert!(bench.store.ready().await.is_err());

        let again = bench.replica().await;
        let after = [
            again.get(&running.address).await.unwrap(),
            again.get(at).await.unwrap(),
        ];
        assert_eq!(after, before);
        assert_eq!(again.usage().await.unwrap(), usage);
        assert!(again.renew(&running.address, owner, keep).await.unwrap());
    });
}

#[test]
fn an_empty_file_is_brought_to_the_current_form_once() {
    block_on(async {
        let (_folder, path) = place();
        fs::write(&path, b"").unwrap();
        for _ in 0..2 {
            let store = open(&path).await.unwrap();
            store.ready().await.unwrap();
            store.close().await;
        }
        let versions: Vec<(i64, i64)> = sqlx::query_as("SELECT version, applied_at FROM versions")
            .fetch_all(&mut raw(&path).await)
            .await
            .unwrap();
        assert_eq!(versions.len(), 1);
        assert_eq!(versions[0].0, 1);
    });
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_alone() {
    block_on(async {
        let (_folder, path) = place();
        open(&path).await.unwrap().close().await;
        let mut connection = raw(&path).await;
        sqlx::query("INSERT INTO versions VALUES (2, 0)")
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        let before = fs::read(&path).unwrap();
        let error = open(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let message = error.to_string();
        assert!(message.contains("form 2"), "{message}");
        assert!(message.contains("up to 1"), "{message}");
        assert!(fs::read(&path).unwrap() == before);
    });
}

#[test]
fn a_file_that_is_none_is_refused() {
    block_on(async {
        let (_folder, path) = place();
        fs::write(
            &path,
            "not a database, but long enough to look like one".repeat(20),
        )
        .unwrap();
        let error = open(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    });
}

#[test]
fn a_place_that_cannot_be_had_is_told_by_its_setting() {
    block_on(async {
        let (folder, path) = place();
        fs::write(&path, b"").unwrap();
        for wrong in [path.join("below-a-file.db"), folder.path().to_owned()] {
            let error = open(&wrong).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            let message = error.to_string();
            assert!(message.starts_with("store.url: cannot"), "{message}");
        }
    });
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;

    block_on(async {
        let bench = Bench::new(Engine::File).await.unwrap();
        bench.store.put(&job(&Capability::random())).await.unwrap();
        let folder = bench.folder();
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        let mut files = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            files += 1;
        }
        assert_eq!(files, 3, "the file, its log and its index");
    });
}

#[test]
fn readers_need_not_wait_for_the_writer() {
    block_on(async {
        let bench = Bench::new(Engine::File).await.unwrap();
        let mode: (String,) = sqlx::query_as("PRAGMA journal_mode")
            .fetch_one(&mut raw(&bench.folder().join("store.db")).await)
            .await
            .unwrap();
        assert_eq!(mode.0, "wal");
    });
}
