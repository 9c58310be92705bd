//! The models that misbehave on purpose, so that every failure can be seen without waiting for one.

use std::io;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};

use super::errors::Refusal;
use super::generations::now;
use super::usage::first_words;

/// One way of misbehaving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    RateLimited,
    Overloaded,
    ProviderDown,
    NoCredits,
    Refuses,
    ErrorIn200,
    ErrorAfterText,
    Empty,
    EmptyChoice,
    BrokenJson,
    DropsConnection,
    Html,
    Slow5,
    Slow150,
    InvalidSchema,
    NeverSchema,
    FencedJson,
}

impl Fault {
    pub(super) const ALL: [Self; 17] = [
        Self::RateLimited,
        Self::Overloaded,
        Self::ProviderDown,
        Self::NoCredits,
        Self::Refuses,
        Self::ErrorIn200,
        Self::ErrorAfterText,
        Self::Empty,
        Self::EmptyChoice,
        Self::BrokenJson,
        Self::DropsConnection,
        Self::Html,
        Self::Slow5,
        Self::Slow150,
        Self::InvalidSchema,
        Self::NeverSchema,
        Self::FencedJson,
    ];

    /// The model's id, its name, and what it does.
    const fn about(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::RateLimited => (
                "sandbox/rate-limited",
                "Sandbox: Rate Limited",
                "Always answers 429 with Retry-After.",
            ),
            Self::Overloaded => (
                "sandbox/overloaded",
                "Sandbox: Overloaded",
                "Always answers 503 with Retry-After.",
            ),
            Self::ProviderDown => (
                "sandbox/provider-down",
                "Sandbox: Provider Down",
                "Always answers 502; the raw provider error repeats the prompt, as real ones do.",
            ),
            Self::NoCredits => (
                "sandbox/no-credits",
                "Sandbox: No Credits",
                "Always answers 402, as with an empty account.",
            ),
            Self::Refuses => (
                "sandbox/refuses",
                "Sandbox: Refuses",
                "Always answers 403: moderation has flagged the input.",
            ),
            Self::ErrorIn200 => (
                "sandbox/error-in-200",
                "Sandbox: Error in 200",
                "Answers 200 with an error in the body instead of a result.",
            ),
            Self::ErrorAfterText => (
                "sandbox/error-after-text",
                "Sandbox: Error after Text",
                "Breaks off in the middle of its answer with an error.",
            ),
            Self::Empty => (
                "sandbox/empty",
                "Sandbox: Empty",
                "Answers 200 with no choices at all.",
            ),
            Self::EmptyChoice => (
                "sandbox/empty-choice",
                "Sandbox: Empty Choice",
                "Answers 200 with a choice that holds nothing.",
            ),
            Self::BrokenJson => (
                "sandbox/broken-json",
                "Sandbox: Broken JSON",
                "Answers 200 with a body that ends in the middle.",
            ),
            Self::DropsConnection => (
                "sandbox/drops-connection",
                "Sandbox: Drops Connection",
                "Starts a 200 and then closes the connection.",
            ),
            Self::Html => (
                "sandbox/html",
                "Sandbox: HTML",
                "Always answers 502 with a web page, as the network in front does.",
            ),
            Self::Slow5 => (
                "sandbox/slow-5s",
                "Sandbox: Slow (5 seconds)",
                "Answers properly, after five seconds.",
            ),
            Self::Slow150 => (
                "sandbox/slow-150s",
                "Sandbox: Slow (150 seconds)",
                "Answers properly, after 150 seconds: longer than a flow waits.",
            ),
            Self::InvalidSchema => (
                "sandbox/invalid-schema",
                "Sandbox: Invalid Schema",
                "Answers JSON that does not fit the schema first, and JSON that fits when told so.",
            ),
            Self::NeverSchema => (
                "sandbox/never-schema",
                "Sandbox: Never Schema",
                "Never answers JSON that fits the schema.",
            ),
            Self::FencedJson => (
                "sandbox/fenced-json",
                "Sandbox: Fenced JSON",
                "Puts its JSON in a Markdown fence, with talk around it.",
            ),
        }
    }

    pub(super) const fn model_id(self) -> &'static str {
        self.about().0
    }

    pub(super) const fn title(self) -> &'static str {
        self.about().1
    }

    pub(super) const fn description(self) -> &'static str {
        self.about().2
    }

    /// Whether the real service would try the next model of a fallback list instead.
    pub(super) const fn falls_back(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Overloaded | Self::ProviderDown | Self::Refuses | Self::Html
        )
    }

    /// How long the answer takes.
    pub(super) const fn delay(self) -> Option<Duration> {
        match self {
            Self::Slow5 => Some(Duration::from_secs(5)),
            Self::Slow150 => Some(Duration::from_secs(150)),
            _ => None,
        }
    }

    /// The failure that comes in place of any answer, whatever was asked for; `None` for the
    /// faults that only spoil an answer.
    pub(super) fn instead_of_answer(self, prompt: &str) -> Result<Option<HttpResponse>, Refusal> {
        let id = self.model_id();
        match self {
            Self::RateLimited => Err(rate_limited(id)),
            Self::Overloaded => Err(Refusal::new(503, format!("All providers for {id} are overloaded."))
                .availability("provider_overloaded", "temporarily_unavailable", id, Some(1))
                .header("Retry-After", "1")),
            Self::ProviderDown => {
                let raw = json!({
                    "error": { "message": "upstream connect error", "request": { "prompt": prompt } },
                });
                Err(Refusal::new(502, "Provider returned error")
                    .metadata("raw", raw.to_string())
                    .metadata("provider_name", "Sandbox")
                    .metadata("is_byok", false))
            }
            Self::NoCredits => {
                let message = "Insufficient credits. Add more using https://openrouter.ai/credits";
                Err(Refusal::new(402, message))
            }
            Self::Refuses => Err(Refusal::new(
                403,
                format!("{id} requires moderation on Sandbox. Your input was flagged for \"violence\"."),
            )
            .metadata("reasons", json!(["violence"]))
            .metadata("flagged_input", first_words(prompt, 7))
            .metadata("provider_name", "Sandbox")
            .metadata("model_slug", id)),
            Self::ErrorIn200 => {
                let error = Refusal::new(502, "Provider returned error").kind("provider_unavailable");
                let body = json!({ "error": error.into_error(), "user_id": "org_sandbox" });
                Ok(Some(HttpResponse::Ok().json(body)))
            }
            Self::BrokenJson => Ok(Some(
                HttpResponse::Ok()
                    .content_type("application/json")
                    .body(r#"{"id":"gen-cut","created":1767225600,"choices":[{"index":0,"message":{"role":"assistant","content":"This answer ends in the mid"#),
            )),
            Self::DropsConnection => {
                let start = Bytes::from_static(br#"{"id":"gen-dropped","choices":["#);
                let broken = async {
                    // What was sent must have left before the end comes, or nothing arrives at all.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Err(io::Error::from(io::ErrorKind::ConnectionReset))
                };
                let body = stream::iter([Ok(start)]).chain(stream::once(broken));
                Ok(Some(HttpResponse::Ok().content_type("application/json").streaming(body)))
            }
            Self::Html => Ok(Some(
                HttpResponse::BadGateway()
                    .insert_header(("Server", "cloudflare"))
                    .insert_header(("CF-RAY", "0000000000000000-FRA"))
                    .content_type("text/html; charset=UTF-8")
                    .body(HTML),
            )),
            _ => Ok(None),
        }
    }
}

fn rate_limited(id: &str) -> Refusal {
    let reset = ((now() + 2) * 1_000).to_string();
    let headers = json!({
        "X-RateLimit-Limit": "20",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": reset,
    });
    Refusal::new(429, format!("Rate limit exceeded: {id} takes no calls"))
        .kind("rate_limit_exceeded")
        .metadata("headers", headers)
        .header("Retry-After", "2")
        .header("X-RateLimit-Limit", "20")
        .header("X-RateLimit-Remaining", "0")
        .header("X-RateLimit-Reset", reset)
}

const HTML: &str = "<!DOCTYPE html>\n<html lang=\"en-US\"><head><title>openrouter.ai | 502: Bad gateway</title>\
</head>\n<body><h1>Bad gateway <span>Error code 502</span></h1>\
<p>The web server reported a bad gateway error.</p></body></html>\n";

/// A JSON answer, at once or after the delay; a late one has its headers and blank lines ahead.
pub(super) fn json_after(delay: Option<Duration>, id: &str, body: &Value) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header(("X-Generation-Id", id));
    let Some(delay) = delay else {
        return response.json(body);
    };
    let late = stream::once(std::future::ready(Ok(Bytes::from(body.to_string()))));
    let body = signs_of_life(delay, "\n").chain(late);
    response.content_type("application/json").streaming(body)
}

