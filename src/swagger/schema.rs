//! Lowering schemas: JSON Schema 2020-12 as utoipa writes it to the subset Power Platform reads.

use serde_json::{Map, Value};

use super::fields::{Fields, Object};
use super::{LowerError, join};

mod compose;
mod keywords;

use compose::sole_alternative;
use keywords::{
    annotate, base64_text, exclusive_bound, in_order, null_means_absent, number_or_string_format,
    one_value_enum, property_names_are_strings, required_without,
};

/// Keys that mean the same in both versions and hold no schema.
const CARRIED: [&str; 12] = [
    "title",
    "description",
    "minimum",
    "maximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
];

/// Where a schema stands, which decides whether it may be a file's raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// All of a body, a response or a form field.
    Whole,
    /// Inside another schema, or a definition that others refer to.
    Inside,
}

/// Lowers the schemas of one document and keeps the definitions they refer to.
///
/// Components that nothing refers to after lowering are left out: they came in only as parts that
/// were merged into their users, or as bodies of errors. A definition that no operation uses would
/// still be counted and checked by the platform.
pub(super) struct Schemas<'a> {
    components: Option<&'a Map<String, Value>>,
    definitions: Object,
    /// Names of the components being lowered, outermost first.
    open: Vec<String>,
}

impl<'a> Schemas<'a> {
    pub(super) fn of(document: &'a Value) -> Self {
        let components = document.pointer("/components/schemas");
        Self {
            components: components.and_then(Value::as_object),
            definitions: Object::new(),
            open: Vec::new(),
        }
    }

    /// What the lowered schemas refer to.
    pub(super) fn into_definitions(self) -> Object {
        self.definitions
    }

    /// Lowers one schema. A `$ref` on its own stays one, and so does an optional `$ref` on its own.
    pub(super) fn lower(
        &mut self,
        schema: &Value,
        at: &str,
        place: Place,
    ) -> Result<Object, LowerError> {
        let fields = Fields::of(schema, at)?;
        if fields.keys().any(|key| key != "$ref") {
            return match sole_alternative(&fields)? {
                Some((_, only, at)) if fields.keys().count() == 1 => self.lower(only, &at, place),
                _ => self.inline(schema, at, place),
            };
        }
        let Some(reference) = fields.get("$ref") else {
            return self.inline(schema, at, place);
        };
        let name = component_name(reference, at)?;
        if !self.definitions.contains_key(name) {
            let definition = self.component(name, at, Place::Inside)?;
            self.definitions
                .insert(name.to_owned(), Value::Object(definition));
        }
        let mut lowered = Object::new();
        lowered.insert("$ref".into(), format!("#/definitions/{name}").into());
        Ok(lowered)
    }

    /// Lowers one schema with what it refers to written in its place.
    ///
    /// Swagger 2.0 ignores what stands beside a `$ref`, and the platform refuses it
    /// (`AdditionalPropertyNotAllowedAdjacentToRef`), so a property with its own label and text
    /// gets a copy of the schema; the property's own texts win over the schema's.
    pub(super) fn inline(
        &mut self,
        schema: &Value,
        at: &str,
        place: Place,
    ) -> Result<Object, LowerError> {
        let mut fields = Fields::of(schema, at)?;
        let lowered = if let Some(reference) = fields.take("$ref") {
            let base = self.component(component_name(reference, at)?, at, place)?;
            annotate(base, fields)?
        } else if let Some((key, only, only_at)) = sole_alternative(&fields)? {
            null_means_absent(&mut fields, self.admits_null(schema), &mut Object::new())?;
            fields.take(key);
            let base = self.inline(only, &only_at, place)?;
            annotate(base, fields)?
        } else if let Some(parts) = fields.take("allOf") {
            self.merge(parts, fields, place)?
        } else {
            self.plain(fields, place)?
        };
        Ok(in_order(lowered))
    }

