//! The store: one suite for all engines, and what is true of one engine only.

mod at_rest;
mod bench;
mod conformance;
mod redis;
mod speed;
mod sqlite;
