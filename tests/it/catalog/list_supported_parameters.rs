//! List supported parameters: the options that some model supports.

use serde_json::{Value, json};

use crate::support::{TestApp, Upstream, sandbox, upstream::MODELS};

#[tokio::test]
async fn every_option_of_every_model_is_offered_once_by_name() {
    let upstream = Upstream::without_models().await;
    let models = [
        json!({"id": "a/b", "supported_parameters": ["tools", "max_tokens", null]}),
        json!({"id": "a/c", "supported_parameters": ["max_tokens", "logit_bias", "a_word_of_tomorrow"]}),
        json!({"id": "a/d", "supported_parameters": null}),
        json!({"id": "a/e"}),
    ];
    upstream.answers(MODELS, json!({"data": models})).await;
    let answer = TestApp::on(&upstream)
        .call("ListSupportedParameters")
        .ok()
        .await;
    assert_eq!(
        answer.json,
        json!({"value": [
            {"id": "a_word_of_tomorrow", "name": "A word of tomorrow"},
            {"id": "logit_bias", "name": "Logit bias"},
            {"id": "max_tokens", "name": "Max tokens"},
            {"id": "tools", "name": "Tools"},
        ]})
    );
}

#[tokio::test]
async fn without_models_nothing_is_offered() {
    let upstream = Upstream::without_models().await;
    upstream
        .answers(MODELS, json!({"data": [{"id": "a/b"}]}))
        .await;
    let answer = TestApp::on(&upstream)
        .call("ListSupportedParameters")
        .ok()
        .await;
    assert_eq!(answer.json, json!({"value": []}));
}

/// Whatever is chosen here leaves models to choose from in Ask.
#[tokio::test]
async fn every_option_that_is_offered_leaves_models() {
    let options = sandbox().call("ListSupportedParameters").ok().await.json;
    let options = options["value"].as_array().unwrap();
    assert!(options.len() > 10);
    for option in options {
        let call = sandbox()
            .call("ListModelChoices")
            .query("output_modality", "all");
        let models = call
            .query("supported_parameters", option["id"].as_str().unwrap())
            .ok()
            .await;
        assert!(
            !models.json["value"].as_array().unwrap().is_empty(),
            "{option}"
        );
    }
}

/// The designer sends a list as the platform writes lists.
#[tokio::test]
async fn several_options_leave_the_models_that_support_all() {
    let ids = async |parameters: &str| -> Vec<Value> {
        let call = sandbox()
            .call("ListModelChoices")
            .query("supported_parameters", parameters);
        let rows = call.ok().await.json;
        rows["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].clone())
            .collect()
    };
    let (tools, both) = (ids("tools").await, ids("tools,logprobs").await);
    assert!(both.len() < tools.len() && !both.is_empty());
    assert!(both.iter().all(|id| tools.contains(id)));
}
