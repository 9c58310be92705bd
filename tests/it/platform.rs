//! The proof that a call survives its caller, and the process that serves it: many calls as the
//! platform makes them, while the service is killed and started again. Every call must end with
//! its own answer, and nothing may be asked of upstream, and billed, again without need.
//!
//! `PLATFORM_CALLS` makes a run longer; `PLATFORM_SEED` repeats one, as far as the moments of a
//! busy machine can be repeated.

mod caller;
mod judging;
mod ledger;
mod mix;
mod process;
mod reasons;
mod replicas;
mod run;
mod service;
mod upstream;
mod verdict;
mod wire;

use replicas::{Nginx, Redis, outages};
use run::{Run, kills};

/// The calls of a short run.
const CALLS: usize = 60;

#[tokio::test]
async fn every_call_survives_the_death_of_the_service() {
    let mut run = Run::new("one replica", CALLS);
    let mut services = [run.service("sqlite://store.db").await];
    let host = services[0].host();
    let trouble = kills(&mut services, run.rng.fork());
    let verdict = run.judged(&host, trouble).await;
    assert!(
        verdict.as_jobs > 0 && verdict.rejoined > 0 && verdict.kills > 0,
        "{verdict}"
    );
}

#[tokio::test]
async fn every_call_survives_the_death_of_one_of_two_replicas() {
    let mut run = Run::new("two replicas", CALLS);
    let Some(redis) = Redis::start(run.folder.path()).await else {
        return;
    };
    let mut services = [
        run.service(&redis.url()).await,
        run.service(&redis.url()).await,
    ];
    let Some(nginx) = Nginx::start(run.folder.path(), &services).await else {
        return;
    };
    let trouble = kills(&mut services, run.rng.fork());
    let verdict = run.judged(&nginx.host(), trouble).await;
    assert!(
        verdict.as_jobs > 0 && verdict.rejoined > 0 && verdict.kills > 0,
        "{verdict}"
    );
}

#[tokio::test]
async fn every_call_survives_a_redis_that_goes_away() {
    let mut run = Run::new("Redis away", CALLS);
    let Some(mut redis) = Redis::start(run.folder.path()).await else {
        return;
    };
    let services = [
        run.service(&redis.url()).await,
        run.service(&redis.url()).await,
    ];
    let Some(nginx) = Nginx::start(run.folder.path(), &services).await else {
        return;
    };
    let ledger = run.ledger.clone();
    let trouble = outages(&mut redis, &ledger, run.rng.fork());
    let verdict = run.judged(&nginx.host(), trouble).await;
    assert!(
        verdict.as_jobs > 0 && verdict.rejoined > 0 && verdict.outages > 0,
        "{verdict}"
    );
}
