//! The generation options: flat for a maker, nested for OpenRouter, alike in every action.

use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::support::{
    Answer, TestApp, Upstream, sandbox,
    upstream::{CHAT, chat},
};

/// Asks `model` with `options` and gives back the answer and what upstream was sent beside the
/// model and the messages.
async fn asked(model: &str, options: Value) -> (Answer, Value) {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let app = TestApp::on(&upstream);
    let answer = app
        .call("ChatCompletion")
        .body(&question(model, options))
        .ok()
        .await;
    let mut sent = upstream.sent(CHAT).await;
    let whole = sent.as_object_mut().unwrap();
    whole.remove("model");
    whole.remove("messages");
    (answer, sent)
}

fn question(model: &str, options: Value) -> Value {
    let mut body = json!({"model": model, "role": "user", "content": "Hi"});
    let Value::Object(options) = options else {
        panic!("options are an object")
    };
    body.as_object_mut().unwrap().extend(options);
    body
}

#[tokio::test]
async fn every_option_goes_to_its_place() {
    let schema = json!({
        "type": "object", "additionalProperties": false,
        "properties": {"a": {"type": "string"}}, "required": ["a"],
    });
    let (answer, sent) = asked(
        "unknown/model",
        json!({
            "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.1, "top_a": 0.2,
            "frequency_penalty": -2, "presence_penalty": 2.0, "repetition_penalty": 1.1,
            "seed": -7, "stop": ["a", "\n"], "logit_bias": {"50256": -100, "1": 0.5},
            "logprobs": true, "top_logprobs": 20, "max_tokens": 100,
            "max_completion_tokens": 200, "user": "u-1", "service_tier": "flex",
            "session_id": "s-1", "metadata": {"case": "7", "x-key": ""},
            "reasoning_effort": "xhigh", "exclude_reasoning": false, "verbosity": "low",
            "response_format": "json_schema", "response_schema": schema.to_string(),
            "fallback_models": ["a/b", "c/d"],
            "provider_order": ["azure"], "provider_only": ["azure", "openai"],
            "provider_ignore": ["x"], "provider_sort": "throughput", "allow_fallbacks": false,
            "require_parameters": true, "data_collection": "deny", "zero_data_retention": true,
            "max_prompt_price": 1.5, "max_completion_price": 10,
            "web_search": true, "web_search_max_results": 3, "pdf_engine": "mistral-ocr",
            "tools": r#"[{"type": "function", "function": {"name": "f"}}]"#, "tool_choice": "f",
        }),
    )
    .await;
    assert_eq!(
        sent,
        json!({
            "models": ["a/b", "c/d"],
            "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.1, "top_a": 0.2,
            "frequency_penalty": -2.0, "presence_penalty": 2.0, "repetition_penalty": 1.1,
            "seed": -7, "stop": ["a", "\n"], "logit_bias": {"1": 0.5, "50256": -100.0},
            "logprobs": true, "top_logprobs": 20, "max_tokens": 100,
            "max_completion_tokens": 200,
            "reasoning": {"effort": "xhigh", "exclude": false}, "verbosity": "low",
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": true, "schema": schema},
            },
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "provider": {
                "order": ["azure"], "only": ["azure", "openai"], "ignore": ["x"],
                "sort": "throughput", "allow_fallbacks": false, "require_parameters": true,
                "data_collection": "deny", "zdr": true,
                "max_price": {"prompt": "1.5", "completion": "10"},
            },
            "plugins": [
                {"id": "web", "max_results": 3},
                {"id": "file-parser", "pdf": {"engine": "mistral-ocr"}},
            ],
            "service_tier": "flex", "session_id": "s-1", "user": "u-1",
            "metadata": {"case": "7", "x-key": ""},
        })
    );
    assert!(answer.warnings().is_empty(), "{:?}", answer.warnings());
}

