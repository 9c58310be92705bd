//! Schemas made of schemas: optional references, flattened structs, inlined schemas with texts.

use serde_json::Value;

use super::super::fields::{Fields, Object};
use super::super::{LowerError, join};
use super::keywords::{ANNOTATIONS, annotate};
use super::{COMPONENTS, Place, Schemas};

/// What describes a part by itself and ends with it when the part is merged.
const PART_TEXTS: [&str; 8] = [
    "title",
    "description",
    "default",
    "readOnly",
    "example",
    "x-ms-summary",
    "x-ms-visibility",
    "type",
];

impl Schemas<'_> {
    /// Whether null is among the values, here or where a reference leads.
    pub(in crate::swagger) fn admits_null(&self, schema: &Value) -> bool {
        let mut schema = schema;
        // A chain of references that is longer than this is a cycle, which lowering refuses.
        for _ in 0..16 {
            if let Some(Value::Array(types)) = schema.get("type") {
                return types.iter().any(|kind| kind == "null");
            }
            for key in ["oneOf", "anyOf"] {
                if let Some(Value::Array(alternatives)) = schema.get(key)
                    && alternatives.iter().any(is_null)
                {
                    return true;
                }
            }
            let named = schema.get("$ref").and_then(Value::as_str);
            let named = named.and_then(|reference| reference.strip_prefix(COMPONENTS));
            let components = self.components;
            match named.and_then(|name| components.and_then(|all| all.get(name))) {
                Some(referenced) => schema = referenced,
                None => return false,
            }
        }
        false
    }

    /// `allOf` as one flat schema.
    ///
    /// utoipa writes it for `#[serde(flatten)]` and for an inlined schema with a doc comment. The
    /// inline parts' properties come first (they are the action's own fields), then the referenced
    /// parts in order. Texts of a referenced part describe that part and end with it; parts that
    /// only describe (`{type: object, description}`) speak for the whole.
    pub(super) fn merge(
        &mut self,
        parts: &Value,
        fields: Fields<'_>,
        place: Place,
    ) -> Result<Object, LowerError> {
        let at = fields.at_key("allOf");
        let parts = parts.as_array().map_or(&[][..], Vec::as_slice);
        let (mut own, mut referenced, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        let has_shape = fields.keys().any(|key| !is_annotation(key));
        let own_texts = if has_shape {
            own.push((fields.at().to_owned(), self.plain(fields, place)?));
            None
        } else {
            Some(fields)
        };
        for (index, part) in parts.iter().enumerate() {
            let at = join(&at, &index.to_string());
            if only_describes(part) {
                let mut part = Fields::of(part, &at)?;
                part.take("type");
                texts.push(part);
            } else {
                let list = if part.get("$ref").is_some() {
                    &mut referenced
                } else {
                    &mut own
                };
                let part = self.inline(part, &at, place)?;
                list.push((at, part));
            }
        }
        let own_count = own.len();
        own.append(&mut referenced);
        let mut lowered = match own.len() {
            0 => return Err(LowerError::new(at, "nothing to merge")),
            1 => own.remove(0).1,
            _ => flat_object(own, own_count)?,
        };
        for part in texts.into_iter().chain(own_texts) {
            lowered = annotate(lowered, part)?;
        }
        Ok(lowered)
    }
}

/// The key, the one alternative of `oneOf` or `anyOf` beside null, and where it stands: that is
/// how an optional reference arrives; its null is `null_means_absent`'s. Real alternatives are refused: the designer has
/// no form for them, and Power Fx hides the whole action.
pub(super) fn sole_alternative<'v>(
    fields: &Fields<'v>,
) -> Result<Option<(&'static str, &'v Value, String)>, LowerError> {
    for key in ["oneOf", "anyOf"] {
        let Some(alternatives) = fields.get(key) else {
            continue;
        };
        let at = fields.at_key(key);
        let mut real = alternatives
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
            .filter(|(_, alternative)| !is_null(alternative));
        return match (real.next(), real.next()) {
            (Some((index, only)), None) => Ok(Some((key, only, join(&at, &index.to_string())))),
            _ => Err(LowerError::new(
                at,
                "alternatives cannot be said: write one object with optional properties",
            )),
        };
    }
    Ok(None)
}

