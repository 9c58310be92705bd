//! The calls that dynamic extensions make, and what they lead to.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::super::join;
use super::super::definition::{Definition, Operation, members, text};

pub(super) const VALUES: &str = "x-ms-dynamic-values";
pub(super) const LIST: &str = "x-ms-dynamic-list";
pub(super) const SCHEMA: &str = "x-ms-dynamic-schema";
pub(super) const PROPERTIES: &str = "x-ms-dynamic-properties";

/// One dynamic extension of one schema.
pub(super) struct Call<'a> {
    pub(super) at: String,
    pub(super) kind: &'static str,
    pub(super) value: &'a Value,
}

impl<'a> Call<'a> {
    /// The name of each parameter that is sent, and what it refers to when it is no literal.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let parameters = self.value.get("parameters").unwrap_or(&Value::Null);
        let key = match self.kind {
            VALUES | SCHEMA => "parameter",
            _ => "parameterReference",
        };
        members(parameters).map(move |(name, sent)| (name, sent.get(key).and_then(Value::as_str)))
    }

    pub(super) fn target<'d>(&self, definition: &'d Definition<'a>) -> Option<&'d Operation<'a>> {
        definition.operation(text(self.value, "operationId"))
    }
}

pub(super) fn calls<'a>(definition: &Definition<'a>) -> impl Iterator<Item = Call<'a>> {
    definition.schemas.iter().flat_map(|schema| {
        [VALUES, LIST, SCHEMA, PROPERTIES]
            .into_iter()
            .filter_map(|kind| {
                let value = schema.value.get(kind)?;
                let at = join(&schema.at, kind);
                Some(Call { at, kind, value })
            })
    })
}

/// Every call whose operation exists, with it.
pub(super) fn calls_to<'d, 'a>(
    definition: &'d Definition<'a>,
) -> impl Iterator<Item = (Call<'a>, &'d Operation<'a>)> {
    calls(definition).filter_map(|call| {
        let target = call.target(definition)?;
        Some((call, target))
    })
}

/// Where a list of choices stands in the answer; none for a dynamic schema.
pub(super) fn array_path<'a>(call: &Call<'a>) -> Option<&'a str> {
    match call.kind {
        VALUES => Some(text(call.value, "value-collection")),
        LIST => Some(text(call.value, "itemsPath")),
        _ => None,
    }
}

/// What the operation answers, at a path in it.
pub(super) fn answer<'a>(
    definition: &Definition<'a>,
    target: &Operation<'a>,
    path: &str,
) -> Option<&'a Value> {
    follow(definition, target.success_schema()?, path)
}

/// The schema at a path of property names. What lies in a free-form object is unknown, and taken
/// for the object.
pub(super) fn follow<'a>(
    definition: &Definition<'a>,
    schema: &'a Value,
    path: &str,
) -> Option<&'a Value> {
    let mut schema = definition.resolve(schema);
    for name in path.split('/').filter(|name| !name.is_empty()) {
        match definition.property(schema, name) {
            Some(property) => schema = definition.resolve(property),
            None if schema["type"] == "object" && schema.get("properties").is_none() => break,
            None => return None,
        }
    }
    Some(schema)
}

/// A property and what it is inside of, outermost first.
pub(super) type Chain<'a> = Vec<&'a Value>;

/// A parameter of an operation by its name or by a path into its body, as a dynamic call writes it.
pub(super) fn find<'a>(
    definition: &Definition<'a>,
    operation: &Operation<'a>,
    path: &str,
) -> Option<Chain<'a>> {
    for parameter in definition.parameters_of(operation) {
        if parameter.location() != "body" {
            if parameter.name() == path {
                return Some(vec![parameter.value]);
            }
            continue;
        }
        let inner = path
            .strip_prefix(parameter.name())
            .map(|rest| rest.strip_prefix('/'));
        let names = match inner {
            Some(Some(rest)) => rest,
            Some(None) if path == parameter.name() => return Some(vec![parameter.value]),
            _ => path,
        };
        let mut chain = Vec::new();
        let mut schema = &parameter.value["schema"];
        let mut names = names.split('/');
        let all_found = names.all(|name| {
            let property = definition.property(schema, name);
            schema = property.unwrap_or(&Value::Null);
            chain.extend(property);
            property.is_some()
        });
        if all_found {
            return Some(chain);
        }
    }
    None
}

pub(super) fn refers_into_body(call: &Call<'_>) -> bool {
    let mut parameters = call.parameters();
    parameters.any(|(_, reference)| reference.is_some_and(|text| text.contains('/')))
}

/// Every extension of one kind that stands without the other.
pub(super) fn without<'a>(
    definition: &Definition<'a>,
    kind: &'static str,
    other: &'static str,
) -> impl Iterator<Item = Call<'a>> {
    let schemas = definition.schemas.iter();
    schemas.filter_map(move |schema| {
        let value = schema.value.get(kind)?;
        let at = join(&schema.at, kind);
        let alone = schema.value.get(other).is_none();
        alone.then_some(Call { at, kind, value })
    })
}

pub(super) fn both<'a>(
    definition: &Definition<'a>,
    old: &'static str,
    new: &'static str,
) -> impl Iterator<Item = (Call<'a>, Call<'a>)> {
    definition.schemas.iter().filter_map(move |schema| {
        let call = |kind| {
            let value = schema.value.get(kind)?;
            let at = join(&schema.at, kind);
            Some(Call { at, kind, value })
        };
        call(old).zip(call(new))
    })
}

/// Whether both forms send the same: the newer names a parameter and what it refers to by path.
pub(super) fn same_parameters(old: &Call<'_>, new: &Call<'_>) -> bool {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let sent = |call: &Call<'_>| -> BTreeSet<(String, Option<String>)> {
        let parameters = call.parameters();
        parameters
            .map(|(name, reference)| (last(name), reference.map(last)))
            .collect()
    };
    sent(old) == sent(new)
}

/// Calls `visit` for each reference of each call, once for each operation that makes it.
pub(super) fn each_reference<'a>(
    definition: &Definition<'a>,
    visit: &mut dyn FnMut(&Call<'a>, &str, Option<Chain<'a>>),
) {
    for source in &definition.operations {
        let definitions = definition.reached_from([source.value].into_iter());
        let own = format!("{}/", source.at);
        let shared = format!("{}/parameters/", source.item_at);
        let is_made_here = |at: &str| {
            let mut reached = definitions.iter();
            at.starts_with(&own)
                || at.starts_with(&shared)
                || reached.any(|name| at.starts_with(&(join("/definitions", name) + "/")))
        };
        for call in calls(definition).filter(|call| is_made_here(&call.at)) {
            for reference in call.parameters().filter_map(|(_, reference)| reference) {
                visit(&call, reference, find(definition, source, reference));
            }
        }
    }
}
