//! The service itself, in a thread of its own, on a free port.

use std::{
    iter,
    sync::{LazyLock, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use actix_web::{dev::ServerHandle, rt::System};
use openrouter_connector::{
    app::App,
    config::{self, Config},
    sandbox::Sandbox,
};

use super::{Answer, Call, Upstream};

/// The running service; it stops when this is dropped.
pub(crate) struct TestApp {
    base: String,
    /// The address of its own simulated OpenRouter.
    upstream: Option<String>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// The defaults on a free port with one worker: no file, no environment.
fn config() -> Config {
    let flags = vec![("server.bind", "127.0.0.1:0".to_owned())];
    let mut config = config::load(None, iter::empty(), flags).unwrap();
    config.server.workers = 1;
    // Answers are compared as a whole; tests of links ask for them.
    config.files.links = false;
    config.store = store_settings();
    // Tests share keys; those of limits ask for them.
    config.limits.calls = 10_000;
    config.limits.in_flight = 10_000;
    config.limits.in_flight_all = 10_000;
    config
}

/// The defaults of the store, in memory.
pub(crate) fn store_settings() -> config::Store {
    let flags = vec![("store.url", "sqlite::memory:".to_owned())];
    config::load(None, iter::empty(), flags).unwrap().store
}

/// A service on the simulated OpenRouter that all tests share.
pub(crate) fn sandbox() -> &'static TestApp {
    static SHARED: LazyLock<TestApp> = LazyLock::new(|| TestApp::start(true, |_| {}));
    &SHARED
}

/// Where the simulated OpenRouter of [`sandbox`] is reached.
pub(crate) fn simulated() -> &'static str {
    sandbox().upstream.as_deref().unwrap()
}

impl TestApp {
    /// A service that calls `upstream`.
    pub(crate) fn on(upstream: &Upstream) -> Self {
        Self::on_with(upstream, |_| {})
    }

    /// A service that calls `upstream`, with its configuration changed by `change`.
    pub(crate) fn on_with(upstream: &Upstream, change: impl FnOnce(&mut Config)) -> Self {
        let url = upstream.url();
        Self::start(false, |config| {
            config.upstream.url = url.try_into().unwrap();
            change(config);
        })
    }

    /// A service with its configuration changed by `change`, and `sandbox` as its OpenRouter or
    /// whatever the configuration names.
    pub(crate) fn start(sandbox: bool, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config();
        change(&mut config);
        let (started, start) = mpsc::channel();
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                let app = App::build(config, sandbox).await.unwrap();
                let upstream = app.sandbox().map(Sandbox::base_url);
                started
                    .send((app.address(), upstream, app.handle()))
                    .unwrap();
                app.run_until_stopped().await.unwrap();
            });
        });
        let (address, upstream, handle) = start.recv().expect("the service did not start");
        Self {
            base: format!("http://{address}"),
            upstream,
            handle,
            thread: Some(thread),
        }
    }

    /// Stops it and waits until it has let go of everything.
    pub(crate) fn stop(mut self) {
        let thread = self.thread.take();
        drop(self);
        thread.unwrap().join().unwrap();
    }

    /// Where the service is reached, without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// A call of the operation with this id, by method and path of the definition.
    pub(crate) fn call(&self, operation: &str) -> Call<'_> {
        Call::operation(&self.base, operation)
    }

    /// Calls for the result of the job that `started` tells of until there is one.
    pub(crate) async fn result(&self, started: &Answer) -> Answer {
        assert_eq!(started.status, 202, "{}", started.text);
        let id = started.json["job_id"].as_str().unwrap();
        for _ in 0..600 {
            let answer = self.call("GetJobResult").path("job_id", id).send().await;
            if answer.status != 202 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the job does not end");
    }

    /// A call of a path that is no action, without a key.
    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        Call::page(&self.base, path)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // The order to stop is sent at once; the server's own thread carries it out.
        drop(self.handle.stop(false));
    }
}
