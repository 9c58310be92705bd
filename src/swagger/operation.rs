//! Lowering operations: their parameters and bodies.

use serde_json::{Map, Value, json};

use super::fields::{Fields, Object};
use super::lower::members;
use super::parameter::{example_as_test_value, form_field, parameter};
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
    pub(super) fn resolve(
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

pub(super) fn required_schema<'v>(media: &mut Fields<'v>) -> Result<&'v Value, LowerError> {
    let schema = media.take("schema");
    schema.ok_or_else(|| LowerError::new(media.at(), "a body needs a schema"))
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
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::super::schema::Schemas;
    use super::Operations;

    /// The operation lowered in a document with a few components, or the pointer of what was
    /// refused.
    pub(in crate::swagger) fn lowered(operation: &Value) -> Result<Value, String> {
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

    pub(in crate::swagger) fn ok(schema: &Value) -> Value {
        let content = json!({"application/json": {"schema": schema}});
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
