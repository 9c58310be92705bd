//! Credits, the key, and single generations.

mod get_credits;
mod get_generation;
mod get_key;
