//! Files that join a message, in every form in which makers' tools hand them over.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    PDF, PNG, TestApp, Upstream, WAV, sandbox,
    upstream::{CHAT, chat},
};

/// Asks `model` with one file; gives back the warnings and the parts after the text.
async fn sent(model: &str, file: Value) -> (Vec<String>, Value) {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let body = json!({"model": model, "role": "user", "content": "Look.", "attachments": [file]});
    let answer = TestApp::on(&upstream)
        .call("ChatCompletion")
        .body(&body)
        .ok()
        .await;
    let warnings = answer.warnings().into_iter().map(str::to_owned).collect();
    let mut sent = upstream.sent(CHAT).await;
    let content = sent["messages"][0]["content"].take();
    assert_eq!(content[0], json!({"type": "text", "text": "Look."}));
    (warnings, content[1].clone())
}

fn image(url: impl Into<String>) -> Value {
    json!({"type": "image_url", "image_url": {"url": url.into()}})
}

fn document(name: &str, data: impl Into<String>) -> Value {
    json!({"type": "file", "file": {"filename": name, "file_data": data.into()}})
}

#[rstest]
#[case::base64(json!({"content": PNG}))]
#[case::no_padding(json!({"content": PNG.trim_end_matches('=')}))]
#[case::url_alphabet(json!({"content": PNG.replace('+', "-").replace('/', "_")}))]
#[case::line_breaks(json!({"content": format!("{}\r\n{}", &PNG[..40], &PNG[40..])}))]
#[case::data_uri(json!({"content": format!("data:image/png;base64,{PNG}")}))]
#[case::data_uri_as_url(json!({"url": format!("data:image/png;base64,{PNG}")}))]
#[case::power_automate(json!({"content": {"$content-type": "image/png", "$content": PNG}}))]
#[case::wrong_type(json!({"content": PNG, "mime_type": "application/pdf", "name": "a.pdf"}))]
#[case::blanks(json!({"content": PNG, "mime_type": "", "name": null, "url": ""}))]
#[tokio::test]
async fn an_image_is_found_by_its_bytes_in_every_form(#[case] file: Value) {
    let (warnings, part) = sent("openai/gpt-4o", file).await;
    assert_eq!(part, image(format!("data:image/png;base64,{PNG}")));
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[rstest]
#[case::pdf(json!({"name": "a.pdf", "content": PDF}), document("a.pdf", format!("data:application/pdf;base64,{PDF}")))]
#[case::unnamed_pdf(json!({"content": PDF}), document("file.pdf", format!("data:application/pdf;base64,{PDF}")))]
#[case::wav(json!({"name": "a.wav", "content": WAV}), json!({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}))]
#[case::text(json!({"name": "a.txt", "content": "SGFsbG8="}), json!({"type": "text", "text": "a.txt:\n\nHallo"}))]
#[case::json_text(json!({"name": "a.json", "content": "e30="}), json!({"type": "text", "text": "a.json:\n\n{}"}))]
#[case::text_of_no_name(json!({"content": "SGFsbG8="}), json!({"type": "text", "text": "file.txt:\n\nHallo"}))]
#[case::image_address(json!({"url": "https://a.example/b.png"}), image("https://a.example/b.png"))]
#[case::typed_address(json!({"url": "https://a.example/b?c=1", "mime_type": "image/webp"}), image("https://a.example/b?c=1"))]
#[case::pdf_address(json!({"url": "https://a.example/b.pdf"}), document("b.pdf", "https://a.example/b.pdf"))]
#[case::video_address(json!({"url": "https://a.example/b.mp4"}), json!({"type": "video_url", "video_url": {"url": "https://a.example/b.mp4"}}))]
#[tokio::test]
async fn each_kind_has_its_part(#[case] file: Value, #[case] expected: Value) {
    // Of a model that is not listed nothing is known, so it is taken to take everything.
    assert_eq!(sent("unknown/model", file).await.1, expected);
}

#[tokio::test]
async fn a_text_in_another_encoding_is_read_and_named() {
    let (warnings, part) = sent(
        "unknown/model",
        json!({"name": "a.txt", "content": "R3L832U="}),
    )
    .await;
    assert_eq!(part, json!({"type": "text", "text": "a.txt:\n\nGrüße"}));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[tokio::test]
async fn what_the_model_cannot_take_is_left_out_and_named() {
    let model = "meta-llama/llama-3.3-70b-instruct:free";
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let app = TestApp::on(&upstream);
    let mut body = json!({
        "model": model, "role": "user", "content": "Look.",
        "attachments": [{"name": "p.png", "content": PNG}, {"name": "a.pdf", "content": PDF}],
    });
    let answer = app.call("ChatCompletion").body(&body).ok().await;
    assert_eq!(
        answer.warnings(),
        [format!(
            "The file p.png was not sent: {model} does not take image input."
        )]
    );
    let sent = upstream.sent(CHAT).await;
    assert_eq!(sent["messages"][0]["content"].as_array().unwrap().len(), 2);

    body["content"] = json!("");
    body["attachments"].as_array_mut().unwrap().pop();
    let answer = app
        .call("ChatCompletion")
        .body(&body)
        .fails(400, "invalid_request")
        .await;
    assert!(answer.field().starts_with("attachments"), "{}", answer.text);
    assert_eq!(upstream.calls(CHAT).await.len(), 1);
}

#[rstest]
#[case::nothing(json!({}), "attachments[0].content")]
#[case::name_alone(json!({"name": "a.png"}), "attachments[0].content")]
#[case::both(json!({"content": PNG, "url": "https://a.example/b.png"}), "attachments[0]")]
#[case::not_base64(json!({"content": "!!!"}), "attachments[0].content")]
#[case::number(json!({"content": 5}), "attachments[0].content")]
#[case::other_object(json!({"content": {"content": PNG}}), "attachments[0].content")]
#[case::empty(json!({"content": "data:image/png;base64,"}), "attachments[0].content")]
#[case::unknown_kind(json!({"content": "AAEC/w=="}), "attachments[0].content")]
#[case::plain_http(json!({"url": "http://a.example/b.png"}), "attachments[0].url")]
#[case::local_file(json!({"url": "file:///etc/passwd"}), "attachments[0].url")]
#[case::no_address(json!({"url": "b.png"}), "attachments[0].url")]
#[case::unknown_address(json!({"url": "https://a.example/b"}), "attachments[0].url")]
#[case::audio_address(json!({"url": "https://a.example/b.mp3"}), "attachments[0].url")]
#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_by_its_path(
    #[case] file: Value,
    #[case] field: &str,
) {
    let body = json!({"model": "unknown/model", "role": "user", "content": "Look.", "attachments": [file]});
    sandbox()
        .call("ChatCompletion")
        .body(&body)
        .refused(field)
        .await;
}

#[tokio::test]
async fn an_address_is_never_opened_by_this_service() {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let url = format!(
        "{}/picture.png",
        upstream.url().replace("http://", "https://")
    );
    let body =
        json!({"model": "m", "role": "user", "content": "Look.", "attachments": [{"url": url}]});
    TestApp::on(&upstream)
        .call("ChatCompletion")
        .body(&body)
        .ok()
        .await;
    assert!(upstream.calls("/picture.png").await.is_empty());
}