/// One object with the members of all `parts`, of which the first `own_count` are inline ones.
fn flat_object(parts: Vec<(String, Object)>, own_count: usize) -> Result<Object, LowerError> {
    let mut merged = Object::new();
    let (mut properties, mut required) = (Object::new(), Vec::new());
    merged.insert("type".into(), "object".into());
    for (index, (at, part)) in parts.into_iter().enumerate() {
        if part.get("type").is_none_or(|kind| kind != "object") {
            return Err(LowerError::new(at, "only objects can be merged"));
        }
        for (key, value) in part {
            match (key.as_str(), value) {
                ("properties", Value::Object(more)) => {
                    for (name, property) in more {
                        if properties.contains_key(&name) {
                            let message = format!("`{name}` is defined by another part too");
                            return Err(LowerError::new(at, message));
                        }
                        properties.insert(name, property);
                    }
                }
                ("required", Value::Array(more)) => required.extend(more),
                (text, _) if index >= own_count && PART_TEXTS.contains(&text) => {}
                (_, value) => match merged.get(&key) {
                    Some(found) if *found != value => {
                        let message = format!("parts differ in `{key}`");
                        return Err(LowerError::new(at, message));
                    }
                    _ => {
                        merged.insert(key, value);
                    }
                },
            }
        }
    }
    if !required.is_empty() {
        merged.insert("required".into(), required.into());
    }
    merged.insert("properties".into(), properties.into());
    Ok(merged)
}

fn is_annotation(key: &str) -> bool {
    ANNOTATIONS.contains(&key) || key.starts_with("x-")
}

/// utoipa's way to put a doc comment on an inlined schema: an object that says nothing but texts.
/// Taken at its word it would make an inlined string impossible.
fn only_describes(part: &Value) -> bool {
    let members = part.as_object();
    members.is_some_and(|members| {
        let mut members = members.iter();
        members.all(|(key, value)| is_annotation(key) || (key == "type" && value == "object"))
    })
}

fn is_null(schema: &Value) -> bool {
    let members = schema.as_object();
    members.is_some_and(|members| members.len() == 1 && schema["type"] == "null")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{inside, refused};

    #[test]
    fn an_optional_reference_with_texts_is_the_value_with_them() {
        let reference = json!({"$ref": "#/components/schemas/Kind"});
        for alternatives in [
            json!([{"type": "null"}, reference]),
            json!([reference, {"type": "null"}]),
        ] {
            let schema = json!({"oneOf": alternatives, "description": "Which.",
                "default": null, "x-ms-summary": "Kind"});
            let expected = json!({"type": "string", "description": "Which.", "enum": ["a", "b"],
                "x-ms-summary": "Kind"});
            assert_eq!(inside(&schema), expected);
        }
    }

    #[test]
    fn an_optional_inline_schema_is_that_schema() {
        let schema = json!({"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}]});
        assert_eq!(inside(&schema), json!({"type": "string", "minLength": 1}));
    }

    #[test]
    fn an_inlined_enum_keeps_its_type_and_takes_the_text() {
        let schema = json!({"allOf": [
            {"type": "string", "enum": ["a"]},
            {"type": "object", "description": "Which."}
        ]});
        let expected = json!({"type": "string", "description": "Which.", "enum": ["a"]});
        assert_eq!(inside(&schema), expected);
    }

    #[test]
    fn a_flattened_struct_is_one_object_with_its_own_fields_first() {
        let schema = json!({"description": "The request.", "allOf": [
            {"$ref": "#/components/schemas/Options"},
            {"$ref": "#/components/schemas/Inner"},
            {"type": "object", "required": ["model"],
                "properties": {"model": {"type": "string"}}}
        ]});
        let lowered = inside(&schema);
        let names: Vec<_> = lowered["properties"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["model", "top", "user", "id", "kind"]);
        assert_eq!(lowered["required"], json!(["model", "top", "id"]));
        assert_eq!(lowered["description"], "The request.");
    }

    #[test]
    fn fields_beside_all_of_are_a_part_too() {
        let schema = json!({"allOf": [{"$ref": "#/components/schemas/Options"}],
            "type": "object", "properties": {"model": {"type": "string"}}});
        let lowered = inside(&schema);
        let names: Vec<_> = lowered["properties"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["model", "top", "user"]);
        assert!(
            lowered.get("description").is_none(),
            "the part's text ends with it"
        );
    }

    #[test]
    fn what_is_no_one_flat_schema_is_refused() {
        let options = json!({"$ref": "#/components/schemas/Options"});
        let text = json!({"type": "string"});
        let map = |value| json!({"type": "object", "additionalProperties": value});
        for (schema, pointer) in [
            (
                json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}),
                "/s/oneOf",
            ),
            (json!({"oneOf": [{"type": "null"}]}), "/s/oneOf"),
            (json!({"oneOf": "x"}), "/s/oneOf"),
            (json!({"oneOf": [text], "anyOf": [text]}), "/s/anyOf"),
            (
                json!({"oneOf": [{"type": "null"}, text], "maxLength": 1}),
                "/s/maxLength",
            ),
            (json!({"allOf": []}), "/s/allOf"),
            (json!({"allOf": [options, options]}), "/s/allOf/1"),
            (json!({"allOf": [options, text]}), "/s/allOf/1"),
            (json!({"allOf": [map(true), map(false)]}), "/s/allOf/1"),
        ] {
            assert_eq!(refused(&schema), pointer, "{schema}");
        }
    }
}
