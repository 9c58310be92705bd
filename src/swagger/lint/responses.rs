//! Rules about what an operation answers.

use serde_json::{Map, Value};

use super::super::join;
use super::definition::{Definition, Operation};
use super::{Report, Rule};

pub(super) const RULES: &[Rule] = &[
    ("OperationMustHaveResponse", operation_must_have_response),
    (
        "OperationShouldHaveSuccessfulResponse",
        operation_should_have_successful_response,
    ),
    (
        "ResponseMustBeDefaultOrHttpStatusCode",
        response_must_be_default_or_http_status_code,
    ),
    ("ResponseDescriptionRequired", response_description_required),
    ("ResponseReferenceNotFound", response_reference_not_found),
    (
        "SchemaDefinitionSetIncorrectly",
        schema_definition_set_incorrectly,
    ),
    (
        "OperationHasManyResponsesWithSchema",
        operation_has_many_responses_with_schema,
    ),
    ("DefaultResponseMissing", default_response_missing),
    ("DefaultResponseHasSchema", default_response_has_schema),
    ("ResponseSchemaEmpty", response_schema_empty),
];

fn has_schema(response: &Value) -> bool {
    response.get("schema").is_some()
}

fn is_success(code: &str) -> bool {
    code.len() == 3 && code.starts_with('2')
}

/// The import refuses an operation that answers nothing.
fn operation_must_have_response(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        if operation.responses().next().is_none() {
            report.add(&operation.at, "has no response");
        }
    }
}

/// An operation that can only fail has no tokens in the designer.
fn operation_should_have_successful_response(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        let mut codes = operation.responses().map(|(code, ..)| code).peekable();
        if codes.peek().is_some() && !codes.any(is_success) {
            report.add(&operation.at, "has no successful response");
        }
    }
}

/// The import knows status codes and `default` only.
fn response_must_be_default_or_http_status_code(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for (code, at, _) in all_responses(definition) {
        let status = code.parse::<u16>();
        if code != "default" && !status.is_ok_and(|status| (100..600).contains(&status)) {
            report.add(at, format!("`{code}` is no status code"));
        }
    }
}

/// Ours: Swagger 2.0 requires the description, and the stored schema refuses its absence.
fn response_description_required(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (_, at, response) in all_responses(definition) {
        if response
            .get("description")
            .or(response.get("$ref"))
            .is_none()
        {
            report.add(at, "has no description");
        }
    }
}

/// The import fails on a reference that leads nowhere.
fn response_reference_not_found(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (_, at, response) in all_responses(definition) {
        let reference = response.get("$ref").and_then(Value::as_str);
        let pointer = |text: &'_ str| text.strip_prefix('#').map(str::to_owned);
        let leads = |text| pointer(text).is_some_and(|at| definition.root.pointer(&at).is_some());
        if reference.is_some_and(|text| !text.starts_with("#/responses/") || !leads(text)) {
            report.add(at, "leads to no response");
        }
    }
}

fn all_responses<'a>(
    definition: &Definition<'a>,
) -> impl Iterator<Item = (&'a str, String, &'a Value)> {
    definition.operations.iter().flat_map(Operation::responses)
}

/// The designer takes its tokens from 200 or 201 only, for a webhook from what is posted. Internal
/// operations have no place in the designer, and an MCP server describes itself.
fn schema_definition_set_incorrectly(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        let is_shown = !operation.is_internal();
        let speaks = operation.success_schema().is_some()
            || operation.item["x-ms-notification-content"]
                .get("schema")
                .is_some()
            || operation.value.get("x-ms-agentic-protocol").is_some();
        if is_shown && !speaks && operation.responses().next().is_some() {
            report.add(&operation.at, "has no schema on 200 or 201");
        }
    }
}

/// The designer uses one of the schemas, and not always the one that is answered.
fn operation_has_many_responses_with_schema(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        let with_schema = operation.responses().filter(|(code, _, response)| {
            // One on `default` is another rule's.
            *code != "default" && has_schema(response)
        });
        if with_schema.count() > 1 {
            report.add(&operation.at, "more than one response has a schema");
        }
    }
}

/// Ours: the coding standards ask for a `default` response, which stands for every failure.
fn default_response_missing(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        let mut codes = operation.responses().map(|(code, ..)| code).peekable();
        if codes.peek().is_some() && !codes.any(|code| code == "default") {
            report.add(&operation.at, "has no `default` response");
        }
    }
}

/// The designer would offer the tokens of an error.
fn default_response_has_schema(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (code, at, response) in all_responses(definition) {
        if code == "default" && has_schema(response) {
            report.add(join(&at, "schema"), "must not be there");
        }
    }
}

/// Ours: reviewers refuse an answer that makers have to parse themselves.
fn response_schema_empty(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (_, at, response) in all_responses(definition) {
        let Some(schema) = response.get("schema") else {
            continue;
        };
        let schema = definition.resolve(schema);
        let is_object = schema["type"] == "object" || schema.get("type").is_none();
        let says = [
            "properties",
            "additionalProperties",
            "allOf",
            "$ref",
            "x-ms-dynamic-schema",
            "x-ms-dynamic-properties",
        ];
        let says_something = says.iter().any(|key| schema.get(*key).is_some());
        let no_properties = schema["properties"].as_object().is_some_and(Map::is_empty);
        if is_object && (!says_something || no_properties) {
            report.add(join(&at, "schema"), "has no properties");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Broken, check, remove, set};
    use super::RULES;

    const ANSWERS: &str = "/paths/~1v1~1models~1{author}/get/responses";

    const BROKEN: &[Broken] = &[
        ("OperationMustHaveResponse", |d| set(d, ANSWERS, json!({}))),
        ("OperationShouldHaveSuccessfulResponse", |d| {
            remove(
                d,
                "/paths/~1v1~1hooks~1jobs~1{hook_id}/delete/responses/200",
            );
        }),
        ("ResponseMustBeDefaultOrHttpStatusCode", |d| {
            set(
                d,
                &format!("{ANSWERS}/4XX"),
                json!({"description": "Wrong."}),
            );
        }),
        ("ResponseDescriptionRequired", |d| {
            remove(d, &format!("{ANSWERS}/404/description"));
        }),
        ("ResponseReferenceNotFound", |d| {
            set(
                d,
                &format!("{ANSWERS}/404"),
                json!({"$ref": "#/responses/NotFound"}),
            );
        }),
        ("SchemaDefinitionSetIncorrectly", |d| {
            remove(d, &format!("{ANSWERS}/200/schema"));
        }),
        ("OperationHasManyResponsesWithSchema", |d| {
            set(
                d,
                &format!("{ANSWERS}/404/schema"),
                json!({"$ref": "#/definitions/Job"}),
            );
        }),
        ("DefaultResponseMissing", |d| {
            remove(d, &format!("{ANSWERS}/default"));
        }),
        ("DefaultResponseHasSchema", |d| {
            set(
                d,
                &format!("{ANSWERS}/default/schema"),
                json!({"$ref": "#/definitions/Job"}),
            );
        }),
        ("ResponseSchemaEmpty", |d| {
            set(
                d,
                &format!("{ANSWERS}/200/schema"),
                json!({"type": "object"}),
            );
        }),
        ("ResponseSchemaEmpty", |d| {
            let schema = json!({"type": "object", "properties": {}});
            set(d, &format!("{ANSWERS}/200/schema"), schema);
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
