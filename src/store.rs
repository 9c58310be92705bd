//! What must outlive a call or be shared by replicas: sealed records in SQLite or Redis.
//!
//! A record stands at an [`Address`], which only who has its [`Capability`] can work out, and holds
//! a request and a result, which only that capability opens. It has a state, a group that it is
//! listed in, a lease for the one that works on it, and a time when it is gone. The store knows
//! nothing of jobs or files; it keeps and guards.
//!
//! Times go in as spans and come out in milliseconds since 1970. The engine's own clock measures
//! them: with Redis the server's, so that replicas need not agree on the time.

mod calls;
mod record;
mod redis;
mod seal;
mod sqlite;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use calls::{CallId, Standing};
pub use record::{Address, Kind, Lease, Leased, New, Owner, Record, State, Summary, Usage};
pub use seal::{Capability, Locator, OVERHEAD, Part};

use self::{redis::Redis, sqlite::Sqlite};
use crate::{
    config::{self, StoreAddress},
    error::{self, Error, Result},
};

/// The most records that one [`Store::list`] gives.
pub const LIST: u32 = 200;

/// When a store that cannot be reached is worth another try.
const UNREACHABLE: Duration = Duration::from_secs(5);

/// When a store that is full is worth another try.
const FULL: Duration = Duration::from_secs(30);

/// No span is longer: ten years.
const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

/// The store; a copy is the same store.
///
/// Every method fails with [`error::Kind::Unavailable`] and a wait of 5 seconds if the engine
/// cannot be reached within `store.timeout`. A change may have happened all the same then. Records
/// that expired are never given, swept or not.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
    limits: Limits,
}

#[derive(Clone, Debug)]
enum Engine {
    Sqlite(Sqlite),
    Redis(Redis),
}

/// What the store may hold.
#[derive(Clone, Copy, Debug)]
struct Limits {
    records: u64,
    bytes: u64,
    part: usize,
}

impl Limits {
    /// What the store may hold when one more record of `kind` comes. Links to files stop at half:
    /// an answer holds its files anyway, and a job has no other place.
    fn of(self, kind: Kind) -> Self {
        let share = if kind == Kind::File { 2 } else { 1 };
        Self {
            records: self.records / share,
            bytes: self.bytes / share,
            ..self
        }
    }
}

/// What came of storing a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Put {
    Stored,
    Exists,
    Full,
}

/// Calls a method of the engine that is there.
macro_rules! on_engine {
    ($store:expr, $engine:ident => $call:expr) => {
        match &$store.engine {
            Engine::Sqlite($engine) => $call.await,
            Engine::Redis($engine) => $call.await,
        }
    };
}

impl Store {
    /// Opens the store that the settings name; must run inside a runtime.
    ///
    /// A Redis that cannot be reached yet is no error: [`Store::ready`] tells.
    ///
    /// # Errors
    ///
    /// [`error::Kind::Unavailable`] with a sentence for the operator if the file cannot be had or
    /// was written by a newer version.
    pub async fn open(settings: &config::Store) -> Result<Self> {
        let timeout = settings.timeout;
        let engine = match settings.url.address() {
            StoreAddress::Memory => Engine::Sqlite(Sqlite::in_memory(timeout).await?),
            StoreAddress::File(path) => Engine::Sqlite(Sqlite::open(path, timeout).await?),
            StoreAddress::Redis(url) => Engine::Redis(Redis::open(url.reveal(), timeout)?),
        };
        Ok(Self {
            engine,
            limits: Limits {
                records: u64::from(settings.max_records.get()),
                bytes: settings.max_mb.bytes() as u64,
                part: settings.max_record_mb.bytes(),
            },
        })
    }

    /// Stores a record; `false` if there is one at its address already, which stays as it is. Of
    /// several at once exactly one is stored.
    ///
    /// # Errors
    ///
    /// [`error::Kind::PayloadTooLarge`] if a part is over `store.max_record_mb`;
    /// [`error::Kind::Unavailable`] with a wait of 30 seconds over `store.max_records` or
    /// `store.max_mb`; files over half of them.
    pub async fn put(&self, new: &New) -> Result<bool> {
        self.check(&new.request)?;
        self.check(new.result.as_deref().unwrap_or_default())?;
        match on_engine!(self, engine => engine.put(new, self.limits.of(new.address.kind)))? {
            Put::Stored => Ok(true),
            Put::Exists => Ok(false),
            Put::Full => Err(Error::new(
                error::Kind::Unavailable,
                "The service holds as many unfinished and finished jobs as it may.",
            )
            .detail("store.max_records or store.max_mb is reached")
            .retry_after(Some(FULL))),
        }
    }

    /// The record at `address`.
    pub async fn get(&self, address: &Address) -> Result<Option<Record>> {
        on_engine!(self, engine => engine.get(address))
    }

    /// Asks for the right to work on a running record for `span`, to be renewed before it is over.
    /// It is given when nobody has it or the last one's is over, at most `max_attempts` times.
    pub async fn lease(
        &self,
        address: &Address,
        owner: Owner,
        span: Duration,
        max_attempts: u32,
    ) -> Result<Leased> {
        on_engine!(self, engine => engine.lease(address, owner, span, max_attempts))
    }

