//! Rerank: texts in order of how well they answer a question.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{TestApp, Upstream, sandbox};

const PATH: &str = "/rerank";

async fn ranking(body: Value) -> Upstream {
    let upstream = Upstream::start().await;
    upstream.answers(PATH, body).await;
    upstream
}

fn question() -> Value {
    json!({"model": "unknown/model", "query": "Why {that}?", "documents": ["a", "", "c"]})
}

#[tokio::test]
async fn the_question_and_the_texts_are_sent_as_they_are() {
    let upstream = ranking(json!({"results": [{"index": 0, "relevance_score": 1}]})).await;
    let mut body = question();
    body["top_n"] = json!(2);
    TestApp::on(&upstream).call("Rerank").body(&body).ok().await;
    assert_eq!(upstream.sent(PATH).await, body);
}

#[tokio::test]
async fn the_answer_is_flat_and_names_the_makers_own_texts() {
    let upstream = ranking(json!({
        "id": "gen-rerank-1", "model": "cohere/rerank-v3.5", "provider": "Cohere",
        "results": [
            {"index": 2, "relevance_score": 0.98, "document": {"text": "something else"}},
            {"index": 0.0, "relevance_score": "0.5", "document": null},
            {"index": 1},
            {"relevance_score": 0.1},
            {"index": -1, "relevance_score": 0.1},
            {"index": 99, "relevance_score": 0.1},
            null,
        ],
        "usage": {"search_units": 1, "total_tokens": 12, "cost": 0.002},
    }))
    .await;
    let answer = TestApp::on(&upstream)
        .call("Rerank")
        .body(&question())
        .ok()
        .await;
    assert_eq!(
        answer.json,
        json!({
            "results": [
                {"index": 2, "relevance_score": 0.98, "document": "c"},
                {"index": 0, "relevance_score": 0.5, "document": "a"},
                {"index": 1, "document": ""},
            ],
            "id": "gen-rerank-1", "model": "cohere/rerank-v3.5", "provider": "Cohere",
            "total_tokens": 12, "cost": 0.002, "warnings": [], "status": "completed",
        })
    );
}

#[rstest]
#[case::nothing(json!({}))]
#[case::empty(json!({"results": []}))]
#[case::an_object(json!({"results": {"index": 0}}))]
#[case::no_places(json!({"results": [{"relevance_score": 0.5}]}))]
#[case::other_places(json!({"results": [{"index": 3, "relevance_score": 0.5}]}))]
#[tokio::test]
async fn an_answer_without_an_order_is_an_error(#[case] body: Value) {
    let upstream = ranking(body).await;
    let app = TestApp::on(&upstream);
    app.call("Rerank")
        .body(&question())
        .fails(502, "upstream_error")
        .await;
}

#[rstest]
#[case("query", json!(""))]
#[case("query", json!(null))]
#[case("documents", json!([]))]
#[case("documents", json!("a"))]
#[case("documents", json!(vec!["a"; 10_001]))]
#[case("top_n", json!(0))]
#[case("top_n", json!("2"))]
#[case("return_documents", json!(true))]
#[tokio::test]
async fn an_input_at_fault_is_refused_by_name(#[case] name: &str, #[case] value: Value) {
    let mut body = question();
    body[name] = value;
    sandbox().call("Rerank").body(&body).refused(name).await;
}

#[tokio::test]
async fn a_text_that_is_none_is_refused_by_its_place() {
    let mut body = question();
    body["documents"][1] = json!({"text": "b"});
    sandbox()
        .call("Rerank")
        .body(&body)
        .refused("documents[1]")
        .await;
}

#[tokio::test]
async fn the_simulated_order_puts_the_best_text_first() {
    let documents = [
        "Interest rates rose.",
        "The cat sat on the mat.",
        "Where the cat sat, nobody knows.",
    ];
    let body = json!({"model": "cohere/rerank-v3.5", "query": "Where is the mat with the cat?", "documents": documents});
    let answer = sandbox().call("Rerank").body(&body).ok().await.json;
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    assert_eq!(results[2]["index"], 0);
    let scores: Vec<_> = results
        .iter()
        .map(|row| row["relevance_score"].as_f64().unwrap())
        .collect();
    assert!(scores.is_sorted_by(|one, next| one >= next), "{scores:?}");
    for row in results {
        let index = usize::try_from(row["index"].as_u64().unwrap()).unwrap();
        assert_eq!(row["document"], documents[index]);
    }

    let mut best = body;
    best["top_n"] = json!(1);
    let answer = sandbox().call("Rerank").body(&best).ok().await.json;
    assert_eq!(answer["results"], json!([results[0]]));
}
