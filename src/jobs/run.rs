//! One generation under way in this process, and the caller who waits for it.

use std::sync::{Arc, Mutex, OnceLock};

use tokio::{
    sync::{Mutex as AsyncMutex, watch},
    task::AbortHandle,
    time::Instant,
};

use super::{
    Asked, Jobs, Outcome, lock,
    record::{Call, now},
};
use crate::store::{Capability, Owner};

/// A generation in a task of its own.
pub(super) struct Run {
    /// The call that it is for, and that starts it anew if this process goes away.
    pub(super) call: Call,
    /// When it began, in milliseconds since 1970.
    pub(super) created_at: i64,
    /// The print by which a repeat finds it; `None` once it was taken up from the store.
    pub(super) asked: Option<Asked>,
    progress: watch::Sender<Progress>,
    lost: Mutex<Lost>,
    /// Its job. Locked while the store is written, so that a run that ends and a run that becomes
    /// a job do not miss each other.
    pub(super) job: AsyncMutex<Option<Job>>,
    task: OnceLock<AbortHandle>,
    /// The pointer to it under the caller's own key, as it stands in the store.
    pointer: OnceLock<Vec<u8>>,
}

/// The job that a run has become.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) id: Capability,
    pub(super) owner: Owner,
    /// When it began to be a job, in milliseconds since 1970.
    pub(super) created_at: i64,
    /// Whether a caller was given its id, or named the call: it may come for the answer all day.
    /// What is only kept for a repeat is gone sooner.
    pub(super) handed_out: bool,
}

impl Job {
    /// A job that begins now.
    pub(super) fn new(handed_out: bool) -> Self {
        Self {
            id: Capability::random(),
            owner: Owner::random(),
            created_at: now(),
            handed_out,
        }
    }
}

/// Whether a run's caller went away and nobody has come for it yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lost {
    No,
    Yes,
    /// A pointer in the store leads its repeat to it.
    Findable,
}

/// How far a run is.
#[derive(Clone)]
pub(super) enum Progress {
    /// Under way.
    Running,
    /// There is an outcome.
    Ended(Arc<Outcome>),
    /// Another process has taken the job over.
    Elsewhere(Capability),
}

impl Run {
    pub(super) fn new(call: Call, asked: Option<Asked>, job: Option<Job>) -> Arc<Self> {
        Arc::new(Self {
            created_at: job.as_ref().map_or_else(now, |job| job.created_at),
            call,
            asked,
            progress: watch::Sender::new(Progress::Running),
            lost: Mutex::new(Lost::No),
            job: AsyncMutex::new(job),
            task: OnceLock::new(),
            pointer: OnceLock::new(),
        })
    }

    /// Keeps the pointer to it under the caller's own key.
    pub(super) fn keep_pointer(&self, sealed: Vec<u8>) {
        let _ = self.pointer.set(sealed);
    }

    pub(super) fn pointer(&self) -> Option<&[u8]> {
        self.pointer.get().map(Vec::as_slice)
    }

    /// The bytes that it holds in memory, or nearly so.
    pub(super) fn size(&self) -> usize {
        let outcome = self.outcome().map_or(0, |outcome| outcome.body.len());
        self.call.body.len() + outcome + 1024
    }

    /// Keeps the handle of its task.
    pub(super) fn started(&self, task: AbortHandle) {
        let _ = self.task.set(task);
    }

    /// Ends its work with `progress`; the connection to OpenRouter closes with it.
    pub(super) fn stop(&self, progress: Progress) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
        self.reach(progress);
    }

    /// Takes note of how far it is, and wakes whoever waits. Only the first end counts.
    pub(super) fn reach(&self, progress: Progress) {
        self.progress.send_if_modified(|now| {
            let running = matches!(now, Progress::Running);
            if running {
                *now = progress;
            }
            running
        });
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    pub(super) fn outcome(&self) -> Option<Arc<Outcome>> {
        match self.progress() {
            Progress::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        *lock(&self.lost) != Lost::No
    }

    /// Takes note that the caller went away.
    pub(super) fn lose(&self) {
        *lock(&self.lost) = Lost::Yes;
    }

    /// Takes note that a pointer in the store leads its repeat to it, if it still is lost; whether
    /// it is.
    pub(super) fn set_findable(&self) -> bool {
        let mut lost = lock(&self.lost);
        if *lost != Lost::No {
            *lost = Lost::Findable;
        }
        *lost != Lost::No
    }

    /// Whether its repeat finds it in the store.
    pub(super) fn is_findable(&self) -> bool {
        *lock(&self.lost) == Lost::Findable
    }

    /// Hands a lost run to the asker, and says whether a pointer in the store leads to it; `None`
    /// if it is not lost.
    pub(super) fn adopt(&self) -> Option<bool> {
        let lost = std::mem::replace(&mut *lock(&self.lost), Lost::No);
        (lost != Lost::No).then_some(lost == Lost::Findable)
    }

    /// Waits until it has ended or went elsewhere.
    async fn end(&self) -> Progress {
        let mut progress = self.progress.subscribe();
        let ended = progress
            .wait_for(|now| !matches!(now, Progress::Running))
            .await;
        ended.map_or(Progress::Running, |now| now.clone())
    }
}

/// Where a caller's answer comes from.
#[derive(Clone)]
pub(super) enum Source {
    /// A run of this process.
    Here(Arc<Run>),
    /// A job in the store, whoever works on it.
    Store(Capability),
}

/// Somebody who waits for an answer, or is being given one. Dropped before
/// [`Waiter::delivered`], the answer is kept for the caller's repeat.
pub(super) struct Waiter {
    jobs: Jobs,
    asked: Asked,
    source: Source,
    delivered: bool,
}

impl Waiter {
    pub(super) fn new(jobs: Jobs, asked: Asked, source: Source) -> Self {
        Self {
            jobs,
            asked,
            source,
            delivered: false,
        }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// The outcome, if there is one before `until` and before the service stops.
    pub(super) async fn outcome_until(&mut self, until: Instant) -> Option<Arc<Outcome>> {
        loop {
            let ended = async {
                match &self.source {
                    Source::Here(run) => run.end().await,
                    Source::Store(id) => Progress::Ended(self.jobs.outcome_in_store(id).await),
                }
            };
            let ended = tokio::select! {
                ended = ended => ended,
                () = tokio::time::sleep_until(until) => return None,
                () = self.jobs.last_moment() => return None,
            };
            match ended {
                Progress::Ended(outcome) => return Some(outcome),
                Progress::Elsewhere(id) => self.source = Source::Store(id),
                Progress::Running => return None,
            }
        }
    }

    /// The caller has its answer, or the id of the job that will have it.
    pub(super) fn delivered(mut self) {
        self.delivered = true;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.jobs.left(&self.asked, &self.source, self.delivered);
    }
}
