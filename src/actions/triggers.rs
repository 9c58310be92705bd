//! What starts a flow: triggers that the platform polls, and one that this service calls.
//!
//! For a polled trigger the service keeps nothing. What it must remember stands in the address of
//! the next look, which every answer names: restarts, replicas and repeated calls change nothing.

pub mod delete_job_hook;
pub mod poll;
pub mod seen;
pub mod when_a_job_finishes;
pub mod when_a_model_is_added;
pub mod when_credits_run_low;
