//! What starts a flow.

pub mod delete_job_hook;
pub mod when_a_job_finishes;
