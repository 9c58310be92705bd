//! Ask: what is sent for which input, and what comes back as text.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    Answer, PNG, TestApp, Upstream, sandbox,
    upstream::{CHAT, chat},
};

/// Asks with `body` and gives back the answer and what upstream was sent.
async fn asked(body: Value) -> (Answer, Value) {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let answer = TestApp::on(&upstream).call("Ask").body(&body).ok().await;
    (answer, upstream.sent(CHAT).await)
}

fn image() -> Value {
    json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}})
}

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

#[tokio::test]
async fn a_prompt_is_sent_as_one_message_and_nothing_else() {
    let (answer, sent) = asked(json!({"model": "openai/gpt-4o", "user_prompt": "Hi"})).await;
    assert_eq!(
        sent,
        json!({"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hi"}]})
    );
    assert!(answer.warnings().is_empty());
}

#[tokio::test]
async fn the_system_prompt_comes_first_and_files_join_the_prompt() {
    let (_, sent) = asked(json!({
        "model": "openai/gpt-4o", "format": "SIMPLE", "user_prompt": "Look.",
        "system_prompt": "Be brief.", "attachments": [{"content": PNG}],
    }))
    .await;
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [text("Look."), image()]},
        ])
    );
}

#[tokio::test]
async fn a_conversation_keeps_its_order_and_its_files() {
    let (answer, sent) = asked(json!({
        "model": "openai/gpt-4o", "format": "ADVANCED", "system_prompt": "Be brief.",
        "messages": [
            {"role": "user", "content": "One", "attachments": [{"content": PNG}, {"content": PNG}]},
            {"role": "assistant", "content": "Two"},
            {"role": "system", "content": "Three"},
            {"role": "user", "content": "Four"},
        ],
    }))
    .await;
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [text("One"), image(), image()]},
            {"role": "assistant", "content": "Two"},
            {"role": "system", "content": "Three"},
            {"role": "user", "content": "Four"},
        ])
    );
    assert!(answer.warnings().is_empty());
}

#[tokio::test]
async fn a_prompt_beside_a_conversation_is_its_newest_message() {
    let (answer, sent) = asked(json!({
        "model": "openai/gpt-4o", "format": "ADVANCED", "user_prompt": "Two",
        "messages": [{"role": "user", "content": "One"}], "attachments": [{"content": PNG}],
    }))
    .await;
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "user", "content": "One"},
            {"role": "user", "content": [text("Two"), image()]},
        ])
    );
    assert!(answer.warnings().is_empty());
}

#[tokio::test]
async fn messages_that_the_simple_format_ignores_are_named() {
    let (answer, sent) = asked(json!({
        "model": "openai/gpt-4o", "user_prompt": "Hi",
        "messages": [{"role": "user", "content": "One"}],
    }))
    .await;
    assert_eq!(sent["messages"], json!([{"role": "user", "content": "Hi"}]));
    assert_eq!(
        answer.warnings(),
        ["messages is ignored, because the format is SIMPLE."]
    );
}

/// Nothing is trimmed, expanded or escaped on the way.
#[rstest]
#[case::braces("{\"a\": {{b}} } @{variables('x')} ${y} %7B")]
#[case::blanks("  two \t spaces\u{a0}\n\n ")]
#[case::control("\u{0}\u{7}\u{1b}[31m\u{7f}")]
#[case::unicode("Grüße \u{1f468}\u{200d}\u{1f469} \u{202e}abc \u{feff}")]
#[tokio::test]
async fn every_text_arrives_as_it_was_written(#[case] words: &str) {
    let (_, sent) = asked(json!({
        "model": "openai/gpt-4o", "format": "ADVANCED", "system_prompt": words,
        "user_prompt": words, "messages": [{"role": "assistant", "content": words}],
    }))
    .await;
    for message in sent["messages"].as_array().unwrap() {
        assert_eq!(message["content"], words);
    }
}

#[tokio::test]
async fn a_file_alone_is_enough() {
    let (_, sent) = asked(json!({
        "model": "openai/gpt-4o", "attachments": [{"content": PNG}],
    }))
    .await;
    assert_eq!(
        sent["messages"],
        json!([{"role": "user", "content": [image()]}])
    );
}

#[tokio::test]
async fn blank_optional_fields_are_not_sent() {
    for blank in [json!(null), json!("")] {
        let (answer, sent) = asked(json!({
            "model": "openai/gpt-4o", "format": blank, "user_prompt": "Hi",
            "system_prompt": blank, "attachments": blank, "messages": blank,
            "response_format": blank, "response_schema": blank, "supported_parameters": blank,
            "temperature": blank, "reasoning_effort": blank, "x-ms-anything": 1,
        }))
        .await;
        assert_eq!(
            sent,
            json!({"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hi"}]})
        );
        assert!(answer.warnings().is_empty(), "{:?}", answer.warnings());
    }
}

