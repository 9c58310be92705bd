//! The account: credits, the key, single generations.

pub mod get_credits;
pub mod get_generation;
pub mod get_key;
