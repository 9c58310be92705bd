//! Lowering operations: bodies, parameters, responses.

use serde_json::{Map, Value, json};

use super::fields::{Fields, Object};
use super::lower::members;
use super::parameter::{example_as_test_value, form_field, header, parameter};
use super::schema::{Place, Schemas};
use super::{LowerError, join};

pub(super) const JSON: &str = "application/json";

/// Lowers the operations of one document; `document` is where `$ref`s to components lead.
pub(super) struct Operations<'a> {
    pub(super) document: &'a Value,
    pub(super) schemas: Schemas<'a>,
}

impl<'a> Operations<'a> {
    /// All methods of one path.
    pub(super) fn path_item(&mut self, value: &'a Value, at: &str) -> Result<Value, LowerError> {
        let mut fields = Fields::of(value, at)?;
        let mut lowered = Object::new();
        let shared = self.parameters(&mut fields)?;
        if !shared.is_empty() {
            lowered.insert("parameters".into(), shared.into());
        }
        for method in ["get", "put", "post", "delete", "options", "head", "patch"] {
            let at = fields.at_key(method);
            if let Some(operation) = fields.take(method) {
                lowered.insert(method.into(), self.operation(operation, &at)?);
            }
        }
        let at = fields.at_key("x-ms-notification-content");
        if let Some(content) = fields.take("x-ms-notification-content") {
            let content = self.notification_content(content, &at)?;
            lowered.insert("x-ms-notification-content".into(), content);
        }
        fields.carry_extensions(&mut lowered);
        fields.finish()?;
        Ok(lowered.into())
    }

    /// What a webhook trigger will be sent; the platform reads its schema like a response's.
    fn notification_content(&mut self, value: &Value, at: &str) -> Result<Value, LowerError> {
        let mut fields = Fields::of(value, at)?;
        let mut lowered = Object::new();
        fields.carry(&["description"], &mut lowered);
        if let Some(schema) = fields.take("schema") {
            let schema = self
                .schemas
                .lower(schema, &join(at, "schema"), Place::Inside)?;
            lowered.insert("schema".into(), schema.into());
        }
        fields.finish()?;
        Ok(lowered.into())
    }

    fn operation(&mut self, value: &'a Value, at: &str) -> Result<Value, LowerError> {
        let mut fields = Fields::of(value, at)?;
        let mut lowered = Object::new();
        let texts = [
            "tags",
            "summary",
            "description",
            "externalDocs",
            "operationId",
            "deprecated",
        ];
        fields.carry(&texts, &mut lowered);
        let mut parameters = self.parameters(&mut fields)?;
        if let Some(body) = fields.take("requestBody") {
            let (mut body, consumes) = self.request_body(body, &join(at, "requestBody"))?;
            parameters.append(&mut body);
            if consumes != JSON {
                lowered.insert("consumes".into(), json!([consumes]));
            }
        }
        let responses_at = fields.at_key("responses");
        let responses = fields.take("responses").unwrap_or(&Value::Null);
        let (responses, produces) = self.responses(responses, &responses_at)?;
        if !produces.is_empty() && produces != [JSON] {
            lowered.insert("produces".into(), produces.into());
        }
        if !parameters.is_empty() {
            lowered.insert("parameters".into(), parameters.into());
        }
        lowered.insert("responses".into(), responses);
        if let Some(security) = security(&mut fields)? {
            lowered.insert("security".into(), security);
        }
        fields.carry_extensions(&mut lowered);
        fields.finish()?;
        Ok(lowered.into())
    }

    fn parameters(&mut self, fields: &mut Fields<'a>) -> Result<Vec<Value>, LowerError> {
        let at = fields.at_key("parameters");
        let mut lowered = Vec::new();
        for (index, value) in fields.take_array("parameters")?.iter().enumerate() {
            let (value, at) = self.resolve(value, join(&at, &index.to_string()), "parameters")?;
            lowered.push(parameter(&mut self.schemas, value, &at)?);
        }
        Ok(lowered)
    }

    /// Where a reference to a component other than a schema leads: it is written in its place,
    /// because no two operations of this service share one.
    fn resolve(
        &self,
        value: &'a Value,
        at: String,
        kind: &str,
    ) -> Result<(&'a Value, String), LowerError> {
        let Some(reference) = value.get("$ref") else {
            return Ok((value, at));
        };
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let pointer = pointer.filter(|text| text.starts_with(&format!("/components/{kind}/")));
        let found = pointer.and_then(|pointer| Some((self.document.pointer(pointer)?, pointer)));
        match found {
            Some((target, pointer)) if target.get("$ref").is_none() => {
                Ok((target, pointer.to_owned()))
            }
            _ => Err(LowerError::new(
                join(&at, "$ref"),
                format!("{reference} leads to none of the components' {kind}"),
            )),
        }
    }

