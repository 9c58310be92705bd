//! Rules about the values a schema allows: defaults, enums, bounds.

use serde_json::Value;

use super::super::join;
use super::definition::{Definition, Schema, elements, every_object};
use super::{Report, Rule};

pub(super) const RULES: &[Rule] = &[
    ("DefaultValueMustMatchType", default_value_must_match_type),
    ("DefaultValueMustBeInEnum", default_value_must_be_in_enum),
    ("InvalidEnumValue", invalid_enum_value),
    (
        "EnumMustContainAtLeastOneElement",
        enum_must_contain_at_least_one_element,
    ),
    ("ArrayDuplicateValue", array_duplicate_value),
    (
        "InvalidEnumValuesExtensionValue",
        invalid_enum_values_extension_value,
    ),
    (
        "DuplicateEnumValuesInExtension",
        duplicate_enum_values_in_extension,
    ),
    (
        "MissingEnumValuesDisplayName",
        missing_enum_values_display_name,
    ),
    (
        "ExclusiveMinimumRequiresMinimum",
        exclusive_minimum_requires_minimum,
    ),
    (
        "ExclusiveMaximumRequiresMaximum",
        exclusive_maximum_requires_maximum,
    ),
    (
        "MinimumShouldBeLessThanOrEqualToMaximum",
        minimum_should_be_less_than_or_equal_to_maximum,
    ),
    (
        "MinLengthShouldBeLessThanOrEqualToMaxLength",
        min_length_should_be_less_than_or_equal_to_max_length,
    ),
    (
        "MinItemsShouldBeLessThanOrEqualToMaxItems",
        min_items_should_be_less_than_or_equal_to_max_items,
    ),
    (
        "MultipleOfMustBeGreaterThanZero",
        multiple_of_must_be_greater_than_zero,
    ),
];

/// Whether a value is of a type; `1.0` is an integer, as JSON has it.
fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

/// The designer fills in the default as it stands, and the call fails on its type.
fn default_value_must_match_type(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (schema, default) in having(definition, "default") {
        if schema.kind().is_some_and(|kind| !is_of(default, kind)) {
            report.add(join(&schema.at, "default"), "is of another type");
        }
    }
}

/// Ours: the designer fills in a value that the service refuses.
fn default_value_must_be_in_enum(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (schema, default) in having(definition, "default") {
        if let Some(Value::Array(allowed)) = schema.value.get("enum")
            && !allowed.contains(default)
        {
            report.add(join(&schema.at, "default"), "is not in `enum`");
        }
    }
}

/// The choice would be sent with another type than declared.
fn invalid_enum_value(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (schema, values) in having(definition, "enum") {
        let kind = schema.kind().unwrap_or_default();
        if !elements(values).all(|value| is_of(value, kind)) {
            report.add(
                join(&schema.at, "enum"),
                format!("holds a value that is no {kind}"),
            );
        }
    }
}

/// A choice of nothing cannot be made.
fn enum_must_contain_at_least_one_element(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (schema, values) in having(definition, "enum") {
        if elements(values).next().is_none() {
            report.add(join(&schema.at, "enum"), "is empty");
        }
    }
}

/// The import refuses lists that name a thing twice.
fn array_duplicate_value(definition: &Definition<'_>, report: &mut Report<'_>) {
    const LISTS: [&str; 6] = [
        "enum", "required", "consumes", "produces", "schemes", "tags",
    ];
    every_object(definition.root, "", &mut |at, object| {
        for key in LISTS {
            let values: Vec<_> = object.get(key).into_iter().flat_map(elements).collect();
            let mut rest = values.iter().enumerate();
            // Described tags that repeat a name are another rule's.
            if rest.any(|(index, value)| value.is_string() && values[..index].contains(value)) {
                report.add(join(at, key), "names a value twice");
            }
        }
    });
}

/// A label for a value that cannot be chosen is not shown.
fn invalid_enum_values_extension_value(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (schema, labels) in having(definition, "x-ms-enum-values") {
        for value in elements(labels).map(|label| &label["value"]) {
            if !elements(&schema.value["enum"]).any(|allowed| allowed == value) {
                let message = format!("{value} is not in `enum`");
                report.add(join(&schema.at, "x-ms-enum-values"), message);
            }
        }
    }
}

/// A value has one label.
fn duplicate_enum_values_in_extension(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (schema, labels) in having(definition, "x-ms-enum-values") {
        let values: Vec<_> = elements(labels).map(|label| &label["value"]).collect();
        for (index, value) in values.iter().enumerate() {
            if values[..index].contains(value) {
                let message = format!("{value} has two labels");
                report.add(join(&schema.at, "x-ms-enum-values"), message);
            }
        }
    }
}

/// A value without its label is shown as it is written in code.
fn missing_enum_values_display_name(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (schema, labels) in having(definition, "x-ms-enum-values") {
        if elements(labels).any(|label| !label["displayName"].is_string()) {
            let message = "an entry has no `displayName`";
            report.add(join(&schema.at, "x-ms-enum-values"), message);
        }
    }
}

/// The flag says nothing without its bound; a number here is `OpenAPI` 3.1.
fn exclusive_minimum_requires_minimum(definition: &Definition<'_>, report: &mut Report<'_>) {
    exclusive(definition, "exclusiveMinimum", "minimum", report);
}

