//! Triggers that the platform polls: what they look at, and what they remember from look to look.
//!
//! The service keeps nothing for a trigger. What it must remember stands in the address of the next
//! look, which every answer names: restarts, replicas and repeated calls change nothing.

pub mod poll;
pub mod seen;
pub mod when_a_model_is_added;
pub mod when_credits_run_low;
