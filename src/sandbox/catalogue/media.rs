//! What the image and video models can do, which the general list does not say.

use actix_web::web::{Json, Path};
use serde_json::{Map, Value, json};

use super::super::errors::Refusal;
use super::{Model, all, find, providers_of};

const RATIOS: &[&str] = &["1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9", "21:9"];

/// What one image model accepts and charges.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct ImageFacts {
    pub(in super::super) most: u64,
    pub(in super::super) formats: &'static [&'static str],
    pub(in super::super) references: u64,
    resolutions: &'static [&'static str],
    qualities: bool,
    pub(in super::super) streams: bool,
}

/// The facts of an image model; other models that are asked to draw get modest ones.
pub(in super::super) fn image_facts(model: &Model) -> ImageFacts {
    let plain = ImageFacts {
        most: 4,
        formats: &["png", "jpeg", "webp"],
        references: 4,
        resolutions: &["1K", "2K"],
        qualities: false,
        streams: false,
    };
    match model.author() {
        "bytedance-seed" => ImageFacts {
            most: 10,
            references: 14,
            resolutions: &["1K", "2K", "4K"],
            ..plain
        },
        "openai" => ImageFacts {
            most: 10,
            references: 16,
            qualities: true,
            streams: true,
            ..plain
        },
        "recraft" => ImageFacts {
            most: 1,
            references: 0,
            ..plain
        },
        "quiver" => ImageFacts {
            most: 1,
            references: 0,
            formats: &["svg"],
            resolutions: &[],
            ..plain
        },
        "sandbox" => ImageFacts {
            most: 10,
            references: 16,
            formats: &["png", "jpeg", "webp", "svg"],
            ..plain
        },
        _ => plain,
    }
}

impl ImageFacts {
    fn supported(&self) -> Value {
        let mut supported = Map::new();
        if !self.resolutions.is_empty() {
            let values = json!({ "type": "enum", "values": self.resolutions });
            supported.insert("resolution".into(), values);
        }
        supported.insert(
            "aspect_ratio".into(),
            json!({ "type": "enum", "values": RATIOS }),
        );
        supported.insert(
            "output_format".into(),
            json!({ "type": "enum", "values": self.formats }),
        );
        if self.most > 1 {
            supported.insert(
                "n".into(),
                json!({ "type": "range", "min": 1, "max": self.most }),
            );
        }
        if self.references > 0 {
            let range = json!({ "type": "range", "min": 0, "max": self.references });
            supported.insert("input_references".into(), range);
        }
        if self.qualities {
            let values = json!({ "type": "enum", "values": ["auto", "low", "medium", "high"] });
            supported.insert("quality".into(), values);
            let values = json!({ "type": "enum", "values": ["auto", "transparent", "opaque"] });
            supported.insert("background".into(), values);
        }
        supported.insert("seed".into(), json!({ "type": "boolean" }));
        supported.into()
    }
}

/// `GET /images/models`.
pub(super) async fn image_models() -> Json<Value> {
    let list: Vec<Value> = all()
        .iter()
        .filter(|model| model.gives("image") && !model.is_router())
        .map(|model| {
            let facts = image_facts(model);
            json!({
                "id": model.id,
                "name": model.name,
                "description": model.described(),
                "created": model.created,
                "architecture": {
                    "input_modalities": model.inputs,
                    "output_modalities": model.outputs,
                },
                "supported_parameters": facts.supported(),
                "supports_streaming": facts.streams,
                "endpoints": format!("/api/v1/images/models/{}/endpoints", model.id),
            })
        })
        .collect();
    Json(json!({ "data": list }))
}

/// `GET /images/models/{author}/{slug}/endpoints`: no `data` around it, and prices as numbers.
pub(super) async fn image_endpoints(path: Path<(String, String)>) -> Result<Json<Value>, Refusal> {
    let (author, slug) = path.into_inner();
    let found = find(&format!("{author}/{slug}")).filter(|found| found.model.gives("image"));
    let model = found.ok_or_else(Refusal::not_found)?.model;
    let facts = image_facts(model);
    let by_token = model.gives("text");
    let endpoints: Vec<Value> = providers_of(model)
        .iter()
        .map(|provider| {
            json!({
                "provider_name": provider.name,
                "provider_slug": provider.slug,
                "provider_tag": facts.streams.then_some(provider.slug),
                "supported_parameters": facts.supported(),
                "allowed_passthrough_parameters": [],
                "supports_streaming": facts.streams,
                "pricing": [{
                    "billable": "output_image",
                    "unit": if by_token { "token" } else { "image" },
                    "cost_usd": model.price("image_output"),
                }],
            })
        })
        .collect();
    Ok(Json(json!({ "id": model.id, "endpoints": endpoints })))
}

/// What one video model accepts and charges.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct VideoFacts {
    pub(in super::super) durations: &'static [u64],
    pub(in super::super) resolutions: &'static [&'static str],
    pub(in super::super) ratios: &'static [&'static str],
    frames: &'static [&'static str],
    audio: Option<bool>,
    pub(in super::super) needs_prompt: bool,
    /// Per second of film.
    pub(in super::super) price: f64,
}

/// The facts of a video model.
pub(in super::super) fn video_facts(model: &Model) -> VideoFacts {
    let plain = VideoFacts {
        durations: &[4, 6, 8],
        resolutions: &["720p", "1080p"],
        ratios: &["16:9", "9:16"],
        frames: &["first_frame", "last_frame"],
        audio: Some(true),
        needs_prompt: true,
        price: 0.2,
    };
    match model.author() {
        "openai" => VideoFacts {
            durations: &[4, 8, 12],
            frames: &["first_frame"],
            price: 0.3,
            ..plain
        },
        "bytedance" => VideoFacts {
            durations: &[4, 5, 6, 7, 8, 9, 10, 11, 12],
            resolutions: &["480p", "720p", "1080p"],
            ratios: &["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"],
            price: 0.05,
            ..plain
        },
        "topaz" => VideoFacts {
            durations: &[],
            resolutions: &[],
            ratios: &[],
            frames: &[],
            audio: None,
            needs_prompt: false,
            price: 0.01,
        },
        _ => plain,
    }
}

/// `GET /videos/models`.
pub(super) async fn video_models() -> Json<Value> {
    let list: Vec<Value> = all()
        .iter()
        .filter(|model| model.gives("video"))
        .map(|model| {
            let facts = video_facts(model);
            let upscaler = !facts.needs_prompt;
            let some = |known: bool, list: Value| if known { list } else { Value::Null };
            let mut entry = json!({
                "id": model.id,
                "canonical_slug": model.canonical.unwrap_or(model.id),
                "name": model.name,
                "created": model.created,
                "description": model.described(),
                "supported_resolutions": some(!facts.resolutions.is_empty(), json!(facts.resolutions)),
                "supported_aspect_ratios": some(!facts.ratios.is_empty(), json!(facts.ratios)),
                "supported_sizes": null,
                "supported_durations": some(!facts.durations.is_empty(), json!(facts.durations)),
                "supported_frame_images": some(!facts.frames.is_empty(), json!(facts.frames)),
                "generate_audio": facts.audio,
                "seed": (model.author() == "bytedance").then_some(true),
                "allowed_passthrough_parameters": [],
                "pricing_skus": { "duration_seconds": facts.price.to_string() },
            });
            // Only the models that make films larger say anything about that.
            if upscaler {
                entry["upscale_factor"] = json!({ "min": 1, "max": 4 });
                entry["creativity"] = json!([1, 2, 3]);
                entry["pricing_skus"] = Value::Null;
            }
            entry
        })
        .collect();
    Json(json!({ "data": list }))
}
