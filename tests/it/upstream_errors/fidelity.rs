//! What a maker writes reaches the model as it was written, byte for byte.

use proptest::{prelude::*, test_runner::TestRunner};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    TestApp, Upstream, block_on, cases,
    upstream::{CHAT, COMPLETIONS, chat, completion},
};

#[rstest]
#[case::blanks("  \t leading and trailing \n\n ")]
#[case::braces("{{name}} {0} ${x} %s <%= y %> {% z %}")]
#[case::flow_expression("@{triggerBody()?['text']} and @@ and @")]
#[case::json("{\"a\": [1, null, \"\\u0000\"]}")]
#[case::controls("\u{0}\u{1}\u{7}\u{8}\u{b}\u{c}\u{1b}[0m\u{7f}\u{85}")]
#[case::line_ends("a\rb\nc\r\nd\u{2028}e\u{2029}f")]
#[case::emoji("👩‍👩‍👧‍👦 🏳️‍🌈 é e\u{301} \u{200b}\u{feff}\u{202e}")]
#[case::astral("\u{10ffff}\u{1f600}𝔘")]
#[case::html("<script>&amp;</script>")]
#[case::null_word("null")]
#[tokio::test]
async fn a_text_is_not_touched(#[case] text: &str) {
    let upstream = Upstream::chatting(chat(text)).await;
    upstream.answers(COMPLETIONS, completion(text)).await;
    let app = TestApp::on(&upstream);
    let body = json!({
        "model": "m", "role": "user", "content": text, "system_prompt": text,
        "messages": [{"role": "assistant", "content": text}], "stop": [text], "user": text,
        "metadata": {"k": text},
    });
    let answer = app.call("ChatCompletion").body(&body).ok().await;
    let sent = upstream.sent(CHAT).await;
    for place in [
        "/messages/0/content",
        "/messages/1/content",
        "/messages/2/content",
        "/stop/0",
        "/user",
        "/metadata/k",
    ] {
        assert_eq!(sent.pointer(place), Some(&json!(text)), "{place}");
    }
    assert_eq!(answer.json["content"], text, "on the way back too");

    let answer = app
        .call("Completion")
        .body(&json!({"model": "m", "prompt": text}))
        .ok()
        .await;
    assert_eq!(upstream.sent(COMPLETIONS).await["prompt"], text);
    assert_eq!(answer.json["text"], text);
}

/// One call per text, with one service for all of them.
#[test]
fn any_text_reaches_the_model_as_it_is() {
    let upstream = block_on(Upstream::chatting(chat("Hello.")));
    let app = TestApp::on(&upstream);
    let texts = prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "[@{}\\[\\]()'\"$%\\\\/<>&#\\u0000-\\u001f]{1,40}",
    ]
    .prop_filter("an empty content counts as absent", |text| !text.is_empty());
    TestRunner::new(cases(96))
        .run(&texts, |text| {
            block_on(async {
                let body = json!({"model": "m", "role": "user", "content": text});
                app.call("ChatCompletion").body(&body).ok().await;
                let calls = upstream.calls(CHAT).await;
                let sent: Value = calls.last().unwrap().body_json().unwrap();
                assert_eq!(sent["messages"], json!([{"role": "user", "content": text}]));
            });
            Ok(())
        })
        .unwrap();
}
