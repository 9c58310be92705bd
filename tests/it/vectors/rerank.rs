//! Rerank: texts in the order of what they have to do with a question.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream, sandbox};

const RERANK: &str = "/rerank";

fn request() -> Value {
    json!({"model": "m", "query": "Q?", "documents": ["One", "Two"], "top_n": 2})
}

#[tokio::test]
async fn results_have_their_texts_and_upstreams_order() {
    let upstream = Upstream::start().await;
    let body = json!({
        "id": "gen-rerank-1", "model": "m-2", "provider": "Cohere",
        "results": [
            {"index": 1, "relevance_score": "0.9", "document": {"text": "Two"}},
            {"index": 0, "relevance_score": null, "document": "One"},
            {"index": 9, "relevance_score": 0.1}, {"index": null}, null,
        ],
        "usage": {"total_tokens": 7, "search_units": 1, "cost": 0.002},
    });
    upstream.answers(RERANK, body).await;
    let answer = TestApp::on(&upstream)
        .call("Rerank")
        .body(&request())
        .ok()
        .await;
    assert_eq!(upstream.sent(RERANK).await, request());
    assert_eq!(
        answer.json,
        json!({
            "results": [
                {"index": 1, "relevance_score": 0.9, "document": "Two"},
                {"index": 0, "document": "One"}, {"index": 9, "relevance_score": 0.1},
            ],
            "provider": "Cohere", "total_tokens": 7, "id": "gen-rerank-1", "model": "m-2",
            "cost": 0.002, "warnings": [], "status": "completed",
        })
    );
}

#[tokio::test]
async fn no_results_are_an_error() {
    for body in [
        json!({}),
        json!({"results": []}),
        json!({"results": {"index": 0}}),
    ] {
        let upstream = Upstream::start().await;
        upstream.answers(RERANK, body).await;
        TestApp::on(&upstream)
            .call("Rerank")
            .body(&request())
            .fails(502, "upstream_error")
            .await;
    }
}

#[rstest]
#[case("query", json!(""))]
#[case("documents", json!([]))]
#[case("documents", json!("One"))]
#[case("documents[0]", json!(null))]
#[case("top_n", json!(0))]
#[case("top", json!(1))]
#[tokio::test]
async fn input_at_fault_is_refused_by_its_path(#[case] field: &str, #[case] value: Value) {
    let mut body = request();
    match field.strip_suffix("[0]") {
        Some(list) => body[list][0] = value,
        None => body[field] = value,
    }
    sandbox().call("Rerank").body(&body).refused(field).await;
}

#[tokio::test]
async fn the_simulated_openrouter_orders() {
    let models = sandbox()
        .call("ListModelChoices")
        .query("output_modality", "rerank")
        .ok()
        .await;
    let mut body = request();
    body["model"] = models.json["value"][0]["id"].clone();
    let answer = sandbox().call("Rerank").body(&body).ok().await.json;
    assert_eq!(answer["results"].as_array().unwrap().len(), 2);
}
