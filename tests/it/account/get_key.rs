//! Get key: what the connection's own key may use and has used.

use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{KEY, TestApp, Upstream, sandbox, upstream::header};

const KEY_PATH: &str = "/key";

#[tokio::test]
async fn the_facts_stand_flat_and_nulls_are_left_out() {
    let upstream = Upstream::start().await;
    let body = json!({"data": {
        "label": "sk-or-v1-abc...def", "limit": 50, "limit_remaining": "12.5", "limit_reset": null,
        "usage": 37.5, "usage_daily": 0.1, "usage_weekly": 7.1e-05, "usage_monthly": 30,
        "byok_usage": 0, "is_free_tier": "False", "is_management_key": false,
        "creator_user_id": null, "expires_at": null, "rate_limit": {"requests": -1},
    }});
    upstream.answers(KEY_PATH, body).await;
    let answer = TestApp::on(&upstream).call("GetKey").ok().await;
    assert_eq!(
        answer.json,
        json!({
            "limit_remaining": 12.5, "limit": 50, "usage": 37.5, "usage_daily": 0.1,
            "usage_weekly": 7.1e-05, "usage_monthly": 30, "byok_usage": 0,
            "is_free_tier": false, "is_management_key": false, "label": "sk-or-v1-abc...def",
        })
    );
    assert_eq!(
        header(&upstream.call(KEY_PATH).await, "authorization"),
        format!("Bearer {KEY}")
    );
}

#[tokio::test]
async fn a_key_without_a_limit_has_none() {
    let upstream = Upstream::start().await;
    let body = json!({"data": {"limit": null, "limit_remaining": null, "usage": 1}});
    upstream.answers(KEY_PATH, body).await;
    let answer = TestApp::on(&upstream).call("GetKey").ok().await;
    assert_eq!(answer.json, json!({"usage": 1}));
}

#[tokio::test]
async fn a_key_that_openrouter_does_not_know_is_told() {
    let upstream = Upstream::start().await;
    let refusal = json!({"error": {"code": 401, "message": "User not found."}});
    upstream
        .responds(KEY_PATH, ResponseTemplate::new(401).set_body_json(refusal))
        .await;
    let answer = TestApp::on(&upstream)
        .call("GetKey")
        .fails(401, "invalid_key")
        .await;
    assert_eq!(
        answer.message(),
        "OpenRouter does not accept the key: User not found."
    );
}

#[tokio::test]
async fn the_simulated_openrouter_knows_its_keys() {
    let answer = sandbox().call("GetKey").ok().await;
    assert_eq!(answer.json["limit"], 100);
    let other = sandbox()
        .call("GetKey")
        .no_key()
        .header("api_key", "sk-or-plain")
        .ok()
        .await;
    assert!(other.json.get("limit").is_none());
    let call = sandbox()
        .call("GetKey")
        .no_key()
        .header("api_key", "sk-or-invalid-1");
    call.fails(401, "invalid_key").await;
}
