//! Lowering parameters, form fields and response headers, which Swagger 2.0 writes without a schema.

use serde_json::Value;

use super::fields::{Fields, Object};
use super::schema::{Place, Schemas};
use super::{LowerError, join};

/// Headers the platform sets by itself and refuses in a definition; the first comes from the
/// security definition, the second from `consumes`.
const RESERVED_HEADERS: [&str; 2] = ["authorization", "content-type"];

/// A query, path or header parameter.
pub(super) fn parameter(
    schemas: &mut Schemas<'_>,
    value: &Value,
    at: &str,
) -> Result<Value, LowerError> {
    let mut fields = Fields::of(value, at)?;
    let mut lowered = Object::new();
    let name = fields.take_text("name")?.unwrap_or_default();
    let location = fields.take_text("in")?.unwrap_or_default();
    let reserved = RESERVED_HEADERS.contains(&name.to_lowercase().as_str());
    match location {
        "header" if reserved => {
            let message = format!("the platform sets the header {name} by itself");
            return Err(LowerError::new(join(at, "name"), message));
        }
        "query" | "path" | "header" => {}
        _ => {
            let message = format!("a parameter is in query, path or header, not `{location}`");
            return Err(LowerError::new(join(at, "in"), message));
        }
    }
    lowered.insert("name".into(), name.into());
    lowered.insert("in".into(), location.into());
    fields.carry(&["description"], &mut lowered);
    let schema = fields.take("schema").unwrap_or(&Value::Null);
    let required = fields.take_flag("required")? && !schemas.admits_null(schema);
    if location == "path" && !required {
        let message = "a path parameter is required and never null";
        return Err(LowerError::new(at, message));
    }
    if required {
        lowered.insert("required".into(), true.into());
    }
    default_style(&mut fields, location)?;
    not_deprecated(&mut fields)?;
    example_as_test_value(&mut fields, &mut lowered);
    fields.carry(&["allowEmptyValue"], &mut lowered);
    let schema = scalar(schemas, schema, &join(at, "schema"), Place::Inside)?;
    flatten(schema, &mut lowered);
    fields.carry_extensions(&mut lowered);
    fields.finish()?;
    if location == "path" {
        single_url_encoding(&mut lowered);
    }
    Ok(lowered.into())
}

/// One field of a `multipart/form-data` body. Raw bytes are `type: file` there, as Swagger 2.0
/// wants it.
pub(super) fn form_field(
    schemas: &mut Schemas<'_>,
    name: &str,
    schema: &Value,
    required: bool,
    at: &str,
) -> Result<Value, LowerError> {
    let mut lowered = Object::new();
    lowered.insert("name".into(), name.into());
    lowered.insert("in".into(), "formData".into());
    let mut schema = scalar(schemas, schema, at, Place::Whole)?;
    if let Some(description) = schema.shift_remove("description") {
        lowered.insert("description".into(), description);
    }
    if required {
        lowered.insert("required".into(), true.into());
    }
    flatten(schema, &mut lowered);
    if lowered
        .get("format")
        .is_some_and(|format| format == "binary")
    {
        lowered.shift_remove("format");
        lowered.insert("type".into(), "file".into());
    }
    Ok(lowered.into())
}

/// A response header.
pub(super) fn header(
    schemas: &mut Schemas<'_>,
    value: &Value,
    at: &str,
) -> Result<Value, LowerError> {
    let mut fields = Fields::of(value, at)?;
    let mut lowered = Object::new();
    fields.carry(&["description"], &mut lowered);
    default_style(&mut fields, "header")?;
    not_deprecated(&mut fields)?;
    let schema = fields.take("schema").unwrap_or(&Value::Null);
    let schema_at = join(at, "schema");
    let schema = scalar(schemas, schema, &schema_at, Place::Inside)?;
    if schema.contains_key("example") {
        let message = "Swagger 2.0 has no example of a header";
        return Err(LowerError::new(schema_at, message));
    }
    flatten(schema, &mut lowered);
    fields.carry_extensions(&mut lowered);
    fields.finish()?;
    Ok(lowered.into())
}

