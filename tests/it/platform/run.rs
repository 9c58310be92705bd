//! A run: calls in flight, and a hand that kills and stops what serves them.

use std::{
    fmt::Display,
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use fastrand::Rng;
use futures_util::{StreamExt as _, stream};
use openrouter_connector::config;
use tempfile::TempDir;

use super::{
    caller::Caller,
    ledger::Ledger,
    mix::{Plan, plans},
    service::Service,
    upstream::Upstream,
    verdict::{Verdict, judge},
};

/// How many calls are on their way at once.
const AT_ONCE: usize = 10;

/// The longest that calls may go on upstream after the last caller had its answer.
const QUIET_WITHIN: Duration = Duration::from_secs(10);

/// Everything that a run needs, before the service is there.
pub(super) struct Run {
    pub(super) ledger: Ledger,
    pub(super) upstream: Arc<Upstream>,
    pub(super) folder: TempDir,
    pub(super) rng: Rng,
    plans: Vec<Plan>,
    name: &'static str,
}

impl Run {
    /// Plans `calls` calls, or as many as `PLATFORM_CALLS` says, by the seed in `PLATFORM_SEED` or
    /// a new one.
    pub(super) fn new(name: &'static str, mut calls: usize) -> Self {
        let seed = variable("PLATFORM_SEED").unwrap_or_else(|| fastrand::u64(0..1_000_000));
        if let Some(wanted) = variable("PLATFORM_CALLS") {
            calls = usize::try_from(wanted).unwrap();
        }
        say(format_args!("{name}: {calls} calls, PLATFORM_SEED={seed}"));
        let mut rng = Rng::with_seed(seed);
        let plans = plans(calls, &mut rng);
        let ledger = Ledger::default();
        Self {
            upstream: Arc::new(Upstream::start(&plans, &ledger)),
            ledger,
            folder: TempDir::new().unwrap(),
            rng,
            plans,
            name,
        }
    }

    /// Starts a replica with its store at `store`.
    pub(super) async fn service(&self, store: &str) -> Service {
        let (upstream, ledger) = (Arc::clone(&self.upstream), self.ledger.clone());
        Service::start(store, self.folder.path().to_owned(), upstream, ledger).await
    }

    /// Makes all calls of `host` while `trouble` goes on; `trouble` never ends by itself. Judges
    /// how the calls ended.
    pub(super) async fn judged(mut self, host: &str, trouble: impl Future<Output = ()>) -> Verdict {
        let began = Instant::now();
        let seeds: Vec<_> = self.plans.iter().map(|_| self.rng.fork()).collect();
        let calls = std::iter::zip(&self.plans, seeds).enumerate();
        let calls = calls.map(|(number, (plan, rng))| {
            let call = Caller::new(host, plan, &self.ledger, rng).call();
            async move { (number, call.await) }
        });
        let calls = stream::iter(calls).buffer_unordered(AT_ONCE);
        let mut ends: Vec<_> = tokio::select! {
            ends = calls.collect() => ends,
            () = trouble => unreachable!("trouble ends with the calls"),
        };
        ends.sort_by_key(|(number, _)| *number);
        let ends: Vec<_> = ends.into_iter().map(|(_, end)| end).collect();
        let took = began.elapsed();
        while self.ledger.running() > 0 && began.elapsed() < took + QUIET_WITHIN {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let verdict = judge(&self.plans, &ends, &self.ledger.read());
        say(format_args!("{} in {took:.1?}:\n{verdict}", self.name));
        if !verdict.faults.is_empty() {
            let kept = self.folder.keep();
            let faults = verdict.faults.join("\n");
            panic!("{faults}\nThe logs are in {}.", kept.display());
        }
        verdict
    }
}

/// Kills or stops one of `replicas` every now and then, and starts it again.
pub(super) async fn kills(replicas: &mut [Service], mut rng: Rng) {
    for trouble in 0.. {
        let pause = Duration::from_millis(rng.u64(1_000..3_000));
        tokio::time::sleep(pause).await;
        let chosen = rng.usize(0..replicas.len());
        let replica = &mut replicas[chosen];
        // A short run has one kill at least.
        if trouble == 0 || rng.u8(0..100) < 70 {
            replica.kill();
        } else {
            replica.stop().await;
        }
        let away = Duration::from_millis(rng.u64(0..300));
        tokio::time::sleep(away).await;
        replica.begin().await;
    }
}

/// The number in an environment variable.
fn variable(name: &str) -> Option<u64> {
    let (_, value) = config::environment().find(|(variable, _)| variable == name)?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

/// Writes a line past the harness, which keeps what a test that passes prints.
pub(super) fn say(line: impl Display) {
    std::io::stderr()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}
