//! Lowering the whole document, `OpenAPI` 3.1 as utoipa 6 writes it, to Swagger 2.0.

use serde_json::{Value, json};

use super::fields::{Fields, Object};
use super::operation::{JSON, Operations, security};
use super::schema::Schemas;
use super::{LowerError, Target, join};

/// Lowers the service's `OpenAPI` 3.1 document to the Swagger 2.0 definition of the connector.
///
/// It fails with the JSON pointer on whatever Swagger 2.0 or Power Platform cannot say, and drops
/// nothing in silence: each deliberate change is a function of its own that says its rule and why.
pub fn lower(document: &Value, target: &Target) -> Result<Value, LowerError> {
    let mut fields = Fields::of(document, "")?;
    require_3_1(&mut fields)?;
    target_replaces_servers(&mut fields);
    let mut lowered = Object::new();
    lowered.insert("swagger".into(), "2.0".into());
    let info_at = fields.at_key("info");
    lowered.insert("info".into(), info(fields.take("info"), &info_at)?);
    lowered.insert("host".into(), target.host.clone().into());
    lowered.insert("basePath".into(), target.base_path.clone().into());
    lowered.insert("schemes".into(), json!([target.scheme]));
    lowered.insert("consumes".into(), json!([JSON]));
    lowered.insert("produces".into(), json!([JSON]));
    let mut operations = Operations {
        document,
        schemas: Schemas::of(document),
    };
    let mut paths = Object::new();
    let paths_at = fields.at_key("paths");
    for (path, item) in members(fields.take("paths"), &paths_at)? {
        let at = join(&paths_at, path);
        let relative = below_base_path(path, target, &at)?;
        paths.insert(relative, operations.path_item(item, &at)?);
    }
    lowered.insert("paths".into(), paths.into());
    let mut definitions = operations.schemas.into_definitions();
    definitions.sort_keys();
    if !definitions.is_empty() {
        lowered.insert("definitions".into(), definitions.into());
    }
    let components_at = fields.at_key("components");
    if let Some(components) = fields.take("components") {
        let schemes = security_definitions(components, &components_at)?;
        if !schemes.is_empty() {
            lowered.insert("securityDefinitions".into(), schemes.into());
        }
    }
    if let Some(security) = security(&mut fields)? {
        lowered.insert("security".into(), security);
    }
    tags(&mut fields, &mut lowered)?;
    fields.carry(&["externalDocs"], &mut lowered);
    fields.carry_extensions(&mut lowered);
    fields.finish()?;
    Ok(lowered.into())
}

pub(super) fn members<'a>(
    value: Option<&'a Value>,
    at: &str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, LowerError> {
    let object = value.and_then(Value::as_object);
    let object = object.ok_or_else(|| LowerError::new(at, "an object is expected here"))?;
    Ok(object.iter())
}

fn require_3_1(fields: &mut Fields<'_>) -> Result<(), LowerError> {
    match fields.take_text("openapi")? {
        Some(version) if version.starts_with("3.1") => Ok(()),
        _ => Err(LowerError::new("/openapi", "OpenAPI 3.1 is expected")),
    }
}

/// The 3.1 document names the address it was served from. The connector has one host, and it is the
/// target's: the platform has no choice of servers.
fn target_replaces_servers(fields: &mut Fields<'_>) {
    fields.take("servers");
}

/// In 2.0 paths are relative to `basePath`; the service's own carry it as a prefix.
fn below_base_path(path: &str, target: &Target, at: &str) -> Result<String, LowerError> {
    let base = target.base_path.trim_end_matches('/');
    match path.strip_prefix(base) {
        Some("") => Ok("/".to_owned()),
        Some(relative) if relative.starts_with('/') => Ok(relative.to_owned()),
        _ => {
            let message = format!("the path is not below the base path {}", target.base_path);
            Err(LowerError::new(at, message))
        }
    }
}

fn info(value: Option<&Value>, at: &str) -> Result<Value, LowerError> {
    let mut fields = Fields::of(value.unwrap_or(&Value::Null), at)?;
    let mut lowered = Object::new();
    let keys = ["title", "description", "termsOfService", "version"];
    fields.carry(&keys, &mut lowered);
    if let Some(contact) = fields.take("contact") {
        let mut contact = Fields::of(contact, &join(at, "contact"))?;
        let mut inner = Object::new();
        contact.carry(&["name", "url", "email"], &mut inner);
        contact.carry_extensions(&mut inner);
        contact.finish()?;
        lowered.insert("contact".into(), inner.into());
    }
    if let Some(license) = fields.take("license") {
        let license = Fields::of(license, &join(at, "license"))?;
        if let Some(license) = license_without_identifier(license)? {
            lowered.insert("license".into(), license.into());
        }
    }
    fields.carry_extensions(&mut lowered);
    fields.finish()?;
    Ok(lowered.into())
}

