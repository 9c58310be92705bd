//! What starts a flow.

mod delete_job_hook;
mod when_a_job_finishes;
