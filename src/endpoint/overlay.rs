//! What the definition says of inputs that a Rust type cannot say: visibility, dropdowns, names.
//!
//! utoipa drops extensions on references, objects and lists, so they stand in a table beside the
//! type and are put into the OpenAPI document by its path. A path that names nothing is an error.

use serde_json::{Map, Value, json};

/// One place of the document and what is said there.
#[derive(Clone, Copy, Debug)]
pub struct Overlay {
    /// The place.
    pub at: At,
    /// What is said.
    pub set: &'static [Set],
}

/// A place in the OpenAPI document.
#[derive(Clone, Copy, Debug)]
pub enum At {
    /// A schema and one of its properties.
    Property(&'static str, &'static str),
    /// A schema and all of its properties.
    Properties(&'static str),
    /// A schema and the items of one of its lists.
    Items(&'static str, &'static str),
    /// An operation and one of its parameters.
    Parameter(&'static str, &'static str),
    /// An operation and all of its parameters.
    Parameters(&'static str),
    /// A schema.
    Schema(&'static str),
    /// An operation and the body of its success.
    Success(&'static str),
    /// An operation and the path that it stands at, with all its methods.
    PathItem(&'static str),
}

/// What can be said of a place.
#[derive(Clone, Copy, Debug)]
pub enum Set {
    /// `x-ms-visibility`: behind "Show all".
    Advanced,
    /// `x-ms-visibility`: not shown to makers.
    Internal,
    /// The values come from another operation.
    Dropdown(Dropdown),
    /// The names of an enum's values: pairs of value and display name.
    Names(&'static [(&'static str, &'static str)]),
    /// The optional properties of another schema, but for those named, join this one's in one flat
    /// object. As parts of an `allOf` they could not: each part refuses what it does not know.
    Flatten(&'static str, &'static [&'static str]),
    /// The answer's fields are told by another operation, which is asked with properties of the
    /// body and answers a JSON Schema under `schema`.
    DynamicSchema(&'static str, &'static [&'static str]),
    /// The address at which a flow waits; the platform fills it in.
    NotificationUrl,
    /// A schema, and what it describes: what a webhook is sent.
    Notification(&'static str, &'static str),
}

/// A list of values that another operation of the definition answers.
#[derive(Clone, Copy, Debug)]
pub struct Dropdown {
    /// The operation.
    pub operation: &'static str,
    /// Its parameters: name and source.
    pub parameters: &'static [(&'static str, Source)],
}

/// Where a parameter of a dropdown's operation comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A fixed text.
    Text(&'static str),
    /// Another property of the body.
    Body(&'static str),
    /// Another parameter.
    Parameter(&'static str),
}

impl Overlay {
    /// An overlay of one property.
    #[must_use]
    pub const fn property(
        schema: &'static str,
        property: &'static str,
        set: &'static [Set],
    ) -> Self {
        Self {
            at: At::Property(schema, property),
            set,
        }
    }

    /// An overlay of the items of a property's list.
    #[must_use]
    pub const fn items(schema: &'static str, property: &'static str, set: &'static [Set]) -> Self {
        Self {
            at: At::Items(schema, property),
            set,
        }
    }

    /// An overlay of a list of values.
    #[must_use]
    pub const fn names(schema: &'static str, set: &'static [Set]) -> Self {
        Self {
            at: At::Schema(schema),
            set,
        }
    }

    /// Puts it into `document`.
    ///
    /// # Errors
    ///
    /// A sentence that names the place, if the document does not have it.
    pub fn apply(&self, document: &mut Value) -> Result<(), String> {
        for set in self.set {
            if let Set::Flatten(schema, without) = set {
                let others = properties_of(document, schema, without)
                    .ok_or_else(|| format!("{set:?} names nothing in the document"))?;
                for place in self.places(document)? {
                    let own = place.get_mut("properties").and_then(Value::as_object_mut);
                    let own = own.ok_or_else(|| format!("{:?} has no properties", self.at))?;
                    own.extend(others.clone());
                }
            }
        }
        for place in self.places(document)? {
            for set in self.set {
                set.write(place);
            }
        }
        Ok(())
    }

    fn places<'a>(
        &self,
        document: &'a mut Value,
    ) -> Result<Vec<&'a mut Map<String, Value>>, String> {
        let missing = || format!("the overlay {:?} names nothing in the document", self.at);
        let places = match self.at {
            At::Schema(schema) => vec![schema_mut(document, schema).ok_or_else(missing)?],
            At::Property(schema, property) => {
                let properties = properties_mut(document, schema).ok_or_else(missing)?;
                vec![
                    properties
                        .get_mut(property)
                        .and_then(Value::as_object_mut)
                        .ok_or_else(missing)?,
                ]
            }
            At::Items(schema, property) => {
                let properties = properties_mut(document, schema).ok_or_else(missing)?;
                let items = properties
                    .get_mut(property)
                    .and_then(|list| list.get_mut("items"));
                vec![items.and_then(Value::as_object_mut).ok_or_else(missing)?]
            }
            At::Properties(schema) => {
                let properties = properties_mut(document, schema).ok_or_else(missing)?;
                properties
                    .values_mut()
                    .filter_map(Value::as_object_mut)
                    .collect()
            }
            At::Success(id) => {
                let operation = operation_mut(document, id).ok_or_else(missing)?;
                let schema = operation
                    .get_mut("responses")
                    .and_then(|all| {
                        all.get_mut("200")?
                            .get_mut("content")?
                            .get_mut("application/json")
                    })
                    .and_then(|media| media.get_mut("schema"));
                vec![schema.and_then(Value::as_object_mut).ok_or_else(missing)?]
            }
            At::PathItem(id) => {
                let paths = document.get_mut("paths").and_then(Value::as_object_mut);
                let found = paths
                    .into_iter()
                    .flat_map(Map::values_mut)
                    .filter_map(Value::as_object_mut)
                    .find(|item| item.values().any(|method| method["operationId"] == id));
                vec![found.ok_or_else(missing)?]
            }
            At::Parameters(id) => {
                let operation = operation_mut(document, id).ok_or_else(missing)?;
                let parameters = operation
                    .get_mut("parameters")
                    .and_then(Value::as_array_mut)
                    .ok_or_else(missing)?;
                parameters
                    .iter_mut()
                    .filter_map(Value::as_object_mut)
                    .collect()
            }
            At::Parameter(id, name) => {
                let operation = operation_mut(document, id).ok_or_else(missing)?;
                let parameters = operation
                    .get_mut("parameters")
                    .and_then(Value::as_array_mut)
                    .ok_or_else(missing)?;
                let found = parameters
                    .iter_mut()
                    .find(|parameter| parameter["name"] == name);
                vec![found.and_then(Value::as_object_mut).ok_or_else(missing)?]
            }
        };
        Ok(places)
    }
}

/// The properties of `schema` but for those `without`, all of which it must have.
fn properties_of(
    document: &mut Value,
    schema: &str,
    without: &[&str],
) -> Option<Map<String, Value>> {
    let mut properties = properties_mut(document, schema)?.clone();
    for name in without {
        properties.shift_remove(*name)?;
    }
    Some(properties)
}

fn schema_mut<'a>(document: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    document
        .get_mut("components")?
        .get_mut("schemas")?
        .get_mut(name)?
        .as_object_mut()
}

/// The properties of a schema; of a schema that is put together with `allOf`, its own ones.
fn properties_mut<'a>(document: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    let schema = schema_mut(document, name)?;
    let own = if schema.contains_key("properties") {
        schema
    } else {
        schema
            .get_mut("allOf")?
            .as_array_mut()?
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .find(|part| part.contains_key("properties"))?
    };
    own.get_mut("properties")?.as_object_mut()
}

fn operation_mut<'a>(document: &'a mut Value, id: &str) -> Option<&'a mut Map<String, Value>> {
    document
        .get_mut("paths")?
        .as_object_mut()?
        .values_mut()
        .filter_map(Value::as_object_mut)
        .flat_map(Map::values_mut)
        .find(|operation| operation["operationId"] == id)?
        .as_object_mut()
}

impl Set {
    fn write(&self, place: &mut Map<String, Value>) {
        match self {
            Self::Advanced => drop(place.insert("x-ms-visibility".to_owned(), "advanced".into())),
            Self::Internal => drop(place.insert("x-ms-visibility".to_owned(), "internal".into())),
            // Needs the rest of the document; done in `apply`.
            Self::Flatten(..) => {}
            Self::NotificationUrl => {
                place.insert("x-ms-notification-url".to_owned(), true.into());
                place.insert("x-ms-visibility".to_owned(), "internal".into());
            }
            Self::Notification(schema, description) => {
                let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
                place.insert(
                    "x-ms-notification-content".to_owned(),
                    json!({"description": description, "schema": schema}),
                );
            }
            Self::DynamicSchema(operation, properties) => {
                let old: Map<String, Value> = properties
                    .iter()
                    .map(|name| ((*name).to_owned(), json!({"parameter": name})))
                    .collect();
                let new: Map<String, Value> = properties
                    .iter()
                    .map(|name| {
                        let source = json!({"parameterReference": format!("body/{name}")});
                        ((*name).to_owned(), source)
                    })
                    .collect();
                place.insert(
                    "x-ms-dynamic-schema".to_owned(),
                    json!({"operationId": operation, "parameters": old, "value-path": "schema"}),
                );
                place.insert(
                    "x-ms-dynamic-properties".to_owned(),
                    json!({"operationId": operation, "parameters": new, "itemValuePath": "schema"}),
                );
            }
            Self::Names(names) => {
                let names = names
                    .iter()
                    .map(|(value, name)| json!({"value": value, "displayName": name}))
                    .collect();
                place.insert("x-ms-enum-values".to_owned(), Value::Array(names));
            }
            Self::Dropdown(dropdown) => {
                place.insert("x-ms-dynamic-values".to_owned(), dropdown.values());
                place.insert("x-ms-dynamic-list".to_owned(), dropdown.list());
            }
        }
    }
}

impl Dropdown {
    /// The older form, which Power Apps and older designers read.
    fn values(&self) -> Value {
        let parameters: Map<String, Value> = self
            .parameters
            .iter()
            .map(|(name, from)| {
                let from = match from {
                    Source::Text(text) => json!(text),
                    Source::Body(name) | Source::Parameter(name) => json!({"parameter": name}),
                };
                ((*name).to_owned(), from)
            })
            .collect();
        json!({
            "operationId": self.operation, "parameters": parameters,
            "value-collection": "value", "value-path": "id", "value-title": "name",
        })
    }

    /// The newer form, which the newer designer prefers.
    fn list(&self) -> Value {
        let parameters: Map<String, Value> = self
            .parameters
            .iter()
            .map(|(name, from)| {
                let from = match from {
                    Source::Text(text) => json!({"value": text}),
                    Source::Body(name) => json!({"parameterReference": format!("body/{name}")}),
                    Source::Parameter(name) => json!({"parameterReference": name}),
                };
                ((*name).to_owned(), from)
            })
            .collect();
        json!({
            "operationId": self.operation, "parameters": parameters,
            "itemsPath": "value", "itemValuePath": "id", "itemTitlePath": "name",
        })
    }
}