#[rstest]
#[case::nothing(json!({}), json!({}))]
#[case::reasoning_tokens(json!({"reasoning_max_tokens": 99}), json!({"reasoning": {"max_tokens": 99}}))]
#[case::only_exclude(json!({"exclude_reasoning": "True"}), json!({"reasoning": {"exclude": true}}))]
#[case::text_booleans(json!({"allow_fallbacks": "FALSE", "logprobs": "true"}), json!({"provider": {"allow_fallbacks": false}, "logprobs": true}))]
#[case::whole_floats(json!({"max_tokens": 5.0, "seed": 7.0}), json!({"max_tokens": 5, "seed": 7}))]
#[case::json_object(json!({"response_format": "json_object"}), json!({"response_format": {"type": "json_object"}}))]
#[case::text(json!({"response_format": "text"}), json!({"response_format": {"type": "text"}}))]
#[case::no_search(json!({"web_search": false}), json!({"plugins": [{"id": "web", "enabled": false}]}))]
#[case::search(json!({"web_search": "true"}), json!({"plugins": [{"id": "web"}]}))]
#[case::tools_as_json(json!({"tools": [{"type": "x"}], "tool_choice": "required"}), json!({"tools": [{"type": "x"}], "tool_choice": "required"}))]
#[case::no_tools(json!({"tools": "[]"}), json!({}))]
#[case::tiny_price(json!({"max_prompt_price": 0.000_001}), json!({"provider": {"max_price": {"prompt": "0.000001"}}}))]
#[case::zero_price(json!({"max_completion_price": 0}), json!({"provider": {"max_price": {"completion": "0"}}}))]
#[tokio::test]
async fn an_option_alone_sets_nothing_else(#[case] options: Value, #[case] expected: Value) {
    let (_, sent) = asked("unknown/model", options).await;
    assert_eq!(sent, expected);
}

#[rstest]
#[case("temperature", json!(-0.001))]
#[case("temperature", json!(2.001))]
#[case("temperature", json!("0.5"))]
#[case("max_tokens", json!(0))]
#[case("max_tokens", json!(1.5))]
#[case("max_tokens", json!(4_294_967_296_i64))]
#[case("top_logprobs", json!(21))]
#[case("top_logprobs", json!(300))]
#[case("top_k", json!(-1))]
#[case("seed", json!("seven"))]
#[case("stop", json!("word"))]
#[case("stop", json!([]))]
#[case("stop", json!(["1", "2", "3", "4", "5"]))]
#[case("logit_bias", json!({"5": 100.5}))]
#[case("logit_bias", json!({"5": -101}))]
#[case("logit_bias", json!([5]))]
#[case("logprobs", json!(1))]
#[case("logprobs", json!("yes"))]
#[case("reasoning_effort", json!("extreme"))]
#[case("response_format", json!({"type": "text"}))]
#[case("response_schema", json!("{"))]
#[case("response_schema", json!("[]"))]
#[case("response_schema", json!(5))]
#[case("tools", json!("nonsense"))]
#[case("tools", json!("{}"))]
#[case("provider_only", json!("azure"))]
#[case("web_search_max_results", json!(101))]
#[case("max_cost", json!(-1))]
#[case("session_id", json!("s".repeat(257)))]
#[case("metadata", json!({"k".repeat(65): "v"}))]
#[case("metadata", json!({"k": "v".repeat(513)}))]
#[tokio::test]
async fn an_option_at_fault_is_refused_by_name(#[case] name: &str, #[case] value: Value) {
    let options = Map::from_iter([(name.to_owned(), value)]);
    let body = question("openai/gpt-4o", options.into());
    sandbox()
        .call("ChatCompletion")
        .body(&body)
        .refused(name)
        .await;
}

#[tokio::test]
async fn a_value_out_of_range_is_told_with_its_bound() {
    let body = question("openai/gpt-4o", json!({"temperature": 3.5}));
    let answer = sandbox()
        .call("ChatCompletion")
        .body(&body)
        .refused("temperature")
        .await;
    assert_eq!(
        answer.message(),
        "temperature must be between 0 and 2, and is 3.5."
    );
}

