//! What a long job keeps of its way, so that the process that takes it up does not begin anew.

use std::time::Duration;

use crate::{
    error::{Error, Kind as ErrorKind, Result},
    store::{Capability, Kind, New, Part, State, Store},
};

/// How long a mark stands: longer than any job runs.
const KEEP: Duration = Duration::from_hours(48);

/// How often, and how far apart, a mark is tried again while the store is away.
const TRIES: u32 = 120;
const AGAIN: Duration = Duration::from_secs(2);

/// The marks that a job sets on its way. Without a job, nothing outlives the process, and they are
/// not kept.
#[derive(Clone)]
pub struct Checkpoint(Option<(Store, Capability)>);

/// What a step finds before it.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// It was never begun; it is now.
    First,
    /// It was begun, and nothing is known of its end.
    Begun,
    /// It was done, with this result.
    Done(String),
}

impl Checkpoint {
    /// Marks that nobody keeps.
    pub(super) const fn nowhere() -> Self {
        Self(None)
    }

    /// The marks of the job `id`.
    pub(super) fn of(store: &Store, id: Capability) -> Self {
        Self(Some((store.clone(), id)))
    }

    /// Begins a step that must not be done twice, such as one that is paid for.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if the store is away; the step is not begun then.
    pub async fn begin(&self, step: &str) -> Result<Step> {
        let Some((store, _)) = &self.0 else {
            return Ok(Step::First);
        };
        let (begun, done) = (self.mark(step, "begun"), self.mark(step, "done"));
        if let Some((address, capability)) = &done
            && let Some(record) = store.get(address).await?
        {
            let plain = capability.open(address, Part::Request, &record.request)?;
            let text = String::from_utf8(plain).map_err(|cause| {
                Error::new(ErrorKind::Internal, "What was kept cannot be read.").because(cause)
            })?;
            return Ok(Step::Done(text));
        }
        let first = self.put(begun, "").await?;
        Ok(if first { Step::First } else { Step::Begun })
    }

    /// Takes note of a step's result. If the store is away, it goes on trying in the background: the
    /// work itself does not depend on it.
    pub async fn done(&self, step: &str, result: &str) {
        let Err(error) = self.put(self.mark(step, "done"), result).await else {
            return;
        };
        let detail = error.log_detail();
        tracing::warn!(detail, "how far a job has come is not written yet");
        let (marks, step, result) = (self.clone(), step.to_owned(), result.to_owned());
        tokio::spawn(async move {
            for _ in 0..TRIES {
                tokio::time::sleep(AGAIN).await;
                if marks.put(marks.mark(&step, "done"), &result).await.is_ok() {
                    return;
                }
            }
        });
    }

    fn mark(&self, step: &str, end: &str) -> Option<(crate::store::Address, Capability)> {
        let (_, id) = self.0.as_ref()?;
        let capability = Capability::from_secret(&format!("step\n{step}\n{end}"), &id.to_text());
        Some((capability.address(Kind::Checkpoint), capability))
    }

    async fn put(
        &self,
        mark: Option<(crate::store::Address, Capability)>,
        text: &str,
    ) -> Result<bool> {
        let (Some((store, _)), Some((address, capability))) = (&self.0, mark) else {
            return Ok(true);
        };
        let new = New {
            address,
            group: None,
            state: State::Stored,
            request: capability.seal(&address, Part::Request, text.as_bytes()),
            result: None,
            keep: KEEP,
            lease: None,
        };
        store.put(&new).await
    }
}
