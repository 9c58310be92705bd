//! The triggers that the platform polls.

mod when_a_model_is_added;
mod when_credits_run_low;

use crate::support::{Answer, Call, TestApp};

/// The look that `answer` tells to make next, as the platform makes it: at that address, after the
/// wait, with the connection's key.
fn next_look<'a>(app: &'a TestApp, answer: &Answer) -> Call<'a> {
    let address = answer.header("location");
    let path = address
        .strip_prefix(app.base())
        .unwrap_or_else(|| panic!("{address} is not below {}", app.base()));
    assert!(address.len() < 1500, "{} characters", address.len());
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!(wait > 0);
    app.get(path).key()
}
