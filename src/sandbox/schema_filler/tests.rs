//! Fills a table of schemas and holds the results against a real validator.

use serde_json::{Value, json};

use super::{fill, misfill};

fn schemas() -> Vec<Value> {
    let node = json!({
        "type": "object",
        "properties": {
            "value": { "type": "string" },
            "children": { "type": "array", "items": { "$ref": "#/$defs/node" } },
            "parent": { "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] },
        },
        "required": ["value", "children", "parent"],
        "additionalProperties": false,
    });
    vec![
        json!({ "type": "object", "properties": {} }),
        json!({
            "type": "object",
            "properties": {
                "sentiment": { "enum": ["positive", "negative"] },
                "score": { "type": "number", "minimum": 0, "maximum": 1 },
                "stars": { "type": "integer", "minimum": 1, "maximum": 5 },
                "version": { "const": 2 },
                "urgent": { "type": "boolean" },
                "note": { "type": ["string", "null"], "maxLength": 10 },
            },
            "required": ["sentiment", "score", "stars", "version", "urgent", "note"],
            "additionalProperties": false,
        }),
        json!({ "type": "array", "items": { "type": "string", "minLength": 80 }, "minItems": 3 }),
        json!({ "type": "array", "items": { "type": "integer" }, "uniqueItems": true, "minItems": 4 }),
        json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true, "minItems": 3 }),
        json!({ "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }], "items": false }),
        json!({ "type": "array", "maxItems": 1, "items": { "type": "boolean" } }),
        json!({ "type": "array", "contains": { "const": 7 } }),
        json!({ "type": "integer", "exclusiveMinimum": 10, "exclusiveMaximum": 12 }),
        json!({ "type": "integer", "minimum": 10, "multipleOf": 7 }),
        json!({ "type": "number", "multipleOf": 0.5, "minimum": 1.2 }),
        json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 0.5 }),
        json!({ "type": "number", "maximum": -3 }),
        json!({ "type": "string", "format": "date-time" }),
        json!({ "type": "string", "format": "email" }),
        json!({ "type": "string", "format": "uuid" }),
        json!({ "type": "string", "format": "uri" }),
        json!({ "type": "string", "format": "ipv6" }),
        json!({ "type": "string", "pattern": "^[A-Z]{2}[0-9]{4}$" }),
        json!({ "type": "string", "minLength": 5, "maxLength": 5 }),
        json!({ "anyOf": [{ "type": "integer" }, { "type": "string" }] }),
        json!({ "oneOf": [{ "type": "null" }, { "type": "string" }] }),
        json!({ "allOf": [
            { "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] },
            { "properties": { "b": { "type": "integer" } }, "required": ["b"] },
        ] }),
        json!({ "type": "object", "additionalProperties": { "type": "integer" }, "minProperties": 2 }),
        json!({ "type": "object", "required": ["undeclared"] }),
        json!({ "$ref": "#/$defs/node", "$defs": { "node": node } }),
        json!({
            "type": "object",
            "properties": { "next": { "$ref": "#" }, "id": { "type": "integer" } },
            "required": ["id"],
        }),
        json!({}),
        json!(true),
    ]
}

#[test]
fn filled_values_fit() {
    for schema in schemas() {
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .expect("a proper schema");
        let value = fill(&schema, "Is the new coffee machine any good?");
        assert!(
            validator.is_valid(&value),
            "{schema} does not allow {value}"
        );
    }
}

#[test]
fn misfilled_values_do_not() {
    let mut tried = 0;
    for schema in schemas() {
        let Some(value) = misfill(&schema, "hello") else {
            continue;
        };
        // Through a reference or a conjunction it cannot be told what is required.
        if schema.get("type").is_none() {
            continue;
        }
        tried += 1;
        assert!(
            !jsonschema::is_valid(&schema, &value),
            "{schema} allows {value}"
        );
    }
    assert!(tried > 15);
}

#[test]
fn a_schema_that_requires_itself_ends() {
    let endless = json!({
        "type": "object",
        "properties": { "self": { "$ref": "#" } },
        "required": ["self"],
    });
    assert!(fill(&endless, "").is_object());
    let huge = json!({ "type": "array", "minItems": u64::MAX, "items": endless });
    assert!(fill(&huge, "").is_array());
    let circular = json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/a" } } });
    assert!(fill(&circular, "").is_string());
}

#[test]
fn the_same_request_gives_the_same_value() {
    for schema in schemas() {
        assert_eq!(fill(&schema, "again"), fill(&schema, "again"));
    }
}
