//! The store in Redis or Valkey, shared by several replicas.
//!
//! What must happen at once is a script, which the server runs alone. Expiry is the server's own.

use std::{collections::HashMap, future::Future, sync::LazyLock, time::Duration};

use redis::{
    FromRedisValue, IntoConnectionInfo, RedisError, Script, ScriptInvocation,
    aio::{ConnectionManager, ConnectionManagerConfig},
    io::tcp::TcpSettings,
};

use super::{
    LONGEST, Limits, Put,
    calls::{CallId, Standing},
    millis, out_of_reach,
    record::{Address, Kind, Lease, Leased, New, Owner, Record, State, Summary, Usage},
    seal::Locator,
};
use crate::error::{self, Error, Result};

/// Names a script; all of them begin with the same definitions.
macro_rules! script {
    ($name:ident, $file:literal) => {
        static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                include_str!("redis/common.lua"),
                include_str!($file)
            ))
        });
    };
}

script!(PUT, "redis/put.lua");
script!(LEASE, "redis/lease.lua");
script!(RENEW, "redis/renew.lua");
script!(RELEASE, "redis/release.lua");
script!(FINISH, "redis/finish.lua");
script!(CANCEL, "redis/cancel.lua");
script!(DELETE, "redis/delete.lua");
script!(LISTING, "redis/list.lua");
script!(SWEEP, "redis/sweep.lua");
script!(ADMIT, "redis/admit.lua");
script!(GIVE_BACK, "redis/give_back.lua");

/// The fields of a record as Redis gives them.
type Fields = HashMap<String, Vec<u8>>;

/// One connection that carries the commands of all callers, and comes back by itself.
#[derive(Clone)]
pub(super) struct Redis {
    connection: ConnectionManager,
    timeout: Duration,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}

