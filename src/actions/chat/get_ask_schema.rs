//! Get ask schema: the fields of Ask's answer, for the designer, by the maker's own schema.

use std::sync::LazyLock;

use actix_web::{get, web::Data};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{
    options::JsonText,
    structured::{AnswerSchema, AskResponseFormat},
};
use crate::{
    endpoint::{ActionErrors, Answer, Query, Services},
    error::Result,
    openrouter::ApiKey,
};

/// The definition that the maker imported; it has the fields that every answer has.
const DEFINITION: &str = include_str!("../../../apiDefinition.swagger.json");

/// The fields of every answer, with references replaced.
static FIXED: LazyLock<Value> = LazyLock::new(|| {
    let definition: Value = serde_json::from_str(DEFINITION).unwrap_or_default();
    let schema = &definition["paths"]["/v1/ask"]["post"]["responses"]["200"]["schema"];
    let mut schema = plain(schema, &definition["definitions"], 0);
    if let Value::Object(schema) = &mut schema {
        schema.retain(|name, _| !name.starts_with("x-ms-dynamic"));
    }
    schema
});

/// What the answer shall be.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetAskSchemaQuery {
    /// Response Format
    ///
    /// The form of the answer: TEXT or JSON. Default TEXT.
    pub response_format: Option<AskResponseFormat>,
    /// Response Schema
    ///
    /// The JSON Schema that the answer must fit, as text.
    #[param(value_type = Option<String>)]
    pub response_schema: Option<JsonText>,
}

/// The fields of the answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct GetAskSchemaResponse {
    /// Schema
    ///
    /// A JSON Schema of the answer.
    #[schema(value_type = BTreeMap<String, Value>)]
    pub schema: Value,
}

/// Get ask schema
///
/// Returns the fields of the answer of Ask for the designer.
#[utoipa::path(
    operation_id = "GetAskSchema", tag = "Choices",
    params(GetAskSchemaQuery),
    responses((status = 200, description = "The fields of the answer.", body = GetAskSchemaResponse), ActionErrors),
    extensions(("x-ms-visibility" = json!("internal")))
)]
#[get("/ask/schema")]
pub(crate) async fn get_ask_schema(
    _services: Data<Services>,
    _key: ApiKey,
    Query(query): Query<GetAskSchemaQuery>,
) -> Result<Answer<GetAskSchemaResponse>> {
    let output = match (query.response_format, &query.response_schema) {
        (Some(AskResponseFormat::Text), _) | (None, None) => None,
        (_, Some(schema)) => Some(AnswerSchema::read("response_schema", schema)?.for_designer()),
        (Some(AskResponseFormat::Json), None) => Some(json!({"type": "object"})),
    };
    Ok(Answer(GetAskSchemaResponse {
        schema: with_output(output),
    }))
}

/// The fixed fields with `output` in the second place, after the text.
fn with_output(output: Option<Value>) -> Value {
    let mut schema = FIXED.clone();
    let Some(Value::Object(mut output)) = output else {
        return schema;
    };
    output.insert("x-ms-summary".to_owned(), "Output".into());
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.shift_insert(1, "output".to_owned(), output.into());
    }
    schema
}

/// `schema` without references into `definitions`.
fn plain(schema: &Value, definitions: &Value, depth: usize) -> Value {
    match schema {
        Value::Object(object) if depth < 32 => {
            let name = object.get("$ref").and_then(Value::as_str);
            if let Some(name) = name.and_then(|name| name.strip_prefix("#/definitions/")) {
                return plain(&definitions[name], definitions, depth + 1);
            }
            let children: Map<_, _> = object
                .iter()
                .map(|(name, child)| (name.clone(), plain(child, definitions, depth + 1)))
                .collect();
            Value::Object(children)
        }
        other => other.clone(),
    }
}
