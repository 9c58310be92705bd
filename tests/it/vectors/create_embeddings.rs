//! Create embeddings: texts in, vectors out, in their order.

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{TestApp, Upstream, sandbox};

const PATH: &str = "/embeddings";

async fn embedding(body: Value) -> Upstream {
    let upstream = Upstream::start().await;
    let answer = ResponseTemplate::new(200)
        .insert_header("x-generation-id", "gen-emb-1")
        .set_body_json(body);
    upstream.responds(PATH, answer).await;
    upstream
}

fn vector(index: usize, numbers: &Value) -> Value {
    json!({"object": "embedding", "index": index, "embedding": numbers})
}

#[rstest]
#[case::one(json!({"input": "a\n{b}"}), json!(["a\n{b}"]))]
#[case::several(json!({"inputs": ["a", "b"]}), json!(["a", "b"]))]
#[case::both(json!({"input": "a", "inputs": ["b", "a"]}), json!(["a", "b", "a"]))]
#[case::blank_input(json!({"input": "", "inputs": ["b"]}), json!(["b"]))]
#[tokio::test]
async fn all_texts_are_sent_as_one_list(#[case] mut body: Value, #[case] input: Value) {
    let data: Vec<_> = (0..input.as_array().unwrap().len())
        .map(|index| vector(index, &json!([1])))
        .collect();
    let upstream = embedding(json!({"data": data})).await;
    body["model"] = json!("unknown/model");
    TestApp::on(&upstream)
        .call("CreateEmbeddings")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        upstream.sent(PATH).await,
        json!({"model": "unknown/model", "input": input, "encoding_format": "float"})
    );
}

#[tokio::test]
async fn the_answer_is_flat_and_in_the_order_of_the_texts() {
    let upstream = embedding(json!({
        "object": "list", "model": "openai/text-embedding-3-small",
        "data": [vector(1, &json!([0.25, -1])), vector(0, &json!([0.5, 1e-9]))],
        "usage": {"prompt_tokens": 4, "total_tokens": 4.0, "cost": "0.00000008", "is_byok": false},
    }))
    .await;
    let body = json!({"model": "unknown/model", "inputs": ["a", "b"], "dimensions": 2});
    let answer = TestApp::on(&upstream)
        .call("CreateEmbeddings")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        answer.json,
        json!({
            "embedding": [0.5, 1e-9],
            "embeddings": [{"index": 0, "embedding": [0.5, 1e-9]}, {"index": 1, "embedding": [0.25, -1]}],
            "id": "gen-emb-1", "model": "openai/text-embedding-3-small", "prompt_tokens": 4,
            "total_tokens": 4, "cost": 8e-8, "warnings": [], "status": "completed",
        })
    );
    assert_eq!(upstream.sent(PATH).await["dimensions"], 2);
}

/// Some providers answer a success that is no success; a vector must never be missing unseen.
#[rstest]
#[case::no_data(json!({"model": "m"}))]
#[case::empty(json!({"data": []}))]
#[case::one_of_two(json!({"data": [vector(0, &json!([1]))]}))]
#[case::three_of_two(json!({"data": [vector(0, &json!([1])), vector(1, &json!([1])), vector(2, &json!([1]))]}))]
#[case::empty_vector(json!({"data": [vector(0, &json!([1])), vector(1, &json!([]))]}))]
#[case::null_vector(json!({"data": [vector(0, &json!([1])), vector(1, &json!(null))]}))]
#[case::packed(json!({"data": [vector(0, &json!("AACAPw==")), vector(1, &json!("AACAPw=="))]}))]
#[case::gaps_in_a_vector(json!({"data": [vector(0, &json!([1, null, 2])), vector(1, &json!([1, 2, 3]))]}))]
#[case::words_in_a_vector(json!({"data": [vector(0, &json!([1, "x"])), vector(1, &json!([1, 2]))]}))]
#[case::the_same_index_twice(json!({"data": [vector(1, &json!([1])), vector(1, &json!([2]))]}))]
#[tokio::test]
async fn a_vector_that_is_missing_is_an_error(#[case] body: Value) {
    let upstream = embedding(body).await;
    let body = json!({"model": "m", "inputs": ["a", "b"]});
    let app = TestApp::on(&upstream);
    app.call("CreateEmbeddings")
        .body(&body)
        .fails(502, "upstream_error")
        .await;
}

#[tokio::test]
async fn vectors_without_numbers_stay_in_the_order_in_which_they_came() {
    let upstream = embedding(json!({"data": [{"embedding": [1]}, {"embedding": [2]}]})).await;
    let body = json!({"model": "m", "inputs": ["a", "b"]});
    let answer = TestApp::on(&upstream)
        .call("CreateEmbeddings")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        answer.json["embeddings"][1],
        json!({"index": 1, "embedding": [2]})
    );
}

#[rstest]
#[case(json!({}), "input")]
#[case(json!({"input": "", "inputs": []}), "input")]
#[case(json!({"input": ["a"]}), "input")]
#[case(json!({"inputs": "a"}), "inputs")]
#[case(json!({"inputs": ["a", 5]}), "inputs[1]")]
#[case(json!({"inputs": vec!["a"; 2049]}), "inputs")]
#[case(json!({"input": "a", "dimensions": 0}), "dimensions")]
#[case(json!({"input": "a", "dimensions": 1.5}), "dimensions")]
#[case(json!({"input": "a", "encoding_format": "base64"}), "encoding_format")]
#[tokio::test]
async fn an_input_at_fault_is_refused_by_its_path(#[case] mut body: Value, #[case] field: &str) {
    body["model"] = json!("openai/text-embedding-3-small");
    sandbox()
        .call("CreateEmbeddings")
        .body(&body)
        .refused(field)
        .await;
}

fn numbers(vector: &Value) -> Vec<f64> {
    vector
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

fn likeness(left: &[f64], right: &[f64]) -> f64 {
    left.iter()
        .zip(right)
        .map(|(left, right)| left * right)
        .sum()
}

#[tokio::test]
async fn simulated_vectors_have_length_one_are_stable_and_near_where_texts_are_alike() {
    let texts = [
        "The cat sat on the mat.",
        "A cat sat on a mat.",
        "Interest rates rose in March.",
    ];
    for (extra, length) in [(json!({}), 1_536), (json!({"dimensions": 64}), 64)] {
        let mut body = json!({"model": "openai/text-embedding-3-small", "inputs": texts});
        body.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        let answer = sandbox()
            .call("CreateEmbeddings")
            .body(&body)
            .ok()
            .await
            .json;
        let vectors: Vec<_> = answer["embeddings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| numbers(&row["embedding"]))
            .collect();
        assert_eq!(numbers(&answer["embedding"]), vectors[0]);
        for vector in &vectors {
            assert_eq!(vector.len(), length);
            assert!((likeness(vector, vector) - 1.0).abs() < 1e-3);
        }
        assert!(likeness(&vectors[0], &vectors[1]) > likeness(&vectors[0], &vectors[2]) + 0.1);

        let again = sandbox()
            .call("CreateEmbeddings")
            .body(&body)
            .ok()
            .await
            .json;
        assert_eq!(again["embeddings"], answer["embeddings"]);
    }
}
