//! Get credits: the totals and what is left, for management keys only.

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{KEY, TestApp, Upstream, sandbox, upstream::header};

const CREDITS: &str = "/credits";

#[tokio::test]
async fn the_totals_come_with_what_is_left() {
    let upstream = Upstream::start().await;
    let body = json!({"data": {"total_credits": 100.5, "total_usage": 25, "of_tomorrow": null}});
    upstream.answers(CREDITS, body).await;
    let answer = TestApp::on(&upstream).call("GetCredits").ok().await;
    assert_eq!(
        answer.json,
        json!({"remaining": 75.5, "data": {"total_credits": 100.5, "total_usage": 25}})
    );
    assert_eq!(
        header(&upstream.call(CREDITS).await, "authorization"),
        format!("Bearer {KEY}")
    );
}

#[rstest]
#[case::texts(json!({"data": {"total_credits": "1e2", "total_usage": "120"}}), json!({"remaining": -20, "data": {"total_credits": 100, "total_usage": 120}}))]
#[case::nulls(json!({"data": {"total_credits": 5, "total_usage": null}}), json!({"data": {"total_credits": 5}}))]
#[case::no_data(json!({"data": null}), json!({"data": {}}))]
#[tokio::test]
async fn odd_totals_keep_their_type(#[case] body: Value, #[case] expected: Value) {
    let upstream = Upstream::start().await;
    upstream.answers(CREDITS, body).await;
    assert_eq!(
        TestApp::on(&upstream).call("GetCredits").ok().await.json,
        expected
    );
}

#[tokio::test]
async fn a_plain_key_is_told_which_action_to_use() {
    let upstream = Upstream::start().await;
    let refusal = json!({"error": {"code": 403, "message": "Only management keys can perform this operation"}});
    upstream
        .responds(CREDITS, ResponseTemplate::new(403).set_body_json(refusal))
        .await;
    let answer = TestApp::on(&upstream)
        .call("GetCredits")
        .fails(403, "management_key_required")
        .await;
    assert!(answer.message().contains("management key"));
    assert!(
        answer.json["error"]["help"]
            .as_str()
            .unwrap()
            .contains("Get key")
    );
}

#[tokio::test]
async fn the_simulated_openrouter_tells_keys_apart() {
    sandbox().call("GetCredits").ok().await;
    let call = sandbox()
        .call("GetCredits")
        .no_key()
        .header("authorization", "Bearer sk-or-plain");
    call.fails(403, "management_key_required").await;
}
