//! A definition as the rules look at it: its operations, parameters and schemas in flat lists.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::join;

/// What the rules see of a definition.
pub(super) struct Definition<'a> {
    pub(super) root: &'a Value,
    pub(super) operations: Vec<Operation<'a>>,
    /// Every parameter once, those of a path item too.
    pub(super) parameters: Vec<Parameter<'a>>,
    /// Every schema at every depth, without following `$ref`.
    pub(super) schemas: Vec<Schema<'a>>,
}

/// One method of one path.
pub(super) struct Operation<'a> {
    pub(super) at: String,
    pub(super) item_at: String,
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    pub(super) value: &'a Value,
    pub(super) item: &'a Value,
}

/// One parameter, where it is used; `value` is what a `$ref` leads to.
pub(super) struct Parameter<'a> {
    pub(super) at: String,
    pub(super) path: &'a str,
    pub(super) value: &'a Value,
}

/// One schema.
pub(super) struct Schema<'a> {
    pub(super) at: String,
    pub(super) value: &'a Value,
    pub(super) role: Role<'a>,
    /// Index of the schema it is part of.
    pub(super) parent: Option<usize>,
    /// Whether it is part of what a maker sends.
    pub(super) is_input: bool,
}

/// What a schema is to what holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role<'a> {
    /// All of a body parameter.
    Body,
    /// All of a response.
    Response,
    /// All of what a webhook sends.
    Notification,
    /// A named definition.
    Definition,
    /// A parameter that is no body: it is its own schema in Swagger 2.0.
    Parameter {
        required: bool,
    },
    /// A response header, likewise.
    Header,
    Property {
        name: &'a str,
        required: bool,
    },
    Items,
    MapValue,
    Part,
}

impl<'a> Definition<'a> {
    pub(super) fn of(root: &'a Value) -> Self {
        let mut definition = Self {
            root,
            operations: Vec::new(),
            parameters: Vec::new(),
            schemas: Vec::new(),
        };
        for (path, item) in members(&root["paths"]) {
            let item_at = join("/paths", path);
            definition.add_item(path, item, &item_at);
        }
        let inputs = definition.input_definitions();
        for (name, schema) in members(&root["definitions"]) {
            let at = join("/definitions", name);
            let is_input = inputs.contains(name);
            definition.add_schema(schema, at, Role::Definition, None, is_input);
        }
        definition
    }

    fn add_item(&mut self, path: &'a str, item: &'a Value, item_at: &str) {
        self.add_parameters(path, item, item_at);
        for (method, value) in members(item) {
            let at = join(item_at, method);
            if method == "x-ms-notification-content" {
                let at = join(&at, "schema");
                self.add_root(value.get("schema"), at, Role::Notification);
            }
            if !METHODS.contains(&method) {
                continue;
            }
            self.add_parameters(path, value, &at);
            for (code, response) in members(&value["responses"]) {
                let at = join(&join(&at, "responses"), code);
                let response = self.component(response);
                self.add_root(response.get("schema"), join(&at, "schema"), Role::Response);
                for (name, header) in members(&response["headers"]) {
                    let at = join(&join(&at, "headers"), name);
                    self.add_root(Some(header), at, Role::Header);
                }
            }
            self.operations.push(Operation {
                at,
                item_at: item_at.to_owned(),
                path,
                method,
                value,
                item,
            });
        }
    }

    fn add_parameters(&mut self, path: &'a str, holder: &'a Value, at: &str) {
        for (index, value) in elements(&holder["parameters"]).enumerate() {
            let at = join(&join(at, "parameters"), &index.to_string());
            let value = self.component(value);
            let required = value["required"] == true;
            if value["in"] == "body" {
                self.add_root(value.get("schema"), join(&at, "schema"), Role::Body);
            } else if value.get("$ref").is_none() {
                self.add_root(Some(value), at.clone(), Role::Parameter { required });
            }
            self.parameters.push(Parameter { at, path, value });
        }
    }

    fn add_root(&mut self, schema: Option<&'a Value>, at: String, role: Role<'a>) {
        if let Some(schema) = schema {
            let is_input = matches!(role, Role::Body | Role::Parameter { .. });
            self.add_schema(schema, at, role, None, is_input);
        }
    }

