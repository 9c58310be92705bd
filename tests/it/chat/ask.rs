//! Ask: prompts and files in, text or a typed object out, mended once if it does not fit.

use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use crate::support::{
    Answer, PNG, TestApp, Upstream, sandbox,
    upstream::{CHAT, chat},
};

/// A maker's schema of one number.
const SCHEMA: &str = r#"{"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"], "additionalProperties": false}"#;

/// Asks with `body` while the model says `texts`, one after the other; gives back the answer and
/// what was sent each time.
async fn asked(body: Value, texts: &[&str]) -> (Answer, Vec<Value>) {
    let upstream = Upstream::start().await;
    let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
    let count = AtomicUsize::new(0);
    upstream
        .responds(CHAT, move |_: &Request| {
            let text = &texts[count.fetch_add(1, Ordering::Relaxed).min(texts.len() - 1)];
            ResponseTemplate::new(200).set_body_json(chat(text))
        })
        .await;
    let answer = TestApp::on(&upstream).call("Ask").body(&body).send().await;
    let calls = upstream.calls(CHAT).await;
    (
        answer,
        calls.iter().map(|call| call.body_json().unwrap()).collect(),
    )
}

fn for_json(more: Value) -> Value {
    let mut body =
        json!({"model": "openai/gpt-4o", "user_prompt": "Sum?", "response_format": "JSON"});
    let Value::Object(more) = more else {
        panic!("more is an object")
    };
    body.as_object_mut().unwrap().extend(more);
    body
}

#[tokio::test]
async fn a_prompt_alone_is_one_message() {
    let (answer, sent) = asked(
        json!({"model": "openai/gpt-4o", "user_prompt": "Hi"}),
        &["Hello."],
    )
    .await;
    assert_eq!(
        sent,
        [json!({"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hi"}]})]
    );
    let first = answer.json.as_object().unwrap().keys().next().unwrap();
    assert_eq!(
        (first.as_str(), &answer.json["text"]),
        ("text", &json!("Hello."))
    );
    assert!(answer.json.get("output").is_none());
    assert_eq!(
        (&answer.json["total_tokens"], &answer.json["cost"]),
        (&json!(46), &json!(7.1e-05))
    );
}

#[tokio::test]
async fn a_simple_prompt_has_its_instructions_files_and_options() {
    let body = json!({
        "model": "openai/gpt-4o", "format": "SIMPLE", "user_prompt": "Look.",
        "system_prompt": "Brief.", "attachments": [{"content": PNG}], "temperature": 0.5,
        "response_format": "TEXT", "supported_parameters": ["tools"],
        "messages": [{"role": "user", "content": "not sent"}],
    });
    let (answer, sent) = asked(body, &["Hello."]).await;
    let image =
        json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}});
    assert_eq!(
        sent,
        [json!({
            "model": "openai/gpt-4o",
            "messages": [
                {"role": "system", "content": "Brief."},
                {"role": "user", "content": [{"type": "text", "text": "Look."}, image]},
            ],
            "temperature": 0.5,
        })]
    );
    assert_eq!(
        answer.warnings(),
        ["messages is ignored, because the format is SIMPLE."]
    );
}

