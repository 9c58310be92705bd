//! Replaces the references of a schema by what they name, so that upstream, the check and the
//! designer all see the same plain schema.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The deepest nesting that is followed.
const MAX_DEPTH: usize = 64;

/// The most parts that a schema may have once its references are replaced.
const MAX_PARTS: usize = 20_000;

/// The most bytes of text that a schema may have once its references are replaced.
const MAX_BYTES: usize = 1024 * 1024;

/// Keywords that refer to parts in ways that are not followed, and so could hide a loop.
const OTHER_REFERENCES: [&str; 5] = [
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "$recursiveAnchor",
    "$anchor",
];

/// The schema without references.
///
/// # Errors
///
/// `400` for `field` that names the place: a loop, a reference to nothing or to another document,
/// a schema that is too deep or too large.
pub(super) fn resolved(field: &'static str, schema: &Value) -> Result<Value> {
    let mut walk = Walk {
        field,
        root: schema,
        open: Vec::new(),
        parts: 0,
        bytes: 0,
    };
    let mut whole = walk.follow(schema, &mut Vec::new())?;
    if let Value::Object(object) = &mut whole {
        object.remove("$defs");
        object.remove("definitions");
    }
    Ok(whole)
}

struct Walk<'a> {
    field: &'static str,
    root: &'a Value,
    /// The references that are being replaced at the moment.
    open: Vec<String>,
    parts: usize,
    bytes: usize,
}

impl Walk<'_> {
    fn follow(&mut self, schema: &Value, path: &mut Vec<String>) -> Result<Value> {
        self.parts += 1;
        if path.len() + self.open.len() > MAX_DEPTH || self.parts > MAX_PARTS {
            return Err(self.too_large(path));
        }
        match schema {
            Value::Object(object) => match object.get("$ref") {
                Some(Value::String(reference)) => self.replace(reference, object, path),
                _ => self.children(object, path),
            },
            Value::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    path.push(index.to_string());
                    list.push(self.follow(item, path)?);
                    path.pop();
                }
                Ok(Value::Array(list))
            }
            other => self.copied(other, path),
        }
    }

    /// A copy of what is no schema, counted: a reference may copy it many times.
    fn copied(&mut self, value: &Value, path: &[String]) -> Result<Value> {
        self.bytes += weight(value);
        if self.bytes > MAX_BYTES {
            return Err(self.too_large(path));
        }
        Ok(value.clone())
    }

    fn children(&mut self, object: &Map<String, Value>, path: &mut Vec<String>) -> Result<Value> {
        let mut copy = Map::with_capacity(object.len());
        for (name, child) in object {
            path.push(name.clone());
            let child = match (name.as_str(), child) {
                // What is only a store of named parts is reached through the references to them,
                // and values that are data are left as they are.
                ("$defs" | "definitions" | "enum" | "const" | "default" | "examples", _) => {
                    self.copied(child, path)?
                }
                (reference, _) if OTHER_REFERENCES.contains(&reference) => {
                    return Err(self.fault(path, "is a kind of reference that is not supported"));
                }
                ("$id", _) if path.len() > 1 => {
                    return Err(self.fault(path, "names a document within the schema"));
                }
                // The keys are the maker's own names, whatever they are called.
                ("properties" | "patternProperties" | "dependentSchemas", Value::Object(named)) => {
                    let mut copy = Map::with_capacity(named.len());
                    for (name, child) in named {
                        path.push(name.clone());
                        copy.insert(name.clone(), self.follow(child, path)?);
                        path.pop();
                    }
                    Value::Object(copy)
                }
                _ => self.follow(child, path)?,
            };
            path.pop();
            copy.insert(name.clone(), child);
        }
        Ok(Value::Object(composed(&copy).unwrap_or(copy)))
    }

    fn replace(
        &mut self,
        reference: &str,
        object: &Map<String, Value>,
        path: &mut Vec<String>,
    ) -> Result<Value> {
        let Some(pointer) = reference.strip_prefix('#') else {
            return Err(self.fault(path, "refers to another document, which is not fetched"));
        };
        if self.open.iter().any(|open| open == reference) {
            return Err(self.fault(path, "refers back to itself; a schema may have no loops"));
        }
        let Some(target) = self.root.pointer(pointer) else {
            return Err(self.fault(path, "refers to a part that does not exist"));
        };
        self.open.push(reference.to_owned());
        let replaced = self.follow(target, path)?;
        self.open.pop();
        let mut replaced = match replaced {
            Value::Object(replaced) => replaced,
            other => return Ok(other),
        };
        // What stands beside a reference adds to it.
        for (name, value) in object.iter().filter(|(name, _)| *name != "$ref") {
            let value = self.follow(value, path)?;
            replaced.insert(name.clone(), value);
        }
        Ok(Value::Object(replaced))
    }

    fn too_large(&self, path: &[String]) -> Error {
        self.fault(path, "is too deep or too large a schema")
    }

    fn fault(&self, path: &[String], what: &str) -> Error {
        let place = if path.is_empty() {
            "its top".to_owned()
        } else {
            format!("/{}", path.join("/"))
        };
        Error::invalid(self.field, format!("{} at {place} {what}.", self.field))
    }
}

