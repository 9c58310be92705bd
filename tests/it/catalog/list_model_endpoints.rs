//! List model endpoints: who runs a model, as published, and with speed and reliability.

use serde_json::json;

use crate::support::{KEY, TestApp, Upstream, sandbox, upstream::header};

const PATH: &str = "/models/openai/gpt-4o/endpoints";

async fn endpoints(body: serde_json::Value) -> serde_json::Value {
    let upstream = Upstream::start().await;
    upstream.answers(PATH, body).await;
    let app = TestApp::on(&upstream);
    let call = app
        .call("ListModelEndpoints")
        .path("author", "openai")
        .path("slug", "gpt-4o");
    let answer = call.ok().await;
    assert_eq!(
        header(&upstream.call(PATH).await, "authorization"),
        format!("Bearer {KEY}")
    );
    answer.json
}

#[tokio::test]
async fn everything_known_of_an_endpoint_is_there() {
    let answer = endpoints(json!({"data": {
        "id": "openai/gpt-4o", "name": "GPT-4o", "created": 1_715_558_400, "description": "D",
        "architecture": {"tokenizer": "GPT", "instruct_type": null, "modality": "text->text",
            "input_modalities": ["text"], "output_modalities": ["text"]},
        "endpoints": [{
            "name": "Azure | gpt-4o", "context_length": 128_000,
            "pricing": {"request": "0", "image": "0.001", "prompt": "0.0000025",
                "completion": 0.00001, "discount": 0},
            "provider_name": "Azure", "tag": "azure/swedencentral", "quantization": null,
            "max_completion_tokens": 16_384, "max_prompt_tokens": null,
            "supported_parameters": ["tools"], "status": -2, "uptime_last_30m": 99.5,
            "uptime_last_1d": "98.25", "supports_implicit_caching": true,
            "latency_last_30m": {"p50": 300, "p75": 400, "p90": 500, "p99": 900},
            "throughput_last_30m": null,
        }],
    }}))
    .await;
    assert_eq!(
        answer,
        json!({"data": {
            "id": "openai/gpt-4o", "name": "GPT-4o", "created": 1_715_558_400, "description": "D",
            "architecture": {"tokenizer": "GPT", "modality": "text->text"},
            "endpoints": [{
                "name": "Azure | gpt-4o", "context_length": 128_000,
                "pricing": {"request": "0", "image": "0.001", "prompt": "0.0000025", "completion": "0.00001"},
                "provider_name": "Azure", "provider_slug": "azure/swedencentral",
                "supported_parameters": ["tools"], "max_completion_tokens": 16_384,
                "uptime_last_30m": 99.5, "uptime_last_1d": 98.25, "supports_implicit_caching": true,
                "latency_p50": 300, "latency_p90": 500, "latency_p99": 900,
            }],
        }})
    );
}

#[tokio::test]
async fn what_is_missing_stays_missing() {
    let answer =
        endpoints(json!({"data": {"id": null, "endpoints": [{}, null], "architecture": null}}))
            .await;
    assert_eq!(
        answer,
        json!({"data": {"architecture": {}, "endpoints": [{"pricing": {}, "supported_parameters": []}]}})
    );
    assert_eq!(
        endpoints(json!({"data": null})).await["data"]["endpoints"],
        json!([])
    );
}

#[tokio::test]
async fn a_model_that_does_not_exist_is_not_found() {
    let call = sandbox()
        .call("ListModelEndpoints")
        .path("author", "openai")
        .path("slug", "gpt-99");
    call.fails(404, "not_found").await;
}

#[tokio::test]
async fn the_simulated_openrouter_answers_too() {
    let answer = sandbox()
        .call("ListModelEndpoints")
        .with_samples()
        .ok()
        .await;
    assert!(
        !answer.json["data"]["endpoints"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}
