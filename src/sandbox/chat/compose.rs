//! Composes the answer to a conversation.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::super::answers::{bytes, counted, listed, thoughts};
use super::super::audio::tones;
use super::super::catalogue::{Model, Reasoning};
use super::super::errors::Refusal;
use super::super::incoming::{JsonBody, invalid};
use super::super::misbehaviour::Fault;
use super::super::schema_filler::{fill, misfill};
use super::super::usage::{Used, first_words, split_tokens, tokens};
use super::super::{png, usage};
use super::request::{Attachment, Conversation};
use super::routing::{Route, asked_tokens};
use super::tools;

/// What a picture counts as, in tokens.
const PICTURE_TOKENS: u64 = 1_290;

/// An answer, before it is written as JSON or sent in pieces.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) content: Option<String>,
    pub(super) reasoning: Option<String>,
    pub(super) tool_calls: Vec<Value>,
    pub(super) images: Vec<Value>,
    /// The content as sound, base64, when it was to be spoken.
    pub(super) audio: Option<String>,
    pub(super) annotations: Vec<Value>,
    pub(super) logprobs: Value,
    pub(super) finish: &'static str,
    /// The error that ended the answer in its middle.
    pub(super) error: Option<Value>,
    pub(super) used: Used,
}

/// Composes the answer of the model on the route.
pub(super) fn compose(
    body: &JsonBody,
    conversation: &Conversation,
    route: &Route,
) -> Result<Answer, Refusal> {
    let model = route.model;
    let mut answer = Answer {
        finish: "stop",
        ..Answer::default()
    };
    let mut budget = asked_tokens(body).into_iter().chain(model.max_output).min();

    let effort = effort(body, model)?;
    if let Some(effort) = &effort {
        let thought = thoughts(&conversation.prompt, effort);
        answer.used.reasoning = tokens(&thought).min(budget.unwrap_or(u64::MAX));
        budget = budget.map(|budget| budget - answer.used.reasoning);
        let hidden = body.get("reasoning").and_then(|wish| wish.get("exclude"))
            == Some(&true.into())
            || body.get("include_reasoning") == Some(&false.into());
        answer.reasoning = (!hidden).then_some(thought);
    }

    let searched = tools::searches(body, model, route.online)?;
    answer.tool_calls = tools::calls(body, conversation, model)?;
    if !answer.tool_calls.is_empty() {
        answer.finish = "tool_calls";
        answer.used.completion = tokens(&Value::from(answer.tool_calls.clone()).to_string());
    } else if draws(body, model) {
        draw(&mut answer, body, conversation, model);
    } else {
        let structured = structured(body, conversation, model);
        let plain = structured.is_none();
        let mut content = structured.unwrap_or_else(|| text(conversation, model));
        if let Some(searched) = searched.filter(|_| plain) {
            answer.annotations = tools::cite(&mut content, conversation, searched);
            answer.used.searches = usage::count(answer.annotations.len());
        }
        say(&mut answer, body, &content, budget);
    }
    if let Some(voice) = voice(body)? {
        let notes = tones::melody(answer.content.as_deref().unwrap_or_default(), voice, 1.0);
        answer.audio = Some(BASE64.encode(&tones::pcm(&notes)));
    }
    answer
        .annotations
        .extend(conversation.attachments.iter().filter_map(parsed));

    answer.used.completion += answer.used.reasoning;
    answer.used.prompt = conversation.tokens() + tools::tokens_of(body);
    answer.used.audio_in = conversation.audio_tokens();
    if model.supports("logprobs") && body.get("logprobs") == Some(&true.into()) {
        answer.logprobs = logprobs(body, answer.content.as_deref().unwrap_or_default());
    }
    spoil(&mut answer, model.fault);
    Ok(answer)
}

/// The voice the answer is to be spoken with; `None` when it is to be written.
fn voice(body: &JsonBody) -> Result<Option<&str>, Refusal> {
    let wanted = body.get("modalities").and_then(Value::as_array);
    if !wanted.is_some_and(|wanted| wanted.iter().any(|modality| modality == "audio")) {
        return Ok(None);
    }
    let word = |key: &str| {
        body.get("audio")
            .and_then(|audio| audio.get(key))
            .and_then(Value::as_str)
    };
    if word("format") != Some("pcm16") {
        return Err(invalid("audio.format", "streams are pcm16 only"));
    }
    word("voice")
        .map(Some)
        .ok_or_else(|| invalid("audio.voice", "Required"))
}