/// The SPDX `identifier` is new in 3.1. 2.0 has the name, which the identifier fills when it is
/// empty (utoipa writes an empty name for a crate that gives only the identifier), and the URL. A
/// license without either says nothing and is left out.
fn license_without_identifier(mut license: Fields<'_>) -> Result<Option<Object>, LowerError> {
    let name = license.take_text("name")?.filter(|name| !name.is_empty());
    let identifier = license.take_text("identifier")?;
    let mut lowered = Object::new();
    if let Some(name) = name.or(identifier) {
        lowered.insert("name".into(), name.into());
    }
    license.carry(&["url"], &mut lowered);
    license.carry_extensions(&mut lowered);
    license.finish()?;
    Ok(Some(lowered).filter(|lowered| !lowered.is_empty()))
}

/// The components that are not written where they are used: only security schemes.
fn security_definitions(components: &Value, at: &str) -> Result<Object, LowerError> {
    let mut fields = Fields::of(components, at)?;
    let schemes_at = fields.at_key("securitySchemes");
    let schemes = fields.take("securitySchemes");
    for elsewhere in WRITTEN_WHERE_USED {
        fields.take(elsewhere);
    }
    fields.finish()?;
    let mut lowered = Object::new();
    if schemes.is_some() {
        for (name, scheme) in members(schemes, &schemes_at)? {
            let scheme = security_scheme(scheme, &join(&schemes_at, name))?;
            lowered.insert(name.clone(), scheme.into());
        }
    }
    Ok(lowered)
}

/// Schemas become definitions when something refers to them; the others are written in the place of
/// their `$ref`, and what nothing refers to is left out.
const WRITTEN_WHERE_USED: [&str; 5] = [
    "schemas",
    "responses",
    "parameters",
    "requestBodies",
    "headers",
];

/// An API key or HTTP Basic. A bearer scheme has no 2.0 form: declare the `Authorization` header as
/// an API key instead.
fn security_scheme(scheme: &Value, at: &str) -> Result<Object, LowerError> {
    let mut fields = Fields::of(scheme, at)?;
    let mut lowered = Object::new();
    let kind = fields.take_text("type")?.unwrap_or_default();
    let http = fields.take_text("scheme")?.unwrap_or_default();
    match (kind, http.to_lowercase().as_str()) {
        ("apiKey", "") => {
            let place_at = fields.at_key("in");
            lowered.insert("type".into(), "apiKey".into());
            fields.carry(&["name", "in"], &mut lowered);
            let place = lowered.get("in").and_then(Value::as_str);
            if !matches!(place, Some("header" | "query")) {
                let message = "an API key is in a header or in the query";
                return Err(LowerError::new(place_at, message));
            }
        }
        ("http", "basic") => {
            lowered.insert("type".into(), "basic".into());
        }
        _ => {
            let message = "only an API key or HTTP Basic can be said; \
                           declare a bearer token as an API key in the header Authorization";
            return Err(LowerError::new(at, message));
        }
    }
    fields.carry(&["description"], &mut lowered);
    fields.carry_extensions(&mut lowered);
    fields.finish()?;
    Ok(lowered)
}

