//! Create transcription: sound in, words out.

use data_encoding::BASE64;
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{TestApp, Upstream, WAV, definition::Operation, sandbox};

const PATH: &str = "/audio/transcriptions";

async fn hearing(body: Value) -> Upstream {
    let upstream = Upstream::start().await;
    let answer = ResponseTemplate::new(200)
        .insert_header("x-generation-id", "gen-stt-1")
        .set_body_json(body);
    upstream.responds(PATH, answer).await;
    upstream
}

fn sound(extra: &Value) -> Value {
    let mut body = json!({"model": "unknown/model", "file": {"content": WAV}});
    body.as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn the_sound_is_sent_as_bare_base64_with_its_format() {
    let upstream = hearing(json!({"text": "Hello."})).await;
    let body = sound(
        &json!({"file": {"name": "a.mp3", "content": format!("data:audio/wav;base64,{WAV}")}}),
    );
    TestApp::on(&upstream)
        .call("CreateTranscription")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        upstream.sent(PATH).await,
        json!({"model": "unknown/model", "input_audio": {"data": WAV, "format": "wav"}})
    );
}

#[rstest]
#[case::mp3(b"\xff\xfb\x90\x64\0\0".to_vec(), json!({}), "mp3")]
#[case::flac(b"fLaC\0\0\0\x22".to_vec(), json!({}), "flac")]
#[case::m4a(b"\0\0\0\x20ftypM4A \0\0\0\0".to_vec(), json!({}), "m4a")]
#[case::mp4(b"\0\0\0\x18ftypisom\0\0\x02\0isom".to_vec(), json!({}), "m4a")]
#[case::film(b"\0\0\0\x18ftypisom\0\0\x02\0isom".to_vec(), json!({"name": "talk.mp4"}), "m4a")]
#[case::ogg(b"OggS\0\x02\0\0\0\0\0\0".to_vec(), json!({}), "ogg")]
#[case::opus(b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead\x01".to_vec(), json!({"name": "a.opus"}), "ogg")]
#[case::aac(b"\xff\xf1\x50\x80\0\0".to_vec(), json!({}), "aac")]
#[case::webm([b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm".as_slice(), &[0; 300]].concat(), json!({}), "webm")]
#[case::webm_stated_as_sound([b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm".as_slice(), &[0; 300]].concat(), json!({"mime_type": "audio/webm"}), "webm")]
#[case::by_name(b"\0\x01\x02\xff\xfe".to_vec(), json!({"name": "Voice 001.M4A"}), "m4a")]
#[case::by_mime(b"\0\x01\x02\xff\xfe".to_vec(), json!({"mime_type": "audio/mpeg", "name": "a.wav"}), "mp3")]
#[tokio::test]
async fn the_format_is_found_by_content_then_type_then_name(
    #[case] bytes: Vec<u8>,
    #[case] mut file: Value,
    #[case] format: &str,
) {
    let upstream = hearing(json!({"text": "Hello."})).await;
    file["content"] = json!(BASE64.encode(&bytes));
    let body = sound(&json!({"file": file}));
    TestApp::on(&upstream)
        .call("CreateTranscription")
        .body(&body)
        .ok()
        .await;
    let audio = json!({"data": BASE64.encode(&bytes), "format": format});
    assert_eq!(upstream.sent(PATH).await["input_audio"], audio);
}

#[rstest]
#[case("EN", "en")]
#[case("DE", "de")]
#[case("de", "de")]
#[case("MA", "mi")]
#[case("ma", "mi")]
#[case("MR", "mr")]
#[tokio::test]
async fn the_language_is_sent_as_its_code(#[case] language: &str, #[case] code: &str) {
    let upstream = hearing(json!({"text": "Hello."})).await;
    let body = sound(&json!({"language": language, "temperature": 0.25}));
    TestApp::on(&upstream)
        .call("CreateTranscription")
        .body(&body)
        .ok()
        .await;
    let sent = upstream.sent(PATH).await;
    assert_eq!(
        (&sent["language"], &sent["temperature"]),
        (&json!(code), &json!(0.25))
    );
}

