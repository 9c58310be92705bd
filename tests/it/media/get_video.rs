//! Get video: how far a film is, and the film when it is ready.

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{KEY, TestApp, Upstream, sandbox, upstream::header};

const JOB: &str = "/videos/job-1";
const CONTENT: &str = "/videos/job-1/content";

/// The head of a film, from which its kind is told.
const FILM: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";

async fn at(job: Value) -> (Upstream, TestApp) {
    let upstream = Upstream::start().await;
    upstream.answers(JOB, job).await;
    let app = TestApp::on(&upstream);
    (upstream, app)
}

#[rstest]
#[case(json!({"id": "job-1", "status": "pending"}), json!({"status": "running"}))]
#[case(json!({"status": "in_progress", "error": null, "usage": null}), json!({"status": "running"}))]
#[case(json!({"status": "a word of tomorrow"}), json!({"status": "running"}))]
#[case(json!({}), json!({"status": "running"}))]
#[case(json!({"status": "failed", "error": "Too dark.", "usage": {"cost": 0}}), json!({"status": "failed", "error_message": "Too dark.", "cost": 0}))]
#[case(json!({"status": "cancelled", "generation_id": "gen-1"}), json!({"status": "cancelled", "id": "gen-1"}))]
#[case(json!({"status": "expired"}), json!({"status": "expired"}))]
#[tokio::test]
async fn the_state_is_told_without_the_film(#[case] job: Value, #[case] expected: Value) {
    let (upstream, app) = at(job).await;
    let answer = app.call("GetVideo").path("video_id", "job-1").ok().await;
    let mut expected = expected;
    expected["video_id"] = json!("job-1");
    assert_eq!(answer.json, expected);
    assert!(upstream.calls(CONTENT).await.is_empty());
}

#[tokio::test]
async fn a_film_that_is_ready_is_a_file() {
    let job = json!({
        "id": "job-1", "status": "completed", "generation_id": "gen-1", "usage": {"cost": "0.5"},
        "unsigned_urls": ["https://elsewhere.example/film.mp4"],
    });
    let (upstream, app) = at(job).await;
    upstream
        .responds(
            CONTENT,
            ResponseTemplate::new(200).set_body_raw(FILM, "video/mp4"),
        )
        .await;
    let answer = app
        .call("GetVideo")
        .path("video_id", "job-1")
        .ok()
        .await
        .json;
    assert_eq!(
        (&answer["status"], &answer["cost"]),
        (&json!("completed"), &json!(0.5))
    );
    let video = &answer["video"];
    assert_eq!(
        (&video["name"], &video["mime_type"]),
        (&json!("video.mp4"), &json!("video/mp4"))
    );
    assert_eq!(video["size"], FILM.len());
    let call = upstream.call(CONTENT).await;
    assert_eq!(header(&call, "authorization"), format!("Bearer {KEY}"));
    assert_eq!(call.url.query(), Some("index=0"));
}

#[tokio::test]
async fn a_film_that_is_not_there_is_an_error() {
    for content in [
        ResponseTemplate::new(200),
        ResponseTemplate::new(200).set_body_json(json!({})),
        ResponseTemplate::new(502),
    ] {
        let (upstream, app) = at(json!({"status": "completed"})).await;
        upstream.responds(CONTENT, content).await;
        app.call("GetVideo")
            .path("video_id", "job-1")
            .fails(502, "upstream_error")
            .await;
    }
}

#[tokio::test]
async fn an_unknown_film_is_not_found() {
    sandbox()
        .call("GetVideo")
        .path("video_id", "no-such-job")
        .fails(404, "not_found")
        .await;
}
