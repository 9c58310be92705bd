//! Jobs in the store: made, held under a lease, ended, taken up again, cancelled.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    Asked, Checkpoint, JobView, Jobs, Outcome,
    record::{Call, cancelled, end_state, outcome_in},
    run::{Job, Progress, Run},
};
use crate::{
    error::{Error, Kind as ErrorKind, Result},
    store::{Capability, Kind, Leased, New, Owner, Part, Record, State},
    telemetry,
};

/// Times between looks at a job that runs in another process.
const LOOK: Duration = Duration::from_millis(500);

/// How long a caller who named its call waits for its outcome to be written, at most.
const WRITE_FIRST: Duration = Duration::from_secs(5);

/// How long a job is kept that failed for want of a key that OpenRouter knows.
const KEEP_REFUSED: Duration = Duration::from_mins(10);

/// From how many bytes on sealing and opening are done aside, where they keep no call waiting.
const LARGE: usize = 256 * 1024;

/// The longest time between two tries to write an outcome into a store that is away.
const WRITE_AGAIN: Duration = Duration::from_secs(10);

/// How long the service, when it stops, waits for the ends of jobs to be written.
const LAST_WRITES: Duration = Duration::from_secs(1);

impl Jobs {
    /// Puts a job that is begun here into the store, and gives what starts to run.
    pub(super) async fn put_running(&self, job: &Job, call: &Call) -> Result<()> {
        let (id, copy) = (job.id.clone(), call.clone());
        let request = aside(call.body.len(), move || copy.seal(&id)).await?;
        self.put(&New {
            address: job.id.address(Kind::Job),
            group: None,
            state: State::Running,
            request,
            result: None,
            keep: self.0.keep_running,
            lease: Some((job.owner, self.0.config.lease)),
        })
        .await
    }

