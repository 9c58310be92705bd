//! Looks at the sandbox from outside: the catalogue, the account, and what is remembered of calls.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use actix_web::App;
use actix_web::dev::ServiceResponse;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Call, Sandbox, State, mount};

async fn get(path: &str, key: &str) -> (u16, Value) {
    let request = TestRequest::get().uri(&format!("/api/v1{path}"));
    let request = if key.is_empty() {
        request
    } else {
        request.insert_header(("Authorization", format!("Bearer {key}")))
    };
    answered(call(request).await).await
}

async fn post(path: &str, body: &Value) -> (u16, Value) {
    let request = TestRequest::post()
        .uri(&format!("/api/v1{path}"))
        .set_json(body);
    answered(call(request.insert_header(("Authorization", "Bearer sandbox"))).await).await
}

async fn call(request: TestRequest) -> ServiceResponse {
    let state = Data::new(State::default());
    let app = init_service(App::new().configure(|config| mount(config, state))).await;
    call_service(&app, request.to_request()).await
}

async fn answered(response: ServiceResponse) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = read_body(response).await;
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn ids(list: &Value) -> Vec<&str> {
    let models = list["data"].as_array().map_or(&[][..], Vec::as_slice);
    models
        .iter()
        .filter_map(|model| model["id"].as_str())
        .collect()
}

