//! Repeats: a lost call's answer goes to the caller's next identical call, once; an answer under
//! the caller's own key goes to every call with that key.
//!
//! What a repeat finds in the store is a pointer to the job that holds, or will hold, the answer.

use std::{sync::Arc, time::Duration};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Checkpoint, JobState, Jobs, Request,
    record::{Call, JobView, now},
    run::{Job, Run, Source, Waiter},
};
use crate::{
    error::{Error, Kind as ErrorKind, Result},
    store::{Address, Capability, Kind, New, Part, Record, State},
};

/// How often a call with the caller's own key is tried when others with it come and go.
const CLAIMS: usize = 5;

/// What was asked, as a one-way print that only the same caller can make.
#[derive(Clone)]
pub(super) struct Asked {
    /// Opens what is kept for it.
    capability: Capability,
    /// Where that stands. Its kind says whether it is kept for one repeat, or for every call with
    /// the caller's own key.
    pub(super) address: Address,
    /// The print of the body.
    pub(super) print: String,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Self {
        let call = &request.call;
        let print = HEXLOWER.encode(&Sha256::digest(&call.body));
        // Of two lines each, so that no body's print can be taken for somebody's own key.
        let (kind, context) = match &request.idempotency_key {
            Some(own) => (
                Kind::Idempotency,
                format!("own key\n{}\n{own}", call.operation),
            ),
            None => (Kind::Adoption, format!("body\n{}\n{print}", call.operation)),
        };
        let capability = Capability::from_secret(&context, call.key.reveal());
        Self {
            address: capability.address(kind),
            capability,
            print,
        }
    }

    /// Whether the caller gave the call a key of its own.
    pub(super) fn is_named(&self) -> bool {
        self.address.kind == Kind::Idempotency
    }
}

/// What a repeat finds in the store.
#[derive(Serialize, Deserialize)]
struct Pointer {
    /// The print of the body that was asked.
    print: String,
    /// The id of the job.
    job: String,
}

/// What came of looking for an earlier call.
enum Found {
    /// Its job.
    Job(Capability),
    /// Its pointer leads nowhere, or to what is not worth replaying.
    Useless,
}

impl Jobs {
    /// A lost run of the same call in this process, and whether a pointer in the store leads to
    /// it. One that failed in a way that may pass is nobody's.
    pub(super) fn adopt_here(&self, asked: &Asked) -> Option<(Waiter, bool)> {
        let runs = self.runs(&asked.address.locator);
        let (run, has_pointer) = runs.into_iter().find_map(|run| {
            let useless = run.outcome().is_some_and(|outcome| outcome.is_transient());
            let has_pointer = (!useless).then(|| run.adopt())??;
            Some((run, has_pointer))
        })?;
        let waiter = Waiter::new(self.clone(), asked.clone(), Source::Here(run));
        Some((waiter, has_pointer))
    }

    /// What an earlier call left in the store for this one, which nobody else can take any more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if there is something that cannot be read just now: a new call
    /// would be paid for again.
    pub(super) async fn adopt_from_store(&self, asked: &Asked) -> Result<Option<Waiter>> {
        let record = match self.0.store.get(&asked.address).await {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(None),
            // A store that is away costs repeats their replay, and calls nothing.
            Err(error) => {
                tracing::warn!(detail = error.log_detail(), "repeats cannot be looked up");
                return Ok(None);
            }
        };
        let found = match self.follow(asked, &record).await {
            Err(error) if error.kind() == ErrorKind::Unavailable => return Err(error),
            Err(error) => {
                tracing::warn!(detail = error.log_detail(), "a kept answer is not used");
                Found::Useless
            }
            Ok(found) => found,
        };
        // Of several who found it, the one who removes it has it.
        let mine = self.0.store.delete_if(&asked.address, &record.request);
        match (mine.await?, found) {
            (true, Found::Job(id)) => Ok(Some(self.waiter(asked, &id))),
            _ => Ok(None),
        }
    }

    /// Leads from a pointer to its job.
    async fn follow(&self, asked: &Asked, record: &Record) -> Result<Found> {
        let plain = asked
            .capability
            .open(&asked.address, Part::Request, &record.request)?;
        let pointer: Pointer = serde_json::from_slice(&plain).map_err(|cause| {
            Error::new(ErrorKind::Internal, "What was kept cannot be read.").because(cause)
        })?;
        if pointer.print != asked.print {
            return Err(other_body());
        }
        let Some(id) = Capability::parse(&pointer.job) else {
            return Ok(Found::Useless);
        };
        match self.view_of(&id).await {
            Ok(view) => {
                let outcome = view.outcome.as_ref();
                let transient = outcome.is_some_and(|outcome| outcome.is_transient());
                let dropped = view.state == JobState::Cancelled && !asked.is_named();
                let useless = transient || dropped || self.is_over(asked, record, &view);
                Ok(if useless {
                    Found::Useless
                } else {
                    Found::Job(id)
                })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::Useless),
            Err(error) => Err(error),
        }
    }

    /// Whether the time is over in which the pointer `record` of a lost call leads to its job: from
    /// the loss or the job's end on, whichever was later.
    fn is_over(&self, asked: &Asked, record: &Record, job: &JobView) -> bool {
        let kept = i64::try_from(self.0.config.keep_lost.as_millis()).unwrap_or(i64::MAX);
        let since = job.finished_at.map(|end| end.max(record.created_at));
        !asked.is_named() && since.is_some_and(|since| since.saturating_add(kept) < now())
    }

    /// Waits for the job `id`, wherever it runs.
    fn waiter(&self, asked: &Asked, id: &Capability) -> Waiter {
        let source = match self.job_here(id) {
            Some(run) => Source::Here(run),
            None => Source::Store(id.clone()),
        };
        Waiter::new(self.clone(), asked.clone(), source)
    }

