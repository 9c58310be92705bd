//! Get job result: the address that the platform follows by itself.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::{Held, finished, result, service_with};
use crate::support::{
    Answer, PNG, TestApp, Upstream,
    definition::{OPERATIONS, Operation},
    upstream::{CHAT, COMPLETIONS, chat, completion},
};

/// Every operation that may go on in the background, except Create video, which always does.
fn generations() -> Vec<Operation> {
    let found: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| operation.method == "POST" && operation.declares(202))
        .filter(|operation| operation.id != "CreateVideo")
        .copied()
        .collect();
    assert!(found.len() >= 8, "{}", found.len());
    found
}

/// An OpenRouter that answers every generation after `delay`.
async fn everything(delay: Duration) -> Upstream {
    let upstream = Upstream::start().await;
    let picture = json!({"created": 1, "data": [{"b64_json": PNG, "media_type": "image/png"}]});
    let vectors = json!({"data": [{"index": 0, "embedding": [0.5, -1]}]});
    let ranks = json!({"id": "gen-r", "results": [{"index": 0, "relevance_score": 0.5}]});
    let json = |body: Value| ResponseTemplate::new(200).set_body_json(body);
    let sound = ResponseTemplate::new(200)
        .insert_header("x-generation-id", "gen-tts-1")
        .set_body_raw(b"ID3\x04\0\xff".to_vec(), "audio/mpeg");
    for (at, answer) in [
        (CHAT, json(chat("It goes on."))),
        (COMPLETIONS, json(completion("It goes on."))),
        ("/images", json(picture)),
        ("/audio/speech", sound),
        ("/audio/transcriptions", json(json!({"text": "Hello."}))),
        ("/embeddings", json(vectors)),
        ("/rerank", json(ranks)),
    ] {
        upstream.responds(at, answer.set_delay(delay)).await;
    }
    upstream
}

/// How many calls there were upstream besides reading the list of models.
async fn paid_calls(upstream: &Upstream) -> usize {
    let calls = upstream.every_call().await;
    calls.iter().filter(|call| call.method == "POST").count()
}

/// Checks the answer of a call that goes on, and gives its job's id.
fn goes_on(app: &TestApp, answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.json["status"], "running");
    let id = answer.json["job_id"].as_str().unwrap();
    assert_eq!(id.len(), 43, "{id}");
    assert_eq!(
        answer.header("location"),
        format!("{}/api/v1/jobs/{id}/result", app.base())
    );
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    id.to_owned()
}

#[tokio::test]
async fn every_generation_goes_on_if_its_caller_prefers_that() {
    let upstream = everything(Duration::ZERO).await;
    let app = TestApp::on(&upstream);
    for (index, operation) in generations().iter().enumerate() {
        let plain = app.call(operation.id).with_samples().ok().await;
        assert_eq!(plain.status, 200, "{}", plain.text);
        let call = app.call(operation.id).with_samples();
        let first = call.header("prefer", "wait=5, Respond-Async").send().await;
        let id = goes_on(&app, &first);
        let last = finished(&app, &id).await;
        assert_eq!(
            (last.status, &last.text),
            (200, &plain.text),
            "{}",
            operation.id
        );
        assert_eq!(last.header("content-type"), plain.header("content-type"));
        assert_eq!(
            last.header("x-generation-id"),
            plain.header("x-generation-id")
        );
        // It can be fetched more than once.
        assert_eq!(result(&app, &id).await.text, plain.text);
        assert_eq!(
            paid_calls(&upstream).await,
            2 * (index + 1),
            "{}",
            operation.id
        );
    }
}

#[tokio::test]
async fn every_generation_goes_on_if_its_maker_wants_that() {
    let upstream = everything(Duration::ZERO).await;
    let app = TestApp::on(&upstream);
    for (index, operation) in generations().iter().enumerate() {
        let schema = operation.body().unwrap();
        let mut body = crate::support::definition::sample("", schema);
        body["background_run"] = json!("true");
        let first = app.call(operation.id).body(&body).send().await;
        let id = goes_on(&app, &first);
        let last = finished(&app, &id).await;
        assert_eq!(last.status, 200, "{}", last.text);
        let misfits = operation.misfits(200, &last.json);
        assert!(misfits.is_empty(), "{misfits:?}");
        assert_eq!(last.json["status"], "completed");
        assert_eq!(paid_calls(&upstream).await, index + 1, "{}", operation.id);
    }
}

