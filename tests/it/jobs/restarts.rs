//! What a process leaves in the store is there for the next one.

use std::time::Duration;

use openrouter_connector::config::Config;
use serde_json::json;
use tempfile::TempDir;
use wiremock::ResponseTemplate;

use super::{
    A_MOMENT, Held, ask, finished, is_replayed, question, result, service_with, start_job, until,
    wire::{Caller, Leaving},
};
use crate::support::{TestApp, Upstream, upstream::Next};

/// Keeps the store in a file in `folder`.
fn stored_in(folder: &TempDir) -> impl Fn(&mut Config) {
    let url = format!("sqlite://{}/store.db", folder.path().display());
    move |config| config.store.url = url.clone().try_into().unwrap()
}

#[tokio::test]
async fn a_lost_answer_outlives_the_process() {
    let (folder, upstream) = (TempDir::new().unwrap(), Held::saying("Yes."));
    let app = service_with(&upstream, stored_in(&folder));
    let caller = Caller::send(app.base(), "/api/v1/ask", &question("a").to_string());
    until("it is called", || upstream.calls() == 1).await;
    caller.leave(Leaving::Reset);
    tokio::time::sleep(A_MOMENT).await;
    upstream.let_go();
    tokio::time::sleep(A_MOMENT).await;
    app.stop();
    let app = service_with(&upstream, stored_in(&folder));
    let repeat = ask(&app, "a").ok().await;
    assert!(is_replayed(&repeat));
    assert_eq!(upstream.calls(), 1);
    assert!(!is_replayed(&ask(&app, "a").ok().await));
}

#[tokio::test]
async fn a_callers_own_key_outlives_the_process() {
    let (folder, upstream) = (TempDir::new().unwrap(), Held::saying("Yes."));
    upstream.let_go();
    let app = service_with(&upstream, stored_in(&folder));
    let first = ask(&app, "a").header("idempotency-key", "k").ok().await;
    app.stop();
    let app = service_with(&upstream, stored_in(&folder));
    let again = ask(&app, "a").header("idempotency-key", "k").ok().await;
    assert!(is_replayed(&again));
    assert_eq!(again.text, first.text);
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn a_job_is_taken_up_by_whoever_is_asked_for_it() {
    let (folder, upstream) = (TempDir::new().unwrap(), Held::saying("Yes."));
    let app = service_with(&upstream, stored_in(&folder));
    let id = start_job(&app, "a").await;
    until("it is called", || upstream.calls() == 1).await;
    app.stop();
    until("it hangs up", || upstream.hung_up() == 1).await;
    let app = service_with(&upstream, stored_in(&folder));
    assert_eq!(result(&app, &id).await.status, 202);
    until("it is called again", || upstream.calls() == 2).await;
    upstream.let_go();
    let answer = finished(&app, &id).await;
    assert_eq!((answer.status, &answer.json["text"]), (200, &json!("Yes.")));
    assert_eq!(upstream.calls(), 2);
}

#[tokio::test]
async fn a_job_that_is_interrupted_each_time_fails() {
    let (folder, upstream) = (TempDir::new().unwrap(), Held::saying("Yes."));
    let app = service_with(&upstream, stored_in(&folder));
    let id = start_job(&app, "a").await;
    until("it is called", || upstream.calls() == 1).await;
    app.stop();
    let app = service_with(&upstream, stored_in(&folder));
    assert_eq!(result(&app, &id).await.status, 202);
    until("it is called again", || upstream.calls() == 2).await;
    app.stop();
    let app = service_with(&upstream, stored_in(&folder));
    for _ in 0..2 {
        let answer = result(&app, &id).await;
        assert_eq!(
            (answer.status, answer.code()),
            (409, "interrupted"),
            "{}",
            answer.text
        );
    }
    let shown = app.call("GetJob").path("job_id", &id).ok().await;
    assert_eq!(shown.json["status"], "failed");
    assert_eq!(upstream.calls(), 2);
}

/// Two processes on one store: the one that is asked while the other works waits for it.
#[tokio::test]
async fn a_job_that_runs_elsewhere_is_not_taken_up() {
    let (folder, upstream) = (TempDir::new().unwrap(), Held::saying("Yes."));
    let here = service_with(&upstream, stored_in(&folder));
    let there = service_with(&upstream, stored_in(&folder));
    let id = start_job(&here, "a").await;
    until("it is called", || upstream.calls() == 1).await;
    assert_eq!(result(&there, &id).await.status, 202);
    let cancelled = start_job(&here, "b").await;
    let shown = there
        .call("CancelJob")
        .path("job_id", &cancelled)
        .ok()
        .await;
    assert_eq!(shown.json["status"], "cancelled");
    upstream.let_go();
    assert_eq!(finished(&there, &id).await.json["text"], "Yes.");
    assert_eq!(finished(&here, &cancelled).await.status, 409);
    assert_eq!(upstream.calls(), 2);
}

/// A film that was ordered is fetched by the next process, not ordered again; also with a key of
/// the caller's own.
#[tokio::test]
async fn a_film_is_not_ordered_twice() {
    for own_key in [None, Some("film-order")] {
        let (folder, upstream) = (TempDir::new().unwrap(), Upstream::start().await);
        let ordered = json!({"id": "film-1", "status": "pending"});
        let ordered = ResponseTemplate::new(202).set_body_json(ordered);
        upstream.responds("/videos", ordered).await;
        let made = Next::default();
        made.set(json!({"id": "film-1", "status": "in_progress"}).to_string());
        upstream.responds("/videos/film-1", made.clone()).await;
        let app = TestApp::on_with(&upstream, stored_in(&folder));
        let mut call = app.call("CreateVideo").with_samples();
        if let Some(key) = own_key {
            call = call.header("idempotency-key", key);
        }
        let first = call.send().await;
        let id = first.json["job_id"].as_str().unwrap().to_owned();
        while upstream.calls("/videos/film-1").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        app.stop();
        made.set(json!({"id": "film-1", "status": "completed"}).to_string());
        let film = ResponseTemplate::new(200).set_body_raw("film", "video/mp4");
        upstream.responds("/videos/film-1/content", film).await;
        let app = TestApp::on_with(&upstream, stored_in(&folder));
        let answer = finished(&app, &id).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(upstream.calls("/videos").await.len(), 1, "{own_key:?}");
    }
}