    /// A JSON body is one parameter named `body`, a form is a parameter for each of its fields.
    /// The second value is the media type.
    fn request_body(
        &mut self,
        value: &'a Value,
        at: &str,
    ) -> Result<(Vec<Value>, &'static str), LowerError> {
        let (value, at) = self.resolve(value, at.to_owned(), "requestBodies")?;
        let mut fields = Fields::of(value, &at)?;
        let mut body = always_required_body(&mut fields)?;
        let content_at = fields.at_key("content");
        let content = fields.take("content").unwrap_or(&Value::Null);
        let mut content = Fields::of(content, &content_at)?;
        let lowered = if let Some(media) = content.take(JSON) {
            let mut media = Fields::of(media, &content.at_key(JSON))?;
            example_as_test_value(&mut media, &mut body);
            let schema = required_schema(&mut media)?;
            let schema = self
                .schemas
                .lower(schema, &media.at_key("schema"), Place::Whole)?;
            media.carry_extensions(&mut body);
            media.finish()?;
            fields.carry_extensions(&mut body);
            body.insert("schema".into(), schema.into());
            (vec![body.into()], JSON)
        } else if let Some(media) = content.take(FORM) {
            let media = Fields::of(media, &content.at_key(FORM))?;
            (self.form(media)?, FORM)
        } else {
            let message = format!("a body is {JSON} or {FORM}");
            return Err(LowerError::new(content_at, message));
        };
        content.finish()?;
        fields.finish()?;
        Ok(lowered)
    }

    fn form(&mut self, mut media: Fields<'a>) -> Result<Vec<Value>, LowerError> {
        let schema = required_schema(&mut media)?;
        let at = media.at_key("schema");
        media.finish()?;
        let (schema, at) = self.resolve(schema, at, "schemas")?;
        let mut fields = Fields::of(schema, &at)?;
        // A form has no schema of its own in 2.0: what describes it as a whole ends with it.
        for key in ["type", "title", "description"] {
            fields.take(key);
        }
        let required = fields.take_array("required")?;
        let at = fields.at_key("properties");
        let properties = fields.take("properties");
        fields.finish()?;
        let mut lowered = Vec::new();
        for (name, property) in members(properties, &at)? {
            let is_required = required.iter().any(|other| other == name.as_str());
            let is_required = is_required && !self.schemas.admits_null(property);
            let at = join(&at, name);
            let schemas = &mut self.schemas;
            lowered.push(form_field(schemas, name, property, is_required, &at)?);
        }
        Ok(lowered)
    }

