//! So many calls in any window.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;

use super::{limited, look, over, parameter, passes};
use crate::support::{block_on, simulated};

/// The limits that a service has by itself.
fn defaults() -> openrouter_connector::config::Limits {
    let defaults = openrouter_connector::config::load(None, std::iter::empty(), Vec::new());
    defaults.unwrap().limits
}

#[test]
fn one_hundred_calls_a_minute_pass_and_no_more() {
    block_on(async {
        let app = limited(|config| config.limits = defaults());
        let first = Instant::now();
        for left in (0..100).rev() {
            let answer = passes(look(&app, "ann")).await;
            assert_eq!(
                answer.header("ratelimit-policy"),
                "\"connection\";q=100;w=60"
            );
            assert_eq!(parameter(&answer, "ratelimit", "r"), left);
            let until = parameter(&answer, "ratelimit", "t");
            let gone = first.elapsed().as_secs();
            assert!(
                (60 - gone - 1..=60).contains(&until),
                "{until} after {gone}"
            );
        }
        let before = first.elapsed();
        let answer = look(&app, "ann").fails(429, "rate_limited").await;
        assert_eq!(
            answer.header("ratelimit-policy"),
            "\"connection\";q=100;w=60"
        );
        assert_eq!(parameter(&answer, "ratelimit", "r"), 0);
        // The whole seconds until the first call is a minute old.
        let until = parameter(&answer, "ratelimit", "t");
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert_eq!(wait, until);
        let latest = 60 - before.as_secs();
        let earliest = 60 - first.elapsed().as_secs() - 1;
        assert!((earliest..=latest).contains(&wait), "{wait}");
        let message = answer.message();
        assert!(message.contains("100 calls in 60 seconds"), "{message}");
        assert!(message.contains(&format!("in {wait} seconds")), "{message}");
        // Another connection is not affected, and this one stays where it is.
        passes(look(&app, "bob")).await;
        over(look(&app, "ann")).await;
    });
}

#[test]
fn a_body_over_the_limit_is_not_read() {
    block_on(async {
        let app = limited(|config| config.limits.calls = 1);
        let call = |app| look(app, "ann");
        passes(call(&app)).await;
        let ask = app.call("Ask").no_key().header("authorization", "ann");
        over(ask.raw_body("application/json", "no JSON")).await;
    });
}

#[test]
fn the_window_slides() {
    block_on(async {
        let window = Duration::from_secs(2);
        let app = limited(|config| {
            config.limits.calls = 2;
            config.limits.window = window;
        });
        let before_first = Instant::now();
        passes(look(&app, "ann")).await;
        let after_first = Instant::now();
        tokio::time::sleep(Duration::from_millis(900)).await;
        passes(look(&app, "ann")).await;
        let after_second = Instant::now();
        // Refused calls do not count, however many there are.
        while before_first.elapsed() + Duration::from_millis(100) < window {
            assert!(over(look(&app, "ann")).await <= 2);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep((after_first + window).saturating_duration_since(Instant::now())).await;
        // One has left, and one stays.
        let answer = passes(look(&app, "ann")).await;
        if Instant::now() + Duration::from_millis(500) < after_second + window {
            assert_eq!(parameter(&answer, "ratelimit", "r"), 0);
            assert_eq!(over(look(&app, "ann")).await, 1);
        }
    });
}

#[rstest]
#[case("authorization", "Bearer sk-or-1")]
#[case("authorization", "bearer Bearer sk-or-1")]
#[case("authorization", "Basic dXNlcjpzay1vci0x")]
#[case("api_key", "sk-or-1")]
#[case("x-api-key", "Bearer sk-or-1")]
fn one_key_is_one_connection_in_whatever_form(#[case] header: &str, #[case] value: &str) {
    block_on(async {
        let app = limited(|config| config.limits.calls = 1);
        passes(look(&app, "sk-or-1")).await;
        let again = app.call("GetJob").path("job_id", "none").no_key();
        over(again.header(header, value)).await;
    });
}

#[test]
fn what_has_no_key_is_not_counted_and_tells_nothing() {
    block_on(async {
        let app = limited(|config| config.limits.calls = 1);
        for _ in 0..5 {
            let result = app.call("GetJobResult").path("job_id", "none").no_key();
            let answer = result.fails(404, "not_found").await;
            assert_eq!(answer.header("ratelimit"), "");
            let call = app.call("ListModels").no_key();
            let answer = call.fails(401, "missing_key").await;
            assert_eq!(answer.header("ratelimit-policy"), "");
            let answer = app.get("/health").send().await;
            assert_eq!((answer.status, answer.header("ratelimit")), (200, ""));
        }
        // A poll with a key is one without, too.
        for _ in 0..5 {
            let result = app.call("GetJobResult").path("job_id", "none");
            result.fails(404, "not_found").await;
        }
        let answer = app.call("ListModels").ok().await;
        assert_eq!(parameter(&answer, "ratelimit", "r"), 0);
    });
}

#[test]
fn a_wrong_call_counts_and_so_does_one_of_nothing() {
    block_on(async {
        let app = limited(|config| config.limits.calls = 3);
        let wrong = app.call("GetCredits").query("nonsense", "1");
        let answer = wrong.refused("nonsense").await;
        assert_eq!(parameter(&answer, "ratelimit", "r"), 2);
        let nothing = app.get("/api/v1/nothing").key();
        let answer = nothing.fails(404, "not_found").await;
        assert_eq!(parameter(&answer, "ratelimit", "r"), 1);
        let answer = app.call("Ask").refused("").await;
        assert_eq!(parameter(&answer, "ratelimit", "r"), 0);
    });
}

#[test]
fn zero_is_no_limit() {
    block_on(async {
        let app = limited(|config| config.limits.calls = 0);
        for _ in 0..150 {
            let answer = passes(look(&app, "ann")).await;
            assert_eq!(answer.header("ratelimit-policy"), "");
            assert_eq!(answer.header("ratelimit"), "");
        }
    });
}

#[test]
fn a_replayed_answer_gives_its_place_back() {
    block_on(async {
        assert!(!simulated().is_empty());
        let app = limited(|config| config.limits.calls = 3);
        let ask = || {
            app.call("Ask")
                .header("idempotency-key", "one")
                .body(&json!({"model": "openai/gpt-4o-mini", "user_prompt": "Hello"}))
        };
        let answer = ask().ok().await;
        assert_eq!(answer.header("x-replayed"), "");
        assert_eq!(parameter(&answer, "ratelimit", "r"), 2);
        for _ in 0..4 {
            let answer = ask().ok().await;
            assert_eq!(answer.header("x-replayed"), "true");
            assert_eq!(parameter(&answer, "ratelimit", "r"), 2);
        }
        let key = crate::support::KEY;
        passes(look(&app, key)).await;
        passes(look(&app, key)).await;
        over(look(&app, key)).await;
        // Whether it is a repeat stands in the body, which is not read any more.
        over(ask()).await;
    });
}
