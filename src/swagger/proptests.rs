//! Properties of the lowering that hold for every document, not only for those thought of.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Target, canonical, lint, lower};

fn target() -> Target {
    Target {
        host: "gw.example.com".into(),
        base_path: "/api".into(),
        scheme: "https".into(),
    }
}

/// A document with one operation that takes and answers the schema.
fn document(schema: &Value) -> Value {
    let content = json!({"application/json": {"schema": schema}});
    json!({
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {"/api/a": {"post": {
            "operationId": "A",
            "requestBody": {"content": content},
            "responses": {"200": {"description": "OK", "content": content}}
        }}},
        "components": {"schemas": {
            "Kind": {"type": "string", "enum": ["a", "b"]},
            "Inner": {"type": "object", "required": ["inner_id"], "properties": {
                "inner_id": {"type": ["integer", "null"], "format": "int64"},
                "inner_kind": {"$ref": "#/components/schemas/Kind"}
            }}
        }}
    })
}

/// The schemas utoipa writes for scalars.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"type": "string"})),
        Just(json!({"type": ["string", "null"], "description": "D."})),
        Just(json!({"type": ["null", "integer"], "format": "int32", "minimum": 0.0})),
        Just(json!({"type": "number", "format": "double", "exclusiveMinimum": 0.5})),
        Just(json!({"type": "boolean", "default": true, "x-ms-summary": "B"})),
        Just(json!({"type": "string", "enum": ["a", "b"]})),
        Just(json!({"type": ["string", "null"], "enum": ["a", null], "default": null})),
        Just(json!({"type": "string", "const": "only"})),
        Just(json!({"type": "string", "contentEncoding": "base64"})),
        Just(json!({"type": "string", "examples": ["x"]})),
        Just(json!({"$ref": "#/components/schemas/Kind"})),
        Just(json!({"$ref": "#/components/schemas/Kind", "description": "D."})),
        Just(json!({"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Inner"}]})),
        Just(
            json!({"anyOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "null"}],
            "x-ms-summary": "I"})
        ),
        Just(json!({"allOf": [{"type": "string", "enum": ["a"]},
            {"type": "object", "description": "D."}]})),
    ]
}

/// The schemas utoipa writes for anything.
fn schema() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_map(|items| json!({"type": "array", "items": items})),
            inner
                .clone()
                .prop_map(|value| json!({"type": ["object", "null"],
                "propertyNames": {"type": "string"}, "additionalProperties": value})),
            object(inner.clone()),
            object(inner).prop_map(|own| json!({"allOf": [
                {"$ref": "#/components/schemas/Inner"}, own]})),
        ]
    })
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-h]", (inner, any::<bool>()), 0..5).prop_map(|members| {
        let required = members.iter().filter(|(_, (_, required))| *required);
        let required: Vec<_> = required.map(|(name, _)| name.clone()).collect();
        let properties = members
            .into_iter()
            .map(|(name, (schema, _))| (name, schema));
        let properties: Map<_, _> = properties.collect();
        json!({"type": "object", "required": required, "properties": properties})
    })
}

/// Any JSON, with keys that the lowering looks for.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1000..1000).prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 5, |inner| {
        let key = prop_oneof![word().prop_map(str::to_owned), ".{0,3}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(WORDS.split_whitespace().collect::<Vec<_>>())
}

const WORDS: &str = "\
    openapi 3.1.0 swagger 2.0 info paths /api/a get post parameters name in path query body \
    schema type object array string null integer items properties required additionalProperties \
    allOf oneOf anyOf $ref #/components/schemas/Kind #/definitions/A definitions A components \
    schemas responses 200 default content application/json headers enum const format binary \
    requestBody operationId security x-ms-dynamic-list x-ms-dynamic-values x-ms-visibility \
    x-ms-trigger single x-ms-notification-content x-ms-notification-url tags title description";

/// Whether a schema, or one inside it, holds what Swagger 2.0 has no word for.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            let later = [
                "oneOf",
                "anyOf",
                "allOf",
                "const",
                "propertyNames",
                "contentEncoding",
            ];
            let lone = object.get("$ref").is_none_or(|_| object.len() == 1);
            let single = object
                .get("type")
                .is_none_or(|kind| kind.is_string() || kind.is_object());
            let none = later.iter().all(|key| !object.contains_key(*key));
            lone && single && none && object.values().all(is_plain)
        }
        Value::Array(array) => array.iter().all(is_plain),
        Value::Null => false,
        _ => true,
    }
}

fn property_names(schema: &Value) -> BTreeSet<&String> {
    let own = schema["properties"].as_object().into_iter().flatten();
    own.map(|(name, _)| name).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_utoipa_writes_lowers_to_plain_schemas(schema in schema()) {
        let definition = lower(&document(&schema), &target()).unwrap();
        prop_assert!(is_plain(&definition["paths"]), "{definition:#}");
        prop_assert!(definition.get("definitions").is_none_or(is_plain), "{definition:#}");
    }

    #[test]
    fn no_property_is_lost(own in object(schema()), flattened in any::<bool>()) {
        let schema = if flattened {
            json!({"allOf": [{"$ref": "#/components/schemas/Inner"}, own]})
        } else {
            own.clone()
        };
        let definition = lower(&document(&schema), &target()).unwrap();
        let lowered = &definition["paths"]["/a"]["post"]["parameters"][0]["schema"];
        let inner = json!({"properties": {"inner_id": {}, "inner_kind": {}}});
        let mut expected = property_names(&own);
        if flattened {
            expected.extend(property_names(&inner));
        }
        prop_assert_eq!(property_names(lowered), expected);
    }

    #[test]
    fn the_same_document_gives_the_same_bytes(schema in schema()) {
        let written = || canonical(&lower(&document(&schema), &target()).unwrap());
        prop_assert_eq!(written(), written());
    }

    #[test]
    fn the_order_of_extensions_changes_no_byte(names in prop::collection::btree_set("[a-z]{1,3}", 1..6)) {
        let mut forward = json!({"type": "string"});
        let mut backward = forward.clone();
        for name in &names {
            forward[format!("x-{name}")] = json!(name);
        }
        for name in names.iter().rev() {
            backward[format!("x-{name}")] = json!(name);
        }
        let written = |schema| canonical(&lower(&document(schema), &target()).unwrap());
        prop_assert_eq!(written(&forward), written(&backward));
    }

    #[test]
    fn nothing_panics_on_any_json(value in anything()) {
        let _ = lower(&value, &target());
        let _ = lower(&document(&value), &target());
        let _ = lint(&value);
        let _ = lint(&json!({"swagger": "2.0", "paths": {"/a": {"post": value}}}));
        let _ = lint(&json!({"paths": {"/a": value}, "definitions": value}));
        let written = canonical(&value);
        let read: Value = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(canonical(&read), written);
    }
}
