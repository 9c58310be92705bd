//! Files in: every form in which one is handed over, every kind, and where each goes.

mod bytes;
mod kinds;
mod limits;
mod texts;

use serde_json::{Value, json};

use crate::support::{
    TestApp, Upstream,
    upstream::{CHAT, chat},
};

/// A model of which nothing is known, so that it is taken to take everything.
const ANY: &str = "unknown/model";

/// Sends `file` with a chat of `model`; gives back the warnings and the part that it became.
async fn part(model: &str, file: &Value) -> (Vec<String>, Value) {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let body = json!({"model": model, "role": "user", "content": "Look.", "attachments": [file]});
    let app = TestApp::on(&upstream);
    let answer = app.call("ChatCompletion").body(&body).ok().await;
    let warnings = answer.warnings().into_iter().map(str::to_owned).collect();
    let sent = upstream.sent(CHAT).await;
    (warnings, sent["messages"][0]["content"][1].clone())
}

/// `bytes` in standard base64.
fn base64(bytes: &[u8]) -> String {
    data_encoding::BASE64.encode(bytes)
}
