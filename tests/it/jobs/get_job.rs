//! Get job: every state of a job, and all that is shown of it.

use std::time::SystemTime;

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::{Held, finished, service, start_job};
use crate::support::{
    Answer, PNG, TestApp, Upstream,
    upstream::{CHAT, chat},
};

async fn job(app: &TestApp, id: &str) -> Answer {
    let answer = app.call("GetJob").path("job_id", id).ok().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["job_id"], id);
    answer
}

fn keys(answer: &Answer) -> Vec<&str> {
    let all = answer.json.as_object().unwrap().keys();
    all.map(String::as_str).collect()
}

/// A time in the answer, which must be of the last minute.
fn time(answer: &Answer, name: &str) -> SystemTime {
    let text = answer.json[name].as_str().unwrap();
    let time = humantime::parse_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let age = time.elapsed().unwrap_or_default();
    assert!(age.as_secs() < 60, "{name} is {text}");
    time
}

#[tokio::test]
async fn a_job_is_running_until_it_has_succeeded() {
    let upstream = Held::saying("It took long.");
    let app = service(&upstream);
    let id = start_job(&app, "Take your time.").await;
    let running = job(&app, &id).await;
    assert_eq!(
        keys(&running),
        ["status", "operation", "created_at", "job_id"]
    );
    assert_eq!(
        (&running.json["status"], &running.json["operation"]),
        (&json!("running"), &json!("Ask"))
    );
    upstream.let_go();
    let result = finished(&app, &id).await;
    let ended = job(&app, &id).await;
    assert_eq!(
        keys(&ended),
        [
            "status",
            "text",
            "result_json",
            "operation",
            "created_at",
            "finished_at",
            "job_id"
        ]
    );
    assert_eq!(ended.json["status"], "succeeded");
    assert_eq!(ended.json["text"], "It took long.");
    assert_eq!(ended.json["result_json"], result.text);
    let parsed: Value = serde_json::from_str(ended.json["result_json"].as_str().unwrap()).unwrap();
    assert_eq!(parsed, result.json);
    assert_eq!(ended.json["created_at"], running.json["created_at"]);
    assert!(time(&ended, "created_at") <= time(&ended, "finished_at"));
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test]
async fn the_text_of_a_chat_is_its_content_and_a_picture_has_none() {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let picture = json!({"created": 1, "data": [{"b64_json": PNG, "media_type": "image/png"}]});
    upstream.answers("/images", picture).await;
    upstream
        .answers("/audio/transcriptions", json!({"text": "Said."}))
        .await;
    let app = TestApp::on(&upstream);
    for (operation, text) in [
        ("ChatCompletion", Some("Hello.")),
        ("Ask", Some("Hello.")),
        ("CreateTranscription", Some("Said.")),
        ("CreateImage", None),
    ] {
        let call = app.call(operation).with_samples();
        let first = call.header("prefer", "respond-async").send().await;
        let id = first.json["job_id"].as_str().unwrap();
        let result = finished(&app, id).await;
        assert_eq!(result.status, 200, "{}", result.text);
        let shown = job(&app, id).await;
        assert_eq!(shown.json["text"].as_str(), text, "{operation}");
        assert_eq!(shown.json["operation"], operation);
        assert_eq!(shown.json["result_json"], result.text, "{operation}");
    }
}

#[tokio::test]
async fn a_job_that_failed_is_no_failure_of_this_call() {
    let upstream = Upstream::start().await;
    let body = json!({"error": {"code": 402, "message": "No credits."}});
    let answer = ResponseTemplate::new(402).set_body_json(body);
    upstream.responds(CHAT, answer).await;
    let app = TestApp::on(&upstream);
    let id = start_job(&app, "a").await;
    let result = finished(&app, &id).await;
    assert_eq!(result.status, 402);
    let shown = job(&app, &id).await;
    assert_eq!(
        keys(&shown),
        [
            "status",
            "error_code",
            "error_message",
            "operation",
            "created_at",
            "finished_at",
            "job_id"
        ]
    );
    assert_eq!(shown.json["status"], "failed");
    assert_eq!(shown.json["error_code"], "insufficient_credits");
    assert_eq!(shown.json["error_message"], result.message());
    time(&shown, "finished_at");
}

#[tokio::test]
async fn a_cancelled_job_says_so() {
    let upstream = Held::saying("never");
    let app = service(&upstream);
    let id = start_job(&app, "a").await;
    app.call("CancelJob").path("job_id", &id).ok().await;
    let shown = job(&app, &id).await;
    assert_eq!(
        keys(&shown),
        [
            "status",
            "error_code",
            "error_message",
            "operation",
            "created_at",
            "finished_at",
            "job_id"
        ]
    );
    assert_eq!(shown.json["status"], "cancelled");
    assert_eq!(shown.json["error_code"], "cancelled");
    time(&shown, "finished_at");
}

#[tokio::test]
async fn a_key_is_needed_and_any_key_will_do() {
    let upstream = Held::saying("later");
    let app = service(&upstream);
    let id = start_job(&app, "a").await;
    for operation in ["GetJob", "CancelJob"] {
        let call = app.call(operation).path("job_id", &id).no_key();
        call.fails(401, "missing_key").await;
    }
    let other = app.call("GetJob").path("job_id", &id).no_key();
    let shown = other
        .header("authorization", "Bearer another-key")
        .ok()
        .await;
    assert_eq!(shown.json["status"], "running");
}
