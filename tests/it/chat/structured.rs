//! Structured output: the model's JSON found, checked, mended once, and typed.

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::{Request, Respond, ResponseTemplate};

use crate::support::{
    Answer, TestApp, Upstream, sandbox,
    upstream::{CHAT, chat},
};

fn orders() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["total", "lines"],
        "properties": {
            "total": {"type": "number"},
            "lines": {"type": "array", "items": {
                "type": "object", "additionalProperties": false, "required": ["sku"],
                "properties": {"sku": {"type": "string"}},
            }},
        },
    })
}

fn question(schema: &Value) -> Value {
    json!({
        "model": "unknown/model", "user_prompt": "Read it.", "response_format": "JSON",
        "response_schema": schema,
    })
}

/// Answers each call with the next of these, and the last one for ever.
struct InTurn(Vec<Value>, std::sync::atomic::AtomicUsize);

impl Respond for InTurn {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let turn = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let answer = self.0.get(turn).or(self.0.last()).unwrap();
        ResponseTemplate::new(200).set_body_json(answer)
    }
}

/// Asks for [`orders`] while upstream answers these in turn; gives back the calls too.
async fn asked(answers: &[Value]) -> (Answer, Vec<Value>) {
    asked_for(&orders(), answers).await
}

async fn asked_for(schema: &Value, answers: &[Value]) -> (Answer, Vec<Value>) {
    let upstream = Upstream::start().await;
    upstream
        .responds(CHAT, InTurn(answers.to_vec(), 0.into()))
        .await;
    let call = TestApp::on(&upstream)
        .call("Ask")
        .body(&question(schema))
        .send()
        .await;
    let calls = upstream.calls(CHAT).await;
    (
        call,
        calls.iter().map(|call| call.body_json().unwrap()).collect(),
    )
}

