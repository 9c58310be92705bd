//! Rules about the parameters of an operation.

use std::collections::BTreeSet;

use super::super::join;
use super::definition::{Definition, elements};
use super::{Report, Rule};

pub(super) const RULES: &[Rule] = &[
    (
        "OperationMissingPathParameter",
        operation_missing_path_parameter,
    ),
    (
        "PathParameterNotDefinedInTemplate",
        path_parameter_not_defined_in_template,
    ),
    (
        "PathParameterMustBeRequired",
        path_parameter_must_be_required,
    ),
    (
        "PathParameterMissingEncoding",
        path_parameter_missing_encoding,
    ),
    (
        "QueryParameterEncodingNotSupported",
        query_parameter_encoding_not_supported,
    ),
    (
        "OperationParametersContainDuplicateParameter",
        operation_parameters_contain_duplicate_parameter,
    ),
    (
        "OperationParametersContainMultipleBodyParameters",
        operation_parameters_contain_multiple_body_parameters,
    ),
    (
        "ParameterListContainsFormDataAndBody",
        parameter_list_contains_form_data_and_body,
    ),
    (
        "BodyOrFormDataParameterInFetchOperationNotAllowed",
        body_or_form_data_parameter_in_fetch_operation_not_allowed,
    ),
    (
        "BodyParameterSchemaRequired",
        body_parameter_schema_required,
    ),
    (
        "NonBodyParameterSchemaNotValid",
        non_body_parameter_schema_not_valid,
    ),
    ("ParameterLocationNotValid", parameter_location_not_valid),
    (
        "ConnectionIdParameterNotAllowed",
        connection_id_parameter_not_allowed,
    ),
    ("ReservedParameterIsUsed", reserved_parameter_is_used),
    (
        "CollectionFormatValueNotSupported",
        collection_format_value_not_supported,
    ),
    (
        "InvalidFormDataParameterName",
        invalid_form_data_parameter_name,
    ),
    (
        "MimeTypeNotCompatibleWithRequestContentSchemaType",
        mime_type_not_compatible_with_request_content_schema_type,
    ),
    (
        "FileParameterMustBeInFormData",
        file_parameter_must_be_in_form_data,
    ),
    ("ParameterReferenceNotFound", parameter_reference_not_found),
];

/// The names in braces of a path.
fn template_names(path: &str) -> impl Iterator<Item = &str> {
    let opened = path.split('{').skip(1);
    opened.filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// The braces would be sent to the service as they are.
fn operation_missing_path_parameter(definition: &Definition<'_>, report: &mut Report<'_>) {
    for operation in &definition.operations {
        for name in template_names(operation.path) {
            let mut parameters = definition.parameters_of(operation);
            if !parameters.any(|each| each.location() == "path" && each.name() == name) {
                report.add(&operation.at, format!("has no parameter for {{{name}}}"));
            }
        }
    }
}

/// The maker fills in a value that goes nowhere.
fn path_parameter_not_defined_in_template(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() == "path")
    {
        if template_names(parameter.path).all(|name| name != parameter.name()) {
            report.add(
                &parameter.at,
                format!("{} has no place for it", parameter.path),
            );
        }
    }
}

/// A path with a hole in it is another path.
fn path_parameter_must_be_required(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() == "path")
    {
        if parameter.value["required"] != true {
            report.add(&parameter.at, "a path parameter must be required");
        }
    }
}

/// A value with a slash or a space in it breaks the path when it is not encoded.
fn path_parameter_missing_encoding(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() == "path")
    {
        if parameter.value.get("x-ms-url-encoding").is_none() {
            report.add(&parameter.at, "has no `x-ms-url-encoding`");
        }
    }
}

/// Query values are encoded once in any case; the validator refuses to be told.
fn query_parameter_encoding_not_supported(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() == "query")
    {
        if parameter.value.get("x-ms-url-encoding").is_some() {
            let at = join(&parameter.at, "x-ms-url-encoding");
            report.add(at, "is for path parameters only");
        }
    }
}

/// Of two parameters with one name in one place the platform sends one.
fn operation_parameters_contain_duplicate_parameter(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for operation in &definition.operations {
        let mut seen = BTreeSet::new();
        for parameter in definition.parameters_of(operation) {
            if !seen.insert((parameter.location(), parameter.name())) {
                report.add(
                    &parameter.at,
                    format!("`{}` is there twice", parameter.name()),
                );
            }
        }
    }
}

