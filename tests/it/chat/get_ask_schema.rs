//! Get ask schema: what the designer is told of Ask's answer, and that Ask keeps that promise.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    TestApp, Upstream,
    definition::Operation,
    sandbox,
    upstream::{CHAT, chat},
};

/// The schema for these inputs of Ask.
async fn schema(format: Option<&str>, schema: Option<&Value>) -> Value {
    let mut call = sandbox().call("GetAskSchema");
    if let Some(format) = format {
        call = call.query("response_format", format);
    }
    if let Some(schema) = schema {
        call = call.query("response_schema", schema.to_string());
    }
    call.ok().await.json["schema"].clone()
}

/// What of a schema the platform's designer does not take.
fn strange(schema: &Value, place: &str, found: &mut Vec<String>) {
    const KNOWN: [&str; 9] = [
        "type",
        "properties",
        "items",
        "description",
        "format",
        "enum",
        "default",
        "required",
        "additionalProperties",
    ];
    let Some(object) = schema.as_object() else {
        found.push(format!("{place} is no object"));
        return;
    };
    for name in object.keys() {
        if !KNOWN.contains(&name.as_str()) && !name.starts_with("x-ms-") {
            found.push(format!("{place}.{name}"));
        }
    }
    if object.get("type").is_some_and(|kind| !kind.is_string()) {
        found.push(format!("{place}.type is no text"));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        strange(property, &format!("{place}.{name}"), found);
    }
    if let Some(items) = object.get("items") {
        strange(items, &format!("{place}[]"), found);
    }
}

#[rstest]
#[case::nothing(None, None)]
#[case::text(Some("TEXT"), None)]
#[case::blank(Some(""), Some(json!("")))]
#[case::text_with_a_schema(Some("TEXT"), Some(json!({"type": "object"})))]
#[tokio::test]
async fn a_text_has_the_fields_that_every_answer_has(
    #[case] format: Option<&str>,
    #[case] input: Option<Value>,
) {
    let mut call = sandbox().call("GetAskSchema");
    if let Some(format) = format {
        call = call.query("response_format", format);
    }
    if let Some(input) = input {
        let text = input
            .as_str()
            .map_or_else(|| input.to_string(), str::to_owned);
        call = call.query("response_schema", text);
    }
    let schema = call.ok().await.json["schema"].clone();
    assert_eq!(schema["type"], "object");
    let properties = schema["properties"].as_object().unwrap();
    assert_eq!(properties.keys().next().unwrap(), "text");
    assert!(!properties.contains_key("output"));
    let declared = Operation::named("Ask").answer()["properties"]
        .as_object()
        .unwrap();
    assert!(properties.keys().eq(declared.keys()));
}

#[tokio::test]
async fn the_output_stands_after_the_text_with_the_makers_own_fields() {
    let own = json!({
        "type": "object", "properties": {
            "orderTotal": {"type": "number", "description": "In EUR."},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
        },
    });
    let schema = schema(Some("JSON"), Some(&own)).await;
    let names: Vec<_> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .take(2)
        .collect();
    assert_eq!(names, ["text", "output"]);
    assert_eq!(
        schema["properties"]["output"],
        json!({
            "type": "object", "x-ms-summary": "Output",
            "properties": {
                "orderTotal": {"type": "number", "description": "In EUR.", "x-ms-summary": "Order Total"},
                "lines": {"type": "array", "x-ms-summary": "Lines", "items": {
                    "type": "object", "properties": {"sku": {"type": "string", "x-ms-summary": "Sku"}},
                }},
            },
        })
    );
}

#[tokio::test]
async fn json_without_a_schema_is_an_object_of_any_fields() {
    let schema = schema(Some("JSON"), None).await;
    assert_eq!(
        schema["properties"]["output"],
        json!({"type": "object", "x-ms-summary": "Output"})
    );
}

#[rstest]
#[case::no_json("{")]
#[case::no_object("[]")]
#[case::no_schema_of_an_object(r#"{"type": "array"}"#)]
#[case::dangling(r##"{"$ref": "#/$defs/a"}"##)]
#[tokio::test]
async fn what_ask_would_refuse_is_refused_here_too(#[case] text: &str) {
    let call = sandbox()
        .call("GetAskSchema")
        .query("response_format", "JSON");
    call.query("response_schema", text)
        .refused("response_schema")
        .await;
    let body = json!({"model": "openai/gpt-4o", "user_prompt": "Hi", "response_schema": text});
    sandbox()
        .call("Ask")
        .body(&body)
        .refused("response_schema")
        .await;
}

