//! The deliberate changes to single keywords of a schema, one function each.

use serde_json::{Number, Value};

use super::super::LowerError;
use super::super::fields::{Fields, Object};
use super::Place;

/// How the keys of a lowered schema are ordered; extensions follow as they came.
const KEY_ORDER: [&str; 23] = [
    "type",
    "format",
    "title",
    "description",
    "enum",
    "default",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "required",
    "properties",
    "additionalProperties",
    "minProperties",
    "maxProperties",
];

/// What Microsoft's reader knows as a string's format ("Swagger Validator rules",
/// learn.microsoft.com/connectors/custom-connectors, `UnrecognizedTypeFormat`).
const STRING_FORMATS: [&str; 10] = [
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
];

/// Keys that describe a value without constraining it: they may stand beside a reference, where
/// they win over what the referenced schema says.
pub(super) const ANNOTATIONS: [&str; 6] = [
    "title",
    "description",
    "default",
    "readOnly",
    "example",
    "examples",
];

/// Brings the same keys into the same order, however the schema was put together.
pub(super) fn in_order(lowered: Object) -> Object {
    let mut members: Vec<_> = lowered.into_iter().collect();
    members.sort_by_key(|(key, _)| {
        let place = KEY_ORDER.iter().position(|name| name == key);
        place.unwrap_or(KEY_ORDER.len())
    });
    members.into_iter().collect()
}

/// Puts the texts, the default and the extensions in `fields` over what `lowered` has of them.
/// Anything else that is left is refused.
pub(super) fn annotate(mut lowered: Object, mut fields: Fields<'_>) -> Result<Object, LowerError> {
    if lowered.contains_key("type") && fields.get("default") == Some(&Value::Null) {
        return Err(LowerError::new(
            fields.at_key("default"),
            "null is no value of this type",
        ));
    }
    single_example(&mut fields)?.map(|example| lowered.insert("example".into(), example));
    fields.carry(
        &["title", "description", "default", "readOnly"],
        &mut lowered,
    );
    fields.carry_extensions(&mut lowered);
    fields.finish()?;
    Ok(lowered)
}

/// The contract of this service: null in an input means absent, and null never appears in an
/// answer. So a nullable value is the plain value, its null is taken out of `enum` and `default`,
/// and its property is not required. Power Automate fails an action on a null it was not promised,
/// and Swagger 2.0 has no way to promise one.
pub(super) fn null_means_absent(
    fields: &mut Fields<'_>,
    nullable: bool,
    lowered: &mut Object,
) -> Result<(), LowerError> {
    if nullable && fields.get("default") == Some(&Value::Null) {
        fields.take("default");
    }
    if fields.get("enum").is_none() {
        return Ok(());
    }
    let values = fields.take_array("enum")?.iter();
    let values = values.filter(|value| !(nullable && value.is_null()));
    let values: Vec<Value> = values.cloned().collect();
    lowered.insert("enum".into(), values.into());
    Ok(())
}

/// `required` without the names in `optional`; the platform refuses an empty list.
pub(super) fn required_without(
    optional: &[&str],
    fields: &mut Fields<'_>,
    lowered: &mut Object,
) -> Result<(), LowerError> {
    let at = fields.at_key("required");
    let mut names = Vec::new();
    for name in fields.take_array("required")? {
        match name.as_str() {
            Some(text) if !optional.contains(&text) => names.push(name.clone()),
            Some(_) => {}
            None => return Err(LowerError::new(at, "`required` lists property names")),
        }
    }
    if !names.is_empty() {
        lowered.insert("required".into(), names.into());
    }
    Ok(())
}

/// `const` is an enum of one value: Swagger 2.0 has only the latter.
pub(super) fn one_value_enum(
    fields: &mut Fields<'_>,
    lowered: &mut Object,
) -> Result<(), LowerError> {
    let at = fields.at_key("const");
    let Some(value) = fields.take("const") else {
        return Ok(());
    };
    if value.is_null() || fields.get("enum").is_some() {
        let message = "`const` is one value that is not null, and stands without `enum`";
        return Err(LowerError::new(at, message));
    }
    lowered.insert("enum".into(), vec![value.clone()].into());
    Ok(())
}

