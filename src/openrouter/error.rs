//! Reads OpenRouter's error bodies, in all their shapes, into [`Error`].

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::tolerant::as_number;
use crate::error::{Error, Kind};

/// The longest message of upstream that is passed on, in characters.
const MAX_MESSAGE: usize = 400;

/// The wait that is told when upstream limits the rate and names no wait.
const RATE_LIMIT_WAIT: Duration = Duration::from_secs(20);

/// The wait that is told when upstream is overloaded and names no wait.
const OVERLOAD_WAIT: Duration = Duration::from_secs(10);

/// The longest wait that is told; free models' daily limits reset within a day.
const MAX_WAIT: Duration = Duration::from_hours(24);

/// Upstream's code, put in by us, for a 404 or 405 that gives no reason: the path itself is
/// missing, since whatever else is missing is named.
pub(super) const NO_SUCH_PATH: &str = "no_such_path";

/// The error in an answer whose HTTP status is not a success.
pub(super) fn from_answer(status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    classify(status, headers, &value["error"]).detail(format!("upstream status {status}"))
}

/// The places of a successful answer in which an error may stand: at the top, or in the first
/// choice.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Probe {
    error: Value,
    #[serde(deserialize_with = "super::tolerant::list")]
    choices: Vec<ChoiceProbe>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChoiceProbe {
    error: Value,
    finish_reason: Value,
}

impl Probe {
    /// The error, if there is one.
    pub(super) fn into_error(self, headers: &HeaderMap) -> Option<Error> {
        let choice = self.choices.into_iter().next().unwrap_or_default();
        let is_error = |error: &Value| {
            error.is_object() || error.as_str().is_some_and(|text| !text.is_empty())
        };
        let error = match [self.error, choice.error].into_iter().find(is_error) {
            Some(error) => error,
            None if choice.finish_reason == "error" => Value::Null,
            None => return None,
        };
        let status = embedded_status(&error);
        let detail = format!("status {status} inside a success");
        Some(classify(status, headers, &error).detail(detail))
    }
}

/// The status that an error inside a success stands for; 502 where it does not say.
fn embedded_status(error: &Value) -> u16 {
    let from_type = || {
        Some(match error_type(error)? {
            "authentication" => 401,
            "payment_required" => 402,
            "permission_denied" => 403,
            "not_found" | "image_not_found" => 404,
            "payload_too_large" => 413,
            "unprocessable" => 422,
            "rate_limit_exceeded" => 429,
            "provider_unavailable" | "server" | "unmapped" => 502,
            "provider_overloaded" => 503,
            "timeout" => 504,
            _ => 400,
        })
    };
    [&error["code"], &error["http_status"], &error["status"]]
        .into_iter()
        .find_map(|code| {
            let code = as_number(code)?;
            (400..600).find(|status| f64::from(*status).total_cmp(&code).is_eq())
        })
        .or_else(from_type)
        .unwrap_or(502)
}

fn classify(status: u16, headers: &HeaderMap, error: &Value) -> Error {
    let availability = &error["availability"];
    let metadata = &error["metadata"];
    let said = said(error);
    let kind = kind(status, error, said.as_deref().unwrap_or_default());
    let provider = text(&metadata["provider_name"]);
    let missing_path = matches!(status, 404 | 405)
        && said
            .as_deref()
            .is_none_or(|said| said.eq_ignore_ascii_case("not found"));
    let code = missing_path
        .then(|| NO_SUCH_PATH.to_owned())
        .or_else(|| text(&availability["code"]))
        .or_else(|| error_type(error).map(str::to_owned))
        .or_else(|| text(&error["code"]))
        .or_else(|| text(&metadata["provider_code"]));
    let wait = kind
        .retryable()
        .then(|| wait(headers, error))
        .flatten()
        .or(match kind {
            Kind::UpstreamRateLimited => Some(RATE_LIMIT_WAIT),
            Kind::UpstreamOverloaded => Some(OVERLOAD_WAIT),
            _ => None,
        });
    Error::new(
        kind,
        message(kind, status, said, provider.as_deref(), metadata),
    )
    .upstream(code, provider)
    .retry_after(wait)
}

