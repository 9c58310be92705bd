//! Calls that outlive their caller: each generation runs in a task of its own, and its answer goes
//! to whoever asks for it: the caller in time, a poller of the job, or the caller's own repeat
//! after the platform dropped the call.
//!
//! What is kept is sealed under the job's id or the caller's key; who reads the store reads nothing.

mod background;
mod checkpoint;
mod keys;
mod outcome;
mod record;
mod repeats;
mod run;

use std::{
    collections::HashMap,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    runtime::Handle,
    sync::{Mutex as AsyncMutex, OwnedMutexGuard, Semaphore, watch},
    time::Instant,
};
use tokio_util::task::TaskTracker;

pub use checkpoint::{Checkpoint, Step};
pub use outcome::Outcome;
pub use record::{Call, JobState, JobView};
use repeats::Asked;
use run::{Job, Run, Source, Waiter};

use crate::{
    config,
    error::{Error, Kind, Result},
    openrouter::ApiKey,
    store::{Capability, Kind as RecordKind, Locator, Store},
    telemetry,
};

/// A generation under way.
pub type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Begins a call anew after the process that ran it went away.
pub type Runner = Box<dyn Fn(Call, Checkpoint) -> Work + Send + Sync>;

/// Told of each job that ended: the caller's key, the job's id, and what it came to.
pub type Listener = Box<dyn Fn(&ApiKey, &str, &JobView) + Send + Sync>;

/// How long before the end of the grace period callers who still wait are given a job.
const HAND_OVER: Duration = Duration::from_secs(3);

/// How long a caller is kept waiting beyond its time while the store does not take its job.
const STORE_PATIENCE: Duration = Duration::from_secs(15);

/// How long a call waits for its turn at most, where the store does not answer.
const TURN: Duration = Duration::from_secs(1);

/// What lost calls may hold in memory alone, where the store has no place for them, in KiB.
const MAX_UNKEPT: usize = 32 * 1024;

/// Starts, keeps and hands over generations; a copy is the same.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    store: Store,
    config: config::Jobs,
    /// How long a caller waits before its call becomes a job.
    answer: Duration,
    /// How long a generation may take in all.
    longest: Duration,
    /// How long the record of a job that never ends is kept.
    keep_running: Duration,
    runners: OnceLock<HashMap<&'static str, Runner>>,
    listener: OnceLock<Listener>,
    /// The runs of this process by what they were asked, for repeats that arrive meanwhile.
    running: Mutex<HashMap<Locator, Vec<Arc<Run>>>>,
    /// The runs of this process that are jobs and have not been written to their end.
    jobs: Mutex<HashMap<Locator, Arc<Run>>>,
    /// Calls that are being looked for or begun, one after the other for the same words.
    turns: Mutex<HashMap<Locator, Arc<AsyncMutex<()>>>>,
    unkept: Arc<Semaphore>,
    known_keys: keys::KnownKeys,
    /// The runtime that the service was built in.
    runtime: Option<Handle>,
    tasks: TaskTracker,
    /// When the service stops, the last moment at which a caller is answered in person.
    last_moment: watch::Sender<Option<Instant>>,
}

/// What a caller asks for.
pub struct Request {
    /// The call itself.
    pub call: Call,
    /// The caller's own key for this call, from `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// Whether the caller wants a job at once.
    pub background: bool,
}

/// What a caller is answered. Dropped before [`Reply::delivered`], it is kept for the caller's
/// repeat.
pub struct Reply {
    /// The answer, or the job that will have it.
    pub answer: Answer,
    /// Whether it was made for an earlier, identical call.
    pub replayed: bool,
    waiter: Waiter,
}

/// An answer, or the job that will have it.
#[derive(Clone)]
pub enum Answer {
    /// The answer.
    Done(Arc<Outcome>),
    /// The id of the job.
    Job(Capability),
}

impl Reply {
    /// The caller has it.
    pub fn delivered(self) {
        self.waiter.delivered();
    }
}

impl Jobs {
    /// Jobs kept in `store`; must be made in the runtime that ends last.
    #[must_use]
    pub fn new(store: Store, config: config::Jobs, deadline: &config::Deadline) -> Self {
        let keep_running = config.keep + deadline.job * config.attempts.get();
        Self(Arc::new(Inner {
            store,
            config,
            answer: deadline.answer,
            longest: deadline.job,
            keep_running,
            runners: OnceLock::new(),
            listener: OnceLock::new(),
            running: Mutex::default(),
            jobs: Mutex::default(),
            turns: Mutex::default(),
            unkept: Arc::new(Semaphore::new(MAX_UNKEPT)),
            known_keys: keys::KnownKeys::default(),
            runtime: Handle::try_current().ok(),
            tasks: TaskTracker::new(),
            last_moment: watch::Sender::new(None),
        }))
    }

    /// Names how each operation is begun anew, and who is told of jobs that ended. Only the first
    /// word counts.
    pub fn connect(&self, runners: HashMap<&'static str, Runner>, listener: Listener) {
        let _ = self.0.runners.set(runners);
        let _ = self.0.listener.set(listener);
    }

