//! `Idempotency-Key`: the caller's own key for a call, under which it is made once.

use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;

use super::{
    A_MOMENT, Held, ask, finished, is_replayed, question, service, service_with, until,
    wire::{Caller, Leaving},
};
use crate::support::{Answer, Call, TestApp, upstream::chat};

fn named<'a>(app: &'a TestApp, key: &str, prompt: &str) -> Call<'a> {
    ask(app, prompt).header("idempotency-key", key)
}

fn job_id(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.json["job_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_each_time() {
    let upstream = Held::saying("Yes.");
    upstream.let_go();
    let app = service(&upstream);
    let first = named(&app, "order-1", "a").ok().await;
    assert!(!is_replayed(&first));
    upstream.answer(200, &chat("Something else."));
    for _ in 0..3 {
        let again = named(&app, " order-1 ", "a").ok().await;
        assert!(is_replayed(&again));
        assert_eq!(again.text, first.text);
        assert_eq!(
            again.header("x-generation-id"),
            first.header("x-generation-id")
        );
    }
    assert_eq!(upstream.calls(), 1);
    // Another key, and none, are other calls.
    assert!(!is_replayed(&named(&app, "order-2", "a").ok().await));
    assert!(!is_replayed(&ask(&app, "a").ok().await));
    assert_eq!(upstream.calls(), 3);
}

#[tokio::test]
async fn a_key_belongs_to_one_body_of_one_operation_of_one_caller() {
    let upstream = Held::saying("Yes.");
    upstream.let_go();
    let app = service(&upstream);
    named(&app, "order-1", "a").ok().await;
    for body in [question("b").to_string(), format!("{} ", question("a"))] {
        let call = app.call("Ask").raw_body("application/json", body);
        let call = call.header("idempotency-key", "order-1");
        call.fails(422, "idempotency_mismatch").await;
    }
    assert_eq!(upstream.calls(), 1);
    let other = named(&app, "order-1", "a").no_key();
    let other = other
        .header("authorization", "Bearer another-key")
        .ok()
        .await;
    assert!(!is_replayed(&other));
    let other = app.call("ChatCompletion").with_samples();
    let other = other.header("idempotency-key", "order-1").ok().await;
    assert!(!is_replayed(&other));
    assert_eq!(upstream.calls(), 3);
    assert!(is_replayed(&named(&app, "order-1", "a").ok().await));
}

#[tokio::test]
async fn a_call_joins_the_one_that_runs() {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let (first, second, ()) = tokio::join!(
        named(&app, "order-1", "a").ok(),
        async {
            until("it is called", || upstream.calls() == 1).await;
            named(&app, "order-1", "a").ok().await
        },
        async {
            until("it is called", || upstream.calls() == 1).await;
            tokio::time::sleep(A_MOMENT).await;
            upstream.let_go();
        }
    );
    assert_eq!(first.text, second.text);
    assert!(!is_replayed(&first) && is_replayed(&second));
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn of_many_at_once_one_is_made() {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let many = (0..8).map(|_| named(&app, "order-1", "a").ok());
    let (answers, ()) = tokio::join!(join_all(many), async {
        until("it is called", || upstream.calls() == 1).await;
        tokio::time::sleep(A_MOMENT).await;
        upstream.let_go();
    });
    assert_eq!(upstream.calls(), 1);
    assert!(answers.iter().all(|answer| answer.text == answers[0].text));
    let replayed = answers.iter().filter(|answer| is_replayed(answer));
    assert_eq!(replayed.count(), 7);
}

#[tokio::test]
async fn a_caller_that_went_away_finds_its_call_by_its_key() {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let gone = named(&app, "order-1", "a").send();
    assert!(tokio::time::timeout(A_MOMENT * 2, gone).await.is_err());
    assert_eq!(upstream.calls(), 1);
    upstream.let_go();
    for _ in 0..2 {
        assert!(is_replayed(&named(&app, "order-1", "a").ok().await));
    }
    // It is no lost call: the same without the key is new.
    assert!(!is_replayed(&ask(&app, "a").ok().await));
    assert_eq!(upstream.calls(), 2);
}

#[rstest]
#[case::limited(429, false)]
#[case::broken(502, false)]
#[case::overloaded(503, false)]
#[case::faulty(400, true)]
#[case::refused(403, true)]
#[tokio::test]
async fn a_failure_is_replayed_if_it_would_come_again(#[case] status: u16, #[case] kept: bool) {
    let failure = json!({"error": {"code": status, "message": "No."}});
    let upstream = Held::answering(status, &failure);
    upstream.let_go();
    let app = service(&upstream);
    let first = named(&app, "order-1", "a").send().await;
    assert_eq!((first.status, is_replayed(&first)), (status, false));
    upstream.answer(200, &chat("Yes."));
    let next = named(&app, "order-1", "a").send().await;
    assert_eq!(is_replayed(&next), kept);
    assert_eq!(next.status, if kept { status } else { 200 });
    let last = named(&app, "order-1", "a").send().await;
    assert!(is_replayed(&last));
    assert_eq!(last.text, next.text);
    assert_eq!(upstream.calls(), if kept { 1 } else { 2 });
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_refused() {
    let upstream = Held::saying("Yes.");
    upstream.let_go();
    let app = service(&upstream);
    let long = "k".repeat(256);
    for key in ["", " ", "käse", &long] {
        named(&app, key, "a").refused("Idempotency-Key").await;
    }
    assert_eq!(upstream.calls(), 0);
    named(&app, &long[1..], "a").ok().await;
    assert!(is_replayed(&named(&app, &long[1..], "a").ok().await));
}

#[tokio::test]
async fn in_the_background_it_is_one_job() {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let mut body = question("a");
    body["background_run"] = json!(true);
    let call = || {
        app.call("Ask")
            .body(&body)
            .header("idempotency-key", "order-1")
    };
    let id = job_id(&call().send().await);
    for _ in 0..2 {
        let again = call().send().await;
        assert!(is_replayed(&again));
        assert_eq!(job_id(&again), id);
    }
    upstream.let_go();
    assert_eq!(finished(&app, &id).await.json["text"], "Yes.");
    let after = call().send().await;
    assert_eq!(job_id(&after), id);
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn a_late_answer_is_one_job_too() {
    let upstream = Held::saying("Yes.");
    let app = service_with(&upstream, |config| {
        config.deadline.answer = Duration::from_millis(300);
    });
    let id = job_id(&named(&app, "order-1", "a").send().await);
    assert_eq!(job_id(&named(&app, "order-1", "a").send().await), id);
    upstream.let_go();
    finished(&app, &id).await;
    let last = named(&app, "order-1", "a").ok().await;
    assert!(is_replayed(&last));
    assert_eq!((last.status, upstream.calls()), (200, 1));
}

/// A call with a key is no lost call, however its caller leaves.
#[tokio::test]
async fn a_body_never_stands_for_a_key() {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let caller = Caller::send(app.base(), "/api/v1/ask", &question("a").to_string());
    until("it is called", || upstream.calls() == 1).await;
    caller.leave(Leaving::Reset);
    tokio::time::sleep(A_MOMENT).await;
    upstream.let_go();
    tokio::time::sleep(A_MOMENT).await;
    assert!(!is_replayed(&named(&app, "order-1", "a").ok().await));
    assert!(is_replayed(&ask(&app, "a").ok().await));
    assert_eq!(upstream.calls(), 2);
}
