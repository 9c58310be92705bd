//! What several instances count together in Redis, and each by itself without it.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use openrouter_connector::{
    limits::Limits,
    openrouter::ApiKey,
    store::{CallId, Locator, Store},
};

use super::{limited, look, over, parameter, passes};
use crate::{
    store::bench::{Bench, Engine, at_once, connect, settings},
    support::{TestApp, block_on},
};

/// A service with a small limit and its store at `url`.
fn replica(url: &str, calls: u32, window: Duration) -> TestApp {
    limited(|config| {
        config.store.url = url.to_owned().try_into().unwrap();
        config.limits.calls = calls;
        config.limits.window = window;
    })
}

#[test]
fn replicas_share_the_limit() {
    block_on(async {
        let Some(bench) = Bench::new(Engine::Redis).await else {
            return;
        };
        let url = bench.database();
        let window = Duration::from_secs(3);
        let replicas = [replica(&url, 4, window), replica(&url, 4, window)];
        let begun = Instant::now();
        for left in (0..4).rev() {
            let answer = passes(look(&replicas[left % 2], "ann")).await;
            assert_eq!(parameter(&answer, "ratelimit", "r"), left as u64);
        }
        let made = Instant::now();
        tokio::time::sleep(window / 2).await;
        for app in replicas.iter().cycle().take(8) {
            let answer = look(app, "ann").fails(429, "rate_limited").await;
            assert_eq!(parameter(&answer, "ratelimit", "r"), 0);
            let wait: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=2).contains(&wait), "{wait}");
            if begun.elapsed() > window * 3 / 4 {
                break;
            }
        }
        passes(look(&replicas[0], "bob")).await;
        // What was refused takes no place, neither in the store nor in the process.
        tokio::time::sleep((made + window).saturating_duration_since(Instant::now())).await;
        for _ in 0..4 {
            passes(look(&replicas[0], "ann")).await;
        }
        over(look(&replicas[0], "ann")).await;
    });
}

#[test]
fn of_many_at_once_exactly_the_limit_is_admitted() {
    block_on(async {
        let Some(bench) = Bench::new(Engine::Redis).await else {
            return;
        };
        let me = Locator::from_secret("test", "ann");
        let window = Duration::from_secs(30);
        let given = at_once(&bench, move |store| async move {
            store
                .admit(&me, CallId::random(), 20, window)
                .await
                .unwrap()
                .unwrap()
        })
        .await;
        let admitted = given.iter().filter(|standing| standing.admitted);
        let mut lefts: Vec<_> = admitted.map(|standing| standing.left).collect();
        lefts.sort_unstable();
        assert_eq!(lefts, (0..20).collect::<Vec<_>>());
        assert!(given.iter().all(|standing| standing.wait <= window));
    });
}

#[test]
fn the_shared_window_slides_and_takes_calls_back() {
    block_on(async {
        let Some(bench) = Bench::new(Engine::Redis).await else {
            return;
        };
        let me = Locator::from_secret("test", "ann");
        let window = Duration::from_millis(600);
        let admit = async |call| {
            let standing = bench.store.admit(&me, call, 2, window).await;
            standing.unwrap().unwrap()
        };
        let (first, second) = (CallId::random(), CallId::random());
        assert_eq!(admit(first).await.wait, window);
        tokio::time::sleep(Duration::from_millis(300)).await;
        let standing = admit(second).await;
        assert!(standing.admitted && standing.wait <= Duration::from_millis(300));
        let refused = admit(CallId::random()).await;
        assert!(!refused.admitted && refused.wait <= standing.wait);
        tokio::time::sleep(refused.wait + Duration::from_millis(1)).await;
        // The first one has left. The second has not, and is given back.
        let gone = bench.store.give_back(&me, first, 2, window).await;
        let gone = gone.unwrap().unwrap();
        assert_eq!((gone.admitted, gone.left), (false, 1));
        let back = bench.store.give_back(&me, second, 2, window).await;
        let back = back.unwrap().unwrap();
        assert_eq!(
            (back.admitted, back.left, back.wait),
            (true, 2, Duration::ZERO)
        );
        for _ in 0..2 {
            assert!(admit(CallId::random()).await.admitted);
        }
        assert!(!admit(CallId::random()).await.admitted);
        // Nothing stays of it: the key is gone after the window.
        tokio::time::sleep(window + Duration::from_millis(50)).await;
        assert_eq!(counted(&bench).await, [""; 0]);
    });
}

