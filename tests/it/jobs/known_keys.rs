//! What is kept for a day is kept for keys that OpenRouter knows.

use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{TestApp, Upstream, upstream::CHAT};

const KEY: &str = "/key";

#[tokio::test]
async fn a_key_that_is_not_known_is_refused_before_anything_is_kept() {
    let upstream = Upstream::chatting(json!({})).await;
    let unknown = json!({"error": {"code": 401, "message": "No such key."}});
    let refusal = ResponseTemplate::new(401).set_body_json(unknown);
    upstream.responds(KEY, refusal).await;
    let app = TestApp::on(&upstream);
    let body = json!({"model": "openai/gpt-4o", "user_prompt": "Hi", "background_run": true});
    let background = app.call("Ask").body(&body);
    background.fails(401, "invalid_key").await;
    let named = app.call("Ask").with_samples();
    let named = named.header("idempotency-key", "order-1");
    named.fails(401, "invalid_key").await;
    assert!(upstream.calls(CHAT).await.is_empty());
}

#[tokio::test]
async fn a_known_key_is_asked_for_once() {
    let upstream = Upstream::start().await;
    upstream.answers(KEY, json!({"data": {}})).await;
    let app = TestApp::on(&upstream);
    for _ in 0..3 {
        let body = json!({"model": "openai/gpt-4o", "user_prompt": "Hi", "background_run": true});
        assert_eq!(app.call("Ask").body(&body).send().await.status, 202);
    }
    assert_eq!(upstream.calls(KEY).await.len(), 1);
}

/// An OpenRouter in trouble says nothing against the key.
#[tokio::test]
async fn trouble_with_the_question_is_not_held_against_the_key() {
    let upstream = Upstream::start().await;
    upstream.responds(KEY, ResponseTemplate::new(500)).await;
    let app = TestApp::on(&upstream);
    let body = json!({"model": "openai/gpt-4o", "user_prompt": "Hi", "background_run": true});
    assert_eq!(app.call("Ask").body(&body).send().await.status, 202);
}
