//! Chat completion: what is sent for which input, and what comes back for which answer.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    Answer, KEY, PNG, TestApp, Upstream, sandbox,
    upstream::{CHAT, chat, header},
};

/// Asks with `body` and gives back the answer and what upstream was sent.
async fn asked(body: Value) -> (Answer, Value) {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let answer = TestApp::on(&upstream)
        .call("ChatCompletion")
        .body(&body)
        .ok()
        .await;
    (answer, upstream.sent(CHAT).await)
}

/// The answer to a plain question when upstream says `body`.
async fn answered(body: Value) -> Answer {
    let upstream = Upstream::chatting(body).await;
    let question = json!({"model": "openai/gpt-4o", "role": "user", "content": "Hi"});
    TestApp::on(&upstream)
        .call("ChatCompletion")
        .body(&question)
        .send()
        .await
}

#[tokio::test]
async fn a_plain_question_is_sent_as_one_message_and_nothing_else() {
    let (answer, sent) =
        asked(json!({"model": "openai/gpt-4o", "role": "user", "content": "Hi"})).await;
    assert_eq!(
        sent,
        json!({"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hi"}]})
    );
    assert!(answer.warnings().is_empty());
}

#[tokio::test]
async fn every_turn_stands_in_its_place() {
    let (_, sent) = asked(json!({
        "model": "openai/gpt-4o", "role": "user", "content": "And now?", "system_prompt": "Be brief.",
        "messages": [
            {"role": "user", "content": "One"},
            {"role": "assistant", "content": ""},
            {"role": "system", "content": "Two"},
        ],
        "attachments": [{"name": "p.png", "content": PNG}],
    }))
    .await;
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "One"},
            {"role": "assistant", "content": ""},
            {"role": "system", "content": "Two"},
            {"role": "user", "content": [
                {"type": "text", "text": "And now?"},
                {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}},
            ]},
        ])
    );
}

#[tokio::test]
async fn the_key_and_the_attribution_are_sent() {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let app = TestApp::on_with(&upstream, |config| {
        config.upstream.referer = "https://flows.example.com".to_owned().try_into().unwrap();
        config.upstream.title = "My Flows".to_owned().try_into().unwrap();
    });
    app.call("ChatCompletion").with_samples().ok().await;
    let call = upstream.call(CHAT).await;
    assert_eq!(header(&call, "authorization"), format!("Bearer {KEY}"));
    assert_eq!(header(&call, "http-referer"), "https://flows.example.com");
    assert_eq!(header(&call, "x-openrouter-title"), "My Flows");
    assert_eq!(header(&call, "content-type"), "application/json");
}

#[tokio::test]
async fn attribution_that_is_set_to_nothing_is_not_sent() {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let app = TestApp::on_with(&upstream, |config| {
        config.upstream.referer = String::new().try_into().unwrap();
        config.upstream.title = String::new().try_into().unwrap();
    });
    app.call("ChatCompletion").with_samples().ok().await;
    let call = upstream.call(CHAT).await;
    assert!(!call.headers.contains_key("http-referer"));
    assert!(!call.headers.contains_key("x-openrouter-title"));
}

#[rstest]
#[case("authorization", "sk-or-1")]
#[case("authorization", "bearer  sk-or-1")]
#[case("authorization", "Bearer Bearer sk-or-1")]
#[case("authorization", "Basic dXNlcjpzay1vci0x")]
#[case("api_key", "sk-or-1")]
#[case("X-API-Key", "sk-or-1")]
#[tokio::test]
async fn a_key_in_any_form_goes_upstream_in_one(#[case] name: &str, #[case] value: &str) {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let app = TestApp::on(&upstream);
    app.call("ChatCompletion")
        .no_key()
        .header(name, value)
        .with_samples()
        .ok()
        .await;
    assert_eq!(
        header(&upstream.call(CHAT).await, "authorization"),
        "Bearer sk-or-1"
    );
}

#[tokio::test]
async fn the_published_connectors_body_is_taken() {
    let turns = json!([{"role": "system", "content": "Brief."}, {"role": "user", "content": "Hi"}]);
    let (answer, sent) = asked(json!({"model": "openai/gpt-4o", "messages": turns})).await;
    assert_eq!(sent, json!({"model": "openai/gpt-4o", "messages": turns}));
    assert!(answer.warnings().is_empty());
    assert_eq!(
        answer.json["choices"][0]["message"],
        json!({"role": "assistant", "content": "Hello."})
    );
}

#[tokio::test]
async fn a_role_without_a_message_of_its_own_is_named_as_ignored() {
    let turns = json!([{"role": "user", "content": "Hi"}]);
    let (answer, sent) =
        asked(json!({"model": "openai/gpt-4o", "role": "system", "messages": turns})).await;
    assert_eq!(sent["messages"], turns);
    assert_eq!(
        answer.warnings(),
        ["role is ignored, because content is not set."]
    );
}