#[test]
fn one_process_counts_by_itself() {
    block_on(async {
        let bench = Bench::new(Engine::Memory).await.unwrap();
        let me = Locator::from_secret("test", "ann");
        let asked = bench
            .store
            .admit(&me, CallId::random(), 1, Duration::from_secs(1));
        assert_eq!(asked.await.unwrap(), None);
    });
}

/// The keys under which Redis counts calls.
async fn counted(bench: &Bench) -> Vec<String> {
    let mut redis = connect(&bench.database()).await;
    let mut keys = redis::cmd("KEYS");
    keys.arg("orc:1:calls:*")
        .query_async(&mut redis)
        .await
        .unwrap()
}

#[test]
fn a_redis_that_fails_leaves_what_was_served_and_is_asked_again() {
    block_on(async {
        let Some(bench) = Bench::new(Engine::Redis).await else {
            return;
        };
        let app = replica(&bench.database(), 3, Duration::from_mins(1));
        assert_eq!(left_after(&app, "ann").await, 2);
        // What stands in the place of the calls is none, so that every count fails.
        let keys = counted(&bench).await;
        assert_eq!(keys.len(), 1);
        let mut redis = connect(&bench.database()).await;
        let mut set = redis::cmd("SET");
        let () = set
            .arg(&keys[0])
            .arg("x")
            .query_async(&mut redis)
            .await
            .unwrap();
        let failed = Instant::now();
        assert_eq!(left_after(&app, "ann").await, 1);
        assert_eq!(left_after(&app, "ann").await, 0);
        over(look(&app, "ann")).await;
        // Others are not counted there meanwhile either, and are again after 5 seconds.
        assert_eq!(left_after(&app, "bob").await, 2);
        assert!(
            failed.elapsed() < Duration::from_secs(5),
            "this machine is too slow"
        );
        assert_eq!(counted(&bench).await.len(), 1);
        tokio::time::sleep(Duration::from_millis(5100)).await;
        left_after(&app, "bob").await;
        assert_eq!(counted(&bench).await.len(), 2);
    });
}

/// An address of Redis where nobody listens.
fn nobody() -> String {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    format!("redis://127.0.0.1:{port}/0")
}

#[test]
fn without_redis_each_instance_has_the_limit() {
    block_on(async {
        let url = nobody();
        let replicas = [0, 1].map(|_| replica(&url, 3, Duration::from_mins(1)));
        for app in &replicas {
            for left in (0..3).rev() {
                let answer = left_after(app, "ann").await;
                assert_eq!(answer, left);
            }
            over(look(app, "ann")).await;
        }
    });
}

/// Makes a call that needs no store and is let through; how many are left.
async fn left_after(app: &TestApp, key: &str) -> u64 {
    let call = app.call("ListModels").no_key().header("authorization", key);
    parameter(&call.ok().await, "ratelimit", "r")
}

#[test]
fn a_redis_that_says_nothing_costs_one_call_its_wait() {
    block_on(async {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut settings = settings(format!("redis://{}/0", silent.local_addr().unwrap()));
        settings.timeout = Duration::from_millis(500);
        let store = Store::open(&settings).await.unwrap();
        let defaults = openrouter_connector::config::load(None, std::iter::empty(), Vec::new());
        let limits = Limits::new(store, &defaults.unwrap().limits);
        let started = Instant::now();
        for number in 0..100 {
            let key = ApiKey::new(&format!("key-{}", number % 10)).unwrap();
            assert!(limits.admit(&key).await.is_ok());
        }
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(500), "it was not asked");
        assert!(took < Duration::from_millis(2500), "{took:?}");
        assert_eq!(limits.connections(), 10);
    });
}
