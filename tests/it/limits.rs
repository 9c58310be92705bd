//! How much a connection may ask for, over HTTP: the hard window, what is in flight, and what
//! several instances count together.

mod in_flight;
mod replicas;
mod window;

use openrouter_connector::config::Config;

use crate::support::{Answer, Call, TestApp, simulated};

/// A service with these limits and the simulated OpenRouter that all tests share.
fn limited(change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::start(false, |config| {
        config.upstream.url = simulated().to_owned().try_into().unwrap();
        change(config);
    })
}

/// A call with `key` that costs nothing.
fn look<'a>(app: &'a TestApp, key: &str) -> Call<'a> {
    app.call("GetJob")
        .path("job_id", "none")
        .no_key()
        .header("authorization", key)
}

/// Makes the call, which is let through.
async fn passes(call: Call<'_>) -> Answer {
    call.fails(404, "not_found").await
}

/// Makes the call, which is over the limit; the seconds to wait.
async fn over(call: Call<'_>) -> u64 {
    let answer = call.fails(429, "rate_limited").await;
    answer.header("retry-after").parse().unwrap()
}

/// The number of the parameter `name` of a header of one item.
fn parameter(answer: &Answer, header: &str, name: &str) -> u64 {
    let value = answer.header(header);
    let mut parts = value.split(';');
    assert_eq!(parts.next(), Some("\"connection\""), "{header}: {value}");
    let part = parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    part.unwrap_or_else(|| panic!("{header}: {value}"))
        .parse()
        .unwrap()
}
