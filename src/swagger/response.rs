//! Lowering responses: one schema for an operation, descriptions and headers for the rest.

use serde_json::{Value, json};

use super::fields::{Fields, Object};
use super::lower::members;
use super::operation::{JSON, Operations, required_schema};
use super::parameter::header;
use super::schema::Place;
use super::{LowerError, join};

impl<'a> Operations<'a> {
    /// All responses, and the media types of the successful ones.
    pub(super) fn responses(
        &mut self,
        value: &'a Value,
        at: &str,
    ) -> Result<(Value, Vec<String>), LowerError> {
        let mut fields = Fields::of(value, at)?;
        let mut lowered = Object::new();
        let mut produces = Vec::new();
        let codes: Vec<&str> = fields.keys().filter(|key| !key.starts_with("x-")).collect();
        let success = self.speaking_response(value, &codes);
        for code in codes {
            let at = fields.at_key(code);
            let number = code
                .parse::<u16>()
                .is_ok_and(|code| (100..600).contains(&code));
            if !number && code != "default" {
                let message = "a response is a status code or `default`";
                return Err(LowerError::new(at, message));
            }
            if let Some(response) = fields.take(code) {
                let (response, at) = self.resolve(response, at, "responses")?;
                let speaks = success == Some(code);
                let response = self.response(response, &at, speaks, &mut produces)?;
                lowered.insert(code.to_owned(), response);
            }
        }
        default_response(&mut lowered);
        fields.carry_extensions(&mut lowered);
        fields.finish()?;
        Ok((lowered.into(), produces))
    }

