//! The upstream: OpenRouter's HTTP API, told in types that survive its oddities.
//!
//! This module knows nothing of HTTP servers or OpenAPI. [`Client`] has one method for each
//! upstream endpoint; every one of them goes through `Client::send`.

pub mod account;
pub mod audio;
pub mod chat;
mod client;
pub mod completions;
mod error;
pub mod images;
mod key;
pub mod models;
mod tolerant;
pub mod vectors;
pub mod videos;

pub use client::{Client, Stream};
pub use key::ApiKey;
