//! What an operator can set: one small struct per concern, all of it shown in `config.default.toml`.

mod hooks;
mod limits;
mod load;
mod store;

use std::{fmt, net::SocketAddr, num::NonZeroU32, time::Duration};

pub use hooks::{Hooks, HostPattern};
pub use limits::Limits;
pub use load::{Overrides, load};
use serde::{Deserialize, Serialize};
pub use store::{RedisUrl, Store, StoreAddress, StoreUrl};

/// The embedded file that names, explains and sets every default.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// The process's environment; the one place that reads it.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The whole configuration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP server.
    pub server: Server,
    /// The calls to OpenRouter.
    pub upstream: Upstream,
    /// How long calls may take.
    pub deadline: Deadline,
    /// How much a connection may ask for.
    pub limits: Limits,
    /// Calls that outlive their caller.
    pub jobs: Jobs,
    /// Links to the files of answers.
    pub files: Files,
    /// Calling back the flows that wait for something.
    pub hooks: Hooks,
    /// The cached list of models.
    pub catalog: Catalog,
    /// What must outlive a call or be shared.
    pub store: Store,
    /// The log.
    pub log: Log,
}

/// The HTTP server.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The address and port to listen on.
    pub bind: SocketAddr,
    /// The address that callers use; `None`: the `Host` header of each request.
    pub public_url: WebAddress,
    /// Threads that serve requests; 0: one per processor core.
    pub workers: usize,
    /// How long running calls may go on after a stop signal.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
    /// The largest request body, in units of 1,048,576 bytes.
    pub max_body_mb: Megabytes,
}

/// The calls to OpenRouter.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// OpenRouter's address.
    pub url: RequiredAddress,
    /// The `HTTP-Referer` of app attribution; empty: not sent.
    pub referer: HeaderText,
    /// The `X-OpenRouter-Title` of app attribution; empty: not sent.
    pub title: HeaderText,
    /// The longest wait for a connection.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// The longest silence while an answer is awaited or read.
    #[serde(with = "humantime_serde")]
    pub read_timeout: Duration,
    /// The longest that one call may take, every wait included.
    #[serde(with = "humantime_serde")]
    pub deadline: Duration,
    /// The largest answer that is accepted, in units of 1,048,576 bytes.
    pub max_answer_mb: Megabytes,
}

/// How long calls may take.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// How long a caller waits before its call becomes a job.
    #[serde(with = "humantime_serde")]
    pub answer: Duration,
    /// The longest that a job may take in all.
    #[serde(with = "humantime_serde")]
    pub job: Duration,
}

/// Calls that outlive their caller.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// How long a finished job can be fetched.
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
    /// How long an answer whose caller went away is kept for its next identical call.
    #[serde(with = "humantime_serde")]
    pub keep_lost: Duration,
    /// How often a job is begun at most.
    pub attempts: NonZeroU32,
    /// How long a process that says nothing may hold a job.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
}

/// Links to the files of answers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Whether answers carry links.
    pub links: bool,
    /// How long a link works.
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
}

/// The cached list of models.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// How old the list may get before it is fetched again.
    #[serde(with = "humantime_serde")]
    pub refresh: Duration,
}

/// The log.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// A level, or a filter in the syntax of `tracing_subscriber::EnvFilter`.
    pub level: Filter,
    /// How lines are written.
    pub format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One readable line each.
    Text,
    /// One JSON object a line.
    Json,
}

/// Defines a text that is checked once, when the configuration is read.
macro_rules! checked_text {
    ($(#[doc = $doc:literal])+ $name:ident, $check:expr) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                let check: fn(&str) -> Result<(), String> = $check;
                check(&text).map(|()| Self(text.trim_end_matches('/').to_owned()))
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text! {
    /// An `http` or `https` address without a trailing slash, or empty.
    WebAddress, |text| if text.is_empty() { Ok(()) } else { web_address(text) }
}

checked_text! {
    /// An `http` or `https` address without a trailing slash.
    RequiredAddress, web_address
}

checked_text! {
    /// A text that may stand in an HTTP header, or empty.
    HeaderText, |text| {
        if text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            Ok(())
        } else {
            Err("may hold printable ASCII only".to_owned())
        }
    }
}

checked_text! {
    /// A log filter.
    Filter, |text| {
        tracing_subscriber::EnvFilter::try_new(text).map(|_| ()).map_err(|error| error.to_string())
    }
}

fn web_address(text: &str) -> Result<(), String> {
    let url = reqwest::Url::parse(text)
        .map_err(|error| format!("\"{text}\" is not an address such as https://host: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!(
            "\"{text}\" does not start with http:// or https:// and a host"
        ));
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    if url.query().is_some() || url.fragment().is_some() || has_user {
        return Err(format!("\"{text}\" may have no user, query or fragment"));
    }
    Ok(())
}

/// A size in units of 1,048,576 bytes, 1 to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Megabytes<const MAX: u32 = 1024>(u32);

impl<const MAX: u32> Megabytes<MAX> {
    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0 as usize * 1024 * 1024
    }
}

impl<const MAX: u32> TryFrom<u32> for Megabytes<MAX> {
    type Error = String;

    fn try_from(value: u32) -> Result<Self, String> {
        if (1..=MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("{value} is not between 1 and {MAX}"))
        }
    }
}

impl<const MAX: u32> From<Megabytes<MAX>> for u32 {
    fn from(value: Megabytes<MAX>) -> Self {
        value.0
    }
}

impl Config {
    /// Legal settings that are risky, each as one sentence for the log at start.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.server.bind.ip().is_loopback() && self.server.public_url.as_str().is_empty() {
            warnings.push(
                "server.public_url is empty: the served definition names whatever host the caller used.".to_owned(),
            );
        }
        if self.server.public_url.as_str().starts_with("http://") {
            warnings.push(
                "server.public_url is plain http: the platform imports connectors with https only."
                    .to_owned(),
            );
        }
        let upstream = self.upstream.url.as_str();
        let local = ["http://127.", "http://localhost", "http://[::1]"];
        if upstream.starts_with("http://") && !local.iter().any(|start| upstream.starts_with(start))
        {
            warnings.push(
                "upstream.url is plain http: keys and prompts travel readable by anyone."
                    .to_owned(),
            );
        }
        if self.upstream.read_timeout < Duration::from_mins(2) {
            warnings.push(
                "upstream.read_timeout is below 120s: slow models will be cut off, and may bill all the same.".to_owned(),
            );
        }
        if self.deadline.answer > Duration::from_secs(110) {
            warnings.push(
                "deadline.answer is above 110s: the platform drops a call after 120s and repeats it.".to_owned(),
            );
        }
        if self.server.grace < Duration::from_secs(5) {
            warnings.push(
                "server.grace is below 5s: calls that run when the service stops have no time to end.".to_owned(),
            );
        }
        if self.jobs.lease < Duration::from_secs(3) {
            warnings.push(
                "jobs.lease is below 3s: a process that is busy for a moment loses its jobs to another, and they are billed twice.".to_owned(),
            );
        }
        if self.store.max_record_mb.bytes() / 4 * 3 < self.upstream.max_answer_mb.bytes() {
            warnings.push(
                "store.max_record_mb is below four thirds of upstream.max_answer_mb: a large file that was made in the background may be paid for and not kept.".to_owned(),
            );
        }
        warnings.extend(self.limits.warnings().map(str::to_owned));
        warnings.extend(self.store.warnings().map(str::to_owned));
        warnings.extend(self.hooks.warnings().map(str::to_owned));
        warnings
    }

    /// The configuration as TOML, for a person to read.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }
}
