//! Structured output: a maker's JSON Schema, and answers that fit it.

mod designer;
mod extract;
mod resolve;
mod strict;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::options::JsonText;
use crate::error::{Error, Kind, Result};

pub(crate) use extract::find_json;

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum AskResponseFormat {
    /// Words.
    #[serde(alias = "text")]
    Text,
    /// An object.
    #[serde(alias = "json")]
    Json,
}

/// The longest schema, in bytes of JSON.
const MAX_SCHEMA: usize = 256 * 1024;

/// The most regular expressions that a schema may have.
const MAX_PATTERNS: usize = 100;

/// The most memory that one regular expression may take, in bytes.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// A maker's JSON Schema for answers, read and made usable.
#[derive(Debug)]
pub(crate) struct AnswerSchema {
    name: String,
    /// The schema without references: each is replaced by what it names.
    schema: Value,
    /// What is sent, and what answers are checked against.
    strict: Value,
    /// What strict output changed, for the maker.
    changes: Vec<String>,
    checker: Checker,
}

/// Why an answer does not fit.
#[derive(Debug)]
pub(crate) struct Mismatch {
    /// The place in the answer, such as `lines[0].sku`; empty for the whole.
    pub(crate) path: String,
    /// What is wrong there, without the value itself.
    pub(crate) reason: String,
}

impl AnswerSchema {
    /// Reads the schema that a maker wrote into `field`.
    ///
    /// # Errors
    ///
    /// `400` for `field` that names the place of the fault.
    pub(crate) fn read(field: &'static str, text: &JsonText) -> Result<Self> {
        if text.length() > MAX_SCHEMA {
            return Err(Error::invalid(
                field,
                format!("{field} is longer than {MAX_SCHEMA} characters."),
            ));
        }
        let (name, schema) = unwrapped(field, text.value(field)?)?;
        let schema = resolve::resolved(field, &schema)?;
        // A reference at the top may have led to anything.
        if schema["type"] != "object" && !schema["properties"].is_object() {
            return Err(not_a_schema(field));
        }
        let mut changes = Vec::new();
        let strict = strict::made_strict(field, &schema, &mut changes);
        let patterns = count_patterns(&strict);
        if patterns > MAX_PATTERNS {
            return Err(Error::invalid(
                field,
                format!("{field} has {patterns} patterns, and may have {MAX_PATTERNS}."),
            ));
        }
        jsonschema::meta::validate(&strict)
            .map_err(|fault| not_valid(field, fault.instance_path().as_str()))?;
        let checker = Checker::new(field, &strict)?;
        Ok(Self {
            name,
            schema,
            strict,
            changes,
            checker,
        })
    }

    /// The `response_format` that demands a fitting answer of upstream.
    pub(crate) fn response_format(&self, warnings: &mut Vec<String>) -> Value {
        warnings.extend(self.changes.iter().cloned());
        json!({
            "type": "json_schema",
            "json_schema": {"name": self.name, "strict": true, "schema": self.strict},
        })
    }

    /// The schema as the designer of the platform takes it.
    pub(crate) fn for_designer(&self) -> Value {
        designer::for_designer(&self.schema)
    }

    /// Whether `answer` fits.
    ///
    /// # Errors
    ///
    /// The first place that does not fit.
    pub(crate) fn check(&self, answer: &Value) -> Result<(), Mismatch> {
        self.checker.check(answer)
    }

    /// The answer in the types of the schema and without nulls, which the platform refuses.
    pub(crate) fn normalised(&self, answer: Value) -> Value {
        normalised(answer, Some(&self.schema))
    }
}

/// The check of answers against a schema.
#[derive(Debug)]
struct Checker(jsonschema::Validator);

impl Checker {
    /// A check whose patterns are compiled within bounds of size, and run in time that grows with
    /// the answer only.
    fn new(field: &'static str, schema: &Value) -> Result<Self> {
        let patterns = jsonschema::PatternOptions::regex()
            .size_limit(MAX_PATTERN_BYTES)
            .dfa_size_limit(MAX_PATTERN_BYTES);
        jsonschema::options()
            .with_pattern_options(patterns)
            .build(schema)
            .map(Self)
            .map_err(|fault| not_valid(field, fault.instance_path().as_str()))
    }