/// `contentEncoding: base64` is `format: byte`. The media type of what is encoded has no place in
/// Swagger 2.0 and goes with it: the reader needs to know only that the text is base64.
pub(super) fn base64_text(
    fields: &mut Fields<'_>,
    kind: Option<&str>,
    place: Place,
    lowered: &mut Object,
) -> Result<(), LowerError> {
    let at = fields.at_key("contentEncoding");
    let media_at = fields.at_key("contentMediaType");
    let encoding = fields.take_text("contentEncoding")?;
    let media = fields.take_text("contentMediaType")?;
    let format = match (encoding, media) {
        (None, None) => return Ok(()),
        (Some("base64"), _) if kind == Some("string") => "byte",
        (None, Some(_)) if kind == Some("string") && place == Place::Whole => "binary",
        (None, Some(_)) => {
            let message = "raw bytes are a whole body only: add `contentEncoding: base64`";
            return Err(LowerError::new(media_at, message));
        }
        (Some(_), _) => {
            let message = "only a string that is base64 can be said";
            return Err(LowerError::new(at, message));
        }
    };
    lowered.insert("format".into(), format.into());
    Ok(())
}

/// Carries a format that Microsoft's list has for the type. Power Fx hides the whole action when
/// it meets a number's format that it does not know, such as `uint32`.
pub(super) fn number_or_string_format(
    fields: &mut Fields<'_>,
    kind: Option<&str>,
    place: Place,
    lowered: &mut Object,
) -> Result<(), LowerError> {
    let at = fields.at_key("format");
    let Some(format) = fields.take_text("format")? else {
        return Ok(());
    };
    if lowered.get("format").is_some_and(|found| found != format) {
        let message = format!("`{format}` contradicts the content encoding");
        return Err(LowerError::new(at, message));
    }
    let known = match kind {
        Some("string") => STRING_FORMATS.contains(&format),
        Some("integer") => ["int32", "int64"].contains(&format),
        Some("number") => ["float", "double"].contains(&format),
        _ => false,
    };
    if !known {
        let kind = kind.unwrap_or("a value without type");
        let message = format!("Power Platform knows no format `{format}` of {kind}");
        return Err(LowerError::new(at, message));
    }
    if format == "binary" && place == Place::Inside {
        let message = "raw bytes are a whole body only: use `byte` (base64) inside an object";
        return Err(LowerError::new(at, message));
    }
    lowered.insert("format".into(), format.into());
    Ok(())
}

/// 3.1 gives an exclusive bound as a number of its own, 2.0 as a flag beside the bound. With both
/// bounds given, the tighter one says everything.
pub(super) fn exclusive_bound(
    fields: &mut Fields<'_>,
    exclusive: &str,
    inclusive: &str,
    lowered: &mut Object,
) -> Result<(), LowerError> {
    let at = fields.at_key(exclusive);
    let Some(bound) = fields.take(exclusive) else {
        return Ok(());
    };
    let Some(number) = bound.as_number().and_then(Number::as_f64) else {
        return Err(LowerError::new(at, "an exclusive bound is a number in 3.1"));
    };
    let looser = |given: f64| {
        if inclusive == "minimum" {
            given <= number
        } else {
            given >= number
        }
    };
    let given = lowered.get(inclusive).and_then(Value::as_f64);
    if given.is_none_or(looser) {
        lowered.insert(inclusive.into(), bound.clone());
        lowered.insert(exclusive.into(), true.into());
    }
    Ok(())
}

/// `examples: [x]` is `example: x`. More than one has no place in Swagger 2.0.
pub(super) fn single_example(fields: &mut Fields<'_>) -> Result<Option<Value>, LowerError> {
    let at = fields.at_key("examples");
    let single = fields.take("example");
    let Some(several) = fields.take("examples") else {
        return Ok(single.cloned());
    };
    match (single, several.as_array().map(Vec::as_slice)) {
        (None, Some([example])) => Ok(Some(example.clone())),
        _ => Err(LowerError::new(at, "exactly one example can be said")),
    }
}

