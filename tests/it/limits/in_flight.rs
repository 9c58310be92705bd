//! So many at once.

use std::time::{Duration, Instant};

use openrouter_connector::config::Config;
use serde_json::json;

use super::{look, over, passes};
use crate::{
    jobs::held::Held,
    support::{Answer, Call, TestApp, block_on},
};

/// A service that calls `upstream`.
fn service(upstream: &Held, change: impl FnOnce(&mut Config)) -> TestApp {
    let url = upstream.url();
    TestApp::start(false, |config| {
        config.upstream.url = url.try_into().unwrap();
        change(config);
    })
}

/// A call of Ask with `key`.
fn ask<'a>(app: &'a TestApp, key: &str, prompt: &str) -> Call<'a> {
    app.call("Ask")
        .no_key()
        .header("authorization", key)
        .body(&json!({"model": "openai/gpt-4o", "user_prompt": prompt}))
}

async fn in_background(app: &TestApp, key: &str, prompt: &str) -> Answer {
    ask(app, key, prompt)
        .header("prefer", "respond-async")
        .send()
        .await
}

/// Waits until `upstream` has this many calls.
async fn reach(upstream: &Held, calls: usize) {
    let started = Instant::now();
    while upstream.calls() < calls {
        assert!(started.elapsed() < Duration::from_secs(15), "{calls} calls");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_connection_has_so_many_calls_served_at_once() {
    block_on(async {
        let upstream = Held::saying("yes");
        let app = service(&upstream, |config| config.limits.in_flight = 2);
        let both =
            async { tokio::join!(ask(&app, "ann", "1").send(), ask(&app, "ann", "2").send()) };
        let meanwhile = async {
            reach(&upstream, 2).await;
            let started = Instant::now();
            let refused = look(&app, "ann").fails(429, "rate_limited").await;
            // At once, and not when the others have ended.
            assert!(started.elapsed() < Duration::from_secs(2));
            assert_eq!(refused.header("retry-after"), "1");
            assert_eq!(refused.header("ratelimit"), "");
            passes(look(&app, "bob")).await;
            // Nobody's key is needed for a result, so that is no call of a connection.
            let result = app.call("GetJobResult").path("job_id", "none").no_key();
            result.fails(404, "not_found").await;
            upstream.let_go();
        };
        let ((first, second), ()) = tokio::join!(both, meanwhile);
        assert_eq!((first.status, second.status), (200, 200));
        // Refused calls took nothing of the window.
        let answer = passes(look(&app, "ann")).await;
        assert!(
            answer
                .header("ratelimit")
                .starts_with("\"connection\";r=9997;")
        );
        assert_eq!(upstream.calls(), 2);
    });
}

#[test]
fn all_connections_together_have_a_bound_too() {
    block_on(async {
        let upstream = Held::saying("yes");
        let app = service(&upstream, |config| config.limits.in_flight_all = 2);
        let both =
            async { tokio::join!(ask(&app, "ann", "1").send(), ask(&app, "bob", "2").send()) };
        let meanwhile = async {
            reach(&upstream, 2).await;
            let refused = look(&app, "cid").fails(503, "unavailable").await;
            assert_eq!(refused.header("retry-after"), "1");
            // A check of health is none of them.
            assert_eq!(app.get("/ready").send().await.status, 200);
            upstream.let_go();
        };
        let ((first, second), ()) = tokio::join!(both, meanwhile);
        assert_eq!((first.status, second.status), (200, 200));
        passes(look(&app, "cid")).await;
    });
}

#[test]
fn jobs_count_as_generations_and_leave_other_calls_alone() {
    block_on(async {
        let upstream = Held::saying("yes");
        let app = service(&upstream, |config| config.limits.in_flight = 2);
        let first = in_background(&app, "ann", "1").await;
        let second = in_background(&app, "ann", "2").await;
        assert_eq!((first.status, second.status), (202, 202));
        let third = in_background(&app, "ann", "3").await;
        assert_eq!((third.status, third.code()), (429, "rate_limited"));
        assert_eq!(third.header("retry-after"), "5");
        assert_eq!(over(ask(&app, "ann", "4")).await, 5);
        // Their own connection can look at its jobs and end them; others work on.
        let id = |answer: &Answer| answer.json["job_id"].as_str().unwrap().to_owned();
        let look_at = app.call("GetJob").path("job_id", &id(&first)).no_key();
        let seen = look_at.header("authorization", "ann").ok().await;
        assert_eq!(seen.json["status"], "running");
        assert_eq!(in_background(&app, "bob", "5").await.status, 202);
        let cancel = app.call("CancelJob").path("job_id", &id(&second)).no_key();
        cancel.header("authorization", "ann").ok().await;
        let started = Instant::now();
        let again = loop {
            let again = in_background(&app, "ann", "6").await;
            if again.status == 202 || started.elapsed() > Duration::from_secs(10) {
                break again;
            }
        };
        assert_eq!(again.status, 202, "{}", again.text);
        upstream.let_go();
        for job in [first, again] {
            assert_eq!(app.result(&job).await.status, 200);
        }
    });
}

#[test]
fn a_generation_whose_caller_went_away_still_counts() {
    block_on(async {
        let upstream = Held::saying("yes");
        let app = service(&upstream, |config| config.limits.in_flight = 1);
        {
            let call = ask(&app, "ann", "1").send();
            tokio::select! {
                _ = call => panic!("there is no answer yet"),
                () = reach(&upstream, 1) => {}
            }
        }
        let started = Instant::now();
        // The call itself is soon seen to have gone.
        while look(&app, "ann").send().await.status == 429 {
            assert!(started.elapsed() < Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(over(ask(&app, "ann", "2")).await, 5);
        upstream.let_go();
        while ask(&app, "ann", "2").send().await.status != 200 {
            assert!(started.elapsed() < Duration::from_secs(10));
        }
    });
}