/// The schema of a value that is written as plain text. Arrays are refused: Power Fx writes one
/// into a query as the name of its type, so this service takes comma-separated strings.
fn scalar(
    schemas: &mut Schemas<'_>,
    schema: &Value,
    at: &str,
    place: Place,
) -> Result<Object, LowerError> {
    let schema = schemas.inline(schema, at, place)?;
    let kind = schema.get("type").and_then(Value::as_str);
    if !matches!(kind, Some("string" | "number" | "integer" | "boolean")) {
        let message = "outside a JSON body a value is a string, a number or a boolean; \
                       write a list as a comma-separated string";
        return Err(LowerError::new(at, message));
    }
    for key in ["title", "readOnly"] {
        if schema.contains_key(key) {
            let message = format!("Swagger 2.0 has no `{key}` outside a JSON body");
            return Err(LowerError::new(at, message));
        }
    }
    Ok(schema)
}

/// Writes a schema's keys beside the parameter's own, which come first and win: the parameter's
/// text describes the use, the schema's the kind of value.
fn flatten(schema: Object, into: &mut Object) {
    for (key, value) in schema {
        let key = if key == "example" {
            TEST_VALUE.to_owned()
        } else {
            key
        };
        into.entry(key).or_insert(value);
    }
}

const TEST_VALUE: &str = "x-ms-test-value";

/// Swagger 2.0 has no example of a parameter; Microsoft's `x-ms-test-value` is the same thing, a
/// sample value that is valid.
pub(super) fn example_as_test_value(fields: &mut Fields<'_>, into: &mut Object) {
    if let Some(example) = fields.take("example") {
        into.insert(TEST_VALUE.into(), example.clone());
    }
}

/// The default style says how 2.0 writes a parameter anyway, and `explode` matters to lists only.
fn default_style(fields: &mut Fields<'_>, location: &str) -> Result<(), LowerError> {
    let at = fields.at_key("style");
    let default = if location == "query" {
        "form"
    } else {
        "simple"
    };
    if fields
        .take_text("style")?
        .is_some_and(|style| style != default)
    {
        let message = format!("only the style `{default}` can be said here");
        return Err(LowerError::new(at, message));
    }
    fields.take_flag("explode")?;
    Ok(())
}

/// utoipa may write `deprecated: false`, which says nothing. Power Fx hides an action with a
/// deprecated parameter, so true is refused.
fn not_deprecated(fields: &mut Fields<'_>) -> Result<(), LowerError> {
    let at = fields.at_key("deprecated");
    if fields.take_flag("deprecated")? {
        let message = "only operations can be deprecated";
        return Err(LowerError::new(at, message));
    }
    Ok(())
}

