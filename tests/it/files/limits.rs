//! How large a request may be.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

use super::{ANY, base64};
use crate::support::{
    KEY, TestApp, Upstream, sandbox,
    upstream::{CHAT, chat},
};

/// A body with a document of `size` bytes.
fn body(size: usize) -> Value {
    let mut file = b"%PDF-1.4\n".to_vec();
    file.resize(size, b' ');
    json!({"model": ANY, "role": "user", "attachments": [{"content": base64(&file)}]})
}

/// What is announced as too large is refused before it is sent.
#[tokio::test]
async fn a_body_of_more_than_a_hundred_megabytes_is_refused_at_once() {
    let address = sandbox().base().trim_start_matches("http://").to_owned();
    for path in [
        "/api/v1/chat/completions",
        "/api/v1/ask",
        "/api/v1/audio/transcriptions",
    ] {
        let mut connection = TcpStream::connect(&address).unwrap();
        connection
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let size = 101 * 1024 * 1024;
        write!(
            connection,
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {KEY}\r\n\
             content-type: application/json\r\ncontent-length: {size}\r\n\r\n{{"
        )
        .unwrap();
        let mut answer = [0; 4096];
        let length = connection.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{path}: {answer}");
        assert!(answer.contains("100 MB"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_body_is_bounded_as_the_configuration_says() {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let app = TestApp::on_with(&upstream, |config| {
        config.server.max_body_mb = 1.try_into().unwrap();
    });
    // In base64 three bytes are four letters.
    app.call("ChatCompletion").body(&body(700_000)).ok().await;
    let answer = app
        .call("ChatCompletion")
        .body(&body(900_000))
        .fails(413, "payload_too_large")
        .await;
    assert!(answer.message().contains("1 MB"), "{}", answer.message());
    assert_eq!(upstream.calls(CHAT).await.len(), 1);
}

#[tokio::test]
async fn a_file_of_some_megabytes_arrives_whole() {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    let body = body(6 * 1024 * 1024);
    let app = TestApp::on(&upstream);
    app.call("ChatCompletion").body(&body).ok().await;
    let sent = upstream.sent(CHAT).await;
    let data = sent["messages"][0]["content"][0]["file"]["file_data"]
        .as_str()
        .unwrap();
    let content = body["attachments"][0]["content"].as_str().unwrap();
    assert!(data.strip_prefix("data:application/pdf;base64,") == Some(content));
}
