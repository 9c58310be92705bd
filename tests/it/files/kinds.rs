//! What a file is: by its first bytes, then its stated type, then its name; and its place.

use rstest::rstest;
use serde_json::{Value, json};

use super::{ANY, base64, part};
use crate::support::{PDF, PNG, TestApp, Upstream, WAV, sandbox, upstream::CHAT};

/// Bytes that begin like nothing that is known, and are no text.
const UNKNOWN: &[u8] = b"\x00\x01\x02\xff\xfe unknown";

/// A packed file with these files in it, all empty.
fn zip(names: &[&str]) -> Vec<u8> {
    let mut file = Vec::new();
    for name in names {
        file.extend_from_slice(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        file.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        file.extend_from_slice(b"\0\0");
        file.extend_from_slice(name.as_bytes());
        // The search for the next header begins some bytes after this one.
        file.extend_from_slice(&[0; 64]);
    }
    file
}

fn word() -> Vec<u8> {
    zip(&[
        "[Content_Types].xml",
        "_rels/.rels",
        "word/document.xml",
        "word/styles.xml",
    ])
}

fn webm() -> Vec<u8> {
    let mut file = b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm".to_vec();
    file.resize(300, 0);
    file
}

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

#[rstest]
#[case::jpeg(b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg")]
#[case::gif(b"GIF89a\x01\0\x01\0", "image/gif")]
#[case::webp(b"RIFF\x04\0\0\0WEBPVP8 ", "image/webp")]
#[case::bmp(b"BM\x36\0\0\0\0\0", "image/bmp")]
#[tokio::test]
async fn an_image_is_one_whatever_is_said_of_it(#[case] bytes: &[u8], #[case] mime: &str) {
    for stated in [
        json!({}),
        json!({"name": "a.txt", "mime_type": "application/pdf"}),
    ] {
        let mut file = stated;
        file["content"] = json!(base64(bytes));
        let url = format!("data:{mime};base64,{}", base64(bytes));
        let expected = json!({"type": "image_url", "image_url": {"url": url}});
        assert_eq!(part(ANY, &file).await, (vec![], expected));
    }
}

#[rstest]
#[case::wav(data_encoding::BASE64.decode(WAV.as_bytes()).unwrap(), "wav")]
#[case::mp3_with_tags(b"ID3\x04\0\0\0\0\0\0\xff\xfb".to_vec(), "mp3")]
#[case::mp3(b"\xff\xfb\x90\x64\0\0".to_vec(), "mp3")]
#[case::flac(b"fLaC\0\0\0\x22".to_vec(), "flac")]
#[case::m4a(b"\0\0\0\x20ftypM4A \0\0\0\0".to_vec(), "m4a")]
#[case::ogg(b"OggS\0\x02\0\0\0\0\0\0".to_vec(), "ogg")]
#[case::aac(b"\xff\xf1\x50\x80\0\0".to_vec(), "aac")]
#[tokio::test]
async fn a_sound_is_one_by_its_bytes(#[case] bytes: Vec<u8>, #[case] format: &str) {
    let audio = json!({"data": base64(&bytes), "format": format});
    let expected = json!({"type": "input_audio", "input_audio": audio});
    let file = json!({"name": "a.png", "content": base64(&bytes)});
    assert_eq!(part(ANY, &file).await, (vec![], expected));
}

#[rstest]
#[case::mp4(b"\0\0\0\x18ftypisom\0\0\x02\0isom".to_vec(), "video/mp4")]
#[case::mov(b"\0\0\0\x14ftypqt  \0\0\0\0qt  ".to_vec(), "video/quicktime")]
#[case::webm(webm(), "video/webm")]
#[case::mpeg(b"\0\0\x01\xba\x44\0".to_vec(), "video/mpeg")]
#[tokio::test]
async fn a_film_is_one_by_its_bytes(#[case] bytes: Vec<u8>, #[case] mime: &str) {
    let url = format!("data:{mime};base64,{}", base64(&bytes));
    let expected = json!({"type": "video_url", "video_url": {"url": url}});
    let file = json!({"name": "notes.txt", "content": base64(&bytes)});
    assert_eq!(part(ANY, &file).await, (vec![], expected));
}

#[tokio::test]
async fn a_document_of_word_is_found_in_its_package() {
    for name in [None, Some("report.docx"), Some("picture.png")] {
        let file = json!({"name": name, "content": base64(&word())});
        let (_, part) = part(ANY, &file).await;
        let data = format!("data:{DOCX};base64,{}", base64(&word()));
        let expected = json!({"filename": name.unwrap_or("file.docx"), "file_data": data});
        assert_eq!(part, json!({"type": "file", "file": expected}));
    }
}

/// A container says less than what is stated, as long as the one can be in the other.
#[rstest]
#[case::packed_document(zip(&["content.xml"]), json!({"name": "a.xlsx"}), "/file/file_data", "data:application/vnd.openxmlformats-officedocument.spreadsheetml.sheet;base64,")]
#[case::sound_in_mp4(b"\0\0\0\x18ftypmp42\0\0\0\0".to_vec(), json!({"name": "voice.m4a"}), "/input_audio/format", "m4a")]
#[case::sound_in_webm(webm(), json!({"mime_type": "audio/webm"}), "/input_audio/format", "webm")]
#[case::no_image_in_mp4(b"\0\0\0\x18ftypmp42\0\0\0\0".to_vec(), json!({"name": "a.png"}), "/video_url/url", "data:video/mp4;base64,")]
#[tokio::test]
async fn what_is_in_a_container_is_what_was_stated(
    #[case] bytes: Vec<u8>,
    #[case] mut file: Value,
    #[case] pointer: &str,
    #[case] start: &str,
) {
    file["content"] = json!(base64(&bytes));
    let (_, part) = part(ANY, &file).await;
    let found = part
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default();
    assert!(found.starts_with(start), "{part}");
}

#[rstest]
#[case::mime(json!({"mime_type": "image/png"}), "/image_url/url", "data:image/png;base64,")]
#[case::mime_before_name(json!({"mime_type": "image/png", "name": "a.pdf"}), "/image_url/url", "data:image/png;base64,")]
#[case::mime_with_parameters(json!({"mime_type": "Application/PDF; version=1"}), "/file/file_data", "data:application/pdf;base64,")]
#[case::mime_by_another_name(json!({"mime_type": "audio/x-wav"}), "/input_audio/format", "wav")]
#[case::name(json!({"name": "Film.MP4"}), "/video_url/url", "data:video/mp4;base64,")]
#[case::name_with_dots(json!({"name": "a.png.pdf"}), "/file/file_data", "data:application/pdf;base64,")]
#[case::name_where_the_mime_says_nothing(json!({"mime_type": "application/octet-stream", "name": "a.pdf"}), "/file/file_data", "data:application/pdf;base64,")]
#[tokio::test]
async fn bytes_that_say_nothing_are_what_is_stated_of_them(
    #[case] mut file: Value,
    #[case] pointer: &str,
    #[case] start: &str,
) {
    file["content"] = json!(base64(UNKNOWN));
    let (_, part) = part(ANY, &file).await;
    let found = part
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default();
    assert!(found.starts_with(start), "{part}");
}

/// Many services say `application/octet-stream` of every file; the maker's own word counts then.
#[tokio::test]
async fn a_type_that_says_nothing_does_not_hide_the_makers_own() {
    let content = json!({"$content-type": "application/octet-stream", "$content": base64(UNKNOWN)});
    let file = json!({"mime_type": "application/pdf", "content": content});
    let (_, part) = part(ANY, &file).await;
    assert_eq!(part["type"], "file", "{part}");
}

#[rstest]
#[case::nothing(json!({}))]
#[case::octets(json!({"mime_type": "application/octet-stream"}))]
#[case::unknown_mime(json!({"mime_type": "application/x-unknown", "name": "a.unknown"}))]
#[case::no_ending(json!({"name": "README"}))]
#[tokio::test]
async fn bytes_of_an_unknown_kind_are_refused(#[case] mut file: Value) {
    file["content"] = json!(base64(UNKNOWN));
    refused(file, "attachments[0].content").await;
}

#[rstest]
#[case::packed(zip(&["a.txt"]), json!({}))]
#[case::packed_under_the_name_of_a_text(zip(&["a.txt"]), json!({"name": "a.txt"}))]
#[case::program(b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff".to_vec(), json!({}))]
#[tokio::test]
async fn what_no_model_reads_is_refused(#[case] bytes: Vec<u8>, #[case] mut file: Value) {
    file["content"] = json!(base64(&bytes));
    refused(file, "attachments[0].content").await;
}

async fn refused(file: Value, field: &str) {
    let body = json!({"model": ANY, "role": "user", "content": "Look.", "attachments": [file]});
    sandbox()
        .call("ChatCompletion")
        .body(&body)
        .refused(field)
        .await;
}

/// The model's abilities: `openai/gpt-4o` sees and reads files, but neither hears nor watches.
#[rstest]
#[case::image(json!({"content": PNG}), None)]
#[case::document(json!({"content": PDF}), None)]
#[case::text(json!({"content": "SGFsbG8="}), None)]
#[case::sound(json!({"name": "a.wav", "content": WAV}), Some("audio"))]
#[case::film(json!({"name": "a.mp4", "content": "AAAAGGZ0eXBpc29tAAACAGlzb20="}), Some("video"))]
#[case::film_at_an_address(json!({"url": "https://a.example/a.mp4"}), Some("video"))]
#[tokio::test]
async fn what_a_model_cannot_take_is_named_or_refused(
    #[case] file: Value,
    #[case] ability: Option<&str>,
) {
    let model = "openai/gpt-4o";
    let (warnings, part) = part(model, &file).await;
    assert_eq!(part.is_null(), ability.is_some(), "{part}");
    let expected: Vec<_> = ability
        .map(|ability| {
            let name = file["name"].as_str().unwrap_or("a.mp4");
            format!("The file {name} was not sent: {model} does not take {ability} input.")
        })
        .into_iter()
        .collect();
    assert_eq!(warnings, expected);

    // With nothing beside it, there is nothing left to send.
    let bodies = [
        (
            "ChatCompletion",
            json!({"model": model, "role": "user", "attachments": [file]}),
            "attachments",
        ),
        (
            "Ask",
            json!({"model": model, "attachments": [file]}),
            "attachments",
        ),
        (
            "Ask",
            json!({"model": model, "format": "ADVANCED", "messages": [
                {"role": "user", "content": "a"}, {"role": "user", "content": "", "attachments": [file]},
            ]}),
            "messages[1].attachments",
        ),
    ];
    for (operation, body, field) in bodies {
        let upstream = Upstream::chatting(crate::support::upstream::chat("Hello.")).await;
        let app = TestApp::on(&upstream);
        let call = app.call(operation).body(&body);
        if ability.is_some() {
            let answer = call.refused(field).await;
            assert!(answer.message().contains(model), "{}", answer.message());
            assert!(upstream.calls(CHAT).await.is_empty());
        } else {
            assert!(call.ok().await.warnings().is_empty());
        }
    }
}

/// The wrong kind of file for what it is meant to be.
#[rstest]
#[case("CreateTranscription", json!({"file": {"content": PNG}}), "file")]
#[case("CreateTranscription", json!({"file": {"content": "SGFsbG8="}}), "file")]
#[case("CreateTranscription", json!({"file": {"name": "a.mov", "content": base64(b"\0\0\0\x14ftypqt  \0\0\0\0qt  ")}}), "file")]
#[case("CreateTranscription", json!({"file": {"url": "https://a.example/a.mp3"}}), "file.url")]
#[case("CreateTranscription", json!({"file": {"content": "!"}}), "file.content")]
#[case("CreateTranscription", json!({"file": {}}), "file.content")]
#[case("CreateTranscription", json!({"file": "UklGRg=="}), "file")]
#[case("CreateVideo", json!({"first_frame": {"content": PDF}}), "first_frame")]
#[case("CreateVideo", json!({"last_frame": {"name": "a.wav", "content": WAV}}), "last_frame")]
#[case("CreateVideo", json!({"first_frame": {"content": "!"}}), "first_frame.content")]
#[case("CreateVideo", json!({"first_frame": {"url": "http://a.example/a.png"}}), "first_frame.url")]
#[case("CreateImage", json!({"attachments": [{"content": PNG}, {"content": PDF}]}), "attachments[1]")]
#[case("CreateImage", json!({"attachments": [{"content": WAV}]}), "attachments[0]")]
#[case("CreateImage", json!({"attachments": [{"url": "https://a.example/a.txt"}]}), "attachments[0].url")]
#[tokio::test]
async fn a_file_of_the_wrong_kind_is_refused_by_its_path(
    #[case] operation: &str,
    #[case] mut body: Value,
    #[case] field: &str,
) {
    body["model"] = json!(ANY);
    if operation != "CreateTranscription" {
        body["prompt"] = json!("A cat.");
    }
    sandbox().call(operation).body(&body).refused(field).await;
}
