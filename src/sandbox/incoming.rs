//! What comes in: who is calling, and the JSON body.

use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse};
use serde_json::{Map, Value};

use super::errors::Refusal;

/// The body as it came, put here by the recorder.
#[derive(Clone)]
pub(super) struct RawBody(pub(super) Bytes);

/// What the key in the `Authorization` header may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Missing,
    Malformed,
    Invalid,
    Inference,
    Management,
    /// Keys of the sandbox's own: both of the above, so that one key shows every action.
    Sandbox,
}

impl Key {
    fn of(request: &HttpRequest) -> Self {
        let Some(value) = request.headers().get(header::AUTHORIZATION) else {
            return Self::Missing;
        };
        let Some((scheme, key)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
            return Self::Malformed;
        };
        let key = key.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || key.is_empty() {
            Self::Malformed
        } else if key.starts_with("sk-or-invalid") {
            Self::Invalid
        } else if key.starts_with("sandbox") {
            Self::Sandbox
        } else if key.contains("management") {
            Self::Management
        } else {
            Self::Inference
        }
    }

    /// Any key at all, whatever it may do.
    fn known(self) -> Result<Self, Refusal> {
        match self {
            Self::Missing => Err(Refusal::new(401, "Missing Authentication header")),
            Self::Malformed => Err(Refusal::new(401, "No cookie auth credentials found")),
            Self::Invalid => Err(Refusal::new(401, "User not found.").kind("authentication")),
            known => Ok(known),
        }
    }
}

/// Somebody with a valid key of any kind.
pub(super) struct Caller {
    pub(super) management: bool,
    pub(super) sandbox: bool,
}

impl FromRequest for Caller {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Key::of(request).known().map(|key| Self {
            management: key == Key::Management,
            sandbox: key == Key::Sandbox,
        }))
    }
}

/// Somebody whose key may call models.
pub(super) struct InferenceCaller;

impl FromRequest for InferenceCaller {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Key::of(request).known().and_then(|key| match key {
            Key::Management => {
                let message = "Management keys cannot be used for inference requests";
                Err(Refusal::new(403, message).kind("permission_denied"))
            }
            _ => Ok(Self),
        }))
    }
}

/// Somebody whose key may see the account.
pub(super) struct ManagementCaller;

impl FromRequest for ManagementCaller {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Key::of(request).known().and_then(|key| match key {
            Key::Inference => Err(Refusal::new(
                403,
                "Only management keys can perform this operation",
            )),
            _ => Ok(Self),
        }))
    }
}

/// Whether a usable key came along, for the answers that say more to those who have one.
pub(super) struct MaybeCaller(pub(super) bool);

impl FromRequest for MaybeCaller {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(Key::of(request).known().is_ok())))
    }
}

/// What the headers tell about the app that calls.
#[derive(Debug, Clone, Default)]
pub(super) struct App {
    pub(super) referer: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) session: Option<String>,
    /// Whether the routing is to be explained in the answer.
    pub(super) explain: bool,
}

impl FromRequest for App {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = |name: &str| {
            let value = request.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let explain = header("X-OpenRouter-Metadata")
            .or_else(|| header("X-OpenRouter-Experimental-Metadata"));
        ready(Ok(Self {
            referer: header("HTTP-Referer"),
            user_agent: header("User-Agent"),
            session: header("x-session-id"),
            explain: explain.is_some_and(|wish| wish.eq_ignore_ascii_case("enabled")),
        }))
    }
}

/// The body, read as a JSON object.
pub(super) struct JsonBody(Map<String, Value>);

impl JsonBody {
    /// A field that must be a string with something in it.
    pub(super) fn text(&self, field: &str) -> Result<&str, Refusal> {
        match self.get(field) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            Some(Value::String(_)) => {
                Err(invalid(field, "Too small: expected at least 1 character"))
            }
            Some(Value::Null) | None => Err(invalid(field, "Required")),
            Some(_) => Err(invalid(field, "Invalid input: expected string")),
        }
    }

    /// A field that may be absent or null, and otherwise is a number within bounds.
    pub(super) fn number(&self, field: &str, low: f64, high: f64) -> Result<Option<f64>, Refusal> {
        number_in(&self.0, field, low, high)
    }

    /// A field that may be absent or null, and otherwise is one of these words.
    pub(super) fn word(&self, field: &str, words: &[&str]) -> Result<Option<&str>, Refusal> {
        match self.get(field) {
            Some(Value::String(word)) if words.contains(&word.as_str()) => Ok(Some(word)),
            Some(Value::Null) | None => Ok(None),
            Some(_) => {
                let options = words.join("\"|\"");
                Err(invalid(
                    field,
                    &format!("Invalid option: expected one of \"{options}\""),
                ))
            }
        }
    }
}

/// As [`JsonBody::number`], for objects inside the body.
pub(super) fn number_in(
    object: &Map<String, Value>,
    field: &str,
    low: f64,
    high: f64,
) -> Result<Option<f64>, Refusal> {
    match object.get(field) {
        Some(Value::Null) | None => Ok(None),
        Some(value) => match value.as_f64() {
            Some(number) if (low..=high).contains(&number) => Ok(Some(number)),
            Some(number) if number < low => Err(invalid(
                field,
                &format!("Too small: expected number to be >={low}"),
            )),
            Some(_) => Err(invalid(
                field,
                &format!("Too big: expected number to be <={high}"),
            )),
            None => Err(invalid(field, "Invalid input: expected number")),
        },
    }
}

/// A field that is not as it should be.
pub(super) fn invalid(field: &str, complaint: &str) -> Refusal {
    Refusal::bad_request(format!("{field}: {complaint}"))
}

impl Deref for JsonBody {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<Map<String, Value>> for JsonBody {
    fn from(map: Map<String, Value>) -> Self {
        Self(map)
    }
}

impl FromRequest for JsonBody {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        let parsed = extensions
            .get::<RawBody>()
            .and_then(|body| serde_json::from_slice(&body.0).ok());
        ready(match parsed {
            Some(Value::Object(map)) => Ok(Self(map)),
            Some(_) => Err(Refusal::bad_request("Invalid input: expected object")),
            None => Err(Refusal::bad_request("Invalid JSON in request body")),
        })
    }
}

/// Whatever is not there.
pub(super) async fn not_found() -> Result<HttpResponse, Refusal> {
    Err(Refusal::not_found())
}
