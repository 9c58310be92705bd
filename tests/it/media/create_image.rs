//! Create image: what is sent for which wish, and which pictures come back.

use data_encoding::BASE64;
use rstest::rstest;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{
    PNG, TestApp, Upstream, sandbox,
    upstream::{CHAT, chat},
};

const IMAGES: &str = "/images";

fn picture() -> Value {
    json!({"created": 1_764_030_274, "data": [{"b64_json": PNG, "media_type": "image/png"}]})
}

async fn upstream_with(body: Value) -> Upstream {
    let upstream = Upstream::start().await;
    upstream.answers(IMAGES, body).await;
    upstream
}

#[tokio::test]
async fn a_prompt_alone_is_sent_alone() {
    let upstream = upstream_with(picture()).await;
    let body = json!({"model": "black-forest-labs/flux.2-pro", "prompt": "A {cat}."});
    let answer = TestApp::on(&upstream)
        .call("CreateImage")
        .body(&body)
        .ok()
        .await;
    assert_eq!(upstream.sent(IMAGES).await, body);
    assert!(answer.warnings().is_empty());
}

#[tokio::test]
async fn every_wish_goes_to_its_place() {
    let upstream = upstream_with(picture()).await;
    let body = json!({
        "model": "unknown/model", "prompt": "A cat.", "aspect_ratio": "9:19.5", "size": "0.5K",
        "attachments": [
            {"content": PNG}, {"url": "https://a.example/b.webp"},
            {"name": "notes.txt", "content": "TW9yZS4="},
        ],
        "image_messages": [
            {"content": "at dusk"}, {"content": "people", "weight": -2},
            {"content": "a castle", "weight": 1.5}, {"content": "fog", "weight": 0.25},
        ],
        "n": 3, "quality": "high", "background": "transparent", "output_format": "webp",
        "seed": -7, "user": "u-1", "provider_order": ["a"], "provider_only": ["b"],
        "provider_ignore": ["c"], "provider_sort": "latency", "allow_fallbacks": "False",
    });
    TestApp::on(&upstream)
        .call("CreateImage")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        upstream.sent(IMAGES).await,
        json!({
            "model": "unknown/model",
            "prompt": "A cat.\n(a castle:1.5)\nat dusk\n(fog:0.25)\nAvoid: (people:2)\n\nnotes.txt:\n\nMore.",
            "n": 3, "aspect_ratio": "9:19.5", "resolution": "512", "quality": "high",
            "background": "transparent", "output_format": "webp", "seed": -7,
            "input_references": [
                {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}},
                {"type": "image_url", "image_url": {"url": "https://a.example/b.webp"}},
            ],
            "provider": {"order": ["a"], "only": ["b"], "ignore": ["c"], "sort": "latency", "allow_fallbacks": false},
            "user": "u-1",
        })
    );
}

#[tokio::test]
async fn messages_may_stand_for_the_prompt() {
    let upstream = upstream_with(picture()).await;
    let body =
        json!({"model": "m", "image_messages": [{"content": "A cat."}, {"content": "A dog."}]});
    TestApp::on(&upstream)
        .call("CreateImage")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        upstream.sent(IMAGES).await,
        json!({"model": "m", "prompt": "A cat.\nA dog."})
    );
}

