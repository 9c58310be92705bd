//! Encodings: whatever bytes go in, in whatever form, the same bytes arrive upstream.

use std::fmt::Write as _;

use data_encoding::{BASE64, BASE64_MIME, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use rstest::rstest;
use serde_json::{Value, json};

use super::{ANY, part};
use crate::support::{
    PDF, PNG, TestApp, Upstream, block_on, cases, sandbox,
    upstream::{CHAT, chat},
};

/// Every form in which makers' tools write `bytes` of this type.
fn forms(bytes: &[u8], mime: &str) -> Vec<Value> {
    let standard = BASE64.encode(bytes);
    let mut escaped = String::new();
    for byte in bytes {
        let _ = write!(escaped, "%{byte:02X}");
    }
    vec![
        json!(standard),
        json!(BASE64_NOPAD.encode(bytes)),
        json!(BASE64URL.encode(bytes)),
        json!(BASE64URL_NOPAD.encode(bytes)),
        json!(BASE64_MIME.encode(bytes)),
        json!(format!(" \t{standard}\n")),
        json!(format!("data:{mime};base64,{standard}")),
        json!(format!("DATA:{mime};BASE64,{standard}")),
        json!(format!(
            "data:{mime};name=a.pdf;base64,{}",
            BASE64URL_NOPAD.encode(bytes)
        )),
        json!(format!(
            "data:{mime};base64,{}",
            standard.replace('+', "%2B").replace('=', "%3D")
        )),
        json!(format!("data:{mime},{escaped}")),
        json!({"$content-type": mime, "$content": standard}),
        json!({"$content-type": mime, "$content": BASE64URL_NOPAD.encode(bytes)}),
        json!({"$content-type": mime, "$content": format!("data:{mime};base64,{standard}")}),
        json!({"$content": standard}),
    ]
}

/// What upstream was sent last as `pointer` says, decoded.
async fn arrived(upstream: &Upstream, at: &str, pointer: &str) -> Vec<u8> {
    let calls = upstream.calls(at).await;
    let sent: Value = calls.last().unwrap().body_json().unwrap();
    let data = sent
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{sent}"));
    let data = data.rsplit(',').next().unwrap();
    BASE64.decode(data.as_bytes()).unwrap()
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

#[test]
fn any_document_in_any_form_arrives_byte_for_byte() {
    let upstream = block_on(Upstream::chatting(chat("Hello.")));
    let app = TestApp::on(&upstream);
    TestRunner::new(cases(192))
        .run(&(any_bytes(), any::<prop::sample::Index>()), |(rest, form)| {
            let bytes = [b"%PDF-1.4\n".as_slice(), &rest].concat();
            let forms = forms(&bytes, "application/pdf");
            let content = form.get(&forms);
            block_on(async {
                let body = json!({"model": ANY, "role": "user", "attachments": [{"content": content}]});
                app.call("ChatCompletion").body(&body).ok().await;
                let pointer = "/messages/0/content/0/file/file_data";
                assert_eq!(arrived(&upstream, CHAT, pointer).await, bytes, "{content}");
            });
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_sound_in_any_form_arrives_byte_for_byte() {
    let upstream = block_on(async {
        let upstream = Upstream::start().await;
        upstream
            .answers("/audio/transcriptions", json!({"text": "Hello."}))
            .await;
        upstream
    });
    let app = TestApp::on(&upstream);
    TestRunner::new(cases(64))
        .run(
            &(any_bytes(), any::<prop::sample::Index>()),
            |(rest, form)| {
                let bytes = [b"RIFF\0\0\0\0WAVE".as_slice(), &rest].concat();
                let forms = forms(&bytes, "audio/wav");
                let content = form.get(&forms);
                block_on(async {
                    let body = json!({"model": ANY, "file": {"content": content}});
                    app.call("CreateTranscription").body(&body).ok().await;
                    let arrived = arrived(&upstream, "/audio/transcriptions", "/input_audio/data");
                    assert_eq!(arrived.await, bytes, "{content}");
                });
                Ok(())
            },
        )
        .unwrap();
}

/// An operation, its body around a file, and the path of the file.
type Place = (&'static str, fn(Value) -> Value, &'static str);

/// Whatever is sent as a file, in every place of a file, the answer is proper: a success or a
/// `400` that names a place in the file.
#[test]
fn any_rubbish_as_a_file_is_refused_properly() {
    let places: [Place; 3] = [
        (
            "Ask",
            |file| json!({"model": ANY, "user_prompt": "a", "attachments": [file]}),
            "attachments[0]",
        ),
        (
            "CreateVideo",
            |file| json!({"model": ANY, "prompt": "a", "first_frame": file}),
            "first_frame",
        ),
        (
            "CreateTranscription",
            |file| json!({"model": ANY, "file": file}),
            "file",
        ),
    ];
    let upstream = block_on(Upstream::chatting(chat("Hello.")));
    let app = TestApp::on(&upstream);
    let text = prop_oneof![
        "[A-Za-z0-9+/=_-]{0,12}",
        "data:[a-z/;=,%0-9]{0,16}",
        "https?://[a-z.:/@?#]{0,12}",
        any::<String>(),
    ];
    let leaf = prop_oneof![
        text.prop_map(Value::from),
        Just(json!(null)),
        Just(json!(7)),
        Just(json!([])),
        Just(json!({}))
    ];
    let names = select(vec![
        "name",
        "mime_type",
        "content",
        "url",
        "$content",
        "x-other",
        "Content",
    ]);
    let file = prop::collection::vec((names, leaf), 0..4).prop_map(|fields| {
        Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    });
    TestRunner::new(cases(128))
        .run(
            &(file, select(places.to_vec())),
            |(file, (operation, body, path))| {
                block_on(async {
                    let answer = app.call(operation).body(&body(file.clone())).send().await;
                    if answer.status == 400 {
                        assert!(
                            answer.field().starts_with(path),
                            "{operation} {file}: {}",
                            answer.text
                        );
                    } else {
                        // Upstream is told nothing of videos and sounds, and so knows no such path.
                        assert!(
                            [200, 404].contains(&answer.status),
                            "{operation} {file}: {}",
                            answer.text
                        );
                    }
                });
                Ok(())
            },
        )
        .unwrap();
}

#[rstest]
#[case::foreign_letters("SGFs*G8=")]
#[case::one_letter("Q")]
#[case::one_letter_too_many("SGFsbG8=A")]
#[case::two_contents_in_one("SGFsbA==SGFsbA==")]
#[case::padding_first("=SGFsbG8")]
#[case::words("Hello, world")]
#[case::data_uri_without_data("data:image/png;base64")]
#[case::data_uri_with_rubbish("data:image/png;base64,!!!")]
#[case::unicode("SGFsbG8\u{ff1d}")]
#[tokio::test]
async fn broken_base64_is_refused_by_its_path(#[case] content: &str) {
    for content in [
        json!(content),
        json!({"$content-type": "image/png", "$content": content}),
    ] {
        let file = json!({"name": "a.png", "content": content});
        let body =
            json!({"model": ANY, "user_prompt": "Look.", "attachments": [{"content": PNG}, file]});
        let answer = sandbox()
            .call("Ask")
            .body(&body)
            .refused("attachments[1].content")
            .await;
        // The content itself is the maker's data.
        assert!(!answer.message().contains("SGFs"), "{}", answer.message());
    }
}

#[rstest]
#[case::blank(json!({"content": ""}))]
#[case::blanks(json!({"content": " \n"}))]
#[case::padding_alone(json!({"content": "===="}))]
#[case::data_uri(json!({"content": "data:application/pdf;base64,"}))]
#[case::data_uri_as_url(json!({"url": "data:application/pdf;base64,"}))]
#[case::escaped(json!({"content": "data:text/plain,"}))]
#[case::object(json!({"content": {"$content-type": "application/pdf", "$content": ""}}))]
#[tokio::test]
async fn an_empty_file_is_refused_by_its_path(#[case] file: Value) {
    let body = json!({"model": ANY, "user_prompt": "Look.", "attachments": [file]});
    sandbox()
        .call("Ask")
        .body(&body)
        .refused("attachments[0].content")
        .await;
}

#[tokio::test]
async fn an_address_goes_upstream_as_it_is() {
    let url = "https://user@a.example:8443/b%20c.pdf?sig=a%2Bb&x=1#page=2";
    let (warnings, sent) = part(ANY, &json!({"url": url})).await;
    assert_eq!(sent["file"]["file_data"], url);
    assert!(warnings.is_empty(), "{warnings:?}");
    let (_, sent) = part(ANY, &json!({"url": url, "mime_type": "image/png"})).await;
    assert_eq!(sent["image_url"]["url"], url);
}

#[tokio::test]
async fn the_name_goes_upstream_as_it_is() {
    for name in ["Übersicht (1).pdf", "../../etc/passwd", "a\"b\n.pdf"] {
        let (_, sent) = part(ANY, &json!({"name": name, "content": PDF})).await;
        assert_eq!(sent["file"]["filename"], name);
    }
}
