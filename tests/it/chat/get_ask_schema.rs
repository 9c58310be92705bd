//! Get ask schema: what the designer shows as the fields of Ask's answer.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{TestApp, definition::Operation, sandbox};

/// The properties of the schema for these parameters, after a look at what holds for all of them.
async fn properties(app: &TestApp, query: &[(&str, &str)]) -> Value {
    let call = app.call("GetAskSchema");
    let call = query
        .iter()
        .fold(call, |call, (name, value)| call.query(name, *value));
    let mut schema = call.ok().await.json["schema"].take();
    assert_eq!(schema["type"], "object");
    let text = schema.to_string();
    assert!(
        !text.contains("$ref") && !text.contains("x-ms-dynamic"),
        "{text}"
    );
    schema["properties"].take()
}

#[rstest]
#[case(&[])]
#[case(&[("response_format", "TEXT")])]
#[case(&[("response_format", ""), ("response_schema", "")])]
#[tokio::test]
async fn a_text_has_the_fields_of_the_definition(#[case] query: &[(&str, &str)]) {
    let found = properties(sandbox(), query).await;
    let declared = &Operation::named("Ask").answer()["properties"];
    let names = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&found), names(declared));
    assert_eq!(names(&found)[0], "text");
}

#[tokio::test]
async fn the_makers_own_fields_come_second() {
    let schema = json!({
        "type": "object", "$defs": {"line": {"type": "object", "properties": {"sku": {"type": "string"}}}},
        "properties": {
            "total": {"type": "number"},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        },
    })
    .to_string();
    let query = [
        ("response_format", "JSON"),
        ("response_schema", schema.as_str()),
    ];
    let found = properties(sandbox(), &query).await;
    assert_eq!(found.as_object().unwrap().keys().nth(1).unwrap(), "output");
    let output = &found["output"]["properties"];
    assert_eq!(output["total"]["type"], "number");
    assert_eq!(
        output["lines"]["items"]["properties"]["sku"]["type"],
        "string"
    );
}

#[tokio::test]
async fn json_without_a_schema_is_an_object() {
    let found = properties(sandbox(), &[("response_format", "JSON")]).await;
    assert_eq!(found["output"]["type"], "object");
}

#[tokio::test]
async fn a_schema_that_cannot_be_read_is_refused() {
    for schema in ["{", "[]", "{\"type\": \"string\"}"] {
        let call = sandbox()
            .call("GetAskSchema")
            .query("response_format", "JSON");
        call.query("response_schema", schema)
            .refused("response_schema")
            .await;
    }
}