#[tokio::test]
async fn files_need_no_text_beside_them() {
    let (_, sent) = asked(json!({
        "model": "openai/gpt-4o", "role": "user", "attachments": [{"content": PNG}],
    }))
    .await;
    assert_eq!(sent["messages"][0]["content"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn blank_optional_fields_are_not_sent() {
    for blank in [json!(null), json!("")] {
        let (answer, sent) = asked(json!({
            "model": "openai/gpt-4o", "role": blank, "content": "Hi", "system_prompt": blank,
            "messages": blank, "attachments": blank, "temperature": blank, "stop": blank,
            "response_format": blank, "tools": blank, "metadata": blank, "web_search": blank,
            "x-ms-anything": {"of": "a tool"}, "X-Other": null,
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
async fn the_answer_is_flat_and_complete() {
    let answer = answered(chat("Hello.")).await;
    assert_eq!(
        answer.json,
        json!({
            "content": "Hello.", "role": "assistant",
            "choices": [{
                "index": 0, "message": {"role": "assistant", "content": "Hello."},
                "finish_reason": "stop", "native_finish_reason": "STOP",
            }],
            "id": "gen-1700000000-abc", "model": "openai/gpt-4o-2024-11-20", "provider": "Azure",
            "created": 1_700_000_000, "finish_reason": "stop", "native_finish_reason": "STOP",
            "truncated": false, "prompt_tokens": 12, "completion_tokens": 34,
            "reasoning_tokens": 20, "cached_tokens": 8, "total_tokens": 46, "cost": 7.1e-05,
            "warnings": [], "status": "completed",
        })
    );
    assert_eq!(answer.header("x-generation-id"), "gen-1700000000-abc");
}

#[tokio::test]
async fn the_generation_id_of_the_header_comes_before_that_of_the_body() {
    let upstream = Upstream::start().await;
    let body = wiremock::ResponseTemplate::new(200)
        .insert_header("x-generation-id", "gen-of-the-header")
        .set_body_json(chat("Hello."));
    upstream.responds(CHAT, body).await;
    let answer = TestApp::on(&upstream)
        .call("ChatCompletion")
        .with_samples()
        .ok()
        .await;
    assert_eq!(answer.header("x-generation-id"), "gen-of-the-header");
}

#[tokio::test]
async fn everything_a_model_can_add_is_passed_on() {
    let mut body = chat("Done.");
    body["choices"][0]["finish_reason"] = json!("tool_calls");
    body["choices"][0]["message"] = json!({
        "role": "assistant", "content": "Done.", "reasoning": "Hm.", "refusal": "No.",
        "tool_calls": [
            {"index": 0, "id": "call_1", "type": "function",
             "function": {"name": "look_up", "arguments": "{\"q\": 1}"}},
            {"id": null, "function": {"name": null, "arguments": {"q": 2}}},
        ],
        "annotations": [
            {"type": "url_citation", "url_citation": {
                "url": "https://a.example", "title": "A", "content": "Text", "start_index": 0}},
            {"type": "file", "file": {"hash": "x"}},
        ],
        "images": [
            {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}},
            {"type": "image_url", "image_url": {"url": "https://pictures.example/a/cat.webp?x=1"}},
        ],
    });
    let answer = answered(body).await.json;
    assert_eq!(
        answer["tool_calls"],
        json!([
            {"id": "call_1", "name": "look_up", "arguments": "{\"q\": 1}"},
            {"arguments": "{\"q\":2}"},
        ])
    );
    assert_eq!(
        answer["citations"],
        json!([{"url": "https://a.example", "title": "A", "content": "Text"}])
    );
    assert_eq!(
        (&answer["reasoning"], &answer["refusal"]),
        (&json!("Hm."), &json!("No."))
    );
    let images = answer["images"].as_array().unwrap();
    assert_eq!(images.len(), 2);
    assert_eq!(
        images[0],
        json!({"name": "image-1.png", "extension": "png", "mime_type": "image/png", "size": 70, "content": PNG})
    );
    assert_eq!(
        images[1],
        json!({"name": "cat.webp", "url": "https://pictures.example/a/cat.webp?x=1"})
    );
}

#[rstest]
#[case::parts(json!([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}, {"type": "odd"}]), "Hello.")]
#[case::texts(json!(["Hello", "."]), "Hello.")]
#[case::null(json!(null), "")]
#[case::number(json!(5), "")]
#[tokio::test]
async fn content_is_always_a_text(#[case] content: Value, #[case] text: &str) {
    let mut body = chat("");
    body["choices"][0]["message"]["content"] = content;
    assert_eq!(answered(body).await.json["content"], text);
}

#[tokio::test]
async fn an_answer_of_nulls_has_no_nulls() {
    let body = json!({
        "id": null, "object": null, "created": null, "model": null, "provider": null,
        "choices": [{
            "index": null, "finish_reason": null, "native_finish_reason": null, "logprobs": null,
            "message": {
                "role": null, "content": "Hello.", "refusal": null, "reasoning": null,
                "reasoning_details": null, "tool_calls": null, "images": null, "annotations": null,
            },
        }],
        "usage": null,
    });
    let answer = answered(body).await;
    assert_eq!(
        answer.json,
        json!({
            "content": "Hello.", "role": "assistant",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}}],
            "truncated": false, "warnings": [], "status": "completed",
        })
    );
}

#[tokio::test]
async fn values_keep_their_declared_type_whatever_upstream_sends() {
    let mut body = chat("Hello.");
    body["created"] = json!("1700000000");
    body["choices"][0]["index"] = json!("0");
    body["choices"][0]["finish_reason"] = json!("a_reason_of_tomorrow");
    body["usage"] = json!({
        "prompt_tokens": "12", "completion_tokens": 34.0, "total_tokens": null, "cost": "7.1e-05",
        "prompt_tokens_details": null, "completion_tokens_details": {"reasoning_tokens": null},
    });
    let answer = answered(body).await.json;
    assert_eq!(answer["created"], 1_700_000_000);
    assert_eq!(answer["finish_reason"], "a_reason_of_tomorrow");
    assert_eq!(
        (&answer["prompt_tokens"], &answer["completion_tokens"]),
        (&json!(12), &json!(34))
    );
    assert_eq!(
        answer["total_tokens"], 46,
        "the sum, where upstream gives none"
    );
    assert_eq!(answer["cost"], json!(7.1e-05));
}

#[tokio::test]
async fn an_answer_that_was_cut_off_says_so() {
    let mut body = chat("Hel");
    body["choices"][0]["finish_reason"] = json!("length");
    assert_eq!(answered(body).await.json["truncated"], true);
}

#[tokio::test]
async fn a_slow_answer_with_blank_lines_ahead_is_read() {
    let upstream = Upstream::start().await;
    let text = format!("\n\n   \n{}", chat("Hello."));
    let body = wiremock::ResponseTemplate::new(200).set_body_raw(text, "application/json");
    upstream.responds(CHAT, body).await;
    let answer = TestApp::on(&upstream)
        .call("ChatCompletion")
        .with_samples()
        .ok()
        .await;
    assert_eq!(answer.json["content"], "Hello.");
}

#[tokio::test]
async fn several_choices_are_all_there() {
    let mut body = chat("One");
    let mut second = body["choices"][0].clone();
    second["index"] = json!(1);
    second["message"]["content"] = json!("Two");
    body["choices"].as_array_mut().unwrap().push(second);
    let answer = answered(body).await.json;
    assert_eq!(answer["choices"][1]["message"]["content"], "Two");
    assert_eq!(
        (&answer["content"], &answer["choices"][1]["index"]),
        (&json!("One"), &json!(1))
    );
}

#[rstest]
#[case::no_choices(json!({"id": "gen-1"}))]
#[case::null_choices(json!({"choices": null}))]
#[case::empty_choices(json!({"choices": []}))]
#[case::choice_of_nothing(json!({"choices": [{"message": {"content": ""}, "finish_reason": null}]}))]
#[case::no_message(json!({"choices": [{}]}))]
#[case::no_object(json!([]))]
#[tokio::test]
async fn an_answer_of_nothing_is_an_error_that_may_be_repeated(#[case] body: Value) {
    let answer = answered(body).await;
    assert_eq!(
        (answer.status, answer.code()),
        (502, "upstream_error"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_model_that_stops_with_nothing_to_say_has_answered() {
    let mut body = chat("");
    body["usage"] = json!({});
    let answer = answered(body).await;
    assert_eq!((answer.status, &answer.json["content"]), (200, &json!("")));
}

#[rstest]
#[case::model(json!({"content": "Hi"}), "model")]
#[case::empty_model(json!({"model": "", "content": "Hi"}), "model")]
#[case::no_message(json!({"model": "m"}), "content")]
#[case::empty_message(json!({"model": "m", "content": "", "messages": []}), "content")]
#[case::model_number(json!({"model": 5, "content": "Hi"}), "model")]
#[case::content_list(json!({"model": "m", "content": ["Hi"]}), "content")]
#[case::role(json!({"model": "m", "content": "Hi", "role": "tool"}), "role")]
#[case::messages(json!({"model": "m", "messages": "Hi"}), "messages")]
#[case::turn(json!({"model": "m", "messages": ["Hi"]}), "messages[0]")]
#[case::turn_role(json!({"model": "m", "messages": [{"role": "user", "content": "a"}, {"role": "x", "content": "b"}]}), "messages[1].role")]
#[case::turn_content(json!({"model": "m", "messages": [{"role": "user"}]}), "messages[0].content")]
#[case::turn_extra(json!({"model": "m", "messages": [{"role": "user", "content": "a", "nam": "b"}]}), "messages[0].nam")]
#[case::attachment_extra(json!({"model": "m", "content": "a", "attachments": [{"content": "QQ==", "mime": "b"}]}), "attachments[0].mime")]
#[case::nested_options(json!({"model": "m", "content": "a", "provider": {"sort": "price"}}), "provider")]
#[case::streaming(json!({"model": "m", "content": "a", "stream": true}), "stream")]
#[tokio::test]
async fn input_at_fault_is_refused_by_its_path(#[case] body: Value, #[case] field: &str) {
    sandbox()
        .call("ChatCompletion")
        .body(&body)
        .refused(field)
        .await;
}

#[tokio::test]
async fn a_typo_is_told_with_the_right_name() {
    let body = json!({"model": "m", "content": "a", "temprature": 1});
    let answer = sandbox()
        .call("ChatCompletion")
        .body(&body)
        .refused("temprature")
        .await;
    assert_eq!(
        answer.message(),
        "There is no field temprature. Did you mean temperature?"
    );
}

#[rstest]
#[case::line_break("one\ntwo")]
#[case::backtick("one`two")]
#[case::long(&"a".repeat(500))]
#[tokio::test]
async fn a_name_that_cannot_be_meant_is_refused_on_one_short_line(#[case] name: &str) {
    let body = json!({"model": "m", "content": "a", name: 1});
    let answer = sandbox()
        .call("ChatCompletion")
        .body(&body)
        .fails(400, "invalid_request")
        .await;
    assert!(answer.message().len() < 200, "{}", answer.message());
    let body = json!({"model": "m", "content": "a", "role": name});
    let answer = sandbox()
        .call("ChatCompletion")
        .body(&body)
        .refused("role")
        .await;
    assert!(answer.message().len() < 200, "{}", answer.message());
}

#[rstest]
#[case::text("plain words")]
#[case::cut(r#"{"model": "m""#)]
#[case::list("[]")]
#[case::null("null")]
#[case::nothing("")]
#[case::not_utf8("\"\u{fffd}")]
#[tokio::test]
async fn a_body_that_is_no_object_is_refused(#[case] body: &str) {
    let call = sandbox()
        .call("ChatCompletion")
        .raw_body("application/json", body);
    call.fails(400, "invalid_request").await;
}

#[tokio::test]
async fn a_body_of_another_type_is_refused_and_one_of_no_type_is_read() {
    let body = json!({"model": "openai/gpt-4o", "role": "user", "content": "Hi"}).to_string();
    let call = |kind: &str| {
        sandbox()
            .call("ChatCompletion")
            .raw_body(kind, body.clone())
    };
    call("text/plain")
        .fails(415, "unsupported_media_type")
        .await;
    call("application/x-www-form-urlencoded")
        .fails(415, "unsupported_media_type")
        .await;
    call("").ok().await;
    call("application/vnd.flow+json; charset=utf-8").ok().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let app = TestApp::on_with(&upstream, |config| {
        config.server.max_body_mb = 1.try_into().unwrap();
    });
    let body = |size: usize| json!({"model": "m", "role": "user", "content": "a".repeat(size)});
    let answer = app
        .call("ChatCompletion")
        .body(&body(1024 * 1024))
        .fails(413, "payload_too_large")
        .await;
    assert_eq!(answer.message(), "The request is larger than 1 MB.");
    app.call("ChatCompletion")
        .body(&body(1024 * 1024 - 200))
        .ok()
        .await;
    assert_eq!(upstream.calls(CHAT).await.len(), 1);
}

#[tokio::test]
async fn the_call_goes_on_without_the_list_of_models() {
    let upstream = Upstream::without_models().await;
    upstream.answers(CHAT, chat("Hello.")).await;
    let body = json!({"model": "m", "role": "user", "content": "Hi", "top_k": 1});
    let answer = TestApp::on(&upstream)
        .call("ChatCompletion")
        .body(&body)
        .ok()
        .await;
    assert!(
        answer.warnings().is_empty(),
        "nothing is known of the model"
    );
}

#[tokio::test]
async fn the_simulated_openrouter_answers_too() {
    let answer = sandbox().call("ChatCompletion").with_samples().ok().await;
    assert!(!answer.json["content"].as_str().unwrap().is_empty());
    assert!(answer.json["cost"].as_f64().unwrap() > 0.0);
}
