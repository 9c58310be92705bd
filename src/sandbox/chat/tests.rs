//! Talks to the chat endpoints as a client does.

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use actix_web::{App, dev::ServiceResponse};
use serde_json::{Value, json};

use super::super::{State, mount};

async fn post(path: &str, key: &str, body: &Value) -> ServiceResponse {
    let state = Data::new(State::default());
    let app = init_service(App::new().configure(|config| mount(config, state))).await;
    let request = TestRequest::post()
        .uri(&format!("/api/v1{path}"))
        .set_json(body);
    let request = request.insert_header(("Authorization", format!("Bearer {key}")));
    call_service(&app, request.to_request()).await
}

async fn chat(body: Value) -> (StatusCode, Value) {
    let response = post("/chat/completions", "sandbox", &body).await;
    let status = response.status();
    let body = read_body(response).await;
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn asking(model: &str, prompt: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": prompt }] })
}

fn with(mut body: Value, more: Value) -> Value {
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

#[actix_web::test]
async fn an_answer_mentions_the_question_and_what_came_along() {
    let (status, answer) = chat(json!({ "model": "google/gemini-2.5-flash", "messages": [
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": [
            { "type": "text", "text": "What is in here?" },
            { "type": "file", "file": { "filename": "a.csv", "file_data": "data:text/csv;base64,YSxiCjEsMg==" } },
            { "type": "input_audio", "input_audio": { "data": "UklGRgAAAABXQVZF", "format": "wav" } },
        ] },
    ] }))
    .await;
    assert_eq!(status, StatusCode::OK);
    let content = answer["choices"][0]["message"]["content"]
        .as_str()
        .expect("text");
    for part in [
        "What is in here?",
        "Be brief.",
        "a.csv",
        "“a,b”",
        "7 bytes",
        "audio/x-wav, 12 bytes",
    ] {
        assert!(content.contains(part), "{part} in {content}");
    }
    assert_eq!(answer["provider"], "Google");
    assert_eq!(answer["choices"][0]["native_finish_reason"], "STOP");
    assert!(
        answer["usage"]["cost"]
            .as_f64()
            .is_some_and(|cost| cost > 0.0)
    );
    assert_eq!(answer["system_fingerprint"], Value::Null);
}

#[actix_web::test]
async fn the_same_question_gets_the_same_answer() {
    let (_, one) = chat(asking("openai/gpt-4o", "hi")).await;
    let (_, two) = chat(asking("openai/gpt-4o", "hi")).await;
    assert_eq!(one["choices"], two["choices"]);
    assert_eq!(one["usage"], two["usage"]);
    assert_ne!(one["id"], two["id"]);
}