    /// Starts a call under the caller's own key, or joins the one that has it; the second value
    /// says which. Of several at once, in this process or others, exactly one starts.
    pub(super) async fn claim(
        &self,
        asked: &Asked,
        call: &Call,
        start: impl FnOnce(&Arc<Run>, Checkpoint),
    ) -> Result<(Waiter, bool)> {
        for _ in 0..CLAIMS {
            if let Some(record) = self.0.store.get(&asked.address).await? {
                if let Found::Job(id) = self.follow(asked, &record).await? {
                    return Ok((self.waiter(asked, &id), true));
                }
                let delete = self.0.store.delete_if(&asked.address, &record.request);
                delete.await?;
            }
            // The job stands before its pointer does: a pointer to nothing would read as useless.
            let job = Job::new(true);
            self.put_running(&job, call).await?;
            match self.point(asked, &job.id, self.0.config.keep).await {
                Ok(Some(pointer)) => {
                    let run = Run::new(call.clone(), Some(asked.clone()), Some(job.clone()));
                    run.keep_pointer(pointer);
                    self.add_job(&job, &run);
                    start(&run, Checkpoint::of(&self.0.store, job.id.clone()));
                    let source = Source::Here(run);
                    return Ok((Waiter::new(self.clone(), asked.clone(), source), false));
                }
                Ok(None) => {
                    self.0.store.delete(&job.id.address(Kind::Job)).await?;
                }
                Err(error) => {
                    let _ = self.0.store.delete(&job.id.address(Kind::Job)).await;
                    return Err(error);
                }
            }
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "Other calls with this Idempotency-Key are just being made; try again in a moment.",
        ))
    }

    /// Puts a pointer to the job `id`, and gives it as it stands there, sealed; `None` if there is
    /// one for the same call already.
    async fn point(
        &self,
        asked: &Asked,
        id: &Capability,
        keep: Duration,
    ) -> Result<Option<Vec<u8>>> {
        let pointer = Pointer {
            print: asked.print.clone(),
            job: id.to_text().to_string(),
        };
        let plain = serde_json::to_vec(&pointer).unwrap_or_default();
        let new = New {
            address: asked.address,
            group: None,
            state: State::Stored,
            request: asked.capability.seal(&asked.address, Part::Request, &plain),
            result: None,
            keep,
            lease: None,
        };
        let stored = self.0.store.put(&new).await?;
        Ok(stored.then_some(new.request))
    }

    /// Takes note that a caller has its answer, or went away without it.
    pub(super) fn left(&self, asked: &Asked, source: &Source, delivered: bool) {
        if delivered || asked.is_named() {
            if let Source::Here(run) = source {
                self.forget(run);
            }
            return;
        }
        if let Source::Here(run) = source {
            run.lose();
            tracing::info!(
                request_id = run.call.request_id,
                operation = run.call.operation,
                ended = run.outcome().is_some(),
                "the caller went away; its answer is kept for its repeat"
            );
        }
        let (jobs, asked, source) = (self.clone(), asked.clone(), source.clone());
        self.spawn(async move { jobs.keep_for_repeat(&asked, &source).await });
    }

    /// Puts what a lost call comes to where its repeat finds it, in this process or another.
    async fn keep_for_repeat(&self, asked: &Asked, source: &Source) {
        let run = match source {
            Source::Store(id) => {
                if let Err(error) = self.point(asked, id, self.0.config.keep_lost).await {
                    not_kept(&error);
                }
                return;
            }
            Source::Here(run) => run,
        };
        if run.outcome().is_some_and(|outcome| outcome.is_transient()) {
            return self.forget(run);
        }
        // What still runs is kept from its end on.
        let left = if run.outcome().is_some() {
            Duration::ZERO
        } else {
            self.0.longest
        };
        let kept = match self.ensure_job(run, false).await {
            Ok(id) => self.point(asked, &id, self.0.config.keep_lost + left).await,
            Err(error) => Err(error),
        };
        match kept {
            Ok(Some(_)) if run.set_findable() => {
                if run.outcome().is_some() {
                    self.forget(run);
                }
            }
            // The repeat came while this was being written, and found the run itself.
            Ok(Some(pointer)) => {
                let _ = self.0.store.delete_if(&asked.address, &pointer).await;
            }
            // Another call of the same words is lost, too, and has the one place.
            Ok(None) => self.keep_in_memory(run).await,
            Err(error) => {
                not_kept(&error);
                self.keep_in_memory(run).await;
            }
        }
    }

    /// Lets a repeat in this process find a lost run for a while, as far as there is room.
    async fn keep_in_memory(&self, run: &Arc<Run>) {
        let size = run.size().div_ceil(1024);
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        if let Ok(_room) = self.0.unkept.try_acquire_many(size) {
            tokio::select! {
                () = tokio::time::sleep(self.0.config.keep_lost) => {}
                // No repeat is taken any more when the service stops.
                () = self.stopping() => {}
            }
        }
        if run.is_lost() {
            self.forget(run);
        }
    }

    /// Forgets the pointer to a call under the caller's own key that failed in a way in which it
    /// may succeed the next time.
    pub(super) async fn let_try_again(&self, run: &Run) {
        if let Some(asked) = run.asked.as_ref().filter(|asked| asked.is_named())
            && let Some(pointer) = run.pointer()
        {
            let _ = self.0.store.delete_if(&asked.address, pointer).await;
        }
    }
}

fn not_kept(error: &Error) {
    let detail = error.log_detail();
    tracing::warn!(detail, "a lost call is not kept for its repeat");
}

fn other_body() -> Error {
    Error::new(
        ErrorKind::IdempotencyMismatch,
        "This Idempotency-Key was used for another request; use a new one.",
    )
}