/// How hard the model thinks; `None` when it does not.
fn effort(body: &JsonBody, model: &Model) -> Result<Option<String>, Refusal> {
    let wish = body.get("reasoning").filter(|wish| !wish.is_null());
    let inside = |key: &str| {
        wish.and_then(|wish| wish.get(key))
            .filter(|value| !value.is_null())
    };
    let long = inside("effort").and_then(Value::as_str);
    let short = body.get("reasoning_effort").and_then(Value::as_str);
    if long.is_some() && inside("max_tokens").is_some() {
        return Err(invalid(
            "reasoning",
            "only one of effort and max_tokens can be given",
        ));
    }
    if let (Some(long), Some(short)) = (long, short)
        && long != short
    {
        return Err(invalid("reasoning_effort", "contradicts reasoning.effort"));
    }
    let off = long.or(short) == Some("none") || inside("enabled") == Some(&false.into());
    let asked =
        wish.is_some() || short.is_some() || body.get("include_reasoning") == Some(&true.into());
    let thinks = match model.reasoning {
        Reasoning::Never => false,
        Reasoning::WhenAsked => asked && !off,
        Reasoning::Always => true,
    };
    Ok(thinks.then(|| long.or(short).unwrap_or("medium").to_owned()))
}

fn text(conversation: &Conversation, model: &Model) -> String {
    let name = model.name.trim();
    let name = name.split_once(": ").map_or(name, |(_, name)| name);
    let mut sentences = vec![format!("Hello from {name}, simulated.")];
    if let Some(result) = &conversation.tool_result {
        sentences.push(format!("The tool answered: “{}”", first_words(result, 20)));
    }
    if conversation.prompt.trim().is_empty() {
        sentences.push("You sent no words.".to_owned());
    } else {
        sentences.push(format!(
            "You asked: “{}”",
            first_words(&conversation.prompt, 24)
        ));
    }
    if !conversation.system.is_empty() {
        let system = first_words(&conversation.system, 16);
        sentences.push(format!("I keep to your instructions: “{system}”"));
    }
    if conversation.earlier > 0 {
        let before = counted(conversation.earlier, "earlier question");
        sentences.push(format!("I remember {before} of this conversation."));
    }
    for (kind, noun) in [
        ("image", "image"),
        ("file", "file"),
        ("audio", "recording"),
        ("video", "video"),
    ] {
        let parts = conversation
            .attachments
            .iter()
            .filter(|part| part.kind == kind);
        let described: Vec<String> = parts.map(describe).collect();
        if !described.is_empty() {
            let number = counted(described.len(), noun);
            sentences.push(format!("I received {number}: {}.", listed(&described)));
        }
    }
    sentences.push("With an OpenRouter key, a real model answers here.".to_owned());
    sentences.join(" ")
}

fn describe(part: &Attachment) -> String {
    let size = part.size.map_or_else(|| "not fetched".to_owned(), bytes);
    let facts = format!("{}, {size}", part.media_type);
    let named = match &part.name {
        Some(name) => format!("{name} ({facts})"),
        None => facts,
    };
    match &part.begins {
        Some(line) => format!("{named}, which begins with “{}”", first_words(line, 8)),
        None => named,
    }
}

/// The JSON that was asked for; `None` when none was, or when the model does not know how.
fn structured(body: &JsonBody, conversation: &Conversation, model: &Model) -> Option<String> {
    let format = body.get("response_format")?;
    let kind = format.get("type")?.as_str()?;
    if !model.supports("response_format") || !kind.starts_with("json") {
        return None;
    }
    let prompt = conversation.prompt.as_str();
    let schema = format.pointer("/json_schema/schema");
    let Some(schema) = schema.filter(|_| model.supports("structured_outputs")) else {
        // What the provider does not support is dropped without a word: any JSON will have to do.
        let json =
            json!({ "answer": text(conversation, model), "prompt": first_words(prompt, 24) });
        return Some(json.to_string());
    };
    let fits = match model.fault {
        Some(Fault::NeverSchema) => false,
        Some(Fault::InvalidSchema) => conversation.answered_before,
        _ => true,
    };
    if !fits {
        let wrong = misfill(schema, prompt).map(|value| value.to_string());
        return Some(wrong.unwrap_or_else(|| "I would rather not answer in JSON.".to_owned()));
    }
    let json = fill(schema, prompt);
    let healed = tools::plugin(body, "response-healing").is_some();
    Some(if model.fault == Some(Fault::FencedJson) && !healed {
        format!(
            "Here is the JSON you asked for:\n\n```json\n{json:#}\n```\n\nLet me know if it helps."
        )
    } else {
        json.to_string()
    })
}