    /// All responses, and the media types of the successful ones.
    fn responses(
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

const FORM: &str = "multipart/form-data";

/// Power Platform sends the body of an operation that declares one, so it is always required; an
/// optional body would be a form that is there and may not be sent.
fn always_required_body(fields: &mut Fields<'_>) -> Result<Object, LowerError> {
    let mut body = Object::new();
    body.insert("name".into(), "body".into());
    body.insert("in".into(), "body".into());
    fields.carry(&["description"], &mut body);
    fields.take_flag("required")?;
    body.insert("required".into(), true.into());
    Ok(body)
}

fn required_schema<'v>(media: &mut Fields<'v>) -> Result<&'v Value, LowerError> {
    let schema = media.take("schema");
    schema.ok_or_else(|| LowerError::new(media.at(), "a body needs a schema"))
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

/// `[{}]` is how utoipa says that an operation needs no key; 2.0 says it with an empty list. A key
/// that is optional cannot be said.
pub(super) fn security(fields: &mut Fields<'_>) -> Result<Option<Value>, LowerError> {
    let at = fields.at_key("security");
    let Some(security) = fields.take("security") else {
        return Ok(None);
    };
    let requirements = security.as_array().map_or(&[][..], Vec::as_slice);
    let open = |requirement: &Value| requirement.as_object().is_some_and(Map::is_empty);
    match requirements {
        [only] if open(only) => Ok(Some(json!([]))),
        _ if requirements.iter().any(open) => {
            let message = "a key that is optional cannot be said";
            Err(LowerError::new(at, message))
        }
        _ => Ok(Some(security.clone())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::schema::Schemas;
    use super::Operations;

    /// The operation lowered in a document with a few components, or the pointer of what was
    /// refused.
    fn lowered(operation: &Value) -> Result<Value, String> {
        let document = json!({"components": {
            "schemas": {
                "Ask": {"type": "object", "properties": {"prompt": {"type": "string"}}},
                "Form": {"type": "object", "required": ["file", "name"], "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "name": {"type": ["string", "null"]}
                }}
            },
            "parameters": {"Id": {"name": "id", "in": "query", "schema": {"type": "string"}}},
            "responses": {"Failed": {"description": "It failed."}}
        }, "item": {"post": operation}});
        let schemas = Schemas::of(&document);
        let mut operations = Operations {
            document: &document,
            schemas,
        };
        let item = operations.path_item(&document["item"], "");
        let item = item.map_err(|error| error.pointer)?;
        Ok(item["post"].clone())
    }

    fn ok(schema: &Value) -> Value {
        let content = json!({"application/json": {"schema": schema}});
        json!({"200": {"description": "OK", "content": content}})
    }

    fn answers(content: &Value) -> Value {
        json!({"200": {"description": "OK", "content": content}})
    }

    #[test]
    fn a_json_body_is_a_required_parameter_named_body() {
        let operation = json!({"operationId": "Ask", "requestBody": {
            "description": "The question.",
            "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Ask"}, "example": {"prompt": "Hi"}
            }}
        }, "responses": ok(&json!({"type": "object"}))});
        let lowered = lowered(&operation).unwrap();
        let expected = json!({"name": "body", "in": "body", "description": "The question.",
            "required": true, "x-ms-test-value": {"prompt": "Hi"},
            "schema": {"$ref": "#/definitions/Ask"}});
        assert_eq!(lowered["parameters"], json!([expected]));
        assert!(
            lowered.get("consumes").is_none(),
            "JSON is said once, at the top"
        );
    }

    #[test]
    fn a_form_is_a_parameter_for_each_field() {
        let operation = json!({"requestBody": {"content": {"multipart/form-data": {
            "schema": {"$ref": "#/components/schemas/Form"}
        }}}, "responses": ok(&json!({"type": "object"}))});
        let lowered = lowered(&operation).unwrap();
        assert_eq!(lowered["consumes"], json!(["multipart/form-data"]));
        let expected = json!([
            {"name": "file", "in": "formData", "required": true, "type": "file"},
            {"name": "name", "in": "formData", "type": "string"}
        ]);
        assert_eq!(lowered["parameters"], expected);
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

    #[test]
    fn no_key_needed_is_an_empty_list() {
        let responses = ok(&json!({"type": "object"}));
        let open = json!({"responses": responses, "security": [{}]});
        assert_eq!(lowered(&open).unwrap()["security"], json!([]));
        let optional = json!({"responses": responses, "security": [{}, {"key": []}]});
        assert_eq!(lowered(&optional).unwrap_err(), "/post/security");
    }

    #[test]
    fn extensions_texts_and_component_parameters_are_carried() {
        let operation = json!({"tags": ["Chat"], "deprecated": true, "x-ms-visibility": "internal",
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "responses": ok(&json!({"type": "object"}))});
        let lowered = lowered(&operation).unwrap();
        assert_eq!(lowered["tags"], json!(["Chat"]));
        assert_eq!(lowered["deprecated"], true);
        assert_eq!(lowered["x-ms-visibility"], "internal");
        assert_eq!(lowered["parameters"][0]["name"], "id");
    }

    #[test]
    fn what_a_webhook_sends_is_lowered_on_its_path() {
        let item = json!({"x-ms-notification-content": {"description": "A job.",
            "schema": {"type": ["object", "null"]}}});
        let document = json!({});
        let schemas = Schemas::of(&document);
        let mut operations = Operations {
            document: &document,
            schemas,
        };
        let lowered = operations.path_item(&item, "").unwrap();
        let content = &lowered["x-ms-notification-content"];
        assert_eq!(
            *content,
            json!({"description": "A job.", "schema": {"type": "object"}})
        );
    }

    #[test]
    fn what_an_operation_cannot_say_is_refused_where_it_stands() {
        let body = |content: Value| json!({"requestBody": {"content": content}});
        let media = json!({"schema": {"type": "object"}});
        let both = json!({"application/json": media, "text/plain": media});
        let form = |schema: Value| body(json!({"multipart/form-data": {"schema": schema}}));
        let answer = |response: Value| json!({"responses": {"200": response}});
        for (operation, pointer) in [
            (json!({"callbacks": {}}), "/post/callbacks"),
            (json!({"servers": []}), "/post/servers"),
            (
                json!({"parameters": [{"$ref": "#/components/parameters/No"}]}),
                "/post/parameters/0/$ref",
            ),
            (
                body(json!({"text/plain": media})),
                "/post/requestBody/content",
            ),
            (body(both), "/post/requestBody/content/text~1plain"),
            (
                body(json!({"application/json": {}})),
                "/post/requestBody/content/application~1json",
            ),
            (
                body(json!({"application/json": {"schema": {"type": "object"}, "encoding": {}}})),
                "/post/requestBody/content/application~1json/encoding",
            ),
            (
                form(json!({"type": "object"})),
                "/post/requestBody/content/multipart~1form-data/schema/properties",
            ),
            (
                form(json!({"type": "object", "properties": {"a": {"type": "object"}}})),
                "/post/requestBody/content/multipart~1form-data/schema/properties/a",
            ),
            (answer(json!({"links": {}})), "/post/responses/200/links"),
            (json!({"responses": {"2XX": {}}}), "/post/responses/2XX"),
            (
                answer(
                    json!({"content": {"application/json": {"examples": {}, "schema": {
                "type": "object"}}}}),
                ),
                "/post/responses/200/content/application~1json/examples",
            ),
        ] {
            let mut whole = json!({"responses": {}});
            whole
                .as_object_mut()
                .unwrap()
                .extend(operation.as_object().unwrap().clone());
            assert_eq!(lowered(&whole).unwrap_err(), pointer, "{operation}");
        }
    }
}
