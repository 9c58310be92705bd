//! What every request passes: its id and its log line, and for actions the key.

use std::{panic::AssertUnwindSafe, time::Duration};

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use futures_util::FutureExt;

use super::{
    document::OPERATIONS,
    quota::{self, InFlight},
};
use crate::{
    endpoint::{REPLAYED, Services, key_in, unknown_field},
    error::{self, Kind},
    openrouter::ApiKey,
    telemetry::Call,
};

/// Headers that hold the id which a caller gave to its own call, the platform's first.
const CALLER_IDS: [&str; 2] = ["x-ms-client-request-id", "x-request-id"];

/// What keeps pages of this service from being framed, sniffed, or made to run others' scripts.
/// Swagger UI sets styles of its own inline.
const FOR_BROWSERS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    (
        "content-security-policy",
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    ),
];

/// The longest id of a caller that is taken over, in bytes.
const MAX_ID: usize = 128;

/// Gives the request its id, writes its log line, and adds the headers that every answer has.
pub(super) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let call = Call::start(request_id(request.headers()));
    let path_is_action = request.path().starts_with("/api/");
    // Caught, so that a fault of ours in one call is an answer and a log line, not a connection
    // that breaks without a word.
    let served = AssertUnwindSafe(call.clone().run(next.call(request)))
        .catch_unwind()
        .await;
    let mut answer = served.unwrap_or_else(|_| {
        tracing::error!(request_id = call.request_id(), "a call ended in a panic");
        Err(error::Error::new(Kind::Internal, "The service failed.").into())
    })?;
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
    for (name, value) in FOR_BROWSERS {
        // Files have a stricter policy of their own.
        if !headers.contains_key(name) {
            set(headers, name, value);
        }
    }
    // Answers hold what only their caller may see, and some are fetched without a key.
    if path_is_action && !headers.contains_key(CACHE_CONTROL) {
        set(headers, "cache-control", "no-store");
    }
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
        .unwrap_or((facts.code, facts.detail));
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

/// Lets a request with a key through within the limits of its connection, and answers `401` to any other before anything else of it
/// is looked at.
pub(super) async fn require_key(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // The address of a job's result is a secret of its own, and whoever follows it may have left
    // the key behind.
    if request.method() == Method::GET && needs_no_key(request.path()) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    match key_in(request.headers()) {
        Ok(key) => within_limits(request, next, key).await,
        Err(error) => Ok(refused(request, error)),
    }
}

/// Serves a request with its key, if its connection may make one more call, and says in the
/// answer how it stands with its calls.
async fn within_limits(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    key: ApiKey,
) -> Result<ServiceResponse, Error> {
    let Some(services) = request.app_data::<Data<Services>>() else {
        let error = error::Error::new(Kind::Internal, "The service failed.");
        return Ok(refused(request, error.detail("there are no services")));
    };
    let limits = services.limits.clone();
    let mut admitted = match limits.admit(&key).await {
        Ok(admitted) => admitted,
        Err(over) => {
            let mut answer = refused(request, over.error);
            quota::tell(answer.headers_mut(), limits.policy(), over.standing);
            return Ok(answer);
        }
    };
    let mut answer = if let Some(error) = unknown_parameter(&request) {
        refused(request, error)
    } else {
        request.extensions_mut().insert(key);
        next.call(request).await?.map_into_boxed_body()
    };
    if answer.headers().contains_key(REPLAYED) {
        limits.give_back(&mut admitted).await;
    }
    quota::tell(answer.headers_mut(), limits.policy(), admitted.standing);
    // A call is served until the last byte of its answer is handed over.
    Ok(answer
        .map_body(|_, body| InFlight::new(body, admitted.flight))
        .map_into_boxed_body())
}

fn needs_no_key(path: &str) -> bool {
    let job = path.strip_prefix("/api/v1/jobs/");
    job.is_some_and(|rest| rest.ends_with("/result"))
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The answer that tells `error`, which stays with it for the log.
fn refused(request: ServiceRequest, error: error::Error) -> ServiceResponse {
    let (request, _) = request.into_parts();
    ServiceResponse::new(request, HttpResponse::from_error(error))
}

/// The `400` for a query parameter of an operation that takes none; those that take some look at
/// their own.
fn unknown_parameter(request: &ServiceRequest) -> Option<error::Error> {
    let (name, _) = form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, _)| !name.to_ascii_lowercase().starts_with("x-"))?;
    let operation = OPERATIONS.iter().find(|operation| {
        operation.method == request.method().as_str() && operation.fits(request.path())
    })?;
    (!operation.has_query).then(|| unknown_field(&name, &[]))
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
        .find(|known| known.method == request.method().as_str() && known.path == pattern)
        .map_or(pattern, |known| known.id.clone())
}