#[tokio::test]
async fn the_schema_is_sent_as_strict_and_the_answer_comes_typed() {
    let (answer, calls) = asked(&[chat(r#"{"total": 5, "lines": [{"sku": "a"}]}"#)]).await;
    assert_eq!(
        calls,
        [json!({
            "model": "unknown/model", "messages": [{"role": "user", "content": "Read it."}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": true, "schema": orders()},
            },
        })]
    );
    assert_eq!(
        answer.json["output"],
        json!({"total": 5, "lines": [{"sku": "a"}]})
    );
    assert_eq!(
        answer.json["text"],
        r#"{"total": 5, "lines": [{"sku": "a"}]}"#
    );
    assert!(answer.warnings().is_empty());
}

#[rstest]
#[case::fence("```json\n{\"total\": 1, \"lines\": []}\n```")]
#[case::plain_fence("```\n{\"total\": 1, \"lines\": []}```")]
#[case::talk("Sure, {here} [1] it is: {\"total\": 1, \"lines\": []}. Anything else?")]
#[case::blanks("\n\n  {\"total\": 1, \"lines\": []}\t\n")]
#[case::after_an_example("Like {\"a\": 1}: {\"total\": 1, \"lines\": []}")]
#[tokio::test]
async fn json_is_found_wherever_it_stands(#[case] text: &str) {
    let (answer, calls) = asked(&[chat(text)]).await;
    assert_eq!(
        answer.json["output"],
        json!({"total": 1, "lines": []}),
        "{}",
        answer.text
    );
    assert_eq!(answer.json["text"], text);
    assert_eq!(calls.len(), 1);
}

#[tokio::test]
async fn an_answer_in_parts_is_put_together_first() {
    let mut body = chat("");
    body["choices"][0]["message"]["content"] = json!([
        {"type": "text", "text": "{\"total\": 1, "}, {"type": "text", "text": "\"lines\": []}"},
    ]);
    let (answer, _) = asked(&[body]).await;
    assert_eq!(answer.json["output"], json!({"total": 1, "lines": []}));
}

#[rstest]
#[case::not_json("No idea.", "its top")]
#[case::nothing("", "its top")]
#[case::a_list("[{\"total\": 1, \"lines\": []}]", "its top")]
#[case::missing(r#"{"total": 1}"#, "its top")]
#[case::type_of_a_field(r#"{"total": "1", "lines": []}"#, "total")]
#[case::deep(
    r#"{"total": 1, "lines": [{"sku": "a"}, {"sku": 4711}]}"#,
    "lines[1].sku"
)]
#[case::too_much(r#"{"total": 1, "lines": [], "extra": 1}"#, "its top")]
#[tokio::test]
async fn a_first_answer_that_does_not_fit_is_mended_once(#[case] first: &str, #[case] place: &str) {
    let good = r#"{"total": 2, "lines": []}"#;
    let (answer, calls) = asked(&[chat(first), chat(good)]).await;
    assert_eq!(
        answer.json["output"],
        json!({"total": 2, "lines": []}),
        "{}",
        answer.text
    );
    assert_eq!(answer.json["text"], good);

    // Both calls are paid for.
    let sums = [
        "prompt_tokens",
        "completion_tokens",
        "reasoning_tokens",
        "cached_tokens",
        "total_tokens",
    ];
    let told: Vec<_> = sums.iter().map(|name| &answer.json[name]).collect();
    assert_eq!(told, [24, 68, 40, 16, 92]);
    assert!((answer.json["cost"].as_f64().unwrap() - 2.0 * 7.1e-05).abs() < 1e-12);
    let [warning] = answer.warnings()[..] else {
        panic!("{:?}", answer.warnings())
    };
    assert!(
        warning.contains(&format!("at {place};")) && warning.contains("cost"),
        "{warning}"
    );

    // The second call is the first one, what was answered, and what is wrong with it.
    let [one, two] = &calls[..] else {
        panic!("{} calls", calls.len())
    };
    let turns = two["messages"].as_array().unwrap();
    assert_eq!(turns.len(), 3);
    assert_eq!(turns[0], one["messages"][0]);
    assert_eq!(turns[1], json!({"role": "assistant", "content": first}));
    assert_eq!(turns[2]["role"], "user");
    assert!(
        turns[2]["content"].as_str().unwrap().contains(place),
        "{}",
        turns[2]
    );
    assert_eq!(one["response_format"], two["response_format"]);
}

#[rstest]
#[case::deep(
    r#"{"total": 1, "lines": [{"sku": "a"}, {"sku": 4711}]}"#,
    "lines[1].sku"
)]
#[case::whole("No idea.", "")]
#[tokio::test]
async fn an_answer_that_never_fits_is_told_with_its_place(#[case] text: &str, #[case] field: &str) {
    let (answer, calls) = asked(&[chat(text)]).await;
    assert_eq!(
        (answer.status, answer.code()),
        (422, "schema_mismatch"),
        "{}",
        answer.text
    );
    assert_eq!(answer.field(), field);
    assert_eq!(calls.len(), 2, "one answer and one attempt to mend it");
    // What the model said is the maker's data and not for error texts.
    assert!(!answer.message().contains("4711"), "{}", answer.message());
}