    /// Answers `request` with what `work` makes, or with what an earlier identical call made whose
    /// caller went away.
    ///
    /// # Errors
    ///
    /// [`Kind::Unavailable`] if a job is wanted and cannot be kept, or the service is stopping;
    /// [`Kind::IdempotencyMismatch`] if the caller's own key was used for another body.
    pub async fn serve(
        &self,
        request: Request,
        work: impl FnOnce(Checkpoint) -> Work + Send + 'static,
    ) -> Result<Reply> {
        if self.is_stopping() {
            return Err(stopping());
        }
        let until = Instant::now() + self.0.answer;
        let background = request.background;
        let asked = Asked::of(&request);
        // In a task: when the caller goes away meanwhile, what was found or begun for it is not
        // dropped half-way, but counts as lost.
        let jobs = self.clone();
        let find = async move {
            let turn = jobs.turn(&asked.address.locator).await;
            // In this order: a call whose caller went away is lost before the next one looks.
            (jobs.find_or_start(asked, request, work).await, turn)
        };
        let task = self
            .0
            .tasks
            .spawn(telemetry::within(telemetry::current(), find));
        let (found, turn) = task.await.map_err(|cause| {
            Error::new(Kind::Internal, "The call could not be begun.").because(cause)
        })?;
        drop(turn);
        let (mut waiter, replayed) = found?;
        if !background && let Some(outcome) = waiter.outcome_until(until).await {
            let answer = Answer::Done(outcome);
            return Ok(Reply {
                answer,
                replayed,
                waiter,
            });
        }
        let answer = self.become_job(&mut waiter, background).await?;
        Ok(Reply {
            answer,
            replayed,
            waiter,
        })
    }

    /// Waits until no other call of the same words is being looked for or begun here: of two at
    /// once, each could miss the other.
    async fn turn(&self, asked: &Locator) -> Turn {
        let turn = Arc::clone(lock(&self.0.turns).entry(*asked).or_default());
        let held = tokio::time::timeout(TURN, turn.lock_owned()).await.ok();
        Turn {
            jobs: self.clone(),
            asked: *asked,
            held,
        }
    }

    /// The earlier call that this one repeats, or a new one.
    async fn find_or_start(
        &self,
        asked: Asked,
        request: Request,
        work: impl FnOnce(Checkpoint) -> Work,
    ) -> Result<(Waiter, bool)> {
        if asked.is_named() {
            let claimed = self.claim(&asked, &request.call, |run, checkpoint| {
                self.start(run, work(checkpoint));
            });
            return claimed.await;
        }
        if let Some((waiter, has_pointer)) = self.adopt_here(&asked) {
            // That leads nobody else to it. Another lost call of the same words keeps its own. Where
            // a repeat at another replica was faster, both get the one answer: better than to pay
            // for a second, since that repeat may be this caller's, and lost by now.
            if has_pointer {
                let _ = self.0.store.delete(&asked.address).await;
            }
            return Ok((waiter, true));
        }
        if let Some(waiter) = self.adopt_from_store(&asked).await? {
            return Ok((waiter, true));
        }
        let mut job = None;
        let mut checkpoint = Checkpoint::nowhere();
        if request.background {
            let new = Job::new(true);
            checkpoint = Checkpoint::of(&self.0.store, new.id.clone());
            self.put_running(&new, &request.call).await?;
            job = Some(new);
        }
        let run = Run::new(request.call, Some(asked.clone()), job.clone());
        if let Some(job) = &job {
            self.add_job(job, &run);
        }
        lock(&self.0.running)
            .entry(asked.address.locator)
            .or_default()
            .push(Arc::clone(&run));
        self.start(&run, work(checkpoint));
        Ok((Waiter::new(self.clone(), asked, Source::Here(run)), false))
    }

