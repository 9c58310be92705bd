//! Text files: read in their encoding, joined to the prompt, never guessed at in silence.

use proptest::{prelude::*, test_runner::TestRunner};
use rstest::rstest;
use serde_json::{Value, json};

use super::{ANY, base64, part};
use crate::support::{
    TestApp, Upstream, block_on, cases,
    upstream::{CHAT, chat},
};

fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[rstest]
#[case::utf_8("Grüße €".as_bytes().to_vec(), json!({}))]
#[case::utf_8_mark("\u{feff}Grüße €".as_bytes().to_vec(), json!({}))]
#[case::utf_16_le(utf_16("\u{feff}Grüße €", u16::to_le_bytes), json!({}))]
#[case::utf_16_be(utf_16("\u{feff}Grüße €", u16::to_be_bytes), json!({}))]
#[case::stated_utf_16(utf_16("Grüße €", u16::to_le_bytes), json!({"mime_type": "text/plain; charset=utf-16le"}))]
#[case::mark_before_statement("\u{feff}Grüße €".as_bytes().to_vec(), json!({"mime_type": "text/plain; charset=iso-8859-1"}))]
#[case::windows(b"Gr\xfc\xdfe \x80".to_vec(), json!({"mime_type": "text/csv;charset=windows-1252"}))]
#[case::capitals(b"Gr\xfc\xdfe \x80".to_vec(), json!({"mime_type": "text/plain; Charset=\"ISO-8859-1\""}))]
#[case::second_parameter(b"Gr\xfc\xdfe \x80".to_vec(), json!({"mime_type": "text/plain; format=flowed; charset = latin1"}))]
#[case::latin_9(b"Gr\xfc\xdfe \xa4".to_vec(), json!({"mime_type": "text/plain; charset=iso-8859-15"}))]
#[case::unknown_charset("Grüße €".as_bytes().to_vec(), json!({"mime_type": "text/plain; charset=klingon"}))]
#[tokio::test]
async fn a_text_is_read_in_its_encoding(#[case] bytes: Vec<u8>, #[case] mut file: Value) {
    file["name"] = json!("a.txt");
    file["content"] = json!(base64(&bytes));
    let (warnings, part) = part(ANY, &file).await;
    assert_eq!(part, json!({"type": "text", "text": "a.txt:\n\nGrüße €"}));
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[rstest]
#[case::in_a_data_uri(json!("data:text/plain;charset=iso-8859-1;base64,R3L832U="))]
#[case::escaped(json!("data:text/plain;charset=ISO-8859-1,Gr%FC%DFe"))]
#[case::escaped_utf_8(json!("data:,Gr%C3%BC%C3%9Fe"))]
#[case::object(json!({"$content-type": "text/plain; charset=iso-8859-1", "$content": "R3L832U="}))]
#[tokio::test]
async fn the_charset_may_come_with_the_content(#[case] content: Value) {
    let (warnings, part) = part(ANY, &json!({"name": "a.txt", "content": content})).await;
    assert_eq!(part["text"], "a.txt:\n\nGrüße");
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[rstest]
#[case::as_utf_8(b"Gr\xfc\xdfe".to_vec(), "text/plain", "UTF-8")]
#[case::against_its_statement(b"Gr\xfc\xdfe".to_vec(), "text/plain; charset=utf-8", "UTF-8")]
#[tokio::test]
async fn a_text_that_is_not_in_its_encoding_is_read_and_named(
    #[case] bytes: Vec<u8>,
    #[case] mime: &str,
    #[case] encoding: &str,
) {
    let file = json!({"name": "a.txt", "mime_type": mime, "content": base64(&bytes)});
    let (warnings, part) = part(ANY, &file).await;
    assert_eq!(
        warnings,
        [format!(
            "The file a.txt is not valid {encoding}; it was read as Windows-1252."
        )]
    );
    assert!(part["text"].as_str().unwrap().contains("Gr"), "{part}");
}

#[tokio::test]
async fn a_text_that_ends_in_half_a_letter_keeps_the_rest() {
    let file = json!({"name": "a.txt", "content": base64(b"\xff\xfeG\0r\0\xfc")});
    let (warnings, part) = part(ANY, &file).await;
    assert_eq!(part["text"], "a.txt:\n\nGr\u{fffd}");
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}");
    };
    assert!(
        warning.starts_with("The file a.txt is not valid UTF-16LE"),
        "{warning}"
    );
}

/// Some signatures are short words; a text that begins with one stays a text.
#[rstest]
#[case("BMW sold more.")]
#[case("GIF files are pictures.")]
#[case("ID3 tags name songs.")]
#[case("MZ is a prefix.")]
#[case("#!/bin/sh\necho")]
#[case("<html><body>Hi</body></html>")]
#[case("<?xml version=\"1.0\"?><a/>")]
#[case("{\"a\": 1}")]
#[case("12345678WEBP")]
#[case("\u{1}\u{2}")]
#[tokio::test]
async fn a_text_that_begins_like_something_else_stays_a_text(#[case] text: &str) {
    for name in ["a.csv", "a.txt", "a.unknown", "README"] {
        let file = json!({"name": name, "content": base64(text.as_bytes())});
        let (warnings, part) = part(ANY, &file).await;
        assert_eq!(
            part,
            json!({"type": "text", "text": format!("{name}:\n\n{text}")})
        );
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[tokio::test]
async fn a_text_joins_the_prompt_of_an_image() {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    let body = json!({"model": ANY, "prompt": "Draw this.", "attachments": [
        {"name": "scene.txt", "content": base64("A cat.".as_bytes())},
    ]});
    app.call("CreateImage").body(&body).send().await;
    let sent = upstream.sent("/images").await;
    assert_eq!(sent["prompt"], "Draw this.\n\nscene.txt:\n\nA cat.");
    assert!(sent.get("input_references").is_none());
}

#[test]
fn any_text_arrives_letter_by_letter() {
    let upstream = block_on(Upstream::chatting(chat("Hello.")));
    let app = TestApp::on(&upstream);
    TestRunner::new(cases(128))
        .run(&any::<String>(), |text| {
            // A mark at the very start is no part of the text.
            let text = format!(".{text}");
            block_on(async {
                let file = json!({"name": "a.txt", "content": base64(text.as_bytes())});
                let body =
                    json!({"model": ANY, "role": "user", "content": text, "attachments": [file]});
                app.call("ChatCompletion").body(&body).ok().await;
                let calls = upstream.calls(CHAT).await;
                let sent: Value = calls.last().unwrap().body_json().unwrap();
                let parts = &sent["messages"][0]["content"];
                assert_eq!(parts[0]["text"], text);
                assert_eq!(parts[1]["text"], format!("a.txt:\n\n{text}"));
            });
            Ok(())
        })
        .unwrap();
}
