//! Get video: how far a film is, and the film.

use data_encoding::BASE64;
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{CLIENT, KEY, TestApp, Upstream, sandbox, simulated, upstream::header};

const JOB: &str = "/videos/job-1";
const CONTENT: &str = "/videos/job-1/content";

async fn filmed(job: Value) -> Upstream {
    let upstream = Upstream::start().await;
    upstream.answers(JOB, job).await;
    upstream
}

#[rstest]
#[case::waiting(json!({"id": "job-1", "status": "pending"}), json!({"status": "running"}))]
#[case::begun(json!({"status": "in_progress", "generation_id": "gen-1", "usage": {"cost": null}}), json!({"status": "running", "id": "gen-1"}))]
#[case::a_word_of_tomorrow(json!({"status": "upscaling"}), json!({"status": "running"}))]
#[case::no_word(json!({}), json!({"status": "running"}))]
#[case::failed(json!({"status": "failed", "error": "Provider returned error", "usage": {"cost": 0}}), json!({"status": "failed", "error_message": "Provider returned error", "cost": 0}))]
#[case::cancelled(json!({"status": "cancelled", "error": null}), json!({"status": "cancelled"}))]
#[case::expired(json!({"status": "expired", "unsigned_urls": null}), json!({"status": "expired"}))]
#[tokio::test]
async fn the_state_is_told_without_fetching_anything(
    #[case] job: Value,
    #[case] mut expected: Value,
) {
    let upstream = filmed(job).await;
    let answer = TestApp::on(&upstream)
        .call("GetVideo")
        .path("video_id", "job-1")
        .ok()
        .await;
    expected["video_id"] = json!("job-1");
    assert_eq!(answer.json, expected);
    assert!(upstream.calls(CONTENT).await.is_empty());
}

#[tokio::test]
async fn a_finished_film_comes_as_a_file() {
    let film = b"\0\0\0\x18ftypisom\0\0\x02\0isom".as_slice();
    for kind in ["video/mp4", "application/octet-stream"] {
        let upstream = filmed(json!({
            "id": "job-1", "status": "completed", "generation_id": "gen-1",
            "unsigned_urls": ["https://elsewhere.example/film.mp4"], "usage": {"cost": 1.6, "is_byok": false},
        }))
        .await;
        upstream
            .responds(CONTENT, ResponseTemplate::new(200).set_body_raw(film, kind))
            .await;
        let answer = TestApp::on(&upstream)
            .call("GetVideo")
            .path("video_id", "job-1")
            .ok()
            .await;
        assert_eq!(
            answer.json,
            json!({
                "status": "completed", "cost": 1.6, "video_id": "job-1", "id": "gen-1",
                "video": {
                    "name": "video.mp4", "extension": "mp4", "mime_type": "video/mp4",
                    "size": film.len(), "content": BASE64.encode(film),
                },
            })
        );
        let call = upstream.call(CONTENT).await;
        assert_eq!(call.url.query(), Some("index=0"));
        assert_eq!(header(&call, "authorization"), format!("Bearer {KEY}"));
    }
}

#[rstest]
#[case::nothing(b"".as_slice(), "video/mp4", 502)]
#[case::json(b"{}".as_slice(), "application/json", 502)]
#[case::an_error(br#"{"error": {"code": 404, "message": "No such video"}}"#.as_slice(), "application/json", 404)]
#[tokio::test]
async fn a_finished_film_that_is_not_there_is_an_error(
    #[case] body: &[u8],
    #[case] kind: &str,
    #[case] status: u16,
) {
    let upstream = filmed(json!({"status": "completed"})).await;
    upstream
        .responds(CONTENT, ResponseTemplate::new(200).set_body_raw(body, kind))
        .await;
    let answer = TestApp::on(&upstream)
        .call("GetVideo")
        .path("video_id", "job-1")
        .send()
        .await;
    assert_eq!(answer.status, status, "{}", answer.text);
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_an_error() {
    let upstream = Upstream::start().await;
    upstream
        .responds(
            JOB,
            ResponseTemplate::new(200).set_body_raw("<html>", "text/html"),
        )
        .await;
    let app = TestApp::on(&upstream);
    app.call("GetVideo")
        .path("video_id", "job-1")
        .fails(502, "upstream_error")
        .await;
}

#[rstest]
#[case("a%2Fb")]
#[case("a%3Fb")]
#[case("a%5Cb")]
#[tokio::test]
async fn an_id_that_would_leave_its_place_is_refused(#[case] id: &str) {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    let answer = app
        .call("GetVideo")
        .path("video_id", id)
        .refused("video_id")
        .await;
    assert!(
        answer.message().contains("video_id"),
        "{}",
        answer.message()
    );
    assert!(upstream.calls("/videos/a/b").await.is_empty());
}

#[tokio::test]
async fn a_finished_film_that_cannot_be_fetched_is_an_error() {
    let upstream = filmed(json!({"status": "completed"})).await;
    upstream.responds(CONTENT, ResponseTemplate::new(502)).await;
    let app = TestApp::on(&upstream);
    app.call("GetVideo")
        .path("video_id", "job-1")
        .fails(502, "upstream_error")
        .await;
}

#[tokio::test]
async fn an_unknown_film_is_told_as_one() {
    sandbox()
        .call("GetVideo")
        .path("video_id", "job-none")
        .fails(404, "not_found")
        .await;
}

/// The id of a film that was ordered from the simulated OpenRouter itself.
async fn started(body: &Value) -> String {
    let order = CLIENT.post(format!("{}/videos", simulated()));
    let answer = order.bearer_auth(KEY).json(body).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_simulated_film_is_ready_after_some_looks() {
    let body = json!({"model": "bytedance/seedance-1.5-pro", "prompt": "A cat.", "duration": 5, "aspect_ratio": "1:1"});
    let id = &started(&body).await;
    let mut states = Vec::new();
    let done = loop {
        let look = sandbox()
            .call("GetVideo")
            .path("video_id", id)
            .ok()
            .await
            .json;
        states.push(look["status"].as_str().unwrap().to_owned());
        if look["status"] != "running" {
            break look;
        }
        assert!(look.get("video").is_none());
        assert!(states.len() < 10, "it does not end");
    };
    assert_eq!(done["status"], "completed");
    assert!(states.len() > 1, "it was ready at once");
    let film = BASE64
        .decode(done["video"]["content"].as_str().unwrap().as_bytes())
        .unwrap();
    assert_eq!(film[4..8], *b"ftyp");
    assert_eq!(done["video"]["size"], film.len());
    assert_eq!(done["video"]["mime_type"], "video/mp4");
    assert_eq!(done["cost"], 0.25);
    // The film is there for whoever looks again.
    let again = sandbox()
        .call("GetVideo")
        .path("video_id", id)
        .ok()
        .await
        .json;
    assert_eq!(again["video"], done["video"]);
}

#[tokio::test]
async fn a_simulated_film_that_fails_says_so() {
    let id = &started(&json!({"model": "sandbox/error-after-text", "prompt": "A cat."})).await;
    for _ in 0..10 {
        let look = sandbox()
            .call("GetVideo")
            .path("video_id", id)
            .ok()
            .await
            .json;
        if look["status"] != "running" {
            assert_eq!(
                (&look["status"], &look["error_message"]),
                (&json!("failed"), &json!("Provider returned error"))
            );
            return;
        }
    }
    panic!("it does not end");
}
