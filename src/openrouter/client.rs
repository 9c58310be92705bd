//! The one client: address, attribution, deadline, bounds, and the one `send`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, header, redirect};
use serde::{Serialize, de::DeserializeOwned};

use super::{ApiKey, error};
use crate::{
    config,
    error::{Error, Kind, Result},
    telemetry,
};

/// The longest that a read may take, such as of the catalogue: a designer waits for it.
const READ_DEADLINE: Duration = Duration::from_mins(1);

/// What a path segment may hold unescaped: model ids use `:`, `~` and `@`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b':')
    .remove(b'@');

/// A client of OpenRouter's HTTP API.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    deadline: Duration,
    max_answer: usize,
}

/// One call to be sent.
pub(super) struct Call<'a> {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    key: Option<&'a ApiKey>,
    body: Option<Vec<u8>>,
    /// Whether the answer may take as long as a generation.
    patient: bool,
}

impl<'a> Call<'a> {
    /// A read of `path`, which starts with a slash and whose segments are escaped.
    pub(super) fn get(path: impl Into<String>, key: Option<&'a ApiKey>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            key,
            body: None,
            patient: false,
        }
    }

    /// A call of `path` with `body` as JSON.
    pub(super) fn post<T: Serialize>(path: &str, key: &'a ApiKey, body: &T) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|cause| {
            Error::new(Kind::Internal, "The request could not be written.").because(cause)
        })?;
        Ok(Self {
            method: Method::POST,
            path: path.to_owned(),
            query: Vec::new(),
            key: Some(key),
            body: Some(body),
            patient: true,
        })
    }

    /// Lets the answer take as long as a generation: it is large.
    pub(super) fn patient(mut self) -> Self {
        self.patient = true;
        self
    }

    /// Adds query parameters.
    pub(super) fn query(mut self, query: Vec<(&'static str, String)>) -> Self {
        self.query = query;
        self
    }
}

/// Escapes `text` for use as one path segment.
///
/// # Errors
///
/// `400` for `field` if the segment is empty or would leave its place in the path.
pub(super) fn segment(field: &'static str, text: &str) -> Result<String> {
    if text.is_empty() || text == "." || text == ".." || text.contains(['/', '?', '#', '\\']) {
        return Err(Error::invalid(
            field,
            format!("{field} must not be empty or hold any of / ? # and \\."),
        ));
    }
    Ok(utf8_percent_encode(text, SEGMENT).to_string())
}

impl Client {
    /// A client with a connection pool of its own.
    ///
    /// # Errors
    ///
    /// [`Kind::Internal`] if the machine has no root certificates or the settings cannot be used.
    pub fn new(config: &config::Upstream) -> Result<Self> {
        // Another part of the process may have installed one already; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cannot = |cause: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(Kind::Internal, "The upstream client cannot be built.").because(cause)
        };
        let mut headers = header::HeaderMap::new();
        for (name, text) in [
            ("http-referer", &config.referer),
            ("x-openrouter-title", &config.title),
        ] {
            if !text.as_str().is_empty() {
                let value = text
                    .as_str()
                    .parse()
                    .map_err(|cause| cannot(Box::new(cause)))?;
                headers.insert(name, value);
            }
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("openrouter-connector/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout)
            .tcp_keepalive(Duration::from_secs(30))
            .redirect(redirect::Policy::custom(same_host))
            .build()
            .map_err(|cause| cannot(Box::new(cause)))?;
        Ok(Self {
            http,
            base: config.url.as_str().to_owned(),
            deadline: config.deadline,
            max_answer: config.max_answer_mb.bytes(),
        })
    }

    /// Sends `call` and reads its answer as `T`.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T> {
        self.ask_with_id(call).await.map(|(answer, _)| answer)
    }

    /// Sends `call` and reads its answer as `T`, with the generation's id from the headers, which
    /// some answers have nowhere else.
    pub(super) async fn ask_with_id<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
    ) -> Result<(T, Option<String>)> {
        let reply = self.send(call).await?;
        reply.refuse_error()?;
        let answer = reply.read()?;
        Ok((answer, reply.generation_id()))
    }

    /// Sends `call` and reads its whole answer. Anything but a success is an error.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Reply> {
        let started = Instant::now();
        let deadline = if call.patient {
            self.deadline
        } else {
            self.deadline.min(READ_DEADLINE)
        };
        let read = async { self.read(self.open(call).await?).await };
        let reply = tokio::time::timeout(deadline, read).await;
        telemetry::note(|facts| facts.upstream += started.elapsed());
        reply.unwrap_or_else(|_| Err(too_late()))
    }

    /// Reads an answer to its end.
    pub(super) async fn read(&self, mut stream: Stream) -> Result<Reply> {
        let mut body = Vec::new();
        while let Some(chunk) = stream.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        let headers = stream.headers;
        Ok(Reply { headers, body })
    }

    /// Sends `call` and hands its answer over while it arrives. Anything but a success is read
    /// to its end and is an error.
    pub(super) async fn open(&self, call: Call<'_>) -> Result<Stream> {
        let mut request = self
            .http
            .request(call.method, format!("{}{}", self.base, call.path));
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(key) = call.key {
            request = request.bearer_auth(key.reveal());
        }
        if let Some(body) = call.body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body);
        }
        let until = tokio::time::Instant::now() + self.deadline;
        let response = tokio::time::timeout_at(until, request.send())
            .await
            .map_err(|_| too_late())?
            .map_err(|cause| transport(&cause))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if let Some(id) = generation_id(&headers) {
            telemetry::note_generation(&id);
        }
        let mut stream = Stream {
            headers,
            response,
            until,
            left: self.max_answer,
        };
        if status.is_success() {
            return Ok(stream);
        }
        let mut body = Vec::new();
        // An error's body that breaks off or is far too long still has its status.
        while let Ok(Some(chunk)) = stream.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ERROR {
                break;
            }
        }
        Err(error::from_answer(status.as_u16(), &stream.headers, &body))
    }
}

