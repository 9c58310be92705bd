//! Values that fit a JSON schema, made up from the schema alone.

use std::cell::Cell;

use serde_json::{Map, Value, json};

use super::usage::first_words;

mod pattern;
mod strings;

/// Below this depth only what is required is filled in, which is what ends recursive schemas.
const GENEROUS_DEPTH: usize = 5;

/// Below this depth nothing is: a schema that requires itself fits no finite value anyway.
const DEEPEST: usize = 40;

/// How many values are made at most, against schemas that branch without end.
const MOST_VALUES: usize = 5_000;

/// The largest length or number of items that is made.
const LARGEST: usize = 20_000;

/// A value that fits the schema; `prompt` flavours the free texts in it.
pub(super) fn fill(schema: &Value, prompt: &str) -> Value {
    let filler = Filler {
        root: schema,
        about: first_words(prompt, 12),
        left: Cell::new(MOST_VALUES),
    };
    filler.value(
        schema,
        Place {
            name: "",
            nth: 0,
            depth: 0,
        },
    )
}

/// A value that certainly does not fit, or `None` when the schema allows everything.
pub(super) fn misfill(schema: &Value, prompt: &str) -> Option<Value> {
    match fill(schema, prompt) {
        Value::Object(mut object) => {
            let required = schema.get("required").and_then(Value::as_array);
            match required
                .and_then(|names| names.first())
                .and_then(Value::as_str)
            {
                Some(missing) => {
                    object.shift_remove(missing);
                    Some(object.into())
                }
                // Nothing is required, so only another type is wrong for sure.
                None => Some(json!(["not an object"])),
            }
        }
        _ if schema.get("type").is_none() => None,
        _ => Some(json!({ "unexpected": true })),
    }
}

struct Filler<'a> {
    root: &'a Value,
    about: String,
    left: Cell<usize>,
}

/// Where in the value we are.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The name of the property being filled.
    name: &'a str,
    /// Which of several siblings in an array this is.
    nth: usize,
    depth: usize,
}

impl Filler<'_> {
    fn value(&self, schema: &Value, place: Place) -> Value {
        let Value::Object(schema) = schema else {
            return strings::free(place.name, &self.about).into();
        };
        let Some(left) = self.left.get().checked_sub(1) else {
            return Value::Null;
        };
        self.left.set(left);
        if place.depth > DEEPEST {
            return Value::Null;
        }
        let schema = self.flat(schema, place);
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(Value::Array(options)) = schema.get("enum") {
            let real: Vec<&Value> = options.iter().filter(|option| !option.is_null()).collect();
            return match real.len() {
                0 => Value::Null,
                some => real[place.nth % some].clone(),
            };
        }
        match type_of(&schema) {
            "object" => self.object(&schema, place),
            "array" => self.array(&schema, place),
            "integer" => number(&schema, place.nth, true),
            "number" => number(&schema, place.nth, false),
            "boolean" => true.into(),
            "null" => Value::Null,
            _ => strings::fitting(&schema, place.name, place.nth, &self.about).into(),
        }
    }

    /// The schema with its references, alternatives and conjunctions put into one object.
    fn flat(&self, schema: &Map<String, Value>, place: Place) -> Map<String, Value> {
        let mut flat = schema.clone();
        // Each round takes away one layer; a reference to itself must not go on for ever.
        for _ in 0..DEEPEST {
            if let Some(Value::String(pointer)) = flat.shift_remove("$ref") {
                if let Some(Value::Object(target)) = self.resolve(&pointer) {
                    merge(&mut flat, target);
                }
            } else if let Some(Value::Array(parts)) = flat.shift_remove("allOf") {
                for part in &parts {
                    if let Value::Object(part) = part {
                        merge(&mut flat, part);
                    }
                }
            } else if let Some(Value::Array(branches)) = flat
                .shift_remove("anyOf")
                .or_else(|| flat.shift_remove("oneOf"))
            {
                if let Some(Value::Object(branch)) = choose(&branches, place.depth) {
                    merge(&mut flat, branch);
                }
            } else {
                break;
            }
        }
        flat
    }

    fn resolve(&self, pointer: &str) -> Option<&Value> {
        self.root.pointer(pointer.strip_prefix('#')?)
    }

    fn object(&self, schema: &Map<String, Value>, place: Place) -> Value {
        let depth = place.depth + 1;
        let mut filled = Map::new();
        let required: Vec<&str> = names(schema.get("required"));
        let most = whole(schema, "maxProperties")
            .unwrap_or(usize::MAX)
            .max(required.len());
        if let Some(Value::Object(properties)) = schema.get("properties") {
            for (name, property) in properties {
                let wanted = place.depth < GENEROUS_DEPTH && filled.len() < most;
                // A property may be declared impossible.
                let possible = *property != Value::Bool(false);
                if possible && (required.contains(&name.as_str()) || wanted) {
                    let here = Place {
                        name,
                        nth: place.nth,
                        depth,
                    };
                    filled.insert(name.clone(), self.value(property, here));
                }
            }
        }
        let rest = schema
            .get("additionalProperties")
            .filter(|rest| rest.is_object());
        let anything = Value::Bool(true);
        for name in required {
            if !filled.contains_key(name) {
                let here = Place {
                    name,
                    nth: place.nth,
                    depth,
                };
                filled.insert(name.to_owned(), self.value(rest.unwrap_or(&anything), here));
            }
        }
        // Maps show one entry, so that their reader sees what entries look like.
        let shown =
            usize::from(filled.is_empty() && rest.is_some() && place.depth < GENEROUS_DEPTH);
        let least = whole(schema, "minProperties")
            .unwrap_or(0)
            .max(shown.min(most));
        for nth in 0..least.saturating_sub(filled.len()) {
            if self.left.get() == 0 {
                break;
            }
            let name = format!("entry{}", nth + 1);
            let here = Place {
                name: &name,
                nth,
                depth,
            };
            let value = self.value(rest.unwrap_or(&anything), here);
            filled.insert(name, value);
        }
        filled.into()
    }

    fn array(&self, schema: &Map<String, Value>, place: Place) -> Value {
        let depth = place.depth + 1;
        let mut filled = Vec::new();
        if let Some(Value::Array(first)) = schema.get("prefixItems") {
            for (nth, item) in first.iter().enumerate() {
                filled.push(self.value(
                    item,
                    Place {
                        nth,
                        depth,
                        ..place
                    },
                ));
            }
        }
        if let Some(contained) = schema.get("contains") {
            filled.push(self.value(
                contained,
                Place {
                    nth: 0,
                    depth,
                    ..place
                },
            ));
        }
        let usual = if place.depth < GENEROUS_DEPTH { 2 } else { 0 };
        let least = whole(schema, "minItems").unwrap_or(0).max(usual);
        let wanted = least.min(whole(schema, "maxItems").unwrap_or(usize::MAX));
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let anything = Value::Bool(true);
        let items = schema.get("items").unwrap_or(&anything);
        if *items != Value::Bool(false) {
            for nth in filled.len()..wanted {
                if self.left.get() == 0 {
                    break;
                }
                let item = self.value(
                    items,
                    Place {
                        nth,
                        depth,
                        ..place
                    },
                );
                // There may not be enough different ones; fewer is then the better answer.
                if !(unique && filled.contains(&item)) {
                    filled.push(item);
                }
            }
        }
        filled.into()
    }
}

