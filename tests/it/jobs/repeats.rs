//! A caller that goes away and asks again, as the platform does: its call is made once.

use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use super::{
    A_MOMENT, Held, ask, is_replayed, question, service, service_with, until,
    wire::{Caller, Leaving},
};
use crate::support::{Answer, TestApp, upstream::chat};

const PATH: &str = "/api/v1/ask";

/// Calls Ask and leaves when the call is under way; what is given back may keep the connection
/// half open.
async fn lose(app: &TestApp, upstream: &Held, prompt: &str, how: Leaving) -> Option<Caller> {
    let before = upstream.calls_with(prompt);
    let caller = Caller::send(app.base(), PATH, &question(prompt).to_string());
    until("it is called", || upstream.calls_with(prompt) == before + 1).await;
    let rest = caller.leave(how);
    tokio::time::sleep(A_MOMENT).await;
    rest
}

/// Loses a call whose answer then comes.
async fn lose_and_end(app: &TestApp, upstream: &Held, prompt: &str) {
    let _rest = lose(app, upstream, prompt, Leaving::Reset).await;
    upstream.let_one_go();
    tokio::time::sleep(A_MOMENT).await;
}

fn says(answer: &Answer, text: &str) {
    assert_eq!(
        (answer.status, &answer.json["text"]),
        (200, &json!(text)),
        "{}",
        answer.text
    );
}

#[rstest]
#[tokio::test]
async fn a_repeat_joins_the_call_that_still_runs(
    #[values(Leaving::Reset, Leaving::HalfClose, Leaving::Close)] how: Leaving,
) {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let _rest = lose(&app, &upstream, "a", how).await;
    let (repeat, ()) = tokio::join!(ask(&app, "a").send(), async {
        tokio::time::sleep(A_MOMENT).await;
        assert_eq!((upstream.calls(), upstream.hung_up()), (1, 0));
        upstream.let_go();
    });
    says(&repeat, "Yes.");
    assert!(is_replayed(&repeat));
    // It was taken once.
    let third = ask(&app, "a").ok().await;
    assert!(!is_replayed(&third));
    assert_eq!(upstream.calls(), 2);
}

#[rstest]
#[tokio::test]
async fn a_repeat_takes_the_answer_that_came_meanwhile(
    #[values(Leaving::Reset, Leaving::HalfClose, Leaving::Close)] how: Leaving,
) {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let _rest = lose(&app, &upstream, "a", how).await;
    upstream.let_go();
    tokio::time::sleep(A_MOMENT).await;
    let repeat = ask(&app, "a").ok().await;
    says(&repeat, "Yes.");
    assert!(is_replayed(&repeat));
    assert_eq!(repeat.header("x-generation-id"), "gen-1700000000-abc");
    assert_eq!(upstream.calls(), 1);
    let third = ask(&app, "a").ok().await;
    assert!(!is_replayed(&third));
    assert_eq!(upstream.calls(), 2);
}

#[tokio::test]
async fn a_client_that_gives_up_is_a_lost_caller() {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let given_up = tokio::time::timeout(A_MOMENT * 2, ask(&app, "a").send()).await;
    assert!(given_up.is_err());
    assert_eq!(upstream.calls(), 1);
    tokio::time::sleep(A_MOMENT).await;
    upstream.let_go();
    let repeat = ask(&app, "a").ok().await;
    assert!(is_replayed(&repeat));
    assert_eq!(upstream.calls(), 1);
}

#[rstest]
#[tokio::test]
async fn of_two_repeats_at_once_one_takes_the_answer(#[values(true, false)] ended: bool) {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let _rest = lose(&app, &upstream, "a", Leaving::Reset).await;
    if ended {
        upstream.let_one_go();
        tokio::time::sleep(A_MOMENT).await;
    }
    let (one, two, ()) = tokio::join!(ask(&app, "a").send(), ask(&app, "a").send(), async {
        until("one is a new call", || upstream.calls() == 2).await;
        tokio::time::sleep(A_MOMENT).await;
        upstream.let_go();
    });
    says(&one, "Yes.");
    says(&two, "Yes.");
    assert_ne!(is_replayed(&one), is_replayed(&two));
    assert_eq!(upstream.calls(), 2);
}

