//! What can go wrong: one table of kinds, and the one error type that every part returns.

use std::{borrow::Cow, error::Error as StdError, fmt, time::Duration};

use serde::Serialize;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

/// The result of anything that can fail with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Builds [`Kind`] and its properties from one table, so that a kind cannot lack one of them.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $status:literal $code:literal $retry:literal, $help:literal;)+) => {
        /// The kind of a failure: the single source of its code, HTTP status and retryability.
        ///
        /// The platform repeats 408, 429 and 5xx up to eight times, so a permanent failure never
        /// has one of those statuses (Microsoft Learn, "Handle errors and exceptions in Azure
        /// Logic Apps").
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind { $($(#[doc = $doc])+ $name,)+ }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The stable code in the body of an error; also its label in metrics.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The HTTP status of the answer.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// Whether the same call may succeed later without a change.
            #[must_use]
            pub const fn retryable(self) -> bool {
                match self { $(Self::$name => $retry,)+ }
            }

            /// What a maker can do about it; empty where the message says it all.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => $help,)+ }
            }
        }
    };
}

kinds! {
    /// The request is not JSON, has an unknown or wrongly typed field, or a value out of range.
    InvalidRequest = 400 "invalid_request" false, "";
    /// The call has no key.
    MissingKey = 401 "missing_key" false, "Create a connection with an OpenRouter API key from https://openrouter.ai/keys.";
    /// OpenRouter does not know the key, or it is disabled.
    InvalidKey = 401 "invalid_key" false, "Check the key at https://openrouter.ai/keys and update the connection.";
    /// The account or the key has not enough credits for the call.
    InsufficientCredits = 402 "insufficient_credits" false, "Add credits at https://openrouter.ai/credits, raise the key's limit, or set a lower Max Tokens.";
    /// The call would cost more than its own `max_cost`.
    CostLimit = 402 "cost_limit" false, "Raise Max Cost, lower Max Tokens, or choose a cheaper model.";
    /// Moderation, a guardrail or missing permission stopped the call.
    Refused = 403 "refused" false, "Change the prompt or the model; the same request will be refused again.";
    /// The operation works with a management key only.
    ManagementKeyRequired = 403 "management_key_required" false, "Use the Get key action, which works with every key, or a connection with a management key from https://openrouter.ai/settings/management-keys.";
    /// The model, generation, job or path does not exist.
    NotFound = 404 "not_found" false, "";
    /// The path exists, but not with this HTTP method.
    MethodNotAllowed = 405 "method_not_allowed" false, "";
    /// The request is larger than this service or OpenRouter accepts.
    PayloadTooLarge = 413 "payload_too_large" false, "Send a smaller file; images, PDF and video can also be handed over as a URL.";
    /// The model's answer is larger than this service accepts; it would be so again.
    AnswerTooLarge = 413 "answer_too_large" false, "Ask for fewer or smaller results.";
    /// The request's `Content-Type` is not JSON.
    UnsupportedMediaType = 415 "unsupported_media_type" false, "Send the header Content-Type: application/json.";
    /// The model's answer does not fit the maker's JSON Schema.
    SchemaMismatch = 422 "schema_mismatch" false, "Simplify the schema, describe its fields, or choose a stronger model.";
    /// The caller's own key for a call was used for another call before.
    IdempotencyMismatch = 422 "idempotency_mismatch" false, "";
    /// The background job was cancelled.
    Cancelled = 409 "cancelled" false, "";
    /// A background job was interrupted as often as it may be begun.
    Interrupted = 409 "interrupted" false, "Look up what was billed at https://openrouter.ai/activity, then run the action anew if you wish.";
    /// This service's limit of calls per connection is reached.
    RateLimited = 429 "rate_limited" true, "";
    /// OpenRouter or the model's provider limits the rate of calls.
    UpstreamRateLimited = 429 "upstream_rate_limited" true, "Wait, spread the calls, or choose another model; free models have low daily limits.";
    /// A fault of this service itself.
    Internal = 500 "internal" true, "Try again; if it stays, give the request id to whoever runs this service.";
    /// OpenRouter or the provider failed, or answered what cannot be understood.
    UpstreamError = 502 "upstream_error" true, "Try again, or choose another model or provider.";
    /// OpenRouter or the provider has no capacity at the moment.
    UpstreamOverloaded = 503 "upstream_overloaded" true, "Try again in a moment, or choose another model or provider.";
    /// This service is starting, stopping, or cannot reach what it needs.
    Unavailable = 503 "unavailable" true, "";
    /// The time for the call is over.
    Deadline = 504 "deadline" true, "Ask for a shorter answer or choose a faster model.";
}

/// A failure with what its reader may know, and what only the log may know.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    message: Cow<'static, str>,
    detail: Option<Cow<'static, str>>,
    field: Option<String>,
    retry_after: Option<Duration>,
    upstream_code: Option<String>,
    provider: Option<String>,
    allow: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The most characters of a model's own words in an error.
const MAX_SAID: usize = 300;

