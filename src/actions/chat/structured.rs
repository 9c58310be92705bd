//! A maker's JSON Schema, made fit for OpenRouter's strict structured output.

use serde_json::{Value, json};

use crate::error::{Error, Result};

/// The deepest nesting of a schema that is followed.
const MAX_DEPTH: usize = 64;

/// The `response_format` that demands an answer fitting `schema`, a maker's input at `field`.
///
/// Strict mode wants every object closed and every property required; what is added for that is
/// named in `warnings`.
///
/// # Errors
///
/// `400` for `field` if it is no schema of an object.
pub(crate) fn strict(
    field: &'static str,
    schema: Value,
    warnings: &mut Vec<String>,
) -> Result<Value> {
    let (name, mut schema) = unwrapped(field, schema)?;
    let mut changes = Changes::default();
    close(field, &mut schema, String::new(), 0, &mut changes)?;
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
    Ok(json!({
        "type": "json_schema",
        "json_schema": {"name": name, "strict": true, "schema": schema},
    }))
}

/// The schema itself and its name, also where a maker pasted OpenAI's `json_schema` wrapping.
fn unwrapped(field: &'static str, schema: Value) -> Result<(String, Value)> {
    let not_a_schema = || {
        Error::invalid(field, format!("{field} must be a JSON Schema with \"type\": \"object\"."))
    };
    let Value::Object(mut outer) = schema else { return Err(not_a_schema()) };
    if let Some(Value::Object(inner)) = outer.remove("json_schema") {
        outer = inner;
    }
    let title = |value: Option<&Value>| value.and_then(Value::as_str).map(identifier);
    let name = title(outer.get("name")).or_else(|| title(outer.get("title")));
    if !outer.contains_key("type")
        && !outer.contains_key("properties")
        && let Some(Value::Object(inner)) = outer.remove("schema")
    {
        outer = inner;
    }
    let of_object = outer.get("type").is_some_and(|kind| kind == "object");
    let described = ["properties", "$ref", "anyOf"].iter().any(|key| outer.contains_key(*key));
    if !of_object && !described {
        return Err(not_a_schema());
    }
    let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| "answer".to_owned());
    Ok((name, Value::Object(outer)))
}

/// A name as upstream allows it: letters, digits, `_` and `-`, at most 64.
fn identifier(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    text.chars().map(safe).take(64).collect()
}

#[derive(Default)]
struct Changes {
    required: Vec<String>,
    open: Vec<String>,
}

/// Closes every object of the schema and makes its properties required.
fn close(
    field: &'static str,
    schema: &mut Value,
    path: String,
    depth: usize,
    changes: &mut Changes,
) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::invalid(
            field,
            format!("{field} is nested deeper than {MAX_DEPTH} levels."),
        ));
    }
    let Value::Object(object) = schema else { return Ok(()) };
    let is_object = match object.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => object.contains_key("properties"),
    };
    if is_object {
        match object.get("additionalProperties") {
            Some(Value::Bool(false)) => {}
            None => drop(object.insert("additionalProperties".to_owned(), false.into())),
            Some(_) => changes.open.push(if path.is_empty() { "the schema".to_owned() } else { path.clone() }),
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
                    changes.required.push(below(&path, &name));
                    required.push(name.into());
                }
            }
        }
    }
    for (key, child) in object.iter_mut() {
        match (key.as_str(), child) {
            ("properties" | "$defs" | "definitions", Value::Object(children)) => {
                for (name, child) in children {
                    close(field, child, below(&path, name), depth + 1, changes)?;
                }
            }
            ("items" | "additionalProperties" | "not", child @ Value::Object(_)) => {
                close(field, child, format!("{path}[]"), depth + 1, changes)?;
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(children)) => {
                for child in children {
                    close(field, child, path.clone(), depth + 1, changes)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_strict(schema: Value) -> (Value, Vec<String>) {
        let mut warnings = Vec::new();
        let format = strict("response_schema", schema, &mut warnings).unwrap();
        (format["json_schema"].clone(), warnings)
    }

    #[test]
    fn a_complete_schema_is_sent_as_it_is() {
        let schema = json!({
            "title": "Order no. 5", "type": "object", "additionalProperties": false,
            "properties": {"total": {"type": "number"}}, "required": ["total"],
        });
        let (sent, warnings) = made_strict(schema.clone());
        assert_eq!(sent, json!({"name": "Order_no__5", "strict": true, "schema": schema}));
        assert!(warnings.is_empty());
    }

    #[test]
    fn what_strict_mode_demands_is_added_and_named() {
        let (sent, warnings) = made_strict(json!({
            "type": "object",
            "properties": {"lines": {"type": "array", "items": {
                "type": "object", "properties": {"sku": {"type": "string"}},
            }}},
            "required": [],
        }));
        assert_eq!(sent["schema"]["required"], json!(["lines"]));
        assert_eq!(sent["schema"]["properties"]["lines"]["items"]["additionalProperties"], false);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("lines, lines[].sku"), "{warnings:?}");
    }

    #[test]
    fn the_wrapping_of_other_tools_is_taken_off() {
        let inner = json!({"type": "object", "properties": {}, "additionalProperties": false, "required": []});
        for wrapped in [
            json!({"type": "json_schema", "json_schema": {"name": "x", "schema": inner}}),
            json!({"name": "x", "strict": true, "schema": inner}),
        ] {
            let (sent, _) = made_strict(wrapped);
            assert_eq!((&sent["name"], &sent["schema"]), (&json!("x"), &inner));
        }
    }

    #[test]
    fn what_is_no_schema_is_refused_by_name() {
        let mut deep = json!({"type": "string"});
        for _ in 0..100 {
            deep = json!({"type": "array", "items": deep});
        }
        let deep = json!({"type": "object", "properties": {"a": deep}});
        for bad in [json!("text"), json!([]), json!(5), json!({}), json!({"type": "string"}), deep] {
            let error = strict("response_schema", bad, &mut Vec::new()).unwrap_err();
            assert_eq!(error.field(), Some("response_schema"));
        }
    }
}
