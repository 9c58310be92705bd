//! Each way in which upstream refuses or fails, and the row of the table that it becomes.

use std::{
    io::{Read, Write},
    net::TcpListener,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{
    Answer, TestApp, Upstream,
    upstream::{CHAT, chat},
};

/// The answer to a chat to which upstream responds `with`.
async fn told(with: ResponseTemplate) -> Answer {
    Told::start().await.by(with).await
}

/// A service and its upstream, for several such answers.
struct Told {
    upstream: Upstream,
    app: TestApp,
}

impl Told {
    async fn start() -> Self {
        let upstream = Upstream::start().await;
        let app = TestApp::on(&upstream);
        Self { upstream, app }
    }

    async fn by(&self, with: ResponseTemplate) -> Answer {
        self.upstream.forget().await;
        self.upstream.responds(CHAT, with).await;
        let answer = self.app.call("ChatCompletion").with_samples().send().await;
        let calls = self.upstream.calls(CHAT).await.len();
        assert_eq!(calls, 1, "a call that may bill is not repeated");
        answer
    }
}

fn error(status: u16, message: &str) -> ResponseTemplate {
    let body = json!({"error": {"code": status, "message": message}, "user_id": "user_1"});
    ResponseTemplate::new(status).set_body_json(body)
}

#[rstest]
#[case(400, 400, "invalid_request")]
#[case(401, 401, "invalid_key")]
#[case(402, 402, "insufficient_credits")]
#[case(403, 403, "refused")]
#[case(404, 404, "not_found")]
#[case(405, 404, "not_found")]
#[case(408, 502, "upstream_error")]
#[case(409, 400, "invalid_request")]
#[case(412, 400, "invalid_request")]
#[case(413, 413, "payload_too_large")]
#[case(418, 400, "invalid_request")]
#[case(422, 400, "invalid_request")]
#[case(429, 429, "upstream_rate_limited")]
#[case(451, 403, "refused")]
#[case(500, 502, "upstream_error")]
#[case(502, 502, "upstream_error")]
#[case(503, 503, "upstream_overloaded")]
#[case(504, 502, "upstream_error")]
#[case(524, 502, "upstream_error")]
#[case(529, 503, "upstream_overloaded")]
#[tokio::test]
async fn a_status_has_its_row(#[case] theirs: u16, #[case] ours: u16, #[case] code: &str) {
    let told = Told::start().await;
    let answer = told.by(error(theirs, "Something is\n wrong")).await;
    assert_eq!(
        (answer.status, answer.code()),
        (ours, code),
        "{}",
        answer.text
    );
    assert!(
        answer.message().contains("Something is wrong."),
        "{}",
        answer.message()
    );
    // The same error without any body, and with a page of the network in front.
    for body in [
        "",
        "<html><body>Bad gateway</body></html>",
        "  \n",
        "{\"error\":",
        "null",
        "[]",
    ] {
        let answer = told
            .by(ResponseTemplate::new(theirs).set_body_string(body))
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (ours, code),
            "{body}: {}",
            answer.text
        );
        assert!(!answer.text.contains("Bad gateway"));
    }
}

#[rstest]
#[case::management(403, json!({"message": "Only management keys can perform this operation"}), 403, "management_key_required")]
#[case::content_policy(400, json!({"message": "No.", "metadata": {"error_type": "content_policy_violation"}}), 403, "refused")]
#[case::refusal(400, json!({"message": "No.", "error_type": "refusal"}), 403, "refused")]
#[case::never_available(503, json!({"message": "No.", "availability": {"code": "x", "retryable": false}}), 400, "invalid_request")]
#[case::soon_available(503, json!({"message": "No.", "availability": {"code": "x", "retryable": true}}), 503, "upstream_overloaded")]
#[case::missing_model(404, json!({"message": "No endpoints found.", "availability": {"code": "no_endpoints", "retryable": false}}), 404, "not_found")]
#[case::text(400, json!("Plain words"), 400, "invalid_request")]
#[case::string_code(500, json!({"code": "server_error", "message": "x"}), 502, "upstream_error")]
#[case::null(500, json!(null), 502, "upstream_error")]
#[case::list(500, json!([1]), 502, "upstream_error")]
#[tokio::test]
async fn the_body_tells_more_than_the_status(
    #[case] status: u16,
    #[case] error: Value,
    #[case] ours: u16,
    #[case] code: &str,
) {
    let body = json!({"error": error});
    let answer = told(ResponseTemplate::new(status).set_body_json(body)).await;
    assert_eq!(
        (answer.status, answer.code()),
        (ours, code),
        "{}",
        answer.text
    );
}

