//! Rules about the shape of schemas: types, formats, arrays, required and internal properties.

use serde_json::Value;

use super::super::join;
use super::definition::{Definition, Role, Schema, elements, is_internal, text};
use super::{Report, Rule};

pub(super) const RULES: &[Rule] = &[
    ("JsonTypeIncorrect", json_type_incorrect),
    ("SchemaTypeMissing", schema_type_missing),
    ("SwaggerKeywordNotSupported", swagger_keyword_not_supported),
    ("UnrecognizedTypeFormat", unrecognized_type_format),
    (
        "InvalidStringBinaryProperty",
        invalid_string_binary_property,
    ),
    ("SchemaTypeFileNotValid", schema_type_file_not_valid),
    ("ArrayHasNoItems", array_has_no_items),
    ("RequiredPropertyArrayEmpty", required_property_array_empty),
    (
        "RequiredPropertyNotOnObject",
        required_property_not_on_object,
    ),
    (
        "RequiredPropertyDefinitionMissing",
        required_property_definition_missing,
    ),
    (
        "RequiredReadOnlyPropertyNotAllowedAsInput",
        required_read_only_property_not_allowed_as_input,
    ),
    ("PropertyMustBeRequired", property_must_be_required),
    (
        "InternalPropertyNeedsDefault",
        internal_property_needs_default,
    ),
    (
        "InvalidCustomEditorExtensionDictionaryValue",
        invalid_custom_editor_extension_dictionary_value,
    ),
];

/// Keywords of later JSON Schema drafts and of `OpenAPI` 3.
const LATER_KEYWORDS: [&str; 20] = [
    "oneOf",
    "anyOf",
    "not",
    "nullable",
    "x-nullable",
    "const",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "prefixItems",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "dependentRequired",
    "unevaluatedProperties",
    "writeOnly",
    "deprecated",
    "examples",
];

/// The import fails on a list of types, and Power Fx on a type it does not know.
fn json_type_incorrect(definition: &Definition<'_>, report: &mut Report<'_>) {
    const TYPES: [&str; 7] = [
        "string", "number", "integer", "boolean", "array", "object", "file",
    ];
    for schema in &definition.schemas {
        if let Some(kind) = schema.value.get("type")
            && !TYPES.iter().any(|known| kind == known)
        {
            report.add(
                join(&schema.at, "type"),
                format!("must be one of {TYPES:?}"),
            );
        }
    }
}

/// Ours: a value without a type has no tokens in the designer.
fn schema_type_missing(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in &definition.schemas {
        let speaks = [
            "type",
            "$ref",
            "allOf",
            "schema",
            "x-ms-dynamic-schema",
            "x-ms-dynamic-properties",
        ];
        if !speaks.iter().any(|key| schema.value.get(*key).is_some()) {
            report.add(&schema.at, "has no type");
        }
    }
}

/// The import refuses them; Power Fx hides an action whose body has alternatives; a promise of null
/// is read by nobody.
fn swagger_keyword_not_supported(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in &definition.schemas {
        for key in LATER_KEYWORDS
            .iter()
            .filter(|key| schema.value.get(**key).is_some())
        {
            report.add(join(&schema.at, key), "is not supported");
        }
    }
}

/// Whether another rule already says that a key has no place in a schema.
pub(super) fn is_later_keyword(key: &str) -> bool {
    LATER_KEYWORDS.contains(&key)
}

/// The import refuses unknown formats; Power Fx hides an action with an unknown number.
fn unrecognized_type_format(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in &definition.schemas {
        let Some(format) = schema.value.get("format") else {
            continue;
        };
        let known: &[&str] = match schema.kind() {
            Some("integer") => &["int32", "int64"],
            Some("number") => &["float", "double"],
            Some("string") => &[
                "byte",
                "binary",
                "date",
                "date-time",
                "password",
                "date-no-tz",
                "email",
                "html",
                "uri",
                "uuid",
            ],
            _ => &[],
        };
        if !known.iter().any(|known| format == known) {
            report.add(
                join(&schema.at, "format"),
                format!("{format} is not one of {known:?}"),
            );
        }
    }
}

/// Raw bytes inside JSON arrive broken: use `byte`, which is base64.
fn invalid_string_binary_property(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in &definition.schemas {
        let is_whole = match schema.role {
            Role::Body | Role::Response => true,
            Role::Parameter { .. } => text(schema.value, "in") == "formData",
            _ => false,
        };
        if schema.value["format"] == "binary" && !is_whole {
            report.add(
                &schema.at,
                "raw bytes are a whole body, response or form field only",
            );
        }
    }
}

/// Only a whole answer can be a file.
fn schema_type_file_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in &definition.schemas {
        let elsewhere = matches!(schema.role, Role::Parameter { .. });
        if schema.kind() == Some("file") && !elsewhere && schema.role != Role::Response {
            report.add(&schema.at, "only a whole answer can be a file");
        }
    }
}

/// The designer cannot build a form for a list of nothing known.
fn array_has_no_items(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in &definition.schemas {
        if schema.kind() == Some("array") && schema.value.get("items").is_none() {
            report.add(&schema.at, "has no `items`");
        }
    }
}

/// The import refuses an empty list.
fn required_property_array_empty(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (schema, required) in with_required(definition) {
        if elements(required).next().is_none() {
            report.add(join(&schema.at, "required"), "lists nothing");
        }
    }
}

/// The import refuses the list on anything but an object.
fn required_property_not_on_object(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (schema, _) in with_required(definition) {
        if schema.kind().is_some_and(|kind| kind != "object") {
            report.add(join(&schema.at, "required"), "is for objects only");
        }
    }
}