    /// The schema of a component, written out. A component inside itself is refused: the platform
    /// refuses loops (`SchemaRefLoopNotAllowed`).
    fn component(&mut self, name: &str, at: &str, place: Place) -> Result<Object, LowerError> {
        if self.open.iter().any(|open| open == name) {
            let chain = format!("{} -> {name}", self.open.join(" -> "));
            return Err(LowerError::new(at, format!("reference cycle: {chain}")));
        }
        let components = self.components;
        let schema = components.and_then(|components| components.get(name));
        let schema = schema
            .ok_or_else(|| LowerError::new(at, format!("no component schema is named `{name}`")))?;
        self.open.push(name.to_owned());
        let lowered = self.inline(schema, &join("/components/schemas", name), place);
        self.open.pop();
        lowered
    }

    /// A schema without composition.
    fn plain(&mut self, mut fields: Fields<'_>, place: Place) -> Result<Object, LowerError> {
        let mut lowered = Object::new();
        let (kind, nullable) = type_of(&mut fields)?;
        one_value_enum(&mut fields, &mut lowered)?;
        let kind = kind.or_else(|| const_type(&lowered));
        null_means_absent(&mut fields, nullable, &mut lowered)?;
        if let Some(kind) = kind {
            lowered.insert("type".into(), kind.into());
        } else if !is_dynamic(&fields) {
            return Err(LowerError::new(
                fields.at(),
                "a schema needs a type unless it is dynamic: makers see no tokens without one",
            ));
        }
        base64_text(&mut fields, kind, place, &mut lowered)?;
        number_or_string_format(&mut fields, kind, place, &mut lowered)?;
        fields.carry(&CARRIED, &mut lowered);
        exclusive_bound(&mut fields, "exclusiveMinimum", "minimum", &mut lowered)?;
        exclusive_bound(&mut fields, "exclusiveMaximum", "maximum", &mut lowered)?;
        self.array_keywords(&mut fields, kind, &mut lowered)?;
        self.object_keywords(&mut fields, kind, &mut lowered)?;
        annotate(lowered, fields)
    }

    fn array_keywords(
        &mut self,
        fields: &mut Fields<'_>,
        kind: Option<&str>,
        lowered: &mut Object,
    ) -> Result<(), LowerError> {
        fields.carry(&["uniqueItems"], lowered);
        let at = fields.at_key("items");
        match fields.take("items") {
            Some(items) => {
                let items = self.lower(items, &at, Place::Inside)?;
                lowered.insert("items".into(), items.into());
                Ok(())
            }
            None if kind == Some("array") => Err(LowerError::new(
                fields.at(),
                "an array needs `items`: the platform refuses one without",
            )),
            None => Ok(()),
        }
    }

    fn object_keywords(
        &mut self,
        fields: &mut Fields<'_>,
        kind: Option<&str>,
        lowered: &mut Object,
    ) -> Result<(), LowerError> {
        let at = fields.at_key("properties");
        let mut optional = Vec::new();
        if let Some(properties) = fields.take("properties") {
            let mut inner = Object::new();
            let mut properties = Fields::of(properties, &at)?;
            let names: Vec<&str> = properties.keys().collect();
            for name in names {
                let at = properties.at_key(name);
                let Some(property) = properties.take(name) else {
                    continue;
                };
                if self.admits_null(property) {
                    optional.push(name);
                }
                let property = self.lower(property, &at, Place::Inside)?;
                inner.insert(name.to_owned(), property.into());
            }
            lowered.insert("properties".into(), inner.into());
        }
        required_without(&optional, fields, lowered)?;
        property_names_are_strings(fields)?;
        let at = fields.at_key("additionalProperties");
        if let Some(additional) = fields.take("additionalProperties") {
            let additional = match additional {
                Value::Bool(allowed) => Value::Bool(*allowed),
                // The empty schema and `true` say the same, and only `true` needs no type.
                Value::Object(anything) if anything.is_empty() => Value::Bool(true),
                schema => self.lower(schema, &at, Place::Inside)?.into(),
            };
            lowered.insert("additionalProperties".into(), additional);
        }
        let misplaced = ["properties", "required", "additionalProperties"];
        match misplaced.iter().find(|key| lowered.contains_key(**key)) {
            Some(key) if kind != Some("object") => Err(LowerError::new(
                fields.at(),
                format!("`{key}` needs `type: object`"),
            )),
            _ => Ok(()),
        }
    }
}

const COMPONENTS: &str = "#/components/schemas/";

