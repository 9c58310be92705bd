//! Create video: a film is started, once, and its id comes back.

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{PDF, PNG, TestApp, Upstream, sandbox};

const VIDEOS: &str = "/videos";

#[tokio::test]
async fn everything_asked_for_goes_to_its_place() {
    let upstream = Upstream::start().await;
    let job =
        json!({"id": "job-1", "polling_url": "/x", "status": "pending", "generation_id": null});
    upstream
        .responds(VIDEOS, ResponseTemplate::new(202).set_body_json(job))
        .await;
    let body = json!({
        "model": "google/veo", "prompt": "Waves", "duration": 8, "resolution": "1080p",
        "aspect_ratio": "9:16", "generate_audio": "True", "seed": -1,
        "first_frame": {"content": PNG}, "last_frame": {"url": "https://a.example/b.png"},
    });
    let answer = TestApp::on(&upstream)
        .call("CreateVideo")
        .body(&body)
        .ok()
        .await;
    let frame = |kind: &str, url: String| json!({"type": "image_url", "image_url": {"url": url}, "frame_type": kind});
    assert_eq!(
        upstream.sent(VIDEOS).await,
        json!({
            "model": "google/veo", "prompt": "Waves", "duration": 8, "resolution": "1080p",
            "aspect_ratio": "9:16",
            "frame_images": [
                frame("first_frame", format!("data:image/png;base64,{PNG}")),
                frame("last_frame", "https://a.example/b.png".to_owned()),
            ],
            "generate_audio": true, "seed": -1,
        })
    );
    assert_eq!(
        answer.json,
        json!({"video_id": "job-1", "status": "running", "model": "google/veo", "warnings": []})
    );
}

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

#[tokio::test]
async fn a_film_without_an_id_is_an_error() {
    for job in [
        json!({}),
        json!({"id": null, "status": "pending"}),
        json!([]),
    ] {
        let upstream = Upstream::start().await;
        upstream.answers(VIDEOS, job).await;
        TestApp::on(&upstream)
            .call("CreateVideo")
            .with_samples()
            .fails(502, "upstream_error")
            .await;
    }
}

#[rstest]
#[case(json!({"model": "m"}), "prompt")]
#[case(json!({"prompt": "a"}), "model")]
#[case(json!({"model": "m", "prompt": "a", "duration": 0}), "duration")]
#[case(json!({"model": "m", "prompt": "a", "resolution": "8K"}), "resolution")]
#[case(json!({"model": "m", "prompt": "a", "first_frame": {"content": PDF}}), "first_frame")]
#[case(json!({"model": "m", "last_frame": {"content": "!!"}}), "last_frame.content")]
#[case(json!({"model": "m", "prompt": "a", "lenght": 5}), "lenght")]
#[tokio::test]
async fn input_at_fault_is_refused_by_its_path(#[case] body: Value, #[case] field: &str) {
    sandbox()
        .call("CreateVideo")
        .body(&body)
        .refused(field)
        .await;
}