    fn add_schema(
        &mut self,
        value: &'a Value,
        at: String,
        role: Role<'a>,
        parent: Option<usize>,
        is_input: bool,
    ) {
        let here = Some(self.schemas.len());
        let children = children(value);
        let parts = children.map(|(path, role, child)| {
            let at = path.iter().fold(at.clone(), |at, key| join(&at, key));
            (at, role, child)
        });
        let parts: Vec<_> = parts.collect();
        self.schemas.push(Schema {
            at,
            value,
            role,
            parent,
            is_input,
        });
        for (at, role, child) in parts {
            self.add_schema(child, at, role, here, is_input);
        }
    }

    /// Names of the definitions that a body uses, directly or through others.
    fn input_definitions(&self) -> BTreeSet<&'a str> {
        let bodies = self.schemas.iter().filter(|schema| schema.is_input);
        self.reached_from(bodies.map(|schema| schema.value))
    }

    /// Names of the definitions that the values use, directly or through others.
    pub(super) fn reached_from(
        &self,
        values: impl Iterator<Item = &'a Value>,
    ) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut left: Vec<&Value> = values.collect();
        while let Some(value) = left.pop() {
            match value {
                Value::Object(object) => left.extend(object.values()),
                Value::Array(array) => left.extend(array),
                Value::String(text) => {
                    if let Some(name) = text.strip_prefix(DEFINITIONS)
                        && let Some((name, schema)) = self.definition(name)
                        && reached.insert(name)
                    {
                        left.push(schema);
                    }
                }
                _ => {}
            }
        }
        reached
    }

    fn definition(&self, name: &str) -> Option<(&'a str, &'a Value)> {
        let definitions = self.root.get("definitions")?.as_object()?;
        let (name, schema) = definitions.get_key_value(name)?;
        Some((name.as_str(), schema))
    }

    /// Where a reference to `#/parameters` or `#/responses` leads, else the value itself.
    fn component(&self, value: &'a Value) -> &'a Value {
        let pointer = value.get("$ref").and_then(Value::as_str);
        let pointer = pointer.and_then(|text| text.strip_prefix('#'));
        let target = pointer.and_then(|pointer| self.root.pointer(pointer));
        target.unwrap_or(value)
    }

    /// The schema itself, or the definition it refers to. A reference that leads nowhere, or only
    /// in a circle, is the business of other rules.
    pub(super) fn resolve(&self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        for _ in 0..16 {
            let name = schema.get("$ref").and_then(Value::as_str);
            let name = name.and_then(|text| text.strip_prefix(DEFINITIONS));
            match name.and_then(|name| self.definition(name)) {
                Some((_, target)) => schema = target,
                None => break,
            }
        }
        schema
    }

    /// A property of an object, also one of its parts.
    pub(super) fn property(&self, schema: &'a Value, name: &str) -> Option<&'a Value> {
        let schema = self.resolve(schema);
        let own = schema.get("properties").and_then(|all| all.get(name));
        own.or_else(|| {
            let mut parts = elements(&schema["allOf"]);
            parts.find_map(|part| part.get("properties")?.get(name))
        })
    }

    /// The parameters of an operation, its path item's too.
    pub(super) fn parameters_of(
        &self,
        operation: &Operation<'a>,
    ) -> impl Iterator<Item = &Parameter<'a>> {
        let own = format!("{}/parameters/", operation.at);
        let shared = format!("{}/parameters/", operation.item_at);
        let parameters = self.parameters.iter();
        parameters.filter(move |parameter| {
            [&own, &shared]
                .iter()
                .any(|at| parameter.at.starts_with(*at))
        })
    }

    /// The operation with this id.
    pub(super) fn operation(&self, id: &str) -> Option<&Operation<'a>> {
        let mut operations = self.operations.iter();
        operations.find(|operation| operation.text("operationId") == id)
    }
}