/// Says a text, as far as the budget and the stop sequences let it.
fn say(answer: &mut Answer, body: &JsonBody, content: &str, budget: Option<u64>) {
    let mut said = content;
    let stops: Vec<&str> = match body.get("stop") {
        Some(Value::String(stop)) => vec![stop],
        Some(Value::Array(stops)) => stops.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let ends = stops
        .iter()
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| said.find(stop));
    if let Some(end) = ends.min() {
        said = &said[..end];
    }
    let mut said = said.to_owned();
    if let Some(budget) = budget.filter(|budget| tokens(&said) > *budget) {
        let whole = usize::try_from(budget).unwrap_or(usize::MAX);
        said = split_tokens(&said)[..whole].concat();
        answer.finish = "length";
    }
    answer.used.completion = tokens(&said);
    answer.content = Some(said);
}

fn draws(body: &JsonBody, model: &Model) -> bool {
    let asked = body.get("modalities").and_then(Value::as_array);
    let asked = asked.is_some_and(|wanted| wanted.iter().any(|modality| modality == "image"));
    model.gives("image") && (asked || !model.gives("text"))
}

fn draw(answer: &mut Answer, body: &JsonBody, conversation: &Conversation, model: &Model) {
    let ratio = body
        .get("image_config")
        .and_then(|config| config.get("aspect_ratio"));
    let (width, height) = png::size(ratio.and_then(Value::as_str).unwrap_or("1:1"));
    let picture = png::picture(&conversation.prompt, 0, width, height);
    let url = format!("data:image/png;base64,{}", BASE64.encode(&picture));
    answer
        .images
        .push(json!({ "type": "image_url", "image_url": { "url": url }, "index": 0 }));
    answer.used.pictures = 1;
    answer.used.image = PICTURE_TOKENS;
    answer.used.completion = PICTURE_TOKENS;
    // Those that only draw say nothing with it.
    let about = first_words(&conversation.prompt, 12);
    let said = if model.gives("text") {
        format!("Here is a simulated picture: {about}")
    } else {
        String::new()
    };
    answer.used.completion += tokens(&said);
    answer.content = Some(said);
}

/// A PDF that had to be parsed comes back as an annotation, to be sent again in place of the file.
fn parsed(part: &Attachment) -> Option<Value> {
    (part.media_type == "application/pdf").then(|| {
        let name = part.name.as_deref().unwrap_or("document.pdf");
        let size = part.size.unwrap_or(0).to_string();
        let text = format!("The simulated text of {name}.");
        json!({ "type": "file", "file": {
            "hash": format!("{:016x}", usage::hash(&[name, &size])),
            "name": name,
            "content": [{ "type": "text", "text": text }],
        } })
    })
}

fn logprobs(body: &JsonBody, content: &str) -> Value {
    let top = body
        .get("top_logprobs")
        .and_then(Value::as_u64)
        .unwrap_or(0);
    let listed: Vec<Value> = split_tokens(content)
        .iter()
        .map(|token| {
            let [sure, ..] = usage::hash(&[token]).to_le_bytes();
            let entry = |token: &str, nth: u64| {
                let probability = -f64::from(sure) / 256.0 - usage::float(nth);
                json!({ "token": token, "logprob": probability, "bytes": token.as_bytes() })
            };
            let others: Vec<Value> = (0..top)
                .map(|nth| match nth {
                    0 => entry(token, 0),
                    _ => entry(&format!("alt{nth}"), nth),
                })
                .collect();
            let mut first = entry(token, 0);
            first["top_logprobs"] = others.into();
            first
        })
        .collect();
    json!({ "content": listed, "refusal": null })
}

/// What the misbehaving models do to an answer that was fine.
fn spoil(answer: &mut Answer, fault: Option<Fault>) {
    match fault {
        Some(Fault::ErrorAfterText) => {
            let said = answer.content.take().unwrap_or_default();
            let half = said.chars().count() / 2;
            answer.content = Some(said.chars().take(half).collect());
            answer.finish = "error";
            let error = Refusal::new(502, "Provider disconnected").kind("provider_unavailable");
            answer.error = Some(error.into_error());
        }
        Some(Fault::Empty) => answer.used.completion = 0,
        Some(Fault::EmptyChoice) => {
            *answer = Answer {
                finish: "",
                used: answer.used,
                ..Answer::default()
            };
            answer.used.completion = 0;
        }
        _ => {}
    }
}