/// Two calls that are lost at once: each has a repeat of its own.
#[tokio::test]
async fn each_of_two_lost_calls_is_taken_once() {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let callers: Vec<_> = (0..2)
        .map(|_| Caller::send(app.base(), PATH, &question("a").to_string()))
        .collect();
    until("both are made", || upstream.calls() == 2).await;
    for caller in callers {
        caller.leave(Leaving::Reset);
    }
    tokio::time::sleep(A_MOMENT).await;
    upstream.let_go();
    tokio::time::sleep(A_MOMENT).await;
    for _ in 0..2 {
        assert!(is_replayed(&ask(&app, "a").ok().await));
    }
    assert_eq!(upstream.calls(), 2);
    assert!(!is_replayed(&ask(&app, "a").ok().await));
    assert_eq!(upstream.calls(), 3);
}

#[rstest]
#[tokio::test]
async fn two_calls_that_got_their_answers_are_two_calls(
    #[values(Leaving::Close, Leaving::Reset)] how: Leaving,
) {
    let upstream = Held::saying("Yes.");
    upstream.let_go();
    let app = service(&upstream);
    let body = question("a").to_string();
    for round in 1..=100 {
        let mut caller = Caller::send(app.base(), PATH, &body);
        let answer = caller.read_answer();
        assert!(!answer.contains("x-replayed"), "round {round}");
        // At once, before the service has looked again.
        caller.leave(how);
        assert_eq!(upstream.calls(), round);
    }
}

