//! Create video: ordered once, waited for, fetched.

use data_encoding::BASE64;
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{PNG, TestApp, Upstream, sandbox};

const VIDEOS: &str = "/videos";
const FILM: &str = "/videos/job-1";
const CONTENT: &str = "/videos/job-1/content";

const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\x02\0isom";

async fn filming(body: Value) -> Upstream {
    let upstream = Upstream::start().await;
    upstream
        .responds(VIDEOS, ResponseTemplate::new(202).set_body_json(body))
        .await;
    upstream
}

/// A film that is being made for `looks` looks and is ready then.
async fn filmed(looks: u64) -> Upstream {
    let upstream = filming(pending()).await;
    let ready = json!({
        "id": "job-1", "status": "completed", "generation_id": "gen-1",
        "usage": {"cost": 1.6, "is_byok": false},
    });
    upstream.answers(FILM, ready).await;
    let making = ResponseTemplate::new(200).set_body_json(json!({"status": "in_progress"}));
    upstream.responds_times(FILM, making, looks).await;
    let content = ResponseTemplate::new(200).set_body_raw(MP4, "video/mp4");
    upstream.responds(CONTENT, content).await;
    upstream
}

fn pending() -> Value {
    json!({"id": "job-1", "polling_url": "/api/v1/videos/job-1", "status": "pending"})
}

#[tokio::test]
async fn the_job_ends_with_the_film() {
    let upstream = filmed(1).await;
    let app = TestApp::on(&upstream);
    let started = app
        .call("CreateVideo")
        .body(&json!({"model": "google/veo-3.1", "prompt": "A cat."}))
        .ok()
        .await;
    assert_eq!(started.json["status"], "running");
    let ended = app.result(&started).await;
    assert_eq!(
        ended.json,
        json!({
            "video": {
                "name": "video.mp4", "extension": "mp4", "mime_type": "video/mp4",
                "size": MP4.len(), "content": BASE64.encode(MP4),
            },
            "video_id": "job-1", "id": "gen-1", "model": "google/veo-3.1", "cost": 1.6,
            "warnings": [], "status": "completed",
        })
    );
    assert_eq!(upstream.calls(VIDEOS).await.len(), 1);
    assert_eq!(upstream.calls(FILM).await.len(), 2);
}

#[rstest]
#[case::failed(json!({"status": "failed", "error": "Provider returned error"}), 403, "refused")]
#[case::expired(json!({"status": "expired"}), 403, "refused")]
#[tokio::test]
async fn a_film_that_is_not_made_is_an_error(
    #[case] film: Value,
    #[case] status: u16,
    #[case] code: &str,
) {
    let upstream = filming(pending()).await;
    upstream.answers(FILM, film.clone()).await;
    let app = TestApp::on(&upstream);
    let started = app.call("CreateVideo").with_samples().ok().await;
    let ended = app.result(&started).await;
    assert_eq!((ended.status, ended.code()), (status, code));
    let why = film["error"].as_str().unwrap_or("no reason given");
    assert!(ended.message().contains(why), "{}", ended.message());
}

/// Upstream makes the film, whatever becomes of one question about it.
#[tokio::test]
async fn a_look_that_fails_is_repeated() {
    let upstream = filmed(0).await;
    let busy = ResponseTemplate::new(503);
    upstream.responds_times(FILM, busy.clone(), 1).await;
    upstream.responds_times(CONTENT, busy, 1).await;
    let app = TestApp::on(&upstream);
    let started = app.call("CreateVideo").with_samples().ok().await;
    assert_eq!(app.result(&started).await.status, 200);
    assert_eq!(upstream.calls(VIDEOS).await.len(), 1);
}

