//! The upstream: OpenRouter's HTTP API, told in types that survive its oddities.
//!
//! This module knows nothing of HTTP servers or OpenAPI. [`Client`] has one method for each
//! upstream endpoint; every one of them goes through `Client::send`.

pub mod account;
pub mod chat;
mod client;
pub mod completions;
mod error;
mod key;
pub mod models;
mod tolerant;

pub use client::Client;
pub use key::ApiKey;
