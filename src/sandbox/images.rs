//! `POST /images`: real pictures, though nobody painted them.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::catalogue::{ImageFacts, Model, find_for, image_facts};
use super::errors::Refusal;
use super::generations::{Facts, new_id, now};
use super::incoming::{App, InferenceCaller, JsonBody, invalid};
use super::misbehaviour::{Fault, json_after};
use super::usage::{Used, tokens};
use super::{State, lock, png};

const RATIOS: [&str; 22] = [
    "1:1", "1:2", "1:4", "1:8", "2:1", "2:3", "3:2", "3:4", "4:1", "4:3", "4:5", "5:4", "8:1",
    "9:16", "16:9", "9:19.5", "19.5:9", "9:20", "20:9", "9:21", "21:9", "auto",
];
const TIERS: [&str; 4] = ["512", "1K", "2K", "4K"];

/// What a picture counts as, in tokens.
const PICTURE_TOKENS: u64 = 1_290;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/images", web::post().to(create));
}

async fn create(
    _: InferenceCaller,
    app: App,
    body: JsonBody,
    state: Data<State>,
) -> Result<HttpResponse, Refusal> {
    let model = find_for(body.text("model")?, "image", "images")?;
    let prompt = body.text("prompt")?;
    let facts = image_facts(model);
    let wish = Wish::read(&body, &facts)?;
    if let Some(fault) = model.fault {
        if let Some(failure) = fault.instead_of_answer(prompt)? {
            return Ok(failure);
        }
        if fault == Fault::ErrorAfterText {
            // Pictures come whole or not at all.
            return Err(Refusal::new(502, "Provider returned error").kind("provider_unavailable"));
        }
    }
    let blank = matches!(model.fault, Some(Fault::Empty | Fault::EmptyChoice));
    let number = if blank { 0 } else { wish.number };
    let image = PICTURE_TOKENS * number;
    let used = Used {
        prompt: tokens(prompt) + 258 * wish.references,
        completion: image,
        image,
        pictures: number,
        ..Used::default()
    };
    let id = new_id("gen");
    let record = Facts {
        media_in: usize::try_from(wish.references).unwrap_or_default(),
        streamed: wish.streamed,
        ..Facts::of(&id, "image", model, used, used.cost(model), &app)
    };
    lock(&state.generations).remember(&id, record.record());
    let pictures: Vec<Value> = (0..number)
        .map(|nth| wish.picture(prompt, nth, model))
        .collect();
    if wish.streamed {
        return Ok(streamed(&id, &pictures, &used.report(model)));
    }
    let answer = json!({ "created": now(), "data": pictures, "usage": used.report(model) });
    Ok(json_after(model.fault.and_then(Fault::delay), &id, &answer))
}

/// What is to be drawn.
struct Wish {
    number: u64,
    references: u64,
    shape: String,
    seed: String,
    vector: bool,
    streamed: bool,
}

impl Wish {
    fn read(body: &JsonBody, facts: &ImageFacts) -> Result<Self, Refusal> {
        body.number("n", 1.0, 10.0)?;
        body.number("output_compression", 0.0, 100.0)?;
        let ratio = body.word("aspect_ratio", &RATIOS)?;
        let tier = body.word("resolution", &TIERS)?;
        body.word("quality", &["auto", "low", "medium", "high"])?;
        body.word("background", &["auto", "transparent", "opaque"])?;
        let format = body.word("output_format", &["png", "jpeg", "webp", "svg"])?;
        let number = body.get("n").map_or(Some(1), Value::as_u64);
        let number = number.ok_or_else(|| invalid("n", "expected a whole number"))?;
        if number > facts.most {
            let most = facts.most;
            return Err(invalid(
                "n",
                &format!("this model makes at most {most} at a time"),
            ));
        }
        let mut shape = ratio.unwrap_or("1:1").to_owned();
        if let Some(size) = body.get("size").filter(|size| !size.is_null()) {
            let size = size.as_str().unwrap_or_default();
            if let Some((width, height)) = pixels(size) {
                if ratio.is_some() || tier.is_some() {
                    let complaint = "cannot be combined with aspect_ratio or resolution";
                    return Err(invalid("size", complaint));
                }
                shape = format!("{width}x{height}");
            } else if !TIERS.contains(&size) {
                return Err(invalid("size", "expected a tier or WIDTHxHEIGHT"));
            }
        }
        Ok(Self {
            number,
            references: references(body, facts)?,
            shape,
            seed: body.get("seed").map(Value::to_string).unwrap_or_default(),
            vector: format == Some("svg") || facts.formats == ["svg"],
            streamed: facts.streams && body.get("stream") == Some(&Value::Bool(true)),
        })
    }

    /// One entry of `data`. Whatever other format was asked for, the answer is a PNG and says so,
    /// as with providers that know only one; and some providers do not say what it is.
    fn picture(&self, prompt: &str, nth: u64, model: &Model) -> Value {
        let (width, height) = png::size(&self.shape);
        let subject = format!("{prompt}{}", self.seed);
        let (file, media_type) = if self.vector {
            (
                png::vector(&subject, nth, width, height).into_bytes(),
                "image/svg+xml",
            )
        } else {
            (png::picture(&subject, nth, width, height), "image/png")
        };
        let mut entry = json!({ "b64_json": BASE64.encode(&file) });
        if model.author() != "black-forest-labs" {
            entry["media_type"] = media_type.into();
        }
        entry
    }
}

fn pixels(size: &str) -> Option<(u32, u32)> {
    let (width, height) = size.split_once('x')?;
    let points = |text: &str| {
        text.parse()
            .ok()
            .filter(|points| (16..=16_384).contains(points))
    };
    points(width).zip(points(height))
}

fn references(body: &JsonBody, facts: &ImageFacts) -> Result<u64, Refusal> {
    let list = match body.get("input_references") {
        None | Some(Value::Null) => return Ok(0),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(invalid("input_references", "expected array")),
    };
    for (index, reference) in list.iter().enumerate() {
        let url = reference
            .pointer("/image_url/url")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let data = url
            .strip_prefix("data:image/")
            .and_then(|rest| rest.split_once(";base64,"));
        let readable = match data {
            Some((_, data)) => BASE64
                .decode(data.as_bytes())
                .is_ok_and(|bytes| !bytes.is_empty()),
            None => url.starts_with("http://") || url.starts_with("https://"),
        };
        if !readable {
            let message = format!("input_references.{index}: not an image");
            return Err(Refusal::new(400, message).kind("invalid_image"));
        }
    }
    let number = super::usage::count(list.len());
    if number > facts.references {
        let most = facts.references;
        return Err(invalid(
            "input_references",
            &format!("this model takes at most {most}"),
        ));
    }
    Ok(number)
}

/// The pictures as events, each with a preview ahead of it.
fn streamed(id: &str, pictures: &[Value], usage: &Value) -> HttpResponse {
    let mut lines = vec![": OPENROUTER PROCESSING\n\n".to_owned()];
    for picture in pictures {
        let preview = json!({
            "type": "image_generation.partial_image",
            "partial_image_index": 0,
            "b64_json": picture["b64_json"],
        });
        let mut whole = picture.clone();
        whole["type"] = "image_generation.completed".into();
        whole["created"] = now().into();
        whole["usage"] = usage.clone();
        lines.extend([preview, whole].map(|event| format!("data: {event}\n\n")));
    }
    lines.push("data: [DONE]\n\n".to_owned());
    HttpResponse::Ok()
        .insert_header(("X-Generation-Id", id))
        .content_type("text/event-stream")
        .body(lines.concat())
}