impl Error {
    /// An error of `kind` with `message`, one plain sentence that the maker will read.
    pub fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            detail: None,
            field: None,
            retry_after: None,
            upstream_code: None,
            provider: None,
            allow: None,
            source: None,
        }))
    }

    /// A `400` for the input field at `field`, a path such as `messages[0].role`.
    pub fn invalid(field: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(Kind::InvalidRequest, message);
        error.0.field = Some(field.into());
        error
    }

    /// The same error with one more sentence for the maker.
    #[must_use]
    pub fn adding(mut self, sentence: &str) -> Self {
        self.0.message = format!("{} {sentence}", self.0.message).into();
        self
    }

    /// A `403` for a model that refused in its own words, which follow `lead` on one line.
    #[must_use]
    pub fn refused(lead: &str, said: &str) -> Self {
        let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut short: String = line.chars().take(MAX_SAID).collect();
        if short.len() < line.len() {
            short.push_str("...");
        } else if !short.ends_with(['.', '!', '?']) {
            short.push('.');
        }
        short.retain(|letter| !letter.is_control());
        Self::new(Kind::Refused, format!("{lead} {short}"))
    }

    /// Adds the path of the field at fault; an empty one is left out.
    #[must_use]
    pub fn at(mut self, field: String) -> Self {
        self.0.field = Some(field).filter(|field| !field.is_empty());
        self
    }

    /// Adds what only the log may hold; never a key, a prompt or an answer.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds how long to wait before the call is worth repeating.
    #[must_use]
    pub fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Adds upstream's own code and the provider that failed.
    #[must_use]
    pub fn upstream(mut self, code: Option<String>, provider: Option<String>) -> Self {
        self.0.upstream_code = code;
        self.0.provider = provider;
        self
    }

    /// Adds the HTTP methods that would be allowed, separated by commas.
    #[must_use]
    pub fn allow(mut self, methods: String) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// The HTTP methods that would be allowed, separated by commas.
    #[must_use]
    pub fn allowed(&self) -> Option<&str> {
        self.0.allow.as_deref()
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The row of the table that this error belongs to.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The wait before a repeat is worth it, if it is known.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The path of the input field at fault.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// Upstream's own code, where there is one.
    #[must_use]
    pub fn upstream_code(&self) -> Option<&str> {
        self.0.upstream_code.as_deref()
    }

    /// What the log says of it: the detail and the chain of causes, without the public message,
    /// which may quote upstream.
    #[must_use]
    pub fn log_detail(&self) -> String {
        let mut text = self.0.detail.as_deref().unwrap_or_default().to_owned();
        let mut cause = self
            .0
            .source
            .as_deref()
            .map(|source| source as &dyn StdError);
        while let Some(error) = cause {
            if !text.is_empty() {
                text.push_str(": ");
            }
            let _ = fmt::Write::write_fmt(&mut text, format_args!("{error}"));
            cause = error.source();
        }
        text
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self, request_id: &str) -> ErrorBody {
        let help = self.0.kind.help();
        ErrorBody {
            error: ErrorDetails {
                code: self.0.kind.code().to_owned(),
                message: self.0.message.clone().into_owned(),
                field: self.0.field.clone(),
                upstream_code: self.0.upstream_code.clone(),
                provider: self.0.provider.clone(),
                retry_after_seconds: self.0.retry_after.map(seconds_up),
                request_id: request_id.to_owned(),
                help: (!help.is_empty()).then(|| help.to_owned()),
            },
        }
    }
}

/// A wait in whole seconds, rounded up and at least 1, as `Retry-After` wants it.
#[must_use]
pub fn seconds_up(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// Error
    ///
    /// What went wrong.
    pub error: ErrorDetails,
}

/// What went wrong, in words and in codes.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorDetails {
    /// Code
    ///
    /// The stable code of this kind of error.
    pub code: String,
    /// Message
    ///
    /// One sentence that says what to do.
    pub message: String,
    /// Field
    ///
    /// The path of the input field at fault.
    pub field: Option<String>,
    /// Upstream Code
    ///
    /// OpenRouter's own code for the error.
    pub upstream_code: Option<String>,
    /// Provider
    ///
    /// The provider that failed.
    pub provider: Option<String>,
    /// Retry After Seconds
    ///
    /// Seconds to wait before the call is worth repeating.
    pub retry_after_seconds: Option<u64>,
    /// Request ID
    ///
    /// The id of this call in the service's log.
    pub request_id: String,
    /// Help
    ///
    /// What can be done about it.
    pub help: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permanent_failures_have_no_status_that_the_platform_repeats() {
        for kind in Kind::ALL {
            let repeated = matches!(kind.status(), 408 | 429 | 500..=599);
            assert_eq!(repeated, kind.retryable(), "{kind:?}");
        }
    }

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Kind::ALL.len());
    }

    #[test]
    fn a_body_has_no_key_without_a_value() {
        let body = Error::new(Kind::NotFound, "There is no such model.").body("r-1");
        let json = serde_json::to_value(body).unwrap();
        let keys: Vec<_> = json["error"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["code", "message", "request_id"]);
    }

    #[test]
    fn the_log_has_the_causes_and_not_the_public_message() {
        let error = Error::new(Kind::UpstreamError, "quoted from upstream")
            .detail("reading the body")
            .because(std::io::Error::other("reset"));
        assert_eq!(error.log_detail(), "reading the body: reset");
    }

    #[test]
    fn waits_are_rounded_up_to_whole_seconds() {
        assert_eq!(seconds_up(Duration::from_millis(1)), 1);
        assert_eq!(seconds_up(Duration::from_millis(2001)), 3);
        assert_eq!(seconds_up(Duration::ZERO), 1);
    }
}
