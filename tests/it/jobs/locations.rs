//! The address of a job's result: where it is, who may ask it, and what is not there.

use super::{Held, result, service_with, start_job};
use crate::support::{TestApp, Upstream, upstream::chat};

#[tokio::test]
async fn an_id_that_leads_nowhere_is_not_found() {
    let app = crate::support::sandbox();
    let unknown = "A".repeat(43);
    let letter = format!("{}*", "A".repeat(42));
    // 43 letters have two bits more than 32 bytes; those must be zero.
    let bits = format!("{}B", "A".repeat(42));
    for id in [
        &*unknown,
        &*letter,
        &*bits,
        "a",
        "nothing",
        "%00",
        "%C3%A4",
        "..%2F..%2Fetc",
        "a%20b",
        "%FF",
        &*"A".repeat(42),
        &*"A".repeat(44),
        &*"A".repeat(100),
    ] {
        let answer = result(app, id).await;
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{id}");
        for operation in ["GetJob", "CancelJob"] {
            app.call(operation)
                .path("job_id", id)
                .fails(404, "not_found")
                .await;
        }
    }
    // The definition says how long an id may be.
    for length in [101, 5000] {
        let answer = result(app, &"A".repeat(length)).await;
        assert_eq!((answer.status, answer.field()), (400, "job_id"), "{length}");
    }
}

#[tokio::test]
async fn the_address_is_the_one_that_the_caller_knows() {
    let upstream = Upstream::chatting(chat("Yes.")).await;
    for (public_url, headers, expected) in [
        (
            "",
            &[("host", "connector.example.com")][..],
            "http://connector.example.com/api/v1/jobs/",
        ),
        (
            "",
            &[
                ("host", "connector.example.com:8443"),
                ("x-forwarded-proto", "https"),
            ],
            "https://connector.example.com:8443/api/v1/jobs/",
        ),
        (
            "",
            &[
                ("host", "a.example"),
                ("x-forwarded-proto", "gopher"),
                ("x-forwarded-host", "evil.example"),
            ],
            "http://a.example/api/v1/jobs/",
        ),
        (
            "",
            &[
                ("host", "a.example"),
                ("forwarded", "host=evil.example;proto=https"),
            ],
            "http://a.example/api/v1/jobs/",
        ),
        (
            "https://public.example/ai/v2",
            &[("host", "inner")],
            "https://public.example/ai/v2/api/v1/jobs/",
        ),
        (
            "https://public.example/",
            &[("x-forwarded-proto", "http")],
            "https://public.example/api/v1/jobs/",
        ),
    ] {
        let app = TestApp::on_with(&upstream, |config| {
            config.server.public_url = public_url.to_owned().try_into().unwrap();
        });
        let with = |mut call: crate::support::Call<'static>| {
            for (name, value) in headers {
                call = call.header(name, value);
            }
            call
        };
        let base: &'static str = app.base().to_owned().leak();
        let ask = crate::support::Call::page(base, "/api/v1/ask")
            .method("POST")
            .key();
        let ask = ask
            .body(&super::question("a"))
            .header("prefer", "respond-async");
        let answer = with(ask).send().await;
        let id = answer.json["job_id"].as_str().unwrap().to_owned();
        assert_eq!(answer.header("location"), format!("{expected}{id}/result"));
        // So while it is polled.
        let held = Held::saying("later");
        let app = service_with(&held, |config| {
            config.server.public_url = public_url.to_owned().try_into().unwrap();
        });
        let id = start_job(&app, "b").await;
        let base: &'static str = app.base().to_owned().leak();
        let poll = crate::support::Call::page(base, &format!("/api/v1/jobs/{id}/result"));
        let answer = with(poll).send().await;
        assert_eq!(answer.header("location"), format!("{expected}{id}/result"));
    }
}

#[tokio::test]
async fn only_get_is_answered() {
    let held = Held::saying("later");
    let app = super::service(&held);
    let id = start_job(&app, "a").await;
    let path = format!("/api/v1/jobs/{id}/result");
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let call = app.get(&path).method(method).key();
        let answer = call.fails(405, "method_not_allowed").await;
        assert_eq!(answer.header("allow"), "GET");
        app.get(&path)
            .method(method)
            .fails(401, "missing_key")
            .await;
    }
    assert_eq!(result(&app, &id).await.status, 202);
}
