//! The store in one SQLite file, for one replica and with nothing to install.

mod files;
mod rows;
mod schema;

use std::{path::Path, str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Sqlite as Engine, SqlitePool, Transaction,
    pool::PoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use self::rows::Found;
use super::{
    Limits, Put, after, now, out_of_reach,
    record::{Address, Leased, New, Owner, Record, State, Summary, Usage},
};
use crate::error::{Error, Result};

/// Connections that only read. Reads are short and come from the system's cache.
const READERS: u32 = 4;

/// Expired records that are deleted in one transaction; other writers go between two.
const SWEEP: i64 = 200;

/// What a write-ahead log shrinks to after it had to grow, in bytes.
const LOG_SIZE: &str = "16777216";

const FIND: &str = "SELECT id, state, attempts, owner, leased_till FROM records \
    WHERE kind = ? AND locator = ? AND expires_at > ?";

const READ: &str = "SELECT *, \
    (SELECT sealed FROM parts WHERE record = id AND part = 1) AS request, \
    (SELECT sealed FROM parts WHERE record = id AND part = 2) AS result \
    FROM records WHERE kind = ? AND locator = ? AND expires_at > ?";

type Write = Transaction<'static, Engine>;

/// One file. A single connection writes, because SQLite has one writer at a time anyway and a
/// queue of ours is fairer than its own; the others read what is committed.
#[derive(Clone, Debug)]
pub(super) struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Sqlite {
    /// Opens the file, and creates it and its folder if need be, for their owner only.
    pub(super) async fn open(path: &Path, timeout: Duration) -> Result<Self> {
        files::create(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // A caller is told that its job is safe, so it must outlast a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(timeout)
            .pragma("journal_size_limit", LOG_SIZE)
            .disable_statement_logging();
        let writer = pool(1, timeout).connect_with(options.clone()).await?;
        schema::migrate(&writer).await?;
        let reading = options.pragma("query_only", "on");
        let readers = pool(READERS, timeout).connect_with(reading).await?;
        Ok(Self { writer, readers })
    }

    /// A store that is gone with the process.
    pub(super) async fn in_memory(timeout: Duration) -> Result<Self> {
        let options = SqliteConnectOptions::from_str("sqlite::memory:")?
            .foreign_keys(true)
            .disable_statement_logging();
        // One connection for all: the data is the connection's own.
        let writer = pool(1, timeout).connect_with(options).await?;
        schema::migrate(&writer).await?;
        Ok(Self {
            readers: writer.clone(),
            writer,
        })
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    pub(super) async fn put(&self, new: &New, limits: Limits) -> Result<Put> {
        let mut write = self.begin().await?;
        let now = now();
        let taken: Option<(i64, i64)> =
            sqlx::query_as("SELECT id, expires_at FROM records WHERE kind = ? AND locator = ?")
                .bind(new.address.kind.code())
                .bind(&new.address.locator.0[..])
                .fetch_optional(&mut *write)
                .await?;
        match taken {
            Some((_, expires_at)) if expires_at > now => return Ok(Put::Exists),
            Some((id, _)) => remove(&mut write, id).await?,
            None => {}
        }
        let bytes = new.bytes();
        if !fits(&mut write, bytes, limits).await? {
            // Those that expired are only in the way until the next sweep.
            while sweep(&mut write, now).await? > 0 {}
            if !fits(&mut write, bytes, limits).await? {
                write.commit().await?;
                return Ok(Put::Full);
            }
        }
        let id = sqlx::query(
            "INSERT INTO records (kind, locator, grouping, state, created_at, expires_at, attempts, \
             owner, leased_till, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(new.address.kind.code())
        .bind(&new.address.locator.0[..])
        .bind(new.group.as_ref().map(|group| &group.0[..]))
        .bind(new.state.code())
        .bind(now)
        .bind(after(now, new.keep))
        .bind(i64::from(new.lease.is_some()))
        .bind(new.lease.as_ref().map(|(owner, _)| &owner.0[..]))
        .bind(new.lease.map(|(_, span)| after(now, span)))
        .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
        .execute(&mut *write)
        .await?
        .last_insert_rowid();
        write_part(&mut write, id, 1, &new.request).await?;
        if let Some(result) = &new.result {
            write_part(&mut write, id, 2, result).await?;
        }
        write.commit().await?;
        Ok(Put::Stored)
    }

    pub(super) async fn get(&self, address: &Address) -> Result<Option<Record>> {
        let row = located(READ, address)
            .bind(now())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| rows::record(address, &row)).transpose()
    }

    pub(super) async fn lease(
        &self,
        address: &Address,
        owner: Owner,
        span: Duration,
        max_attempts: u32,
    ) -> Result<Leased> {
        let mut write = self.begin().await?;
        let now = now();
        let Some(found) = find(&mut write, address, now).await? else {
            return Ok(Leased::Missing);
        };
        let running = found.state == State::Running;
        if running && found.leased_till.is_some_and(|until| until > now) {
            return Ok(Leased::Held);
        }
        let exhausted = found.attempts >= max_attempts;
        if running {
            sqlx::query(
                "UPDATE records SET owner = ?, leased_till = ?, attempts = attempts + ? WHERE id = ?",
            )
            .bind(&owner.0[..])
            .bind(after(now, span))
            .bind(i64::from(!exhausted))
            .bind(found.id)
            .execute(&mut *write)
            .await?;
        }
        let row = located(READ, address)
            .bind(now)
            .fetch_one(&mut *write)
            .await?;
        let record = rows::record(address, &row)?;
        write.commit().await?;
        Ok(match (running, exhausted) {
            (false, _) => Leased::Finished(record),
            (true, true) => Leased::Exhausted(record),
            (true, false) => Leased::Taken(record),
        })
    }

    pub(super) async fn renew(
        &self,
        address: &Address,
        owner: Owner,
        span: Duration,
    ) -> Result<bool> {
        let now = now();
        self.change(
            sqlx::query(
                "UPDATE records SET leased_till = ? WHERE kind = ? AND locator = ? \
                 AND expires_at > ? AND state = 1 AND owner = ? AND leased_till IS NOT NULL",
            )
            .bind(after(now, span))
            .bind(address.kind.code())
            .bind(&address.locator.0[..])
            .bind(now)
            .bind(&owner.0[..]),
        )
        .await
    }

    pub(super) async fn release(&self, address: &Address, owner: Owner) -> Result<bool> {
        self.change(
            located(
                "UPDATE records SET owner = NULL, leased_till = NULL WHERE kind = ? AND locator = ? \
                 AND expires_at > ? AND state = 1 AND owner = ? AND leased_till IS NOT NULL",
                address,
            )
            .bind(now())
            .bind(&owner.0[..]),
        )
        .await
    }

    pub(super) async fn finish(
        &self,
        address: &Address,
        owner: Owner,
        state: State,
        result: &[u8],
        keep: Duration,
    ) -> Result<bool> {
        let mut write = self.begin().await?;
        let now = now();
        let Some(found) = find(&mut write, address, now).await? else {
            return Ok(false);
        };
        if found.owner != Some(owner) {
            return Ok(false);
        }
        if found.state != State::Running {
            // The same owner says the same again: its first word arrived, the answer to it did not.
            return Ok(found.state == state);
        }
        write_part(&mut write, found.id, 2, result).await?;
        sqlx::query(
            "UPDATE records SET state = ?, finished_at = ?, expires_at = ?, leased_till = NULL, \
             bytes = (SELECT sum(length(sealed)) FROM parts WHERE record = id) WHERE id = ?",
        )
        .bind(state.code())
        .bind(now)
        .bind(after(now, keep))
        .bind(found.id)
        .execute(&mut *write)
        .await?;
        write.commit().await?;
        Ok(true)
    }

    pub(super) async fn cancel(&self, address: &Address) -> Result<Option<State>> {
        let mut write = self.begin().await?;
        let now = now();
        let Some(found) = find(&mut write, address, now).await? else {
            return Ok(None);
        };
        if found.state == State::Running {
            sqlx::query(
                "UPDATE records SET state = ?, finished_at = ?, owner = NULL, leased_till = NULL \
                 WHERE id = ?",
            )
            .bind(State::Cancelled.code())
            .bind(now)
            .bind(found.id)
            .execute(&mut *write)
            .await?;
            write.commit().await?;
        }
        Ok(Some(found.state))
    }

    pub(super) async fn delete(&self, address: &Address) -> Result<bool> {
        self.change(
            located(
                "DELETE FROM records WHERE kind = ? AND locator = ? AND expires_at > ?",
                address,
            )
            .bind(now()),
        )
        .await
    }

    pub(super) async fn delete_if(&self, address: &Address, request: &[u8]) -> Result<bool> {
        self.change(
            located(
                "DELETE FROM records WHERE kind = ? AND locator = ? AND expires_at > ? AND EXISTS \
                 (SELECT 1 FROM parts WHERE record = records.id AND part = 1 AND sealed = ?)",
                address,
            )
            .bind(now())
            .bind(request.to_vec()),
        )
        .await
    }

    pub(super) async fn state(&self, address: &Address) -> Result<Option<State>> {
        let row = located(FIND, address)
            .bind(now())
            .fetch_optional(&self.readers)
            .await?;
        Ok(match row {
            Some(row) => Some(Found::read(&row)?.state),
            None => None,
        })
    }

    pub(super) async fn list(&self, group: &Address, most: u32) -> Result<Vec<Summary>> {
        let rows = located(
            "SELECT * FROM records WHERE kind = ? AND grouping = ? AND expires_at > ? \
             ORDER BY expires_at DESC LIMIT ?",
            group,
        )
        .bind(now())
        .bind(most)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| rows::summary(group, row)).collect()
    }

    pub(super) async fn sweep(&self) -> Result<u64> {
        let mut swept = 0;
        loop {
            let mut write = self.begin().await?;
            let some = sweep(&mut write, now()).await?;
            write.commit().await?;
            swept += some;
            if some == 0 {
                return Ok(swept);
            }
        }
    }

    pub(super) async fn usage(&self) -> Result<Usage> {
        let (records, bytes): (i64, i64) = sqlx::query_as("SELECT records, bytes FROM usage")
            .fetch_one(&self.readers)
            .await?;
        Ok(Usage {
            records: records.unsigned_abs(),
            bytes: bytes.unsigned_abs(),
        })
    }

    pub(super) async fn ready(&self) -> Result<()> {
        self.usage().await.map(|_| ())
    }

    /// A transaction that may write from the start, so that it never has to give way half done.
    async fn begin(&self) -> Result<Write> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Runs one statement; whether it found its record.
    async fn change(
        &self,
        statement: sqlx::query::Query<'_, Engine, sqlx::sqlite::SqliteArguments>,
    ) -> Result<bool> {
        Ok(statement.execute(&self.writer).await?.rows_affected() > 0)
    }
}

async fn find(write: &mut Write, address: &Address, now: i64) -> Result<Option<Found>> {
    let row = located(FIND, address)
        .bind(now)
        .fetch_optional(&mut **write)
        .await?;
    row.as_ref().map(Found::read).transpose()
}

/// `sql` with the kind and the locator as its first two values.
fn located(
    sql: &'static str,
    address: &Address,
) -> sqlx::query::Query<'static, Engine, sqlx::sqlite::SqliteArguments> {
    sqlx::query(sql)
        .bind(address.kind.code())
        .bind(address.locator.0.to_vec())
}

async fn write_part(write: &mut Write, id: i64, part: u8, sealed: &[u8]) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO parts VALUES (?, ?, ?)")
        .bind(id)
        .bind(part)
        .bind(sealed)
        .execute(&mut **write)
        .await?;
    Ok(())
}

async fn remove(write: &mut Write, id: i64) -> Result<()> {
    sqlx::query("DELETE FROM records WHERE id = ?")
        .bind(id)
        .execute(&mut **write)
        .await?;
    Ok(())
}

async fn fits(write: &mut Write, bytes: u64, limits: Limits) -> Result<bool> {
    let (records, held): (i64, i64) = sqlx::query_as("SELECT records, bytes FROM usage")
        .fetch_one(&mut **write)
        .await?;
    Ok(records.unsigned_abs() < limits.records && held.unsigned_abs() + bytes <= limits.bytes)
}

async fn sweep(write: &mut Write, now: i64) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM records WHERE id IN \
         (SELECT id FROM records WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)",
    )
    .bind(now)
    .bind(SWEEP)
    .execute(&mut **write)
    .await?;
    Ok(done.rows_affected())
}

fn pool(connections: u32, timeout: Duration) -> PoolOptions<Engine> {
    PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(timeout)
        // They are handles of a file; none of them goes stale.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

impl From<sqlx::Error> for Error {
    fn from(cause: sqlx::Error) -> Self {
        out_of_reach().because(cause)
    }
}
