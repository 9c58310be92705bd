//! One call of the service, and the checks that every answer must pass.

use std::{sync::LazyLock, time::Duration};

use openrouter_connector::error::Kind;
use reqwest::{
    Client, Method, RequestBuilder,
    header::{ALLOW, CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};
use serde_json::Value;

use super::definition::{Operation, sample};

/// The key that tests call with; the simulated OpenRouter gives it every right.
pub(crate) const KEY: &str = "sandbox-key";

/// The type that every JSON answer has.
const JSON: &str = "application/json; charset=utf-8";

/// The keys that an error may have.
const ERROR_KEYS: [&str; 8] = [
    "code",
    "message",
    "field",
    "upstream_code",
    "provider",
    "retry_after_seconds",
    "request_id",
    "help",
];

/// No connection is kept: it would belong to the runtime of the one test that opened it.
pub(crate) static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(30))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
});

/// A call that is being put together.
pub(crate) struct Call<'a> {
    operation: Option<Operation>,
    method: String,
    base: &'a str,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    key: bool,
    body: Option<(String, Vec<u8>)>,
}

impl<'a> Call<'a> {
    pub(super) fn operation(base: &'a str, id: &str) -> Self {
        let operation = Operation::named(id);
        Self {
            operation: Some(operation),
            method: operation.method.to_owned(),
            key: true,
            ..Self::page(base, operation.path)
        }
    }

    /// A `GET` of `path` below `base`, without a key.
    pub(crate) fn page(base: &'a str, path: &str) -> Self {
        Self {
            operation: None,
            method: "GET".to_owned(),
            base,
            path: path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            key: false,
            body: None,
        }
    }

    /// Another HTTP method than that of the operation.
    pub(crate) fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// A part of the path, escaped already.
    pub(crate) fn path(mut self, name: &str, value: &str) -> Self {
        let place = format!("{{{name}}}");
        assert!(self.path.contains(&place), "{} has no {name}", self.path);
        self.path = self.path.replace(&place, value);
        self
    }

    pub(crate) fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn key(mut self) -> Self {
        self.key = true;
        self
    }

    pub(crate) fn no_key(mut self) -> Self {
        self.key = false;
        self
    }

    pub(crate) fn body(self, body: &Value) -> Self {
        self.raw_body("application/json", body.to_string())
    }

    /// A body that may be anything; no `Content-Type` is sent if `kind` is empty.
    pub(crate) fn raw_body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some((kind.to_owned(), body.into()));
        self
    }

    /// Everything that the operation requires and that is not set yet.
    pub(crate) fn with_samples(mut self) -> Self {
        let operation = self.operation.expect("pages have no samples");
        for parameter in operation.parameters() {
            let name = parameter["name"].as_str().unwrap();
            let value = sample(name, parameter);
            match parameter["in"].as_str().unwrap() {
                "path" => {
                    let place = format!("{{{name}}}");
                    self.path = self.path.replace(&place, value.as_str().unwrap());
                }
                "query"
                    if parameter["required"] == true
                        && self.query.iter().all(|(known, _)| known != name) =>
                {
                    let text = value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned);
                    self.query.push((name.to_owned(), text));
                }
                "body" if self.body.is_none() => {
                    self = self.body(&sample("", &parameter["schema"]));
                }
                _ => {}
            }
        }
        self
    }

    fn request(&self) -> RequestBuilder {
        let method: Method = self.method.parse().unwrap();
        let mut request = CLIENT.request(method, format!("{}{}", self.base, self.path));
        if !self.query.is_empty() {
            request = request.query(&self.query);
        }
        if self.key {
            request = request.bearer_auth(KEY);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some((kind, body)) = &self.body {
            if !kind.is_empty() {
                request = request.header(CONTENT_TYPE, kind);
            }
            request = request.body(body.clone());
        }
        request
    }

    /// Whether the call asks for something else than JSON.
    fn wants_bytes(&self) -> bool {
        self.headers
            .iter()
            .any(|(name, value)| name == "accept" && !value.contains("json"))
    }

    /// Makes the call and checks its answer.
    pub(crate) async fn send(self) -> Answer {
        let response = self.request().send().await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await.unwrap().to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or_default();
        let answer = Answer {
            status,
            headers,
            bytes,
            text,
            json,
        };
        let shown = || format!("{} {} -> {status} {}", self.method, self.path, answer.text);
        answer.check_headers(&shown());
        if status >= 400 {
            let later = self
                .operation
                .is_some_and(|known| known.id == "GetJobResult");
            answer.check_error(later, &shown());
        } else if let Some(operation) = self.operation.filter(|_| !self.wants_bytes()) {
            answer.check_success(&operation, &shown());
        }
        answer
    }

    /// Makes the call, which must succeed.
    pub(crate) async fn ok(self) -> Answer {
        let answer = self.send().await;
        assert!(answer.status < 300, "{} {}", answer.status, answer.text);
        answer
    }

    /// Makes the call, which must fail with this status and code.
    pub(crate) async fn fails(self, status: u16, code: &str) -> Answer {
        let answer = self.send().await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{}",
            answer.text
        );
        answer
    }

    /// Makes the call, which must fail with 400 for this field.
    pub(crate) async fn refused(self, field: &str) -> Answer {
        let answer = self.fails(400, "invalid_request").await;
        assert_eq!(answer.field(), field, "{}", answer.text);
        answer
    }
}

