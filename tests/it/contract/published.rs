//! A flow built on the published connector works when its connection is pointed here: paths,
//! operations, parameters and the paths and types in the answers are those it was published with.

use serde_json::Value;

use crate::support::definition::{Operation, resolved};

/// An operation as published: id, method, path, then parameters and answer fields.
struct Published {
    id: &'static str,
    method: &'static str,
    path: &'static str,
    /// Name and place; all of them are required.
    takes: &'static [(&'static str, &'static str)],
    /// Path and type; `[]` steps into a list.
    gives: &'static [(&'static str, &'static str)],
}

const PUBLISHED: [Published; 6] = [
    Published {
        id: "ChatCompletion",
        method: "POST",
        path: "/api/v1/chat/completions",
        takes: &[("model", "body"), ("role", "body"), ("content", "body")],
        gives: &[
            ("id", "string"),
            ("choices", "array"),
            ("choices[].message.role", "string"),
            ("choices[].message.content", "string"),
        ],
    },
    Published {
        id: "Completion",
        method: "POST",
        path: "/api/v1/completions",
        takes: &[("model", "body"), ("prompt", "body")],
        gives: &[
            ("id", "string"),
            ("choices", "array"),
            ("choices[].text", "string"),
            ("choices[].index", "integer"),
            ("choices[].finish_reason", "string"),
        ],
    },
    Published {
        id: "GetCredits",
        method: "GET",
        path: "/api/v1/credits",
        takes: &[],
        gives: &[
            ("data.total_credits", "number"),
            ("data.total_usage", "number"),
        ],
    },
    Published {
        id: "GetGeneration",
        method: "GET",
        path: "/api/v1/generation",
        takes: &[("id", "query")],
        gives: &[
            ("data.id", "string"),
            ("data.total_cost", "number"),
            ("data.created_at", "string"),
            ("data.model", "string"),
            ("data.origin", "string"),
            ("data.usage", "number"),
            ("data.is_byok", "boolean"),
            ("data.upstream_id", "string"),
            ("data.cache_discount", "number"),
            ("data.app_id", "number"),
            ("data.streamed", "boolean"),
            ("data.cancelled", "boolean"),
            ("data.provider_name", "string"),
            ("data.latency", "number"),
            ("data.moderation_latency", "number"),
            ("data.generation_time", "number"),
            ("data.finish_reason", "string"),
            ("data.native_finish_reason", "string"),
            ("data.tokens_prompt", "number"),
            ("data.tokens_completion", "number"),
            ("data.native_tokens_prompt", "number"),
            ("data.native_tokens_completion", "number"),
            ("data.native_tokens_reasoning", "number"),
            ("data.num_media_prompt", "number"),
            ("data.num_media_completion", "number"),
            ("data.num_search_results", "number"),
        ],
    },
    Published {
        id: "ListModelEndpoints",
        method: "GET",
        path: "/api/v1/models/{author}/{slug}/endpoints",
        takes: &[("author", "path"), ("slug", "path")],
        gives: &[
            ("data.id", "string"),
            ("data.name", "string"),
            ("data.created", "number"),
            ("data.description", "string"),
            ("data.architecture.tokenizer", "string"),
            ("data.architecture.instruct_type", "string"),
            ("data.architecture.modality", "string"),
            ("data.endpoints", "array"),
            ("data.endpoints[].name", "string"),
            ("data.endpoints[].context_length", "number"),
            ("data.endpoints[].pricing.request", "string"),
            ("data.endpoints[].pricing.image", "string"),
            ("data.endpoints[].pricing.prompt", "string"),
            ("data.endpoints[].pricing.completion", "string"),
            ("data.endpoints[].provider_name", "string"),
            ("data.endpoints[].supported_parameters[]", "string"),
        ],
    },
    Published {
        id: "ListModels",
        method: "GET",
        path: "/api/v1/models",
        takes: &[],
        gives: &[
            ("data", "array"),
            ("data[].id", "string"),
            ("data[].name", "string"),
            ("data[].description", "string"),
            ("data[].pricing.prompt", "string"),
            ("data[].pricing.completion", "string"),
        ],
    },
];

#[test]
fn operations_stand_where_they_were_published() {
    for published in &PUBLISHED {
        let operation = Operation::named(published.id);
        assert_eq!(
            (operation.method, operation.path),
            (published.method, published.path)
        );
    }
}

#[test]
fn inputs_have_their_published_names_and_no_other_is_required() {
    for Published { id, takes, .. } in &PUBLISHED {
        let operation = Operation::named(id);
        let body = operation.body();
        let mut required: Vec<(&str, &str)> = operation
            .parameters()
            .filter(|parameter| parameter["in"] != "body" && parameter["required"] == true)
            .map(|parameter| {
                (
                    parameter["name"].as_str().unwrap(),
                    parameter["in"].as_str().unwrap(),
                )
            })
            .collect();
        let of_body = body.map(|body| body["required"].as_array().unwrap().as_slice());
        required.extend(
            of_body
                .unwrap_or_default()
                .iter()
                .map(|name| (name.as_str().unwrap(), "body")),
        );
        assert_eq!(required, *takes, "{id}");
        for (name, _) in takes.iter().filter(|(_, place)| *place == "body") {
            assert_eq!(
                body.unwrap()["properties"][name]["type"],
                "string",
                "{id} {name}"
            );
        }
    }
    let role = &Operation::named("ChatCompletion").body().unwrap()["properties"]["role"];
    assert_eq!(
        role["enum"],
        serde_json::json!(["system", "user", "assistant"])
    );
}

#[test]
fn answers_have_their_published_paths_and_types() {
    for Published { id, gives, .. } in &PUBLISHED {
        let answer = Operation::named(id).answer();
        for (path, kind) in *gives {
            let found = at(answer, path);
            assert_eq!(found["type"], *kind, "{id} {path}");
        }
    }
}

/// The schema at `path` below `schema`.
fn at(schema: &'static Value, path: &str) -> &'static Value {
    path.split('.').fold(schema, |schema, step| {
        let (name, lists) = step.split_at(step.find('[').unwrap_or(step.len()));
        let property = resolved(&schema["properties"][name]);
        lists
            .matches("[]")
            .fold(property, |list, _| resolved(&list["items"]))
    })
}