/// The flag says nothing without its bound; a number here is `OpenAPI` 3.1.
fn exclusive_maximum_requires_maximum(definition: &Definition<'_>, report: &mut Report<'_>) {
    exclusive(definition, "exclusiveMaximum", "maximum", report);
}

fn exclusive(definition: &Definition<'_>, flag: &str, bound: &str, report: &mut Report<'_>) {
    for (schema, value) in having(definition, flag) {
        if !value.is_boolean() || schema.value.get(bound).is_none() {
            report.add(
                join(&schema.at, flag),
                format!("must be a flag beside `{bound}`"),
            );
        }
    }
}

/// No number is in an empty range.
fn minimum_should_be_less_than_or_equal_to_maximum(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    ordered(definition, "minimum", "maximum", report);
}

/// No text is in an empty range.
fn min_length_should_be_less_than_or_equal_to_max_length(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    ordered(definition, "minLength", "maxLength", report);
}

/// No list is in an empty range.
fn min_items_should_be_less_than_or_equal_to_max_items(
    definition: &Definition<'_>,
    report: &mut Report<'_>,
) {
    ordered(definition, "minItems", "maxItems", report);
}

fn ordered(definition: &Definition<'_>, least: &str, most: &str, report: &mut Report<'_>) {
    for (schema, least_value) in having(definition, least) {
        let most_value = schema.value.get(most).and_then(Value::as_f64);
        let both = least_value.as_f64().zip(most_value);
        if both.is_some_and(|(least, most)| least > most) {
            report.add(join(&schema.at, least), format!("is more than `{most}`"));
        }
    }
}

/// Nothing is a multiple of zero.
fn multiple_of_must_be_greater_than_zero(definition: &Definition<'_>, report: &mut Report<'_>) {
    for (schema, factor) in having(definition, "multipleOf") {
        if factor.as_f64().is_none_or(|factor| factor <= 0.0) {
            report.add(join(&schema.at, "multipleOf"), "must be more than zero");
        }
    }
}

/// Every schema that has the key, with its value.
fn having<'d, 'a>(
    definition: &'d Definition<'a>,
    key: &'d str,
) -> impl Iterator<Item = (&'d Schema<'a>, &'a Value)> {
    let schemas = definition.schemas.iter();
    schemas.filter_map(move |schema| Some((schema, schema.value.get(key)?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{Broken, check, copy, remove, set};
    use super::RULES;

    const FORMAT: &str = "/definitions/AskRequest/properties/format";
    const PROMPT: &str = "/definitions/AskRequest/properties/prompt";

    const BROKEN: &[Broken] = &[
        ("DefaultValueMustMatchType", |d| {
            set(d, "/definitions/AskRequest/properties/version/default", "1");
        }),
        ("DefaultValueMustBeInEnum", |d| {
            set(d, &format!("{FORMAT}/default"), "xml");
        }),
        ("InvalidEnumValue", |d| {
            set(d, &format!("{FORMAT}/enum/-"), 1);
        }),
        ("EnumMustContainAtLeastOneElement", |d| {
            set(d, &format!("{PROMPT}/enum"), json!([]));
        }),
        ("ArrayDuplicateValue", |d| {
            set(d, &format!("{FORMAT}/enum/-"), "text");
        }),
        ("InvalidEnumValuesExtensionValue", |d| {
            set(d, &format!("{FORMAT}/x-ms-enum-values/0/value"), "xml");
        }),
        ("DuplicateEnumValuesInExtension", |d| {
            let labels = format!("{FORMAT}/x-ms-enum-values");
            copy(d, &format!("{labels}/0"), &format!("{labels}/-"));
        }),
        ("MissingEnumValuesDisplayName", |d| {
            remove(d, &format!("{FORMAT}/x-ms-enum-values/0/displayName"));
        }),
        ("ExclusiveMinimumRequiresMinimum", |d| {
            set(d, &format!("{PROMPT}/exclusiveMinimum"), true);
        }),
        ("ExclusiveMinimumRequiresMinimum", |d| {
            set(
                d,
                "/definitions/AskRequest/properties/temperature/exclusiveMinimum",
                0,
            );
        }),
        ("ExclusiveMaximumRequiresMaximum", |d| {
            set(d, &format!("{PROMPT}/exclusiveMaximum"), true);
        }),
        ("MinimumShouldBeLessThanOrEqualToMaximum", |d| {
            set(
                d,
                "/definitions/AskRequest/properties/temperature/minimum",
                3,
            );
        }),
        ("MinLengthShouldBeLessThanOrEqualToMaxLength", |d| {
            set(d, "/definitions/AskRequest/properties/search/minLength", 41);
        }),
        ("MinItemsShouldBeLessThanOrEqualToMaxItems", |d| {
            set(d, "/definitions/AskRequest/properties/files/minItems", 5);
        }),
        ("MultipleOfMustBeGreaterThanZero", |d| {
            set(
                d,
                "/definitions/AskRequest/properties/temperature/multipleOf",
                0,
            );
        }),
    ];

    #[test]
    fn each_rule_fires_on_its_broken_sample() {
        check(RULES, BROKEN);
    }
}
