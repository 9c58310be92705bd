//! A stop signal: nobody loses a call that was paid for.

use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{A_MOMENT, Held, question};
use crate::{
    cli::Serving,
    support::{Answer, Call},
};

/// The grace period. The last three seconds of it are for handing over what still runs.
const GRACE: Duration = Duration::from_secs(5);

/// The real program on a store in `folder`.
fn serving(upstream: &Held, folder: &TempDir) -> Serving {
    let store = format!("sqlite://{}/store.db", folder.path().display());
    Serving::start(
        &[],
        &[
            ("OPENROUTER_CONNECTOR__STORE__URL", &store),
            ("OPENROUTER_CONNECTOR__UPSTREAM__URL", &upstream.url()),
            ("OPENROUTER_CONNECTOR__SERVER__GRACE", "5s"),
            ("OPENROUTER_CONNECTOR__SERVER__WORKERS", "1"),
        ],
    )
}

/// The address before the base path.
fn root(service: &Serving) -> String {
    service.base.strip_suffix("/api").unwrap().to_owned()
}

fn ask<'a>(base: &'a str, prompt: &str) -> Call<'a> {
    let call = Call::page(base, "/api/v1/ask").method("POST").key();
    call.body(&question(prompt))
}

async fn page(base: &str, path: &str) -> Answer {
    Call::page(base, path).send().await
}

async fn called(upstream: &Held, times: usize) {
    super::until("it is called", || upstream.calls() == times).await;
}

#[tokio::test]
async fn what_runs_may_end_and_nothing_new_begins() {
    let (folder, upstream) = (TempDir::new().unwrap(), Held::saying("Yes."));
    let service = serving(&upstream, &folder);
    let base = root(&service);
    assert_eq!(page(&base, "/ready").await.status, 200);
    let job = ask(&base, "a job")
        .header("prefer", "respond-async")
        .send()
        .await;
    assert_eq!(job.status, 202, "{}", job.text);
    let poll = format!(
        "/api/v1/jobs/{}/result",
        job.json["job_id"].as_str().unwrap()
    );
    called(&upstream, 1).await;

    let (waiting, ()) = tokio::join!(ask(&base, "a call").send(), async {
        called(&upstream, 2).await;
        service.signal("-TERM");
        tokio::time::sleep(A_MOMENT).await;
        let ready = page(&base, "/ready").await;
        assert_eq!((ready.status, ready.code()), (503, "unavailable"));
        assert!(!ready.header("retry-after").is_empty());
        assert_eq!(page(&base, "/health").await.status, 200);
        let refused = ask(&base, "another call").send().await;
        assert_eq!((refused.status, refused.code()), (503, "unavailable"));
        assert!(!refused.header("retry-after").is_empty());
        assert_eq!(page(&base, &poll).await.status, 202);
        upstream.let_one_go();
        upstream.let_one_go();
    });
    assert_eq!(
        (waiting.status, waiting.json["text"].as_str()),
        (200, Some("Yes."))
    );
    let started = Instant::now();
    let (code, log) = service.ended();
    assert_eq!(code, Some(0), "{log}");
    // Nothing runs any more: it does not wait for the grace period to be over.
    assert!(started.elapsed() < GRACE, "{:?}", started.elapsed());
    assert_eq!(upstream.calls(), 2);

    // The job had ended, too, and stands in the store.
    let service = serving(&upstream, &folder);
    let result = page(&root(&service), &poll).await;
    assert_eq!(result.status, 200, "{}", result.text);
    assert_eq!(upstream.calls(), 2);
}

#[tokio::test]
async fn what_does_not_end_is_left_to_the_next_process() {
    let (folder, upstream) = (TempDir::new().unwrap(), Held::saying("Yes."));
    let service = serving(&upstream, &folder);
    let base = root(&service);
    let stopped = Instant::now();
    let (waiting, ()) = tokio::join!(ask(&base, "a call").send(), async {
        called(&upstream, 1).await;
        service.signal("-TERM");
    });
    assert_eq!(waiting.status, 202, "{}", waiting.text);
    let id = waiting.json["job_id"].as_str().unwrap().to_owned();
    let (code, log) = service.ended();
    assert_eq!(code, Some(0), "{log}");
    assert!(
        stopped.elapsed() < GRACE + Duration::from_secs(2),
        "{:?}",
        stopped.elapsed()
    );
    super::until("it hangs up", || upstream.hung_up() == 1).await;

    let service = serving(&upstream, &folder);
    upstream.let_go();
    let poll = format!("/api/v1/jobs/{id}/result");
    // The very first question takes it up: nobody waits for a lease to be over.
    assert_eq!(page(&root(&service), &poll).await.status, 202);
    called(&upstream, 2).await;
    let mut result = page(&root(&service), &poll).await;
    while result.status == 202 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        result = page(&root(&service), &poll).await;
    }
    assert_eq!(
        (result.status, result.json["text"].as_str()),
        (200, Some("Yes."))
    );
    let (code, log) = service.end("-TERM");
    assert_eq!(code, Some(0), "{log}");
    for secret in [crate::support::KEY, &id, "a call"] {
        assert!(!log.contains(secret), "{secret} in the log: {log}");
    }
}
