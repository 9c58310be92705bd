//! Calls that outlive their caller, over HTTP and on the wire.

mod at_rest;
mod cancel_job;
mod get_job;
mod get_job_result;
mod handed_over;
pub(crate) mod held;
mod known_keys;
mod locations;
mod own_keys;
mod repeats;
mod restarts;
mod stopping;
mod sweep;
mod wire;

use std::time::{Duration, Instant};

use openrouter_connector::config::Config;
use serde_json::{Value, json};

use crate::support::{Answer, Call, TestApp};
use held::Held;

/// Long enough for the service to see that a caller went away, or to write down what it made.
const A_MOMENT: Duration = Duration::from_millis(300);

/// A service that calls `upstream`.
fn service(upstream: &Held) -> TestApp {
    service_with(upstream, |_| {})
}

/// A service that calls `upstream`, with its configuration changed by `change`.
fn service_with(upstream: &Held, change: impl FnOnce(&mut Config)) -> TestApp {
    let url = upstream.url();
    TestApp::start(false, |config| {
        config.upstream.url = url.try_into().unwrap();
        change(config);
    })
}

/// The body of a call of Ask.
fn question(prompt: &str) -> Value {
    json!({"model": "openai/gpt-4o", "user_prompt": prompt})
}

/// A call of Ask.
fn ask<'a>(app: &'a TestApp, prompt: &str) -> Call<'a> {
    app.call("Ask").body(&question(prompt))
}

/// A call of Ask that is a job from the start.
async fn start_job(app: &TestApp, prompt: &str) -> String {
    let answer = ask(app, prompt)
        .header("prefer", "respond-async")
        .send()
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.json["job_id"].as_str().unwrap().to_owned()
}

/// Asks for the result of a job, without a key.
async fn result(app: &TestApp, id: &str) -> Answer {
    let call = app.call("GetJobResult").path("job_id", id);
    call.no_key().send().await
}

/// Asks for the result of a job until there is one.
async fn finished(app: &TestApp, id: &str) -> Answer {
    let started = Instant::now();
    loop {
        let answer = result(app, id).await;
        if answer.status != 202 {
            return answer;
        }
        assert!(
            started.elapsed() < Duration::from_secs(15),
            "no end of {id}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until `done` is true.
async fn until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(15), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether an answer was made for an earlier call.
fn is_replayed(answer: &Answer) -> bool {
    match answer.header("x-replayed") {
        "" => false,
        "true" => true,
        other => panic!("x-replayed: {other}"),
    }
}
