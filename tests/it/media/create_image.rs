//! Create image: what is asked for, the files that come back, and the way round by a chat.

use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{
    PDF, PNG, TestApp, Upstream, sandbox,
    upstream::{CHAT, chat},
};

const IMAGES: &str = "/images";

fn pictures() -> Value {
    json!({
        "created": 1_700_000_000,
        "data": [{"b64_json": PNG, "media_type": "image/png", "revised_prompt": "A cat, smiling"},
            {"b64_json": PNG, "media_type": null}, {"url": "https://a.example/cat.png"}, {}, null],
        "usage": {"prompt_tokens": 5, "completion_tokens": 100, "total_tokens": 105, "cost": "0.04"},
    })
}

/// A picture of one pixel as the answer shows it.
fn file(name: &str) -> Value {
    json!({"name": name, "extension": "png", "mime_type": "image/png", "size": 70, "content": PNG})
}

#[tokio::test]
async fn everything_asked_for_goes_to_its_place() {
    let upstream = Upstream::start().await;
    upstream.answers(IMAGES, pictures()).await;
    let body = json!({
        "model": "black-forest-labs/flux.2-pro", "prompt": "A cat", "aspect_ratio": "16:9",
        "size": "2K", "n": 2, "quality": "high", "background": "transparent",
        "output_format": "webp", "seed": 7, "user": "u-1", "provider_order": ["a"],
        "provider_only": ["b"], "provider_ignore": ["c"], "provider_sort": "price",
        "allow_fallbacks": false,
        "image_messages": [
            {"content": "a hat", "weight": 0.5}, {"content": "people", "weight": -2},
            {"content": "a smile", "weight": 1.5}, {"content": "at dusk"},
        ],
        "attachments": [{"content": PNG}, {"name": "style.txt", "content": "U29mdA=="}],
    });
    TestApp::on(&upstream)
        .call("CreateImage")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        upstream.sent(IMAGES).await,
        json!({
            "model": "black-forest-labs/flux.2-pro",
            "prompt": "A cat\n(a smile:1.5)\nat dusk\n(a hat:0.5)\nAvoid: (people:2)\n\nstyle.txt:\n\nSoft",
            "n": 2, "aspect_ratio": "16:9", "resolution": "2K", "quality": "high",
            "background": "transparent", "output_format": "webp", "seed": 7,
            "input_references": [
                {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}},
            ],
            "provider": {"order": ["a"], "only": ["b"], "ignore": ["c"], "sort": "price", "allow_fallbacks": false},
            "user": "u-1",
        })
    );
}

#[tokio::test]
async fn every_image_is_a_file_and_the_first_stands_alone() {
    let upstream = Upstream::start().await;
    let body = ResponseTemplate::new(200)
        .insert_header("x-generation-id", "gen-img")
        .set_body_json(pictures());
    upstream.responds(IMAGES, body).await;
    let answer = TestApp::on(&upstream)
        .call("CreateImage")
        .with_samples()
        .ok()
        .await
        .json;
    assert_eq!(answer["image"], file("image-1.png"));
    assert_eq!(
        answer["images"],
        json!([file("image-1.png"), file("image-2.png"), {"name": "cat.png", "url": "https://a.example/cat.png"}])
    );
    assert_eq!(answer["revised_prompt"], "A cat, smiling");
    assert_eq!(
        (&answer["id"], &answer["cost"]),
        (&json!("gen-img"), &json!(0.04))
    );
    assert_eq!(
        (&answer["total_tokens"], &answer["status"]),
        (&json!(105), &json!("completed"))
    );
}