impl<'a> Operation<'a> {
    /// A string member, empty when it is missing.
    pub(super) fn text(&self, key: &str) -> &'a str {
        text(self.value, key)
    }

    pub(super) fn is_trigger(&self) -> bool {
        self.value.get("x-ms-trigger").is_some()
    }

    pub(super) fn is_internal(&self) -> bool {
        is_internal(self.value)
    }

    /// Code, place and value of each response.
    pub(super) fn responses(&self) -> impl Iterator<Item = (&'a str, String, &'a Value)> {
        let at = join(&self.at, "responses");
        let responses = members(&self.value["responses"]);
        responses
            .filter(|(code, _)| !code.starts_with("x-"))
            .map(move |(code, response)| (code, join(&at, code), response))
    }

    /// The schema of the successful answer: 200, else 201, which is what the designer shows.
    pub(super) fn success_schema(&self) -> Option<&'a Value> {
        let responses = self.value.get("responses")?;
        let mut codes = ["200", "201"].iter();
        codes.find_map(|code| responses.get(*code)?.get("schema"))
    }
}

impl<'a> Parameter<'a> {
    pub(super) fn name(&self) -> &'a str {
        text(self.value, "name")
    }

    pub(super) fn location(&self) -> &'a str {
        text(self.value, "in")
    }
}

impl<'a> Schema<'a> {
    /// The type when it is one string.
    pub(super) fn kind(&self) -> Option<&'a str> {
        self.value.get("type").and_then(Value::as_str)
    }

    /// Whether a `$ref` stands in its place.
    pub(super) fn is_reference(&self) -> bool {
        self.value.get("$ref").is_some()
    }

    pub(super) fn is_required(&self) -> bool {
        matches!(
            self.role,
            Role::Property { required: true, .. } | Role::Parameter { required: true }
        )
    }

    /// Whether it is something a maker sees a label of.
    pub(super) fn is_labelled(&self) -> bool {
        matches!(self.role, Role::Property { .. } | Role::Parameter { .. })
    }
}

pub(super) const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

pub(super) const DEFINITIONS: &str = "#/definitions/";

/// A string member, empty when it is missing.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn is_internal(value: &Value) -> bool {
    text(value, "x-ms-visibility") == "internal"
}

/// The members of an object, none when it is something else.
pub(super) fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let object = value.as_object().into_iter().flatten();
    object.map(|(key, value)| (key.as_str(), value))
}

/// The elements of an array, none when it is something else.
pub(super) fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The schemas directly inside a schema, each with its path from there.
pub(super) fn children(schema: &Value) -> impl Iterator<Item = (Vec<String>, Role<'_>, &Value)> {
    let required = &schema["required"];
    let properties = members(&schema["properties"]).map(move |(name, property)| {
        let required = elements(required).any(|other| other == name);
        let path = vec!["properties".to_owned(), name.to_owned()];
        (path, Role::Property { name, required }, property)
    });
    let singles = [
        ("items", Role::Items),
        ("additionalProperties", Role::MapValue),
        ("not", Role::Part),
    ];
    let singles = singles.into_iter().filter_map(|(key, role)| {
        let child = schema.get(key).filter(|child| child.is_object())?;
        Some((vec![key.to_owned()], role, child))
    });
    let parts = ["allOf", "oneOf", "anyOf"].into_iter().flat_map(|key| {
        let parts = elements(&schema[key]).enumerate();
        parts.map(move |(index, part)| (vec![key.to_owned(), index.to_string()], Role::Part, part))
    });
    properties.chain(singles).chain(parts)
}

/// Calls `visit` for every object outside sample values, with where it stands.
pub(super) fn every_object<'a>(
    value: &'a Value,
    at: &str,
    visit: &mut dyn FnMut(&str, &'a Map<String, Value>),
) {
    match value {
        Value::Object(object) => {
            visit(at, object);
            for (key, value) in object {
                if !SAMPLE_VALUES.contains(&key.as_str()) {
                    every_object(value, &join(at, key), visit);
                }
            }
        }
        Value::Array(array) => {
            for (index, value) in array.iter().enumerate() {
                every_object(value, &join(at, &index.to_string()), visit);
            }
        }
        _ => {}
    }
}

/// Keys whose values are data, not definition.
pub(super) const SAMPLE_VALUES: [&str; 5] =
    ["default", "enum", "example", "examples", "x-ms-test-value"];