#[tokio::test]
async fn a_conversation_keeps_its_order_and_each_turn_its_files() {
    let body = json!({
        "model": "openai/gpt-4o", "format": "ADVANCED", "system_prompt": "Brief.",
        "user_prompt": "And now?",
        "messages": [
            {"role": "user", "content": "One", "attachments": [{"content": PNG}]},
            {"role": "assistant", "content": "Two"},
        ],
    });
    let (_, sent) = asked(body, &["Hello."]).await;
    let turns = sent[0]["messages"].as_array().unwrap();
    let roles: Vec<_> = turns
        .iter()
        .map(|turn| turn["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert_eq!(turns[1]["content"].as_array().unwrap().len(), 2);
    assert_eq!(turns[3]["content"], "And now?");
}

#[tokio::test]
async fn an_object_that_fits_is_the_output() {
    let (answer, sent) = asked(
        for_json(json!({"response_schema": SCHEMA})),
        &["{\"total\": 5}"],
    )
    .await;
    assert_eq!(answer.json["output"], json!({"total": 5}));
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["response_format"]["json_schema"]["strict"], true);
    assert_eq!(
        sent[0]["response_format"]["json_schema"]["schema"],
        serde_json::from_str::<Value>(SCHEMA).unwrap()
    );
}

#[rstest]
#[case::fenced("Here you are:\n```json\n{\"total\": 5}\n```\nAnything else?")]
#[case::talk("The answer is {\"total\": 5}.")]
#[tokio::test]
async fn an_object_is_found_within_talk(#[case] text: &str) {
    let (answer, sent) = asked(for_json(json!({"response_schema": SCHEMA})), &[text]).await;
    assert_eq!(
        (&answer.json["output"], sent.len()),
        (&json!({"total": 5}), 1)
    );
    assert_eq!(answer.json["text"], text);
}

#[tokio::test]
async fn any_object_will_do_without_a_schema() {
    let (answer, sent) = asked(for_json(json!({})), &["{\"a\": [1, {\"b\": null}]}"]).await;
    assert_eq!(sent[0]["response_format"], json!({"type": "json_object"}));
    assert_eq!(answer.json["output"]["a"][0], 1);
}

#[rstest]
#[case::wrong_type("{\"total\": \"five\"}")]
#[case::missing("{}")]
#[case::extra("{\"total\": 5, \"more\": 1}")]
#[case::words("I cannot count.")]
#[case::list("[5]")]
#[tokio::test]
async fn what_does_not_fit_is_mended_once_and_both_calls_are_counted(#[case] first: &str) {
    let body = for_json(json!({"response_schema": SCHEMA}));
    let (answer, sent) = asked(body, &[first, "{\"total\": 5}"]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        (&answer.json["output"], sent.len()),
        (&json!({"total": 5}), 2)
    );
    assert_eq!(
        (&answer.json["total_tokens"], &answer.json["prompt_tokens"]),
        (&json!(92), &json!(24))
    );
    assert!((answer.json["cost"].as_f64().unwrap() - 2.0 * 7.1e-05).abs() < 1e-12);
    assert_eq!(answer.warnings().len(), 1);
    let turns = sent[1]["messages"].as_array().unwrap();
    assert_eq!(turns.len(), 3);
    assert_eq!(turns[1], json!({"role": "assistant", "content": first}));
}

#[tokio::test]
async fn what_never_fits_is_told_with_its_place() {
    let body = for_json(json!({"response_schema": SCHEMA}));
    let (answer, sent) = asked(body, &["{\"total\": \"five\"}"]).await;
    assert_eq!(
        (answer.status, answer.code(), sent.len()),
        (422, "schema_mismatch", 2),
        "{}",
        answer.text
    );
    assert!(answer.message().contains("total"), "{}", answer.message());
    assert!(!answer.text.contains("five"), "an answer is not quoted");
}

#[tokio::test]
async fn an_answer_that_was_cut_off_is_not_asked_for_again() {
    let upstream = Upstream::start().await;
    let mut cut = chat("{\"total\":");
    cut["choices"][0]["finish_reason"] = json!("length");
    upstream.answers(CHAT, cut).await;
    let body = for_json(json!({"response_schema": SCHEMA}));
    let answer = TestApp::on(&upstream)
        .call("Ask")
        .body(&body)
        .fails(422, "schema_mismatch")
        .await;
    assert!(answer.message().contains("max_tokens"));
    assert_eq!(upstream.calls(CHAT).await.len(), 1);
}

#[rstest]
#[case::no_prompt(json!({"model": "m"}), "user_prompt")]
#[case::empty_prompt(json!({"model": "m", "user_prompt": ""}), "user_prompt")]
#[case::no_messages(json!({"model": "m", "format": "ADVANCED", "user_prompt": "a"}), "messages")]
#[case::format(json!({"model": "m", "format": "simple", "user_prompt": "a"}), "format")]
#[case::response_format(json!({"model": "m", "user_prompt": "a", "response_format": "json_object"}), "response_format")]
#[case::schema_text(json!({"model": "m", "user_prompt": "a", "response_format": "JSON", "response_schema": "{"}), "response_schema")]
#[case::schema_of_no_object(json!({"model": "m", "user_prompt": "a", "response_format": "JSON", "response_schema": "{\"type\": \"string\"}"}), "response_schema")]
#[case::turn_file(json!({"model": "m", "format": "ADVANCED", "messages": [{"role": "user", "content": "a", "attachments": [{"content": "!!"}]}]}), "messages[0].attachments[0].content")]
#[case::option(json!({"model": "m", "user_prompt": "a", "top_p": 2}), "top_p")]
#[case::typo(json!({"model": "m", "user_promt": "a"}), "user_promt")]
#[tokio::test]
async fn input_at_fault_is_refused_by_its_path(#[case] body: Value, #[case] field: &str) {
    sandbox().call("Ask").body(&body).refused(field).await;
}

#[rstest]
#[case("openai/gpt-4o", 200)]
#[case("sandbox/fenced-json", 200)]
#[case("sandbox/invalid-schema", 200)]
#[case("sandbox/never-schema", 422)]
#[tokio::test]
async fn the_simulated_openrouter_fits_fails_and_mends(#[case] model: &str, #[case] status: u16) {
    let body = for_json(json!({"model": model, "response_schema": SCHEMA}));
    let answer = sandbox().call("Ask").body(&body).send().await;
    assert_eq!(answer.status, status, "{}", answer.text);
    if status == 200 {
        assert!(
            answer.json["output"]["total"].is_number(),
            "{}",
            answer.text
        );
    }
}
