//! What the tests are made of: the service on a port of its own, an OpenRouter that is told what
//! to answer, and a caller that checks every answer against the checked-in definition.

mod app;
mod call;
pub(crate) mod definition;
mod files;
pub(crate) mod upstream;

pub(crate) use app::{TestApp, sandbox, simulated, store_settings};
pub(crate) use call::{Answer, CLIENT, Call, KEY};
pub(crate) use files::{PDF, PNG, WAV};
pub(crate) use upstream::Upstream;

/// Runs one asynchronous piece of a test that is not asynchronous itself.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

/// Settings of property tests: `cases` runs, and no files written when one fails.
pub(crate) fn cases(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        cases,
        failure_persistence: None,
        ..Default::default()
    }
}
