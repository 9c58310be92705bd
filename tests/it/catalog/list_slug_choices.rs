//! The dropdown of one author's models.

use serde_json::json;

use crate::support::{
    TestApp, Upstream, sandbox,
    upstream::{MODELS, models},
};

#[tokio::test]
async fn the_authors_own_models_are_offered_in_order() {
    let upstream = Upstream::without_models().await;
    let mut list = models();
    for id in ["openai/gpt-5:free", "openai/chatgpt", "openai-like/x"] {
        list["data"].as_array_mut().unwrap().push(json!({"id": id}));
    }
    upstream.answers(MODELS, list).await;
    let app = TestApp::on(&upstream);
    let answer = app
        .call("ListSlugChoices")
        .query("author", "openai")
        .ok()
        .await;
    assert_eq!(
        answer.json,
        json!({"value": [
            {"id": "chatgpt", "name": "chatgpt"},
            {"id": "gpt-4o", "name": "gpt-4o"},
            {"id": "gpt-5:free", "name": "gpt-5:free"},
        ]})
    );
    let answer = app
        .call("ListSlugChoices")
        .query("author", "nobody")
        .ok()
        .await;
    assert_eq!(answer.json, json!({"value": []}));
}

#[tokio::test]
async fn an_author_is_needed() {
    sandbox().call("ListSlugChoices").refused("author").await;
    sandbox()
        .call("ListSlugChoices")
        .query("author", "")
        .refused("author")
        .await;
}

#[tokio::test]
async fn each_offer_of_the_simulated_openrouter_is_a_model() {
    let answer = sandbox()
        .call("ListSlugChoices")
        .query("author", "google")
        .ok()
        .await;
    for choice in answer.json["value"].as_array().unwrap() {
        let slug = choice["id"].as_str().unwrap();
        let call = sandbox()
            .call("GetModel")
            .path("author", "google")
            .path("slug", slug);
        assert_eq!(call.ok().await.json["id"], format!("google/{slug}"));
    }
}
