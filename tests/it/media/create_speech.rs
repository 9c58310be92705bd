//! Create speech: sound as a file in JSON, or the sound itself.

use data_encoding::BASE64;
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{Answer, KEY, TestApp, Upstream, sandbox, upstream::header};

const SPEECH: &str = "/audio/speech";

/// An OpenRouter that answers with this sound.
async fn sounding(bytes: &[u8], kind: &str) -> Upstream {
    let upstream = Upstream::start().await;
    let sound = ResponseTemplate::new(200)
        .insert_header("x-generation-id", "gen-tts-1")
        .set_body_raw(bytes, kind);
    upstream.responds(SPEECH, sound).await;
    upstream
}

fn text(input: &str) -> Value {
    json!({"model": "unknown/model", "input": input, "voice": "alloy"})
}

fn with(mut body: Value, name: &str, value: impl Into<Value>) -> Value {
    body[name] = value.into();
    body
}

#[rstest]
#[case::default(json!({}), json!({"response_format": "mp3"}))]
#[case::mp3(json!({"response_format": "mp3"}), json!({"response_format": "mp3"}))]
#[case::pcm(json!({"response_format": "pcm", "speed": 1.25}), json!({"response_format": "pcm", "speed": 1.25}))]
#[case::wav(json!({"response_format": "wav", "speed": null}), json!({"response_format": "pcm"}))]
#[tokio::test]
async fn upstream_gets_what_it_can_do(#[case] wish: Value, #[case] expected: Value) {
    let upstream = sounding(b"ID3\x04\0", "audio/mpeg").await;
    let merged = |mut into: Value, from: Value| {
        into.as_object_mut()
            .unwrap()
            .extend(from.as_object().unwrap().clone());
        into
    };
    let body = merged(text("Hello, {name}!\n"), wish);
    TestApp::on(&upstream)
        .call("CreateSpeech")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        upstream.sent(SPEECH).await,
        merged(text("Hello, {name}!\n"), expected)
    );
    let call = upstream.call(SPEECH).await;
    assert_eq!(header(&call, "authorization"), format!("Bearer {KEY}"));
}

#[rstest]
#[case("mp3", "mp3", "audio/mpeg", b"ID3\x04\0\xff".to_vec())]
#[case("pcm", "pcm", "audio/pcm", b"ID3\x04\0\xff".to_vec())]
#[tokio::test]
async fn the_answer_is_a_file_at_the_top(
    #[case] format: &str,
    #[case] extension: &str,
    #[case] mime: &str,
    #[case] file: Vec<u8>,
) {
    let upstream = sounding(&file, "application/octet-stream").await;
    let body = with(text("Hello."), "response_format", format);
    let answer = TestApp::on(&upstream)
        .call("CreateSpeech")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        answer.json,
        json!({
            "name": format!("speech.{extension}"), "extension": extension, "mime_type": mime,
            "size": file.len(), "content": BASE64.encode(&file), "id": "gen-tts-1",
            "model": "unknown/model", "warnings": [], "status": "completed",
        })
    );
    assert_eq!(answer.header("x-generation-id"), "gen-tts-1");
}

#[rstest]
#[case::no_rate("audio/pcm", 24_000, 1)]
#[case::rate("audio/pcm;rate=16000", 16_000, 1)]
#[case::stereo("audio/pcm; rate=44100; channels=2", 44_100, 2)]
#[tokio::test]
async fn a_wav_gets_the_header_that_its_samples_need(
    #[case] kind: &str,
    #[case] rate: u32,
    #[case] channels: u16,
) {
    let upstream = sounding(&[7; 96], kind).await;
    let body = with(text("Hello."), "response_format", "wav");
    let answer = TestApp::on(&upstream)
        .call("CreateSpeech")
        .body(&body)
        .ok()
        .await;
    let file = BASE64
        .decode(answer.json["content"].as_str().unwrap().as_bytes())
        .unwrap();
    assert_eq!(
        (&answer.json["extension"], &answer.json["mime_type"]),
        (&json!("wav"), &json!("audio/wav"))
    );
    let wav = Wav::read(&file);
    assert_eq!((wav.rate, wav.channels, wav.bits), (rate, channels, 16));
    assert_eq!(wav.samples, [7; 96]);
}

/// A WAV file, read as a player reads it.
struct Wav<'a> {
    rate: u32,
    channels: u16,
    bits: u16,
    samples: &'a [u8],
}

