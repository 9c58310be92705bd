//! The dropdown of voices: those of the one model.

use serde_json::json;

use crate::support::{TestApp, Upstream, sandbox, upstream::MODELS};

#[tokio::test]
async fn the_models_own_voices_are_offered() {
    let upstream = Upstream::without_models().await;
    let list = json!({"data": [
        {"id": "a/speaks", "supported_voices": ["nova", null, "alloy"]},
        {"id": "a/silent", "supported_voices": null},
    ]});
    upstream.answers(MODELS, list).await;
    let app = TestApp::on(&upstream);
    let answer = app
        .call("ListVoiceChoices")
        .query("model", "a/speaks")
        .ok()
        .await;
    assert_eq!(
        answer.json,
        json!({"value": [{"id": "nova", "name": "nova"}, {"id": "alloy", "name": "alloy"}]})
    );
    for model in ["a/silent", "a/unknown"] {
        let answer = app
            .call("ListVoiceChoices")
            .query("model", model)
            .ok()
            .await;
        assert_eq!(answer.json, json!({"value": []}));
    }
}

#[tokio::test]
async fn each_voice_of_the_simulated_openrouter_speaks() {
    let models = sandbox()
        .call("ListModelChoices")
        .query("output_modality", "speech")
        .ok()
        .await;
    let model = models.json["value"][0]["id"].as_str().unwrap();
    let voices = sandbox()
        .call("ListVoiceChoices")
        .query("model", model)
        .ok()
        .await;
    let voice = &voices.json["value"][0]["id"];
    let body = json!({"model": model, "input": "Hello.", "voice": voice});
    let answer = sandbox().call("CreateSpeech").body(&body).ok().await;
    assert!(answer.json["size"].as_i64().unwrap() > 100);
}
