//! The bounds in the definition are those that the service holds: just outside is refused with the
//! field's path, just inside is not.

use serde_json::{Value, json};

use super::every_operation::anything;
use crate::support::{
    Answer, TestApp, Upstream,
    definition::{CALLBACK_URL, OPERATIONS, Operation, required, resolved, sample},
};

/// One bound of one input: a value just outside and one just inside.
#[derive(Debug)]
struct Bound {
    keyword: &'static str,
    outside: Value,
    inside: Value,
}

/// Every bound that `schema` states.
fn bounds(name: &str, schema: &'static Value) -> Vec<Bound> {
    for unknown in [
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "pattern",
        "uniqueItems",
    ] {
        assert!(
            schema.get(unknown).is_none(),
            "{name}: this test does not know {unknown}"
        );
    }
    let integer = schema["type"] == "integer";
    let step = if integer { 1.0 } else { 0.001 };
    let number = |value: f64| {
        if integer {
            json!(whole(value))
        } else {
            json!(value)
        }
    };
    let text = |length: u64| {
        // An address must be one that a file may have; here it holds the file itself.
        let start = match name {
            "callback_url" => CALLBACK_URL,
            "file.url" => "data:audio/wav;base64,",
            _ if name.ends_with("url") => "data:image/png;base64,",
            _ => "",
        };
        let filler = usize::try_from(length).unwrap().saturating_sub(start.len());
        json!(format!("{start}{}", "A".repeat(filler)))
    };
    let list = |length: u64| {
        let name = format!("{}[]", name.rsplit('.').next().unwrap());
        let item = if schema["items"].is_null() {
            json!("a")
        } else {
            sample(&name, &schema["items"])
        };
        Value::Array(vec![item; usize::try_from(length).unwrap()])
    };
    let mut bounds = Vec::new();
    let mut add = |keyword, outside, inside| {
        bounds.push(Bound {
            keyword,
            outside,
            inside,
        });
    };
    if let Some(least) = schema["minimum"].as_f64() {
        add("minimum", number(least - step), number(least));
    }
    if let Some(most) = schema["maximum"].as_f64() {
        add("maximum", number(most + step), number(most));
    }
    if let Some(least) = schema["minLength"].as_u64() {
        add("minLength", text(least - 1), text(least));
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        add("maxLength", text(most + 1), text(most));
    }
    if let Some(least) = schema["minItems"].as_u64() {
        add("minItems", list(least - 1), list(least));
    }
    if let Some(most) = schema["maxItems"].as_u64() {
        add("maxItems", list(most + 1), list(most));
    }
    for value in schema["enum"].as_array().into_iter().flatten() {
        add("enum", json!("no such value"), value.clone());
    }
    bounds
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "bounds of integers are integers"
)]
fn whole(value: f64) -> i64 {
    value as i64
}

/// A place in a body: its path as errors name it, and as a JSON pointer.
struct Place {
    path: String,
    pointer: String,
    schema: &'static Value,
}

/// Every place in the body that `schema` describes, with `body` filled up so that it is there.
fn places(
    schema: &'static Value,
    body: &mut Value,
    path: &str,
    pointer: &str,
    found: &mut Vec<Place>,
) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let property = resolved(property);
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let pointer = format!("{pointer}/{name}");
        found.push(Place {
            path: path.clone(),
            pointer: pointer.clone(),
            schema: property,
        });
        let items = resolved(&property["items"]);
        if items["properties"].is_object() {
            body[name] = json!([sample(&format!("{name}[]"), items)]);
            let (path, pointer) = (format!("{path}[0]"), format!("{pointer}/0"));
            places(items, &mut body[name][0], &path, &pointer, found);
        } else if property["properties"].is_object() {
            body[name] = sample(name, property);
            places(property, &mut body[name], &path, &pointer, found);
        }
    }
}

/// Whether `answer` complains of the input at `path`, or of something in it.
fn complains(answer: &Answer, path: &str) -> bool {
    answer.status == 400 && answer.field().starts_with(path)
}