fn component_name<'v>(reference: &'v Value, at: &str) -> Result<&'v str, LowerError> {
    let name = reference
        .as_str()
        .and_then(|text| text.strip_prefix(COMPONENTS));
    let is_plain = |name: &&str| {
        let mut characters = name.chars();
        !name.is_empty() && characters.all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    name.filter(is_plain).ok_or_else(|| {
        let message = format!("a reference must read {COMPONENTS}NAME, not {reference}");
        LowerError::new(join(at, "$ref"), message)
    })
}

/// The one type besides null, and whether null was named beside it.
fn type_of<'v>(fields: &mut Fields<'v>) -> Result<(Option<&'v str>, bool), LowerError> {
    let at = fields.at_key("type");
    let Some(value) = fields.take("type") else {
        return Ok((None, false));
    };
    let all = match value {
        Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut real = all.iter().filter(|kind| *kind != "null");
    let (Some(kind), None) = (real.next().and_then(Value::as_str), real.next()) else {
        let message = "a value has exactly one type besides null";
        return Err(LowerError::new(at, message));
    };
    match kind {
        "string" | "number" | "integer" | "boolean" | "array" | "object" => {
            Ok((Some(kind), all.len() > 1))
        }
        _ => Err(LowerError::new(at, format!("unknown type `{kind}`"))),
    }
}

/// The type of a `const` that came without one.
fn const_type(lowered: &Object) -> Option<&'static str> {
    match lowered.get("enum")?.get(0)? {
        Value::String(_) => Some("string"),
        Value::Bool(_) => Some("boolean"),
        Value::Number(number) if number.is_f64() => Some("number"),
        Value::Number(_) => Some("integer"),
        _ => None,
    }
}

