//! What OpenRouter's strict structured output demands of a schema, added and named.

use serde_json::{Value, json};

/// Closes every object of `schema` and makes its properties required, as strict mode wants it;
/// what is changed for that is named in `warnings`.
pub(super) fn made_strict(field: &str, schema: &Value, warnings: &mut Vec<String>) -> Value {
    let mut schema = schema.clone();
    let mut changes = Changes::default();
    close(&mut schema, "", &mut changes);
    if !changes.required.is_empty() {
        warnings.push(format!(
            "{field}: strict output needs every property, so these were made required: {}.",
            changes.required.join(", ")
        ));
    }
    if !changes.open.is_empty() {
        warnings.push(format!(
            "{field}: strict output allows no free properties, which these objects ask for: {}.",
            changes.open.join(", ")
        ));
    }
    schema
}

#[derive(Default)]
struct Changes {
    required: Vec<String>,
    open: Vec<String>,
}

/// Closes every object of the schema and makes its properties required.
fn close(schema: &mut Value, path: &str, changes: &mut Changes) {
    let Value::Object(object) = schema else {
        return;
    };
    let is_object = match object.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => object.contains_key("properties"),
    };
    if is_object {
        match object.get("additionalProperties") {
            Some(Value::Bool(false)) => {}
            None => drop(object.insert("additionalProperties".to_owned(), false.into())),
            Some(_) => changes.open.push(if path.is_empty() {
                "the schema".to_owned()
            } else {
                path.to_owned()
            }),
        }
        let names: Vec<String> = object
            .get("properties")
            .and_then(Value::as_object)
            .map(|properties| properties.keys().cloned().collect())
            .unwrap_or_default();
        let required = object.entry("required").or_insert_with(|| json!([]));
        if let Value::Array(required) = required {
            for name in names {
                if !required.iter().any(|known| *known == name) {
                    changes.required.push(below(path, &name));
                    required.push(name.into());
                }
            }
        }
    }
    for (key, child) in object.iter_mut() {
        match (key.as_str(), child) {
            ("properties" | "$defs" | "definitions", Value::Object(children)) => {
                for (name, child) in children {
                    close(child, &below(path, name), changes);
                }
            }
            ("items" | "additionalProperties" | "not", child @ Value::Object(_)) => {
                close(child, &format!("{path}[]"), changes);
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(children)) => {
                for child in children {
                    close(child, path, changes);
                }
            }
            _ => {}
        }
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complete_schema_is_left_as_it_is() {
        let schema = json!({
            "type": "object", "additionalProperties": false,
            "properties": {"total": {"type": "number"}}, "required": ["total"],
        });
        let mut warnings = Vec::new();
        assert_eq!(
            made_strict("response_schema", &schema, &mut warnings),
            schema
        );
        assert!(warnings.is_empty());
    }

    #[test]
    fn what_strict_mode_demands_is_added_and_named() {
        let mut warnings = Vec::new();
        let sent = made_strict(
            "response_schema",
            &json!({
                "type": "object",
                "properties": {"lines": {"type": "array", "items": {
                    "type": "object", "properties": {"sku": {"type": "string"}},
                }}},
                "required": [],
            }),
            &mut warnings,
        );
        assert_eq!(sent["required"], json!(["lines"]));
        assert_eq!(
            sent["properties"]["lines"]["items"]["additionalProperties"],
            false
        );
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("lines, lines[].sku"), "{warnings:?}");
    }

    #[test]
    fn an_object_that_wants_to_stay_open_is_named() {
        let schema = json!({"type": "object", "additionalProperties": true});
        let mut warnings = Vec::new();
        made_strict("response_schema", &schema, &mut warnings);
        assert!(warnings[0].contains("the schema"), "{warnings:?}");
    }
}