/// A request has one body.
fn operation_parameters_contain_multiple_body_parameters(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for operation in &definition.operations {
        let parameters = definition.parameters_of(operation);
        if parameters.filter(|each| each.location() == "body").count() > 1 {
            report.add(&operation.at, "has more than one body");
        }
    }
}

/// A body is either a form or not.
fn parameter_list_contains_form_data_and_body(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for operation in &definition.operations {
        let has = |place| {
            let mut parameters = definition.parameters_of(operation);
            parameters.any(|each| each.location() == place)
        };
        if has("body") && has("formData") {
            report.add(&operation.at, "has a body and form fields");
        }
    }
}

/// A GET is sent without its body.
fn body_or_form_data_parameter_in_fetch_operation_not_allowed(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for operation in &definition.operations {
        let mut parameters = definition.parameters_of(operation);
        let sends = parameters.any(|each| matches!(each.location(), "body" | "formData"));
        if sends && matches!(operation.method, "get" | "head") {
            report.add(&operation.at, "a fetch operation cannot have a body");
        }
    }
}

/// Without a schema the designer has no form for the body.
fn body_parameter_schema_required(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() == "body")
    {
        if parameter.value.get("schema").is_none() {
            report.add(&parameter.at, "has no schema");
        }
    }
}

/// Only a body has a schema in Swagger 2.0; elsewhere the import refuses one.
fn non_body_parameter_schema_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() != "body")
    {
        if parameter.value.get("schema").is_some() {
            report.add(join(&parameter.at, "schema"), "only a body has a schema");
        }
    }
}

/// Ours: Power Fx hides an action with a parameter elsewhere, such as a cookie.
fn parameter_location_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in &definition.parameters {
        let known = ["body", "formData", "header", "path", "query"];
        if parameter.value.get("$ref").is_none() && !known.contains(&parameter.location()) {
            report.add(
                join(&parameter.at, "in"),
                format!("must be one of {known:?}"),
            );
        }
    }
}

/// The platform has a parameter of this name of its own.
fn connection_id_parameter_not_allowed(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in &definition.parameters {
        if parameter.name().eq_ignore_ascii_case("connectionId") {
            report.add(join(&parameter.at, "name"), "is the platform's own");
        }
    }
}

/// The platform sets these headers itself: the import refuses `Authorization`, and dynamic calls
/// fail on `Content-Type`.
fn reserved_parameter_is_used(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() == "header")
    {
        let name = parameter.name().to_lowercase();
        if matches!(name.as_str(), "authorization" | "content-type") {
            report.add(join(&parameter.at, "name"), "is a header the platform sets");
        }
    }
}

/// Power Fx writes a list outside a body as the name of its type.
fn collection_format_value_not_supported(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() != "body")
    {
        let is_list = parameter.value["type"] == "array";
        if is_list || parameter.value.get("collectionFormat").is_some() {
            report.add(
                &parameter.at,
                "a list outside a body is a comma-separated string",
            );
        }
    }
}

/// The names of form fields are written as ASCII.
fn invalid_form_data_parameter_name(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() == "formData")
    {
        if parameter.name().is_empty() || parameter.name().contains(['"', '\r', '\n']) {
            report.add(&parameter.at, "cannot be the name of a form field");
        }
    }
}

/// A form is sent as one media type only, and an operation with another one sends nothing.
fn mime_type_not_compatible_with_request_content_schema_type(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for operation in &definition.operations {
        let mut parameters = definition.parameters_of(operation);
        let is_form = parameters.any(|each| each.location() == "formData");
        let own = operation.value.get("consumes");
        let consumes = own.unwrap_or(&definition.root["consumes"]);
        let mut types = elements(consumes);
        if is_form && !types.any(|media_type| media_type == "multipart/form-data") {
            report.add(
                &operation.at,
                "form fields need `consumes: multipart/form-data`",
            );
        }
    }
}

/// Only a form field can be a file.
fn file_parameter_must_be_in_form_data(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() != "formData")
    {
        if parameter.value["type"] == "file" {
            report.add(&parameter.at, "only a form field can be a file");
        }
    }
}

