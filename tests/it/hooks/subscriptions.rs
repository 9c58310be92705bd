//! Who is told what, and how subscriptions begin and end.

use std::time::Duration;

use bytes::Bytes;
use openrouter_connector::{
    config,
    error::Kind,
    hooks::{Hooks, MOST},
    store::Store,
};

use super::receiver::{Receiver, key, settings};
use crate::support::store_settings;

const EVENT: Bytes = Bytes::from_static(br#"{"job_id":"j-1"}"#);

async fn store() -> Store {
    Store::open(&store_settings()).await.unwrap()
}

async fn hooks() -> Hooks {
    Hooks::new(store().await, &settings()).unwrap()
}

async fn records(store: &Store) -> u64 {
    store.usage().await.unwrap().records
}

#[tokio::test]
async fn every_subscription_of_the_key_is_told_and_no_other() {
    let receiver = Receiver::start().await;
    for at in ["/a", "/b", "/c"] {
        receiver.answers(at, &[200]).await;
    }
    let hooks = hooks().await;
    for (owner, at) in [("one", "/a"), ("one", "/b"), ("two", "/c")] {
        hooks
            .subscribe(&key(owner), &receiver.url(at))
            .await
            .unwrap();
    }
    hooks.notify(&key("one"), EVENT).await;
    receiver.is_called("/a", 1).await;
    receiver.is_called("/b", 1).await;
    hooks.notify(&key("three"), EVENT).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(receiver.calls("/c").await.is_empty());
    let calls = receiver.calls("/a").await;
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].body, EVENT);
    // The id is the event's, so both were told the same one.
    let other = &receiver.calls("/b").await[0];
    assert_eq!(calls[0].headers["webhook-id"], other.headers["webhook-id"]);
    hooks.notify(&key("one"), EVENT).await;
    receiver.is_called("/a", 2).await;
    let again = &receiver.calls("/a").await[1];
    assert_ne!(calls[0].headers["webhook-id"], again.headers["webhook-id"]);
}

#[tokio::test]
async fn a_url_that_is_subscribed_twice_is_told_twice_and_ended_one_by_one() {
    let receiver = Receiver::start().await;
    receiver.answers("/a", &[200]).await;
    let (hooks, owner) = (hooks().await, key("one"));
    let first = hooks.subscribe(&owner, &receiver.url("/a")).await.unwrap();
    let second = hooks.subscribe(&owner, &receiver.url("/a")).await.unwrap();
    assert_ne!(first, second);
    hooks.notify(&owner, EVENT).await;
    receiver.is_called("/a", 2).await;
    hooks.unsubscribe(&owner, &first).await.unwrap();
    hooks.notify(&owner, EVENT).await;
    receiver.is_called("/a", 3).await;
    hooks.unsubscribe(&owner, &second).await.unwrap();
    hooks.notify(&owner, EVENT).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.calls("/a").await.len(), 3);
}

#[tokio::test]
async fn only_the_key_that_subscribed_ends_it() {
    let store = store().await;
    let hooks = Hooks::new(store.clone(), &settings()).unwrap();
    let url = "http://127.0.0.1:9/a";
    let id = hooks.subscribe(&key("one"), url).await.unwrap();
    for other in ["two", ""]
        .iter()
        .filter_map(|text| openrouter_connector::openrouter::ApiKey::new(text))
    {
        hooks.unsubscribe(&other, &id).await.unwrap();
    }
    for unknown in ["", "x", "../..", &id.to_uppercase(), &"a".repeat(100)] {
        hooks.unsubscribe(&key("one"), unknown).await.unwrap();
    }
    assert_eq!(records(&store).await, 1);
    for _ in 0..2 {
        hooks.unsubscribe(&key("one"), &id).await.unwrap();
        assert_eq!(records(&store).await, 0);
    }
}

#[tokio::test]
async fn a_receiver_that_is_gone_loses_its_subscription_and_others_keep_theirs() {
    let receiver = Receiver::start().await;
    receiver.answers("/gone", &[410]).await;
    receiver.answers("/refuses", &[403]).await;
    let store = store().await;
    let hooks = Hooks::new(store.clone(), &settings()).unwrap();
    for at in ["/gone", "/refuses"] {
        hooks
            .subscribe(&key("one"), &receiver.url(at))
            .await
            .unwrap();
    }
    hooks.notify(&key("one"), EVENT).await;
    for _ in 0..100 {
        if records(&store).await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(records(&store).await, 1);
    hooks.notify(&key("one"), EVENT).await;
    receiver.is_called("/refuses", 2).await;
    assert_eq!(receiver.calls("/gone").await.len(), 1);
}

#[tokio::test]
async fn a_key_has_a_bounded_number_of_subscriptions() {
    let (hooks, owner) = (hooks().await, key("one"));
    let mut last = String::new();
    for _ in 0..MOST {
        last = hooks
            .subscribe(&owner, "http://127.0.0.1:9/a")
            .await
            .unwrap();
    }
    let refused = hooks.subscribe(&owner, "http://127.0.0.1:9/a").await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), Kind::InvalidRequest);
    assert!(refused.to_string().contains("100 triggers"), "{refused}");
    let other = hooks.subscribe(&key("two"), "http://127.0.0.1:9/a").await;
    assert!(other.is_ok());
    hooks.unsubscribe(&owner, &last).await.unwrap();
    let again = hooks.subscribe(&owner, "http://127.0.0.1:9/a").await;
    assert!(again.is_ok());
}

#[tokio::test]
async fn a_host_that_is_no_longer_allowed_is_no_longer_called() {
    let receiver = Receiver::start().await;
    receiver.answers("/a", &[200]).await;
    let store = store().await;
    let before = Hooks::new(store.clone(), &settings()).unwrap();
    before
        .subscribe(&key("one"), &receiver.url("/a"))
        .await
        .unwrap();
    let stricter = config::Hooks {
        allowed_hosts: Vec::new(),
        ..settings()
    };
    let after = Hooks::new(store.clone(), &stricter).unwrap();
    after.notify(&key("one"), EVENT).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(receiver.calls("/a").await.is_empty());
    // It is kept: the operator may allow the host again.
    assert_eq!(records(&store).await, 1);
}

#[tokio::test]
async fn a_receiver_that_fails_does_not_hold_up_the_caller_or_others() {
    let receiver = Receiver::start().await;
    receiver.answers("/a", &[200]).await;
    receiver.answers("/fails", &[500]).await;
    let (hooks, owner) = (hooks().await, key("one"));
    for at in ["/fails", "/fails", "/a"] {
        hooks.subscribe(&owner, &receiver.url(at)).await.unwrap();
    }
    let notified = tokio::time::timeout(Duration::from_secs(1), hooks.notify(&owner, EVENT));
    notified.await.unwrap();
    receiver.is_called("/a", 1).await;
}

#[tokio::test]
async fn a_full_store_is_told_as_one() {
    let mut full = store_settings();
    full.max_records = std::num::NonZeroU32::MIN;
    let store = Store::open(&full).await.unwrap();
    let hooks = Hooks::new(store, &settings()).unwrap();
    let url = "http://127.0.0.1:9/a";
    hooks.subscribe(&key("one"), url).await.unwrap();
    let refused = hooks.subscribe(&key("one"), url).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Unavailable);
    assert!(refused.wait().is_some());
}