#[rstest]
#[case::code_502(json!({"code": 502, "message": "x"}), 502, "upstream_error")]
#[case::code_500(json!({"code": 500, "message": "Internal Server Error"}), 502, "upstream_error")]
#[case::code_400(json!({"code": 400, "message": "x"}), 400, "invalid_request")]
#[case::code_402(json!({"code": "402", "message": "x"}), 402, "insufficient_credits")]
#[case::code_403(json!({"code": 403, "message": "x"}), 403, "refused")]
#[case::code_429(json!({"code": 429, "message": "x"}), 429, "upstream_rate_limited")]
#[case::word(json!({"code": "server_error", "message": "x"}), 502, "upstream_error")]
#[case::http_status(json!({"http_status": 503, "message": "x"}), 503, "upstream_overloaded")]
#[case::type_overloaded(json!({"metadata": {"error_type": "provider_overloaded"}}), 503, "upstream_overloaded")]
#[case::type_invalid(json!({"error_type": "context_length_exceeded", "message": "x"}), 400, "invalid_request")]
#[case::type_key(json!({"error_type": "authentication"}), 401, "invalid_key")]
#[case::nothing(json!({}), 502, "upstream_error")]
#[case::odd_code(json!({"code": 200, "message": "x"}), 502, "upstream_error")]
#[case::null_code(json!({"code": null, "message": null}), 502, "upstream_error")]
#[case::text(json!("Plain words"), 502, "upstream_error")]
#[tokio::test]
async fn an_error_inside_a_success_is_classified_by_its_own_code(
    #[case] error: Value,
    #[case] status: u16,
    #[case] code: &str,
) {
    let told = Told::start().await;
    let failed = json!({"index": 0, "message": {"content": "Half an"}, "finish_reason": "error", "error": error});
    let shapes = [
        json!({"error": error, "user_id": "org_1"}),
        json!({"id": "gen-1", "choices": [failed]}),
        json!({"id": "gen-1", "choices": [], "error": error}),
    ];
    for body in shapes {
        let answer = told
            .by(ResponseTemplate::new(200).set_body_json(&body))
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{body} {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_reason_of_error_alone_is_an_error() {
    let mut body = chat("Half an");
    body["choices"][0]["finish_reason"] = json!("error");
    let answer = told(ResponseTemplate::new(200).set_body_json(body)).await;
    assert_eq!((answer.status, answer.code()), (502, "upstream_error"));
}

#[rstest]
#[case::truncated(r#"{"id":"gen-1","choices":[{"message":{"content":"Half an"#)]
#[case::html("<!DOCTYPE html><html><body>Just a moment</body></html>")]
#[case::empty("")]
#[case::blank("\n\n   \n")]
#[case::not_utf8("\u{1}")]
#[case::two_values("{} {}")]
#[tokio::test]
async fn a_success_that_is_no_json_is_an_error_of_upstream(#[case] body: &str) {
    let told = Told::start().await;
    for kind in ["application/json", "text/html"] {
        let answer = told
            .by(ResponseTemplate::new(200).set_body_raw(body, kind))
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (502, "upstream_error"),
            "{}",
            answer.text
        );
        assert!(!answer.text.contains("Half an") && !answer.text.contains("moment"));
    }
}

#[tokio::test]
async fn what_a_provider_said_of_the_prompt_never_comes_back() {
    let told = Told::start().await;
    let secret = "the maker's own prompt";
    for (status, message) in [
        (502, "Provider returned error"),
        (400, "x"),
        (403, "x"),
        (429, "x"),
    ] {
        let body = json!({"error": {"code": status, "message": message, "metadata": {
            "raw": format!("{{\"error\": \"{secret}\"}}"), "flagged_input": secret,
            "provider_name": "Azure", "reasons": ["violence"], "patterns": [secret],
            "provider_code": "bad",
        }}});
        for outer in [status, 200] {
            let answer = told
                .by(ResponseTemplate::new(outer).set_body_json(&body))
                .await;
            assert!(!answer.text.contains(secret), "{}", answer.text);
            assert_eq!(answer.json["error"]["provider"], "Azure");
            assert!(
                answer.message().contains("violence"),
                "{}",
                answer.message()
            );
        }
    }
}

#[tokio::test]
async fn upstreams_code_and_the_provider_are_told() {
    let body = json!({"error": {"code": 503, "message": "Busy", "error_type": "provider_overloaded",
        "availability": {"code": "temporarily_unavailable", "retryable": true, "retry_after": 7},
        "metadata": {"provider_name": "Azure"}}});
    let answer = told(ResponseTemplate::new(503).set_body_json(body)).await;
    assert_eq!(
        answer.json["error"]["upstream_code"], "temporarily_unavailable",
        "{}",
        answer.text
    );
    assert_eq!(answer.json["error"]["provider"], "Azure");
    assert_eq!(answer.header("retry-after"), "7");
}

#[tokio::test]
async fn a_long_message_is_cut() {
    let answer = told(error(400, &"word ".repeat(1000))).await;
    assert!(answer.message().len() < 500);
}

#[rstest]
#[case::seconds(Some("7"), None, 7..=7)]
#[case::fraction(Some("1.2"), None, 2..=2)]
#[case::date(Some("Fri, 31 Dec 2100 23:59:59 GMT"), None, 86_400..=86_400)]
#[case::past_date(Some("Fri, 31 Dec 1999 23:59:59 GMT"), None, 1..=60)]
#[case::huge(Some("99999999"), None, 86_400..=86_400)]
#[case::negative(Some("-5"), None, 1..=60)]
#[case::rubbish(Some("soon"), None, 1..=60)]
#[case::nothing(None, None, 1..=60)]
#[case::reset(None, Some(30), 28..=31)]
#[case::past_reset(None, Some(-30), 1..=60)]
#[case::header_first(Some("3"), Some(30), 3..=3)]
#[tokio::test]
async fn the_wait_is_told_in_whole_seconds(
    #[case] retry_after: Option<&str>,
    #[case] reset: Option<i64>,
    #[case] expected: std::ops::RangeInclusive<u64>,
) {
    let told = Told::start().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let reset =
        reset.map(|seconds| (i64::try_from(now.as_millis()).unwrap() + seconds * 1000).to_string());
    let mut in_header = error(429, "Slow down");
    let mut in_body = json!({"error": {"code": 429, "message": "Slow down"}});
    if let Some(reset) = &reset {
        in_header = in_header.insert_header("x-ratelimit-reset", reset.as_str());
        in_body["error"]["metadata"]["headers"]["X-RateLimit-Reset"] = json!(reset);
    }
    let mut in_body = ResponseTemplate::new(429).set_body_json(in_body);
    if let Some(wait) = retry_after {
        in_header = in_header.insert_header("retry-after", wait);
        in_body = in_body.insert_header("retry-after", wait);
    }
    for response in [in_header, in_body] {
        let answer = told.by(response).await;
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!(expected.contains(&wait), "{wait}");
    }
}

#[tokio::test]
async fn a_key_never_follows_to_another_host() {
    let told = Told::start().await;
    let other = Upstream::chatting(chat("Stolen.")).await;
    let target = format!("{}{CHAT}", other.url());
    for status in [301, 302, 303, 307, 308] {
        let answer = told
            .by(ResponseTemplate::new(status).insert_header("location", target.as_str()))
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (502, "upstream_error"),
            "{}",
            answer.text
        );
    }
    assert!(other.calls(CHAT).await.is_empty());
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed() {
    let upstream = Upstream::start().await;
    let there = format!("{}/model/openai/gpt-5", upstream.url());
    let moved = ResponseTemplate::new(302).insert_header("location", there.as_str());
    upstream.responds("/model/~openai/latest", moved).await;
    upstream
        .answers(
            "/model/openai/gpt-5",
            json!({"data": {"id": "openai/gpt-5"}}),
        )
        .await;
    let app = TestApp::on(&upstream);
    let call = app
        .call("GetModel")
        .path("author", "~openai")
        .path("slug", "latest");
    assert_eq!(call.ok().await.json["id"], "openai/gpt-5");
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_told() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let app = TestApp::start(false, |config| {
        config.upstream.url = format!("http://{closed}/api/v1").try_into().unwrap();
    });
    for operation in ["ChatCompletion", "ListModels", "GetKey"] {
        let answer = app
            .call(operation)
            .with_samples()
            .fails(502, "upstream_error")
            .await;
        assert!(
            !answer.text.contains(&closed.to_string()),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_an_error_of_upstream() {
    for start in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":",
        "rubbish\r\n\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(start.as_bytes());
            }
        });
        let app = TestApp::start(false, |config| {
            config.upstream.url = format!("http://{address}/api/v1").try_into().unwrap();
        });
        app.call("ChatCompletion")
            .with_samples()
            .fails(502, "upstream_error")
            .await;
    }
}

#[tokio::test]
async fn silence_and_lateness_are_deadlines() {
    let slow = || {
        ResponseTemplate::new(200)
            .set_body_json(chat("Late."))
            .set_delay(Duration::from_secs(30))
    };
    let upstream = Upstream::start().await;
    upstream.responds(CHAT, slow()).await;
    let silent = TestApp::on_with(&upstream, |config| {
        config.upstream.read_timeout = Duration::from_millis(200);
    });
    silent
        .call("ChatCompletion")
        .with_samples()
        .fails(504, "deadline")
        .await;
    let late = TestApp::on_with(&upstream, |config| {
        config.upstream.deadline = Duration::from_millis(200);
    });
    late.call("ChatCompletion")
        .with_samples()
        .fails(504, "deadline")
        .await;
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused() {
    let upstream = Upstream::chatting(chat(&"a".repeat(1024 * 1024))).await;
    let app = TestApp::on_with(&upstream, |config| {
        config.upstream.max_answer_mb = 1.try_into().unwrap();
    });
    app.call("ChatCompletion")
        .with_samples()
        .fails(413, "answer_too_large")
        .await;
}