    /// Runs `work` in a task of its own. What it notes belongs to the call that it is begun in.
    fn start(&self, run: &Arc<Run>, work: Work) {
        let (longest, operation) = (self.0.longest, run.call.operation.clone());
        let bounded = async move {
            let caught = AssertUnwindSafe(work).catch_unwind();
            match tokio::time::timeout(longest, caught).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => {
                    tracing::error!(operation, "a generation ended in a panic");
                    failure(&Error::new(Kind::Internal, "The service failed."))
                }
                Err(_) => failure(&Error::new(
                    Kind::Deadline,
                    format!("The call took longer than {} seconds.", longest.as_secs()),
                )),
            }
        };
        let bounded = telemetry::within(telemetry::current(), bounded);
        let (made, outcome) = tokio::sync::oneshot::channel();
        // Only the work itself is stopped by a cancellation, not the writing of its end.
        let task = tokio::spawn(async move {
            let _ = made.send(bounded.await);
        });
        run.started(task.abort_handle());
        let (jobs, run) = (self.clone(), Arc::clone(run));
        self.0.tasks.spawn(async move {
            if let Ok(outcome) = outcome.await {
                jobs.ended(&run, Arc::new(outcome)).await;
            }
        });
    }

    /// Lets the call go on as a job, unless it has just ended.
    async fn become_job(&self, waiter: &mut Waiter, background: bool) -> Result<Answer> {
        let patience = Instant::now() + STORE_PATIENCE;
        loop {
            let run = match waiter.source() {
                Source::Store(id) => return Ok(Answer::Job(id.clone())),
                Source::Here(run) => Arc::clone(run),
            };
            let jobs = self.clone();
            let made = self
                .0
                .tasks
                .spawn(async move { jobs.ensure_job(&run, true).await });
            let made = made.await.map_err(|cause| {
                Error::new(Kind::Internal, "The call could not become a job.").because(cause)
            })?;
            let error = match made {
                Ok(id) => {
                    let ended = match waiter.source() {
                        Source::Here(run) if !background => run.outcome(),
                        _ => None,
                    };
                    return Ok(ended.map_or(Answer::Job(id), Answer::Done));
                }
                Err(error) => error,
            };
            // The answer may still come in time; if not, the caller's repeat finds the run.
            let again = Instant::now() + Duration::from_secs(2);
            if error.kind() != Kind::Unavailable || again > patience {
                return Err(error);
            }
            if let Some(outcome) = waiter.outcome_until(again).await {
                return Ok(Answer::Done(outcome));
            }
            tokio::time::sleep_until(again).await;
        }
    }

    fn runs(&self, asked: &Locator) -> Vec<Arc<Run>> {
        lock(&self.0.running)
            .get(asked)
            .cloned()
            .unwrap_or_default()
    }

    /// The run of the job `id`, if it is this process that works on it.
    fn job_here(&self, id: &Capability) -> Option<Arc<Run>> {
        let locator = id.address(RecordKind::Job).locator;
        lock(&self.0.jobs).get(&locator).cloned()
    }

    fn remove_job(&self, id: &Capability) {
        lock(&self.0.jobs).remove(&id.address(RecordKind::Job).locator);
    }

    /// No repeat finds `run` in this process any more.
    fn forget(&self, run: &Arc<Run>) {
        let Some(asked) = &run.asked else { return };
        let mut running = lock(&self.0.running);
        if let Some(runs) = running.get_mut(&asked.address.locator) {
            runs.retain(|other| !Arc::ptr_eq(other, run));
            if runs.is_empty() {
                running.remove(&asked.address.locator);
            }
        }
    }

    /// Spawns a task that the service waits for when it stops.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // On the runtime that outlives the workers, which are the first to end.
        if let Some(runtime) = &self.0.runtime {
            self.0.tasks.spawn_on(task, runtime);
        }
    }

    /// Takes no new work from now on, and waits until all that runs has ended, `grace` at most.
    /// Callers who still wait shortly before it is over get a job instead of their answer.
    pub async fn drain(&self, grace: Duration) {
        let last = Instant::now() + grace.saturating_sub(HAND_OVER);
        self.0.last_moment.send_replace(Some(last));
        self.0.tasks.close();
        tokio::select! {
            () = self.0.tasks.wait() => {}
            () = tokio::time::sleep_until(last) => {}
        }
    }

    /// Waits until nothing runs here any more and all that is to be kept is written, `most` at
    /// most. To be called after [`Jobs::drain`].
    pub async fn settle(&self, most: Duration) {
        let _ = tokio::time::timeout(most, self.0.tasks.wait()).await;
    }

    /// Whether the service takes no new work.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.last_moment.borrow().is_some()
    }

    /// Waits until the service takes no new work.
    async fn stopping(&self) {
        let mut moment = self.0.last_moment.subscribe();
        let _ = moment.wait_for(Option::is_some).await;
    }

    /// Waits for the last moment at which a caller is answered in person.
    async fn last_moment(&self) {
        let mut moment = self.0.last_moment.subscribe();
        let last = moment
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|last| *last);
        match last {
            Some(last) => tokio::time::sleep_until(last).await,
            None => std::future::pending().await,
        }
    }

    /// Whether calls are taken and jobs can be kept.
    ///
    /// # Errors
    ///
    /// [`Kind::Unavailable`] if not.
    pub async fn ready(&self) -> Result<()> {
        if self.is_stopping() {
            return Err(stopping());
        }
        self.0.store.ready().await
    }
}

/// The turn of one of several calls of the same words; the next one's comes when this is dropped.
struct Turn {
    jobs: Jobs,
    asked: Locator,
    held: Option<OwnedMutexGuard<()>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.held = None;
        let mut turns = lock(&self.jobs.0.turns);
        let unused = |turn: &Arc<_>| Arc::strong_count(turn) == 1;
        if turns.get(&self.asked).is_some_and(unused) {
            turns.remove(&self.asked);
        }
    }
}

/// The failure of a generation in the call that runs now, whose log line tells it.
pub(crate) fn failure(error: &Error) -> Outcome {
    telemetry::note(|facts| {
        facts.code = error.kind().code();
        facts.detail = error.log_detail();
    });
    Outcome::failure(error)
}

fn stopping() -> Error {
    Error::new(
        Kind::Unavailable,
        "The service is stopping; try again in a moment.",
    )
    .retry_after(Some(Duration::from_secs(5)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
