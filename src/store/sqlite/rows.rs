//! Reads rows of the table of records.

use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    error::{self, Error, Result},
    store::{
        record::{Address, Lease, Owner, Record, State, Summary},
        seal::Locator,
    },
};

/// What a change of a record depends on.
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) state: State,
    pub(super) attempts: u32,
    pub(super) owner: Option<Owner>,
    pub(super) leased_till: Option<i64>,
}

impl Found {
    pub(super) fn read(row: &SqliteRow) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            state: state(row)?,
            attempts: row.try_get("attempts")?,
            owner: owner(row)?,
            leased_till: row.try_get("leased_till")?,
        })
    }
}

pub(super) fn record(address: &Address, row: &SqliteRow) -> Result<Record> {
    let until: Option<i64> = row.try_get("leased_till")?;
    let group: Option<&[u8]> = row.try_get("grouping")?;
    Ok(Record {
        address: *address,
        group: group.and_then(Locator::from_bytes),
        state: state(row)?,
        request: row.try_get("request")?,
        result: row.try_get("result")?,
        created_at: row.try_get("created_at")?,
        finished_at: row.try_get("finished_at")?,
        expires_at: row.try_get("expires_at")?,
        attempts: row.try_get("attempts")?,
        lease: owner(row)?
            .zip(until)
            .map(|(owner, until)| Lease { owner, until }),
    })
}

pub(super) fn summary(group: &Address, row: &SqliteRow) -> Result<Summary> {
    let locator = Locator::from_bytes(row.try_get("locator")?).ok_or_else(damaged)?;
    Ok(Summary {
        address: Address { locator, ..*group },
        state: state(row)?,
        created_at: row.try_get("created_at")?,
        finished_at: row.try_get("finished_at")?,
        expires_at: row.try_get("expires_at")?,
    })
}

fn state(row: &SqliteRow) -> Result<State> {
    State::from_code(row.try_get("state")?).ok_or_else(damaged)
}

fn owner(row: &SqliteRow) -> Result<Option<Owner>> {
    let bytes: Option<&[u8]> = row.try_get("owner")?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(Owner))
}

fn damaged() -> Error {
    Error::new(error::Kind::Internal, "What was stored cannot be read.")
        .detail("a row has a value that this version does not know")
}
