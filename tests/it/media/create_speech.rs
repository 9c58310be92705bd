//! Create speech: a text spoken, as a file in JSON or as the sound itself.

use data_encoding::BASE64;
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{TestApp, Upstream, sandbox};

const SPEECH: &str = "/audio/speech";

fn sound(kind: &str) -> ResponseTemplate {
    let answer = ResponseTemplate::new(200).set_body_raw([1, 2, 3, 4], kind);
    answer.insert_header("x-generation-id", "gen-speech")
}

fn request(more: Value) -> Value {
    let mut body = json!({"model": "m", "input": "Hello.", "voice": "nova"});
    let Value::Object(more) = more else {
        panic!("more is an object")
    };
    body.as_object_mut().unwrap().extend(more);
    body
}

#[rstest]
#[case(json!({}), "mp3", "audio/mpeg", "mp3", 4)]
#[case(json!({"response_format": "mp3", "speed": 1.5}), "mp3", "audio/mpeg", "mp3", 4)]
#[case(json!({"response_format": "pcm"}), "pcm", "audio/pcm", "pcm", 4)]
#[case(json!({"response_format": "wav"}), "pcm", "audio/wav", "wav", 48)]
#[tokio::test]
async fn the_sound_is_a_file_of_the_type_asked_for(
    #[case] more: Value,
    #[case] sent: &str,
    #[case] mime: &str,
    #[case] extension: &str,
    #[case] size: usize,
) {
    let upstream = Upstream::start().await;
    upstream
        .responds(SPEECH, sound("audio/pcm;rate=16000"))
        .await;
    let body = request(more);
    let answer = TestApp::on(&upstream)
        .call("CreateSpeech")
        .body(&body)
        .ok()
        .await;
    let mut expected = body.clone();
    expected["response_format"] = json!(sent);
    assert_eq!(upstream.sent(SPEECH).await, expected);

    let file = &answer.json;
    assert_eq!(
        (&file["mime_type"], &file["extension"]),
        (&json!(mime), &json!(extension))
    );
    assert_eq!(
        (&file["name"], &file["size"]),
        (&json!(format!("speech.{extension}")), &json!(size))
    );
    let bytes = BASE64
        .decode(file["content"].as_str().unwrap().as_bytes())
        .unwrap();
    assert_eq!((bytes.len(), &bytes[size - 4..]), (size, &[1, 2, 3, 4][..]));
    assert_eq!(
        (&file["id"], &file["status"]),
        (&json!("gen-speech"), &json!("completed"))
    );
    assert!(answer.warnings().is_empty());
}

#[tokio::test]
async fn a_wav_file_has_the_rate_that_upstream_names() {
    let upstream = Upstream::start().await;
    upstream
        .responds(SPEECH, sound("audio/pcm;rate=16000;channels=1"))
        .await;
    let call = TestApp::on(&upstream);
    let answer = call
        .call("CreateSpeech")
        .body(&request(json!({"response_format": "wav"})))
        .ok()
        .await;
    let bytes = BASE64
        .decode(answer.json["content"].as_str().unwrap().as_bytes())
        .unwrap();
    assert_eq!((&bytes[..4], &bytes[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
    assert_eq!(
        u32::from_le_bytes(bytes[24..28].try_into().unwrap()),
        16_000
    );
    assert_eq!(u32::from_le_bytes(bytes[40..44].try_into().unwrap()), 4);
}

#[rstest]
#[case("audio/*", "mp3", "audio/mpeg", 4)]
#[case("application/octet-stream", "pcm", "audio/pcm", 4)]
#[case("audio/wav, */*", "wav", "audio/wav", 48)]
#[tokio::test]
async fn who_asks_for_bytes_gets_the_sound_itself(
    #[case] accept: &str,
    #[case] format: &str,
    #[case] mime: &str,
    #[case] size: usize,
) {
    let upstream = Upstream::start().await;
    upstream.responds(SPEECH, sound("audio/pcm")).await;
    let app = TestApp::on(&upstream);
    let body = request(json!({"response_format": format}));
    let answer = app
        .call("CreateSpeech")
        .header("accept", accept)
        .body(&body)
        .ok()
        .await;
    assert_eq!(answer.header("content-type"), mime);
    assert_eq!(
        (answer.bytes.len(), &answer.bytes[size - 4..]),
        (size, &[1, 2, 3, 4][..])
    );
    assert_eq!(answer.header("x-generation-id"), "gen-speech");
}

#[tokio::test]
async fn who_asks_for_bytes_is_told_errors_in_json() {
    let upstream = Upstream::start().await;
    let refusal = json!({"error": {"code": 402, "message": "No credits"}});
    upstream
        .responds(SPEECH, ResponseTemplate::new(402).set_body_json(refusal))
        .await;
    let call = TestApp::on(&upstream);
    let call = call
        .call("CreateSpeech")
        .header("accept", "audio/*")
        .with_samples();
    call.fails(402, "insufficient_credits").await;
}

#[rstest]
#[case(ResponseTemplate::new(200).set_body_raw("", "audio/mpeg"), 502, "upstream_error")]
#[case(ResponseTemplate::new(200).set_body_json(json!({})), 502, "upstream_error")]
#[case(ResponseTemplate::new(200).set_body_json(json!({"error": {"code": 403, "message": "No"}})), 403, "refused")]
#[tokio::test]
async fn no_sound_is_an_error(
    #[case] with: ResponseTemplate,
    #[case] status: u16,
    #[case] code: &str,
) {
    let upstream = Upstream::start().await;
    upstream.responds(SPEECH, with).await;
    TestApp::on(&upstream)
        .call("CreateSpeech")
        .with_samples()
        .fails(status, code)
        .await;
}

#[rstest]
#[case(json!({"input": ""}), "input")]
#[case(json!({"voice": ""}), "voice")]
#[case(json!({"response_format": "ogg"}), "response_format")]
#[case(json!({"speed": 0}), "speed")]
#[case(json!({"spead": 1}), "spead")]
#[tokio::test]
async fn input_at_fault_is_refused_by_name(#[case] more: Value, #[case] field: &str) {
    sandbox()
        .call("CreateSpeech")
        .body(&request(more))
        .refused(field)
        .await;
}