#[tokio::test]
async fn the_answer_is_flat_and_complete() {
    let jpeg = BASE64.encode(b"\xff\xd8\xff\xe0\0\x10JFIF\0");
    let upstream = upstream_with(json!({
        "id": null, "created": 1_764_030_274.0,
        "data": [
            {"b64_json": PNG},
            {"b64_json": format!("data:image/jpeg;base64,{jpeg}"), "media_type": null, "revised_prompt": "A black cat."},
            {"b64_json": "", "url": "https://pictures.example/cat.webp?x=1"},
            {"b64_json": "!!!"},
        ],
        "usage": {"prompt_tokens": "5", "completion_tokens": 1290.0, "total_tokens": 1295, "cost": "0.04"},
    }))
    .await;
    let body = json!({"model": "unknown/model", "prompt": "A cat."});
    let answer = TestApp::on(&upstream)
        .call("CreateImage")
        .body(&body)
        .ok()
        .await;
    let first = json!({"name": "image-1.png", "extension": "png", "mime_type": "image/png", "size": 70, "content": PNG});
    assert_eq!(
        answer.json,
        json!({
            "image": first,
            "images": [
                first,
                {"name": "image-2.jpg", "extension": "jpg", "mime_type": "image/jpeg", "size": 11, "content": jpeg},
                {"name": "cat.webp", "url": "https://pictures.example/cat.webp?x=1"},
            ],
            "revised_prompt": "A black cat.", "created": 1_764_030_274, "prompt_tokens": 5,
            "completion_tokens": 1290, "total_tokens": 1295, "model": "unknown/model", "cost": 0.04,
            "warnings": [], "status": "completed",
        })
    );
}

#[rstest]
#[case::no_prompt(json!({}), "prompt")]
#[case::blank(json!({"prompt": " \n"}), "prompt")]
#[case::nothing_in_messages(json!({"image_messages": []}), "prompt")]
#[case::image_alone(json!({"attachments": [{"content": PNG}]}), "prompt")]
#[case::blank_message(json!({"image_messages": [{"content": "a"}, {"content": ""}]}), "image_messages[1].content")]
#[case::weight(json!({"image_messages": [{"content": "a", "weight": 11}]}), "image_messages[0].weight")]
#[case::weight_as_text(json!({"image_messages": [{"content": "a", "weight": "1"}]}), "image_messages[0].weight")]
#[case::none(json!({"prompt": "a", "n": 0}), "n")]
#[case::many(json!({"prompt": "a", "n": 11}), "n")]
#[case::half(json!({"prompt": "a", "n": 1.5}), "n")]
#[case::ratio(json!({"prompt": "a", "aspect_ratio": "16/9"}), "aspect_ratio")]
#[case::size(json!({"prompt": "a", "size": "1024x1024"}), "size")]
#[case::quality(json!({"prompt": "a", "quality": "hd"}), "quality")]
#[case::background(json!({"prompt": "a", "background": true}), "background")]
#[case::format(json!({"prompt": "a", "output_format": "gif"}), "output_format")]
#[case::sort(json!({"prompt": "a", "provider_sort": "cost"}), "provider_sort")]
#[case::seventeen_files(json!({"prompt": "a", "attachments": vec![json!({"content": PNG}); 17]}), "attachments")]
#[case::message_typo(json!({"image_messages": [{"text": "a"}]}), "image_messages[0].text")]
#[tokio::test]
async fn an_input_at_fault_is_refused_by_its_path(#[case] mut body: Value, #[case] field: &str) {
    body["model"] = json!("black-forest-labs/flux.2-pro");
    sandbox()
        .call("CreateImage")
        .body(&body)
        .refused(field)
        .await;
}

#[tokio::test]
async fn an_image_that_the_model_does_not_take_is_named() {
    let upstream = upstream_with(picture()).await;
    let model = "meta-llama/llama-3.3-70b-instruct:free";
    let body = json!({"model": model, "prompt": "A cat.", "attachments": [{"name": "a.png", "content": PNG}]});
    let answer = TestApp::on(&upstream)
        .call("CreateImage")
        .body(&body)
        .ok()
        .await;
    assert_eq!(
        answer.warnings(),
        [format!(
            "The file a.png was not sent: {model} does not take image input."
        )]
    );
    assert!(
        upstream
            .sent(IMAGES)
            .await
            .get("input_references")
            .is_none()
    );
}

/// Upstream's word that the model is to be asked at another address.
fn wrong_endpoint() -> ResponseTemplate {
    let error =
        json!({"code": 400, "message": "Use chat.", "metadata": {"error_type": "wrong_endpoint"}});
    ResponseTemplate::new(400).set_body_json(json!({"error": error}))
}