#[tokio::test]
async fn the_bounds_of_every_body_are_held() {
    let upstream = Upstream::start().await;
    upstream.responds_always(anything()).await;
    let app = TestApp::on(&upstream);
    let mut checked = 0;
    for operation in OPERATIONS.iter() {
        let Some(schema) = operation.body() else {
            continue;
        };
        let smallest = sample("", schema);
        let mut found = Vec::new();
        places(schema, &mut smallest.clone(), "", "", &mut found);
        for Place {
            path,
            pointer,
            schema: property,
        } in found
        {
            for bound in bounds(&path, property) {
                let body = |value: &Value| with(&smallest, schema, &pointer, value);
                let context = format!("{} {path} {}", operation.id, bound.keyword);

                let answer = app
                    .call(operation.id)
                    .with_samples()
                    .body(&body(&bound.outside))
                    .send()
                    .await;
                let held = answer.status == 400 && answer.field() == path;
                // An empty optional text counts as absent, so it has no least length.
                let absent = bound.outside == "" && !is_required(schema, &path);
                assert!(
                    held || absent,
                    "{context}: {} {}",
                    answer.status,
                    answer.text
                );

                let answer = app
                    .call(operation.id)
                    .with_samples()
                    .body(&body(&bound.inside))
                    .send()
                    .await;
                assert!(!complains(&answer, &path), "{context}: {}", answer.text);
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "only {checked} bounds were found");
}

/// The smallest body with `value` at `pointer`.
fn with(smallest: &Value, schema: &'static Value, pointer: &str, value: &Value) -> Value {
    let mut body = smallest.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    if let Some(outermost) = parent.split('/').nth(1) {
        let mut filled = smallest.clone();
        places(schema, &mut filled, "", "", &mut Vec::new());
        body[outermost] = filled[outermost].clone();
    }
    let parent = body.pointer_mut(parent).unwrap();
    alone(parent, name);
    parent[name] = value.clone();
    body
}

/// Of a file, the address and the content shut each other out.
fn alone(item: &mut Value, name: &str) {
    if name == "url" || name == "content" {
        let item = item.as_object_mut().unwrap();
        item.retain(|key, _| !["url", "content"].contains(&key.as_str()));
    }
}

fn is_required(schema: &'static Value, path: &str) -> bool {
    required(schema).any(|name| name == path)
}

#[tokio::test]
async fn the_bounds_of_every_parameter_are_held() {
    let upstream = Upstream::start().await;
    upstream.responds_always(anything()).await;
    let app = TestApp::on(&upstream);
    let mut checked = 0;
    for operation in OPERATIONS.iter() {
        for parameter in operation
            .parameters()
            .filter(|parameter| parameter["in"] != "body")
        {
            let name = parameter["name"].as_str().unwrap();
            for bound in bounds(name, parameter) {
                let context = format!("{} {name} {}", operation.id, bound.keyword);
                let answer = send(&app, operation, parameter, &bound.outside).await;
                let held = answer.status == 400 && answer.field() == name;
                // An empty part of the path makes another path; an empty optional text is absent.
                let elsewhere = bound.outside == ""
                    && (parameter["in"] == "path" || parameter["required"] != true);
                assert!(
                    held || elsewhere,
                    "{context}: {} {}",
                    answer.status,
                    answer.text
                );

                let answer = send(&app, operation, parameter, &bound.inside).await;
                assert!(!complains(&answer, name), "{context}: {}", answer.text);
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "only {checked} bounds were found");
}

async fn send(app: &TestApp, operation: &Operation, parameter: &Value, value: &Value) -> Answer {
    let name = parameter["name"].as_str().unwrap();
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let call = app.call(operation.id);
    let call = if parameter["in"] == "path" {
        call.path(name, &text)
    } else {
        call.query(name, text)
    };
    call.with_samples().send().await
}