/// A schema that an operation answers at design time stands without a type of its own.
fn is_dynamic(fields: &Fields<'_>) -> bool {
    fields.get("x-ms-dynamic-schema").is_some() || fields.get("x-ms-dynamic-properties").is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Place, Schemas};

    /// The schema lowered next to a few components, with the definitions it came to refer to; or
    /// the pointer of what was refused.
    pub(super) fn lowered(schema: &Value, place: Place) -> Result<(Value, Value), String> {
        let document = json!({"components": {"schemas": {
            "Kind": {"type": "string", "description": "A kind.", "enum": ["a", "b"]},
            "Inner": {"type": "object", "description": "Inside.", "required": ["id", "kind"],
                "properties": {
                    "id": {"type": "string"},
                    "kind": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Kind"}]}
                }},
            "Options": {"type": "object", "description": "Options.", "required": ["top"],
                "properties": {"top": {"type": "integer"}, "user": {"type": "string"}}},
            "Alias": {"$ref": "#/components/schemas/Kind"},
            "Maybe": {"type": ["string", "null"]},
            "Loop": {"type": "object",
                "properties": {"next": {"$ref": "#/components/schemas/Loop"}}}
        }}});
        let mut schemas = Schemas::of(&document);
        let lowered = schemas.lower(schema, "/s", place);
        let lowered = lowered.map_err(|error| error.pointer)?;
        Ok((lowered.into(), schemas.into_definitions().into()))
    }

    pub(super) fn inside(schema: &Value) -> Value {
        lowered(schema, Place::Inside).unwrap().0
    }

    /// The pointer of what is refused.
    pub(super) fn refused(schema: &Value) -> String {
        lowered(schema, Place::Inside).unwrap_err()
    }

    #[test]
    fn a_reference_alone_stays_and_brings_its_definition() {
        let schema = json!({"type": "array", "items": {"$ref": "#/components/schemas/Kind"}});
        let (lowered, definitions) = lowered(&schema, Place::Inside).unwrap();
        assert_eq!(lowered["items"], json!({"$ref": "#/definitions/Kind"}));
        let kind = json!({"type": "string", "description": "A kind.", "enum": ["a", "b"]});
        assert_eq!(definitions, json!({"Kind": kind}));
    }

    #[test]
    fn a_reference_with_texts_becomes_a_copy_that_says_them() {
        let schema = json!({"$ref": "#/components/schemas/Kind", "description": "Which.",
            "default": "a", "x-ms-summary": "Kind"});
        let (lowered, definitions) = lowered(&schema, Place::Inside).unwrap();
        let expected = json!({"type": "string", "description": "Which.", "enum": ["a", "b"],
            "default": "a", "x-ms-summary": "Kind"});
        assert_eq!(lowered, expected);
        assert_eq!(definitions, json!({}), "nothing refers to it any more");
    }

    #[test]
    fn a_definition_that_is_an_alias_is_written_out() {
        let schema = json!({"$ref": "#/components/schemas/Alias"});
        let (_, definitions) = lowered(&schema, Place::Inside).unwrap();
        assert_eq!(definitions["Alias"]["type"], "string");
    }

    #[test]
    fn a_nullable_property_is_plain_and_optional() {
        let schema = json!({"type": "object", "required": ["a", "b", "c", "d"], "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Kind"}]},
            "c": {"$ref": "#/components/schemas/Maybe"},
            "d": {"type": "string"}
        }});
        let lowered = inside(&schema);
        assert_eq!(lowered["required"], json!(["d"]));
        let properties = &lowered["properties"];
        assert_eq!(properties["a"], json!({"type": "string"}));
        assert_eq!(properties["b"], json!({"$ref": "#/definitions/Kind"}));
        assert_eq!(properties["c"], json!({"$ref": "#/definitions/Maybe"}));
    }

    #[test]
    fn an_empty_additional_schema_means_anything() {
        let schema = json!({"type": "object", "additionalProperties": {}});
        let anything = json!({"type": "object", "additionalProperties": true});
        assert_eq!(inside(&schema), anything);
        let numbers = json!({"type": "object", "additionalProperties": {"type": "number"}});
        assert_eq!(inside(&numbers), numbers);
    }

    #[test]
    fn a_dynamic_schema_needs_no_type() {
        let schema = json!({"x-ms-dynamic-schema": {"operationId": "GetSchema"}});
        assert_eq!(inside(&schema), schema);
    }

    #[test]
    fn keys_come_in_one_order() {
        let schema = json!({"x-ms-summary": "A", "description": "B.", "minLength": 1,
            "format": "uri", "type": "string"});
        let keys: Vec<_> = inside(&schema)
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        let expected = ["type", "format", "description", "minLength", "x-ms-summary"];
        assert_eq!(keys, expected);
    }

    #[test]
    fn what_cannot_be_said_is_refused_where_it_stands() {
        let property = |schema: Value| json!({"type": "object", "properties": {"p": schema}});
        for (schema, pointer) in [
            (json!({}), "/s/properties/p"),
            (json!(true), "/s/properties/p"),
            (
                json!({"type": ["string", "integer"]}),
                "/s/properties/p/type",
            ),
            (json!({"type": "null"}), "/s/properties/p/type"),
            (json!({"type": "text"}), "/s/properties/p/type"),
            (json!({"type": "array"}), "/s/properties/p"),
            (
                json!({"type": "array", "prefixItems": []}),
                "/s/properties/p",
            ),
            (
                json!({"type": "string", "deprecated": true}),
                "/s/properties/p/deprecated",
            ),
            (
                json!({"type": "string", "writeOnly": true}),
                "/s/properties/p/writeOnly",
            ),
            (json!({"type": "string", "not": {}}), "/s/properties/p/not"),
            (
                json!({"type": "object", "patternProperties": {}}),
                "/s/properties/p/patternProperties",
            ),
            (
                json!({"type": "string", "required": ["a"]}),
                "/s/properties/p",
            ),
            (
                json!({"type": "object", "required": [1]}),
                "/s/properties/p/required",
            ),
            (
                json!({"$ref": "#/components/schemas/Nothing"}),
                "/s/properties/p",
            ),
            (json!({"$ref": "#/paths"}), "/s/properties/p/$ref"),
            (
                json!({"$ref": "#/components/schemas/Kind", "maxLength": 1}),
                "/s/properties/p/maxLength",
            ),
            (
                json!({"$ref": "#/components/schemas/Loop"}),
                "/components/schemas/Loop/properties/next",
            ),
        ] {
            assert_eq!(refused(&property(schema.clone())), pointer, "{schema}");
        }
    }
}
