//! What an operator sees: log lines, and the facts of the call that is being served.

use std::{
    future::Future,
    io::IsTerminal,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use tracing_subscriber::EnvFilter;

use crate::config::{self, LogFormat};

tokio::task_local! {
    static CURRENT: Arc<Call>;
}

/// Starts the log; a second start in one process changes nothing.
pub fn start(log: &config::Log) {
    let filter = EnvFilter::new(log.level.as_str());
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let _ = if json {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init()
    } else {
        lines.with_target(false).try_init()
    };
}

/// What is known of one served call; gathered while it runs, logged when it ends.
///
/// It never holds a key, a prompt or an answer.
#[derive(Debug)]
pub struct Call {
    started: Instant,
    request_id: String,
    generation_id: OnceLock<String>,
    facts: Mutex<Facts>,
}

/// The numbers of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Time spent waiting for OpenRouter.
    pub upstream: Duration,
    /// The model that answered.
    pub model: Option<String>,
    /// Tokens of prompt and answer together.
    pub tokens: Option<i64>,
    /// What the call cost, in USD.
    pub cost: Option<f64>,
    /// The code of the error that ended the call's work; empty if none did.
    pub code: &'static str,
    /// What the log says of that error.
    pub detail: String,
    /// Seconds since the list of models that served the call was fetched.
    pub catalog_age: Option<u64>,
}

impl Call {
    /// A call that starts now.
    #[must_use]
    pub fn start(request_id: String) -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            request_id,
            generation_id: OnceLock::new(),
            facts: Mutex::default(),
        })
    }

    /// Runs `work` as part of this call, so that [`note`] and its like reach it.
    pub async fn run<T>(self: Arc<Self>, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// The time since the call came in.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The id that the answer carries and the log line has.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// OpenRouter's id of the generation, once it is known.
    #[must_use]
    pub fn generation_id(&self) -> Option<&str> {
        self.generation_id.get().map(String::as_str)
    }

    /// The numbers so far.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.facts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Changes the facts of the current call; nothing outside a call.
pub fn note(change: impl FnOnce(&mut Facts)) {
    let _ = CURRENT
        .try_with(|call| change(&mut call.facts.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// Notes the model of the current call, if it looks like one: it may be any text of the caller's.
pub fn note_model(model: &str) {
    if is_plain(model) {
        note(|facts| facts.model = Some(model.to_owned()));
    }
}

/// Whether a text is short and plain enough for a header and a log line.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@~-".contains(&byte);
    !text.is_empty() && text.len() <= 128 && text.bytes().all(plain)
}

/// Keeps OpenRouter's id of the generation for the current call; the first one stays.
pub fn note_generation(id: &str) {
    if !is_plain(id) {
        return;
    }
    let _ = CURRENT.try_with(|call| call.generation_id.set(id.to_owned()));
}

/// The id of the current call, or an empty text outside a call.
#[must_use]
pub fn request_id() -> String {
    CURRENT
        .try_with(|call| call.request_id.clone())
        .unwrap_or_default()
}

/// The facts of the current call so far.
#[must_use]
pub fn facts() -> Facts {
    current().map(|call| call.facts()).unwrap_or_default()
}

/// The current call.
#[must_use]
pub fn current() -> Option<Arc<Call>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// OpenRouter's id of the generation of the current call, once it is known.
#[must_use]
pub fn generation_id() -> Option<String> {
    current()?.generation_id().map(str::to_owned)
}
