//! List providers: the companies that run the models.

use serde_json::json;

use crate::support::{KEY, TestApp, Upstream, sandbox, upstream::header};

const PROVIDERS: &str = "/providers";

#[tokio::test]
async fn a_provider_has_its_policies_and_no_nulls() {
    let upstream = Upstream::start().await;
    let body = json!({"data": [
        {"name": "Azure", "slug": "azure", "privacy_policy_url": "https://a.example/p",
         "terms_of_service_url": "https://a.example/t", "status_page_url": null,
         "headquarters": "US", "datacenters": ["US", null, "SE"], "of_tomorrow": 1},
        {"name": "Other", "slug": null, "datacenters": null},
        null,
    ]});
    upstream.answers(PROVIDERS, body).await;
    let answer = TestApp::on(&upstream).call("ListProviders").ok().await;
    assert_eq!(
        answer.json,
        json!({"data": [
            {"name": "Azure", "slug": "azure", "privacy_policy_url": "https://a.example/p",
             "terms_of_service_url": "https://a.example/t", "headquarters": "US",
             "datacenters": ["US", "SE"]},
            {"name": "Other", "datacenters": []},
        ]})
    );
    assert_eq!(
        header(&upstream.call(PROVIDERS).await, "authorization"),
        format!("Bearer {KEY}")
    );
}

#[tokio::test]
async fn no_providers_are_an_empty_list() {
    for body in [json!({}), json!({"data": null}), json!({"data": {}})] {
        let upstream = Upstream::start().await;
        upstream.answers(PROVIDERS, body).await;
        let answer = TestApp::on(&upstream).call("ListProviders").ok().await;
        assert_eq!(answer.json, json!({"data": []}));
    }
}

#[tokio::test]
async fn the_simulated_openrouter_answers_too() {
    let answer = sandbox().call("ListProviders").ok().await;
    assert!(answer.json["data"].as_array().unwrap().len() > 1);
}
