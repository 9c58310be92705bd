//! Where events arrive, and the settings that let them go there.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use openrouter_connector::{callbacks::Callbacks, config, openrouter::ApiKey};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::path};

/// The settings of tests: this machine only, little patience.
pub(super) fn settings() -> config::Hooks {
    config::Hooks {
        allowed_hosts: vec!["127.0.0.1".to_owned().try_into().unwrap()],
        allow_private: true,
        timeout: Duration::from_millis(500),
        retry_for: Duration::from_secs(20),
    }
}

/// A client with settings changed by `change`.
pub(super) fn callbacks(change: impl FnOnce(&mut config::Hooks)) -> Callbacks {
    let mut settings = settings();
    change(&mut settings);
    Callbacks::new(&settings).unwrap()
}

pub(super) fn key(text: &str) -> ApiKey {
    ApiKey::new(text).unwrap()
}

/// A flow that waits at a path of its own for each test.
pub(super) struct Receiver(MockServer);

impl Receiver {
    /// One that answers 404, until it is told more.
    pub(super) async fn start() -> Self {
        Self(MockServer::start().await)
    }

    pub(super) fn url(&self, at: &str) -> String {
        format!("{}{at}", self.0.uri())
    }

    /// Answers calls of `at` with these statuses, one after the other, and then with the last.
    pub(super) async fn answers(&self, at: &str, statuses: &[u16]) {
        let templates = statuses.iter().copied().map(ResponseTemplate::new);
        self.responds(at, templates.collect()).await;
    }

    pub(super) async fn responds(&self, at: &str, templates: Vec<ResponseTemplate>) {
        let mock = Mock::given(path(at)).respond_with(InTurn {
            templates,
            next: AtomicUsize::new(0),
        });
        mock.mount(&self.0).await;
    }

    /// The calls of `at` so far.
    pub(super) async fn calls(&self, at: &str) -> Vec<Request> {
        let mut calls = self.0.received_requests().await.unwrap();
        calls.retain(|call| call.url.path() == at);
        calls
    }

    /// Waits until `at` was called `count` times.
    pub(super) async fn is_called(&self, at: &str, count: usize) {
        for _ in 0..200 {
            if self.calls(at).await.len() >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{at} was called {} times only", self.calls(at).await.len());
    }
}

struct InTurn {
    templates: Vec<ResponseTemplate>,
    next: AtomicUsize,
}

impl Respond for InTurn {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.templates[turn.min(self.templates.len() - 1)].clone()
    }
}
