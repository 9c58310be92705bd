//! Errors in the shapes the real service gives them.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};

/// A request refused, with the status, headers and body the real service would send.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    error: Map<String, Value>,
}

impl Refusal {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        let mut error = Map::new();
        error.insert("message".into(), Value::String(message.into()));
        error.insert("code".into(), status.into());
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: Vec::new(),
            error,
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message).kind("invalid_request")
    }

    /// The machine-readable reason, in `error.metadata.error_type`.
    pub(super) fn kind(self, error_type: &str) -> Self {
        self.metadata("error_type", error_type)
    }

    pub(super) fn metadata(mut self, key: &str, value: impl Into<Value>) -> Self {
        let metadata = self.error.entry("metadata").or_insert_with(|| json!({}));
        if let Value::Object(metadata) = metadata {
            metadata.insert(key.to_owned(), value.into());
        }
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Describes why no provider could answer. Real bodies of this sort carry `error_type` and
    /// `http_status` beside the message and have no `code`, and so do these.
    pub(super) fn availability(
        mut self,
        error_type: &str,
        code: &str,
        model: &str,
        retry_after: Option<u32>,
    ) -> Self {
        self.error.shift_remove("code");
        self.error.insert("error_type".into(), error_type.into());
        self.error
            .insert("http_status".into(), self.status.as_u16().into());
        let mut availability = json!({
            "code": code,
            "retryable": retry_after.is_some(),
            "requested_models": [model],
            "docs_url": format!("https://openrouter.ai/docs/errors#{code}"),
        });
        if let Some(seconds) = retry_after {
            availability["retry_after"] = seconds.into();
        }
        self.error.insert("availability".into(), availability);
        self
    }

    pub(super) fn unknown_model(model: &str) -> Self {
        Self::new(400, format!("{model} is not a valid model ID")).availability(
            "invalid_request",
            "model_not_found",
            model,
            None,
        )
    }

    pub(super) fn wrong_endpoint(model: &str, endpoint: &str) -> Self {
        let message = format!("{model} cannot be used with {endpoint}");
        Self::new(400, message).availability("invalid_request", "wrong_endpoint", model, None)
    }

    /// No provider of the model can do what was asked.
    pub(super) fn no_endpoints(message: impl Into<String>) -> Self {
        Self::new(404, message).kind("not_found")
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "Resource not found")
    }

    /// The error object alone, for errors that travel inside an answer.
    pub(super) fn into_error(self) -> Value {
        Value::Object(self.error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.status)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((*name, value.as_str()));
        }
        let mut body = json!({ "error": self.error });
        // Errors of the platform's own checks name the account; the others do not.
        if matches!(self.status.as_u16(), 400 | 402 | 403) {
            body["user_id"] = "user_sandbox0000000000000000000".into();
        }
        response.json(body)
    }
}
