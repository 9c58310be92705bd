//! The one test binary. Its folders mirror those of the actions, and there is a file for each
//! operation; `contract` holds what is true of all operations together.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and so do the helpers of tests"
)]

mod account;
mod catalog;
mod chat;
mod cli;
mod contract;
mod every_field_reaches_upstream;
mod files;
mod hooks;
mod jobs;
mod limits;
mod links;
mod media;
mod platform;
mod server;
mod store;
mod support;
mod triggers;
mod upstream_errors;
mod vectors;