/// A path parameter without an encoding is sent as it is, and a slash in it changes the path
/// (`PathParameterMissingEncoding`); one that holds slashes on purpose says `double` itself.
fn single_url_encoding(parameter: &mut Object) {
    parameter
        .entry("x-ms-url-encoding")
        .or_insert_with(|| "single".into());
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::schema::Schemas;
    use super::{form_field, header, parameter};

    const KIND: &str = "#/components/schemas/Kind";

    fn document() -> Value {
        json!({"components": {"schemas": {
            "Kind": {"type": "string", "description": "A kind.", "enum": ["a", "b"]}
        }}})
    }

    fn lowered(value: &Value) -> Result<Value, String> {
        let lowered = parameter(&mut Schemas::of(&document()), value, "/p");
        lowered.map_err(|error| error.pointer)
    }

    #[test]
    fn a_schema_is_written_beside_the_name_and_the_parameters_own_words_win() {
        let value = json!({"name": "kind", "in": "query", "required": true,
            "description": "Which.", "style": "form", "explode": true, "deprecated": false,
            "schema": {"$ref": KIND, "default": "a", "example": "b", "x-ms-summary": "Other"},
            "x-ms-summary": "Kind"});
        let expected = json!({"name": "kind", "in": "query", "description": "Which.",
            "required": true, "type": "string", "enum": ["a", "b"], "default": "a",
            "x-ms-summary": "Kind", "x-ms-test-value": "b"});
        assert_eq!(lowered(&value).unwrap(), expected);
    }

    #[test]
    fn a_nullable_query_parameter_is_optional() {
        let value = json!({"name": "limit", "in": "query", "required": true,
            "schema": {"type": ["integer", "null"], "minimum": 1}});
        let expected = json!({"name": "limit", "in": "query", "type": "integer", "minimum": 1});
        assert_eq!(lowered(&value).unwrap(), expected);
    }

    #[test]
    fn a_path_parameter_is_encoded_once_unless_it_says_otherwise() {
        let mut value = json!({"name": "id", "in": "path", "required": true,
            "schema": {"type": "string"}});
        assert_eq!(lowered(&value).unwrap()["x-ms-url-encoding"], "single");
        value["x-ms-url-encoding"] = "double".into();
        assert_eq!(lowered(&value).unwrap()["x-ms-url-encoding"], "double");
    }

    #[test]
    fn what_a_parameter_cannot_say_is_refused_where_it_stands() {
        let text = json!({"type": "string"});
        let list = json!({"type": "array", "items": {"type": "string"}});
        let nullable = json!({"type": ["string", "null"]});
        for (place, more, pointer) in [
            ("cookie", json!({"schema": text}), "/p/in"),
            ("query", json!({}), "/p/schema"),
            ("query", json!({"schema": list}), "/p/schema"),
            ("query", json!({"schema": {"type": "object"}}), "/p/schema"),
            (
                "query",
                json!({"schema": {"type": "string", "title": "T"}}),
                "/p/schema",
            ),
            (
                "query",
                json!({"schema": {"type": "string", "readOnly": true}}),
                "/p/schema",
            ),
            (
                "query",
                json!({"schema": text, "deprecated": true}),
                "/p/deprecated",
            ),
            (
                "query",
                json!({"schema": text, "style": "deepObject"}),
                "/p/style",
            ),
            (
                "query",
                json!({"schema": text, "content": {}}),
                "/p/content",
            ),
            (
                "query",
                json!({"schema": text, "examples": {}}),
                "/p/examples",
            ),
            (
                "query",
                json!({"schema": text, "allowReserved": true}),
                "/p/allowReserved",
            ),
            ("path", json!({"schema": text}), "/p"),
            ("path", json!({"schema": nullable, "required": true}), "/p"),
        ] {
            let mut value = json!({"name": "a", "in": place});
            value
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            assert_eq!(lowered(&value).unwrap_err(), pointer, "{value}");
        }
        for name in ["Authorization", "content-type"] {
            let value = json!({"name": name, "in": "header", "schema": text});
            assert_eq!(lowered(&value).unwrap_err(), "/p/name");
        }
    }

    #[test]
    fn a_form_field_of_bytes_is_a_file() {
        let document = document();
        let mut schemas = Schemas::of(&document);
        let bytes = json!({"type": "string", "format": "binary", "description": "The file.",
            "x-ms-summary": "File"});
        let field = form_field(&mut schemas, "file", &bytes, true, "/f").unwrap();
        let expected = json!({"name": "file", "in": "formData", "description": "The file.",
            "required": true, "type": "file", "x-ms-summary": "File"});
        assert_eq!(field, expected);
        let object = json!({"type": "object"});
        let refused = form_field(&mut schemas, "file", &object, true, "/f");
        assert_eq!(refused.unwrap_err().pointer, "/f");
    }

    #[test]
    fn a_header_is_flat_too() {
        let document = document();
        let mut schemas = Schemas::of(&document);
        let value = json!({"description": "Seconds.", "schema": {"type": "integer"}});
        let expected = json!({"description": "Seconds.", "type": "integer"});
        assert_eq!(header(&mut schemas, &value, "/h").unwrap(), expected);
        for (more, pointer) in [
            (
                json!({"schema": {"type": "string", "example": "x"}}),
                "/h/schema",
            ),
            (
                json!({"schema": {"type": "string"}, "required": true}),
                "/h/required",
            ),
            (json!({}), "/h/schema"),
        ] {
            let refused = header(&mut schemas, &more, "/h").unwrap_err();
            assert_eq!(refused.pointer, pointer);
        }
    }
}