impl<'a> Wav<'a> {
    fn read(file: &'a [u8]) -> Self {
        let long = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let short = |at: usize| u16::from_le_bytes(file[at..at + 2].try_into().unwrap());
        assert_eq!(
            (&file[..4], &file[8..16], &file[36..40]),
            (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..])
        );
        assert_eq!((long(16), short(20)), (16, 1), "PCM");
        assert_eq!(usize::try_from(long(4)).unwrap() + 8, file.len());
        assert_eq!(usize::try_from(long(40)).unwrap() + 44, file.len());
        let wav = Self {
            rate: long(24),
            channels: short(22),
            bits: short(34),
            samples: &file[44..],
        };
        let frame = u32::from(wav.channels) * u32::from(wav.bits) / 8;
        assert_eq!((long(28), u32::from(short(32))), (wav.rate * frame, frame));
        wav
    }
}

/// The sound itself, as it comes for this `Accept`.
async fn raw(app: &TestApp, body: &Value, accept: &str) -> Answer {
    let call = app.call("CreateSpeech").body(body);
    call.header("accept", accept).ok().await
}

#[rstest]
#[case("audio/mpeg")]
#[case("audio/*")]
#[case("Audio/*;q=0.9, */*")]
#[case("application/octet-stream")]
#[tokio::test]
async fn who_accepts_sound_gets_the_sound_itself(#[case] accept: &str) {
    let upstream = sounding(b"ID3\x04\0\xff\0\x01", "audio/mpeg").await;
    let app = TestApp::on(&upstream);
    let answer = raw(&app, &text("Hello."), accept).await;
    assert_eq!(answer.bytes, b"ID3\x04\0\xff\0\x01");
    assert_eq!(answer.header("content-type"), "audio/mpeg");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"speech.mp3\""
    );
    assert_eq!(answer.header("x-generation-id"), "gen-tts-1");
}

#[rstest]
#[case("application/json")]
#[case("*/*")]
#[case("application/json, audio/*")]
#[tokio::test]
async fn anybody_else_gets_json(#[case] accept: &str) {
    let upstream = sounding(b"ID3\x04\0", "audio/mpeg").await;
    let app = TestApp::on(&upstream);
    let answer = app
        .call("CreateSpeech")
        .body(&text("Hello."))
        .header("accept", accept)
        .ok()
        .await;
    assert_eq!(answer.json["size"], 5);
}

#[tokio::test]
async fn a_failure_is_json_even_for_who_accepts_sound() {
    let upstream = Upstream::start().await;
    let error = json!({"error": {"code": 402, "message": "Insufficient credits"}});
    upstream
        .responds(SPEECH, ResponseTemplate::new(402).set_body_json(error))
        .await;
    let app = TestApp::on(&upstream);
    let call = || {
        app.call("CreateSpeech")
            .body(&text("Hello."))
            .header("accept", "audio/*")
    };
    call().fails(402, "insufficient_credits").await;

    let inside = json!({"error": {"code": 429, "message": "Slow down"}});
    upstream.forget().await;
    upstream.answers(SPEECH, inside).await;
    assert!(call().send().await.status >= 400);
}

