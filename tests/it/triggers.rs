//! What starts a flow.

mod delete_job_hook;
mod when_a_job_finishes;
mod when_a_model_is_added;
mod when_credits_run_low;

use crate::support::{Answer, Call, TestApp, definition::Operation};

/// The look of the trigger `operation` that `answer` tells to make next, as the platform makes it.
fn next_look<'a>(app: &'a TestApp, operation: &str, answer: &Answer) -> Call<'a> {
    let address = answer.header("location");
    assert!(address.len() < 1500, "{} characters", address.len());
    let (at, query) = address.split_once('?').unwrap();
    let path = Operation::named(operation).path;
    assert_eq!(at, format!("{}{path}", app.base()));
    form_urlencoded::parse(query.as_bytes()).fold(app.call(operation), |call, (name, value)| {
        call.query(&name, value)
    })
}
