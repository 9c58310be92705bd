//! Rules about values and schemas that an operation supplies while the maker designs.
//!
//! Each comes in two forms, which are both written: `x-ms-dynamic-values` and `-schema` for older
//! hosts, `x-ms-dynamic-list` and `-properties` for newer ones, which alone can refer to a property
//! inside the body (`OpenAPI` extensions page, learn.microsoft.com/connectors/custom-connectors).

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::join;
use super::definition::{Definition, elements, is_internal, members, text};
use super::{Report, Rule};

mod calls;

use calls::{
    LIST, PROPERTIES, SCHEMA, VALUES, answer, array_path, both, calls, calls_to, each_reference,
    find, follow, refers_into_body, same_parameters, without,
};

pub(super) const RULES: &[Rule] = &[
    ("OperationIdNotFound", operation_id_not_found),
    (
        "OperationMissingRequiredProperty",
        operation_missing_required_property,
    ),
    (
        "OperationParameterNameNotFound",
        operation_parameter_name_not_found,
    ),
    (
        "InvokedOperationShouldProduceArray",
        invoked_operation_should_produce_array,
    ),
    (
        "InvokedOperationShouldProduceProperty",
        invoked_operation_should_produce_property,
    ),
    (
        "DynamicListExtensionRequiredForNonParameterReferences",
        dynamic_list_extension_required_for_non_parameter_references,
    ),
    (
        "DynamicListExtensionMissing",
        dynamic_list_extension_missing,
    ),
    (
        "DynamicValuesExtensionMissing",
        dynamic_values_extension_missing,
    ),
    ("DynamicListNotMirrored", dynamic_list_not_mirrored),
    (
        "DynamicPropertiesExtensionRequiredForPropertiesValuePath",
        dynamic_properties_extension_required_for_properties_value_path,
    ),
    (
        "DynamicSchemaExtensionMissing",
        dynamic_schema_extension_missing,
    ),
    (
        "DynamicPropertiesItemValuePathMismatch",
        dynamic_properties_item_value_path_mismatch,
    ),
    (
        "DynamicPropertiesNotMirrored",
        dynamic_properties_not_mirrored,
    ),
    ("DynamicParameterNotValid", dynamic_parameter_not_valid),
    ("DynamicReferenceNotFound", dynamic_reference_not_found),
    ("SourcePropertyInternal", source_property_internal),
    (
        "DynamicExtensionDefinitionNotAllowedInParameter",
        dynamic_extension_definition_not_allowed_in_parameter,
    ),
];

/// The dropdown stays empty.
fn operation_id_not_found(definition: &Definition<'_>, report: &mut Report<'_>) {
    for call in calls(definition) {
        let elsewhere = ["builtInOperation", "capability"];
        let elsewhere = elsewhere.iter().any(|key| call.value.get(*key).is_some());
        if !elsewhere && call.target(definition).is_none() {
            report.add(call.at, "calls an operation that is not here");
        }
    }
    let test = definition.root["x-ms-capabilities"].get("testConnection");
    if test.is_some_and(|test| definition.operation(text(test, "operationId")).is_none()) {
        report.add(
            "/x-ms-capabilities/testConnection",
            "calls an operation that is not here",
        );
    }
}

/// The call fails, and the dropdown stays empty.
fn operation_missing_required_property(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (call, target) in calls_to(definition) {
        let sent: BTreeSet<&str> = call.parameters().map(|(name, _)| name).collect();
        for parameter in definition.parameters_of(target) {
            let name = parameter.name();
            let is_needed = parameter.value["required"] == true && parameter.location() != "body";
            if is_needed && !sent.contains(name) {
                report.add(&call.at, format!("does not send the required `{name}`"));
            }
            let body = definition.resolve(&parameter.value["schema"]);
            for name in elements(&body["required"]).filter_map(Value::as_str) {
                let path = format!("{}/{name}", parameter.name());
                if !sent.contains(name) && !sent.contains(path.as_str()) {
                    report.add(&call.at, format!("does not send the required `{path}`"));
                }
            }
        }
    }
}