/// A connection that breaks in the middle of a large answer.
#[tokio::test]
async fn an_answer_that_did_not_arrive_whole_is_kept() {
    let text = "0123456789abcdef".repeat(5 << 16);
    let upstream = Held::saying(&text);
    upstream.let_go();
    let app = service(&upstream);
    let mut caller = Caller::send(app.base(), PATH, &question("a").to_string());
    assert!(caller.read(4000).starts_with("HTTP/1.1 200"));
    caller.leave(Leaving::Reset);
    tokio::time::sleep(A_MOMENT).await;
    // It takes a while to be sealed and written.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let repeat = ask(&app, "a").ok().await;
    assert!(is_replayed(&repeat));
    assert_eq!(repeat.json["text"].as_str().unwrap().len(), text.len());
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn only_the_very_same_call_is_a_repeat() {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    lose_and_end(&app, &upstream, "a").await;
    upstream.let_go();
    let body = question("a").to_string();
    let others = [
        ask(&app, "b"),
        app.call("Ask")
            .raw_body("application/json", body.replace(':', ": ")),
        app.call("Ask")
            .raw_body("application/json", format!("{body}\n")),
        ask(&app, "a")
            .no_key()
            .header("authorization", "Bearer another-key"),
    ];
    let mut calls = 1;
    for other in others {
        let answer = other.ok().await;
        assert!(!is_replayed(&answer));
        calls += 1;
        assert_eq!(upstream.calls(), calls);
    }
    assert!(is_replayed(&ask(&app, "a").ok().await));
    assert_eq!(upstream.calls(), calls);
}

#[tokio::test]
async fn the_same_body_of_another_operation_is_another_call() {
    let vectors = json!({"data": [{"index": 0, "embedding": [0.5]}]});
    let upstream = Held::answering(200, &vectors);
    let app = service(&upstream);
    // A body that both Create embeddings and Create image take as far as reading goes.
    let body = json!({"model": "m", "input": "a"}).to_string();
    let caller = Caller::send(app.base(), "/api/v1/embeddings", &body);
    until("it is called", || upstream.calls() == 1).await;
    caller.leave(Leaving::Reset);
    tokio::time::sleep(A_MOMENT).await;
    upstream.let_go();
    tokio::time::sleep(A_MOMENT).await;
    let speech = app
        .call("CreateSpeech")
        .raw_body("application/json", body.clone());
    assert!(!is_replayed(&speech.send().await));
    let repeat = app
        .call("CreateEmbeddings")
        .raw_body("application/json", body);
    assert!(is_replayed(&repeat.ok().await));
}

#[rstest]
#[case::limited(429, false)]
#[case::broken(500, false)]
#[case::overloaded(503, false)]
#[case::faulty(400, true)]
#[case::poor(402, true)]
#[tokio::test]
async fn a_failure_is_kept_if_it_would_come_again(#[case] status: u16, #[case] kept: bool) {
    let failure = json!({"error": {"code": status, "message": "No."}});
    let upstream = Held::answering(status, &failure);
    let app = service(&upstream);
    lose_and_end(&app, &upstream, "a").await;
    upstream.answer(200, &chat("Yes."));
    upstream.let_go();
    let repeat = ask(&app, "a").send().await;
    assert_eq!(is_replayed(&repeat), kept, "{}", repeat.text);
    assert_eq!(repeat.status, if kept { status } else { 200 });
    assert_eq!(upstream.calls(), if kept { 1 } else { 2 });
}

/// The second of two lost calls has no place in the store; its failure is not for a repeat either.
#[tokio::test]
async fn a_passing_failure_is_not_kept_in_memory_either() {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let first = Caller::send(app.base(), PATH, &question("a").to_string());
    until("it is called", || upstream.calls() == 1).await;
    let second = Caller::send(app.base(), PATH, &question("a").to_string());
    until("it is called", || upstream.calls() == 2).await;
    first.leave(Leaving::Reset);
    tokio::time::sleep(A_MOMENT).await;
    second.leave(Leaving::Reset);
    tokio::time::sleep(A_MOMENT).await;
    upstream.answer(503, &json!({"error": {"code": 503, "message": "Busy."}}));
    upstream.let_one_go();
    upstream.let_one_go();
    tokio::time::sleep(A_MOMENT).await;
    upstream.answer(200, &chat("Yes."));
    upstream.let_go();
    for _ in 0..2 {
        let answer = ask(&app, "a").ok().await;
        assert!(!is_replayed(&answer));
    }
    assert_eq!(upstream.calls(), 4);
}

#[tokio::test]
async fn a_repeat_that_is_lost_too_leaves_the_answer_to_the_next() {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let _rest = lose(&app, &upstream, "a", Leaving::Reset).await;
    for how in [Leaving::Close, Leaving::Reset] {
        let caller = Caller::send(app.base(), PATH, &question("a").to_string());
        tokio::time::sleep(A_MOMENT).await;
        caller.leave(how);
        tokio::time::sleep(A_MOMENT).await;
    }
    upstream.let_go();
    let answer = ask(&app, "a").ok().await;
    says(&answer, "Yes.");
    assert!(is_replayed(&answer));
    assert_eq!(upstream.calls(), 1);
    assert!(!is_replayed(&ask(&app, "a").ok().await));
}

#[tokio::test]
async fn a_lost_call_that_is_late_is_the_same_job_for_its_repeats() {
    let upstream = Held::saying("Yes.");
    let app = service_with(&upstream, |config| {
        config.deadline.answer = Duration::from_millis(600);
    });
    let _rest = lose(&app, &upstream, "a", Leaving::Reset).await;
    // The repeat is late as well, and has its job.
    let first = ask(&app, "a").send().await;
    assert_eq!(first.status, 202, "{}", first.text);
    assert!(is_replayed(&first));
    let id = first.json["job_id"].as_str().unwrap();
    upstream.let_go();
    says(&super::finished(&app, id).await, "Yes.");
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_kept_for_so_long_and_no_longer() {
    let upstream = Held::saying("Yes.");
    let app = service_with(&upstream, |config| {
        config.jobs.keep_lost = Duration::from_millis(500);
    });
    let _rest = lose(&app, &upstream, "a", Leaving::Reset).await;
    upstream.let_go();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let answer = ask(&app, "a").ok().await;
    assert!(!is_replayed(&answer));
    assert_eq!(upstream.calls(), 2);
}

/// What a lost call comes to is kept from its end on, however long it still ran.
#[tokio::test]
async fn a_lost_call_that_runs_on_for_long_is_kept_from_its_end() {
    let upstream = Held::saying("Yes.");
    let app = service_with(&upstream, |config| {
        config.jobs.keep_lost = Duration::from_secs(2);
    });
    let _rest = lose(&app, &upstream, "a", Leaving::Reset).await;
    tokio::time::sleep(Duration::from_millis(2200)).await;
    upstream.let_go();
    tokio::time::sleep(A_MOMENT).await;
    assert!(is_replayed(&ask(&app, "a").ok().await));
    assert_eq!(upstream.calls(), 1);
}