/// Every language that the definition offers is sent in lower case, two letters, none twice.
#[tokio::test]
async fn every_language_has_a_code_of_its_own() {
    let upstream = hearing(json!({"text": "Hello."})).await;
    let app = TestApp::on(&upstream);
    let schema = Operation::named("CreateTranscription").body().unwrap();
    let languages = schema["properties"]["language"]["enum"].as_array().unwrap();
    assert_eq!(languages.len(), 57);
    for language in languages {
        app.call("CreateTranscription")
            .body(&sound(&json!({"language": language})))
            .ok()
            .await;
    }
    let calls = upstream.calls(PATH).await;
    let mut codes: Vec<String> = calls
        .iter()
        .map(|call| {
            call.body_json::<Value>().unwrap()["language"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(
        codes
            .iter()
            .all(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase()))
    );
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), 57);
}

#[rstest]
#[case::plain(
    json!({"text": "Hello.", "usage": {"seconds": 1.5, "cost": 0.001}}),
    json!({"text": "Hello.", "duration": 1.5, "cost": 0.001}),
)]
#[case::verbose(
    json!({"text": " Hello.\n", "task": "transcribe", "language": "english", "duration": "2", "segments": [], "usage": null}),
    json!({"text": " Hello.\n", "language": "english", "duration": 2}),
)]
#[case::silence(json!({"text": ""}), json!({"text": ""}))]
#[case::odd(json!({"text": 7, "language": null, "usage": {"cost": "0.5", "seconds": null}}), json!({"text": "7", "cost": 0.5}))]
#[tokio::test]
async fn the_answer_is_flat_and_complete(#[case] body: Value, #[case] mut expected: Value) {
    let upstream = hearing(body).await;
    let answer = TestApp::on(&upstream)
        .call("CreateTranscription")
        .body(&sound(&json!({})))
        .ok()
        .await;
    expected.as_object_mut().unwrap().extend(
        json!({"id": "gen-stt-1", "model": "unknown/model", "warnings": [], "status": "completed"})
            .as_object()
            .unwrap()
            .clone(),
    );
    assert_eq!(answer.json, expected);
    assert_eq!(answer.header("x-generation-id"), "gen-stt-1");
}

#[rstest]
#[case::empty(json!({}))]
#[case::null(json!({"text": null}))]
#[case::other(json!({"text": {"words": []}}))]
#[tokio::test]
async fn an_answer_without_a_text_is_an_error(#[case] body: Value) {
    let upstream = hearing(body).await;
    let app = TestApp::on(&upstream);
    app.call("CreateTranscription")
        .body(&sound(&json!({})))
        .fails(502, "upstream_error")
        .await;
}

#[rstest]
#[case("model", json!(""))]
#[case("file", json!(null))]
#[case("language", json!("English"))]
#[case("language", json!("MI"))]
#[case("temperature", json!(1.01))]
#[case("temperature", json!(-0.01))]
#[case("prompt", json!("Names: Seedream"))]
#[tokio::test]
async fn an_input_at_fault_is_refused_by_name(#[case] name: &str, #[case] value: Value) {
    let mut body = sound(&json!({}));
    body[name] = value;
    sandbox()
        .call("CreateTranscription")
        .body(&body)
        .refused(name)
        .await;
}

/// A WAV file of this many seconds of silence.
fn silence(seconds: u32) -> Vec<u8> {
    let rate = 8_000_u32;
    let length = rate * seconds;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend(b"\x01\0\x08\0data");
    file.extend(length.to_le_bytes());
    file.resize(file.len() + usize::try_from(length).unwrap(), 0x80);
    file
}

#[tokio::test]
async fn the_simulated_transcript_tells_how_long_the_sound_is() {
    for seconds in [1, 3] {
        let file = BASE64.encode(&silence(seconds));
        let body = json!({"model": "openai/gpt-4o-transcribe", "file": {"content": file}, "language": "FR"});
        let answer = sandbox()
            .call("CreateTranscription")
            .body(&body)
            .ok()
            .await
            .json;
        assert_eq!(answer["duration"], seconds);
        assert_eq!(answer["language"], "fr");
        assert!((answer["cost"].as_f64().unwrap() - f64::from(seconds) * 0.0001).abs() < 1e-9);
    }
}
