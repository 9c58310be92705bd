//! Repeats that arrive at the very moment when the lost call ends.

use std::time::Duration;

use futures_util::future::join_all;
use wiremock::ResponseTemplate;

use super::{
    ask, is_replayed, question,
    wire::{Caller, Leaving},
};
use crate::support::{
    TestApp, Upstream,
    upstream::{CHAT, chat},
};

/// When the upstream answers.
const END: Duration = Duration::from_millis(1200);

/// How many repeats there are around that moment, and how far from each other.
const REPEATS: u32 = 40;
const STEP: Duration = Duration::from_millis(2);

async fn sweep(how: Leaving) {
    let upstream = Upstream::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(chat("Yes."));
    upstream.responds(CHAT, answer.set_delay(END)).await;
    let app = TestApp::on(&upstream);
    let started = tokio::time::Instant::now();
    let pairs = (0..REPEATS).map(|number| {
        let (app, prompt) = (&app, format!("number {number}."));
        async move {
            let body = question(&prompt).to_string();
            let caller = Caller::send(app.base(), "/api/v1/ask", &body);
            tokio::time::sleep_until(started + END / 2).await;
            let _rest = caller.leave(how);
            let moment = started + END + STEP * number - STEP * (REPEATS / 4);
            tokio::time::sleep_until(moment).await;
            (ask(app, &prompt).ok().await, prompt)
        }
    });
    let answers = join_all(pairs).await;
    let calls = upstream.calls(CHAT).await;
    for (answer, prompt) in answers {
        let asked =
            |call: &&wiremock::Request| String::from_utf8_lossy(&call.body).contains(&prompt);
        assert_eq!(calls.iter().filter(asked).count(), 1, "{prompt}");
        assert!(is_replayed(&answer), "{prompt}");
        assert_eq!(answer.json["text"], "Yes.");
    }
}

#[tokio::test]
async fn a_repeat_at_the_moment_of_the_end_makes_no_second_call() {
    sweep(Leaving::Reset).await;
}

#[tokio::test]
async fn a_repeat_after_a_half_close_makes_no_second_call() {
    sweep(Leaving::HalfClose).await;
}
