//! A schema in the part of JSON Schema that the platform's designer takes: one type each, no
//! unions, labels for every property.

use serde_json::{Map, Value, json};

/// Keywords that the designer takes as they are.
const KEPT: &[&str] = &["type", "description", "format", "enum", "default"];

/// Formats that the platform knows; any other makes it refuse the schema.
const FORMATS: &[&str] = &[
    "int32",
    "int64",
    "float",
    "double",
    "date",
    "date-time",
    "email",
    "uri",
    "uuid",
];

/// The schema for the designer.
pub(super) fn for_designer(schema: &Value) -> Value {
    let Value::Object(object) = schema else {
        return json!({});
    };
    if let Some(branch) = branch(object) {
        let mut lowered = for_designer(branch);
        if let (Value::Object(lowered), Some(text)) = (&mut lowered, object.get("description")) {
            lowered.insert("description".to_owned(), text.clone());
        }
        return lowered;
    }
    let mut lowered = Map::new();
    for name in KEPT {
        if let Some(value) = object.get(*name) {
            lowered.insert((*name).to_owned(), value.clone());
        }
    }
    if let Some(Value::Array(kinds)) = object.get("type") {
        let kinds: Vec<_> = kinds.iter().filter(|kind| *kind != "null").collect();
        match kinds[..] {
            [kind] => drop(lowered.insert("type".to_owned(), kind.clone())),
            _ => drop(lowered.remove("type")),
        }
    }
    if let Some(value) = object.get("const") {
        lowered.insert("enum".to_owned(), json!([value]));
    }
    // A list of values that may be missing would otherwise allow null.
    if let Some(Value::Array(values)) = lowered.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if lowered.get("default").is_some_and(Value::is_null) {
        lowered.remove("default");
    }
    let known = |format: &Value| {
        format
            .as_str()
            .is_some_and(|format| FORMATS.contains(&format))
    };
    if lowered.get("format").is_some_and(|format| !known(format)) {
        lowered.remove("format");
    }
    if let Some(Value::Object(properties)) = object.get("properties") {
        let properties: Map<_, _> = properties
            .iter()
            .map(|(name, property)| {
                (
                    name.clone(),
                    labelled(name, property["title"].as_str(), for_designer(property)),
                )
            })
            .collect();
        lowered.insert("type".to_owned(), "object".into());
        lowered.insert("properties".to_owned(), properties.into());
    }
    if lowered.get("type").is_some_and(|kind| kind == "array") {
        let items = object.get("items").map_or_else(|| json!({}), for_designer);
        lowered.insert("items".to_owned(), items);
    }
    Value::Object(lowered)
}

/// The one branch of a union that is not null; `None` if it is no union, or none that has one.
fn branch(object: &Map<String, Value>) -> Option<&Value> {
    let branches = ["anyOf", "oneOf", "allOf"]
        .iter()
        .find_map(|name| object.get(*name)?.as_array())?;
    let mut branches = branches.iter().filter(|branch| branch["type"] != "null");
    let first = branches.next()?;
    branches.next().is_none().then_some(first)
}

/// Adds the label that the designer shows: the title, or else the name in words.
fn labelled(name: &str, title: Option<&str>, mut property: Value) -> Value {
    let label = title.map_or_else(|| in_words(name), str::to_owned);
    if let Value::Object(property) = &mut property {
        property.insert("x-ms-summary".to_owned(), label.into());
    }
    property
}

/// `order_total` and `orderTotal` as "Order Total".
pub(super) fn in_words(name: &str) -> String {
    let mut words = String::new();
    let mut start = true;
    let mut previous = ' ';
    for letter in name.chars() {
        if matches!(letter, '_' | '-' | ' ' | '.') {
            start = true;
            continue;
        }
        if start || (letter.is_uppercase() && previous.is_lowercase()) {
            if !words.is_empty() {
                words.push(' ');
            }
            words.extend(letter.to_uppercase());
        } else {
            words.push(letter);
        }
        start = false;
        previous = letter;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unions_with_null_become_their_one_type() {
        let lowered = for_designer(&json!({"type": "object", "properties": {
            "note": {"type": ["string", "null"]},
            "order_total": {"anyOf": [{"type": "number", "format": "decimal"}, {"type": "null"}], "description": "Sum."},
            "kind": {"const": "x"},
            "either": {"anyOf": [{"type": "number"}, {"type": "string"}]},
            "tags": {"type": "array", "items": {"type": "string"}},
        }}));
        assert_eq!(
            lowered,
            json!({"type": "object", "properties": {
                "note": {"type": "string", "x-ms-summary": "Note"},
                "order_total": {"type": "number", "description": "Sum.", "x-ms-summary": "Order Total"},
                "kind": {"enum": ["x"], "x-ms-summary": "Kind"},
                "either": {"x-ms-summary": "Either"},
                "tags": {"type": "array", "items": {"type": "string"}, "x-ms-summary": "Tags"},
            }})
        );
    }

    #[test]
    fn names_are_told_in_words() {
        for (name, words) in [
            ("order_total", "Order Total"),
            ("orderTotal", "Order Total"),
            ("sku", "Sku"),
            ("", ""),
        ] {
            assert_eq!(in_words(name), words);
        }
    }
}
