//! Writing a document so that the same document always gives the same bytes.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The order Microsoft's coding standards ask of a definition ("Follow coding standards",
/// learn.microsoft.com/connectors/custom-connectors); what is not named follows as declared.
const DEFINITION_ORDER: [&str; 16] = [
    "swagger",
    "openapi",
    "info",
    "host",
    "basePath",
    "schemes",
    "servers",
    "consumes",
    "produces",
    "paths",
    "definitions",
    "parameters",
    "responses",
    "components",
    "securityDefinitions",
    "security",
];

/// Beyond this a float has no exact integer of its own.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

/// Writes a Swagger 2.0 or `OpenAPI` 3.1 document in its one form: four spaces, declared key order,
/// `x-*` keys sorted and last in each object, definitions sorted by name, integral floats as
/// integers, a newline at the end. utoipa keeps extensions in a hash map, so that two runs of the
/// same program write them in different orders; a checked-in file needs one.
#[must_use]
pub fn canonical(document: &Value) -> String {
    let mut document = document.clone();
    if let Value::Object(root) = &mut document {
        order_root(root);
    }
    for pointer in ["/definitions", "/components/schemas"] {
        if let Some(Value::Object(named)) = document.pointer_mut(pointer) {
            named.sort_keys();
        }
    }
    let mut text = String::new();
    write_value(&document, 0, &mut text);
    text.push('\n');
    text
}

fn order_root(root: &mut Map<String, Value>) {
    let mut members: Vec<_> = std::mem::take(root).into_iter().collect();
    members.sort_by_key(|(key, _)| {
        let place = DEFINITION_ORDER.iter().position(|name| name == key);
        place.unwrap_or(DEFINITION_ORDER.len())
    });
    root.extend(members);
}

fn write_value(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            let (mut extensions, plain): (Vec<_>, Vec<_>) =
                object.iter().partition(|(key, _)| key.starts_with("x-"));
            extensions.sort_by_key(|(key, _)| *key);
            let members = plain.into_iter().chain(extensions).map(|(key, member)| {
                let name = Value::from(key.as_str());
                (Some(name), member)
            });
            write_members('{', members, '}', depth, text);
        }
        Value::Array(array) if !array.is_empty() => {
            let members = array.iter().map(|member| (None, member));
            write_members('[', members, ']', depth, text);
        }
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && is_exact_integer(float) => {
                // Writing to a string does not fail; `+ 0.0` turns -0 into 0.
                let _ = write!(text, "{:.0}", float + 0.0);
            }
            _ => text.push_str(&value.to_string()),
        },
        _ => text.push_str(&value.to_string()),
    }
}

fn is_exact_integer(float: f64) -> bool {
    float.fract() == 0.0 && float.abs() < EXACT_INTEGERS
}

fn write_members<'a>(
    open: char,
    members: impl Iterator<Item = (Option<Value>, &'a Value)>,
    close: char,
    depth: usize,
    text: &mut String,
) {
    text.push(open);
    for (index, (name, member)) in members.enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        indent(depth + 1, text);
        if let Some(name) = name {
            text.push_str(&name.to_string());
            text.push_str(": ");
        }
        write_value(member, depth + 1, text);
    }
    text.push('\n');
    indent(depth, text);
    text.push(close);
}

fn indent(depth: usize, text: &mut String) {
    for _ in 0..depth {
        text.push_str("    ");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::canonical;

    #[test]
    fn a_definition_is_written_in_the_documented_layout() {
        let document = json!({
            "x-ms-b": 1,
            "tags": [],
            "definitions": {"B": {}, "A": {"x-z": 1, "type": "number", "x-a": {"x-2": 0, "x-1": 0}}},
            "info": {"version": "1", "title": "T"},
            "swagger": "2.0",
            "x-ms-a": [1, "two"]
        });
        let expected = r#"{
    "swagger": "2.0",
    "info": {
        "version": "1",
        "title": "T"
    },
    "definitions": {
        "A": {
            "type": "number",
            "x-a": {
                "x-1": 0,
                "x-2": 0
            },
            "x-z": 1
        },
        "B": {}
    },
    "tags": [],
    "x-ms-a": [
        1,
        "two"
    ],
    "x-ms-b": 1
}
"#;
        assert_eq!(canonical(&document), expected);
    }

    #[test]
    fn component_schemas_of_a_3_1_document_are_sorted_too() {
        let document = json!({"openapi": "3.1.0", "components": {"schemas": {"B": 1, "A": 2}}});
        let text = canonical(&document);
        assert!(text.find("\"A\"") < text.find("\"B\""));
    }

    #[test]
    fn an_integral_float_is_written_as_an_integer() {
        let text = |value: Value| canonical(&value);
        assert_eq!(text(json!(0.0)), "0\n");
        assert_eq!(text(json!(-0.0)), "0\n");
        assert_eq!(text(json!(-2.0)), "-2\n");
        assert_eq!(text(json!(0.5)), "0.5\n");
        assert_eq!(text(json!(1e300)), "1e+300\n");
        assert_eq!(text(json!(u64::MAX)), "18446744073709551615\n");
    }

    #[test]
    fn writing_what_was_written_changes_nothing() {
        let document = json!({"x-b": [], "b": {"x-y": "\u{e9}\"", "c": {}}, "x-a": null});
        let once = canonical(&document);
        let read: Value = serde_json::from_str(&once).unwrap();
        assert_eq!(canonical(&read), once);
    }
}