/// A maker cannot fill in a required property that is not there.
fn required_property_definition_missing(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (schema, required) in with_required(definition) {
        for name in elements(required).filter_map(Value::as_str) {
            let is_object = schema.kind().is_none_or(|kind| kind == "object");
            if is_object && definition.property(schema.value, name).is_none() {
                report.add(
                    join(&schema.at, "required"),
                    format!("`{name}` is no property"),
                );
            }
        }
    }
}

/// Every schema with its `required` list; a parameter's is a flag.
fn with_required<'d, 'a>(
    definition: &'d Definition<'a>,
) -> impl Iterator<Item = (&'d Schema<'a>, &'a Value)> {
    let schemas = definition.schemas.iter();
    let schemas = schemas.filter(|schema| !matches!(schema.role, Role::Parameter { .. }));
    schemas.filter_map(|schema| Some((schema, schema.value.get("required")?)))
}

/// A maker must send it and cannot.
fn required_read_only_property_not_allowed_as_input(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for schema in definition.schemas.iter().filter(|schema| schema.is_input) {
        if schema.is_required() && schema.value["readOnly"] == true {
            report.add(&schema.at, "is required and read-only");
        }
    }
}

/// An internal value with a default that is not required is never sent.
fn property_must_be_required(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in internal_inputs(definition) {
        if !schema.is_required() && schema.value.get("default").is_some() {
            report.add(
                &schema.at,
                "is internal with a default, and so must be required",
            );
        }
    }
}

/// Ours: nobody can fill in an internal value; Power Fx leaves a required one out of the request. A
/// notification URL is filled in by the platform, an object by its properties.
fn internal_property_needs_default(definition: &Definition<'_>, report: &mut Report<'_>) {
    for schema in internal_inputs(definition) {
        let is_filled = ["default", "x-ms-notification-url", "properties", "$ref"]
            .iter()
            .any(|key| schema.value.get(*key).is_some());
        if schema.is_required() && !is_filled {
            report.add(
                &schema.at,
                "is internal and required, and so needs a default",
            );
        }
    }
}

fn internal_inputs<'d, 'a>(definition: &'d Definition<'a>) -> impl Iterator<Item = &'d Schema<'a>> {
    let schemas = definition.schemas.iter();
    schemas.filter(|each| each.is_input && each.is_labelled() && is_internal(each.value))
}

/// The key and value editor writes an object of any keys, and nothing else.
fn invalid_custom_editor_extension_dictionary_value(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for schema in &definition.schemas {
        let additional = schema.value.get("additionalProperties");
        let is_map = additional.is_some_and(|additional| additional != false);
        let is_map = is_map && schema.kind() == Some("object");
        if text(schema.value, "x-ms-editor") == "dictionary" && !is_map {
            let message = "needs an object with `additionalProperties`";
            report.add(join(&schema.at, "x-ms-editor"), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Broken, check, remove, set};
    use super::RULES;

    const PROMPT: &str = "/definitions/AskRequest/properties/prompt";

    const BROKEN: &[Broken] = &[
        ("JsonTypeIncorrect", |d| {
            set(d, &format!("{PROMPT}/type"), json!(["string", "null"]));
        }),
        ("JsonTypeIncorrect", |d| {
            set(d, &format!("{PROMPT}/type"), "text");
        }),
        ("SchemaTypeMissing", |d| {
            remove(d, &format!("{PROMPT}/type"));
        }),
        ("SwaggerKeywordNotSupported", |d| {
            set(d, &format!("{PROMPT}/oneOf"), json!([{"type": "string"}]));
        }),
        ("SwaggerKeywordNotSupported", |d| {
            set(d, &format!("{PROMPT}/nullable"), true);
        }),
        ("SwaggerKeywordNotSupported", |d| {
            set(d, &format!("{PROMPT}/deprecated"), true);
        }),
        ("UnrecognizedTypeFormat", |d| {
            set(d, &format!("{PROMPT}/format"), "uint32");
        }),
        ("InvalidStringBinaryProperty", |d| {
            set(d, &format!("{PROMPT}/format"), "binary");
        }),
        ("SchemaTypeFileNotValid", |d| {
            set(d, &format!("{PROMPT}/type"), "file");
        }),
        ("ArrayHasNoItems", |d| {
            remove(d, "/definitions/AskRequest/properties/files/items");
        }),
        ("RequiredPropertyArrayEmpty", |d| {
            set(d, "/definitions/Job/required", json!([]));
        }),
        ("RequiredPropertyNotOnObject", |d| {
            set(d, &format!("{PROMPT}/required"), json!(["model"]));
        }),
        ("RequiredPropertyDefinitionMissing", |d| {
            set(d, "/definitions/Job/required", json!(["id"]));
        }),
        ("RequiredReadOnlyPropertyNotAllowedAsInput", |d| {
            set(d, &format!("{PROMPT}/readOnly"), true);
        }),
        ("PropertyMustBeRequired", |d| {
            set(
                d,
                "/definitions/AskRequest/required",
                json!(["model", "prompt"]),
            );
        }),
        ("PropertyMustBeRequired", |d| {
            let limit = "/paths/~1v1~1models~1{author}/get/parameters/1";
            set(d, &format!("{limit}/x-ms-visibility"), "internal");
        }),
        ("InternalPropertyNeedsDefault", |d| {
            remove(d, "/definitions/AskRequest/properties/version/default");
        }),
        ("InvalidCustomEditorExtensionDictionaryValue", |d| {
            remove(
                d,
                "/definitions/AskRequest/properties/bias/additionalProperties",
            );
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
