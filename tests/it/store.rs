//! The store: one suite for all engines, and what is true of one engine only.

pub(crate) mod at_rest;
pub(crate) mod bench;
mod conformance;
mod redis;
mod speed;
mod sqlite;
