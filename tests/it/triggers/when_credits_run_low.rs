//! When credits run low: fires once for each fall below the threshold.

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::next_look;
use crate::support::{Answer, KEY, TestApp, Upstream, sandbox, upstream::header};

const CREDITS: &str = "/credits";
const KEY_PATH: &str = "/key";
const OPERATION: &str = "WhenCreditsRunLow";

fn credits(total: f64, used: f64) -> Value {
    json!({"data": {"total_credits": total, "total_usage": used}})
}

/// An OpenRouter that tells credits to management keys only, and what it says of this key.
async fn for_a_plain_key(facts: Value) -> Upstream {
    let upstream = Upstream::start().await;
    let refusal = json!({"error": {"code": 403, "message": "Only management keys can perform this operation"}});
    let refusal = ResponseTemplate::new(403).set_body_json(refusal);
    upstream.responds(CREDITS, refusal).await;
    upstream.answers(KEY_PATH, json!({"data": facts})).await;
    upstream
}

async fn first_look(app: &TestApp) -> Answer {
    let answer = app.call(OPERATION).query("threshold", "10").ok().await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    answer
}

#[tokio::test]
async fn it_fires_once_until_the_credits_have_risen() {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    upstream.answers(CREDITS, credits(100.0, 50.0)).await;
    let mut answer = first_look(&app).await;
    for (used, status) in [
        (90.0, 202), // 10 is not below 10.
        (91.0, 200),
        (95.0, 202),
        (105.0, 202),
        (50.0, 202),
        (99.5, 200),
        (99.5, 202),
    ] {
        upstream.forget().await;
        upstream.answers(CREDITS, credits(100.0, used)).await;
        answer = next_look(&app, OPERATION, &answer).ok().await;
        assert_eq!(answer.status, status, "{used}: {}", answer.text);
        let call = upstream.call(CREDITS).await;
        assert_eq!(header(&call, "authorization"), format!("Bearer {KEY}"));
    }
}

#[tokio::test]
async fn the_event_says_what_is_left() {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    upstream.answers(CREDITS, credits(100.5, 96.25)).await;
    let call = app.call(OPERATION).query("threshold", "10");
    let answer = call.query("state", "armed").ok().await;
    let event = json!({
        "remaining": 4.25, "threshold": 10, "scope": "account",
        "total_credits": 100.5, "total_usage": 96.25,
    });
    assert_eq!(answer.json, json!([event]));
    assert_eq!(
        answer.header("location"),
        format!(
            "{}/api/v1/triggers/credits?threshold=10&state=low",
            app.base()
        )
    );
}

#[tokio::test]
async fn what_is_low_from_the_beginning_is_told_at_the_second_look() {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    upstream.answers(CREDITS, credits(5.0, 1.0)).await;
    let first = first_look(&app).await;
    let second = next_look(&app, OPERATION, &first).ok().await;
    assert_eq!(second.json[0]["remaining"], 4);
    assert_eq!(next_look(&app, OPERATION, &second).ok().await.status, 202);
}

#[tokio::test]
async fn a_plain_key_is_measured_by_its_own_limit() {
    let facts =
        json!({"limit": 50, "limit_remaining": 3.5, "limit_reset": "monthly", "usage": 120});
    let upstream = for_a_plain_key(facts).await;
    let app = TestApp::on(&upstream);
    let first = first_look(&app).await;
    let answer = next_look(&app, OPERATION, &first).ok().await;
    let event = json!({
        "remaining": 3.5, "threshold": 10, "scope": "key",
        "total_usage": 120, "limit": 50, "limit_reset": "monthly",
    });
    assert_eq!(answer.json, json!([event]));
}

#[tokio::test]
async fn a_plain_key_without_a_limit_is_told_what_to_do() {
    let upstream = for_a_plain_key(json!({"limit": null, "limit_remaining": null})).await;
    let app = TestApp::on(&upstream);
    let call = app.call(OPERATION).query("threshold", "10");
    let answer = call.fails(403, "management_key_required").await;
    assert!(answer.message().contains("give the key a limit"));
    assert!(answer.message().contains("management key"));
}

#[tokio::test]
async fn other_failures_are_told_and_change_nothing() {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    upstream.answers(CREDITS, credits(100.0, 1.0)).await;
    let first = first_look(&app).await;
    upstream.forget().await;
    upstream.responds(CREDITS, ResponseTemplate::new(500)).await;
    next_look(&app, OPERATION, &first)
        .fails(502, "upstream_error")
        .await;
    upstream.forget().await;
    upstream.answers(CREDITS, credits(100.0, 99.0)).await;
    assert_eq!(next_look(&app, OPERATION, &first).ok().await.status, 200);
}

#[rstest]
#[case(json!({"data": {"total_credits": 5, "total_usage": null}}))]
#[case(json!({"data": {}}))]
#[tokio::test]
async fn unknown_credits_are_a_failure_and_not_low(#[case] body: Value) {
    let upstream = Upstream::start().await;
    upstream.answers(CREDITS, body).await;
    let app = TestApp::on(&upstream);
    let call = app.call(OPERATION).query("threshold", "10");
    call.query("state", "armed")
        .fails(502, "upstream_error")
        .await;
}

#[rstest]
#[case("-0.1")]
#[case("NaN")]
#[case("ten")]
#[tokio::test]
async fn a_threshold_at_fault_is_refused(#[case] threshold: &str) {
    let call = sandbox().call(OPERATION).query("threshold", threshold);
    call.refused("threshold").await;
}

#[tokio::test]
async fn a_state_that_cannot_be_read_starts_anew() {
    let upstream = Upstream::start().await;
    upstream.answers(CREDITS, credits(5.0, 1.0)).await;
    let app = TestApp::on(&upstream);
    for state in ["", "rubbish", "LOW", "a&b=c"] {
        let call = app.call(OPERATION).query("threshold", "10");
        let answer = call.query("state", state).ok().await;
        assert_eq!(answer.status, 202, "{state}");
        assert_eq!(
            next_look(&app, OPERATION, &answer).ok().await.status,
            200,
            "{state}"
        );
    }
}

#[tokio::test]
async fn the_simulated_openrouter_shows_it() {
    let app = TestApp::start(true, |_| {});
    let left = app.call("GetCredits").ok().await.json["remaining"]
        .as_f64()
        .unwrap();
    let call = app
        .call(OPERATION)
        .query("threshold", (left - 0.000_001).to_string());
    let first = call.ok().await;
    let second = next_look(&app, OPERATION, &first).ok().await;
    assert_eq!(second.status, 202);
    let video = app
        .call("CreateVideo")
        .body(&json!({"model": "google/veo-3.1", "prompt": "Waves"}));
    let video = video.ok().await;
    app.result(&video).await;
    let third = next_look(&app, OPERATION, &second).ok().await;
    assert_eq!(
        (third.status, &third.json[0]["scope"]),
        (200, &json!("account"))
    );
}
