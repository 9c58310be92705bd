//! Delete job hook: the end of a subscription.

use serde_json::json;

use crate::support::{definition::CALLBACK_URL, sandbox};

#[tokio::test]
async fn the_end_may_be_repeated() {
    let subscribe = sandbox().call("WhenAJobFinishes");
    let body = json!({"callback_url": CALLBACK_URL});
    let made = subscribe.body(&body).ok().await;
    let id = made.json["id"].as_str().unwrap();
    for _ in 0..2 {
        let answer = sandbox().call("DeleteJobHook").path("id", id).ok().await;
        assert_eq!(answer.json, json!({"id": id}));
    }
}

#[tokio::test]
async fn what_was_never_subscribed_is_ended_already() {
    for id in ["unknown", "a%2Fb", "%00", "..%2F.."] {
        let answer = sandbox().call("DeleteJobHook").path("id", id).ok().await;
        assert_eq!(answer.status, 200);
    }
}
