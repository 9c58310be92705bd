//! The simulated OpenRouter's models that misbehave, each once.

use rstest::rstest;
use serde_json::json;

use crate::support::{Answer, sandbox};

const PROMPT: &str = "a prompt that nobody else may see";

async fn asked(model: &str) -> Answer {
    let body = json!({"model": model, "role": "user", "content": PROMPT});
    sandbox().call("ChatCompletion").body(&body).send().await
}

#[rstest]
#[case("sandbox/rate-limited", 429, "upstream_rate_limited", "2")]
#[case("sandbox/overloaded", 503, "upstream_overloaded", "1")]
#[case("sandbox/provider-down", 502, "upstream_error", "")]
#[case("sandbox/no-credits", 402, "insufficient_credits", "")]
#[case("sandbox/refuses", 403, "refused", "")]
#[case("sandbox/error-in-200", 502, "upstream_error", "")]
#[case("sandbox/error-after-text", 502, "upstream_error", "")]
#[case("sandbox/empty", 502, "upstream_error", "")]
#[case("sandbox/empty-choice", 502, "upstream_error", "")]
#[case("sandbox/broken-json", 502, "upstream_error", "")]
#[case("sandbox/drops-connection", 502, "upstream_error", "")]
#[case("sandbox/html", 502, "upstream_error", "")]
#[case("no/such-model", 404, "not_found", "")]
#[tokio::test]
async fn each_failure_is_told_as_what_it_is(
    #[case] model: &str,
    #[case] status: u16,
    #[case] code: &str,
    #[case] wait: &str,
) {
    let answer = asked(model).await;
    assert_eq!(
        (answer.status, answer.code()),
        (status, code),
        "{}",
        answer.text
    );
    assert_eq!(answer.header("retry-after"), wait);
    assert!(!answer.text.contains("nobody"), "{}", answer.text);
}

#[rstest]
#[case("sandbox/fenced-json")]
#[case("sandbox/invalid-schema")]
#[case("sandbox/never-schema")]
#[tokio::test]
async fn what_misbehaves_in_its_text_only_is_passed_on(#[case] model: &str) {
    assert_eq!(asked(model).await.status, 200);
}

#[tokio::test]
async fn another_model_takes_over_when_one_fails() {
    let body = json!({
        "model": "sandbox/overloaded", "role": "user", "content": "Hi",
        "fallback_models": ["sandbox/html", "openai/gpt-4o"],
    });
    let answer = sandbox().call("ChatCompletion").body(&body).ok().await;
    assert_eq!(answer.json["model"], "openai/gpt-4o");
}