    async fn put(&self, new: &New) -> Result<()> {
        match self.0.store.put(new).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) => {
                // It may stand there all the same, and nobody will ask for it.
                let _ = self.0.store.delete(&new.address).await;
                return Err(error);
            }
        }
        Err(Error::new(ErrorKind::Internal, "The job could not be kept.").detail("its id is taken"))
    }

    /// Makes `run` a job if it is none yet, ended or not, and gives its id.
    pub(super) async fn ensure_job(&self, run: &Arc<Run>, handed_out: bool) -> Result<Capability> {
        let mut slot = run.job.lock().await;
        if let Some(job) = slot.as_mut() {
            job.handed_out |= handed_out;
            return Ok(job.id.clone());
        }
        let job = Job::new(handed_out);
        if let Some(outcome) = run.outcome() {
            let (id, call, ended) = (job.id.clone(), run.call.clone(), Arc::clone(&outcome));
            let sealing = aside(run.size(), move || (call.seal(&id), seal(&id, &ended)));
            let (request, result) = sealing.await?;
            self.put(&New {
                address: job.id.address(Kind::Job),
                group: None,
                state: end_state(&outcome),
                request,
                result: Some(result),
                keep: self.keep(&outcome, handed_out),
                lease: None,
            })
            .await?;
        } else {
            self.put_running(&job, &run.call).await?;
            self.add_job(&job, run);
        }
        let id = job.id.clone();
        *slot = Some(job);
        Ok(id)
    }

    /// Takes note of a job that runs here, and holds its lease until it has ended.
    pub(super) fn add_job(&self, job: &Job, run: &Arc<Run>) {
        let locator = job.id.address(Kind::Job).locator;
        super::lock(&self.0.jobs).insert(locator, Arc::clone(run));
        let (jobs, job, run) = (self.clone(), job.clone(), Arc::clone(run));
        tokio::spawn(async move { jobs.hold(&job, &run).await });
    }

    async fn hold(&self, job: &Job, run: &Arc<Run>) {
        let address = job.id.address(Kind::Job);
        let lease = self.0.config.lease;
        let mut ticks = tokio::time::interval(lease / 3);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            if self.job_here(&job.id).is_none() {
                return;
            }
            match self.0.store.renew(&address, job.owner, lease).await {
                Ok(true) => {}
                Ok(false) => self.lost_lease(job, run).await,
                Err(error) => {
                    let detail = error.log_detail();
                    tracing::warn!(detail, "a job's lease is not renewed");
                }
            }
        }
    }

    /// Ends a run whose job was cancelled, or is run by another process by now.
    async fn lost_lease(&self, job: &Job, run: &Arc<Run>) {
        // Its own end may just have been written.
        if self.job_here(&job.id).is_none() {
            return;
        }
        let progress = match self.0.store.state(&job.id.address(Kind::Job)).await {
            Ok(Some(State::Cancelled)) => Progress::Ended(Arc::new(cancelled())),
            Ok(Some(_)) => Progress::Elsewhere(job.id.clone()),
            Ok(None) => {
                // Nobody else works on it, and it is being paid for: who waits here gets it.
                tracing::warn!(
                    operation = run.call.operation,
                    "the store has lost a job that runs here"
                );
                return self.remove_job(&job.id);
            }
            // The next renewal tells.
            Err(_) => return,
        };
        tracing::warn!(
            operation = run.call.operation,
            "a job that ran here was cancelled or taken over"
        );
        run.stop(progress);
        self.remove_job(&job.id);
        self.forget(run);
    }

    /// Writes what a run came to, if it is a job, and tells who waits for that.
    pub(super) async fn ended(&self, run: &Arc<Run>, outcome: Arc<Outcome>) {
        if outcome.is_transient() {
            // Before it is told: the next call with the same key is a new one.
            self.let_try_again(run).await;
        }
        let mut written = None;
        if run.asked.as_ref().is_some_and(Asked::is_named)
            && let Some(job) = run.job.lock().await.as_ref()
        {
            // Written before it is told: whoever names a call is told the same thing every time,
            // also when this process is killed in between.
            let writing = self.write_end(job, &outcome);
            written = tokio::time::timeout(WRITE_FIRST, writing).await.ok();
        }
        run.reach(Progress::Ended(Arc::clone(&outcome)));
        let job = run.job.lock().await;
        let Some(job) = job.as_ref() else { return };
        let written = match written {
            Some(written) => written,
            None => self.write_end(job, &outcome).await,
        };
        self.remove_job(&job.id);
        if run.is_findable() {
            self.forget(run);
        }
        let facts = &outcome.facts;
        tracing::info!(
            request_id = run.call.request_id,
            operation = run.call.operation,
            status = outcome.status(),
            upstream_ms = u64::try_from(facts.upstream.as_millis()).unwrap_or(u64::MAX),
            generation_id = outcome.generation_id().unwrap_or_default(),
            model = facts.model.as_deref().unwrap_or_default(),
            tokens = facts.tokens.unwrap_or_default(),
            cost = facts.cost.unwrap_or_default(),
            code = facts.code,
            detail = facts.detail,
            written,
            "a job ended"
        );
        if written && job.handed_out {
            let view = JobView::of_ended(&run.call.operation, job.created_at, &outcome);
            self.tell(&run.call, &job.id, &view);
        }
    }

    /// Tells the listener of a job that has ended.
    fn tell(&self, call: &Call, id: &Capability, view: &JobView) {
        if let Some(listener) = self.0.listener.get() {
            listener(&call.key, &id.to_text(), view);
        }
    }

    /// How long a job that has ended is kept.
    fn keep(&self, outcome: &Outcome, handed_out: bool) -> Duration {
        let keep = if handed_out {
            self.0.config.keep
        } else {
            // A repeat that finds it at the last moment still has to fetch it.
            self.0.config.keep_lost * 2
        };
        if outcome.status() == ErrorKind::InvalidKey.status() {
            // Anybody can make such jobs; they must not fill the store.
            return keep.min(KEEP_REFUSED);
        }
        keep
    }

    /// Writes the end of a job; tries again while the store is away.
    async fn write_end(&self, job: &Job, outcome: &Outcome) -> bool {
        let address = job.id.address(Kind::Job);
        let give_up = Instant::now() + self.0.config.keep;
        let (id, copy) = (job.id.clone(), outcome.clone());
        let sealing = aside(outcome.body.len(), move || seal(&id, &copy)).await;
        let Ok(mut sealed) = sealing else {
            return false;
        };
        let mut state = end_state(outcome);
        let mut wait = Duration::from_millis(100);
        loop {
            let keep = self.keep(outcome, job.handed_out);
            let store = &self.0.store;
            match store
                .finish(&address, job.owner, state, &sealed, keep)
                .await
            {
                Ok(written) => return written,
                Err(error) if error.kind() == ErrorKind::PayloadTooLarge => {
                    let error = Error::new(
                        ErrorKind::AnswerTooLarge,
                        "The answer is too large to be kept for a call in the background.",
                    );
                    sealed = seal(&job.id, &Outcome::failure(&error));
                    state = State::Failed;
                }
                Err(error) if Instant::now() < give_up => {
                    let detail = error.log_detail();
                    tracing::warn!(detail, "a job's answer is not written yet");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(WRITE_AGAIN);
                }
                Err(error) => {
                    tracing::error!(detail = error.log_detail(), "a job's answer is lost");
                    return false;
                }
            }
        }
    }

    /// What is known of the job `id`. A job whose process went away is taken up again here.
    ///
    /// # Errors
    ///
    /// `404` if there is no such job; [`ErrorKind::Unavailable`] if the store is away.
    pub async fn view(&self, id: &str) -> Result<JobView> {
        let id = Capability::parse(id).ok_or_else(no_such_job)?;
        self.view_of(&id).await
    }

    pub(super) async fn view_of(&self, id: &Capability) -> Result<JobView> {
        let record = match self.0.store.get(&id.address(Kind::Job)).await {
            Ok(record) => record.ok_or_else(no_such_job)?,
            // What runs here is known without the store.
            Err(error) => return self.view_here(id).ok_or(error),
        };
        let ended = match record.state {
            State::Running => self.attend(id).await?,
            _ => None,
        };
        opened(id, ended.unwrap_or(record), JobView::of).await
    }

    /// What the job `id` came to; `None` while it runs. A job whose process went away is taken up
    /// again here.
    ///
    /// # Errors
    ///
    /// `404` if there is no such job; [`ErrorKind::Unavailable`] if the store is away.
    pub async fn outcome(&self, id: &str) -> Result<Option<Arc<Outcome>>> {
        let id = Capability::parse(id).ok_or_else(no_such_job)?;
        self.outcome_of(&id).await
    }

    /// Cheap while the job runs, since that is asked for again and again.
    async fn outcome_of(&self, id: &Capability) -> Result<Option<Arc<Outcome>>> {
        let address = id.address(Kind::Job);
        let ended = match self.0.store.state(&address).await {
            Ok(Some(State::Running)) => match self.attend(id).await? {
                Some(record) => record,
                None => return Ok(None),
            },
            Ok(Some(_)) => self.0.store.get(&address).await?.ok_or_else(no_such_job)?,
            Ok(None) => return Err(no_such_job()),
            // What runs here is known without the store.
            Err(error) => return Ok(self.view_here(id).ok_or(error)?.outcome),
        };
        opened(id, ended, outcome_in).await
    }

    /// Sees to it that somebody works on the running job `id`; gives its record if it has ended
    /// meanwhile.
    async fn attend(&self, id: &Capability) -> Result<Option<Record>> {
        if self.job_here(id).is_some() || self.is_stopping() {
            return Ok(None);
        }
        // In a task: an attempt that was counted is made, whatever becomes of who asked.
        let (jobs, id) = (self.clone(), id.clone());
        let task = self
            .0
            .tasks
            .spawn(async move { jobs.take_lease(&id).await });
        task.await.map_err(|cause| {
            Error::new(ErrorKind::Internal, "The job could not be taken up.").because(cause)
        })?
    }

    async fn take_lease(&self, id: &Capability) -> Result<Option<Record>> {
        let address = id.address(Kind::Job);
        // Whether the lease is over is for the store's own clock to say.
        let owner = Owner::random();
        let (lease, most) = (self.0.config.lease, self.0.config.attempts.get());
        match self.0.store.lease(&address, owner, lease, most).await? {
            Leased::Taken(record) => {
                self.take_up(id, owner, &record).await?;
                Ok(None)
            }
            Leased::Exhausted(record) => {
                self.give_up(id, owner, &record).await?;
                self.0.store.get(&address).await
            }
            Leased::Finished(record) => Ok(Some(record)),
            Leased::Held => Ok(None),
            Leased::Missing => Err(no_such_job()),
        }
    }

    /// A job that runs or has just ended here, as it is shown without the store.
    fn view_here(&self, id: &Capability) -> Option<JobView> {
        let run = self.job_here(id)?;
        let operation = &run.call.operation;
        Some(match run.outcome() {
            Some(outcome) => JobView::of_ended(operation, run.created_at, &outcome),
            None => JobView::running(operation, run.created_at),
        })
    }

    /// Runs a job again whose process went away.
    async fn take_up(&self, id: &Capability, owner: Owner, record: &Record) -> Result<()> {
        let call = Call::open(id, record)?;
        let Some(runner) = self
            .0
            .runners
            .get()
            .and_then(|all| all.get(call.operation.as_str()))
        else {
            let error = Error::new(
                ErrorKind::Internal,
                "This version of the service does not know the job's operation.",
            );
            let _ = self.0.store.release(&record.address, owner).await;
            return Err(error);
        };
        tracing::info!(
            request_id = call.request_id,
            operation = call.operation,
            attempt = record.attempts,
            "a job is taken up again"
        );
        let job = Job {
            id: id.clone(),
            owner,
            created_at: record.created_at,
            handed_out: true,
        };
        let run = Run::new(call.clone(), None, Some(job.clone()));
        self.add_job(&job, &run);
        let anew = telemetry::Call::start(call.request_id.clone());
        let checkpoint = Checkpoint::of(&self.0.store, id.clone());
        anew.run(async { self.start(&run, runner(call, checkpoint)) })
            .await;
        Ok(())
    }

    /// Fails a job that was begun as often as it may be.
    async fn give_up(&self, id: &Capability, owner: Owner, record: &Record) -> Result<()> {
        let call = Call::open(id, record)?;
        let outcome = Outcome::failure(&Error::new(
            ErrorKind::Interrupted,
            "The service stopped each time while it ran this call. It is not run again, because each time may be billed.",
        ));
        let (store, sealed) = (&self.0.store, seal(id, &outcome));
        let keep = self.0.config.keep;
        let ended = store.finish(&record.address, owner, State::Failed, &sealed, keep);
        if ended.await? {
            let view = JobView::of_ended(&call.operation, record.created_at, &Arc::new(outcome));
            self.tell(&call, id, &view);
        }
        Ok(())
    }

    /// Cancels the job `id` if it still runs. The connection to OpenRouter closes, which stops the
    /// bill with the providers that support it: at once if the job runs here, else when the lease
    /// is next renewed.
    ///
    /// # Errors
    ///
    /// `404` if there is no such job; [`ErrorKind::Unavailable`] if the store is away.
    pub async fn cancel(&self, id: &str) -> Result<JobView> {
        let id = Capability::parse(id).ok_or_else(no_such_job)?;
        let address = id.address(Kind::Job);
        let before = self
            .0
            .store
            .cancel(&address)
            .await?
            .ok_or_else(no_such_job)?;
        if before == State::Running
            && let Some(run) = self.job_here(&id)
        {
            run.stop(Progress::Ended(Arc::new(cancelled())));
            self.remove_job(&id);
            self.forget(&run);
        }
        let record = self.0.store.get(&address).await?.ok_or_else(no_such_job)?;
        let view = JobView::of(&id, &record)?;
        if before == State::Running {
            self.tell(&Call::open(&id, &record)?, &id, &view);
        }
        Ok(view)
    }

    /// Waits for the outcome of a job that runs elsewhere, or that is only in the store.
    pub(super) async fn outcome_in_store(&self, id: &Capability) -> Arc<Outcome> {
        loop {
            match self.outcome_of(id).await {
                Ok(Some(outcome)) => return outcome,
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::Unavailable => {}
                Err(error) => return Arc::new(Outcome::failure(&error)),
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Gives up the leases of all jobs that still run here, so that another process, or this one
    /// when it is started again, may take them up at once. What has ended is written to its end:
    /// the worker that was at it may be gone, and an answer that is there is not paid for again.
    pub async fn release(&self) {
        let jobs: Vec<_> = super::lock(&self.0.jobs).drain().collect();
        let last_writes = Instant::now() + LAST_WRITES;
        for (_, run) in jobs {
            let Ok(job) = tokio::time::timeout_at(last_writes, run.job.lock()).await else {
                continue;
            };
            let Some(job) = job.as_ref() else { continue };
            if let Some(outcome) = run.outcome() {
                let written = self.write_end(job, &outcome);
                if tokio::time::timeout_at(last_writes, written).await.is_err() {
                    tracing::warn!("the end of a job could not be written any more");
                }
                continue;
            }
            run.stop(Progress::Elsewhere(job.id.clone()));
            let _ = self
                .0
                .store
                .release(&job.id.address(Kind::Job), job.owner)
                .await;
            tracing::info!(
                operation = run.call.operation,
                "a job is left to whoever polls it next"
            );
        }
    }
}

fn seal(id: &Capability, outcome: &Outcome) -> Vec<u8> {
    id.seal(&id.address(Kind::Job), Part::Result, &outcome.to_bytes())
}

/// Reads a record, aside if it is large.
async fn opened<T: Send + 'static>(
    id: &Capability,
    record: Record,
    read: fn(&Capability, &Record) -> Result<T>,
) -> Result<T> {
    let size = record.request.len() + record.result.as_ref().map_or(0, Vec::len);
    let id = id.clone();
    aside(size, move || read(&id, &record)).await?
}

/// Does what takes long for `size` bytes where it keeps no other call waiting.
async fn aside<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if size < LARGE {
        return Ok(work());
    }
    let work = tokio::task::spawn_blocking(work);
    work.await
        .map_err(|cause| Error::new(ErrorKind::Internal, "The service failed.").because(cause))
}

fn no_such_job() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "There is no such job, or it is so old that it was deleted.",
    )
}