#[tokio::test]
async fn the_second_misfit_is_the_one_that_is_told() {
    let (answer, _) = asked(&[
        chat(r#"{"total": "1", "lines": []}"#),
        chat(r#"{"total": 1, "lines": [{"sku": null}]}"#),
    ])
    .await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.field(), "lines[0].sku");
}

#[tokio::test]
async fn a_second_call_that_fails_for_good_is_told_as_it_is() {
    let refused = json!({"error": {"code": 402, "message": "Insufficient credits"}});
    let (answer, calls) = asked(&[chat("No."), refused]).await;
    assert_eq!(
        (answer.status, answer.code()),
        (402, "insufficient_credits"),
        "{}",
        answer.text
    );
    assert_eq!(calls.len(), 2);
}

/// The first answer was paid for, so nothing may invite the platform to repeat the call.
#[rstest]
#[case::rate_limit(429)]
#[case::broken(502)]
#[case::overloaded(503)]
#[tokio::test]
async fn a_second_call_that_fails_leaves_the_first_misfit(#[case] status: u16) {
    let failed = json!({"error": {"code": status, "message": "No."}});
    let (answer, calls) = asked(&[chat(r#"{"total": 1, "lines": 5}"#), failed]).await;
    assert_eq!(
        (answer.status, answer.code(), answer.field()),
        (422, "schema_mismatch", "lines"),
        "{}",
        answer.text
    );
    assert_eq!(calls.len(), 2);
}

#[rstest]
#[case::cut("{\"total\": 1, \"lin")]
#[case::cut_fence("```json\n{\"total\": 1, \"lines\": [{")]
#[tokio::test]
async fn a_cut_answer_is_not_asked_for_again(#[case] text: &str) {
    let mut body = chat(text);
    body["choices"][0]["finish_reason"] = json!("length");
    let (answer, calls) = asked(&[body]).await;
    assert_eq!(
        (answer.status, answer.code()),
        (422, "schema_mismatch"),
        "{}",
        answer.text
    );
    assert!(
        answer.message().contains("max_tokens"),
        "{}",
        answer.message()
    );
    assert_eq!(calls.len(), 1);
}

#[tokio::test]
async fn an_answer_that_fits_is_taken_even_if_it_ended_at_the_limit() {
    let mut body = chat(r#"{"total": 1, "lines": []}"#);
    body["choices"][0]["finish_reason"] = json!("length");
    let (answer, calls) = asked(&[body]).await;
    assert_eq!(
        (answer.status, &answer.json["truncated"]),
        (200, &json!(true))
    );
    assert_eq!(calls.len(), 1);
}

#[tokio::test]
async fn a_refusal_is_told_as_one_and_not_asked_for_again() {
    let mut body = chat("");
    body["choices"][0]["message"]["content"] = json!(null);
    body["choices"][0]["message"]["refusal"] = json!("I cannot help\nwith that.");
    let (answer, calls) = asked(&[body]).await;
    assert_eq!(
        (answer.status, answer.code()),
        (403, "refused"),
        "{}",
        answer.text
    );
    assert!(
        answer.message().contains("I cannot help"),
        "{}",
        answer.message()
    );
    assert_eq!(calls.len(), 1);
}

/// The model wants a tool first; its JSON comes after the flow has run the tool.
#[tokio::test]
async fn a_call_of_a_tool_is_not_taken_for_a_bad_answer() {
    let mut body = chat("");
    body["choices"][0]["finish_reason"] = json!("tool_calls");
    body["choices"][0]["message"] = json!({
        "role": "assistant", "content": null,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    });
    let (answer, calls) = asked(&[body]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json["tool_calls"][0]["name"], "f");
    assert!(answer.json.get("output").is_none());
    assert_eq!(calls.len(), 1);
}

#[tokio::test]
async fn nulls_are_left_out_and_whole_numbers_stay_whole() {
    let schema = json!({"type": "object", "properties": {
        "count": {"type": "integer"}, "gone": {"type": ["string", "null"]},
        "list": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        "deep": {"type": "object", "properties": {"gone": {"type": "null"}, "share": {"type": "number"}}},
    }});
    let said = r#"{"count": 3.0, "gone": null, "list": [1.0, null, 2], "deep": {"gone": null, "share": 0.5}}"#;
    let (answer, calls) = asked_for(&schema, &[chat(said)]).await;
    assert_eq!(calls.len(), 1, "{}", answer.text);
    assert_eq!(
        answer.json["output"].to_string(),
        r#"{"count":3,"list":[1,2],"deep":{"share":0.5}}"#
    );
}

#[tokio::test]
async fn json_without_a_schema_is_any_object() {
    let upstream = Upstream::chatting(chat("Here: {\"a\": [1, null], \"b\": null}")).await;
    let body = json!({"model": "openai/gpt-4o", "user_prompt": "Hi", "response_format": "JSON"});
    let answer = TestApp::on(&upstream).call("Ask").body(&body).ok().await;
    assert_eq!(answer.json["output"], json!({"a": [1]}));
    let sent = upstream.sent(CHAT).await;
    assert_eq!(sent["response_format"], json!({"type": "json_object"}));

    let upstream = Upstream::chatting(chat("[1, 2]")).await;
    let app = TestApp::on(&upstream);
    app.call("Ask")
        .body(&body)
        .fails(422, "schema_mismatch")
        .await;
    assert_eq!(upstream.calls(CHAT).await.len(), 2);
}

#[tokio::test]
async fn a_schema_alone_asks_for_json() {
    let upstream = Upstream::chatting(chat(r#"{"total": 1, "lines": []}"#)).await;
    let body = json!({"model": "unknown/model", "user_prompt": "Hi", "response_schema": orders().to_string()});
    let answer = TestApp::on(&upstream).call("Ask").body(&body).ok().await;
    assert_eq!(answer.json["output"]["total"], 1);
}

#[tokio::test]
async fn a_schema_beside_the_format_text_is_named_as_ignored() {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let mut body = question(&orders());
    body["response_format"] = json!("TEXT");
    let answer = TestApp::on(&upstream).call("Ask").body(&body).ok().await;
    assert_eq!(answer.warnings().len(), 1);
    assert!(answer.warnings()[0].starts_with("response_schema is ignored"));
    assert!(upstream.sent(CHAT).await.get("response_format").is_none());
}

#[tokio::test]
async fn a_model_that_is_not_made_for_json_is_named() {
    let upstream = Upstream::chatting(chat(r#"{"total": 1, "lines": []}"#)).await;
    let mut body = question(&orders());
    body["model"] = json!("meta-llama/llama-3.3-70b-instruct:free");
    let answer = TestApp::on(&upstream).call("Ask").body(&body).ok().await;
    assert_eq!(answer.warnings().len(), 1, "{:?}", answer.warnings());
    assert!(
        answer.warnings()[0].contains("llama"),
        "{:?}",
        answer.warnings()
    );
}

/// A schema that doubles at each of `levels`.
fn exploding(levels: usize) -> Value {
    let mut defs = serde_json::Map::new();
    defs.insert("d0".to_owned(), json!({"type": "string"}));
    for level in 1..=levels {
        let below = json!({"$ref": format!("#/$defs/d{}", level - 1)});
        defs.insert(
            format!("d{level}"),
            json!({"type": "object", "properties": {"a": below, "b": below}}),
        );
    }
    json!({"type": "object", "properties": {"a": {"$ref": format!("#/$defs/d{levels}")}}, "$defs": defs})
}

fn deep(levels: usize) -> Value {
    (0..levels).fold(
        json!({"type": "string"}),
        |inner, _| json!({"type": "object", "properties": {"a": inner}}),
    )
}

fn with(property: &Value) -> Value {
    json!({"type": "object", "properties": {"fine": {"type": "string"}, "bad": property}})
}

#[rstest]
#[case::not_json(json!("{\n  \"type\": object}"), "line 2, column")]
#[case::an_array(json!("[]"), "JSON Schema")]
#[case::a_text(json!("\"text\""), "JSON Schema")]
#[case::a_number(json!(5), "JSON Schema")]
#[case::a_boolean(json!(true), "JSON Schema")]
#[case::nothing_in_it(json!({}), "JSON Schema")]
#[case::of_a_text(json!({"type": "string"}), "\"object\"")]
#[case::of_a_list(json!({"type": "array", "items": {"type": "object"}}), "\"object\"")]
#[case::of_a_text_by_reference(json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}), "\"object\"")]
#[case::loop_to_the_top(with(&json!({"$ref": "#"})), "/properties/bad")]
#[case::long_loop(json!({"type": "object", "properties": {"bad": {"$ref": "#/$defs/a"}}, "$defs": {
    "a": {"type": "object", "properties": {"b": {"$ref": "#/$defs/b"}}},
    "b": {"type": "array", "items": {"$ref": "#/$defs/a"}}}}), "/properties/bad")]
#[case::remote(with(&json!({"$ref": "https://example.com/schema.json"})), "/properties/bad")]
#[case::remote_file(with(&json!({"$ref": "other.json#/a"})), "/properties/bad")]
#[case::dangling(with(&json!({"$ref": "#/$defs/none"})), "/properties/bad")]
#[case::too_deep(deep(40), "/properties/a/properties/a")]
#[case::exploding(exploding(20), "/properties/a")]
#[case::bad_pattern(with(&json!({"type": "string", "pattern": "("})), "/properties/bad/pattern")]
#[case::no_such_type(with(&json!({"type": "strng"})), "/properties/bad/type")]
#[case::type_of_a_keyword(with(&json!({"type": "string", "maxLength": "5"})), "/properties/bad/maxLength")]
#[case::required_is_a_text(json!({"type": "object", "properties": {"a": {}}, "required": "a"}), "/required")]
#[case::properties_is_a_list(json!({"type": "object", "properties": []}), "/properties")]
#[tokio::test]
async fn a_schema_that_cannot_be_used_is_refused_with_the_place(
    #[case] schema: Value,
    #[case] place: &str,
) {
    for input in [schema.clone(), json!(schema.to_string())] {
        // A text is the schema itself; only the other forms can be written out as one.
        let input = if schema.is_string() {
            schema.clone()
        } else {
            input
        };
        let answer = sandbox()
            .call("Ask")
            .body(&question(&input))
            .refused("response_schema")
            .await;
        assert!(answer.message().contains(place), "{}", answer.message());
        let body = json!({"model": "openai/gpt-4o", "role": "user", "content": "Hi", "response_schema": input});
        sandbox()
            .call("ChatCompletion")
            .body(&body)
            .refused("response_schema")
            .await;
    }
}

/// A property may be called like a keyword; what it refers to is found all the same.
#[tokio::test]
async fn properties_may_have_the_names_of_keywords() {
    let names = [
        "default",
        "enum",
        "const",
        "examples",
        "definitions",
        "$defs",
        "properties",
        "items",
    ];
    let properties: serde_json::Map<_, _> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({"$ref": "#/$defs/t"})))
        .collect();
    let schema =
        json!({"type": "object", "properties": properties, "$defs": {"t": {"type": "integer"}}});
    let good: serde_json::Map<_, _> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!(1)))
        .collect();
    let (answer, calls) = asked_for(&schema, &[chat(&Value::from(good.clone()).to_string())]).await;
    assert_eq!(answer.json["output"], Value::from(good), "{}", answer.text);
    let sent = &calls[0]["response_format"]["json_schema"]["schema"]["properties"];
    assert!(
        names
            .iter()
            .all(|name| sent[name] == json!({"type": "integer"})),
        "{sent}"
    );
}