/// Something now and then until the delay is over.
pub(super) fn signs_of_life(
    delay: Duration,
    sign: &'static str,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    const SIGNS: u32 = 10;
    stream::unfold(0, move |given| async move {
        if given > 0 {
            tokio::time::sleep(delay / SIGNS).await;
        }
        (given < SIGNS).then(|| (Ok(Bytes::from_static(sign.as_bytes())), given + 1))
    })
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;

    use super::*;

    #[test]
    fn failures_have_the_status_they_promise() {
        let status = |fault: Fault| match fault.instead_of_answer("hello") {
            Ok(Some(response)) => response.status().as_u16(),
            Ok(None) => 0,
            Err(refusal) => refusal.status_code().as_u16(),
        };
        assert_eq!(status(Fault::RateLimited), 429);
        assert_eq!(status(Fault::Overloaded), 503);
        assert_eq!(status(Fault::ProviderDown), 502);
        assert_eq!(status(Fault::NoCredits), 402);
        assert_eq!(status(Fault::Refuses), 403);
        assert_eq!(status(Fault::ErrorIn200), 200);
        assert_eq!(status(Fault::Html), 502);
        assert_eq!(status(Fault::Slow5), 0);
        assert_eq!(status(Fault::FencedJson), 0);
    }

    #[test]
    fn every_fault_is_listed_once() {
        let mut ids = Fault::ALL.map(Fault::model_id).to_vec();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Fault::ALL.len());
        assert!(ids.iter().all(|id| id.starts_with("sandbox/")));
    }
}
