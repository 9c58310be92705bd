//! Create video: a job that upstream begins.

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{PNG, TestApp, Upstream, sandbox};

const VIDEOS: &str = "/videos";

async fn filming(body: Value) -> Upstream {
    let upstream = Upstream::start().await;
    upstream
        .responds(VIDEOS, ResponseTemplate::new(202).set_body_json(body))
        .await;
    upstream
}

fn pending() -> Value {
    json!({"id": "job-1", "polling_url": "/api/v1/videos/job-1", "status": "pending"})
}

#[tokio::test]
async fn every_wish_goes_to_its_place() {
    let upstream = filming(pending()).await;
    let body = json!({
        "model": "unknown/model", "prompt": "A {cat}.", "duration": 8.0, "resolution": "1080p",
        "aspect_ratio": "21:9", "generate_audio": "true", "seed": 7,
        "first_frame": {"content": PNG}, "last_frame": {"url": "https://a.example/b.png"},
    });
    let answer = TestApp::on(&upstream)
        .call("CreateVideo")
        .body(&body)
        .ok()
        .await;
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
    assert_eq!(
        answer.json,
        json!({"video_id": "job-1", "status": "running", "model": "unknown/model", "warnings": []})
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
        let upstream = filming(pending()).await;
        let with_model = |mut body: Value| {
            body["model"] = json!("m");
            body
        };
        let body = with_model(input);
        TestApp::on(&upstream)
            .call("CreateVideo")
            .body(&body)
            .ok()
            .await;
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
    app.call("CreateVideo")
        .with_samples()
        .fails(503, "upstream_overloaded")
        .await;
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
    app.call("CreateVideo")
        .body(&body)
        .fails(502, "upstream_error")
        .await;
}