#[tokio::test]
async fn a_model_that_draws_in_chats_only_is_asked_there() {
    let upstream = Upstream::start().await;
    let refusal = json!({"error": {"message": "openrouter/auto cannot be used with images", "http_status": 400,
        "availability": {"code": "wrong_endpoint", "retryable": false}}});
    upstream
        .responds(IMAGES, ResponseTemplate::new(400).set_body_json(refusal))
        .await;
    let mut drawn = chat("Here it is.");
    drawn["choices"][0]["message"]["images"] =
        json!([{"image_url": {"url": format!("data:image/png;base64,{PNG}")}}]);
    upstream.answers(CHAT, drawn).await;
    let body =
        json!({"model": "openrouter/auto", "prompt": "A cat", "aspect_ratio": "1:1", "n": 3});
    let answer = TestApp::on(&upstream)
        .call("CreateImage")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        upstream.sent(CHAT).await,
        json!({
            "model": "openrouter/auto",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "A cat"}]}],
            "modalities": ["image", "text"], "image_config": {"aspect_ratio": "1:1"},
        })
    );
    assert_eq!(
        (&answer.json["image"], &answer.json["text"]),
        (&file("image-1.png"), &json!("Here it is."))
    );
    assert_eq!(
        answer.warnings(),
        ["n has no effect: openrouter/auto makes images in a chat."]
    );
}

#[tokio::test]
async fn words_instead_of_an_image_are_a_refusal() {
    let upstream = Upstream::chatting(chat("I do not\n draw cats.")).await;
    let refusal = json!({"error": {"message": "no", "availability": {"code": "wrong_endpoint", "retryable": false}}});
    upstream
        .responds(IMAGES, ResponseTemplate::new(400).set_body_json(refusal))
        .await;
    let body = json!({"model": "openrouter/auto", "prompt": "A cat"});
    let answer = TestApp::on(&upstream)
        .call("CreateImage")
        .body(&body)
        .fails(403, "refused")
        .await;
    assert_eq!(
        answer.message(),
        "The model made no image and said: I do not draw cats."
    );
}

#[rstest]
#[case(json!({}))]
#[case(json!({"data": []}))]
#[case(json!({"data": [{"b64_json": ""}, {"b64_json": null, "url": ""}]}))]
#[case(json!({"data": [{"b64_json": "!!!"}]}))]
#[tokio::test]
async fn no_image_is_an_error(#[case] body: Value) {
    let upstream = Upstream::start().await;
    upstream.answers(IMAGES, body).await;
    TestApp::on(&upstream)
        .call("CreateImage")
        .with_samples()
        .fails(502, "upstream_error")
        .await;
}

#[rstest]
#[case(json!({"model": "m"}), "prompt")]
#[case(json!({"model": "m", "prompt": "", "image_messages": []}), "prompt")]
#[case(json!({"prompt": "a"}), "model")]
#[case(json!({"model": "m", "prompt": "a", "aspect_ratio": "5:1"}), "aspect_ratio")]
#[case(json!({"model": "m", "prompt": "a", "n": 11}), "n")]
#[case(json!({"model": "m", "image_messages": [{"weight": 1}]}), "image_messages[0].content")]
#[case(json!({"model": "m", "image_messages": [{"content": "a", "weight": 11}]}), "image_messages[0].weight")]
#[case(json!({"model": "m", "prompt": "a", "attachments": [{"content": PDF}]}), "attachments[0]")]
#[case(json!({"model": "m", "prompt": "a", "sise": "2K"}), "sise")]
#[tokio::test]
async fn input_at_fault_is_refused_by_its_path(#[case] body: Value, #[case] field: &str) {
    sandbox()
        .call("CreateImage")
        .body(&body)
        .refused(field)
        .await;
}

#[rstest]
#[case("openai/gpt-5-image")]
#[case("google/gemini-2.5-flash-image")]
#[tokio::test]
async fn the_simulated_openrouter_draws(#[case] model: &str) {
    let body = json!({"model": model, "prompt": "A cat"});
    let answer = sandbox().call("CreateImage").body(&body).ok().await.json;
    assert!(answer["image"]["size"].as_i64().unwrap() > 60, "{answer}");
}
