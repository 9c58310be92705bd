//! What a job's record holds, and what is shown of it.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Outcome, outcome::split};
use crate::{
    error::{Error, Kind as ErrorKind, Result},
    openrouter::ApiKey,
    store::{Capability, Kind, Part, Record, State},
};

/// A call of a generation: all it takes to make it.
#[derive(Clone)]
pub struct Call {
    /// The operation's id.
    pub operation: String,
    /// The caller's key.
    pub key: ApiKey,
    /// The address of this service's base path as the caller knows it, for links.
    pub base: String,
    /// The id of the request in the log.
    pub request_id: String,
    /// The body as it came.
    pub body: Bytes,
}

/// What stands before the body in the sealed form of a call.
#[derive(Serialize, Deserialize)]
struct Head<'a> {
    operation: Cow<'a, str>,
    key: Cow<'a, str>,
    base: Cow<'a, str>,
    request_id: Cow<'a, str>,
}

impl Call {
    /// Seals the call for the job `id`.
    pub(super) fn seal(&self, id: &Capability) -> Vec<u8> {
        let head = Head {
            operation: self.operation.as_str().into(),
            key: self.key.reveal().into(),
            base: self.base.as_str().into(),
            request_id: self.request_id.as_str().into(),
        };
        let mut plain = zeroize::Zeroizing::new(serde_json::to_vec(&head).unwrap_or_default());
        plain.push(b'\n');
        plain.extend_from_slice(&self.body);
        id.seal(&id.address(Kind::Job), Part::Request, &plain)
    }

    /// Opens the call of the job `id`.
    pub(super) fn open(id: &Capability, record: &Record) -> Result<Self> {
        let plain = id.open(&id.address(Kind::Job), Part::Request, &record.request)?;
        let (head, body): (Head<'static>, _) = split(plain)?;
        let key = ApiKey::new(&head.key)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "What was kept cannot be read."))?;
        Ok(Self {
            operation: head.operation.into_owned(),
            key,
            base: head.base.into_owned(),
            request_id: head.request_id.into_owned(),
            body,
        })
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Under way.
    Running,
    /// There is an answer.
    Succeeded,
    /// There is an error.
    Failed,
    /// Its caller ended it.
    Cancelled,
}

/// A job as it is shown. Times are milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct JobView {
    /// How far it is.
    pub state: JobState,
    /// The id of the operation that it runs.
    pub operation: String,
    /// When it began to be one.
    pub created_at: i64,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// What it came to, unless it is running.
    pub outcome: Option<Arc<Outcome>>,
}

impl JobView {
    /// What `record` says of the job `id`.
    pub(super) fn of(id: &Capability, record: &Record) -> Result<Self> {
        let call = Call::open(id, record)?;
        let state = match record.state {
            State::Cancelled => JobState::Cancelled,
            State::Succeeded => JobState::Succeeded,
            State::Failed => JobState::Failed,
            State::Running | State::Stored => JobState::Running,
        };
        Ok(Self {
            state,
            operation: call.operation,
            created_at: record.created_at,
            finished_at: record.finished_at,
            outcome: outcome_in(id, record)?,
        })
    }

    /// A job that runs in this process.
    pub(super) fn running(operation: &str, created_at: i64) -> Self {
        Self {
            state: JobState::Running,
            operation: operation.to_owned(),
            created_at,
            finished_at: None,
            outcome: None,
        }
    }

    /// A job that has just ended in this process.
    pub(super) fn of_ended(operation: &str, created_at: i64, outcome: &Arc<Outcome>) -> Self {
        let state = if outcome.is_success() {
            JobState::Succeeded
        } else {
            JobState::Failed
        };
        Self {
            state,
            finished_at: Some(now()),
            outcome: Some(Arc::clone(outcome)),
            ..Self::running(operation, created_at)
        }
    }
}

/// What the job `id` came to by its record; `None` while it runs.
pub(super) fn outcome_in(id: &Capability, record: &Record) -> Result<Option<Arc<Outcome>>> {
    let outcome = match (record.state, &record.result) {
        (State::Cancelled, _) => Some(cancelled()),
        (State::Succeeded | State::Failed, Some(sealed)) => {
            let plain = id.open(&record.address, Part::Result, sealed)?;
            Some(Outcome::from_bytes(plain)?)
        }
        _ => None,
    };
    Ok(outcome.map(Arc::new))
}

pub(super) fn cancelled() -> Outcome {
    Outcome::failure(&Error::new(
        ErrorKind::Cancelled,
        "The job was cancelled before it ended.",
    ))
}

/// The state in which a job with this outcome ends.
pub(super) fn end_state(outcome: &Outcome) -> State {
    if outcome.is_success() {
        State::Succeeded
    } else {
        State::Failed
    }
}

/// The time by this machine's clock, in milliseconds since 1970.
pub(super) fn now() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