#[tokio::test]
async fn parts_that_a_schema_is_composed_of_are_one_object() {
    let schema = json!({"type": "object", "properties": {"circle": {"allOf": [
        {"$ref": "#/$defs/shape"},
        {"properties": {"radius": {"type": "number"}}, "required": ["radius"]},
    ]}}, "$defs": {"shape": {"type": "object", "properties": {"name": {"type": "string"}}}}});
    let said = r#"{"circle": {"name": "a", "radius": 1}}"#;
    let (answer, _) = asked_for(&schema, &[chat(said)]).await;
    assert_eq!(
        answer.json["output"],
        json!({"circle": {"name": "a", "radius": 1}}),
        "{}",
        answer.text
    );
}

#[rstest]
#[case::fenced("sandbox/fenced-json", 0)]
#[case::invalid_first("sandbox/invalid-schema", 1)]
#[tokio::test]
async fn the_simulated_models_that_stumble_are_helped(
    #[case] model: &str,
    #[case] warnings: usize,
) {
    let mut body = question(&orders());
    body["model"] = json!(model);
    let answer = sandbox().call("Ask").body(&body).ok().await;
    assert!(answer.json["output"]["lines"].is_array());
    assert_eq!(answer.warnings().len(), warnings, "{:?}", answer.warnings());
}

#[tokio::test]
async fn the_simulated_model_that_never_fits_is_given_up() {
    let mut body = question(&orders());
    body["model"] = json!("sandbox/never-schema");
    sandbox()
        .call("Ask")
        .body(&body)
        .fails(422, "schema_mismatch")
        .await;
}
