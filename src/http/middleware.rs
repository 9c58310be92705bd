//! What every request passes: its id and its log line, and for actions the key.

use std::time::Duration;

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
};

use super::document::OPERATIONS;
use crate::{endpoint::key_in, error, telemetry::Call};

/// Headers that hold the id which a caller gave to its own call, the platform's first.
const CALLER_IDS: [&str; 2] = ["x-ms-client-request-id", "x-request-id"];

/// The longest id of a caller that is taken over, in bytes.
const MAX_ID: usize = 128;

/// Gives the request its id, writes its log line, and adds the headers that every answer has.
pub(super) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let call = Call::start(request_id(request.headers()));
    let mut answer = call.clone().run(next.call(request)).await?;
    let total = call.elapsed();
    let facts = call.facts();
    let own = total.saturating_sub(facts.upstream);

    let timing = format!(
        "total;dur={:.1}, upstream;dur={:.1}, own;dur={:.1}",
        total.as_secs_f64() * 1e3,
        facts.upstream.as_secs_f64() * 1e3,
        own.as_secs_f64() * 1e3
    );
    let headers = answer.headers_mut();
    set(headers, "x-request-id", call.request_id());
    set(headers, "server-timing", &timing);
    set(headers, "x-content-type-options", "nosniff");
    if let Some(id) = call.generation_id() {
        set(headers, "x-generation-id", id);
    }
    if let Some(age) = facts.catalog_age {
        set(headers, "x-catalog-age", &age.to_string());
    }

    let status = answer.status().as_u16();
    let operation = operation(&answer);
    let error = answer
        .response()
        .error()
        .and_then(Error::as_error::<error::Error>);
    let (code, detail) = error
        .map(|error| (error.kind().code(), error.log_detail()))
        .unwrap_or_default();
    tracing::info!(
        request_id = call.request_id(),
        operation,
        status,
        ms = whole_ms(total),
        upstream_ms = whole_ms(facts.upstream),
        generation_id = call.generation_id().unwrap_or_default(),
        model = facts.model.as_deref().unwrap_or_default(),
        tokens = facts.tokens.unwrap_or_default(),
        cost = facts.cost.unwrap_or_default(),
        code,
        detail,
        "served"
    );
    Ok(answer)
}

/// Lets a request with a key through, and answers `401` to any other before anything else of it
/// is looked at.
pub(super) async fn require_key(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    match key_in(request.headers()) {
        Ok(key) => {
            request.extensions_mut().insert(key);
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(error) => Ok(request.into_response(HttpResponse::from_error(error))),
    }
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn request_id(headers: &HeaderMap) -> String {
    CALLER_IDS
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .map(str::trim)
        .find(|id| {
            let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
            !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(safe)
        })
        .map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// The operation's id; the path's template for pages, and nothing for paths that do not exist.
fn operation<B>(answer: &ServiceResponse<B>) -> String {
    let request = answer.request();
    let Some(pattern) = request.match_pattern() else {
        return String::new();
    };
    OPERATIONS
        .iter()
        .find(|(method, path, _)| *method == request.method().as_str() && *path == pattern)
        .map_or(pattern, |(_, _, id)| id.clone())
}