impl Redis {
    /// Prepares the connection; the first command makes it.
    pub(super) fn open(url: &str, timeout: Duration) -> Result<Self> {
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            // The next command tries again anyway; a row of tries would only let this one wait.
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(200));
        let server = url.into_connection_info()?;
        let server = server.set_tcp_settings(tcp(timeout));
        let connection = redis::Client::open(server)
            .and_then(|client| ConnectionManager::new_lazy_with_config(client, settings))?;
        Ok(Self {
            connection,
            timeout,
        })
    }

    pub(super) async fn put(&self, new: &New, limits: Limits) -> Result<Put> {
        let owner = new.lease.map_or_else(Vec::new, |(owner, _)| owner.0.into());
        let span = new.lease.map_or(Duration::ZERO, |(_, span)| span);
        let group = new.group.map_or_else(String::new, |locator| {
            id(&Address {
                locator,
                ..new.address
            })
        });
        let mut call = PUT.arg(id(&new.address));
        call.arg(span_millis(new.keep))
            .arg(new.bytes())
            .arg(limits.records)
            .arg(limits.bytes)
            .arg(owner)
            .arg(span_millis(span))
            .arg(group)
            .arg(new.state.code())
            .arg(&new.request);
        if let Some(result) = &new.result {
            call.arg(result);
        }
        let done: String = self.run(&call).await?;
        Ok(match done.as_str() {
            "stored" => Put::Stored,
            "exists" => Put::Exists,
            _ => Put::Full,
        })
    }

    pub(super) async fn get(&self, address: &Address) -> Result<Option<Record>> {
        let key = format!("orc:1:record:{}", id(address));
        let fields: Fields = self.read(redis::cmd("HGETALL").arg(key)).await?;
        record(address, fields)
    }

    pub(super) async fn lease(
        &self,
        address: &Address,
        owner: Owner,
        span: Duration,
        max_attempts: u32,
    ) -> Result<Leased> {
        let mut call = LEASE.arg(id(address));
        call.arg(&owner.0[..])
            .arg(span_millis(span))
            .arg(max_attempts);
        let (found, fields): (String, Fields) = self.run(&call).await?;
        let Some(record) = record(address, fields)? else {
            return Ok(match found.as_str() {
                "held" => Leased::Held,
                _ => Leased::Missing,
            });
        };
        match found.as_str() {
            "taken" => Ok(Leased::Taken(record)),
            "exhausted" => Ok(Leased::Exhausted(record)),
            _ => Ok(Leased::Finished(record)),
        }
    }

    pub(super) async fn renew(
        &self,
        address: &Address,
        owner: Owner,
        span: Duration,
    ) -> Result<bool> {
        let mut call = RENEW.arg(id(address));
        self.run(call.arg(&owner.0[..]).arg(span_millis(span)))
            .await
    }

    pub(super) async fn release(&self, address: &Address, owner: Owner) -> Result<bool> {
        self.run(RELEASE.arg(id(address)).arg(&owner.0[..])).await
    }

    pub(super) async fn finish(
        &self,
        address: &Address,
        owner: Owner,
        state: State,
        result: &[u8],
        keep: Duration,
    ) -> Result<bool> {
        let mut call = FINISH.arg(id(address));
        call.arg(&owner.0[..])
            .arg(state.code())
            .arg(span_millis(keep))
            .arg(result);
        self.run(&call).await
    }

    pub(super) async fn cancel(&self, address: &Address) -> Result<Option<State>> {
        let before: Option<u8> = self.run(&CANCEL.arg(id(address))).await?;
        before
            .map(|code| State::from_code(code).ok_or_else(damaged))
            .transpose()
    }

    pub(super) async fn delete(&self, address: &Address) -> Result<bool> {
        self.run(&DELETE.arg(id(address))).await
    }

    pub(super) async fn delete_if(&self, address: &Address, request: &[u8]) -> Result<bool> {
        self.run(DELETE.arg(id(address)).arg(request)).await
    }

    pub(super) async fn state(&self, address: &Address) -> Result<Option<State>> {
        let key = format!("orc:1:record:{}", id(address));
        let code: Option<u8> = self.read(redis::cmd("HGET").arg(key).arg("state")).await?;
        code.map(|code| State::from_code(code).ok_or_else(damaged))
            .transpose()
    }

    pub(super) async fn list(&self, group: &Address, most: u32) -> Result<Vec<Summary>> {
        type Row = (String, (u8, i64, Option<i64>, i64));
        let rows: Vec<Row> = self.run(LISTING.arg(id(group)).arg(most)).await?;
        rows.into_iter()
            .map(|(id, (state, created_at, finished_at, expires_at))| {
                Ok(Summary {
                    address: address(&id)?,
                    state: State::from_code(state).ok_or_else(damaged)?,
                    created_at,
                    finished_at,
                    expires_at,
                })
            })
            .collect()
    }

    pub(super) async fn admit(
        &self,
        connection: &Locator,
        call: CallId,
        calls: u32,
        window: Duration,
    ) -> Result<Standing> {
        self.count(&ADMIT, connection, call, calls, window).await
    }

    pub(super) async fn give_back(
        &self,
        connection: &Locator,
        call: CallId,
        calls: u32,
        window: Duration,
    ) -> Result<Standing> {
        self.count(&GIVE_BACK, connection, call, calls, window)
            .await
    }

    async fn count(
        &self,
        script: &Script,
        connection: &Locator,
        call: CallId,
        calls: u32,
        window: Duration,
    ) -> Result<Standing> {
        let mut invocation = script.arg(connection.to_text());
        invocation
            .arg(&call.0[..])
            .arg(calls)
            .arg(span_millis(window));
        let (admitted, left, wait): (bool, u32, u64) = self.run(&invocation).await?;
        Ok(Standing {
            admitted,
            left,
            wait: Duration::from_micros(wait),
        })
    }

    pub(super) async fn sweep(&self) -> Result<u64> {
        let mut swept = 0;
        loop {
            let some: u64 = self.run(&SWEEP.prepare_invoke()).await?;
            swept += some;
            if some == 0 {
                return Ok(swept);
            }
        }
    }

    pub(super) async fn usage(&self) -> Result<Usage> {
        let records = self.read(redis::cmd("ZCARD").arg("orc:1:expiry")).await?;
        let bytes: Option<i64> = self.read(redis::cmd("GET").arg("orc:1:bytes")).await?;
        Ok(Usage {
            records,
            bytes: bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or(0),
        })
    }

    pub(super) async fn ready(&self) -> Result<()> {
        self.read::<()>(&redis::cmd("PING")).await
    }

    /// Runs a command that changes nothing, twice if the connection broke: the server may have
    /// closed it while nobody used it.
    async fn read<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T> {
        let once = || async {
            let mut connection = self.connection.clone();
            command.query_async(&mut connection).await
        };
        self.bounded(async {
            match once().await {
                Err(cause) if cause.is_connection_dropped() => once().await,
                done => done,
            }
        })
        .await
    }

    /// Runs a script, once: it is not known whether one that broke off did its work.
    async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T> {
        let mut connection = self.connection.clone();
        self.bounded(script.invoke_async(&mut connection)).await
    }

    /// Waits no longer than the setting allows, whatever the connection is doing.
    async fn bounded<T>(&self, work: impl Future<Output = Result<T, RedisError>>) -> Result<T> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(out_of_reach().detail("no answer within store.timeout")),
        }
    }
}

