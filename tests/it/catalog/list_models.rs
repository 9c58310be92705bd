//! List models: the catalogue, filtered and in order.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    KEY, TestApp, Upstream, sandbox,
    upstream::{MODELS, header},
};

const GPT: &str = "openai/gpt-4o";
const LLAMA: &str = "meta-llama/llama-3.3-70b-instruct:free";
const AUTO: &str = "openrouter/auto";
const CLAUDE: &str = "anthropic/claude-opus-4.5";
const FLUX: &str = "black-forest-labs/flux.2-pro";

/// The ids in the answer to `query`, and the count.
async fn listed(query: &[(&str, &str)]) -> (Vec<String>, Value) {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    let call = query
        .iter()
        .fold(app.call("ListModels"), |call, (name, value)| {
            call.query(name, *value)
        });
    let mut answer = call.ok().await.json;
    let rows = answer["data"].as_array().unwrap().iter();
    let ids = rows
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    (ids, answer["total_count"].take())
}

#[tokio::test]
async fn a_row_has_everything_and_no_nulls() {
    let upstream = Upstream::start().await;
    let answer = TestApp::on(&upstream).call("ListModels").ok().await.json;
    assert_eq!(
        answer["data"][0],
        json!({
            "id": GPT, "name": "OpenAI: GPT-4o", "description": "Sees.",
            "pricing": {"prompt": "0.0000025", "completion": "0.00001"},
            "created": 1_715_558_400, "context_length": 128_000, "max_output_tokens": 16_384,
            "input_modalities": ["text", "image", "file"], "output_modalities": ["text"],
            "supported_parameters": [
                "temperature", "top_p", "max_tokens", "stop", "seed", "tools", "tool_choice",
                "response_format", "structured_outputs", "logprobs", "top_logprobs", "logit_bias",
                "frequency_penalty", "presence_penalty",
            ],
            "prompt_price_per_million": 2.5, "completion_price_per_million": 10,
            "is_free": false, "expiration_date": "2027-01-31",
        })
    );
    let auto = &answer["data"][2];
    assert!(
        auto.get("prompt_price_per_million").is_none(),
        "the price is dynamic"
    );
    assert_eq!(
        (&auto["is_free"], &auto["pricing"]["prompt"]),
        (&json!(false), &json!("-1"))
    );
    assert_eq!(answer["data"][1]["is_free"], true);
    assert_eq!(
        answer["data"][1]["name"], "Meta: Llama 3.3 70B (free)",
        "without the blank"
    );
}

#[rstest]
#[case::none(&[], &[GPT, LLAMA, AUTO, CLAUDE])]
#[case::blanks(&[("search", ""), ("limit", ""), ("sort", ""), ("zero_data_retention", "")], &[GPT, LLAMA, AUTO, CLAUDE])]
#[case::search_name(&[("search", "opus")], &[CLAUDE])]
#[case::search_id(&[("search", "META-LLAMA/")], &[LLAMA])]
#[case::search_nothing(&[("search", "no such model")], &[])]
#[case::image(&[("output_modality", "image")], &[AUTO, FLUX])]
#[case::all(&[("output_modality", "all")], &[GPT, LLAMA, AUTO, CLAUDE, FLUX])]
#[case::takes_file(&[("input_modality", "file")], &[GPT, CLAUDE])]
#[case::one_parameter(&[("supported_parameters", "tools")], &[GPT, CLAUDE])]
#[case::two_parameters(&[("supported_parameters", " tools , reasoning,")], &[CLAUDE])]
#[case::context(&[("min_context", "200000")], &[AUTO, CLAUDE])]
#[case::price(&[("max_price", "2.5")], &[GPT, LLAMA])]
#[case::free(&[("max_price", "0")], &[LLAMA])]
#[case::newest(&[("sort", "newest")], &[CLAUDE, LLAMA, GPT, AUTO])]
#[case::cheapest(&[("sort", "pricing-low-to-high")], &[LLAMA, GPT, CLAUDE, AUTO])]
#[case::dearest(&[("sort", "pricing-high-to-low")], &[CLAUDE, GPT, LLAMA, AUTO])]
#[case::longest(&[("sort", "context-high-to-low")], &[AUTO, CLAUDE, GPT, LLAMA])]
#[case::not_zdr(&[("zero_data_retention", "False")], &[GPT, LLAMA, AUTO, CLAUDE])]
#[case::together(&[("input_modality", "image"), ("max_price", "3"), ("search", "g")], &[GPT])]
#[tokio::test]
async fn each_filter_leaves_what_it_says(#[case] query: &[(&str, &str)], #[case] ids: &[&str]) {
    let (found, count) = listed(query).await;
    assert_eq!(found, ids);
    assert_eq!(count, ids.len());
}

#[rstest]
#[case("2", "0", &[GPT, LLAMA])]
#[case("2", "1", &[LLAMA, AUTO])]
#[case("9", "3", &[CLAUDE])]
#[case("1", "9", &[])]
#[tokio::test]
async fn a_page_counts_the_whole(#[case] limit: &str, #[case] offset: &str, #[case] ids: &[&str]) {
    let (found, count) = listed(&[("limit", limit), ("offset", offset)]).await;
    assert_eq!(found, ids);
    assert_eq!(count, 4);
}

#[tokio::test]
async fn what_only_upstream_knows_is_asked_upstream_with_the_callers_key() {
    let upstream = Upstream::start().await;
    let app = TestApp::on(&upstream);
    let call = app
        .call("ListModels")
        .query("category", "programming")
        .query("sort", "top-weekly")
        .query("zero_data_retention", "TRUE")
        .query("max_price", "2.5");
    let answer = call.ok().await;
    assert_eq!(answer.json["total_count"], 2, "the rest is filtered here");
    let calls = upstream.calls(MODELS).await;
    let call = calls
        .iter()
        .find(|call| call.headers.contains_key("authorization"))
        .unwrap();
    assert_eq!(header(call, "authorization"), format!("Bearer {KEY}"));
    assert_eq!(
        call.url.query(),
        Some("output_modalities=text&category=programming&sort=top-weekly&zdr=true")
    );
}

#[rstest]
#[case("limit", "0")]
#[case("limit", "1001")]
#[case("limit", "ten")]
#[case("limit", "1.5")]
#[case("offset", "-1")]
#[case("min_context", "0")]
#[case("max_price", "-0.1")]
#[case("max_price", "NaN")]
#[case("sort", "best")]
#[case("output_modality", "smell")]
#[case("zero_data_retention", "maybe")]
#[case("serch", "gpt")]
#[tokio::test]
async fn input_at_fault_is_refused_by_name(#[case] name: &str, #[case] value: &str) {
    sandbox()
        .call("ListModels")
        .query(name, value)
        .refused(name)
        .await;
}

#[tokio::test]
async fn the_simulated_openrouter_has_models_for_everything() {
    for modality in [
        "text",
        "image",
        "speech",
        "transcription",
        "video",
        "embeddings",
        "rerank",
    ] {
        let answer = sandbox()
            .call("ListModels")
            .query("output_modality", modality)
            .ok()
            .await;
        assert!(
            answer.json["total_count"].as_i64().unwrap() > 0,
            "{modality}"
        );
    }
}
