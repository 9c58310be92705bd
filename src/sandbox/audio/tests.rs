//! Speaks with and listens to the audio endpoints.

use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use actix_web::{App, dev::ServiceResponse};
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::super::{State, mount};
use super::measure::tests::silence;

async fn post(path: &str, body: &Value) -> ServiceResponse {
    let state = Data::new(State::default());
    let app = init_service(App::new().configure(|config| mount(config, state))).await;
    let request = TestRequest::post()
        .uri(&format!("/api/v1/audio/{path}"))
        .set_json(body);
    let request = request.insert_header(("Authorization", "Bearer sandbox"));
    call_service(&app, request.to_request()).await
}

fn media_type(response: &ServiceResponse) -> &str {
    let value = response.headers().get("content-type");
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

#[actix_web::test]
async fn speech_is_raw_sound_in_the_format_asked_for() {
    let mut body =
        json!({ "model": "hexgrad/kokoro-82m", "input": "Good morning", "voice": "af_heart" });
    let response = post("speech", &body).await;
    assert_eq!(media_type(&response), "audio/pcm");
    assert!(response.headers().contains_key("x-generation-id"));
    assert!(read_body(response).await.len() > 24_000);
    body["response_format"] = "mp3".into();
    let response = post("speech", &body).await;
    assert_eq!(media_type(&response), "audio/mpeg");
    body["voice"] = "nobody".into();
    assert_eq!(post("speech", &body).await.status(), 400);
    body["model"] = "openai/gpt-4o".into();
    assert_eq!(post("speech", &body).await.status(), 400);
}

#[actix_web::test]
async fn recordings_are_measured_and_described() {
    let sound = BASE64.encode(&silence(20_000));
    let mut body = json!({
        "model": "openai/whisper-large-v3",
        "input_audio": { "data": sound, "format": "wav" },
        "language": "de",
        "response_format": "verbose_json",
        "timestamp_granularities": ["word"],
    });
    let answer: Value =
        serde_json::from_slice(&read_body(post("transcriptions", &body).await).await)
            .expect("JSON");
    assert_eq!(answer["usage"]["seconds"], 2.5);
    assert_eq!(answer["duration"], 2.5);
    assert_eq!(answer["language"], "de");
    assert!(
        answer["text"]
            .as_str()
            .is_some_and(|text| text.contains("2.5 seconds"))
    );
    assert!(
        answer["words"]
            .as_array()
            .is_some_and(|words| words.len() > 5)
    );
    body["model"] = "mistralai/voxtral-mini-transcribe".into();
    assert_eq!(post("transcriptions", &body).await.status(), 400);
    body["response_format"] = "json".into();
    assert_eq!(post("transcriptions", &body).await.status(), 200);
    body["input_audio"]["data"] = "data:audio/wav;base64,AAAA".into();
    assert_eq!(post("transcriptions", &body).await.status(), 400);
}