/// A server that is gone without a word must be noticed: by what it does not acknowledge.
fn tcp(timeout: Duration) -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(timeout * 2);
    settings
}

/// The name of a record, or of a group, among those of all kinds.
fn id(address: &Address) -> String {
    format!("{}:{}", address.kind.code(), address.locator.to_text())
}

fn address(id: &str) -> Result<Address> {
    let (kind, locator) = id.split_once(':').ok_or_else(damaged)?;
    Ok(Address {
        kind: number(kind.as_bytes())
            .and_then(Kind::from_code)
            .ok_or_else(damaged)?,
        locator: Locator::from_text(locator.as_bytes()).ok_or_else(damaged)?,
    })
}

/// The record that `fields` are of; `None` if there are none.
fn record(address: &Address, mut fields: Fields) -> Result<Option<Record>> {
    if fields.is_empty() {
        return Ok(None);
    }
    let read = |name: &str| fields.get(name).map(Vec::as_slice);
    let time = |name: &str| read(name).and_then(number::<i64>);
    let group = match read("group") {
        Some(group) => Some(self::address(&String::from_utf8_lossy(group))?.locator),
        None => None,
    };
    let owner = read("owner").and_then(|owner| owner.try_into().ok());
    let found = Record {
        address: *address,
        group,
        state: read("state")
            .and_then(number)
            .and_then(State::from_code)
            .ok_or_else(damaged)?,
        created_at: time("created_at").ok_or_else(damaged)?,
        finished_at: time("finished_at"),
        expires_at: time("expires_at").ok_or_else(damaged)?,
        attempts: read("attempts").and_then(number).ok_or_else(damaged)?,
        lease: owner.zip(time("leased_till")).map(|(owner, until)| Lease {
            owner: Owner(owner),
            until,
        }),
        request: Vec::new(),
        result: None,
    };
    Ok(Some(Record {
        request: fields.remove("request").ok_or_else(damaged)?,
        result: fields.remove("result"),
        ..found
    }))
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn span_millis(span: Duration) -> i64 {
    millis(span.min(LONGEST))
}

fn damaged() -> Error {
    Error::new(error::Kind::Internal, "What was stored cannot be read.")
        .detail("a hash has fields that this version does not know")
}

impl From<RedisError> for Error {
    fn from(cause: RedisError) -> Self {
        out_of_reach().because(cause)
    }
}
