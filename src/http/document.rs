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
    },
    error::ErrorBody,
};

pub(crate) use routes::BASE_PATH;

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
        (name = "Models", description = "The catalogue of models."),
        (name = "Account", description = "Credits, the key, and single generations."),
        (name = "Choices", description = "Lists for the designer."),
    ),
    // Options join other schemas by overlay, and utoipa does not collect the types of parameters.
    components(schemas(ErrorBody, GenerationOptions, InputModality, ModelSort, OutputModality)),
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

/// What the document says of the service's operations: method, path template, operation id.
pub(super) static OPERATIONS: LazyLock<Vec<(String, String, String)>> = LazyLock::new(|| {
    let document = document().unwrap_or_default();
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            item.as_object()
                .into_iter()
                .flatten()
                .filter_map(|(method, operation)| {
                    let id = operation["operationId"].as_str()?.to_owned();
                    Some((method.to_uppercase(), path.clone(), id))
                })
        })
        .collect()
});