#[tokio::test]
async fn more_metadata_than_upstream_keeps_is_refused() {
    let pairs = |count: usize| {
        (0..count)
            .map(|n| (n.to_string(), json!("v")))
            .collect::<Map<_, _>>()
    };
    let body = |count| question("openai/gpt-4o", json!({"metadata": pairs(count)}));
    sandbox()
        .call("ChatCompletion")
        .body(&body(17))
        .refused("metadata")
        .await;
    sandbox().call("ChatCompletion").body(&body(16)).ok().await;
}

#[tokio::test]
async fn a_format_without_its_schema_is_refused() {
    let body = question("openai/gpt-4o", json!({"response_format": "json_schema"}));
    sandbox()
        .call("ChatCompletion")
        .body(&body)
        .refused("response_schema")
        .await;
}

#[rstest]
#[case::unsupported("openai/gpt-4o", json!({"top_k": 5, "temperature": 1}), &["top_k"])]
#[case::variant("openai/gpt-4o:nitro", json!({"min_p": 0.5}), &["min_p"])]
#[case::reasoning("openai/gpt-4o", json!({"reasoning_effort": "low"}), &["reasoning_effort"])]
#[case::both("unknown/model", json!({"reasoning_effort": "low", "reasoning_max_tokens": 5}), &["reasoning_max_tokens"])]
#[case::search("unknown/model", json!({"web_search_max_results": 5}), &["web_search_max_results"])]
#[case::unknown_model("unknown/model", json!({"top_k": 5}), &[])]
#[case::unknown_abilities("openrouter/auto", json!({"top_k": 5}), &[])]
#[tokio::test]
async fn what_has_no_effect_is_named(
    #[case] model: &str,
    #[case] options: Value,
    #[case] names: &[&str],
) {
    let (answer, _) = asked(model, options).await;
    let warnings = answer.warnings();
    assert_eq!(warnings.len(), names.len(), "{warnings:?}");
    for (warning, name) in warnings.iter().zip(names) {
        assert!(
            warning.starts_with(name) && warning.ends_with('.'),
            "{warning}"
        );
    }
}

#[tokio::test]
async fn a_call_that_could_cost_too_much_is_not_made() {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let app = TestApp::on(&upstream);
    // 1000 tokens of answer at $10 per million, and next to nothing for the prompt.
    let body = |limit: f64| {
        question(
            "openai/gpt-4o",
            json!({"max_tokens": 1000, "max_cost": limit}),
        )
    };
    let answer = app
        .call("ChatCompletion")
        .body(&body(0.0099))
        .fails(402, "cost_limit")
        .await;
    assert!(answer.message().contains("0.0099"), "{}", answer.message());
    assert_eq!(upstream.calls(CHAT).await.len(), 0);
    let answer = app.call("ChatCompletion").body(&body(0.0101)).ok().await;
    assert!(answer.warnings().is_empty());
    assert!(upstream.sent(CHAT).await.get("max_cost").is_none());
}

#[rstest]
#[case::unknown_model("unknown/model")]
#[case::dynamic_price("openrouter/auto")]
#[tokio::test]
async fn a_cost_that_cannot_be_told_beforehand_is_named(#[case] model: &str) {
    let (answer, sent) = asked(model, json!({"max_cost": 0.01})).await;
    assert_eq!(answer.warnings().len(), 1);
    assert!(answer.warnings()[0].starts_with("max_cost could not be checked"));
    assert_eq!(sent, json!({}));
}

#[tokio::test]
async fn a_schema_is_made_strict_and_what_changed_is_named() {
    let schema = r#"{"type": "object", "properties": {"a": {"type": "string"}}}"#;
    let (answer, sent) = asked("unknown/model", json!({"response_schema": schema})).await;
    let sent = &sent["response_format"];
    assert_eq!(sent["type"], "json_schema");
    assert_eq!(sent["json_schema"]["schema"]["required"], json!(["a"]));
    assert_eq!(sent["json_schema"]["schema"]["additionalProperties"], false);
    assert_eq!(answer.warnings().len(), 1);
}
