//! The dropdown of options: every one that some model supports, once.

use serde_json::json;

use crate::support::{TestApp, Upstream, sandbox, upstream::MODELS};

#[tokio::test]
async fn every_option_is_offered_once_and_in_words() {
    let upstream = Upstream::without_models().await;
    let list = json!({"data": [
        {"id": "a/1", "supported_parameters": ["tools", "max_tokens"]},
        {"id": "a/2", "supported_parameters": ["tools", null, "top_p"]},
        {"id": "a/3", "supported_parameters": null},
    ]});
    upstream.answers(MODELS, list).await;
    let answer = TestApp::on(&upstream)
        .call("ListSupportedParameters")
        .ok()
        .await;
    assert_eq!(
        answer.json,
        json!({"value": [
            {"id": "max_tokens", "name": "Max tokens"}, {"id": "tools", "name": "Tools"},
            {"id": "top_p", "name": "Top p"},
        ]})
    );
}

#[tokio::test]
async fn each_offer_of_the_simulated_openrouter_filters_models() {
    let answer = sandbox().call("ListSupportedParameters").ok().await;
    let choices = answer.json["value"].as_array().unwrap();
    assert!(!choices.is_empty());
    for choice in choices {
        let name = choice["id"].as_str().unwrap();
        let call = sandbox().call("ListModels").query("output_modality", "all");
        let models = call.query("supported_parameters", name).ok().await;
        assert!(models.json["total_count"].as_i64().unwrap() > 0, "{name}");
    }
}
