//! Get model: one model of the catalogue, by the two parts of its id.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use rstest::rstest;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{KEY, TestApp, Upstream, sandbox, upstream::models};

#[tokio::test]
async fn the_row_is_that_of_list_models() {
    let upstream = Upstream::start().await;
    upstream
        .answers("/model/openai/gpt-4o", json!({"data": models()["data"][0]}))
        .await;
    let app = TestApp::on(&upstream);
    let one = app
        .call("GetModel")
        .path("author", "openai")
        .path("slug", "gpt-4o")
        .ok()
        .await;
    let all = app.call("ListModels").query("search", "gpt-4o").ok().await;
    assert_eq!(one.json, all.json["data"][0]);
}

#[rstest]
#[case(
    "~anthropic",
    "claude-sonnet-latest",
    "/model/~anthropic/claude-sonnet-latest"
)]
#[case(
    "meta-llama",
    "llama-3.3-70b-instruct:free",
    "/model/meta-llama/llama-3.3-70b-instruct:free"
)]
#[case("%7Eopenai", "gpt%3Afree", "/model/~openai/gpt:free")]
#[case("a%20b", "c%25d", "/model/a%20b/c%25d")]
#[tokio::test]
async fn the_parts_keep_their_place_upstream(
    #[case] author: &str,
    #[case] slug: &str,
    #[case] path: &str,
) {
    let upstream = Upstream::start().await;
    upstream
        .answers(path, json!({"data": {"id": "found"}}))
        .await;
    let app = TestApp::on(&upstream);
    let call = app
        .call("GetModel")
        .path("author", author)
        .path("slug", slug);
    assert_eq!(call.ok().await.json["id"], "found");
}

#[rstest]
#[case("..", "credits", "author")]
#[case("%2E%2E", "credits", "author")]
#[case("openai", "..", "slug")]
#[case("openai", "..%2Fcredits", "slug")]
#[case("openai", "gpt%3Fx=1", "slug")]
#[case("openai", "gpt%23x", "slug")]
#[case("openai", "a%5Cb", "slug")]
#[tokio::test]
async fn a_part_that_would_leave_its_place_never_goes_upstream(
    #[case] author: &str,
    #[case] slug: &str,
    #[case] field: &str,
) {
    let upstream = Upstream::start().await;
    upstream
        .responds_always(ResponseTemplate::new(200).set_body_json(json!({"data": {}})))
        .await;
    let app = TestApp::on(&upstream);
    let answer = raw(&app, &format!("/api/v1/model/{author}/{slug}"));
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(
        answer.contains(&format!("\"field\":\"{field}\"")),
        "{answer}"
    );
    assert!(upstream.calls("/credits").await.is_empty());
}

/// The answer to a path that is sent as it is: other clients resolve dots in it first.
fn raw(app: &TestApp, path: &str) -> String {
    let mut stream = TcpStream::connect(app.base().trim_start_matches("http://")).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {KEY}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn a_model_that_does_not_exist_is_not_found() {
    let call = sandbox()
        .call("GetModel")
        .path("author", "openai")
        .path("slug", "gpt-99");
    call.fails(404, "not_found").await;
    for body in [json!({}), json!({"data": null}), json!({"data": {}})] {
        let upstream = Upstream::start().await;
        upstream.answers("/model/a/b", body).await;
        let app = TestApp::on(&upstream);
        let call = app.call("GetModel").path("author", "a").path("slug", "b");
        call.fails(404, "not_found").await;
    }
}

#[tokio::test]
async fn the_simulated_openrouter_resolves_aliases() {
    let call = sandbox()
        .call("GetModel")
        .path("author", "~openai")
        .path("slug", "gpt-latest");
    assert!(call.ok().await.json["id"].as_str().unwrap().contains("gpt"));
}