/// Adds what another schema says; nothing said is said twice.
fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(mine)), Value::Object(theirs)) => merge(mine, theirs),
            (Some(Value::Array(mine)), Value::Array(theirs)) if key == "required" => {
                mine.extend(theirs.iter().cloned());
            }
            (Some(_), _) => {}
            (None, value) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// The first alternative that is not null; deep down null itself, which ends recursion.
fn choose(branches: &[Value], depth: usize) -> Option<&Value> {
    let null = |branch: &&Value| branch.get("type").is_some_and(|kind| kind == "null");
    if depth >= GENEROUS_DEPTH
        && let Some(end) = branches.iter().find(null)
    {
        return Some(end);
    }
    let shallow = branches
        .iter()
        .find(|branch| depth >= GENEROUS_DEPTH && branch.get("$ref").is_none());
    shallow
        .or_else(|| branches.iter().find(|branch| !null(branch)))
        .or_else(|| branches.first())
}

fn type_of(schema: &Map<String, Value>) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            let real = kinds
                .iter()
                .filter_map(Value::as_str)
                .find(|kind| *kind != "null");
            real.unwrap_or("null")
        }
        _ if ["properties", "required", "additionalProperties"]
            .iter()
            .any(|key| schema.contains_key(*key)) =>
        {
            "object"
        }
        _ if ["items", "prefixItems", "minItems"]
            .iter()
            .any(|key| schema.contains_key(*key)) =>
        {
            "array"
        }
        _ if ["minimum", "maximum", "multipleOf"]
            .iter()
            .any(|key| schema.contains_key(*key)) =>
        {
            "number"
        }
        _ => "string",
    }
}

fn number(schema: &Map<String, Value>, nth: usize, whole_only: bool) -> Value {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let step = bound("multipleOf").filter(|step| *step > 0.0);
    let nudge = step.unwrap_or(if whole_only { 1.0 } else { 0.001 });
    let above = bound("exclusiveMinimum").map(|low| low + nudge);
    let below = bound("exclusiveMaximum").map(|high| high - nudge);
    let low = bound("minimum").into_iter().chain(above).reduce(f64::max);
    let high = bound("maximum").into_iter().chain(below).reduce(f64::min);
    let usual = if whole_only { 3.0 } else { 0.75 };
    let mut value = usual
        + super::usage::float(super::usage::count(nth))
            * nudge.max(if whole_only { 1.0 } else { 0.01 });
    if let Some(high) = high {
        value = value.min(high);
    }
    if let Some(low) = low {
        value = value.max(low);
    }
    if whole_only || step.is_some() {
        let step = step.unwrap_or(1.0);
        let rounded = (value / step).floor() * step;
        value = if low.is_some_and(|low| rounded < low) {
            (value / step).ceil() * step
        } else {
            rounded
        };
    }
    // Written as an integer wherever it is one: some validators tell 3.0 from 3.
    let text = format!("{value}");
    match text.parse::<i64>() {
        Ok(integer) => integer.into(),
        Err(_) => value.into(),
    }
}

fn names(list: Option<&Value>) -> Vec<&str> {
    let list = list.and_then(Value::as_array);
    list.map_or_else(Vec::new, |list| {
        list.iter().filter_map(Value::as_str).collect()
    })
}

/// A length or number a schema names; what is beyond all reason is cut to what memory bears.
fn whole(schema: &Map<String, Value>, name: &str) -> Option<usize> {
    let number = schema.get(name)?.as_u64()?;
    Some(usize::try_from(number).unwrap_or(LARGEST).min(LARGEST))
}

#[cfg(test)]
mod tests;
