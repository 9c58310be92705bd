//! How fast the engines are: `cargo test --release -- --ignored --nocapture store::speed`.

use std::time::{Duration, Instant};

use openrouter_connector::{
    config::Store,
    store::{Capability, Kind, New, Owner, Part, State},
};

use super::bench::{Bench, Engine, job};
use crate::support::block_on;

const JOBS: u32 = 2000;

/// Puts and finishes [`JOBS`] jobs, 2 kB asked and 4 kB answered, from `tasks` tasks; in a second.
async fn jobs_a_second(bench: &Bench, tasks: u32) -> f64 {
    let keep = Duration::from_mins(10);
    let started = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                for _ in 0..JOBS / tasks {
                    let owner = Owner::random();
                    let new = New {
                        request: vec![1; 2000],
                        lease: Some((owner, keep)),
                        ..job(&Capability::random())
                    };
                    store.put(&new).await.unwrap();
                    let at = &new.address;
                    let done = store.finish(at, owner, State::Succeeded, &[2; 4000], keep);
                    assert!(done.await.unwrap());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    f64::from(JOBS) / started.elapsed().as_secs_f64()
}

#[test]
#[ignore = "measures, and checks nothing"]
fn jobs_put_and_finished_in_a_second() {
    block_on(async {
        for engine in [Engine::Memory, Engine::File, Engine::Redis] {
            for tasks in [1, 50] {
                let Some(bench) = Bench::new(engine).await else {
                    continue;
                };
                let rate = jobs_a_second(&bench, tasks).await;
                println!("{engine:?}, {tasks} tasks: {rate:.0} jobs/s");
            }
        }
    });
}

#[test]
#[ignore = "measures, and checks nothing"]
fn a_record_of_100_mb() {
    block_on(async {
        let id = Capability::random();
        let address = id.address(Kind::Job);
        let text = vec![7; 100 * 1024 * 1024];
        let started = Instant::now();
        let request = id.seal(&address, Part::Request, &text);
        println!("sealed in {:?}", started.elapsed());
        let started = Instant::now();
        id.open(&address, Part::Request, &request).unwrap();
        println!("opened in {:?}", started.elapsed());
        for engine in [Engine::File, Engine::Redis] {
            let patient = |settings: &mut Store| settings.timeout = Duration::from_mins(1);
            let Some(bench) = Bench::with(engine, patient).await else {
                continue;
            };
            let new = New {
                request: request.clone(),
                ..job(&id)
            };
            let started = Instant::now();
            bench.store.put(&new).await.unwrap();
            let put = started.elapsed();
            let started = Instant::now();
            bench.store.get(&address).await.unwrap();
            println!("{engine:?}: put in {put:?}, got in {:?}", started.elapsed());
        }
    });
}