fn with(mut body: Value, more: Value) -> Value {
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

#[actix_web::test]
async fn the_list_shows_text_models_unless_asked() {
    let (status, list) = get("/models", "").await;
    assert_eq!(status, 200);
    let text = ids(&list);
    assert_eq!(text[0], "openrouter/auto");
    assert!(text.contains(&"sandbox/slow-5s") && !text.contains(&"google/veo-3.1"));
    assert_eq!(list["data"][0]["pricing"]["prompt"], "-1");
    let (_, all) = get("/models?output_modalities=all", "").await;
    assert!(ids(&all).len() > text.len());
    let (_, count) = get("/models/count?output_modalities=all", "").await;
    assert_eq!(count["data"]["count"], ids(&all).len());
    let (_, speech) = get("/models?output_modalities=speech,transcription", "").await;
    assert_eq!(ids(&speech).len(), 6);
    assert!(speech["data"][0]["supported_voices"].is_array());
}

#[actix_web::test]
async fn lists_are_filtered_sorted_and_paged() {
    let (_, page) = get("/models?offset=3&limit=2", "").await;
    assert_eq!(ids(&page).len(), 2);
    assert_eq!(page["links"]["next"], "/api/v1/models?offset=5&limit=2");
    let wish = "q=SONNET&input_modalities=file&supported_parameters=tools,reasoning";
    let (_, found) = get(&format!("/models?{wish}"), "").await;
    assert!(ids(&found).contains(&"anthropic/claude-sonnet-4.5"));
    let (_, cheap) = get(
        "/models?sort=pricing-low-to-high&min_price=0.1&max_price=1",
        "",
    )
    .await;
    let prices: Vec<f64> = cheap["data"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|model| model["pricing"]["prompt"].as_str()?.parse().ok())
        .collect();
    assert!(prices.len() > 5 && prices.is_sorted());
    for bad in [
        "sort=best",
        "limit=0",
        "category=cooking",
        "output_modalities=smell",
        "context=x",
    ] {
        assert_eq!(get(&format!("/models?{bad}"), "").await.0, 400, "{bad}");
    }
}

#[actix_web::test]
async fn single_models_are_found_by_all_their_names() {
    let id = async |path: &str| get(&format!("/model/{path}"), "").await.1["data"]["id"].clone();
    assert_eq!(id("~openai/gpt-latest").await, "openai/gpt-5.2");
    assert_eq!(
        id("openai/gpt-oss-20b:free").await,
        "openai/gpt-oss-20b:free"
    );
    assert_eq!(id("openrouter/auto").await, "openrouter/auto");
    assert_eq!(get("/model/acme/fake", "").await.0, 404);
}

#[actix_web::test]
async fn the_other_lists_have_the_shapes_of_the_real_ones() {
    let path = "/models/anthropic/claude-sonnet-4.5/endpoints";
    let (_, shown) = get(path, "").await;
    assert_eq!(
        shown["data"]["endpoints"][0]["latency_last_30m"],
        Value::Null
    );
    let (_, shown) = get(path, "sandbox").await;
    assert!(shown["data"]["endpoints"][0]["latency_last_30m"]["p50"].is_number());
    for path in [
        "/providers",
        "/endpoints/zdr",
        "/embeddings/models",
        "/images/models",
        "/videos/models",
    ] {
        let (status, list) = get(path, "").await;
        let filled = list["data"].as_array().is_some_and(|list| !list.is_empty());
        assert!(status == 200 && filled, "{path}");
    }
    let (_, pictured) = get("/images/models/openai/gpt-image-1/endpoints", "").await;
    assert!(pictured["endpoints"][0]["pricing"][0]["cost_usd"].is_number());
}

#[actix_web::test]
async fn keys_see_what_they_may() {
    for (path, key, expected) in [
        ("/models/user", "", 401),
        ("/models/user", "sk-or-v1-x", 200),
        ("/key", "", 401),
        ("/key", "sk-or-invalid", 401),
        ("/key", "sk-or-v1-x", 200),
        ("/credits", "sk-or-v1-x", 403),
        ("/credits", "sk-or-management-x", 200),
        ("/credits", "sandbox", 200),
        ("/generation?id=gen-unknown", "sandbox", 404),
        ("/generation", "sandbox", 400),
        ("/nothing", "sandbox", 404),
    ] {
        assert_eq!(get(path, key).await.0, expected, "{path} {key}");
    }
    let (_, key) = get("/key", "sk-or-management-x").await;
    assert_eq!(key["data"]["is_management_key"], true);
    assert_eq!(key["data"]["limit"], Value::Null);
}

#[actix_web::test]
async fn pictures_are_counted_checked_and_priced() {
    let drawn = async |more: Value| {
        let cat = json!({ "model": "bytedance-seed/seedream-4.5", "prompt": "A cat" });
        post("/images", &with(cat, more)).await
    };
    let (status, two) = drawn(json!({ "n": 2, "aspect_ratio": "16:9" })).await;
    assert_eq!(status, 200);
    assert_eq!(two["usage"]["cost"], 0.08);
    let picture = two["data"][1]["b64_json"].as_str().expect("a picture");
    let picture = BASE64.decode(picture.as_bytes()).expect("base64");
    assert_eq!(
        infer::get(&picture).map(|kind| kind.mime_type()),
        Some("image/png")
    );
    let (_, vector) = drawn(json!({ "output_format": "svg" })).await;
    assert_eq!(vector["data"][0]["media_type"], "image/svg+xml");
    let no_picture = json!([{ "type": "image_url", "image_url": { "url": "cat.png" } }]);
    for bad in [
        json!({ "n": 11 }),
        json!({ "n": 1.5 }),
        json!({ "prompt": "" }),
        json!({ "aspect_ratio": "5:7" }),
        json!({ "size": "1024x1024", "resolution": "1K" }),
        json!({ "size": "large" }),
        json!({ "input_references": no_picture }),
        json!({ "model": "recraft/recraft-v3", "n": 2 }),
        json!({ "model": "openai/gpt-4o" }),
    ] {
        assert_eq!(drawn(bad.clone()).await.0, 400, "{bad}");
    }
    assert_eq!(
        drawn(json!({ "model": "sandbox/empty" })).await.1["data"],
        json!([])
    );
    assert_eq!(
        drawn(json!({ "model": "sandbox/rate-limited" })).await.0,
        429
    );
}

#[actix_web::test]
async fn vectors_come_in_the_form_asked_for() {
    let embedded = async |model: &str, more: Value| {
        post(
            "/embeddings",
            &with(json!({ "model": model, "input": ["one", "two"] }), more),
        )
        .await
    };
    let small = "openai/text-embedding-3-small";
    let (_, answer) = embedded(small, json!({ "dimensions": 8 })).await;
    assert_eq!(
        answer["data"][1]["embedding"].as_array().map(Vec::len),
        Some(8)
    );
    let coded = json!({ "dimensions": 8, "encoding_format": "base64" });
    let (_, answer) = embedded(small, coded).await;
    let packed = answer["data"][0]["embedding"].as_str().expect("text");
    assert_eq!(
        BASE64.decode(packed.as_bytes()).map(|bytes| bytes.len()),
        Ok(32)
    );
    let (_, trap) = embedded("baai/bge-m3", json!({ "encoding_format": "base64" })).await;
    assert_eq!(trap["data"], json!([]));
    assert_eq!(embedded(small, json!({ "dimensions": 9_999 })).await.0, 400);
    assert_eq!(embedded(small, json!({ "input": [] })).await.0, 400);
    let (_, tokens) = embedded(small, json!({ "input": [1, 2, 3] })).await;
    assert_eq!(tokens["data"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn documents_are_ranked() {
    let body = json!({
        "model": "cohere/rerank-v3.5",
        "query": "What is the capital of France?",
        "documents": [
            "Berlin is the capital of Germany.",
            { "text": "Paris is the capital of France." },
        ],
        "top_n": 1,
    });
    let (status, answer) = post("/rerank", &body).await;
    assert_eq!((status, &answer["results"][0]["index"]), (200, &json!(1)));
    assert_eq!(answer["results"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer["usage"]["search_units"], 1);
}

/// Sends a request over a real connection and reads the answer to its end.
async fn talk(host: &str, request: String) -> String {
    let host = host.to_owned();
    let talking = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(host)?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    });
    talking.await.expect("no panic").expect("an answer")
}

#[actix_web::test]
async fn a_started_sandbox_remembers_calls_and_generations() {
    const HEAD: &str = "Host: x\r\nAuthorization: Bearer sandbox\r\nConnection: close\r\n";
    let sandbox = Sandbox::start().expect("a free port");
    let host = sandbox
        .base_url()
        .replace("http://", "")
        .replace("/api/v1", "");
    let hi = json!({ "model": "openai/gpt-4o", "messages": [{ "role": "user", "content": "hi" }] });
    let (hi, path) = (hi.to_string(), "/api/v1/chat/completions");
    let length = hi.len();
    let request = format!("POST {path} HTTP/1.1\r\n{HEAD}Content-Length: {length}\r\n\r\n{hi}");
    let answer = talk(&host, request).await;
    let expected = Call {
        method: "POST".into(),
        path: path.into(),
        authorization: true,
        body_bytes: length,
    };
    assert_eq!(sandbox.calls(), [expected]);
    let id = answer
        .lines()
        .find_map(|line| line.strip_prefix("x-generation-id: "));
    let id = id.expect("an id");
    let look = format!("GET /api/v1/generation?id={id} HTTP/1.1\r\n{HEAD}\r\n");
    assert!(
        talk(&host, look.clone()).await.starts_with("HTTP/1.1 404"),
        "too early"
    );
    tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
    assert!(
        talk(&host, look)
            .await
            .contains(r#""model":"openai/gpt-4o""#)
    );
    assert_eq!(sandbox.calls().len(), 3);
    sandbox.stop().await;
    assert!(TcpStream::connect(&host).is_err(), "it has stopped");
}