/// What is sent under a name that the operation does not know is lost.
fn operation_parameter_name_not_found(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (call, target) in calls_to(definition) {
        for (name, _) in call.parameters() {
            if find(definition, target, name).is_none() {
                report.add(
                    &call.at,
                    format!("sends `{name}`, which is no parameter there"),
                );
            }
        }
    }
}

/// The dropdown stays empty.
fn invoked_operation_should_produce_array(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (call, target) in calls_to(definition) {
        if let Some(path) = array_path(&call) {
            let answer = answer(definition, target, path);
            if answer.is_none_or(|answer| answer["type"] != "array") {
                report.add(
                    &call.at,
                    format!("finds no array at `{path}` in the answer"),
                );
            }
        }
    }
}

/// The dropdown has lines without text or value, the dynamic schema is empty.
fn invoked_operation_should_produce_property(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (call, target) in calls_to(definition) {
        let (from, paths): (_, &[&str]) = match call.kind {
            VALUES => (array_path(&call), &["value-path", "value-title"]),
            LIST => (array_path(&call), &["itemValuePath", "itemTitlePath"]),
            SCHEMA => (None, &["value-path"]),
            _ => (None, &["itemValuePath"]),
        };
        let answer = answer(definition, target, from.unwrap_or_default());
        let item = answer.map(|answer| match from {
            Some(_) => answer.get("items").unwrap_or(&Value::Null),
            None => answer,
        });
        for key in paths {
            let path = text(call.value, key);
            // Without a title the value is shown.
            let is_optional = key.ends_with("itle") || key.ends_with("TitlePath");
            let is_missing = match call.value.get(*key) {
                None => !is_optional,
                Some(_) => item
                    .and_then(|item| follow(definition, item, path))
                    .is_none(),
            };
            if is_missing && item.is_some() {
                report.add(
                    &call.at,
                    format!("finds nothing at {key} `{path}` in the answer"),
                );
            }
        }
    }
}

/// Only the newer form can refer to a property inside the body.
fn dynamic_list_extension_required_for_non_parameter_references(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for call in without(definition, VALUES, LIST) {
        if refers_into_body(&call) {
            report.add(
                call.at,
                "refers into the body, and so needs `x-ms-dynamic-list`",
            );
        }
    }
}

/// Ours: newer hosts read the newer form only.
fn dynamic_list_extension_missing(definition: &Definition<'_>, report: &mut Report<'_>) {
    for call in without(definition, VALUES, LIST) {
        if !refers_into_body(&call) {
            report.add(call.at, "has no `x-ms-dynamic-list` beside it");
        }
    }
}

/// Ours: older hosts read the older form only.
fn dynamic_values_extension_missing(definition: &Definition<'_>, report: &mut Report<'_>) {
    for call in without(definition, LIST, VALUES) {
        report.add(call.at, "has no `x-ms-dynamic-values` beside it");
    }
}

/// The older form points at the properties of a schema only, the newer at the schema.
fn dynamic_properties_extension_required_for_properties_value_path(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for call in without(definition, SCHEMA, PROPERTIES) {
        report.add(call.at, "has no `x-ms-dynamic-properties` beside it");
    }
}

/// Ours: older hosts read the older form only.
fn dynamic_schema_extension_missing(definition: &Definition<'_>, report: &mut Report<'_>) {
    for call in without(definition, PROPERTIES, SCHEMA) {
        report.add(call.at, "has no `x-ms-dynamic-schema` beside it");
    }
}

/// Ours: two hosts would show two different lists.
fn dynamic_list_not_mirrored(definition: &Definition<'_>, report: &mut Report<'_>) {
    const KEYS: [(&str, &str); 4] = [
        ("operationId", "operationId"),
        ("value-collection", "itemsPath"),
        ("value-path", "itemValuePath"),
        ("value-title", "itemTitlePath"),
    ];
    for (old, new) in both(definition, VALUES, LIST) {
        let differ = |(one, other): (&str, &str)| old.value.get(one) != new.value.get(other);
        if KEYS.into_iter().any(differ) || !same_parameters(&old, &new) {
            report.add(new.at, "says something else than `x-ms-dynamic-values`");
        }
    }
}