#[tokio::test]
async fn every_wish_goes_to_its_place() {
    let upstream = filmed(0).await;
    let body = json!({
        "model": "unknown/model", "prompt": "A {cat}.", "duration": 8.0, "resolution": "1080p",
        "aspect_ratio": "21:9", "generate_audio": "true", "seed": 7,
        "first_frame": {"content": PNG}, "last_frame": {"url": "https://a.example/b.png"},
    });
    let app = TestApp::on(&upstream);
    let started = app.call("CreateVideo").body(&body).ok().await;
    app.result(&started).await;
    assert_eq!(
        upstream.sent(VIDEOS).await,
        json!({
            "model": "unknown/model", "prompt": "A {cat}.", "duration": 8, "resolution": "1080p",
            "aspect_ratio": "21:9",
            "frame_images": [
                {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}, "frame_type": "first_frame"},
                {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}, "frame_type": "last_frame"},
            ],
            "generate_audio": true, "seed": 7,
        })
    );
}

#[tokio::test]
async fn a_prompt_or_a_frame_alone_is_sent_alone() {
    let frame = json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}, "frame_type": "first_frame"});
    for (input, sent) in [
        (json!({"prompt": "A cat."}), json!({"prompt": "A cat."})),
        (
            json!({"first_frame": {"content": PNG}}),
            json!({"frame_images": [frame]}),
        ),
    ] {
        let upstream = filmed(0).await;
        let with_model = |mut body: Value| {
            body["model"] = json!("m");
            body
        };
        let body = with_model(input);
        let app = TestApp::on(&upstream);
        let started = app.call("CreateVideo").body(&body).ok().await;
        app.result(&started).await;
        assert_eq!(upstream.sent(VIDEOS).await, with_model(sent));
    }
}

#[rstest]
#[case::nothing(json!({}), "prompt")]
#[case::blank(json!({"prompt": "", "first_frame": null}), "prompt")]
#[case::duration(json!({"prompt": "a", "duration": 0}), "duration")]
#[case::half(json!({"prompt": "a", "duration": 4.5}), "duration")]
#[case::resolution(json!({"prompt": "a", "resolution": "4k"}), "resolution")]
#[case::ratio(json!({"prompt": "a", "aspect_ratio": "1:2"}), "aspect_ratio")]
#[case::audio(json!({"prompt": "a", "generate_audio": "yes"}), "generate_audio")]
#[case::frame(json!({"prompt": "a", "first_frame": {}}), "first_frame.content")]
#[case::frame_as_text(json!({"prompt": "a", "first_frame": PNG}), "first_frame")]
#[case::frame_typo(json!({"prompt": "a", "last_frame": {"contents": PNG}}), "last_frame.contents")]
#[case::unknown(json!({"prompt": "a", "size": "1K"}), "size")]
#[tokio::test]
async fn an_input_at_fault_is_refused_by_its_path(#[case] mut body: Value, #[case] field: &str) {
    body["model"] = json!("google/veo-3.1");
    sandbox()
        .call("CreateVideo")
        .body(&body)
        .refused(field)
        .await;
}

/// A second call could be a second film, and a second bill.
#[tokio::test]
async fn a_film_is_never_started_twice() {
    let upstream = Upstream::start().await;
    upstream.responds(VIDEOS, ResponseTemplate::new(503)).await;
    let app = TestApp::on(&upstream);
    let started = app.call("CreateVideo").with_samples().ok().await;
    let ended = app.result(&started).await;
    assert_eq!(ended.code(), "upstream_overloaded");
    assert_eq!(upstream.calls(VIDEOS).await.len(), 1);
}

#[rstest]
#[case::no_id(json!({"status": "pending"}))]
#[case::null(json!({"id": null}))]
#[case::list(json!([]))]
#[tokio::test]
async fn a_job_without_an_id_is_an_error(#[case] body: Value) {
    let upstream = filming(body).await;
    let body = json!({"model": "m", "prompt": "A cat."});
    let app = TestApp::on(&upstream);
    let started = app.call("CreateVideo").body(&body).ok().await;
    assert_eq!(app.result(&started).await.code(), "upstream_error");
}
