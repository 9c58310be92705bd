//! What every operation does alike: asks for a key first, and answers rubbish with a proper error.

use serde_json::{Value, json};

use crate::support::{
    TestApp, Upstream,
    definition::{OPERATIONS, Operation, required},
    sandbox,
    upstream::Next,
};

#[tokio::test]
async fn without_a_key_nothing_else_is_looked_at() {
    // The address of a job's result is a secret of its own.
    let keyed = |operation: &&Operation| operation.id != "GetJobResult";
    for operation in OPERATIONS.iter().filter(keyed) {
        let call = || sandbox().call(operation.id).with_samples().no_key();
        call().fails(401, "missing_key").await;
        call()
            .query("no_such", "parameter")
            .fails(401, "missing_key")
            .await;
        call()
            .raw_body("text/plain", "rubbish")
            .fails(401, "missing_key")
            .await;
        call()
            .raw_body("application/json", "{")
            .fails(401, "missing_key")
            .await;
        call()
            .header("authorization", "Bearer")
            .fails(401, "missing_key")
            .await;
        call()
            .header("authorization", "Bearer two words")
            .fails(401, "invalid_key")
            .await;
    }
}

#[tokio::test]
async fn a_body_that_is_rubbish_is_refused() {
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.body().is_some())
    {
        let call = |kind: &str, body: &str| {
            sandbox()
                .call(operation.id)
                .with_samples()
                .raw_body(kind, body)
        };
        for body in ["", "rubbish", "{", "[]", "null", "5", "\"text\"", "[{}]"] {
            call("application/json", body)
                .fails(400, "invalid_request")
                .await;
        }
        for kind in ["text/plain", "multipart/form-data; boundary=x", "image/png"] {
            call(kind, "{}").fails(415, "unsupported_media_type").await;
        }
        let body = json!({"no_such_field": 1}).to_string();
        call("application/json", &body)
            .refused("no_such_field")
            .await;
    }
}

#[tokio::test]
async fn a_query_parameter_that_does_not_exist_is_refused() {
    for operation in OPERATIONS.iter() {
        if operation
            .parameters()
            .any(|parameter| parameter["in"] == "query")
        {
            let call = sandbox()
                .call(operation.id)
                .with_samples()
                .query("no_such_parameter", "1");
            call.refused("no_such_parameter").await;
        }
    }
}

#[tokio::test]
async fn a_required_field_that_is_missing_is_named() {
    for operation in OPERATIONS.iter() {
        let Some(schema) = operation.body() else {
            continue;
        };
        let whole = crate::support::definition::sample("", schema);
        for name in required(schema) {
            let mut body = whole.clone();
            body.as_object_mut().unwrap().remove(name);
            let call = sandbox().call(operation.id).with_samples().body(&body);
            // What has a default may be left out.
            if schema["properties"][name].get("default").is_none() {
                call.refused(name).await;
            } else {
                call.ok().await;
            }
        }
    }
}

#[tokio::test]
async fn a_required_parameter_that_is_missing_is_named() {
    for operation in OPERATIONS.iter() {
        for parameter in operation.parameters() {
            if parameter["in"] == "query" && parameter["required"] == true {
                let name = parameter["name"].as_str().unwrap();
                sandbox().call(operation.id).refused(name).await;
                sandbox()
                    .call(operation.id)
                    .query(name, "")
                    .refused(name)
                    .await;
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_with_the_right_one() {
    for operation in OPERATIONS.iter() {
        let answer = sandbox()
            .call(operation.id)
            .with_samples()
            .method("PATCH")
            .fails(405, "method_not_allowed")
            .await;
        let allowed: Vec<_> = answer.header("allow").split(", ").collect();
        assert!(
            allowed.contains(&operation.method),
            "{}: {allowed:?}",
            operation.id
        );
    }
}

#[tokio::test]
async fn the_callers_id_of_the_call_comes_back() {
    for operation in OPERATIONS.iter() {
        let call = || sandbox().call(operation.id).with_samples().method("PATCH");
        let answer = call()
            .header("x-ms-client-request-id", "08585-abc.1:x_2")
            .send()
            .await;
        assert_eq!(answer.header("x-request-id"), "08585-abc.1:x_2");
        for unsafe_id in ["", "a b", "<script>", &"a".repeat(129)] {
            let answer = call().header("x-request-id", unsafe_id).send().await;
            assert_ne!(answer.header("x-request-id"), unsafe_id);
        }
    }
}

/// With upstream's best answer: whatever fails is the fault of the request that a maker is led to.
#[tokio::test]
async fn the_smallest_request_that_the_definition_allows_is_taken() {
    let upstream = Upstream::start().await;
    upstream.responds_always(anything()).await;
    let app = TestApp::on(&upstream);
    for operation in OPERATIONS.iter() {
        let answer = app.call(operation.id).with_samples().send().await;
        assert_ne!(answer.status, 400, "{}: {}", operation.id, answer.text);
    }
}

/// An answer in which most operations find what they look for.
pub(super) fn anything() -> Next {
    let message = json!({"role": "assistant", "content": "Text"});
    let next = Next::default();
    let body: Value = json!({
        "id": "gen-1",
        "data": {"id": "openai/gpt-4o"},
        "choices": [{"index": 0, "message": message, "text": "Text", "finish_reason": "stop"}],
        "results": [], "text": "Text",
    });
    next.set(body.to_string());
    next
}