/// About how many bytes a value takes.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 16,
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + 16,
        Value::Object(object) => {
            object
                .iter()
                .map(|(name, value)| name.len() + weight(value))
                .sum::<usize>()
                + 16
        }
        _ => 16,
    }
}

/// The one object that an object and its `allOf` make together: each part alone would refuse the
/// fields of the others once it is closed. `None` if they are no objects, or do more than name
/// fields, or have two rules for one field.
fn composed(object: &Map<String, Value>) -> Option<Map<String, Value>> {
    const KNOWN: [&str; 7] = [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "title",
        "description",
        "$comment",
    ];
    let parts = object.get("allOf")?.as_array()?;
    let mut whole = object.clone();
    whole.shift_remove("allOf");
    let mut properties = Map::new();
    let mut required: Vec<Value> = Vec::new();
    for part in parts {
        let part = part.as_object()?;
        if !part.keys().all(|name| KNOWN.contains(&name.as_str())) {
            return None;
        }
        join(part, &mut properties, &mut required)?;
        for (name, value) in part {
            whole.entry(name).or_insert_with(|| value.clone());
        }
    }
    join(object, &mut properties, &mut required)?;
    whole.shift_remove("additionalProperties");
    whole.insert("type".to_owned(), "object".into());
    whole.insert("properties".to_owned(), properties.into());
    if !required.is_empty() {
        whole.insert("required".to_owned(), required.into());
    }
    Some(whole)
}

/// Adds the fields of `part`; `None` if it is of no object or names a field again.
fn join(
    part: &Map<String, Value>,
    properties: &mut Map<String, Value>,
    required: &mut Vec<Value>,
) -> Option<()> {
    if part.get("type").is_some_and(|kind| kind != "object") {
        return None;
    }
    let fields = part.get("properties").and_then(Value::as_object);
    for (name, property) in fields.into_iter().flatten() {
        if properties.insert(name.clone(), property.clone()).is_some() {
            return None;
        }
    }
    let names = part.get("required").and_then(Value::as_array);
    for name in names.into_iter().flatten() {
        if !required.contains(name) {
            required.push(name.clone());
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_becomes_what_it_names() {
        let schema = json!({
            "type": "object",
            "properties": {"to": {"$ref": "#/$defs/address", "description": "Where to."}},
            "$defs": {"address": {"type": "object", "properties": {"zip": {"$ref": "#/$defs/zip"}}},
                "zip": {"type": "string"}},
        });
        assert_eq!(
            resolved("response_schema", &schema).unwrap(),
            json!({"type": "object", "properties": {"to": {"type": "object",
                "properties": {"zip": {"type": "string"}}, "description": "Where to."}}})
        );
    }

    #[test]
    fn what_cannot_be_replaced_is_told_by_its_place() {
        let with = |reference: &str| {
            json!({"type": "object", "properties": {"a": {"$ref": reference}},
                "$defs": {"loop": {"type": "object", "properties": {"b": {"$ref": "#/$defs/loop"}}}}})
        };
        for (reference, place) in [
            ("#", "/properties/a"),
            ("#/$defs/loop", "/properties/a/properties/b"),
            ("#/$defs/none", "/properties/a"),
            ("https://example.com/schema", "/properties/a"),
        ] {
            let error = resolved("response_schema", &with(reference)).unwrap_err();
            assert!(error.to_string().contains(place), "{reference}: {error}");
        }
    }

    #[test]
    fn what_an_object_is_composed_of_is_one_object() {
        let schema = json!({
            "type": "object", "description": "Outer.",
            "allOf": [
                {"$ref": "#/$defs/base"},
                {"properties": {"b": {"type": "string"}}, "required": ["b"], "description": "Part."},
            ],
            "properties": {"c": {"type": "string"}},
            "$defs": {"base": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}},
        });
        assert_eq!(
            resolved("response_schema", &schema).unwrap(),
            json!({
                "type": "object", "description": "Outer.", "required": ["a", "b"],
                "properties": {
                    "a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string"},
                },
            })
        );
    }

    #[test]
    fn what_cannot_be_one_object_stays() {
        for parts in [
            json!([{"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"maxLength": 5}}}]),
            json!([{"type": "string"}, {"maxLength": 5}]),
            json!([{"properties": {}, "if": {}}]),
        ] {
            let schema = json!({"type": "object", "properties": {"x": {"allOf": parts}}});
            assert_eq!(resolved("response_schema", &schema).unwrap(), schema);
        }
    }

    #[test]
    fn a_schema_that_explodes_is_refused() {
        let mut defs = Map::new();
        defs.insert("d0".to_owned(), json!({"type": "string"}));
        for level in 1..40 {
            let below = format!("#/$defs/d{}", level - 1);
            defs.insert(
                format!("d{level}"),
                json!({"type": "object", "properties": {"a": {"$ref": below}, "b": {"$ref": below}}}),
            );
        }
        let schema = json!({"$ref": "#/$defs/d39", "$defs": defs});
        assert!(resolved("response_schema", &schema).is_err());
    }
}