/// The import fails on a reference that leads nowhere.
fn parameter_reference_not_found(definition: &Definition<'_>, report: &mut Report<'_>) {
    for parameter in &definition.parameters {
        if parameter.value.get("$ref").is_some() {
            report.add(&parameter.at, "leads to no parameter");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Broken, check, copy, remove, set};
    use super::RULES;

    const BODY: &str = "/paths/~1v1~1ask/post/parameters/0";
    const FILE_ID: &str = "/paths/~1v1~1files~1{file_id}/get/parameters/0";
    const LIMIT: &str = "/paths/~1v1~1models~1{author}/get/parameters/1";
    const TRACE: &str = "/paths/~1v1~1models~1{author}/get/parameters/2";

    const BROKEN: &[Broken] = &[
        ("OperationMissingPathParameter", |d| {
            remove(d, "/paths/~1v1~1hooks~1jobs~1{hook_id}/parameters");
        }),
        ("PathParameterNotDefinedInTemplate", |d| {
            copy(d, FILE_ID, "/paths/~1v1~1models~1{author}/get/parameters/-");
        }),
        ("PathParameterMustBeRequired", |d| {
            remove(d, &format!("{FILE_ID}/required"));
        }),
        ("PathParameterMissingEncoding", |d| {
            remove(d, &format!("{FILE_ID}/x-ms-url-encoding"));
        }),
        ("QueryParameterEncodingNotSupported", |d| {
            set(d, &format!("{LIMIT}/x-ms-url-encoding"), "single");
        }),
        ("OperationParametersContainDuplicateParameter", |d| {
            copy(d, LIMIT, "/paths/~1v1~1models~1{author}/get/parameters/-");
        }),
        ("OperationParametersContainMultipleBodyParameters", |d| {
            copy(d, BODY, "/paths/~1v1~1ask/post/parameters/-");
            set(d, "/paths/~1v1~1ask/post/parameters/1/name", "second");
        }),
        ("ParameterListContainsFormDataAndBody", |d| {
            copy(d, BODY, "/paths/~1v1~1files/post/parameters/-");
            remove(d, "/paths/~1v1~1files/post/parameters/1/schema");
            set(
                d,
                "/paths/~1v1~1files/post/parameters/1/schema",
                json!({"type": "string"}),
            );
        }),
        ("BodyOrFormDataParameterInFetchOperationNotAllowed", |d| {
            copy(d, BODY, "/paths/~1v1~1files~1{file_id}/get/parameters/-");
            let schema = "/paths/~1v1~1files~1{file_id}/get/parameters/1/schema";
            set(d, schema, json!({"type": "string"}));
        }),
        ("BodyParameterSchemaRequired", |d| {
            set(d, "/paths/~1v1~1files/post/parameters", json!([]));
            copy(d, BODY, "/paths/~1v1~1files/post/parameters/-");
            remove(d, "/paths/~1v1~1files/post/parameters/0/schema");
        }),
        ("NonBodyParameterSchemaNotValid", |d| {
            set(d, &format!("{LIMIT}/schema"), json!({"type": "integer"}));
        }),
        ("ParameterLocationNotValid", |d| {
            set(d, &format!("{LIMIT}/in"), "cookie");
        }),
        ("ConnectionIdParameterNotAllowed", |d| {
            set(d, &format!("{LIMIT}/name"), "connectionId");
        }),
        ("ReservedParameterIsUsed", |d| {
            set(d, &format!("{TRACE}/name"), "authorization");
        }),
        ("ReservedParameterIsUsed", |d| {
            set(d, &format!("{TRACE}/name"), "Content-Type");
        }),
        ("CollectionFormatValueNotSupported", |d| {
            set(d, &format!("{TRACE}/type"), "array");
            set(d, &format!("{TRACE}/items"), json!({"type": "string"}));
        }),
        ("InvalidFormDataParameterName", |d| {
            set(d, "/paths/~1v1~1files/post/parameters/0/name", "a\"b");
        }),
        ("MimeTypeNotCompatibleWithRequestContentSchemaType", |d| {
            remove(d, "/paths/~1v1~1files/post/consumes");
        }),
        ("FileParameterMustBeInFormData", |d| {
            set(d, &format!("{TRACE}/type"), "file");
        }),
        ("ParameterReferenceNotFound", |d| {
            set(d, TRACE, json!({"$ref": "#/parameters/Trace"}));
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
