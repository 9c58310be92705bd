//! The OpenAPI 3.1 document, made from the annotations of the actions.

use std::sync::LazyLock;

use actix_web::App;
use serde_json::{Map, Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Components, OpenApi as Document, SecurityRequirement,
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
};
use utoipa_actix_web::AppExt;

use super::routes;
use crate::{
    actions::{
        self,
        catalog::filter::{InputModality, ModelSort, OutputModality},
        chat::options::GenerationOptions,
        triggers::when_a_job_finishes::JobEvent,
    },
    error::ErrorBody,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "OpenRouter Models",
        description = "Hundreds of AI models through one connection: chat, images, speech, transcription, video and embeddings, with live prices. Answers are flat and typed, and say what they cost.",
        contact(name = "Your administrator", url = "https://openrouter.ai/docs", email = "admin@example.com"),
        license(name = "MIT", identifier = "MIT"),
    ),
    tags(
        (name = "Text", description = "Conversations and texts."),
        (name = "Media", description = "Images, speech and video."),
        (name = "Vectors", description = "Embeddings and relevance."),
        (name = "Jobs", description = "Calls that go on in the background."),
        (name = "Models", description = "The catalogue of models."),
        (name = "Account", description = "Credits, the key, and single generations."),
        (name = "Triggers", description = "What starts a flow."),
        (name = "Choices", description = "Lists for the designer."),
    ),
    // Options join other schemas by overlay, events are named by one, and utoipa does not collect
    // the types of parameters.
    components(schemas(ErrorBody, GenerationOptions, InputModality, JobEvent, ModelSort, OutputModality)),
    modifiers(&Security),
)]
struct Base;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let description = "An OpenRouter API key, with or without Bearer before it.";
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "Authorization",
            description,
        )));
        document
            .components
            .get_or_insert_with(Components::new)
            .add_security_scheme("api_key", scheme);
        document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(
            "api_key",
            [],
        )]);
    }
}

/// The document of this build.
///
/// # Errors
///
/// A sentence for each overlay that names nothing.
pub fn document() -> Result<Value, Vec<String>> {
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(Base::openapi())
        .configure(routes::actions)
        .split_for_parts();
    let mut document = serde_json::to_value(document).map_err(|error| vec![error.to_string()])?;
    label(&mut document);
    let problems: Vec<_> = actions::overlays()
        .filter_map(|overlay| overlay.apply(&mut document).err())
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        // By now its properties are part of the requests.
        schemas.shift_remove("GenerationOptions");
        flatten(schemas);
    }
    document["servers"] = json!([{"url": "/", "description": "This service."}]);
    document["x-ms-connector-metadata"] = json!([
        {"propertyName": "Website", "propertyValue": "https://openrouter.ai"},
        {"propertyName": "Privacy policy", "propertyValue": "https://openrouter.ai/privacy"},
        {"propertyName": "Categories", "propertyValue": "AI"},
    ]);
    document["x-ms-capabilities"] =
        json!({"testConnection": {"operationId": "GetKey", "parameters": {}}});
    Ok(document)
}

/// Splits the doc comment of each property and parameter: its first line is the label that the
/// designer shows, the rest is the description.
fn label(document: &mut Value) {
    let schemas = document["components"]["schemas"].as_object_mut();
    for schema in schemas.into_iter().flat_map(Map::values_mut) {
        label_properties(schema);
    }
    let paths = document["paths"].as_object_mut();
    for operation in paths
        .into_iter()
        .flat_map(Map::values_mut)
        .filter_map(Value::as_object_mut)
    {
        for operation in operation.values_mut() {
            let parameters = operation
                .get_mut("parameters")
                .and_then(Value::as_array_mut);
            for parameter in parameters
                .into_iter()
                .flatten()
                .filter_map(Value::as_object_mut)
            {
                split(parameter);
            }
        }
    }
}

/// Writes a schema that is put together from parts as one flat object, as it is on the wire: its
/// own properties first, then those of the parts in their order.
fn flatten(schemas: &mut Map<String, Value>) {
    let parts = schemas.clone();
    for schema in schemas.values_mut().filter_map(Value::as_object_mut) {
        let Some(Value::Array(all)) = schema.remove("allOf") else {
            continue;
        };
        let (own, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|part| part.get("$ref").is_none());
        let named = |part: &Value| {
            let name = part["$ref"]
                .as_str()?
                .strip_prefix("#/components/schemas/")?;
            parts.get(name).cloned()
        };
        let others: Vec<_> = others.iter().filter_map(named).collect();
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for part in own.iter().chain(&others) {
            properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
            required.extend(part["required"].as_array().cloned().unwrap_or_default());
        }
        schema.insert("type".to_owned(), "object".into());
        schema.insert("required".to_owned(), required.into());
        schema.insert("properties".to_owned(), properties.into());
    }
}

fn label_properties(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        if let Some(property) = property.as_object_mut() {
            split(property);
        }
    }
    let parts = schema.get_mut("allOf").and_then(Value::as_array_mut);
    for part in parts.into_iter().flatten() {
        label_properties(part);
    }
}

fn split(place: &mut Map<String, Value>) {
    // Of an optional enum or object, the doc comment stands inside the choice of it and null.
    if !place.contains_key("description") {
        let choices = place.get_mut("oneOf").and_then(Value::as_array_mut);
        let inside = choices
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
            .find_map(|choice| choice.remove("description"));
        place.extend(inside.map(|text| ("description".to_owned(), text)));
    }
    let Some(Value::String(text)) = place.get("description") else {
        return;
    };
    let (label, rest) = text.split_once('\n').unwrap_or((text.as_str(), ""));
    let words: Vec<_> = rest.split_whitespace().collect();
    let (label, rest) = (label.trim().to_owned(), words.join(" "));
    place.insert("x-ms-summary".to_owned(), label.into());
    place.insert("description".to_owned(), rest.into());
}

/// An operation of the service, as the document names it.
#[derive(Debug)]
pub(super) struct Operation {
    /// The HTTP method, in capitals.
    pub(super) method: String,
    /// The path template, such as `/api/v1/model/{author}/{slug}`.
    pub(super) path: String,
    /// The operation's id.
    pub(super) id: String,
    /// Whether it takes parameters in the query.
    pub(super) has_query: bool,
}

impl Operation {
    /// Whether `path` is one that the operation's template stands for.
    pub(super) fn fits(&self, path: &str) -> bool {
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(part), Some(text))
                    if part == text || (part.starts_with('{') && !text.is_empty()) => {}
                _ => return false,
            }
        }
    }
}

/// The operations of the service.
pub(super) static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let document = document().unwrap_or_default();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Some(id) = operation["operationId"].as_str() else {
                continue;
            };
            let parameters = operation["parameters"].as_array();
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                id: id.to_owned(),
                has_query: parameters
                    .into_iter()
                    .flatten()
                    .any(|known| known["in"] == "query"),
            });
        }
    }
    operations
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_stands_for_paths_of_its_shape() {
        let operation = Operation {
            method: "GET".to_owned(),
            path: "/a/{x}/b".to_owned(),
            id: "A".to_owned(),
            has_query: false,
        };
        assert!(operation.fits("/a/1/b"));
        for other in ["/a//b", "/a/1/c", "/a/1/b/", "/a/1"] {
            assert!(!operation.fits(other), "{other}");
        }
    }
}
