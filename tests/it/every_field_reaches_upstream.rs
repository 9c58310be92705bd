//! Every field of every request body has an effect upstream, or a reason why not.
//!
//! For each property in the checked-in definition the action is called without it and with several
//! values; the requests that OpenRouter gets must all differ. A property that is new in the
//! definition is tried with values of its type, so it fails here if it goes nowhere.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::support::{
    PNG, TestApp, Upstream, WAV,
    definition::{OPERATIONS, Operation, resolved, sample},
    upstream::{MODELS, Next},
};

/// The operations that generate something: those with a body, but for triggers, whose body says
/// where a flow waits.
fn generating() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS
        .iter()
        .filter(|operation| operation.body().is_some() && !operation.id.starts_with("When"))
}

/// Properties that stay here, each with the reason. `*` stands for every operation.
const STAY_HERE: [(&str, &str, &str); 3] = [
    ("*", "background_run", "says how the call runs here"),
    (
        "*",
        "max_cost",
        "checked against the catalogue's prices before the call",
    ),
    (
        "Ask",
        "supported_parameters",
        "filters the designer's list of models",
    ),
];

/// Values that are one and the same upstream, each with the reason.
const ALIKE: [(&str, &str, [&str; 2], &str); 1] = [(
    "CreateSpeech",
    "response_format",
    ["wav", "pcm"],
    "upstream has no WAV; its samples get their header here",
)];

/// A base64 text that is the content of no known kind of file.
const WORDS: &str = "SGFsbG8=";