/// An answer that has passed the checks.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    /// The bytes as text, as far as they are one.
    pub(crate) text: String,
    /// Null if the text is no JSON.
    pub(crate) json: Value,
}

impl Answer {
    /// A header as text; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the error; empty if it is none.
    pub(crate) fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// The field at fault; empty if there is none.
    pub(crate) fn field(&self) -> &str {
        self.json["error"]["field"].as_str().unwrap_or_default()
    }

    /// The error's sentence.
    pub(crate) fn message(&self) -> &str {
        self.json["error"]["message"].as_str().unwrap_or_default()
    }

    /// The warnings of a generation.
    pub(crate) fn warnings(&self) -> Vec<&str> {
        let warnings = self.json["warnings"]
            .as_array()
            .expect("no warnings in the answer");
        warnings
            .iter()
            .map(|warning| warning.as_str().unwrap())
            .collect()
    }

    fn check_headers(&self, shown: &str) {
        assert!(
            !self.header("x-request-id").is_empty(),
            "no x-request-id: {shown}"
        );
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{shown}");
        let timing = self.header("server-timing");
        let metrics: Vec<(&str, f64)> = timing
            .split(", ")
            .map(|metric| {
                metric
                    .split_once(";dur=")
                    .unwrap_or_else(|| panic!("{timing}: {shown}"))
            })
            .map(|(name, duration)| (name, duration.parse().unwrap()))
            .collect();
        let [("total", total), ("upstream", upstream), ("own", own)] = metrics[..] else {
            panic!("server-timing is {timing}: {shown}");
        };
        assert!(
            total >= 0.0 && upstream >= 0.0 && own >= 0.0,
            "{timing}: {shown}"
        );
        assert!(own <= total + 0.11, "{timing}: {shown}");
    }

    fn check_success(&self, operation: &Operation, shown: &str) {
        assert!(operation.declares(self.status), "not declared: {shown}");
        // Below the base path of the definition: the platform follows no other address.
        let location = self.header("location");
        let whole = location.starts_with("http") && location.contains("/api/v1/");
        let polled = operation.content["x-ms-trigger"] == "batch";
        let needed = polled || matches!(self.status, 201 | 202);
        assert_eq!(whole, needed, "Location: {location}: {shown}");
        if self.status == 202 {
            let wait = self.header("retry-after").parse::<u64>();
            assert!(wait.is_ok_and(|wait| wait > 0), "no Retry-After: {shown}");
            if self.bytes.is_empty() {
                return;
            }
        }
        assert_eq!(self.header("content-type"), JSON, "{shown}");
        // It holds what only its caller may see.
        assert_eq!(self.header("cache-control"), "no-store", "{shown}");
        let misfits = operation.misfits(self.status, &self.json);
        assert!(misfits.is_empty(), "{misfits:#?}\n{shown}");
        assert!(!has_null(&self.json), "null in the answer: {shown}");
    }

    /// Checks an error; `later` says that it is told of an earlier call.
    fn check_error(&self, later: bool, shown: &str) {
        assert_eq!(self.header("content-type"), JSON, "{shown}");
        let whole = self
            .json
            .as_object()
            .unwrap_or_else(|| panic!("no error body: {shown}"));
        assert!(whole.keys().eq(["error"]), "{shown}");
        let error = self.json["error"]
            .as_object()
            .unwrap_or_else(|| panic!("no error: {shown}"));
        for key in error.keys() {
            assert!(ERROR_KEYS.contains(&key.as_str()), "error.{key}: {shown}");
        }
        assert!(!has_null(&self.json), "null in the error: {shown}");

        let known = |kind: &Kind| kind.code() == self.code() && kind.status() == self.status;
        let row = Kind::ALL.iter().find(|kind| known(kind));
        assert!(
            row.is_some(),
            "status and code are not of one row of the table: {shown}"
        );
        // A sentence; the suggestion of a name is a question.
        let message = self.message();
        assert!(message.ends_with(['.', '?', '!']), "no full stop: {shown}");
        assert!(
            !message.contains(char::is_control),
            "more than a line: {shown}"
        );
        if !later && self.header("x-replayed").is_empty() {
            assert_eq!(error["request_id"], self.header("x-request-id"), "{shown}");
        }

        let wait = self
            .headers
            .get(RETRY_AFTER)
            .map(|wait| wait.to_str().unwrap().parse::<u64>().unwrap());
        let told = error
            .get("retry_after_seconds")
            .map(|seconds| seconds.as_u64().unwrap());
        assert_eq!(wait, told, "Retry-After and the body: {shown}");
        assert_ne!(wait, Some(0), "{shown}");
        assert!(
            wait.is_some() || self.status != 429,
            "429 without Retry-After: {shown}"
        );
        assert_eq!(
            self.headers.contains_key(ALLOW),
            self.status == 405,
            "Allow: {shown}"
        );
    }
}

/// Whether there is a null anywhere in `value`.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(map) => map.values().any(has_null),
        _ => false,
    }
}
