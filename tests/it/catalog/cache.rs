//! The list of models in memory: fetched once for all, served while upstream is down.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{
    TestApp, Upstream,
    upstream::{MODELS, models},
};

/// Waits until `done`, which must come true soon.
async fn until(what: &str, done: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !done().await {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "not in time: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn many_cold_calls_are_one_call_upstream() {
    let upstream = Upstream::without_models().await;
    let slow = ResponseTemplate::new(200)
        .set_body_json(models())
        .set_delay(Duration::from_millis(200));
    upstream.responds(MODELS, slow).await;
    let app = TestApp::on(&upstream);
    let calls = (0..40).map(|n| {
        let operation = ["ListModels", "ListModelChoices", "ListAuthorChoices"][n % 3];
        app.call(operation).ok()
    });
    join_all(calls).await;
    let call = upstream.call(MODELS).await;
    assert_eq!(call.url.query(), Some("output_modalities=all"));
    assert!(
        !call.headers.contains_key("authorization"),
        "the list belongs to nobody"
    );
}

#[tokio::test]
async fn the_age_of_the_list_is_told() {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    for operation in ["ListModels", "ListModelChoices", "ListAuthorChoices"] {
        let age: u64 = app
            .call(operation)
            .ok()
            .await
            .header("x-catalog-age")
            .parse()
            .unwrap();
        assert!(age < 60, "{age}");
    }
    upstream.answers("/key", json!({"data": {}})).await;
    assert_eq!(app.call("GetKey").ok().await.header("x-catalog-age"), "");
}

#[tokio::test]
async fn an_old_list_is_served_while_upstream_is_down_and_replaced_afterwards() {
    let upstream = Upstream::start().await;
    let app = TestApp::on_with(&upstream, |config| {
        config.catalog.refresh = Duration::from_millis(1);
    });
    assert_eq!(app.call("ListModels").ok().await.json["total_count"], 4);

    upstream.forget().await;
    upstream.responds(MODELS, ResponseTemplate::new(503)).await;
    until("the refresh is tried", async || {
        assert_eq!(app.call("ListModels").ok().await.json["total_count"], 4);
        !upstream.calls(MODELS).await.is_empty()
    })
    .await;
    assert_eq!(app.call("ListModels").ok().await.json["total_count"], 4);
}

#[tokio::test]
async fn a_list_that_is_due_is_replaced_behind_the_caller() {
    let upstream = Upstream::start().await;
    let app = TestApp::on_with(&upstream, |config| {
        config.catalog.refresh = Duration::from_millis(1);
    });
    app.call("ListModels").ok().await;
    let mut fewer = models();
    fewer["data"].as_array_mut().unwrap().truncate(2);
    upstream.answers(MODELS, fewer).await;
    until("the new list is served", async || {
        app.call("ListModels").ok().await.json["total_count"] == 2
    })
    .await;
}

#[tokio::test]
async fn a_fresh_list_is_not_fetched_again() {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    for limit in ["1", "2", "3"] {
        app.call("ListModels").query("limit", limit).ok().await;
    }
    assert_eq!(upstream.calls(MODELS).await.len(), 1);
}

#[tokio::test]
async fn without_any_list_the_failure_is_told_and_upstream_is_spared() {
    let upstream = Upstream::without_models().await;
    upstream.responds(MODELS, ResponseTemplate::new(500)).await;
    let app = TestApp::on(&upstream);
    for _ in 0..5 {
        app.call("ListModels").fails(502, "upstream_error").await;
    }
    assert_eq!(upstream.calls(MODELS).await.len(), 1);
}

#[tokio::test]
async fn an_empty_list_is_a_failure_and_not_a_list() {
    for body in [
        json!({"data": []}),
        json!({}),
        json!([]),
        json!({"data": [{"name": "no id"}]}),
    ] {
        let upstream = Upstream::without_models().await;
        upstream.answers(MODELS, body).await;
        TestApp::on(&upstream)
            .call("ListModels")
            .fails(502, "upstream_error")
            .await;
    }
}

#[tokio::test]
async fn a_model_of_which_only_the_id_can_be_read_is_listed() {
    let odd: [Value; 3] = [json!(null), json!("?"), json!([[]])];
    for value in odd {
        let mut model = models()["data"][0].clone();
        for (name, field) in model.as_object_mut().unwrap() {
            if name != "id" {
                *field = value.clone();
            }
        }
        let upstream = Upstream::without_models().await;
        upstream
            .answers(MODELS, json!({"data": [model, null, 5, "x", {"id": null}]}))
            .await;
        let app = TestApp::on(&upstream);
        let answer = app
            .call("ListModels")
            .query("output_modality", "all")
            .ok()
            .await;
        assert_eq!(answer.json["data"][0]["id"], "openai/gpt-4o");
        assert_eq!(answer.json["total_count"], 1);
        app.call("ListModelChoices")
            .query("output_modality", "all")
            .ok()
            .await;
    }
}