/// Ours: two hosts would ask for two different schemas.
fn dynamic_properties_not_mirrored(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (old, new) in both(definition, SCHEMA, PROPERTIES) {
        let same = old.value.get("operationId") == new.value.get("operationId");
        if !same || !same_parameters(&old, &new) {
            report.add(new.at, "says something else than `x-ms-dynamic-schema`");
        }
    }
}

/// The older path ends at `properties`, the newer one step before.
fn dynamic_properties_item_value_path_mismatch(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for (old, new) in both(definition, SCHEMA, PROPERTIES) {
        let path = text(old.value, "value-path");
        let path = path.strip_suffix("properties").unwrap_or(path);
        if path.trim_end_matches('/') != text(new.value, "itemValuePath") {
            report.add(
                new.at,
                "must have the path of `x-ms-dynamic-schema` as `itemValuePath`",
            );
        }
    }
}

/// Ours: the newer form takes an object with exactly one of `value` and `parameterReference`, and
/// anything else is refused by the stored schema.
fn dynamic_parameter_not_valid(definition: &Definition<'_>, report: &mut Report<'_>) {
    for call in calls(definition).filter(|call| matches!(call.kind, LIST | PROPERTIES)) {
        for (name, sent) in call.value.get("parameters").into_iter().flat_map(members) {
            let keys: Vec<&str> = members(sent).map(|(key, _)| key).collect();
            if !matches!(keys.as_slice(), ["value" | "parameterReference"]) {
                let at = join(&join(&call.at, "parameters"), name);
                report.add(at, "must hold either `value` or `parameterReference`");
            }
        }
    }
}

/// Ours: the call is made without the value, for ever.
fn dynamic_reference_not_found(definition: &Definition<'_>, report: &mut Report<'_>) {
    each_reference(definition, &mut |call, reference, found| {
        if found.is_none() {
            report.add(
                &call.at,
                format!("refers to `{reference}`, which is not there"),
            );
        }
    });
}

/// A maker cannot fill in what the call refers to: write a literal instead.
fn source_property_internal(definition: &Definition<'_>, report: &mut Report<'_>) {
    each_reference(definition, &mut |call, reference, found| {
        if found.into_iter().flatten().any(is_internal) {
            report.add(&call.at, format!("refers to the internal `{reference}`"));
        }
    });
}