/// A whole answer.
pub(super) struct Reply {
    pub(super) headers: header::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// The body as `T`. Slow answers arrive with leading line breaks; the parser skips them.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|cause| {
            Error::new(
                Kind::UpstreamError,
                "OpenRouter's answer broke off or is not JSON.",
            )
            .detail(format!("{} bytes, {:?}", self.body.len(), cause.classify()))
        })
    }

    /// An error inside the success is an error here. Only the places where errors stand are kept
    /// in memory: an answer can be large.
    pub(super) fn refuse_error(&self) -> Result<()> {
        let probe: error::Probe = self.read()?;
        probe.into_error(&self.headers).map_or(Ok(()), Err)
    }

    /// The generation's id from the headers.
    pub(super) fn generation_id(&self) -> Option<String> {
        generation_id(&self.headers)
    }

    /// Whether the body is JSON, by its type.
    pub(super) fn is_json(&self) -> bool {
        is_json(&self.headers)
    }
}

/// An answer that is still arriving.
#[derive(Debug)]
pub struct Stream {
    pub(super) headers: header::HeaderMap,
    response: reqwest::Response,
    /// When the answer must have ended.
    until: tokio::time::Instant,
    /// How many bytes it may still have.
    left: usize,
}

impl Stream {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Kind::UpstreamError`] or [`Kind::Deadline`] if the connection breaks or goes silent.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let chunk = tokio::time::timeout_at(self.until, self.response.chunk())
            .await
            .map_err(|_| too_late())?
            .map_err(|cause| transport(&cause))?;
        let length = chunk.as_ref().map_or(0, Bytes::len);
        // It would be as large the next time, and as expensive: no status that invites a repeat.
        self.left = self.left.checked_sub(length).ok_or_else(|| {
            Error::new(
                Kind::AnswerTooLarge,
                "The model's answer is larger than this service accepts.",
            )
        })?;
        Ok(chunk)
    }

    /// Whether the answer is JSON, by its type.
    pub(super) fn is_json(&self) -> bool {
        is_json(&self.headers)
    }

    /// The `Content-Type` of the answer.
    #[must_use]
    pub fn content_type(&self) -> &str {
        content_type(&self.headers)
    }

    /// The generation's id from the headers.
    #[must_use]
    pub fn generation_id(&self) -> Option<String> {
        generation_id(&self.headers)
    }
}

/// The longest body of an error that is read, in bytes.
const MAX_ERROR: usize = 1024 * 1024;

fn generation_id(headers: &header::HeaderMap) -> Option<String> {
    headers
        .get("x-generation-id")?
        .to_str()
        .ok()
        .map(str::to_owned)
}

pub(super) fn content_type(headers: &header::HeaderMap) -> &str {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default()
}

pub(super) fn is_json(headers: &header::HeaderMap) -> bool {
    content_type(headers).to_ascii_lowercase().contains("json")
}

fn too_late() -> Error {
    Error::new(
        Kind::Deadline,
        "OpenRouter did not answer in the time for one call.",
    )
}

/// Follows a redirect only on the same host, so that a key never leaves for another one.
fn same_host(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let same = attempt.previous().first().is_some_and(|first| {
        first.host() == attempt.url().host()
            && first.port_or_known_default() == attempt.url().port_or_known_default()
            && first.scheme() == attempt.url().scheme()
    });
    if same && attempt.previous().len() <= 3 {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// A failure of the connection itself. The address is left out: it may hold ids.
fn transport(cause: &reqwest::Error) -> Error {
    let (kind, message) = if cause.is_connect() {
        (
            Kind::UpstreamError,
            "OpenRouter cannot be reached at the moment.",
        )
    } else if cause.is_timeout() {
        (
            Kind::Deadline,
            "OpenRouter went silent before its answer was complete.",
        )
    } else {
        (
            Kind::UpstreamError,
            "The connection to OpenRouter broke before its answer was complete.",
        )
    };
    let mut detail = String::new();
    let mut source = std::error::Error::source(cause);
    while let Some(error) = source {
        if !detail.is_empty() {
            detail.push_str(": ");
        }
        detail.push_str(&error.to_string());
        source = error.source();
    }
    Error::new(kind, message).detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_keeps_what_model_ids_use_and_stays_in_its_place() {
        assert_eq!(segment("slug", "gpt-4o:free").unwrap(), "gpt-4o:free");
        assert_eq!(segment("author", "~openai").unwrap(), "~openai");
        assert_eq!(segment("slug", "a b%").unwrap(), "a%20b%25");
        for bad in ["", ".", "..", "a/b", "a?b", "a#b", "..\\x"] {
            assert_eq!(
                segment("slug", bad).unwrap_err().field(),
                Some("slug"),
                "{bad}"
            );
        }
    }
}
