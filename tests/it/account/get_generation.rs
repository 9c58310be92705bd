//! Get generation: what is recorded of a call, which upstream knows only after some seconds.

use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;
use serde_json::json;
use wiremock::{Request, ResponseTemplate};

use crate::support::{KEY, TestApp, Upstream, sandbox, upstream::header};

const GENERATION: &str = "/generation";

#[tokio::test]
async fn everything_recorded_is_passed_on_with_its_type() {
    let upstream = Upstream::start().await;
    let record = json!({
        "id": "gen-1", "total_cost": 7.1e-05, "created_at": "2026-01-01T00:00:00.000Z",
        "model": "openai/gpt-4o", "origin": "https://a.example", "usage": "0.5", "is_byok": false,
        "upstream_id": "chatcmpl-1", "cache_discount": -0.1, "app_id": 12_345, "streamed": true,
        "cancelled": "false", "provider_name": "OpenAI", "latency": 1200,
        "moderation_latency": 50.5, "generation_time": 3000, "finish_reason": "stop",
        "native_finish_reason": "STOP", "tokens_prompt": 10, "tokens_completion": 20,
        "native_tokens_prompt": 11, "native_tokens_completion": 21, "native_tokens_reasoning": 5,
        "num_media_prompt": 1, "num_media_completion": 0, "num_search_results": 3,
        "native_tokens_cached": 4, "native_tokens_completion_images": 0,
        "num_input_audio_prompt": 0, "num_fetches": 0, "upstream_inference_cost": 0.001,
        "api_type": "completions", "service_tier": "default", "router": "openrouter/auto",
        "preset_id": "p", "web_search_engine": "exa", "data_region": "eu",
        "external_user": "u", "session_id": "s", "request_id": "req-1",
    });
    upstream.answers(GENERATION, json!({"data": record})).await;
    let answer = TestApp::on(&upstream)
        .call("GetGeneration")
        .query("id", "gen-1")
        .ok()
        .await;
    let got = &answer.json["data"];
    // Every field arrives; numbers are numbers and booleans are booleans by the definition.
    let names = |value: &serde_json::Value| {
        let mut names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(got), names(&record));
    assert_eq!(
        (&got["usage"], &got["cancelled"]),
        (&json!(0.5), &json!(false))
    );
    assert_eq!(
        (&got["latency"], &got["app_id"]),
        (&json!(1200), &json!(12_345))
    );
}

#[tokio::test]
async fn nulls_are_left_out() {
    let upstream = Upstream::start().await;
    let record = json!({"id": "gen-1", "upstream_id": null, "latency": null, "streamed": null});
    upstream.answers(GENERATION, json!({"data": record})).await;
    let answer = TestApp::on(&upstream)
        .call("GetGeneration")
        .query("id", "gen-1")
        .ok()
        .await;
    assert_eq!(answer.json, json!({"data": {"id": "gen-1"}}));
}

#[tokio::test]
async fn the_id_is_asked_for_as_it_is() {
    let upstream = Upstream::start().await;
    upstream.answers(GENERATION, json!({"data": {}})).await;
    let id = "gen-1&x=2 #/\u{e4}";
    TestApp::on(&upstream)
        .call("GetGeneration")
        .query("id", id)
        .ok()
        .await;
    let call = upstream.call(GENERATION).await;
    let pairs: Vec<_> = call.url.query_pairs().into_owned().collect();
    assert_eq!(pairs, [("id".to_owned(), id.to_owned())]);
    assert_eq!(header(&call, "authorization"), format!("Bearer {KEY}"));
}

#[tokio::test]
async fn a_generation_that_is_not_known_yet_is_asked_for_again() {
    let upstream = Upstream::start().await;
    let asked = AtomicUsize::new(0);
    let late = move |_: &Request| {
        if asked.fetch_add(1, Ordering::Relaxed) < 2 {
            let missing = json!({"error": {"code": 404, "message": "Generation gen-1 not found"}});
            return ResponseTemplate::new(404).set_body_json(missing);
        }
        ResponseTemplate::new(200).set_body_json(json!({"data": {"id": "gen-1"}}))
    };
    upstream.responds(GENERATION, late).await;
    let answer = TestApp::on(&upstream)
        .call("GetGeneration")
        .query("id", "gen-1")
        .ok()
        .await;
    assert_eq!(answer.json["data"]["id"], "gen-1");
    assert_eq!(upstream.calls(GENERATION).await.len(), 3);
}

#[tokio::test]
async fn other_failures_are_not_repeated() {
    let upstream = Upstream::start().await;
    let refusal = json!({"error": {"code": 401, "message": "No."}});
    upstream
        .responds(
            GENERATION,
            ResponseTemplate::new(401).set_body_json(refusal),
        )
        .await;
    let app = TestApp::on(&upstream);
    let call = app.call("GetGeneration").query("id", "gen-1");
    call.fails(401, "invalid_key").await;
    assert_eq!(upstream.calls(GENERATION).await.len(), 1);
}

#[rstest]
#[case::missing("", "id")]
#[case::empty("?id=", "id")]
#[case::twice("?id=a&id=b", "id")]
#[case::typo("?id=a&idd=b", "idd")]
#[tokio::test]
async fn input_at_fault_is_refused_by_name(#[case] query: &str, #[case] field: &str) {
    sandbox()
        .get(&format!("/api/v1/generation{query}"))
        .key()
        .refused(field)
        .await;
}

#[tokio::test]
async fn a_chat_is_found_by_the_id_in_its_answer() {
    let chat = sandbox().call("ChatCompletion").with_samples().ok().await;
    let id = chat.json["id"].as_str().unwrap();
    let answer = sandbox().call("GetGeneration").query("id", id).ok().await;
    assert_eq!(answer.json["data"]["id"], id);
    assert_eq!(answer.json["data"]["total_cost"], chat.json["cost"]);
}
