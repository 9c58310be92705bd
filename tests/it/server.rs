//! The pages beside the actions, and what the server does with paths that are not there.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{TestApp, definition::DEFINITION, sandbox};

/// A service with this public address; nothing is called upstream.
fn at(public_url: &str) -> TestApp {
    let url = public_url.to_owned();
    TestApp::start(true, |config| {
        config.server.public_url = url.try_into().unwrap();
    })
}

#[rstest]
#[case("/nothing")]
#[case("/api")]
#[case("/api/v2/models")]
#[case("/health/")]
#[case("/apiDefinition.swagger.json/x")]
#[tokio::test]
async fn a_path_that_does_not_exist_is_told(#[case] path: &str) {
    let answer = sandbox().get(path).fails(404, "not_found").await;
    assert!(answer.message().contains("/apiDefinition.swagger.json"));
    sandbox()
        .get(path)
        .method("POST")
        .fails(404, "not_found")
        .await;
}

#[tokio::test]
async fn a_path_beside_the_actions_needs_a_key_before_it_is_told() {
    for path in ["/api/v1/nothing", "/api/v1/models/a/b/c/d", "/api/v1/"] {
        sandbox().get(path).fails(401, "missing_key").await;
        sandbox().get(path).key().fails(404, "not_found").await;
    }
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let call = |method: &str, path: &str| {
        sandbox()
            .get(path)
            .key()
            .method(method)
            .fails(405, "method_not_allowed")
    };
    let answer = call("GET", "/api/v1/chat/completions").await;
    assert_eq!(answer.header("allow"), "POST");
    assert_eq!(answer.message(), "This path takes POST only.");
    assert_eq!(
        call("DELETE", "/api/v1/models").await.header("allow"),
        "GET"
    );
    assert_eq!(
        call("POST", "/api/v1/model/a/b").await.header("allow"),
        "GET"
    );
}

#[tokio::test]
async fn the_process_tells_that_it_lives_and_is_ready() {
    let answer = sandbox().get("/health").ok().await;
    assert_eq!(answer.json, json!({"status": "alive"}));
    let answer = sandbox().get("/ready").ok().await;
    assert_eq!(answer.json, json!({"status": "ready"}));
}

/// The served definition without the three keys that say where the service is.
fn without_address(definition: &Value) -> Value {
    let mut rest = definition.clone();
    for key in ["host", "basePath", "schemes"] {
        rest.as_object_mut().unwrap().shift_remove(key).unwrap();
    }
    rest
}

#[tokio::test]
async fn the_served_definition_names_the_host_that_the_caller_used() {
    let served = sandbox().get("/apiDefinition.swagger.json").ok().await;
    assert_eq!(
        served.header("content-type"),
        "application/json; charset=utf-8"
    );
    let host = sandbox().base().trim_start_matches("http://");
    assert_eq!(served.json["host"], host);
    assert_eq!(served.json["basePath"], "/api");
    assert_eq!(
        served.json["schemes"],
        json!(["https"]),
        "nothing else can be imported"
    );
    assert_eq!(without_address(&served.json), without_address(&DEFINITION));

    let call = sandbox()
        .get("/apiDefinition.swagger.json")
        .header("host", "flows.example.com");
    assert_eq!(call.ok().await.json["host"], "flows.example.com");
}

#[rstest]
#[case("https://flows.example.com", "https", "flows.example.com", "/api")]
#[case(
    "https://example.com:8443/open/router/",
    "https",
    "example.com:8443",
    "/open/router/api"
)]
#[case("http://localhost:9000", "http", "localhost:9000", "/api")]
#[tokio::test]
async fn a_configured_address_comes_before_the_callers(
    #[case] public_url: &str,
    #[case] scheme: &str,
    #[case] host: &str,
    #[case] base_path: &str,
) {
    let app = at(public_url);
    let call = app
        .get("/apiDefinition.swagger.json")
        .header("host", "other.example.com");
    let served = call.ok().await.json;
    assert_eq!(
        (&served["schemes"], &served["host"], &served["basePath"]),
        (&json!([scheme]), &json!(host), &json!(base_path))
    );
    let document = app.get("/openapi.json").ok().await.json;
    assert_eq!(
        document["servers"][0]["url"],
        public_url.trim_end_matches('/')
    );
}

#[tokio::test]
async fn the_openapi_document_is_served_as_it_was_checked_in() {
    let served = sandbox().get("/openapi.json").ok().await;
    let checked_in: Value =
        serde_json::from_str(include_str!("../../openapi/openapi.json")).unwrap();
    assert_eq!(served.json, checked_in);
}

#[tokio::test]
async fn swagger_ui_has_its_page_and_everything_on_it() {
    for path in ["/", "/swagger-ui"] {
        let answer = sandbox().get(path).send().await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (302, "/swagger-ui/")
        );
    }
    let page = sandbox().get("/swagger-ui/").ok().await;
    assert!(page.header("content-type").starts_with("text/html"));
    let assets: Vec<_> = page
        .text
        .split(['"', '\''])
        .filter(|text| text.starts_with("./") || text.starts_with("swagger-ui"))
        .filter(|text| [".js", ".css"].iter().any(|ending| text.ends_with(ending)))
        .collect();
    assert!(assets.len() >= 3, "{assets:?}");
    for asset in assets {
        let path = format!("/swagger-ui/{}", asset.trim_start_matches("./"));
        let answer = sandbox().get(&path).ok().await;
        assert!(!answer.text.is_empty(), "{path}");
        if path.ends_with("initializer.js") {
            assert!(answer.text.contains("/openapi.json"));
        }
    }
}

#[tokio::test]
async fn pages_need_no_key_and_take_any() {
    for path in [
        "/health",
        "/ready",
        "/openapi.json",
        "/apiDefinition.swagger.json",
    ] {
        sandbox()
            .get(path)
            .header("authorization", "Bearer")
            .ok()
            .await;
    }
}