/// What the body needs besides the required properties so that the one at `path` can have an
/// effect; it may hold the property itself, when only another value of it makes a difference.
fn company(operation: &str, path: &str) -> Value {
    let file = |name: &str| match name {
        // A name tells the kind where nothing else does.
        "name" | "mime_type" if operation == "CreateTranscription" => {
            json!({"content": WORDS, "name": "a.mp3"})
        }
        "name" | "mime_type" => json!({"content": WORDS, "name": "a.png"}),
        "url" => json!({}),
        _ => json!({"name": "a.txt"}),
    };
    match (operation, path) {
        ("Ask", "user_prompt") => json!({"attachments": [{"content": PNG}]}),
        ("Ask", "format") => json!({
            "user_prompt": "Hi", "messages": [{"role": "user", "content": "Earlier"}],
        }),
        ("Ask", path) if path.starts_with("messages") => {
            let mut message = json!({"role": "user", "content": "Hi"});
            if let Some(name) = path.strip_prefix("messages[].attachments[].") {
                message["attachments"] = json!([file(name)]);
            }
            json!({"format": "ADVANCED", "messages": [message]})
        }
        ("Ask", "response_format") => {
            json!({"user_prompt": "Hi", "response_schema": r#"{"type": "object"}"#})
        }
        ("ChatCompletion" | "Completion", "response_format") => {
            json!({"response_schema": r#"{"type": "object"}"#})
        }
        ("ChatCompletion", path) if path.starts_with("messages") => {
            json!({"messages": [{"role": "user", "content": "Hi"}]})
        }
        ("CreateImage", path) if path.starts_with("image_messages") => {
            json!({"image_messages": [{"content": "A cat."}]})
        }
        ("CreateEmbeddings", "input") => json!({"inputs": ["Hi"]}),
        ("CreateImage", "prompt") => json!({"image_messages": [{"content": "Hi"}]}),
        ("CreateVideo", "prompt") => json!({"first_frame": {"content": PNG}}),
        (_, "web_search_max_results") => json!({"web_search": true}),
        (_, path) => {
            let mut body = json!({});
            if let Some((parent, name)) = path.rsplit_once('.') {
                match parent.strip_suffix("[]") {
                    Some(list) => body[list] = json!([file(name)]),
                    None => body[parent] = file(name),
                }
            }
            body
        }
    }
}

/// A body without the property at `path`, or with a value of it that is not among those tried.
fn base(operation: &Operation, path: &str) -> Value {
    let mut base = sample("", operation.body().unwrap());
    let body = base.as_object_mut().unwrap();
    body.shift_remove(path);
    if let Value::Object(company) = company(operation.id, path) {
        body.extend(company);
    }
    base
}

/// The values that are tried of the property at `path`.
fn values(operation: &str, path: &str, schema: &'static Value) -> Vec<Value> {
    let name = path.rsplit('.').next().unwrap_or(path);
    let of_file = path.contains('.') && ["name", "mime_type", "content", "url"].contains(&name);
    match (operation, name) {
        ("CreateTranscription", "name") if of_file => vec![json!("a.wav"), json!("a.ogg")],
        ("CreateTranscription", "mime_type") if of_file => {
            vec![json!("audio/wav"), json!("audio/ogg")]
        }
        ("CreateTranscription", "content") if of_file => vec![json!(WAV), json!("T2dnUwA=")],
        // Sound cannot be an address, only a data: URI.
        ("CreateTranscription", "url") if of_file => {
            vec![json!(format!("data:audio/wav;base64,{WAV}"))]
        }
        (_, "name") if of_file => vec![json!("a.webp"), json!("a.gif")],
        (_, "mime_type") if of_file => vec![json!("image/webp"), json!("image/gif")],
        (_, "content") if of_file => vec![json!(PNG), json!("R0lGODlhAQABAA==")],
        (_, "url") if of_file => {
            vec![
                json!("https://a.example/a.png"),
                json!("https://a.example/b.png"),
            ]
        }
        (_, "logit_bias") => vec![json!({"50256": -100}), json!({"50256": 1, "7": 1})],
        (_, "metadata") => vec![json!({"case": "7"}), json!({"case": "8", "day": "1"})],
        (_, "response_schema") => [
            r#"{"type": "object", "properties": {"a": {"type": "string"}}}"#,
            r#"{"type": "object", "properties": {"b": {"type": "string"}}}"#,
        ]
        .map(Value::from)
        .to_vec(),
        (_, "tools") => [r#"[{"type": "a"}]"#, r#"[{"type": "b"}]"#]
            .map(Value::from)
            .to_vec(),
        (_, "tool_choice") => ["auto", "none", "required", "f"].map(Value::from).to_vec(),
        (_, "attachments") => vec![
            json!([{"content": PNG}]),
            json!([{"content": PNG}, {"content": PNG}]),
        ],
        (_, "file" | "first_frame" | "last_frame") => {
            let (one, other) = if name == "file" {
                (WAV, "T2dnUwA=")
            } else {
                (PNG, "R0lGODlhAQABAA==")
            };
            vec![json!({"content": one}), json!({"content": other})]
        }
        _ => by_type(schema),
    }
}

/// Two or more values that `schema` takes.
fn by_type(schema: &'static Value) -> Vec<Value> {
    if let Some(choices) = schema["enum"].as_array() {
        return choices.clone();
    }
    let least = schema["minimum"].as_f64().unwrap_or(1.0);
    match schema["type"].as_str() {
        Some("boolean") => vec![json!(true), json!(false)],
        Some("integer") => vec![json!(least), json!(least + 1.0)],
        Some("number") => vec![json!(least + 0.25), json!(least + 0.5)],
        Some("string") => vec![json!("one"), json!("two")],
        Some("array") => {
            let items = resolved(&schema["items"]);
            if items["properties"].is_object() {
                let item = sample("", items);
                vec![json!([item]), json!([item, item])]
            } else {
                let values = by_type(items);
                vec![
                    json!([values[0]]),
                    json!([values[0], values[1]]),
                    json!([values[1], values[0]]),
                ]
            }
        }
        kind => panic!("no values of the type {kind:?}: {schema}"),
    }
}

/// Every property of `schema` and of what is in it, by paths such as `messages[].role`.
fn properties(schema: &'static Value, parent: &str, found: &mut Vec<(String, &'static Value)>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let property = resolved(property);
        let path = format!("{parent}{name}");
        found.push((path.clone(), property));
        properties(property, &format!("{path}."), found);
        properties(resolved(&property["items"]), &format!("{path}[]."), found);
    }
}

/// Puts `value` at `path`, into the first item of each list on the way.
fn put(body: &mut Value, path: &str, value: Value) {
    let (name, rest) = path
        .split_once('.')
        .map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(rest) = rest else {
        // The content of a file and its address shut each other out.
        let object = body.as_object_mut().unwrap();
        if path == "url" {
            object.shift_remove("content");
        }
        object.insert(path.to_owned(), value);
        return;
    };
    let inside = match name.strip_suffix("[]") {
        Some(list) => &mut body[list][0],
        None => &mut body[name],
    };
    put(inside, rest, value);
}

/// An OpenRouter that answers every call with an error, and the service that calls it.
struct Rig {
    upstream: Upstream,
    app: TestApp,
}

impl Rig {
    async fn start() -> Self {
        let upstream = Upstream::start().await;
        // An answer would only cost time: what matters has been sent by then.
        let refusal = Next::default();
        refusal.set(r#"{"error": {"code": 402, "message": "No."}}"#);
        upstream.responds_always(refusal).await;
        let app = TestApp::on(&upstream);
        Self { upstream, app }
    }

    /// What OpenRouter is sent for `body`: address and content.
    async fn sent(&self, operation: &Operation, body: &Value) -> String {
        let before = self.upstream.every_call().await.len();
        let answer = self.app.call(operation.id).body(body).send().await;
        let mut calls = self.upstream.every_call().await;
        // A call in the background is answered before OpenRouter is called.
        for _ in 0..500 {
            let made = |call: &&wiremock::Request| !call.url.path().ends_with("/key");
            if answer.status != 202 || calls[before..].iter().any(|call| made(&call)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            calls = self.upstream.every_call().await;
        }
        let mut sent: Vec<_> = calls[before..].iter().collect();
        // Calls in the background ask whether the key is known.
        sent.retain(|call| {
            ![MODELS, "/key"]
                .iter()
                .any(|end| call.url.path().ends_with(end))
        });
        let [call] = sent[..] else {
            panic!("{} calls for {body}: {}", sent.len(), answer.text);
        };
        format!("{} {}", call.url, String::from_utf8_lossy(&call.body))
    }
}

fn reason(operation: &str, path: &str) -> Option<&'static str> {
    STAY_HERE
        .iter()
        .find(|(of, name, _)| (*of == "*" || *of == operation) && *name == path)
        .map(|(.., reason)| *reason)
}

/// How many of `values` are alike upstream.
fn alike(operation: &str, path: &str, values: &[Value]) -> usize {
    ALIKE
        .iter()
        .filter(|(of, name, pair, _)| {
            (*of, *name) == (operation, path) && pair.iter().all(|one| values.contains(&json!(one)))
        })
        .count()
}

/// What is wrong with the property at `path`.
async fn faults(
    rig: &Rig,
    operation: &Operation,
    path: &str,
    property: &'static Value,
) -> Vec<String> {
    let base = base(operation, path);
    let values = values(operation.id, path, property);
    let mut requests = Vec::new();
    for value in &values {
        let mut body = base.clone();
        put(&mut body, path, value.clone());
        requests.push(rig.sent(operation, &body).await);
    }
    let distinct = requests.iter().collect::<BTreeSet<_>>().len();
    let place = format!("{} {path}", operation.id);
    let mut faults = Vec::new();
    if let Some(reason) = reason(operation.id, path) {
        if distinct > 1 {
            faults.push(format!("{place} reaches OpenRouter after all: {reason}"));
        }
        return faults;
    }
    let expected = values.len() - alike(operation.id, path, &values);
    if distinct != expected {
        faults.push(format!("{place}: {distinct} requests for {values:?}"));
    }
    if is_optional(operation.body().unwrap(), path) {
        let without = rig.sent(operation, &base).await;
        let same = requests.iter().filter(|sent| **sent == without).count();
        // One of several choices may be what holds without a choice.
        if same > usize::from(property["enum"].is_array()) {
            faults.push(format!("{place} changes nothing: {without}"));
        }
    }
    faults
}

#[tokio::test]
async fn every_field_of_every_request_reaches_openrouter() {
    let rig = Rig::start().await;
    let (mut checked, mut found_faults) = (0, Vec::new());
    for operation in generating() {
        let mut found = Vec::new();
        properties(operation.body().unwrap(), "", &mut found);
        for (path, property) in found {
            found_faults.extend(faults(&rig, operation, &path, property).await);
            checked += 1;
        }
    }
    assert!(found_faults.is_empty(), "{found_faults:#?}");
    assert!(checked > 200, "only {checked} fields were found");
}

/// Whether a body without the property at `path` can be sent.
fn is_optional(schema: &'static Value, path: &str) -> bool {
    let required = schema["required"].as_array();
    let named = required.into_iter().flatten().any(|name| name == path);
    // A file is nothing without its content or address, nor a message without its parts.
    let inside = [".content", ".url", ".role"]
        .iter()
        .any(|end| path.ends_with(end));
    !named && !inside
}

/// A reason that is not needed any more would hide a field that goes nowhere.
#[test]
fn every_exception_is_of_a_field_that_exists() {
    let mut known = BTreeSet::new();
    for operation in generating() {
        let mut found = Vec::new();
        properties(operation.body().unwrap(), "", &mut found);
        known.extend(
            found
                .into_iter()
                .map(|(path, _)| (operation.id.to_owned(), path)),
        );
    }
    let exists = |of: &str, path: &str| {
        known
            .iter()
            .any(|(operation, known)| (of == "*" || of == operation) && known == path)
    };
    for (of, path, reason) in STAY_HERE {
        assert!(exists(of, path) && !reason.is_empty(), "{of} {path}");
    }
    for (of, path, _, reason) in ALIKE {
        assert!(exists(of, path) && !reason.is_empty(), "{of} {path}");
    }
}
