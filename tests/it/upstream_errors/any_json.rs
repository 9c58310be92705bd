//! Whatever JSON upstream answers with a success, the service answers a proper error or a success
//! that fits the definition: the checked client sees to that for each of these calls.

use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::{Map, Value, json};

use crate::support::{
    TestApp, Upstream, block_on, cases,
    definition::OPERATIONS,
    upstream::{Next, chat, models},
};

/// Names that upstream's answers have, so that what is generated is looked into.
const NAMES: [&str; 48] = [
    "data",
    "error",
    "code",
    "message",
    "metadata",
    "choices",
    "usage",
    "id",
    "model",
    "content",
    "text",
    "role",
    "finish_reason",
    "index",
    "tool_calls",
    "function",
    "arguments",
    "name",
    "annotations",
    "url_citation",
    "url",
    "images",
    "image_url",
    "cost",
    "prompt_tokens",
    "completion_tokens_details",
    "reasoning_tokens",
    "created",
    "pricing",
    "prompt",
    "completion",
    "architecture",
    "endpoints",
    "supported_parameters",
    "slug",
    "latency_last_30m",
    "p50",
    "top_provider",
    "max_completion_tokens",
    "limit",
    "total_credits",
    "total_cost",
    "datacenters",
    "results",
    "embedding",
    "b64_json",
    "relevance_score",
    "status",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec![
            "",
            "text",
            "-1",
            "7.1e-05",
            "NaN",
            "1e999",
            "error",
            "stop",
            "data:;base64,!",
            "2026-01-01",
            "http://["
        ])
        .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        let pair = (select(NAMES.to_vec()), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            prop::collection::vec(pair, 0..6).prop_map(|pairs| {
                pairs
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<Map<_, _>>()
                    .into()
            }),
        ]
    })
}

/// A good answer in which one place was replaced: what is odd in it stands deep.
fn spoilt() -> impl Strategy<Value = Value> {
    let good = vec![
        chat("Text"),
        models(),
        json!({"data": models()["data"][0]}),
        json!({"data": {"total_credits": 1, "total_usage": 1, "limit": 1, "usage": 1}}),
        json!({"data": [{"name": "A", "slug": "a", "datacenters": ["US"]}]}),
        json!({"data": {"endpoints": [{"name": "A", "pricing": {"prompt": "1"}, "latency_last_30m": {"p50": 1}}]}}),
    ];
    (select(good), any::<prop::sample::Index>(), any_json()).prop_map(|(mut good, place, value)| {
        let mut pointers = Vec::new();
        pointers_in(&good, "", &mut pointers);
        let place: &String = place.get(&pointers);
        *good.pointer_mut(place).unwrap() = value;
        good
    })
}

fn pointers_in(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers_in(item, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                pointers_in(item, &format!("{at}/{name}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn no_success_of_upstream_breaks_an_operation() {
    let next = Next::default();
    let upstream = block_on(async {
        let upstream = Upstream::start().await;
        upstream.responds_always(next.clone()).await;
        upstream
    });
    let app = TestApp::on(&upstream);
    TestRunner::new(cases(64))
        .run(&prop_oneof![any_json(), spoilt()], |body| {
            next.set(body.to_string());
            block_on(async {
                for operation in OPERATIONS.iter() {
                    let mut call = app.call(operation.id).with_samples();
                    if operation.id == "ListModels" {
                        // Only what upstream must be asked for is not answered from memory.
                        call = call.query("category", "legal");
                    }
                    // A record that is missing is asked for again, for seconds.
                    if operation.id == "GetGeneration" && is_missing(&body) {
                        continue;
                    }
                    let answer = call.send().await;
                    assert_ne!(answer.status, 500, "{}: {body}", operation.id);
                }
            });
            Ok(())
        })
        .unwrap();
}

/// Whether `body` holds an error that reads as a record that is not there yet.
fn is_missing(body: &Value) -> bool {
    !body["error"].is_null() || !body["choices"][0]["error"].is_null()
}