#[actix_web::test]
async fn what_is_wrong_is_refused_as_upstream_refuses_it() {
    let refused = async |body: Value| {
        let (status, answer) = chat(body).await;
        (
            status.as_u16(),
            answer["error"]["message"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let hi = || asking("openai/gpt-4o", "hi");
    for (body, expected, words) in [
        (json!({}), 400, "Input required"),
        (json!({ "messages": [] }), 400, "messages"),
        (asking("acme/fake-1.0", "hi"), 400, "not a valid model ID"),
        (asking("cohere/rerank-v3.5", "hi"), 400, "cannot be used"),
        (with(hi(), json!({ "temperature": 3 })), 400, "temperature"),
        (with(hi(), json!({ "max_tokens": 0 })), 400, "max_tokens"),
        (
            with(hi(), json!({ "provider": { "colour": "red" } })),
            400,
            "colour",
        ),
        (
            with(hi(), json!({ "provider": { "only": ["groq"] } })),
            404,
            "No allowed providers",
        ),
        (
            with(hi(), json!({ "modalities": ["image"] })),
            404,
            "output modalities",
        ),
        (
            with(hi(), json!({ "max_tokens": 200_000 })),
            400,
            "maximum context length",
        ),
        (
            with(
                hi(),
                json!({ "response_format": { "type": "json_schema" } }),
            ),
            400,
            "json_schema.name",
        ),
    ] {
        let (status, message) = refused(body.clone()).await;
        assert_eq!(
            (status, message.contains(words)),
            (expected, true),
            "{body}: {message}"
        );
    }
    let (_, unknown) = chat(asking("acme/fake-1.0", "hi")).await;
    assert_eq!(unknown["error"]["availability"]["code"], "model_not_found");
}

#[actix_web::test]
async fn keys_count() {
    let body = asking("openai/gpt-4o", "hi");
    let status = async |key: &str| {
        post("/chat/completions", key, &body)
            .await
            .status()
            .as_u16()
    };
    assert_eq!(status("").await, 401);
    assert_eq!(status("sk-or-invalid-1").await, 401);
    assert_eq!(status("sk-or-management-1").await, 403);
    assert_eq!(status("sk-or-v1-anything").await, 200);
}

#[actix_web::test]
async fn limits_and_stops_end_the_text() {
    let (_, cut) = chat(with(
        asking("openai/gpt-4o", "hi"),
        json!({ "max_tokens": 3 }),
    ))
    .await;
    assert_eq!(cut["choices"][0]["finish_reason"], "length");
    assert_eq!(cut["choices"][0]["message"]["content"], "Hello from G");
    assert_eq!(cut["usage"]["completion_tokens"], 3);
    let (_, stopped) = chat(with(
        asking("openai/gpt-4o", "hi"),
        json!({ "stop": [", simulated"] }),
    ))
    .await;
    assert_eq!(
        stopped["choices"][0]["message"]["content"],
        "Hello from GPT-4o"
    );
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
}

#[actix_web::test]
async fn reasoning_comes_when_asked_and_never_from_those_who_cannot() {
    let think = json!({ "reasoning": { "effort": "high" } });
    let (_, thought) = chat(with(asking("openai/gpt-5-mini", "hi"), think.clone())).await;
    let message = &thought["choices"][0]["message"];
    assert!(message["reasoning"].is_string());
    assert_eq!(
        message["reasoning_details"][0]["text"],
        message["reasoning"]
    );
    let (_, plain) = chat(with(asking("microsoft/phi-4", "hi"), think)).await;
    assert_eq!(plain["choices"][0]["message"]["reasoning"], Value::Null);
}

#[actix_web::test]
async fn schemas_are_kept_broken_and_fenced_as_promised() {
    let schema = json!({ "type": "object", "required": ["total"], "properties": { "total": { "type": "integer" } } });
    let format = json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "sum", "schema": schema } } });
    let content = async |body: Value| {
        let (_, answer) = chat(with(body, format.clone())).await;
        answer["choices"][0]["message"]["content"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let fits =
        |text: &str| serde_json::from_str::<Value>(text).is_ok_and(|value| value["total"].is_i64());
    assert!(fits(&content(asking("openai/gpt-4o", "Sum it up")).await));
    assert!(!fits(
        &content(asking("sandbox/never-schema", "Sum it up")).await
    ));
    assert!(!fits(
        &content(asking("sandbox/invalid-schema", "Sum it up")).await
    ));
    let again = json!({ "model": "sandbox/invalid-schema", "messages": [
        { "role": "user", "content": "Sum it up" },
        { "role": "assistant", "content": "{}" },
        { "role": "user", "content": "total is missing" },
    ] });
    assert!(fits(&content(again).await));
    let fenced = content(asking("sandbox/fenced-json", "Sum it up")).await;
    assert!(fenced.contains("```json\n{") && !fits(&fenced));
}

#[actix_web::test]
async fn tools_are_called_when_named_or_required() {
    let tools = json!({ "tools": [{ "type": "function", "function": {
        "name": "get_weather",
        "parameters": { "type": "object", "required": ["city"], "properties": { "city": { "type": "string" } } },
    } }] });
    let called = async |prompt: &str, more: Value| {
        let (_, answer) = chat(with(
            with(asking("openai/gpt-4o", prompt), tools.clone()),
            more,
        ))
        .await;
        answer["choices"][0].clone()
    };
    let choice = called("Please get weather for Berlin", json!({})).await;
    assert_eq!(choice["finish_reason"], "tool_calls");
    let arguments = choice["message"]["tool_calls"][0]["function"]["arguments"].as_str();
    assert_eq!(arguments, Some(r#"{"city":"Berlin"}"#));
    assert_eq!(called("Hello", json!({})).await["finish_reason"], "stop");
    let required = called("Hello", json!({ "tool_choice": "required" })).await;
    assert_eq!(required["finish_reason"], "tool_calls");
}

#[actix_web::test]
async fn the_web_and_pictures_leave_their_traces() {
    let (_, searched) = chat(with(
        asking("openai/gpt-4o", "News?"),
        json!({ "plugins": [{ "id": "web" }] }),
    ))
    .await;
    let message = &searched["choices"][0]["message"];
    let citation = &message["annotations"][0]["url_citation"];
    assert!(
        message["content"]
            .as_str()
            .is_some_and(|text| text.contains(citation["url"].as_str().expect("url")))
    );
    let draw = json!({ "modalities": ["image", "text"] });
    let (_, drawn) = chat(with(asking("google/gemini-2.5-flash-image", "A cat"), draw)).await;
    let url = drawn["choices"][0]["message"]["images"][0]["image_url"]["url"].as_str();
    assert!(url.is_some_and(|url| url.starts_with("data:image/png;base64,iVBOR")));
}

#[actix_web::test]
async fn fallbacks_pass_over_failing_models() {
    let body = with(
        asking("sandbox/rate-limited", "hi"),
        json!({ "models": ["openai/gpt-4o-mini"] }),
    );
    let (status, answer) = chat(body).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["model"], "openai/gpt-4o-mini");
    let (status, _) = chat(asking("sandbox/rate-limited", "hi")).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
}

#[actix_web::test]
async fn misbehaving_answers_misbehave() {
    let (_, broken) = chat(asking("sandbox/error-after-text", "hi")).await;
    assert_eq!(broken["choices"][0]["error"]["code"], 502);
    assert_eq!(broken["choices"][0]["finish_reason"], "error");
    let (_, empty) = chat(asking("sandbox/empty", "hi")).await;
    assert_eq!(empty["choices"], json!([]));
    let (_, blank) = chat(asking("sandbox/empty-choice", "hi")).await;
    assert_eq!(blank["choices"][0]["message"]["content"], Value::Null);
    let (status, cut) = chat(asking("sandbox/broken-json", "hi")).await;
    assert_eq!((status, cut), (StatusCode::OK, Value::Null));
}

#[actix_web::test]
async fn streams_end_with_the_cost_and_done() {
    let body = with(asking("openai/gpt-4o", "hi"), json!({ "stream": true }));
    let response = post("/chat/completions", "sandbox", &body).await;
    assert!(response.headers().contains_key("x-generation-id"));
    let text = String::from_utf8(read_body(response).await.to_vec()).expect("UTF-8");
    assert!(text.starts_with(": OPENROUTER PROCESSING\n\ndata: {"));
    assert!(text.ends_with("data: [DONE]\n\n"));
    let chunks: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: {"))
        .map(|rest| serde_json::from_str(&format!("{{{rest}")).expect("JSON"))
        .collect();
    let said: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert!(said.contains("“hi”"));
    assert!(
        chunks
            .last()
            .is_some_and(|last| last["usage"]["cost"].is_number())
    );
}

#[actix_web::test]
async fn the_old_endpoint_answers_with_text() {
    let body = json!({ "model": "openai/gpt-3.5-turbo-instruct", "prompt": "Once upon a time" });
    let response = post("/completions", "sandbox", &body).await;
    let answer: Value = serde_json::from_slice(&read_body(response).await).expect("JSON");
    assert!(
        answer["choices"][0]["text"]
            .as_str()
            .is_some_and(|text| text.contains("Once upon a time"))
    );
    assert_eq!(answer["choices"][0]["message"], Value::Null);
}

#[actix_web::test]
async fn spoken_answers_come_in_pieces_of_one_text() {
    let body = with(
        asking("openai/gpt-4o-audio-preview", "hi"),
        json!({
            "stream": true,
            "modalities": ["text", "audio"],
            "audio": { "voice": "alloy", "format": "pcm16" },
        }),
    );
    let text = read_body(post("/chat/completions", "sandbox", &body).await).await;
    let text = String::from_utf8(text.to_vec()).expect("UTF-8");
    let pieces = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|line| {
            let chunk: Value = serde_json::from_str(line).ok()?;
            Some(
                chunk["choices"][0]["delta"]["audio"]["data"]
                    .as_str()?
                    .to_owned(),
            )
        });
    let sound = pieces.collect::<String>();
    assert!(
        data_encoding::BASE64
            .decode(sound.as_bytes())
            .is_ok_and(|sound| sound.len() > 24_000)
    );
}