fn tags(fields: &mut Fields<'_>, into: &mut Object) -> Result<(), LowerError> {
    let at = fields.at_key("tags");
    if fields.get("tags").is_none() {
        return Ok(());
    }
    let mut lowered = Vec::new();
    for (index, tag) in fields.take_array("tags")?.iter().enumerate() {
        let mut tag = Fields::of(tag, &join(&at, &index.to_string()))?;
        let mut inner = Object::new();
        tag.carry(&["name", "description", "externalDocs"], &mut inner);
        tag.carry_extensions(&mut inner);
        tag.finish()?;
        lowered.push(inner.into());
    }
    into.insert("tags".into(), Value::Array(lowered));
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Target;
    use super::lower;

    fn target() -> Target {
        Target {
            host: "gw.example.com".into(),
            base_path: "/api".into(),
            scheme: "https".into(),
        }
    }

    fn document() -> Value {
        let answer = json!({"$ref": "#/components/schemas/Model"});
        let ok = json!({"200": {"description": "OK", "content": {
            "application/json": {"schema": answer}}}});
        json!({
            "openapi": "3.1.0",
            "info": {"title": "Gateway", "version": "1", "description": "Models.",
                "contact": {"name": "N", "email": "n@example.com"},
                "license": {"name": "", "identifier": "MIT"},
                "x-ms-api-annotation": {"status": "Preview"}},
            "servers": [{"url": "http://localhost:8080"}],
            "paths": {"/api/v1/model": {"get": {"operationId": "GetModel", "responses": ok}}},
            "components": {
                "schemas": {
                    "Unused": {"oneOf": "nobody looks"},
                    "Model": {"type": "object", "properties": {"id": {"type": "string"}}}
                },
                "securitySchemes": {
                    "api_key": {"type": "apiKey", "in": "header", "name": "Authorization"},
                    "basic": {"type": "http", "scheme": "basic", "description": "Key as password."}
                }
            },
            "security": [{"api_key": []}],
            "tags": [{"name": "Models", "description": "About models."}],
            "externalDocs": {"url": "https://example.com"},
            "x-ms-connector-metadata": []
        })
    }

    #[test]
    fn a_document_becomes_a_definition() {
        let expected = json!({
            "swagger": "2.0",
            "info": {"title": "Gateway", "description": "Models.", "version": "1",
                "contact": {"name": "N", "email": "n@example.com"},
                "license": {"name": "MIT"},
                "x-ms-api-annotation": {"status": "Preview"}},
            "host": "gw.example.com",
            "basePath": "/api",
            "schemes": ["https"],
            "consumes": ["application/json"],
            "produces": ["application/json"],
            "paths": {"/v1/model": {"get": {"operationId": "GetModel", "responses": {
                "200": {"description": "OK", "schema": {"$ref": "#/definitions/Model"}},
                "default": {"description": "The operation failed."}
            }}}},
            "definitions": {
                "Model": {"type": "object", "properties": {"id": {"type": "string"}}}
            },
            "securityDefinitions": {
                "api_key": {"type": "apiKey", "name": "Authorization", "in": "header"},
                "basic": {"type": "basic", "description": "Key as password."}
            },
            "security": [{"api_key": []}],
            "tags": [{"name": "Models", "description": "About models."}],
            "externalDocs": {"url": "https://example.com"},
            "x-ms-connector-metadata": []
        });
        assert_eq!(lower(&document(), &target()).unwrap(), expected);
    }

    #[test]
    fn a_license_that_says_nothing_is_left_out() {
        let mut document = document();
        document["info"]["license"] = json!({"name": ""});
        let definition = lower(&document, &target()).unwrap();
        assert!(definition["info"].get("license").is_none());
        document["info"]["license"] = json!({"name": "MIT", "url": "https://example.com"});
        let definition = lower(&document, &target()).unwrap();
        assert_eq!(definition["info"]["license"], document["info"]["license"]);
    }

    #[test]
    fn a_base_path_of_a_slash_keeps_paths_as_they_are() {
        let mut target = target();
        target.base_path = "/".into();
        let definition = lower(&document(), &target).unwrap();
        assert!(definition["paths"].get("/api/v1/model").is_some());
    }

    #[test]
    fn what_a_definition_cannot_say_is_refused_where_it_stands() {
        for (at, value, pointer) in [
            ("/openapi", json!("3.0.3"), "/openapi"),
            ("/info", json!("x"), "/info"),
            ("/info/summary", json!("x"), "/info/summary"),
            ("/info/license/other", json!("x"), "/info/license/other"),
            ("/webhooks", json!({}), "/webhooks"),
            ("/jsonSchemaDialect", json!("x"), "/jsonSchemaDialect"),
            ("/components/links", json!({}), "/components/links"),
            (
                "/components/securitySchemes/b",
                json!({"type": "http", "scheme": "bearer"}),
                "/components/securitySchemes/b",
            ),
            (
                "/components/securitySchemes/b",
                json!({"type": "oauth2", "flows": {}}),
                "/components/securitySchemes/b",
            ),
            (
                "/components/securitySchemes/b",
                json!({"type": "apiKey", "in": "cookie"}),
                "/components/securitySchemes/b/in",
            ),
            ("/tags/0/parent", json!("x"), "/tags/0/parent"),
            ("/paths/~1v1~1else", json!({}), "/paths/~1v1~1else"),
            ("/paths/~1apis", json!({}), "/paths/~1apis"),
            (
                "/paths/~1api~1v1~1model/trace",
                json!({}),
                "/paths/~1api~1v1~1model/trace",
            ),
            (
                "/paths/~1api~1v1~1model/summary",
                json!("x"),
                "/paths/~1api~1v1~1model/summary",
            ),
        ] {
            let mut document = document();
            let (holder, key) = at.rsplit_once('/').unwrap();
            let holder = document
                .pointer_mut(holder)
                .unwrap()
                .as_object_mut()
                .unwrap();
            holder.insert(key.replace("~1", "/"), value);
            assert_eq!(lower(&document, &target()).unwrap_err().pointer, pointer);
        }
    }
}
