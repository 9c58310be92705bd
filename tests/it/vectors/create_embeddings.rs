//! Create embeddings: a vector for each text, in their order.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream, sandbox};

const EMBEDDINGS: &str = "/embeddings";

#[tokio::test]
async fn texts_keep_their_order_there_and_back() {
    let upstream = Upstream::start().await;
    let body = json!({
        "object": "list", "model": "m-2", "id": "gen-1",
        "data": [{"index": 1, "embedding": [0.5, "7.1e-05"]}, {"index": 0, "embedding": [1, -2]}],
        "usage": {"prompt_tokens": 3, "total_tokens": "3", "cost": 1e-7},
    });
    upstream.answers(EMBEDDINGS, body).await;
    let body = json!({"model": "m", "input": " One ", "inputs": ["Two"], "dimensions": 2});
    let answer = TestApp::on(&upstream)
        .call("CreateEmbeddings")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        upstream.sent(EMBEDDINGS).await,
        json!({"model": "m", "input": [" One ", "Two"], "dimensions": 2, "encoding_format": "float"})
    );
    assert_eq!(
        answer.json,
        json!({
            "embedding": [1, -2],
            "embeddings": [{"index": 0, "embedding": [1, -2]}, {"index": 1, "embedding": [0.5, 7.1e-05]}],
            "prompt_tokens": 3, "total_tokens": 3, "id": "gen-1", "model": "m-2", "cost": 1e-7,
            "warnings": [], "status": "completed",
        })
    );
}

#[rstest]
#[case(json!({}))]
#[case(json!({"data": null}))]
#[case(json!({"data": [{"embedding": []}]}))]
#[case(json!({"data": [{"embedding": [1]}, {"embedding": [2]}]}))]
#[tokio::test]
async fn a_vector_too_few_or_too_many_is_an_error(#[case] body: Value) {
    let upstream = Upstream::start().await;
    upstream.answers(EMBEDDINGS, body).await;
    TestApp::on(&upstream)
        .call("CreateEmbeddings")
        .with_samples()
        .fails(502, "upstream_error")
        .await;
}

#[rstest]
#[case(json!({"model": "m"}), "input")]
#[case(json!({"model": "m", "input": "", "inputs": []}), "input")]
#[case(json!({"input": "a"}), "model")]
#[case(json!({"model": "m", "input": ["a"]}), "input")]
#[case(json!({"model": "m", "inputs": [5]}), "inputs[0]")]
#[case(json!({"model": "m", "input": "a", "dimensions": 0}), "dimensions")]
#[case(json!({"model": "m", "input": "a", "dimension": 5}), "dimension")]
#[tokio::test]
async fn input_at_fault_is_refused_by_its_path(#[case] body: Value, #[case] field: &str) {
    sandbox()
        .call("CreateEmbeddings")
        .body(&body)
        .refused(field)
        .await;
}

#[tokio::test]
async fn the_simulated_openrouter_makes_vectors() {
    let models = sandbox()
        .call("ListModelChoices")
        .query("output_modality", "embeddings")
        .ok()
        .await;
    let body = json!({"model": models.json["value"][0]["id"], "inputs": ["One", "Two"]});
    let answer = sandbox()
        .call("CreateEmbeddings")
        .body(&body)
        .ok()
        .await
        .json;
    assert_eq!(answer["embeddings"].as_array().unwrap().len(), 2);
}
