//! The dropdown of providers: by name, sent by slug.

use serde_json::json;

use crate::support::{TestApp, Upstream, sandbox};

#[tokio::test]
async fn providers_stand_by_name_and_those_without_a_slug_are_left_out() {
    let upstream = Upstream::start().await;
    let body = json!({"data": [
        {"name": "xAI", "slug": "xai"}, {"name": "Azure", "slug": "azure"},
        {"name": "Nameless", "slug": null}, {"name": null, "slug": "deepinfra"}, null,
    ]});
    upstream.answers("/providers", body).await;
    let answer = TestApp::on(&upstream)
        .call("ListProviderChoices")
        .ok()
        .await;
    assert_eq!(
        answer.json,
        json!({"value": [
            {"id": "azure", "name": "Azure"}, {"id": "deepinfra", "name": "deepinfra"},
            {"id": "xai", "name": "xAI"},
        ]})
    );
}

#[tokio::test]
async fn the_simulated_openrouter_has_providers() {
    let answer = sandbox().call("ListProviderChoices").ok().await;
    assert!(answer.json["value"].as_array().unwrap().len() > 1);
}
