//! List voice choices: the voices of a speech model.

use serde_json::json;

use crate::support::{TestApp, Upstream, sandbox, upstream::MODELS};

#[tokio::test]
async fn a_models_voices_are_offered_in_their_order() {
    let upstream = Upstream::without_models().await;
    let speaks = json!({
        "id": "openai/tts", "architecture": {"output_modalities": ["speech"]},
        "supported_voices": ["nova", "alloy", null, "Émile"],
    });
    let silent = json!({"id": "openai/mute", "supported_voices": null});
    upstream
        .answers(MODELS, json!({"data": [speaks, silent]}))
        .await;
    let app = TestApp::on(&upstream);
    let answer = app
        .call("ListVoiceChoices")
        .query("model", "openai/tts")
        .ok()
        .await;
    let expected: Vec<_> = ["nova", "alloy", "Émile"]
        .iter()
        .map(|id| json!({"id": id, "name": id}))
        .collect();
    assert_eq!(answer.json, json!({"value": expected}));
    for other in ["openai/mute", "openai/none", "x"] {
        let answer = app
            .call("ListVoiceChoices")
            .query("model", other)
            .ok()
            .await;
        assert_eq!(answer.json, json!({"value": []}), "{other}");
    }
}

#[tokio::test]
async fn the_model_must_be_told() {
    sandbox().call("ListVoiceChoices").refused("model").await;
    let long = "m".repeat(257);
    sandbox()
        .call("ListVoiceChoices")
        .query("model", long)
        .refused("model")
        .await;
}

/// What the dropdown offers is what the action takes.
#[tokio::test]
async fn every_voice_that_is_offered_speaks() {
    let model = "mistralai/voxtral-mini-tts-2603";
    let voices = sandbox()
        .call("ListVoiceChoices")
        .query("model", model)
        .ok()
        .await
        .json;
    let voices = voices["value"].as_array().unwrap();
    assert!(voices.len() > 1);
    for voice in voices {
        let body = json!({"model": model, "input": "Hi", "voice": voice["id"]});
        sandbox().call("CreateSpeech").body(&body).ok().await;
    }
}