/// The designer looks for them in the schema, and never here.
fn dynamic_extension_definition_not_allowed_in_parameter(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    for parameter in definition
        .parameters
        .iter()
        .filter(|each| each.location() == "body")
    {
        for kind in [VALUES, LIST, SCHEMA, PROPERTIES] {
            if parameter.value.get(kind).is_some() {
                report.add(join(&parameter.at, kind), "belongs in the body's schema");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Broken, check, copy, remove, set};
    use super::RULES;

    const MODEL: &str = "/definitions/AskRequest/properties/model";
    const ANSWER: &str = "/paths/~1v1~1ask/post/responses/200/schema";

    const BROKEN: &[Broken] = &[
        ("OperationIdNotFound", |d| {
            set(
                d,
                &format!("{MODEL}/x-ms-dynamic-values/operationId"),
                "ListNothing",
            );
            set(
                d,
                &format!("{MODEL}/x-ms-dynamic-list/operationId"),
                "ListNothing",
            );
        }),
        ("OperationIdNotFound", |d| {
            set(
                d,
                "/x-ms-capabilities/testConnection/operationId",
                "TestNothing",
            );
        }),
        ("OperationMissingRequiredProperty", |d| {
            remove(d, &format!("{MODEL}/x-ms-dynamic-values/parameters/kind"));
            remove(d, &format!("{MODEL}/x-ms-dynamic-list/parameters/kind"));
        }),
        ("OperationParameterNameNotFound", |d| {
            set(
                d,
                &format!("{MODEL}/x-ms-dynamic-values/parameters/page"),
                1,
            );
            set(
                d,
                &format!("{MODEL}/x-ms-dynamic-list/parameters/page"),
                json!({"value": 1}),
            );
        }),
        ("InvokedOperationShouldProduceArray", |d| {
            set(
                d,
                &format!("{MODEL}/x-ms-dynamic-values/value-collection"),
                "value",
            );
            set(d, &format!("{MODEL}/x-ms-dynamic-list/itemsPath"), "value");
        }),
        ("InvokedOperationShouldProduceProperty", |d| {
            set(
                d,
                &format!("{MODEL}/x-ms-dynamic-values/value-title"),
                "title",
            );
            set(
                d,
                &format!("{MODEL}/x-ms-dynamic-list/itemTitlePath"),
                "title",
            );
        }),
        ("InvokedOperationShouldProduceProperty", |d| {
            remove(d, &format!("{MODEL}/x-ms-dynamic-values/value-path"));
            remove(d, &format!("{MODEL}/x-ms-dynamic-list/itemValuePath"));
        }),
        ("InvokedOperationShouldProduceProperty", |d| {
            set(
                d,
                &format!("{ANSWER}/x-ms-dynamic-schema/value-path"),
                "form/properties",
            );
            set(
                d,
                &format!("{ANSWER}/x-ms-dynamic-properties/itemValuePath"),
                "form",
            );
        }),
        (
            "DynamicListExtensionRequiredForNonParameterReferences",
            |d| {
                let search = format!("{MODEL}/x-ms-dynamic-values/parameters/search/parameter");
                set(d, &search, "body/search");
                remove(d, &format!("{MODEL}/x-ms-dynamic-list"));
            },
        ),
        ("DynamicListExtensionMissing", |d| {
            remove(d, &format!("{MODEL}/x-ms-dynamic-list"));
        }),
        ("DynamicValuesExtensionMissing", |d| {
            remove(d, &format!("{MODEL}/x-ms-dynamic-values"));
        }),
        ("DynamicListNotMirrored", |d| {
            set(d, &format!("{MODEL}/x-ms-dynamic-list/itemTitlePath"), "id");
        }),
        ("DynamicListNotMirrored", |d| {
            remove(d, &format!("{MODEL}/x-ms-dynamic-list/parameters/search"));
        }),
        (
            "DynamicPropertiesExtensionRequiredForPropertiesValuePath",
            |d| {
                remove(d, &format!("{ANSWER}/x-ms-dynamic-properties"));
            },
        ),
        ("DynamicSchemaExtensionMissing", |d| {
            remove(d, &format!("{ANSWER}/x-ms-dynamic-schema"));
        }),
        ("DynamicPropertiesItemValuePathMismatch", |d| {
            set(
                d,
                &format!("{ANSWER}/x-ms-dynamic-properties/itemValuePath"),
                "schema/properties",
            );
        }),
        ("DynamicPropertiesNotMirrored", |d| {
            set(
                d,
                &format!("{ANSWER}/x-ms-dynamic-schema/parameters"),
                json!({}),
            );
        }),
        ("DynamicParameterNotValid", |d| {
            set(
                d,
                &format!("{MODEL}/x-ms-dynamic-list/parameters/kind"),
                "text",
            );
        }),
        ("DynamicReferenceNotFound", |d| {
            remove(d, "/definitions/AskRequest/properties/search");
        }),
        ("SourcePropertyInternal", |d| {
            set(
                d,
                "/definitions/AskRequest/properties/search/x-ms-visibility",
                "internal",
            );
        }),
        ("DynamicExtensionDefinitionNotAllowedInParameter", |d| {
            let body = "/paths/~1v1~1ask/post/parameters/0";
            let dynamic = format!("{MODEL}/x-ms-dynamic-list");
            copy(d, &dynamic, &format!("{body}/x-ms-dynamic-list"));
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
