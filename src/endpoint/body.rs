//! The body of a request: JSON, read leniently, checked, and refused with the field's path.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::header::CONTENT_LENGTH,
    web::{self, Bytes},
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use validator::Validate;

use super::{lenient::Lenient, names};
use crate::error::{Error, Kind, Result};

/// What an action takes in its body.
pub trait Input: Sized {
    /// Reads and checks the input.
    ///
    /// # Errors
    ///
    /// `400` with the path of the first field at fault.
    fn from_json(value: Value) -> Result<Self>;
}

impl<T: DeserializeOwned + Validate> Input for T {
    fn from_json(value: Value) -> Result<Self> {
        let input: Self = read(Lenient::json(value))?;
        check(&input)?;
        Ok(input)
    }
}

/// Reads `T`; the error has the path of the field.
pub(super) fn read<T: DeserializeOwned>(from: Lenient) -> Result<T> {
    serde_path_to_error::deserialize(from)
        .map_err(|error| names::unreadable(error.path(), error.inner()))
}

/// Checks the bounds of `input`; the error has the path of the field.
pub(super) fn check<T: Validate>(input: &T) -> Result<()> {
    input
        .validate()
        .map_err(|errors| names::out_of_bounds(&errors))
}

/// The most values that a request may have. Each takes far more memory than its text; large
/// requests are large by their files, which are one value each.
const MAX_VALUES: usize = 500_000;

/// Whether JSON has more values than a request may have, told before memory is taken for them.
fn has_too_many_values(json: &[u8]) -> bool {
    let (mut values, mut in_text, mut escaped) = (0, false, false);
    for byte in json {
        match (in_text, escaped, byte) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (_, _, b'"') => in_text = !in_text,
            (false, _, b',' | b'[' | b'{') => values += 1,
            _ => {}
        }
    }
    values > MAX_VALUES
}

/// The body of a request as `T`.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: Input + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = read_json(request, payload);
        Box::pin(async move {
            // The raw body is let go before the input is built: files can be large.
            let (_, value) = read.await?;
            T::from_json(value).map(Self)
        })
    }
}

/// Reads the body as JSON, and gives it as it came, too.
pub(super) fn read_json(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<(Bytes, Value)>> + use<> {
    let kind = request.content_type().trim().to_ascii_lowercase();
    let limit = request
        .app_data::<web::Data<BodyLimit>>()
        .map_or(0, |limit| limit.0);
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let payload = payload.take();
    async move {
        // A body without a type is read as JSON: some hosts leave the header out.
        if !kind.is_empty() && kind != "application/json" && !kind.ends_with("+json") {
            return Err(Error::new(
                Kind::UnsupportedMediaType,
                "The body must be JSON (Content-Type: application/json).",
            ));
        }
        let bytes = collect(payload, length, limit).await?;
        if bytes.is_empty() {
            return Err(Error::new(Kind::InvalidRequest, "The call has no body."));
        }
        if has_too_many_values(&bytes) {
            return Err(Error::new(
                Kind::PayloadTooLarge,
                format!("The request has more than {MAX_VALUES} values."),
            ));
        }
        let value = serde_json::from_slice(&bytes).map_err(|cause| {
            let (line, column) = (cause.line(), cause.column());
            Error::new(
                Kind::InvalidRequest,
                format!("The body is not JSON: line {line}, column {column}."),
            )
        })?;
        Ok((bytes.into(), value))
    }
}

/// The largest body of a request, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimit(pub usize);

/// Reads a body into memory that is taken once, by the length that the caller names.
async fn collect(mut payload: Payload, length: Option<usize>, limit: usize) -> Result<Vec<u8>> {
    let too_large = || {
        let limit = limit / 1024 / 1024;
        let message = format!("The request is larger than {limit} MB.");
        Error::new(Kind::PayloadTooLarge, message)
    };
    if length.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(length.unwrap_or_default());
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|cause| {
            Error::new(Kind::InvalidRequest, "The body of the request broke off.")
                .detail(cause.to_string())
        })?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_outside_of_texts() {
        let text = format!(
            "{{\"a\": \"{}\\\"{}\"}}",
            ",[{".repeat(MAX_VALUES),
            ",".repeat(9)
        );
        assert!(!has_too_many_values(text.as_bytes()));
        let list = format!("[{}0]", "0,".repeat(MAX_VALUES + 1));
        assert!(has_too_many_values(list.as_bytes()));
    }
}