#[rstest]
#[case::nothing(b"".as_slice(), "audio/mpeg", 502)]
#[case::json(b"{}".as_slice(), "application/json", 502)]
#[case::an_error(br#"{"error": {"code": 403, "message": "Flagged"}}"#.as_slice(), "application/json", 403)]
#[tokio::test]
async fn an_answer_without_sound_is_an_error(
    #[case] body: &[u8],
    #[case] kind: &str,
    #[case] status: u16,
) {
    let upstream = sounding(body, kind).await;
    for format in ["mp3", "wav"] {
        let body = with(text("Hello."), "response_format", format);
        let answer = TestApp::on(&upstream)
            .call("CreateSpeech")
            .body(&body)
            .send()
            .await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}

#[rstest]
#[case("model", json!(""))]
#[case("input", json!(""))]
#[case("input", json!(null))]
#[case("input", json!(5))]
#[case("voice", json!(""))]
#[case("response_format", json!("ogg"))]
#[case("response_format", json!("MP3"))]
#[case("speed", json!(0.05))]
#[case("speed", json!(10.1))]
#[case("speed", json!("1"))]
#[case("instructions", json!("Whisper."))]
#[tokio::test]
async fn an_input_at_fault_is_refused_by_name(#[case] name: &str, #[case] value: Value) {
    let body = with(text("Hello."), name, value);
    sandbox()
        .call("CreateSpeech")
        .body(&body)
        .refused(name)
        .await;
}

const SIMULATED: &str = "openai/gpt-4o-mini-tts";

#[tokio::test]
async fn the_simulated_wav_plays_as_long_as_its_samples() {
    let body = json!({"model": SIMULATED, "input": "One two three.", "voice": "alloy", "response_format": "pcm"});
    let pcm = sandbox().call("CreateSpeech").body(&body).ok().await.json;
    let wav = sandbox()
        .call("CreateSpeech")
        .body(&with(body, "response_format", "wav"))
        .ok()
        .await
        .json;
    let bytes = |file: &Value| {
        BASE64
            .decode(file["content"].as_str().unwrap().as_bytes())
            .unwrap()
    };
    let (pcm, file) = (bytes(&pcm), bytes(&wav));
    let wav = Wav::read(&file);
    assert_eq!(wav.samples, pcm);
    assert_eq!((wav.rate, wav.channels, wav.bits), (24_000, 1, 16));
    assert!(pcm.len() > 24_000, "less than half a second");

    // And whoever listens to it hears exactly that long.
    let body =
        json!({"model": "openai/whisper-large-v3", "file": {"content": BASE64.encode(&file)}});
    let heard = sandbox()
        .call("CreateTranscription")
        .body(&body)
        .ok()
        .await
        .json;
    let seconds = heard["duration"].as_f64().unwrap();
    let samples = f64::from(u32::try_from(pcm.len() / 2).unwrap());
    assert!(
        (seconds - samples / 24_000.0).abs() < 0.011,
        "{seconds} for {samples} samples"
    );
}

#[rstest]
#[case("mp3", "audio/mpeg")]
#[case("pcm", "audio/pcm")]
#[tokio::test]
async fn the_simulated_sound_is_the_same_in_both_forms(#[case] format: &str, #[case] mime: &str) {
    let body = json!({"model": SIMULATED, "input": "One two three.", "voice": "nova", "response_format": format});
    let json = sandbox().call("CreateSpeech").body(&body).ok().await.json;
    let file = BASE64
        .decode(json["content"].as_str().unwrap().as_bytes())
        .unwrap();
    for accept in ["audio/*", "application/octet-stream"] {
        let answer = raw(sandbox(), &body, accept).await;
        assert_eq!(answer.header("content-type"), mime);
        let (raw, json) = (answer.bytes.len(), file.len());
        assert!(answer.bytes == file, "{raw} and {json} bytes");
    }
}

/// The length is not known when the header leaves, so it says "until the end".
#[tokio::test]
async fn a_wav_that_is_streamed_has_the_same_samples() {
    let body =
        json!({"model": SIMULATED, "input": "One two.", "voice": "nova", "response_format": "wav"});
    let json = sandbox().call("CreateSpeech").body(&body).ok().await.json;
    let file = BASE64
        .decode(json["content"].as_str().unwrap().as_bytes())
        .unwrap();
    let answer = raw(sandbox(), &body, "audio/wav").await;
    assert_eq!(answer.header("content-type"), "audio/wav");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"speech.wav\""
    );
    let bytes = answer.bytes;
    for lengths in [4..8, 40..44] {
        assert!(u32::from_le_bytes(bytes[lengths].try_into().unwrap()) >= u32::MAX - 36);
    }
    assert_eq!((&bytes[..4], &bytes[8..40]), (&file[..4], &file[8..40]));
    assert!(bytes[44..] == file[44..]);
}

/// A file that breaks off must never look complete.
#[tokio::test]
async fn a_sound_that_breaks_off_fails_in_both_forms() {
    let body =
        json!({"model": "sandbox/error-after-text", "input": "One two three.", "voice": "a"});
    sandbox()
        .call("CreateSpeech")
        .body(&body)
        .fails(502, "upstream_error")
        .await;
    let address = format!("{}/api/v1/audio/speech", sandbox().base());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .post(address)
        .bearer_auth(KEY)
        .header("accept", "audio/*")
        .body(body.to_string());
    let response = request
        .header("content-type", "application/json")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
}
