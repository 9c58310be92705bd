//! The dropdown of authors: each once, in order.

use serde_json::json;

use crate::support::{
    TestApp, Upstream, sandbox,
    upstream::{MODELS, models},
};

#[tokio::test]
async fn every_author_is_offered_once() {
    let upstream = Upstream::without_models().await;
    let mut list = models();
    let rows = list["data"].as_array_mut().unwrap();
    rows.push(json!({"id": "openai/gpt-5", "name": "Second"}));
    rows.push(json!({"id": "no-author", "name": "Odd"}));
    upstream.answers(MODELS, list).await;
    let answer = TestApp::on(&upstream).call("ListAuthorChoices").ok().await;
    let authors = [
        "anthropic",
        "black-forest-labs",
        "meta-llama",
        "openai",
        "openrouter",
    ];
    let expected: Vec<_> = authors
        .iter()
        .map(|author| json!({"id": author, "name": author}))
        .collect();
    assert_eq!(answer.json, json!({"value": expected}));
}

#[tokio::test]
async fn the_simulated_openrouter_has_authors() {
    let answer = sandbox().call("ListAuthorChoices").ok().await;
    let authors = answer.json["value"].as_array().unwrap();
    assert!(authors.iter().any(|author| author["id"] == "openai"));
}