#[tokio::test]
async fn a_film_always_goes_on_and_is_ordered_once() {
    let upstream = Upstream::start().await;
    let ordered = json!({"id": "film-1", "status": "pending"});
    upstream
        .responds("/videos", ResponseTemplate::new(202).set_body_json(ordered))
        .await;
    let made = json!({"id": "film-1", "status": "completed", "generation_id": "gen-v", "usage": {"cost": 0.5}});
    upstream.answers("/videos/film-1", made).await;
    let film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom".to_vec();
    let film = ResponseTemplate::new(200).set_body_raw(film, "video/mp4");
    upstream.responds("/videos/film-1/content", film).await;
    let app = TestApp::on(&upstream);
    let first = app.call("CreateVideo").with_samples().send().await;
    let last = finished(&app, &goes_on(&app, &first)).await;
    assert_eq!(last.status, 200, "{}", last.text);
    let misfits = Operation::named("CreateVideo").misfits(200, &last.json);
    assert!(misfits.is_empty(), "{misfits:?}");
    assert_eq!(last.json["video"]["mime_type"], "video/mp4");
    assert_eq!(last.json["video_id"], "film-1");
    assert_eq!(upstream.calls("/videos").await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_fetched() {
    let upstream = everything(Duration::from_secs(3)).await;
    let app = TestApp::on_with(&upstream, |config| {
        config.deadline.answer = Duration::from_millis(300);
    });
    for operation in [Operation::named("Ask"), Operation::named("Rerank")] {
        let before = paid_calls(&upstream).await;
        let first = app.call(operation.id).with_samples().send().await;
        let id = goes_on(&app, &first);
        let second = result(&app, &id).await;
        assert_eq!(goes_on(&app, &second), id);
        assert_eq!(second.json, json!({"status": "running", "job_id": id}));
        let last = finished(&app, &id).await;
        assert_eq!(last.status, 200, "{}", last.text);
        let misfits = operation.misfits(200, &last.json);
        assert!(misfits.is_empty(), "{misfits:?}");
        assert_eq!(paid_calls(&upstream).await, before + 1);
    }
}

#[rstest]
#[case(400, "invalid_request")]
#[case(401, "invalid_key")]
#[case(402, "insufficient_credits")]
#[case(403, "refused")]
#[case(404, "not_found")]
#[case(413, "payload_too_large")]
#[case(429, "upstream_rate_limited")]
#[case(500, "upstream_error")]
#[case(502, "upstream_error")]
#[case(503, "upstream_overloaded")]
#[tokio::test]
async fn a_job_that_failed_answers_as_the_call_would_have(#[case] status: u16, #[case] code: &str) {
    let upstream = Upstream::start().await;
    let body = json!({"error": {"code": status, "message": "It went wrong."}});
    let answer = ResponseTemplate::new(status).set_body_json(body);
    upstream.responds(CHAT, answer).await;
    let app = TestApp::on(&upstream);
    let plain = app.call("Ask").with_samples().send().await;
    assert_eq!(plain.code(), code, "{}", plain.text);
    let call = app
        .call("Ask")
        .with_samples()
        .header("prefer", "respond-async");
    let id = goes_on(&app, &call.send().await);
    let last = finished(&app, &id).await;
    assert_eq!(last.status, plain.status);
    assert_eq!(last.header("retry-after"), plain.header("retry-after"));
    assert_eq!(last.header("content-type"), plain.header("content-type"));
    let told = |answer: &Answer| {
        let mut error = answer.json["error"].clone();
        error.as_object_mut().unwrap().remove("request_id");
        error
    };
    assert_eq!(told(&last), told(&plain));
}

#[tokio::test]
async fn a_failure_names_the_call_that_failed() {
    let upstream = Held::saying("too late");
    let app = service_with(&upstream, |config| {
        config.deadline.job = Duration::from_millis(200);
    });
    let call = super::ask(&app, "a").header("prefer", "respond-async");
    let first = call.header("x-request-id", "call-7").send().await;
    let id = goes_on(&app, &first);
    let last = finished(&app, &id).await;
    assert_eq!((last.status, last.code()), (504, "deadline"));
    assert_eq!(last.json["error"]["request_id"], "call-7");
    // The same for a caller who waits.
    super::ask(&app, "b").fails(504, "deadline").await;
    super::until("it hangs up", || upstream.hung_up() == 2).await;
}

#[tokio::test]
async fn bad_input_is_refused_at_once_also_in_the_background() {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    for operation in generations() {
        let Some(schema) = operation.body() else {
            continue;
        };
        let mut body = crate::support::definition::sample("", schema);
        body["background_run"] = json!(true);
        body["model"] = json!("");
        app.call(operation.id).body(&body).refused("model").await;
    }
    // What only the action itself finds.
    let body = json!({"model": "m", "background_run": true});
    app.call("Ask").body(&body).refused("user_prompt").await;
    let body = json!({"model": "m", "prompt": "a", "first_frame": {"content": "JVBERi0xLjQK"}});
    app.call("CreateVideo")
        .body(&body)
        .refused("first_frame")
        .await;
    assert_eq!(paid_calls(&upstream).await, 0);
}
