//! Create transcription: a sound in any of its forms, and what was said.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{PDF, PNG, TestApp, Upstream, WAV, sandbox};

const TRANSCRIPTIONS: &str = "/audio/transcriptions";

fn request(more: Value) -> Value {
    let mut body = json!({"model": "m", "file": {"name": "a.wav", "content": WAV}});
    let Value::Object(more) = more else {
        panic!("more is an object")
    };
    body.as_object_mut().unwrap().extend(more);
    body
}

#[rstest]
#[case(json!({}), json!({}))]
#[case(json!({"language": "DE", "temperature": 1}), json!({"language": "de", "temperature": 1.0}))]
#[case(json!({"language": "en", "temperature": 0.5}), json!({"language": "en", "temperature": 0.5}))]
#[case(json!({"language": "MA"}), json!({"language": "mi"}))]
#[case(json!({"language": "", "temperature": null}), json!({}))]
#[case(json!({"file": {"content": {"$content-type": "audio/wav", "$content": WAV}}}), json!({}))]
#[case(json!({"file": {"content": format!("data:audio/wav;base64,{WAV}")}}), json!({}))]
#[tokio::test]
async fn the_sound_goes_upstream_as_bare_base64(#[case] more: Value, #[case] options: Value) {
    let upstream = Upstream::start().await;
    upstream
        .answers(TRANSCRIPTIONS, json!({"text": "Hello."}))
        .await;
    TestApp::on(&upstream)
        .call("CreateTranscription")
        .body(&request(more))
        .ok()
        .await;
    let mut expected = json!({"model": "m", "input_audio": {"data": WAV, "format": "wav"}});
    expected
        .as_object_mut()
        .unwrap()
        .extend(options.as_object().unwrap().clone());
    assert_eq!(upstream.sent(TRANSCRIPTIONS).await, expected);
}

#[tokio::test]
async fn what_was_said_comes_with_length_language_and_cost() {
    let upstream = Upstream::start().await;
    let body = json!({
        "text": " Hello. ", "task": "transcribe", "language": "english", "duration": 1.5,
        "segments": [{"id": 0}], "usage": {"seconds": 9, "cost": "0.0001"},
    });
    upstream.answers(TRANSCRIPTIONS, body).await;
    let answer = TestApp::on(&upstream)
        .call("CreateTranscription")
        .body(&request(json!({})))
        .ok()
        .await
        .json;
    assert_eq!(
        answer,
        json!({
            "text": " Hello. ", "language": "english", "duration": 1.5, "model": "m",
            "cost": 0.0001, "warnings": [], "status": "completed",
        })
    );
}

#[tokio::test]
async fn silence_has_an_empty_text_and_no_nulls() {
    let upstream = Upstream::start().await;
    let body = json!({"text": "", "language": null, "duration": null, "usage": {"seconds": "2", "cost": null}});
    upstream.answers(TRANSCRIPTIONS, body).await;
    let answer = TestApp::on(&upstream)
        .call("CreateTranscription")
        .body(&request(json!({"language": "FR"})))
        .ok()
        .await
        .json;
    assert_eq!(
        answer,
        json!({"text": "", "language": "fr", "duration": 2, "model": "m", "warnings": [], "status": "completed"})
    );
}

#[tokio::test]
async fn no_text_is_an_error() {
    for body in [json!({}), json!({"text": null}), json!([])] {
        let upstream = Upstream::start().await;
        upstream.answers(TRANSCRIPTIONS, body).await;
        let app = TestApp::on(&upstream);
        app.call("CreateTranscription")
            .with_samples()
            .fails(502, "upstream_error")
            .await;
    }
}

#[rstest]
#[case(json!({"file": null}), "file")]
#[case(json!({"file": "sound"}), "file")]
#[case(json!({"file": {}}), "file.content")]
#[case(json!({"file": {"content": "!!"}}), "file.content")]
#[case(json!({"file": {"content": PNG}}), "file")]
#[case(json!({"file": {"content": PDF}}), "file")]
#[case(json!({"language": "XX"}), "language")]
#[case(json!({"temperature": 1.1}), "temperature")]
#[case(json!({"prompt": "a"}), "prompt")]
#[tokio::test]
async fn input_at_fault_is_refused_by_its_path(#[case] more: Value, #[case] field: &str) {
    sandbox()
        .call("CreateTranscription")
        .body(&request(more))
        .refused(field)
        .await;
}