    /// The one response whose schema is kept: the lowest success that has content. The designer
    /// uses one schema for an operation (`OperationHasManyResponsesWithSchema`) and refuses one on
    /// `default` (`DefaultResponseHasSchema`); the others keep their description and headers.
    fn speaking_response<'c>(&self, responses: &'a Value, codes: &[&'c str]) -> Option<&'c str> {
        let mut success: Vec<&str> = codes.to_vec();
        success.retain(|code| code.starts_with('2'));
        success.sort_unstable();
        let has_content = |code: &&&str| {
            let response = self.resolve(&responses[**code], String::new(), "responses");
            response.is_ok_and(|(response, _)| response.get("content").is_some())
        };
        success.iter().find(has_content).copied()
    }

    fn response(
        &mut self,
        value: &'a Value,
        at: &str,
        speaks: bool,
        produces: &mut Vec<String>,
    ) -> Result<Value, LowerError> {
        let mut fields = Fields::of(value, at)?;
        let mut lowered = Object::new();
        fields.carry(&["description"], &mut lowered);
        let content_at = fields.at_key("content");
        let content = fields.take("content");
        if let Some(content) = content.filter(|_| speaks) {
            let content = Fields::of(content, &content_at)?;
            self.response_content(content, produces, &mut lowered)?;
        }
        let at = fields.at_key("headers");
        if let Some(headers) = fields.take("headers") {
            let mut inner = Object::new();
            for (name, value) in members(Some(headers), &at)? {
                let (value, at) = self.resolve(value, join(&at, name), "headers")?;
                inner.insert(name.clone(), header(&mut self.schemas, value, &at)?);
            }
            lowered.insert("headers".into(), inner.into());
        }
        fields.carry_extensions(&mut lowered);
        fields.finish()?;
        Ok(lowered.into())
    }

    /// The schema of the successful answer. With several media types JSON speaks for all, else the
    /// first, since 2.0 has one schema for a response; the others are named in `produces`.
    fn response_content(
        &mut self,
        mut content: Fields<'a>,
        produces: &mut Vec<String>,
        lowered: &mut Object,
    ) -> Result<(), LowerError> {
        produces.extend(content.keys().map(str::to_owned));
        produces.sort_by_key(|media_type| media_type != JSON);
        let Some(media_type) = produces.first().cloned() else {
            return Ok(());
        };
        let Some(media) = content.take(&media_type) else {
            return Ok(());
        };
        let mut media = Fields::of(media, &content.at_key(&media_type))?;
        let example = media.take("example");
        let at = media.at_key("schema");
        let schema = if media_type == JSON || media_type.starts_with("text/") {
            let schema = required_schema(&mut media)?;
            self.schemas.lower(schema, &at, Place::Whole)?
        } else {
            raw_bytes(media.take("schema"))
        };
        media.finish()?;
        lowered.insert("schema".into(), schema.into());
        if let Some(example) = example {
            let examples = json!({ media_type: example });
            lowered.insert("examples".into(), examples);
        }
        Ok(())
    }
}

/// Every operation needs a `default` response for what its codes do not name.
fn default_response(responses: &mut Object) {
    responses
        .entry("default")
        .or_insert_with(|| json!({"description": "The operation failed."}));
}

/// A whole answer that is not text is bytes to Power Platform, whatever shape a byte array has in
/// 3.1; its text and its extensions (`x-ms-media-kind`) stay.
fn raw_bytes(schema: Option<&Value>) -> Object {
    let mut bytes = Object::new();
    bytes.insert("type".into(), "string".into());
    bytes.insert("format".into(), "binary".into());
    for (key, value) in schema.and_then(Value::as_object).into_iter().flatten() {
        if key == "description" || key.starts_with("x-") {
            bytes.insert(key.clone(), value.clone());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::operation::tests::{lowered, ok};

    fn answers(content: &Value) -> Value {
        json!({"200": {"description": "OK", "content": content}})
    }

    #[test]
    fn only_the_lowest_success_with_content_keeps_its_schema() {
        let json = |name: &str| json!({"application/json": {"schema": {"type": name}}});
        let operation = json!({"responses": {
            "202": {"description": "Later", "content": json("string"),
                "headers": {"Retry-After": {"schema": {"type": "integer"}}}},
            "200": {"description": "Now", "content": json("object")},
            "400": {"description": "Wrong", "content": json("array")},
            "default": {"$ref": "#/components/responses/Failed"}
        }});
        let expected = json!({
            "202": {"description": "Later", "headers": {"Retry-After": {"type": "integer"}}},
            "200": {"description": "Now", "schema": {"type": "object"}},
            "400": {"description": "Wrong"},
            "default": {"description": "It failed."}
        });
        assert_eq!(lowered(&operation).unwrap()["responses"], expected);
    }

    #[test]
    fn a_default_response_is_added_where_there_is_none() {
        let lowered = lowered(&json!({"responses": ok(&json!({"type": "object"}))})).unwrap();
        let default = json!({"description": "The operation failed."});
        assert_eq!(lowered["responses"]["default"], default);
    }

    #[test]
    fn bytes_alone_are_a_binary_answer() {
        let bytes = json!({"type": "array", "items": {"type": "integer"},
            "x-ms-media-kind": "audio"});
        let content = json!({"application/octet-stream": {"schema": bytes}});
        let lowered = lowered(&json!({"responses": answers(&content)})).unwrap();
        assert_eq!(lowered["produces"], json!(["application/octet-stream"]));
        let expected = json!({"type": "string", "format": "binary", "x-ms-media-kind": "audio"});
        assert_eq!(lowered["responses"]["200"]["schema"], expected);
    }

    #[test]
    fn json_speaks_for_bytes_beside_it() {
        let content = json!({
            "audio/mpeg": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": {"type": "object"}, "example": {"a": 1}}
        });
        let lowered = lowered(&json!({"responses": answers(&content)})).unwrap();
        assert_eq!(
            lowered["produces"],
            json!(["application/json", "audio/mpeg"])
        );
        let answer = &lowered["responses"]["200"];
        assert_eq!(answer["schema"], json!({"type": "object"}));
        assert_eq!(answer["examples"], json!({"application/json": {"a": 1}}));
    }

    #[test]
    fn text_is_text() {
        let content = json!({"text/plain": {"schema": {"type": "string"}}});
        let lowered = lowered(&json!({"responses": answers(&content)})).unwrap();
        assert_eq!(lowered["produces"], json!(["text/plain"]));
        assert_eq!(
            lowered["responses"]["200"]["schema"],
            json!({"type": "string"})
        );
    }
}
