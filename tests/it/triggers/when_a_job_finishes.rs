//! When a job finishes: subscribing.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{
    TestApp, Upstream,
    definition::{CALLBACK_URL, DEFINITION},
    sandbox,
};

fn body(url: &str) -> Value {
    json!({"callback_url": url})
}

#[tokio::test]
async fn a_subscription_has_an_address_that_ends_it() {
    let call = sandbox().call("WhenAJobFinishes").body(&body(CALLBACK_URL));
    let answer = call.ok().await;
    assert_eq!(answer.status, 201);
    let id = answer.json["id"].as_str().unwrap();
    assert_eq!(id.len(), 32);
    let location = answer.header("location");
    let expected = format!("{}/api/v1/hooks/jobs/{id}", sandbox().base());
    assert_eq!(location, expected);
    let path = location.strip_prefix(sandbox().base()).unwrap();
    let ended = sandbox().get(path).method("DELETE").key().ok().await;
    assert_eq!((ended.status, &ended.json["id"]), (200, &json!(id)));
}

#[tokio::test]
async fn the_address_is_the_public_one() {
    let app = TestApp::start(true, |config| {
        let url = "https://connector.example.com/openrouter".to_owned();
        config.server.public_url = url.try_into().unwrap();
    });
    let call = app.call("WhenAJobFinishes").body(&body(CALLBACK_URL));
    let answer = call.ok().await;
    let start = "https://connector.example.com/openrouter/api/v1/hooks/jobs/";
    assert!(answer.header("location").starts_with(start));
}

#[tokio::test]
async fn a_url_that_may_not_be_called_is_refused_without_being_quoted() {
    for url in [
        "",
        "hush",
        "http://prod-00.westeurope.logic.azure.com/hush",
        "https://hush.example.com/",
        "https://127.0.0.1/hush",
        "https://localhost/hush",
        "https://169.254.169.254/hush",
        "https://a.logic.azure.com:8443/hush",
        "https://hush@a.logic.azure.com/",
    ] {
        let call = sandbox().call("WhenAJobFinishes").body(&body(url));
        let answer = call.refused("callback_url").await;
        assert!(!answer.text.contains("hush"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_key_that_openrouter_does_not_know_cannot_subscribe() {
    let upstream = Upstream::start().await;
    let unknown = json!({"error": {"code": 401, "message": "User not found."}});
    let unknown = ResponseTemplate::new(401).set_body_json(unknown);
    upstream.responds("/key", unknown).await;
    let app = TestApp::on(&upstream);
    let call = app.call("WhenAJobFinishes").body(&body(CALLBACK_URL));
    call.fails(401, "invalid_key").await;
    upstream.call("/key").await;
}

#[tokio::test]
async fn each_subscription_is_one_of_its_own() {
    let subscribe = async || {
        let call = sandbox().call("WhenAJobFinishes").body(&body(CALLBACK_URL));
        call.ok().await.json["id"].clone()
    };
    assert_ne!(subscribe().await, subscribe().await);
}

#[test]
fn the_definition_says_what_is_sent_on_the_path() {
    let item = &DEFINITION["paths"]["/v1/hooks/jobs"];
    let expected = json!({"$ref": "#/definitions/JobEvent"});
    assert_eq!(item["x-ms-notification-content"]["schema"], expected);
    let event = &DEFINITION["definitions"]["JobEvent"]["properties"];
    let names: Vec<_> = event.as_object().unwrap().keys().collect();
    let expected = [
        "job_id",
        "status",
        "operation",
        "text",
        "error_code",
        "error_message",
        "created_at",
        "finished_at",
    ];
    assert_eq!(names, expected);
    for time in ["created_at", "finished_at"] {
        assert_eq!(event[time]["format"], "date-time");
    }
    let url = &DEFINITION["definitions"]["WhenAJobFinishesRequest"]["properties"]["callback_url"];
    assert_eq!(url["x-ms-notification-url"], true);
    assert_eq!(url["x-ms-visibility"], "internal");
    assert_eq!(item["post"]["x-ms-trigger"], "single");
}