    /// Extends the owner's lease to `span` from now, also when it is over but nobody took it.
    ///
    /// `false`: the work is no longer the owner's, because somebody took over or the record was
    /// cancelled, finished or deleted.
    pub async fn renew(&self, address: &Address, owner: Owner, span: Duration) -> Result<bool> {
        on_engine!(self, engine => engine.renew(address, owner, span))
    }

    /// Gives up the owner's lease, so that another may take over at once; the attempt stays
    /// counted. `false` as for [`Store::renew`].
    pub async fn release(&self, address: &Address, owner: Owner) -> Result<bool> {
        on_engine!(self, engine => engine.release(address, owner))
    }

    /// Ends a running record with its sealed result and keeps it for `keep` from now. Only the
    /// limit of one part is checked: what was paid for has its place.
    ///
    /// `false`: as for [`Store::renew`], and nothing is changed. The same owner may repeat the call
    /// after an error; it is `true` again.
    ///
    /// # Errors
    ///
    /// [`error::Kind::PayloadTooLarge`] if the result is over `store.max_record_mb`;
    /// [`error::Kind::Internal`] for a state other than succeeded and failed.
    pub async fn finish(
        &self,
        address: &Address,
        owner: Owner,
        state: State,
        result: &[u8],
        keep: Duration,
    ) -> Result<bool> {
        if !matches!(state, State::Succeeded | State::Failed) {
            return Err(Error::new(
                error::Kind::Internal,
                "A job cannot end this way.",
            ));
        }
        self.check(result)?;
        on_engine!(self, engine => engine.finish(address, owner, state, result, keep))
    }

    /// Cancels a record if it is running, and takes the lease from whoever has it. The state it
    /// was in before; `None` if there is no such record.
    pub async fn cancel(&self, address: &Address) -> Result<Option<State>> {
        on_engine!(self, engine => engine.cancel(address))
    }

    /// Deletes the record at `address`; `false` if there was none.
    pub async fn delete(&self, address: &Address) -> Result<bool> {
        on_engine!(self, engine => engine.delete(address))
    }

    /// Deletes the record at `address` if its sealed request is this one; `false` if it was not. Of
    /// several who have read it and delete it, exactly one is told `true`, and has it.
    pub async fn delete_if(&self, address: &Address, request: &[u8]) -> Result<bool> {
        on_engine!(self, engine => engine.delete_if(address, request))
    }

    /// How far the record at `address` is, without what it holds.
    pub async fn state(&self, address: &Address) -> Result<Option<State>> {
        on_engine!(self, engine => engine.state(address))
    }

    /// The records of one kind in `group`, at most [`LIST`], those that expire last coming first.
    pub async fn list(&self, kind: Kind, group: &Locator) -> Result<Vec<Summary>> {
        let group = Address {
            kind,
            locator: *group,
        };
        on_engine!(self, engine => engine.list(&group, LIST))
    }

    /// Counts `call` for `connection` if fewer than `calls` stand there from the last `window`, all
    /// replicas together. `None`: this store is one process's own, which can count by itself.
    pub async fn admit(
        &self,
        connection: &Locator,
        call: CallId,
        calls: u32,
        window: Duration,
    ) -> Result<Option<Standing>> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(None),
            Engine::Redis(engine) => engine
                .admit(connection, call, calls, window)
                .await
                .map(Some),
        }
    }

    /// Takes back what [`Store::admit`] counted, and says how the connection stands then; `None` as
    /// there.
    pub async fn give_back(
        &self,
        connection: &Locator,
        call: CallId,
        calls: u32,
        window: Duration,
    ) -> Result<Option<Standing>> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(None),
            Engine::Redis(engine) => engine
                .give_back(connection, call, calls, window)
                .await
                .map(Some),
        }
    }

    /// Deletes what expired, to be called every minute or so; how many records that were. Redis
    /// drops them itself, and forgets here what it counted for them.
    pub async fn sweep(&self) -> Result<u64> {
        on_engine!(self, engine => engine.sweep())
    }

    /// What the store holds.
    pub async fn usage(&self) -> Result<Usage> {
        on_engine!(self, engine => engine.usage())
    }

    /// Whether the store can be reached.
    pub async fn ready(&self) -> Result<()> {
        on_engine!(self, engine => engine.ready())
    }

    /// Finishes what is being written, and closes the file; every copy fails from then on.
    pub async fn close(&self) {
        if let Engine::Sqlite(engine) = &self.engine {
            engine.close().await;
        }
    }

    fn check(&self, part: &[u8]) -> Result<()> {
        if part.len() <= self.limits.part {
            return Ok(());
        }
        Err(Error::new(
            error::Kind::PayloadTooLarge,
            "This is too large to be kept, so it cannot run in the background.",
        )
        .detail(format!("{} bytes, over store.max_record_mb", part.len())))
    }
}

/// The time by this machine's clock, in milliseconds since 1970.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, millis)
}

/// The time when `span` is over.
fn after(now: i64, span: Duration) -> i64 {
    now.saturating_add(millis(span.min(LONGEST)))
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The engine cannot be reached; the cause is for the log.
fn out_of_reach() -> Error {
    Error::new(
        error::Kind::Unavailable,
        "The service cannot reach its store at the moment.",
    )
    .retry_after(Some(UNREACHABLE))
}
