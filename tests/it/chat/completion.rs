//! Completion: the legacy path upstream, and the way round when upstream has it no more.

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{
    TestApp, Upstream, sandbox,
    upstream::{CHAT, COMPLETIONS, chat, completion},
};

fn question() -> Value {
    json!({"model": "openai/gpt-4o", "prompt": "Once upon", "max_tokens": 7})
}

#[tokio::test]
async fn the_prompt_is_sent_as_it_is() {
    let upstream = Upstream::start().await;
    upstream.answers(COMPLETIONS, completion(" a time")).await;
    let answer = TestApp::on(&upstream)
        .call("Completion")
        .body(&question())
        .ok()
        .await;
    assert_eq!(upstream.sent(COMPLETIONS).await, question());
    assert_eq!(
        answer.json,
        json!({
            "text": " a time",
            "choices": [{"text": " a time", "index": 0, "finish_reason": "length"}],
            "id": "gen-1700000000-txt", "model": "openai/gpt-3.5-turbo-instruct",
            "provider": "OpenAI", "created": 1_700_000_000, "finish_reason": "length",
            "truncated": true, "prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12,
            "cost": 0.000_02, "warnings": [], "status": "completed",
        })
    );
}

#[rstest]
#[case::html(ResponseTemplate::new(404).set_body_raw("<html>", "text/html"))]
#[case::empty(ResponseTemplate::new(404))]
#[case::method(ResponseTemplate::new(405))]
#[case::not_found(ResponseTemplate::new(404).set_body_json(json!({"error": {"code": 404, "message": "Not Found"}})))]
#[tokio::test]
async fn without_the_path_upstream_the_prompt_becomes_a_chat(#[case] missing: ResponseTemplate) {
    let upstream = Upstream::chatting(chat(" a time")).await;
    upstream.responds(COMPLETIONS, missing).await;
    let answer = TestApp::on(&upstream)
        .call("Completion")
        .body(&question())
        .ok()
        .await;
    assert_eq!(
        upstream.sent(CHAT).await,
        json!({
            "model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Once upon"}],
            "max_tokens": 7,
        })
    );
    assert_eq!(answer.json["text"], " a time");
    assert_eq!(answer.warnings().len(), 1);
    assert!(answer.warnings()[0].contains("as a chat message"));
}

#[tokio::test]
async fn a_model_that_is_missing_is_not_asked_again_as_a_chat() {
    let upstream = Upstream::chatting(chat("no")).await;
    let missing = json!({"error": {"code": 404, "message": "No endpoints found for x/y."}});
    upstream
        .responds(
            COMPLETIONS,
            ResponseTemplate::new(404).set_body_json(missing),
        )
        .await;
    TestApp::on(&upstream)
        .call("Completion")
        .body(&question())
        .fails(404, "not_found")
        .await;
    assert!(upstream.calls(CHAT).await.is_empty());
}

#[rstest]
#[case::nulls(json!({"choices": [{"text": "a", "index": null, "finish_reason": null}], "usage": null}), "a")]
#[case::message(json!({"choices": [{"message": {"content": "a"}}]}), "a")]
#[case::stopped_at_once(json!({"choices": [{"text": "", "finish_reason": "stop"}]}), "")]
#[case::null_text(json!({"choices": [{"text": null, "finish_reason": "stop"}]}), "")]
#[tokio::test]
async fn the_text_is_never_missing(#[case] body: Value, #[case] text: &str) {
    let upstream = Upstream::start().await;
    upstream.answers(COMPLETIONS, body).await;
    let answer = TestApp::on(&upstream)
        .call("Completion")
        .with_samples()
        .ok()
        .await;
    assert_eq!(
        (&answer.json["text"], &answer.json["choices"][0]["text"]),
        (&json!(text), &json!(text))
    );
}

#[tokio::test]
async fn an_answer_of_nothing_is_an_error_that_may_be_repeated() {
    let upstream = Upstream::start().await;
    upstream.answers(COMPLETIONS, json!({"choices": []})).await;
    let call = TestApp::on(&upstream)
        .call("Completion")
        .with_samples()
        .send()
        .await;
    assert_eq!((call.status, call.code()), (502, "upstream_error"));
}

#[rstest]
#[case(json!({"prompt": "a"}), "model")]
#[case(json!({"model": "m"}), "prompt")]
#[case(json!({"model": "m", "prompt": ""}), "prompt")]
#[case(json!({"model": "m", "prompt": ["a"]}), "prompt")]
#[case(json!({"model": "m", "prompt": "a", "promt": "b"}), "promt")]
#[case(json!({"model": "m", "prompt": "a", "top_p": 1.1}), "top_p")]
#[case(json!({"model": "m", "prompt": "a", "messages": []}), "messages")]
#[tokio::test]
async fn input_at_fault_is_refused_by_its_path(#[case] body: Value, #[case] field: &str) {
    sandbox()
        .call("Completion")
        .body(&body)
        .refused(field)
        .await;
}

#[tokio::test]
async fn what_the_model_does_not_support_is_named_here_too() {
    let upstream = Upstream::start().await;
    upstream.answers(COMPLETIONS, completion("a")).await;
    let body = json!({"model": "openai/gpt-4o", "prompt": "a", "top_a": 0.5});
    let answer = TestApp::on(&upstream)
        .call("Completion")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        answer.warnings(),
        ["top_a has no effect: openai/gpt-4o does not support it."]
    );
}

#[tokio::test]
async fn a_call_that_could_cost_too_much_is_not_made() {
    let upstream = Upstream::start().await;
    let body =
        json!({"model": "openai/gpt-4o", "prompt": "a", "max_tokens": 1000, "max_cost": 0.001});
    TestApp::on(&upstream)
        .call("Completion")
        .body(&body)
        .fails(402, "cost_limit")
        .await;
    assert!(upstream.calls(COMPLETIONS).await.is_empty());
}

#[tokio::test]
async fn the_simulated_openrouter_answers_too() {
    let body = json!({"model": "openai/gpt-3.5-turbo-instruct", "prompt": "Once upon a time"});
    let answer = sandbox().call("Completion").body(&body).ok().await;
    assert!(!answer.json["text"].as_str().unwrap().is_empty());
}
