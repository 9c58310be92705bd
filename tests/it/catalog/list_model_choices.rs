//! The dropdown of models: readable names, in an order that helps.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    TestApp, Upstream, sandbox,
    upstream::{MODELS, models},
};

async fn choices(query: &[(&str, &str)]) -> Value {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    let call = app.call("ListModelChoices");
    let call = query
        .iter()
        .fold(call, |call, (name, value)| call.query(name, *value));
    call.ok().await.json["value"].take()
}

#[tokio::test]
async fn the_router_stands_first_and_names_tell_price_and_length() {
    assert_eq!(
        choices(&[]).await,
        json!([
            {"id": "openrouter/auto", "name": "Auto Router - price varies - 2M"},
            {"id": "anthropic/claude-opus-4.5", "name": "Anthropic: Claude Opus 4.5 - $5 in / $25 out per million - 200K"},
            {"id": "meta-llama/llama-3.3-70b-instruct:free", "name": "Meta: Llama 3.3 70B (free) - free - 65K"},
            {"id": "openai/gpt-4o", "name": "OpenAI: GPT-4o - $2.5 in / $10 out per million - 128K"},
        ])
    );
}

#[rstest]
#[case(&[("output_modality", "image")], &["openrouter/auto", "black-forest-labs/flux.2-pro"])]
#[case(&[("supported_parameters", "tools,max_tokens")], &["anthropic/claude-opus-4.5", "openai/gpt-4o"])]
#[case(&[("search", "LLAMA")], &["meta-llama/llama-3.3-70b-instruct:free"])]
#[case(&[("output_modality", "video")], &[])]
#[tokio::test]
async fn only_fitting_models_are_offered(#[case] query: &[(&str, &str)], #[case] ids: &[&str]) {
    let value = choices(query).await;
    let found: Vec<_> = value
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["id"])
        .collect();
    assert_eq!(found, ids);
}

#[tokio::test]
async fn models_stand_by_name_within_their_author() {
    let model = |id: &str, name: &str| json!({"id": id, "name": name, "architecture": {"output_modalities": ["text"]}});
    let upstream = Upstream::without_models().await;
    let list = json!({"data": [
        model("b/1", "zeta"), model("b/2", "Alpha"), model("~b/3", "beta"), model("a/1", "omega"),
        model("openrouter/auto", "Auto"), model("b/4", ""),
    ]});
    upstream.answers(MODELS, list).await;
    let answer = TestApp::on(&upstream).call("ListModelChoices").ok().await;
    let rows = answer.json["value"].as_array().unwrap();
    let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["openrouter/auto", "a/1", "b/4", "b/2", "~b/3", "b/1"]);
}

#[tokio::test]
async fn a_list_is_never_longer_than_the_designer_bears() {
    let model = models()["data"][0].clone();
    let many: Vec<_> = (0..1500)
        .map(|number| {
            let mut model = model.clone();
            model["id"] = format!("author/{number}").into();
            model
        })
        .collect();
    let upstream = Upstream::without_models().await;
    upstream.answers(MODELS, json!({"data": many})).await;
    let answer = TestApp::on(&upstream).call("ListModelChoices").ok().await;
    assert_eq!(answer.json["value"].as_array().unwrap().len(), 1000);
}

#[tokio::test]
async fn a_filter_that_does_not_exist_is_refused() {
    sandbox()
        .call("ListModelChoices")
        .query("modality", "text")
        .refused("modality")
        .await;
    sandbox()
        .call("ListModelChoices")
        .query("output_modality", "x")
        .refused("output_modality")
        .await;
}
