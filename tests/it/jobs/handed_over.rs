//! The answer that names a job is lost like any other: the repeat is given the same job.

use std::{
    iter,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use openrouter_connector::{
    config,
    error::{Error, Kind},
    jobs::{Answer, Call, Jobs, Outcome, Reply, Request, Work},
    openrouter::ApiKey,
    store::Store,
};
use rstest::rstest;
use tokio::sync::Semaphore;

use super::A_MOMENT;

/// Jobs in a store in memory, whose work waits until it may end.
struct Bench {
    jobs: Jobs,
    begun: Arc<AtomicUsize>,
    may_end: Arc<Semaphore>,
}

impl Bench {
    async fn new() -> Self {
        let flags = vec![("store.url", "sqlite::memory:".to_owned())];
        let config = config::load(None, iter::empty(), flags).unwrap();
        let store = Store::open(&config.store).await.unwrap();
        Self {
            jobs: Jobs::new(store, config.jobs, &config.deadline),
            begun: Arc::default(),
            may_end: Arc::new(Semaphore::new(0)),
        }
    }

    async fn background(&self) -> Reply {
        let request = Request {
            call: Call {
                operation: "Ask".to_owned(),
                key: ApiKey::new("a-key").unwrap(),
                base: "http://localhost/api".to_owned(),
                request_id: "call-1".to_owned(),
                body: "{}".into(),
            },
            idempotency_key: None,
            background: true,
        };
        let (begun, may_end) = (Arc::clone(&self.begun), Arc::clone(&self.may_end));
        let work = move |_| -> Work {
            Box::pin(async move {
                begun.fetch_add(1, Ordering::SeqCst);
                let _ended = may_end.acquire().await.unwrap();
                Outcome::failure(&Error::new(Kind::Refused, "No."))
            })
        };
        self.jobs.serve(request, work).await.unwrap()
    }
}

fn id(reply: &Reply) -> String {
    match &reply.answer {
        Answer::Job(id) => id.to_text().to_string(),
        Answer::Done(outcome) => panic!("no job: {outcome:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn a_repeat_is_given_the_job_that_its_caller_never_heard_of(
    #[values(true, false)] ended: bool,
) {
    let bench = Bench::new().await;
    let first = bench.background().await;
    let job = id(&first);
    assert!(!first.replayed);
    drop(first);
    if ended {
        bench.may_end.add_permits(100);
    }
    tokio::time::sleep(A_MOMENT).await;
    let second = bench.background().await;
    assert_eq!((second.replayed, id(&second)), (true, job.clone()));
    // That one is lost as well.
    drop(second);
    tokio::time::sleep(A_MOMENT).await;
    let third = bench.background().await;
    assert_eq!((third.replayed, id(&third)), (true, job.clone()));
    third.delivered();
    // Now somebody has it: the same again is another call.
    let fourth = bench.background().await;
    assert!(!fourth.replayed);
    assert_ne!(id(&fourth), job);
    fourth.delivered();
    tokio::time::sleep(A_MOMENT).await;
    assert_eq!(bench.begun.load(Ordering::SeqCst), 2);
}
