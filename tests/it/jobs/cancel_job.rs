//! Cancel job: the end of a job that runs, and of its connection to OpenRouter.

use super::{A_MOMENT, Held, ask, finished, is_replayed, result, service, start_job, until};
use crate::support::{Answer, TestApp};

async fn cancel(app: &TestApp, id: &str) -> Answer {
    app.call("CancelJob").path("job_id", id).ok().await
}

#[tokio::test]
async fn a_running_job_ends_and_so_does_its_connection() {
    let upstream = Held::saying("never");
    let app = service(&upstream);
    let id = start_job(&app, "a").await;
    until("it is called", || upstream.calls() == 1).await;
    assert_eq!(upstream.hung_up(), 0);
    let cancelled = cancel(&app, &id).await;
    assert_eq!(cancelled.json["status"], "cancelled");
    assert_eq!(cancelled.json["job_id"], id);
    until("it hangs up", || upstream.hung_up() == 1).await;
    for _ in 0..2 {
        let result = result(&app, &id).await;
        assert_eq!((result.status, result.code()), (409, "cancelled"));
    }
    // A second order changes nothing.
    let again = cancel(&app, &id).await;
    assert_eq!(again.json, cancelled.json);
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn a_job_that_has_ended_stays_as_it_is() {
    let upstream = Held::saying("Done.");
    upstream.let_go();
    let app = service(&upstream);
    let id = start_job(&app, "a").await;
    let before = finished(&app, &id).await;
    let shown = app.call("GetJob").path("job_id", &id).ok().await;
    let cancelled = cancel(&app, &id).await;
    assert_eq!(cancelled.json, shown.json);
    assert_eq!(cancelled.json["status"], "succeeded");
    let after = result(&app, &id).await;
    assert_eq!((after.status, after.text), (200, before.text));
}

#[tokio::test]
async fn a_caller_who_waits_for_it_is_told() {
    let upstream = Held::saying("never");
    let app = service(&upstream);
    let named = |app| ask(app, "a").header("idempotency-key", "order-1");
    let first = named(&app).header("prefer", "respond-async").send().await;
    let id = first.json["job_id"].as_str().unwrap().to_owned();
    let (waiting, ()) = tokio::join!(named(&app).send(), async {
        tokio::time::sleep(A_MOMENT).await;
        cancel(&app, &id).await;
    });
    assert_eq!((waiting.status, waiting.code()), (409, "cancelled"));
    assert!(is_replayed(&waiting));
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn a_call_like_a_cancelled_one_is_a_new_call() {
    let upstream = Held::saying("Yes.");
    let app = service(&upstream);
    let id = start_job(&app, "a").await;
    until("it is called", || upstream.calls() == 1).await;
    cancel(&app, &id).await;
    until("it hangs up", || upstream.hung_up() == 1).await;
    upstream.let_go();
    let answer = ask(&app, "a").ok().await;
    assert!(!is_replayed(&answer));
    assert_eq!(upstream.calls(), 2);
}
