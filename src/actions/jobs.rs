//! Calls that go on in the background: their state, their result, their end.

pub mod cancel_job;
pub mod get_job;
pub mod get_job_result;
pub mod view;