/// Schemas as makers and code generators write them.
fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        (
            "flat",
            json!({"type": "object", "properties": {
            "name": {"type": "string"}, "count": {"type": "integer"}, "price": {"type": "number"},
            "paid": {"type": "boolean"}, "kind": {"enum": ["a", "b"]}, "fixed": {"const": 5},
        }, "required": ["name"]}),
        ),
        (
            "nested",
            json!({"type": "object", "properties": {
                "customer": {"type": "object", "properties": {"address": {"type": "object", "properties": {"zip": {"type": "string"}}}}},
                "lines": {"type": "array", "minItems": 2, "items": {"type": "object", "properties": {
                    "sku": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}},
                }}},
            }}),
        ),
        (
            "nullable",
            json!({"type": "object", "properties": {
                "note": {"type": ["string", "null"]}, "sum": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                "level": {"enum": ["low", null]}, "never": {"type": "null"}, "when": {"type": "string", "format": "date-time"},
                "list": {"type": "array", "items": {"type": ["integer", "null"]}},
            }}),
        ),
        (
            "referring",
            json!({"title": "Order no. 1", "type": "object", "properties": {
            "from": {"$ref": "#/$defs/address"}, "to": {"$ref": "#/$defs/address", "description": "Where to."},
        }, "$defs": {"address": {"type": "object", "properties": {"city": {"$ref": "#/$defs/city"}}}, "city": {"type": "string"}}}),
        ),
        (
            "rooted in a reference",
            json!({"$ref": "#/definitions/Root", "definitions": {"Root": {"type": "object", "properties": {"a": {"type": "string"}}}}}),
        ),
        (
            "wrapped",
            json!({"name": "x", "strict": true, "schema": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}}}),
        ),
        (
            "of unions",
            json!({"type": "object", "properties": {
                "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                "shape": {"oneOf": [{"type": "object", "properties": {"r": {"type": "number"}}}, {"type": "object", "properties": {"w": {"type": "number"}}}]},
                "only": {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}]},
                "odd": {"type": ["string", "number"]},
            }}),
        ),
        (
            "composed",
            json!({"type": "object", "properties": {
            "circle": {"allOf": [
                {"$ref": "#/$defs/shape"},
                {"type": "object", "properties": {"radius": {"type": "number"}}, "required": ["radius"]},
            ]},
        }, "$defs": {"shape": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}}}),
        ),
        (
            "with awkward names",
            json!({"type": "object", "properties": {
            "default": {"$ref": "#/$defs/t"}, "enum": {"$ref": "#/$defs/t"}, "properties": {"type": "string"},
            "$ref": {"type": "string"}, "type": {"type": "string"}, "a b.c-d": {"type": "string"}, "": {"type": "string"},
            "items": {"type": "array", "items": {"type": "string"}}, "definitions": {"$ref": "#/$defs/t"},
        }, "$defs": {"t": {"type": "string"}}}),
        ),
        ("without fields", json!({"type": "object"})),
        (
            "of any list",
            json!({"type": "object", "properties": {"any": {"type": "array"}, "all": {}, "open": {"type": "object", "additionalProperties": {"type": "string"}}}}),
        ),
    ]
}

#[tokio::test]
async fn the_designer_gets_a_schema_that_it_takes_whatever_the_maker_wrote() {
    for (name, own) in schemas() {
        let schema = schema(Some("JSON"), Some(&own)).await;
        assert_eq!(schema["type"], "object", "{name}");
        assert!(jsonschema::meta::is_valid(&schema), "{name}: {schema}");
        assert_eq!(schema["properties"]["output"]["type"], "object", "{name}");
        let mut found = Vec::new();
        strange(&schema, "", &mut found);
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

/// The promise: what the designer made tokens of is what the flow finds in the answer.
#[tokio::test]
async fn the_answer_of_ask_fits_the_schema_that_the_designer_was_given() {
    for (name, own) in schemas() {
        for text in [false, true] {
            let input = if text {
                json!(own.to_string())
            } else {
                own.clone()
            };
            let body = json!({
                "model": "openai/gpt-4o", "user_prompt": "Two orders, please.",
                "response_format": "JSON", "response_schema": input,
            });
            let answer = sandbox().call("Ask").body(&body).ok().await.json;
            let promised = schema(Some("JSON"), Some(&own)).await;
            let validator = jsonschema::validator_for(&promised).unwrap();
            let misfits: Vec<_> = validator
                .iter_errors(&answer)
                .map(|fault| format!("{}: {fault}", fault.instance_path()))
                .collect();
            assert!(misfits.is_empty(), "{name}: {misfits:?}\n{answer}");
            let output = answer["output"].as_object().unwrap();
            let promised = &promised["properties"]["output"]["properties"];
            for key in output.keys().filter(|_| promised.is_object()) {
                assert!(promised.get(key).is_some(), "{name}: {key} has no token");
            }
        }
    }
}

/// What is sent as strict schema is closed and complete, so that a provider takes it.
#[tokio::test]
async fn what_is_sent_is_strict_everywhere() {
    fn check(schema: &Value, name: &str) {
        if schema["properties"].is_object() {
            let properties = schema["properties"].as_object().unwrap();
            let required = schema["required"].as_array().unwrap();
            assert!(
                properties.keys().all(|key| required.contains(&json!(key))),
                "{name}"
            );
            assert_eq!(schema["additionalProperties"], false, "{name}: {schema}");
            for property in properties.values() {
                check(property, name);
            }
        }
        check_all(schema, name);
    }
    fn check_all(schema: &Value, name: &str) {
        if schema["items"].is_object() {
            check(&schema["items"], name);
        }
        for union in ["anyOf", "oneOf"] {
            for branch in schema[union].as_array().into_iter().flatten() {
                check(branch, name);
            }
        }
    }
    for (name, own) in schemas() {
        let upstream = Upstream::chatting(chat("{}")).await;
        let body = json!({"model": "unknown/model", "user_prompt": "Hi", "response_schema": own});
        TestApp::on(&upstream).call("Ask").body(&body).send().await;
        let sent: Value = upstream.calls(CHAT).await[0].body_json().unwrap();
        let format = &sent["response_format"];
        assert_eq!(
            (&format["type"], &format["json_schema"]["strict"]),
            (&json!("json_schema"), &json!(true)),
            "{name}"
        );
        assert!(!format.to_string().contains("\"$ref\":\""), "{name}");
        check(&format["json_schema"]["schema"], name);
    }
}