    /// Whether `answer` fits.
    ///
    /// # Errors
    ///
    /// The first place that does not fit.
    fn check(&self, answer: &Value) -> Result<(), Mismatch> {
        // Whether it fits is told far faster than why not, which matters for answers that nest.
        if self.0.is_valid(answer) {
            return Ok(());
        }
        let Err(fault) = self.0.validate(answer) else {
            return Ok(());
        };
        Err(Mismatch {
            path: written(fault.instance_path().as_str()),
            reason: fault.masked_with("the value").to_string(),
        })
    }
}

fn not_valid(field: &'static str, pointer: &str) -> Error {
    let place = if pointer.is_empty() {
        "its top"
    } else {
        pointer
    };
    Error::invalid(
        field,
        format!("{field} is not a valid JSON Schema at {place}."),
    )
}

/// How many regular expressions a schema has.
fn count_patterns(schema: &Value) -> usize {
    match schema {
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| match (name.as_str(), value) {
                ("pattern", Value::String(_)) => 1,
                ("patternProperties", Value::Object(patterns)) => {
                    patterns.len() + count_patterns(value)
                }
                _ => count_patterns(value),
            })
            .sum(),
        Value::Array(items) => items.iter().map(count_patterns).sum(),
        _ => 0,
    }
}

/// The schema itself and its name, also where a maker pasted another tool's wrapping.
fn unwrapped(field: &'static str, schema: Value) -> Result<(String, Value)> {
    let Value::Object(mut outer) = schema else {
        return Err(not_a_schema(field));
    };
    if let Some(Value::Object(inner)) = outer.remove("json_schema") {
        outer = inner;
    }
    let title = |value: Option<&Value>| value.and_then(Value::as_str).map(identifier);
    let name = title(outer.get("name")).or_else(|| title(outer.get("title")));
    if !outer.contains_key("type")
        && !outer.contains_key("properties")
        && let Some(Value::Object(inner)) = outer.remove("schema")
    {
        outer = inner;
    }
    let of_object = outer.get("type").is_none_or(|kind| kind == "object");
    let described = ["type", "properties", "$ref"]
        .iter()
        .any(|key| outer.contains_key(*key));
    if !of_object || !described {
        return Err(not_a_schema(field));
    }
    if !outer.contains_key("$ref") {
        outer.entry("type").or_insert_with(|| "object".into());
    }
    let name = name
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "answer".to_owned());
    Ok((name, Value::Object(outer)))
}

fn not_a_schema(field: &'static str) -> Error {
    Error::invalid(
        field,
        format!("{field} must be a JSON Schema with \"type\": \"object\"."),
    )
}

/// A name as upstream allows it: letters, digits, `_` and `-`, at most 64.
fn identifier(text: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    text.chars().map(safe).take(64).collect()
}

/// A JSON pointer as makers write it: `/lines/0/sku` is `lines[0].sku`.
fn written(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.bytes().all(|byte| byte.is_ascii_digit()) && !part.is_empty() {
            path.push('[');
            path.push_str(&part);
            path.push(']');
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&part);
        }
    }
    path
}

/// An answer without nulls, which the platform refuses.
pub(crate) fn without_nulls(answer: Value) -> Value {
    normalised(answer, None)
}