/// utoipa writes `propertyNames: {type: string}` beside a map's `additionalProperties`, and moves
/// the map's extensions onto it. Keys of a JSON object are strings anyway, so that says nothing;
/// any constraint on the names is refused.
pub(super) fn property_names_are_strings(fields: &mut Fields<'_>) -> Result<(), LowerError> {
    let at = fields.at_key("propertyNames");
    let Some(names) = fields.take("propertyNames") else {
        return Ok(());
    };
    let mut names = Fields::of(names, &at)?;
    names.carry_extensions(&mut Object::new());
    match names.take_text("type")? {
        Some("string") => names.finish(),
        _ => Err(LowerError::new(at, "names of properties are strings")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Place;
    use super::super::tests::{inside, lowered, refused};

    #[test]
    fn each_keyword_has_its_2_0_form() {
        for (given, expected) in [
            (
                json!({"const": "a"}),
                json!({"type": "string", "enum": ["a"]}),
            ),
            (
                json!({"type": "integer", "const": 1}),
                json!({"type": "integer", "enum": [1]}),
            ),
            (
                json!({"type": ["string", "null"], "enum": ["a", null], "default": null}),
                json!({"type": "string", "enum": ["a"]}),
            ),
            (
                json!({"type": "string", "contentEncoding": "base64",
                    "contentMediaType": "image/png"}),
                json!({"type": "string", "format": "byte"}),
            ),
            (
                json!({"type": "string", "examples": ["x"]}),
                json!({"type": "string", "example": "x"}),
            ),
            (
                json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 2.5}),
                json!({"type": "number", "minimum": 0, "exclusiveMinimum": true,
                    "maximum": 2.5, "exclusiveMaximum": true}),
            ),
            (
                json!({"type": "integer", "minimum": 0.0, "exclusiveMinimum": 0}),
                json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true}),
            ),
            (
                json!({"type": "integer", "minimum": 5, "exclusiveMinimum": 0}),
                json!({"type": "integer", "minimum": 5}),
            ),
            (
                json!({"type": "object", "additionalProperties": {"type": "number"},
                    "propertyNames": {"type": "string", "x-ms-summary": "Bias"}}),
                json!({"type": "object", "additionalProperties": {"type": "number"}}),
            ),
            (
                json!({"type": "object", "required": []}),
                json!({"type": "object"}),
            ),
        ] {
            assert_eq!(inside(&given), expected, "{given}");
        }
    }

    #[test]
    fn raw_bytes_are_a_whole_value_only() {
        for bytes in [
            json!({"type": "string", "format": "binary"}),
            json!({"type": "string", "contentMediaType": "application/octet-stream"}),
        ] {
            let (whole, _) = lowered(&bytes, Place::Whole).unwrap();
            assert_eq!(whole, json!({"type": "string", "format": "binary"}));
            assert!(lowered(&bytes, Place::Inside).is_err(), "{bytes}");
        }
    }

    #[test]
    fn what_a_keyword_cannot_say_is_refused_where_it_stands() {
        for (schema, pointer) in [
            (json!({"const": null}), "/s/const"),
            (json!({"const": 1, "enum": [1]}), "/s/const"),
            (json!({"type": "string", "default": null}), "/s/default"),
            (json!({"type": "string", "examples": [1, 2]}), "/s/examples"),
            (
                json!({"type": "string", "contentEncoding": "base32"}),
                "/s/contentEncoding",
            ),
            (json!({"type": "integer", "format": "uint32"}), "/s/format"),
            (json!({"type": "integer", "format": "double"}), "/s/format"),
            (json!({"type": "number", "format": "decimal"}), "/s/format"),
            (json!({"type": "string", "format": "ulid"}), "/s/format"),
            (json!({"type": "boolean", "format": "int32"}), "/s/format"),
            (
                json!({"type": "string", "format": "uri", "contentEncoding": "base64"}),
                "/s/format",
            ),
            (
                json!({"type": "number", "exclusiveMinimum": true}),
                "/s/exclusiveMinimum",
            ),
            (
                json!({"type": "object", "propertyNames": {"type": "string", "pattern": "a"}}),
                "/s/propertyNames/pattern",
            ),
            (
                json!({"type": "object", "propertyNames": {}}),
                "/s/propertyNames",
            ),
        ] {
            assert_eq!(refused(&schema), pointer, "{schema}");
        }
    }
}