/// `openrouter/auto` gives texts and images, so a chat may help where the images' own path does not.
const TALKS_AND_DRAWS: &str = "openrouter/auto";

#[tokio::test]
async fn a_model_that_draws_in_chats_only_is_asked_in_a_chat() {
    let mut said = chat("Here it is.");
    said["choices"][0]["message"]["images"] = json!([{"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}}]);
    let upstream = Upstream::chatting(said).await;
    let unavailable = json!({"error": {"message": "No.", "http_status": 400,
        "availability": {"code": "wrong_endpoint", "retryable": false}}});
    for refusal in [
        wrong_endpoint(),
        ResponseTemplate::new(404),
        ResponseTemplate::new(400).set_body_json(unavailable),
    ] {
        upstream.responds(IMAGES, refusal).await;
        let body = json!({
            "model": TALKS_AND_DRAWS, "prompt": "A cat.", "aspect_ratio": "16:9", "size": "2K", "n": 2,
            "output_format": "webp", "background": "opaque", "seed": 5, "user": "u",
            "provider_only": ["a"], "attachments": [{"content": PNG}],
        });
        let answer = TestApp::on(&upstream)
            .call("CreateImage")
            .body(&body)
            .ok()
            .await;
        let calls = upstream.calls(CHAT).await;
        let sent: Value = calls.last().unwrap().body_json().unwrap();
        assert_eq!(
            sent,
            json!({
                "model": TALKS_AND_DRAWS,
                "messages": [{"role": "user", "content": [
                    {"type": "text", "text": "A cat."},
                    {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{PNG}")}},
                ]}],
                "modalities": ["image", "text"],
                "image_config": {"aspect_ratio": "16:9", "image_size": "2K"},
                "seed": 5, "user": "u", "provider": {"only": ["a"]},
            })
        );
        assert_eq!(answer.json["image"]["content"], PNG);
        assert_eq!(answer.json["text"], "Here it is.");
        assert_eq!(answer.json["cost"], 7.1e-05);
        let warnings = answer.warnings().join(" ");
        for name in [
            "n has no effect",
            "background has no effect",
            "output_format has no effect",
        ] {
            assert!(warnings.contains(name), "{warnings}");
        }
    }
}

#[rstest]
#[case::in_its_text(chat("I cannot draw people,\nsorry"))]
#[case::as_a_refusal({
    let mut said = chat("");
    said["choices"][0]["message"]["refusal"] = json!("I cannot draw people, sorry.");
    said
})]
#[tokio::test]
async fn a_model_that_talks_instead_of_drawing_is_quoted(#[case] said: Value) {
    let upstream = Upstream::chatting(said).await;
    upstream.responds(IMAGES, wrong_endpoint()).await;
    let body = json!({"model": TALKS_AND_DRAWS, "prompt": "A cat."});
    let answer = TestApp::on(&upstream)
        .call("CreateImage")
        .body(&body)
        .fails(403, "refused")
        .await;
    assert!(
        answer.message().ends_with("I cannot draw people, sorry."),
        "{}",
        answer.message()
    );
}

#[rstest]
#[case::no_list(json!({"created": 1}))]
#[case::empty_list(json!({"data": []}))]
#[case::empty_picture(json!({"data": [{"b64_json": ""}]}))]
#[case::null(json!({"data": [{"b64_json": null}, null]}))]
#[case::rubbish(json!({"data": [{"b64_json": "!"}]}))]
#[case::object(json!({"data": {"b64_json": PNG}}))]
#[tokio::test]
async fn an_answer_without_a_picture_is_an_error(#[case] body: Value) {
    let upstream = upstream_with(body).await;
    let body = json!({"model": "black-forest-labs/flux.2-pro", "prompt": "A cat."});
    let app = TestApp::on(&upstream);
    app.call("CreateImage")
        .body(&body)
        .fails(502, "upstream_error")
        .await;
    assert_eq!(upstream.calls(IMAGES).await.len(), 1);
}

/// A refusal for any other reason is told as it is: asking again elsewhere would be billed.
#[tokio::test]
async fn another_refusal_is_not_asked_for_again() {
    let upstream = Upstream::chatting(chat("Hello.")).await;
    for (status, code) in [
        (400, "invalid_request"),
        (402, "insufficient_credits"),
        (403, "refused"),
    ] {
        let error = json!({"error": {"code": status, "message": "No."}});
        upstream
            .responds(IMAGES, ResponseTemplate::new(status).set_body_json(error))
            .await;
        let body = json!({"model": TALKS_AND_DRAWS, "prompt": "A cat."});
        TestApp::on(&upstream)
            .call("CreateImage")
            .body(&body)
            .fails(status, code)
            .await;
        upstream.forget().await;
    }
    assert!(upstream.calls(CHAT).await.is_empty());
}

/// Width and height of a PNG; it fails if the file is not whole.
fn size(file: &[u8]) -> (u32, u32) {
    assert_eq!(file[..8], *b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    let mut kinds = Vec::new();
    let mut at = 8;
    while at < file.len() {
        let length = usize::try_from(number(at)).unwrap();
        kinds.push(&file[at + 4..at + 8]);
        // Each chunk is its length, its kind, its content and a checksum.
        at += 12 + length;
    }
    assert_eq!(at, file.len(), "the last chunk is cut");
    assert_eq!(
        (kinds[0], *kinds.last().unwrap()),
        (&b"IHDR"[..], &b"IEND"[..])
    );
    assert!(kinds.contains(&&b"IDAT"[..]));
    (number(16), number(20))
}

#[rstest]
#[case("1:1", 1.0)]
#[case("16:9", 16.0 / 9.0)]
#[case("9:16", 9.0 / 16.0)]
#[case("21:9", 21.0 / 9.0)]
#[case("1:8", 1.0 / 8.0)]
#[case("19.5:9", 19.5 / 9.0)]
#[tokio::test]
async fn the_simulated_picture_opens_and_has_its_shape(#[case] ratio: &str, #[case] shape: f64) {
    let body = json!({"model": "bytedance-seed/seedream-4.5", "prompt": "A cat.", "aspect_ratio": ratio, "n": 2});
    let answer = sandbox().call("CreateImage").body(&body).ok().await;
    let images = answer.json["images"].as_array().unwrap();
    assert_eq!(images.len(), 2);
    assert_eq!(images[0], answer.json["image"]);
    assert_ne!(images[0]["content"], images[1]["content"]);
    for image in images {
        let file = BASE64
            .decode(image["content"].as_str().unwrap().as_bytes())
            .unwrap();
        assert_eq!(image["size"], file.len());
        let (width, height) = size(&file);
        let found = f64::from(width) / f64::from(height);
        assert!(
            (found / shape - 1.0).abs() < 0.05,
            "{width}x{height} for {ratio}"
        );
    }
}

#[tokio::test]
async fn the_simulated_drawing_is_named_as_what_it_is() {
    let body = json!({"model": "quiver/arrow-1", "prompt": "A cat."});
    let answer = sandbox().call("CreateImage").body(&body).ok().await;
    let image = &answer.json["image"];
    assert_eq!(
        (&image["extension"], &image["mime_type"]),
        (&json!("svg"), &json!("image/svg+xml"))
    );
    assert_eq!(image["name"], "image-1.svg");
}

#[rstest]
#[case("openai/gpt-5-image")]
#[case("google/gemini-2.5-flash-image")]
#[tokio::test]
async fn a_simulated_picture_can_be_drawn_on(#[case] model: &str) {
    let body = json!({"model": model, "prompt": "Add a hat.", "attachments": [{"content": PNG}]});
    let answer = sandbox().call("CreateImage").body(&body).ok().await;
    size(
        &BASE64
            .decode(answer.json["image"]["content"].as_str().unwrap().as_bytes())
            .unwrap(),
    );
}