/// Leaves out nulls, and writes a whole number as one where the schema says `integer`.
fn normalised(value: Value, schema: Option<&Value>) -> Value {
    match value {
        Value::Object(object) => {
            let below = |name: &str| schema.and_then(|schema| schema.get("properties")?.get(name));
            let kept: Map<_, _> = object
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| {
                    let value = normalised(value, below(&name));
                    (name, value)
                })
                .collect();
            Value::Object(kept)
        }
        Value::Array(items) => {
            let below = schema.and_then(|schema| schema.get("items"));
            let items = items.into_iter().filter(|item| !item.is_null());
            Value::Array(items.map(|item| normalised(item, below)).collect())
        }
        Value::Number(number) if schema.is_some_and(|schema| schema["type"] == "integer") => {
            whole(&number).map_or(Value::Number(number), Value::from)
        }
        other => other,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked first"
)]
fn whole(number: &serde_json::Number) -> Option<i64> {
    let float = number
        .as_f64()
        .filter(|_| !number.is_i64() && !number.is_u64())?;
    (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
}

impl Mismatch {
    /// The answer is no JSON at all.
    pub(crate) fn not_json() -> Self {
        Self {
            path: String::new(),
            reason: "it is not JSON".to_owned(),
        }
    }

    /// The place in words.
    pub(crate) fn place(&self) -> &str {
        if self.path.is_empty() {
            "its top"
        } else {
            &self.path
        }
    }

    /// The `422` that ends the call.
    pub(crate) fn into_error(self) -> Error {
        let message = format!(
            "The model's answer does not fit the response schema at {}: {}.",
            self.place(),
            self.reason.trim_end_matches('.')
        );
        Error::new(Kind::SchemaMismatch, message).at(self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(value: &Value) -> Result<AnswerSchema> {
        AnswerSchema::read("response_schema", &JsonText::from(value.clone()))
    }

    #[test]
    fn the_wrapping_of_other_tools_is_taken_off() {
        let inner = json!({"type": "object", "properties": {}, "additionalProperties": false, "required": []});
        for wrapped in [
            json!({"type": "json_schema", "json_schema": {"name": "x", "schema": inner}}),
            json!({"name": "x", "strict": true, "schema": inner}),
        ] {
            let format = schema(&wrapped).unwrap().response_format(&mut Vec::new());
            let sent = &format["json_schema"];
            assert_eq!((&sent["name"], &sent["schema"]), (&json!("x"), &inner));
        }
    }

    #[test]
    fn a_title_becomes_a_name_that_upstream_takes() {
        let titled = json!({"title": "Order no. 5", "type": "object"});
        let format = schema(&titled).unwrap().response_format(&mut Vec::new());
        assert_eq!(format["json_schema"]["name"], "Order_no__5");
    }

    #[test]
    fn what_is_no_schema_is_refused_by_name() {
        for bad in [
            json!("text"),
            json!("{\"type\": \"object\""),
            json!([]),
            json!(5),
            json!({}),
            json!({"type": "string"}),
            json!({"type": "object", "properties": {"a": {"type": "strng"}}}),
            json!({"type": "object", "properties": {"a": {"pattern": "("}}}),
        ] {
            let error = schema(&bad).unwrap_err();
            assert_eq!(error.field(), Some("response_schema"), "{bad}");
        }
    }

    #[test]
    fn a_mismatch_names_the_place_and_not_the_value() {
        let lines = json!({"type": "object", "properties": {"lines": {"type": "array",
            "items": {"type": "object", "properties": {"sku": {"type": "string"}}}}}});
        let schema = schema(&lines).unwrap();
        let mismatch = schema
            .check(&json!({"lines": [{"sku": 4711}]}))
            .unwrap_err();
        assert_eq!(mismatch.path, "lines[0].sku");
        assert!(!mismatch.reason.contains("4711"), "{}", mismatch.reason);
        assert!(schema.check(&json!({"lines": [{"sku": "4711"}]})).is_ok());
    }

    #[test]
    fn an_answer_is_given_in_the_schemas_types_and_without_nulls() {
        let counted = json!({"type": "object", "properties": {
            "count": {"type": "integer"}, "ratio": {"type": "number"}}});
        let answer = json!({"count": 3.0, "ratio": 3.0, "gone": null, "list": [1, null]});
        let given = schema(&counted).unwrap().normalised(answer);
        assert_eq!(given.to_string(), r#"{"count":3,"ratio":3.0,"list":[1]}"#);
    }
}
