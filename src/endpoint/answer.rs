//! Answers as the definition promises them: JSON with its charset, errors with one body.

use std::io;

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError,
    body::BoxBody,
    http::{
        StatusCode,
        header::{ALLOW, CONTENT_TYPE, RETRY_AFTER},
    },
    web::Bytes,
};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};
use utoipa::IntoResponses;

use crate::{
    error::{Error, ErrorBody, Kind, seconds_up},
    telemetry,
};

/// The type that every JSON answer has; the engine of Power Automate parses no other.
pub(super) const JSON: &str = "application/json; charset=utf-8";

/// A success with a JSON body.
#[derive(Debug)]
pub struct Answer<T>(pub T);

impl<T: Serialize> Responder for Answer<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        written(&self.0).map_or_else(HttpResponse::from_error, |body| json(StatusCode::OK, body))
    }
}

/// Writes an answer's body.
pub(crate) fn written<T: Serialize>(body: &T) -> Result<Bytes, Error> {
    let mut bytes = Vec::new();
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, PlainNumbers);
    body.serialize(&mut writer).map_err(|cause| {
        Error::new(Kind::Internal, "The answer could not be written.").because(cause)
    })?;
    Ok(bytes.into())
}

/// Writes whole numbers without a fraction, so that a count that upstream sends as `1.0` reads as
/// `1` in a flow.
struct PlainNumbers;

impl Formatter for PlainNumbers {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked first"
    )]
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        if value.fract() == 0.0 && value.abs() < 9e15 {
            return self.write_i64(writer, value as i64);
        }
        CompactFormatter.write_f64(writer, value)
    }
}

/// JSON that is written already.
pub(crate) fn json(status: StatusCode, body: Bytes) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, JSON))
        .body(body)
}

/// The answer that tells `error`.
#[must_use]
pub fn fail(error: &Error) -> HttpResponse {
    let status = error.status_code();
    let body = error.body(&telemetry::request_id());
    let mut answer = HttpResponse::build(status);
    answer.insert_header((CONTENT_TYPE, JSON));
    if let Some(wait) = error.wait() {
        answer.insert_header((RETRY_AFTER, seconds_up(wait)));
    }
    if let Some(methods) = error.allowed() {
        answer.insert_header((ALLOW, methods));
    }
    answer.body(serde_json::to_vec(&body).unwrap_or_default())
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        fail(self)
    }
}

/// What a generation answers that takes longer than its caller can wait.
#[derive(Debug, IntoResponses)]
pub enum GoesOn {
    /// The call goes on in the background; the Location says where its answer will be.
    #[response(status = 202)]
    Running,
}

/// The failures that every action shares.
#[derive(Debug, IntoResponses)]
pub enum ActionErrors {
    /// The input is not valid; the answer names the field.
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The key is missing or not accepted.
    #[response(status = 401)]
    Key(ErrorBody),
    /// There are not enough credits.
    #[response(status = 402)]
    Credits(ErrorBody),
    /// The call was refused.
    #[response(status = 403)]
    Refused(ErrorBody),
    /// There is no such model or record.
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// Too many calls; the answer says when to try again.
    #[response(status = 429)]
    TooMany(ErrorBody),
    /// OpenRouter or the model's provider failed.
    #[response(status = 502)]
    Upstream(ErrorBody),
    /// There is no capacity at the moment.
    #[response(status = 503)]
    Overloaded(ErrorBody),
    /// Any other failure.
    #[response(status = "default")]
    Other(ErrorBody),
}
