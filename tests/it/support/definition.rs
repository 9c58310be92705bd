//! The checked-in connector definition, read as the platform reads it.

use std::{collections::HashMap, sync::LazyLock};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// The definition itself.
pub(crate) static DEFINITION: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../apiDefinition.swagger.json")).unwrap()
});

/// An address at which a flow of the platform would wait; nothing is sent to it.
pub(crate) const CALLBACK_URL: &str =
    "https://prod-00.westeurope.logic.azure.com:443/workflows/1/triggers/manual/run?sig=planted";

/// One operation of the definition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    /// In capitals.
    pub(crate) method: &'static str,
    /// With the base path, and with names in braces.
    pub(crate) path: &'static str,
    pub(super) content: &'static Value,
}

/// Every operation.
pub(crate) static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let base = DEFINITION["basePath"].as_str().unwrap();
    let mut operations = Vec::new();
    for (path, item) in DEFINITION["paths"].as_object().unwrap() {
        for (method, content) in item.as_object().unwrap() {
            if let Some(id) = content["operationId"].as_str() {
                let path = format!("{base}{path}").leak();
                let method = method.to_uppercase().leak();
                operations.push(Operation {
                    id,
                    method,
                    path,
                    content,
                });
            }
        }
    }
    operations
});

/// Every response that has a schema, by operation and status.
static RESPONSES: LazyLock<HashMap<(&'static str, &'static str), Validator>> =
    LazyLock::new(|| {
        let declared = OPERATIONS.iter().flat_map(|operation| {
            let responses = operation.content["responses"].as_object().unwrap();
            responses
                .iter()
                .map(|(status, response)| (operation.id, status, &response["schema"]))
        });
        declared
            .filter(|(.., schema)| !schema.is_null())
            .map(|(id, status, schema)| ((id, status.as_str()), strict(schema)))
            .collect()
    });

impl Operation {
    /// The operation with this id.
    pub(crate) fn named(id: &str) -> Self {
        *OPERATIONS
            .iter()
            .find(|operation| operation.id == id)
            .unwrap_or_else(|| panic!("the definition has no operation {id}"))
    }

    /// The schema of the body, if there is one.
    pub(crate) fn body(&self) -> Option<&'static Value> {
        let body = self
            .parameters()
            .find(|parameter| parameter["in"] == "body")?;
        Some(resolved(&body["schema"]))
    }

    /// Everything that the operation takes, the body too.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &'static Value> {
        self.content["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(resolved)
    }

    /// Whether the definition names answers with `status`.
    pub(crate) fn declares(&self, status: u16) -> bool {
        self.content["responses"].get(status.to_string()).is_some()
    }

    /// What is wrong with `body` as the answer with `status`; nothing if it fits. Only one answer of
    /// an operation has a schema, and the body of a 202 is of that type too.
    pub(crate) fn misfits(&self, status: u16, body: &Value) -> Vec<String> {
        let status = if status == 202 { 200 } else { status }.to_string();
        let Some(validator) = RESPONSES.get(&(self.id, status.as_str())) else {
            return vec![format!(
                "the definition has no schema for {} {status}",
                self.id
            )];
        };
        validator
            .iter_errors(body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }

    /// The schema of the answer with status 200.
    pub(crate) fn answer(&self) -> &'static Value {
        resolved(&self.content["responses"]["200"]["schema"])
    }
}

/// What a reference stands for; anything else as it is.
pub(crate) fn resolved(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str() {
        Some(pointer) => {
            let pointer = pointer.trim_start_matches('#');
            DEFINITION
                .pointer(pointer)
                .unwrap_or_else(|| panic!("{pointer} names nothing"))
        }
        None => schema,
    }
}

/// A validator of `schema` that refuses every key the definition does not name.
fn strict(schema: &Value) -> Validator {
    let mut whole = json!({
        "definitions": DEFINITION["definitions"],
        "allOf": [schema],
    });
    for definition in whole["definitions"]
        .as_object_mut()
        .into_iter()
        .flat_map(Map::values_mut)
    {
        close(definition);
    }
    close(&mut whole["allOf"][0]);
    jsonschema::validator_for(&whole).unwrap()
}

/// Closes every object of `schema` whose keys are known before the call is made.
fn close(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    let open = map.contains_key("additionalProperties")
        || map.contains_key("allOf")
        || map.keys().any(|key| key.starts_with("x-ms-dynamic"));
    let described = map.contains_key("properties") || map.get("type") == Some(&json!("object"));
    if described && !open {
        map.insert("additionalProperties".to_owned(), false.into());
    }
    for property in map
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Map::values_mut)
    {
        close(property);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = map.get_mut(key) {
            close(inner);
        }
    }
}

/// Inputs of which one of several is needed, so that the definition calls none of them required.
const MAIN_INPUTS: [&str; 3] = ["user_prompt", "prompt", "input"];

/// Something that the schema at `name` would take: what is required, and the main input.
pub(crate) fn sample(name: &str, schema: &'static Value) -> Value {
    let schema = resolved(schema);
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    // What the type alone does not tell.
    match name {
        "model" => return json!("openai/gpt-4o"),
        "author" => return json!("openai"),
        "slug" => return json!("gpt-4o"),
        "callback_url" => return json!(CALLBACK_URL),
        "file" => return json!({"name": "sound.wav", "content": super::WAV}),
        "attachments[]" | "first_frame" | "last_frame" => {
            return json!({"name": "picture.png", "content": super::PNG});
        }
        _ => {}
    }
    match schema["type"].as_str() {
        Some("object") => {
            let inputs = MAIN_INPUTS
                .iter()
                .copied()
                .filter(|name| schema["properties"][name].is_object());
            required(schema)
                .chain(inputs)
                .map(|name| (name.to_owned(), sample(name, &schema["properties"][name])))
                .collect::<Map<_, _>>()
                .into()
        }
        Some("array") => json!([sample(&format!("{name}[]"), &schema["items"])]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(true),
        _ => json!("text"),
    }
}

/// The names of the properties that must be there.
pub(crate) fn required(schema: &'static Value) -> impl Iterator<Item = &'static str> {
    schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