fn kind(status: u16, error: &Value, said: &str) -> Kind {
    if matches!(
        error_type(error),
        Some("content_policy_violation" | "refusal")
    ) {
        return Kind::Refused;
    }
    if error["availability"]["code"] == "model_not_found" {
        return Kind::NotFound;
    }
    // Upstream says of some 429 and 503 that they will not pass: no provider serves what is asked.
    if status >= 429 && error["availability"]["retryable"] == false {
        return Kind::InvalidRequest;
    }
    match status {
        401 => Kind::InvalidKey,
        402 => Kind::InsufficientCredits,
        403 if said.to_ascii_lowercase().contains("only management keys") => {
            Kind::ManagementKeyRequired
        }
        403 | 451 => Kind::Refused,
        404 | 405 => Kind::NotFound,
        413 => Kind::PayloadTooLarge,
        429 => Kind::UpstreamRateLimited,
        503 | 529 => Kind::UpstreamOverloaded,
        // A timeout upstream is one of the statuses that may have billed; it is told as 502.
        400 | 406..=499 if status != 408 => Kind::InvalidRequest,
        _ => Kind::UpstreamError,
    }
}

fn message(
    kind: Kind,
    status: u16,
    said: Option<String>,
    provider: Option<&str>,
    metadata: &Value,
) -> String {
    let who = provider.unwrap_or("OpenRouter");
    let mut message = match (kind, said) {
        (Kind::ManagementKeyRequired, _) => {
            "OpenRouter answers this for management keys only, and this connection has another key."
                .to_owned()
        }
        (_, Some(said)) if said.starts_with("Provider returned error") => {
            format!("{who} returned an error (status {status}) and no reason.")
        }
        (Kind::InvalidKey, Some(said)) => format!("OpenRouter does not accept the key: {said}"),
        (Kind::InsufficientCredits, Some(said)) => {
            format!("OpenRouter did not run the call for want of credits: {said}")
        }
        (Kind::UpstreamRateLimited, Some(said)) => {
            format!("{who} limits the rate of calls: {said}")
        }
        (_, Some(said)) => format!("{who} says: {said}"),
        (_, None) => format!("{who} answered with status {status} and no message."),
    };
    let reasons: Vec<_> = metadata["reasons"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !reasons.is_empty() {
        let reasons: String = reasons.join(", ").chars().take(MAX_MESSAGE).collect();
        end_sentence(&mut message);
        message = format!("{message} Reasons: {reasons}");
    }
    end_sentence(&mut message);
    message
}

fn end_sentence(message: &mut String) {
    if !message.ends_with(['.', '!', '?']) {
        message.push('.');
    }
}

/// Upstream's own sentence, on one line and of bounded length. The provider's raw text is never
/// looked at: it may quote the prompt.
fn said(error: &Value) -> Option<String> {
    let text = error["message"].as_str().or_else(|| error.as_str())?;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(MAX_MESSAGE).collect();
    if short.len() < line.len() {
        short.push_str("...");
    }
    (!short.is_empty()).then_some(short)
}

fn error_type(error: &Value) -> Option<&str> {
    error["error_type"]
        .as_str()
        .or_else(|| error["metadata"]["error_type"].as_str())
}

/// A short text or a number as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.chars().take(100).collect()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// How long to wait: `Retry-After` in either form, `availability.retry_after`, or the
/// milliseconds since 1970 in `X-RateLimit-Reset`, which upstream repeats in the body.
fn wait(headers: &HeaderMap, error: &Value) -> Option<Duration> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
    let until = |moment: SystemTime| moment.duration_since(SystemTime::now()).ok();
    let retry_after = header("retry-after").and_then(|text| {
        text.trim()
            .parse()
            .ok()
            .and_then(seconds)
            .or_else(|| httpdate::parse_http_date(text).ok().and_then(until))
    });
    let reset = || {
        let inside = &error["metadata"]["headers"];
        let text = header("x-ratelimit-reset")
            .map(str::to_owned)
            .or_else(|| inside["X-RateLimit-Reset"].as_str().map(str::to_owned))?;
        until(SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(text.trim().parse().ok()?))?)
    };
    retry_after
        .or_else(|| as_number(&error["availability"]["retry_after"]).and_then(seconds))
        .or_else(reset)
        .map(|wait| wait.min(MAX_WAIT))
}