#[tokio::test]
async fn the_options_go_to_their_places_and_the_filter_stays_here() {
    let (answer, sent) = asked(json!({
        "model": "unknown/model", "user_prompt": "Hi", "supported_parameters": ["reasoning"],
        "temperature": 0.5, "top_k": 1, "reasoning_effort": "high", "max_prompt_price": 2,
        "response_format": "TEXT",
    }))
    .await;
    assert_eq!(
        sent,
        json!({
            "model": "unknown/model", "messages": [{"role": "user", "content": "Hi"}],
            "temperature": 0.5, "top_k": 1, "reasoning": {"effort": "high"},
            "provider": {"max_price": {"prompt": "2"}},
        })
    );
    assert!(answer.warnings().is_empty());
}

#[tokio::test]
async fn the_answer_is_flat_and_complete() {
    let (answer, _) = asked(json!({"model": "openai/gpt-4o", "user_prompt": "Hi"})).await;
    assert_eq!(
        answer.json,
        json!({
            "text": "Hello.", "id": "gen-1700000000-abc", "model": "openai/gpt-4o-2024-11-20",
            "provider": "Azure", "created": 1_700_000_000, "finish_reason": "stop",
            "native_finish_reason": "STOP", "truncated": false, "prompt_tokens": 12,
            "completion_tokens": 34, "reasoning_tokens": 20, "cached_tokens": 8,
            "total_tokens": 46, "cost": 7.1e-05, "warnings": [], "status": "completed",
        })
    );
    let keys: Vec<_> = answer.json.as_object().unwrap().keys().collect();
    assert_eq!(keys[0], "text");
}

#[tokio::test]
async fn what_a_model_adds_is_passed_on() {
    let mut body = chat("");
    body["choices"][0]["message"] = json!({
        "role": "assistant", "content": null, "reasoning": "Hm.",
        "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
        "images": [{"image_url": {"url": format!("data:image/png;base64,{PNG}")}}],
        "annotations": [{"url_citation": {"url": "https://a.example", "title": "A"}}],
    });
    let upstream = Upstream::chatting(body).await;
    let app = TestApp::on(&upstream);
    let question = json!({"model": "openai/gpt-4o", "user_prompt": "Hi"});
    let answer = app.call("Ask").body(&question).ok().await.json;
    assert_eq!(
        (&answer["text"], &answer["reasoning"]),
        (&json!(""), &json!("Hm."))
    );
    assert_eq!(answer["tool_calls"][0]["name"], "f");
    assert_eq!(answer["images"][0]["content"], PNG);
    assert_eq!(answer["citations"][0]["url"], "https://a.example");
}

#[rstest]
#[case::no_prompt(json!({}), "user_prompt")]
#[case::blank_prompt(json!({"user_prompt": "", "system_prompt": "Be brief."}), "user_prompt")]
#[case::simple_with_messages(json!({"messages": [{"role": "user", "content": "a"}]}), "user_prompt")]
#[case::no_messages(json!({"format": "ADVANCED", "user_prompt": "Hi"}), "messages")]
#[case::no_such_format(json!({"format": "SIMPEL", "user_prompt": "Hi"}), "format")]
#[case::no_such_response(json!({"user_prompt": "Hi", "response_format": "XML"}), "response_format")]
#[case::no_role(json!({"format": "ADVANCED", "messages": [{"content": "a"}]}), "messages[0].role")]
#[case::no_such_role(json!({"format": "ADVANCED", "messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "a"}]}), "messages[1].role")]
#[case::no_content(json!({"format": "ADVANCED", "messages": [{"role": "user"}]}), "messages[0].content")]
#[case::typo(json!({"format": "ADVANCED", "messages": [{"role": "user", "content": "a", "atachments": []}]}), "messages[0].atachments")]
#[case::file_of_a_message(json!({"format": "ADVANCED", "messages": [{"role": "user", "content": "a", "attachments": [{"content": PNG}, {"content": "!"}]}]}), "messages[0].attachments[1].content")]
#[case::file(json!({"user_prompt": "Hi", "attachments": [{}]}), "attachments[0].content")]
#[case::parameters(json!({"user_prompt": "Hi", "supported_parameters": "tools"}), "supported_parameters")]
#[case::option(json!({"user_prompt": "Hi", "top_p": 1.5}), "top_p")]
#[case::unknown(json!({"user_prompt": "Hi", "prompt": "Hi"}), "prompt")]
#[tokio::test]
async fn an_input_at_fault_is_refused_by_its_path(#[case] input: Value, #[case] field: &str) {
    let mut body = input;
    body["model"] = json!("openai/gpt-4o");
    sandbox().call("Ask").body(&body).refused(field).await;
}

#[tokio::test]
async fn the_most_that_a_call_may_cost_is_held() {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let body = json!({
        "model": "openai/gpt-4o", "user_prompt": "Hi", "max_tokens": 1000, "max_cost": 0.005,
    });
    let app = TestApp::on(&upstream);
    app.call("Ask").body(&body).fails(402, "cost_limit").await;
    assert!(upstream.calls(CHAT).await.is_empty());
}

#[tokio::test]
async fn a_cut_answer_says_so() {
    let mut body = chat("Hel");
    body["choices"][0]["finish_reason"] = json!("length");
    let upstream = Upstream::chatting(body).await;
    let question = json!({"model": "openai/gpt-4o", "user_prompt": "Hi"});
    let answer = TestApp::on(&upstream)
        .call("Ask")
        .body(&question)
        .ok()
        .await;
    assert_eq!(answer.json["truncated"], true);
}
