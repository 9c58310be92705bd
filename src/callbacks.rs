//! Calls flows back: a client that posts to allowed hosts of the public Internet only, and repeats
//! what may pass.
//!
//! Nothing else in this service goes where a caller points. So a URL is checked by its text
//! ([`CallbackUrl`]) and, when it is called, by the addresses that its host has then. Redirects are
//! not followed, the environment's proxy is not used, and what the receiver answers is not kept.

mod public;
mod url;

use std::{
    error::Error as StdError,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use reqwest::{StatusCode, header, redirect};
use tokio::sync::Semaphore;

use self::public::{NotPublic, PublicOnly};
pub use self::url::CallbackUrl;
use crate::{
    config,
    error::{Error, Kind, Result},
};

/// The longest wait for a connection, the lookup of the host's name included.
const CONNECT: Duration = Duration::from_secs(5);

/// How many attempts run at once.
const SLOTS: usize = 64;

/// How much of an answer is read, in bytes: so much that the connection can be used again.
const ANSWER: usize = 4096;

/// The longest wait for the rest of an answer whose status is there.
const REST: Duration = Duration::from_secs(2);

/// The waits between attempts grow from the first to the second of these, each by a random part.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// The client; a copy is the same client.
#[derive(Clone, Debug)]
pub struct Callbacks {
    http: reqwest::Client,
    settings: Arc<config::Hooks>,
    slots: Arc<Semaphore>,
}

/// What came of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The receiver took it.
    Done,
    /// The receiver says that nobody waits there any more (404 or 410).
    Gone,
    /// The receiver refused it, may not be called, or failed for the whole of `hooks.retry_for`.
    GaveUp,
}

/// What came of a delivery, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What came of it.
    pub delivered: Delivered,
    /// How often it was tried.
    pub attempts: u32,
    /// The status of the last answer; `None` if the last attempt had none.
    pub status: Option<u16>,
    /// Why the last attempt had no answer; empty if it had one.
    pub problem: &'static str,
}

/// What came of one attempt.
struct Attempt {
    status: Option<u16>,
    problem: &'static str,
    /// How long the receiver wants to be left alone.
    retry_after: Option<Duration>,
}

impl Callbacks {
    /// A client with a connection pool of its own.
    ///
    /// # Errors
    ///
    /// [`Kind::Internal`] if the machine has no root certificates.
    pub fn new(settings: &config::Hooks) -> Result<Self> {
        // Another part of the process may have installed one already; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("openrouter-connector/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT.min(settings.timeout))
            .timeout(settings.timeout)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .no_gzip()
            .referer(false)
            .http1_only();
        if !settings.allow_private {
            builder = builder.https_only(true).dns_resolver(Arc::new(PublicOnly));
        }
        let http = builder.build().map_err(|cause| {
            Error::new(Kind::Internal, "The client of callbacks cannot be built.").because(cause)
        })?;
        Ok(Self {
            http,
            settings: Arc::new(settings.clone()),
            slots: Arc::new(Semaphore::new(SLOTS)),
        })
    }

    /// Takes a URL that may be called, see [`CallbackUrl::check`].
    ///
    /// # Errors
    ///
    /// `400` for `callback_url`.
    pub fn check(&self, text: &str) -> Result<CallbackUrl> {
        CallbackUrl::check(text, &self.settings)
    }

    /// Posts `body`, which is JSON, to `url` until the receiver takes it, refuses it, or
    /// `hooks.retry_for` is over. Repeated are 408, 429, 5xx and failures of the connection, with
    /// growing waits and never before the receiver's `Retry-After` is over.
    ///
    /// Each attempt carries `id` as `webhook-id` (the name in Standard Webhooks), so that a
    /// receiver can tell a repeat; an attempt whose answer was lost may have arrived.
    pub async fn deliver(&self, url: &CallbackUrl, id: &str, body: Bytes) -> Delivery {
        let started = Instant::now();
        let waits = ExponentialBuilder::new()
            .with_min_delay(WAITS.0)
            .with_max_delay(WAITS.1)
            .without_max_times();
        let mut attempts = 0;
        let ended = (|| {
            attempts += 1;
            self.attempt(url, id, body.clone())
        })
        .retry(waits)
        .when(Attempt::may_pass)
        .adjust(|attempt: &Attempt, wait| {
            let wait = part_of(wait?).max(attempt.retry_after.unwrap_or_default());
            let left = self.settings.retry_for.checked_sub(started.elapsed())?;
            (wait < left).then_some(wait)
        })
        .await;
        let (delivered, last) = match ended {
            Ok(last) => (Delivered::Done, last),
            Err(last) if matches!(last.status, Some(404 | 410)) => (Delivered::Gone, last),
            Err(last) => (Delivered::GaveUp, last),
        };
        Delivery {
            delivered,
            attempts,
            status: last.status,
            problem: last.problem,
        }
    }

    /// One attempt; an error is anything but a success.
    async fn attempt(
        &self,
        url: &CallbackUrl,
        id: &str,
        body: Bytes,
    ) -> std::result::Result<Attempt, Attempt> {
        // Held for this attempt and not for the waits, so that the dead do not hold up the living.
        let _slot = self.slots.acquire().await;
        let request = self
            .http
            .post(url.url())
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header("webhook-id", id)
            .body(body);
        let mut answer = request.send().await.map_err(|cause| Attempt {
            status: None,
            problem: problem(&cause),
            retry_after: None,
        })?;
        let attempt = Attempt {
            status: Some(answer.status().as_u16()),
            problem: "",
            retry_after: retry_after(answer.headers()),
        };
        let mut left = ANSWER;
        let rest = async {
            while let Ok(Some(chunk)) = answer.chunk().await
                && chunk.len() < left
            {
                left -= chunk.len();
            }
        };
        let _ = tokio::time::timeout(REST, rest).await;
        if answer.status().is_success() {
            Ok(attempt)
        } else {
            Err(attempt)
        }
    }
}

impl Attempt {
    /// Whether another attempt may succeed.
    fn may_pass(&self) -> bool {
        match self.status {
            Some(status) => {
                matches!(status, 408 | 429)
                    || StatusCode::from_u16(status).is_ok_and(|status| status.is_server_error())
            }
            None => self.problem != NOT_PUBLIC,
        }
    }
}

const NOT_PUBLIC: &str = "its host has no public address";

/// Why there is no answer, in words that do not hold the URL.
fn problem(cause: &reqwest::Error) -> &'static str {
    let mut source = cause.source();
    while let Some(error) = source {
        if error.is::<NotPublic>() {
            return NOT_PUBLIC;
        }
        source = error.source();
    }
    if cause.is_timeout() {
        "it took too long"
    } else if cause.is_connect() {
        "it cannot be reached"
    } else {
        "the connection broke"
    }
}

/// A random part of `wait`, so that those who failed together do not come back together.
fn part_of(wait: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    wait.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// `Retry-After` in either form.
fn retry_after(headers: &header::HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = text.parse().ok().map(Duration::from_secs);
    seconds.or_else(|| {
        let moment = httpdate::parse_http_date(text).ok()?;
        moment.duration_since(SystemTime::now()).ok()
    })
}

#[cfg(test)]
mod tests;
