//! Writes answers down: as one JSON body, or in the pieces of a stream.

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value, json};

use super::super::generations::now;
use super::super::misbehaviour::{Fault, signs_of_life};
use super::super::usage::split_tokens;
use super::compose::Answer;
use super::routing::Route;

/// Which of the two endpoints is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Chat,
    /// The legacy endpoint, whose choices have a text instead of a message.
    Text,
}

/// The reason as the provider itself puts it.
pub(super) fn native(finish: &'static str, route: &Route) -> &'static str {
    match (route.provider.slug, finish) {
        ("anthropic" | "amazon-bedrock", "stop") => "end_turn",
        ("anthropic" | "amazon-bedrock", "length") => "max_tokens",
        ("anthropic" | "amazon-bedrock", "tool_calls") => "tool_use",
        ("google-vertex" | "google-ai-studio", "stop" | "tool_calls") => "STOP",
        ("google-vertex" | "google-ai-studio", "length") => "MAX_TOKENS",
        ("openai" | "azure", "stop") if route.model.supports("reasoning") => "completed",
        (_, same) => same,
    }
}

/// The whole answer as one body.
pub(super) fn body(kind: Kind, id: &str, answer: &Answer, route: &Route, explain: bool) -> Value {
    let mut choice = Map::new();
    choice.insert("logprobs".into(), answer.logprobs.clone());
    choice.insert("finish_reason".into(), answer.finish.into());
    choice.insert(
        "native_finish_reason".into(),
        native(answer.finish, route).into(),
    );
    choice.insert("index".into(), 0.into());
    if let Some(error) = &answer.error {
        choice.insert("error".into(), error.clone());
    }
    match kind {
        Kind::Chat => choice.insert("message".into(), message(answer)),
        Kind::Text => {
            choice.insert("reasoning".into(), answer.reasoning.clone().into());
            choice.insert(
                "text".into(),
                answer.content.clone().unwrap_or_default().into(),
            )
        }
    };
    let empty = route.model.fault == Some(Fault::Empty);
    let mut body = start(kind, id, route);
    body["object"] = if kind == Kind::Chat {
        "chat.completion"
    } else {
        "text_completion"
    }
    .into();
    body["choices"] = if empty { json!([]) } else { json!([choice]) };
    if explain {
        body["openrouter_metadata"] = explanation(route);
    }
    body["usage"] = answer.used.report(route.model);
    body
}

fn start(kind: Kind, id: &str, route: &Route) -> Value {
    let mut start = json!({
        "id": id,
        "provider": route.provider.name,
        "model": route.model.id,
        "object": null,
        "created": now(),
    });
    if kind == Kind::Chat {
        start["system_fingerprint"] = Value::Null;
    }
    start
}

fn message(answer: &Answer) -> Value {
    let mut message = json!({
        "role": "assistant",
        "content": answer.content,
        "refusal": null,
        "reasoning": answer.reasoning,
    });
    if let Some(reasoning) = &answer.reasoning {
        message["reasoning_details"] = reasoning_details(reasoning);
    }
    for (name, list) in [
        ("tool_calls", &answer.tool_calls),
        ("images", &answer.images),
        ("annotations", &answer.annotations),
    ] {
        if !list.is_empty() {
            message[name] = list.clone().into();
        }
    }
    message
}

fn reasoning_details(reasoning: &str) -> Value {
    json!([{ "type": "reasoning.text", "text": reasoning, "signature": null, "format": "unknown", "index": 0 }])
}

fn explanation(route: &Route) -> Value {
    let strategy = match route.requested.as_str() {
        _ if route.attempt > 0 => "fallback",
        "openrouter/auto" => "auto",
        "openrouter/free" => "free",
        alias if alias.starts_with('~') => "latest",
        _ => "direct",
    };
    json!({
        "requested": route.requested,
        "strategy": strategy,
        "region": null,
        "summary": "available=1",
        "attempt": route.attempt + 1,
        "is_byok": false,
        "endpoints": { "total": 1, "available": [{
            "provider": route.provider.name,
            "model": route.model.id,
            "selected": true,
        }] },
    })
}

/// The answer in pieces: signs of life, the text, why it ended, what it cost, `[DONE]`.
pub(super) fn stream(
    kind: Kind,
    id: &str,
    answer: &Answer,
    route: &Route,
    explain: bool,
) -> HttpResponse {
    let mut lines = vec![Bytes::from_static(b": OPENROUTER PROCESSING\n\n")];
    for chunk in chunks(kind, id, answer, route, explain) {
        lines.push(Bytes::from(format!("data: {chunk}\n\n")));
    }
    lines.push(Bytes::from_static(b"data: [DONE]\n\n"));
    let lines = stream::iter(lines.into_iter().map(Ok));
    let delay = route.model.fault.and_then(Fault::delay).unwrap_or_default();
    let waiting = signs_of_life(delay, ": OPENROUTER PROCESSING\n\n").boxed_local();
    let waiting = if delay.is_zero() {
        stream::empty().boxed_local()
    } else {
        waiting
    };
    HttpResponse::Ok()
        .insert_header(("X-Generation-Id", id))
        .insert_header(("Cache-Control", "no-cache"))
        .content_type("text/event-stream")
        .streaming(waiting.chain(lines))
}

fn chunks(kind: Kind, id: &str, answer: &Answer, route: &Route, explain: bool) -> Vec<Value> {
    let mut base = start(kind, id, route);
    base["object"] = if kind == Kind::Chat {
        "chat.completion.chunk"
    } else {
        "text_completion"
    }
    .into();
    let chunk = |delta: Value, finish: Option<&'static str>| {
        let mut choice = json!({
            "index": 0,
            "finish_reason": finish,
            "native_finish_reason": finish.map(|finish| native(finish, route)),
            "logprobs": null,
        });
        match kind {
            Kind::Chat => choice["delta"] = delta,
            Kind::Text => {
                choice["text"] = delta.get("content").cloned().unwrap_or_else(|| "".into());
            }
        }
        let mut chunk = base.clone();
        chunk["choices"] = json!([choice]);
        chunk
    };
    if route.model.fault == Some(Fault::Empty) {
        let mut only = base.clone();
        only["choices"] = json!([]);
        return vec![only];
    }
    let mut chunks = vec![chunk(json!({ "role": "assistant", "content": "" }), None)];
    if let Some(reasoning) = &answer.reasoning {
        let delta =
            json!({ "reasoning": reasoning, "reasoning_details": reasoning_details(reasoning) });
        chunks.push(chunk(delta, None));
    }
    if let Some(audio) = &answer.audio {
        let transcript = answer.content.as_deref().unwrap_or_default();
        let first = json!({ "id": format!("audio_{id}"), "transcript": transcript });
        chunks.push(chunk(json!({ "audio": first }), None));
        // The pieces make one base64 text only when they are put together again.
        for piece in audio.as_bytes().chunks(9_998) {
            let piece = String::from_utf8_lossy(piece);
            chunks.push(chunk(json!({ "audio": { "data": piece } }), None));
        }
        chunks.push(chunk(
            json!({ "audio": { "expires_at": now() + 3_600 } }),
            None,
        ));
    } else {
        for piece in split_tokens(answer.content.as_deref().unwrap_or_default()) {
            chunks.push(chunk(json!({ "content": piece }), None));
        }
    }
    for (name, list) in [
        ("tool_calls", &answer.tool_calls),
        ("images", &answer.images),
        ("annotations", &answer.annotations),
    ] {
        if !list.is_empty() {
            chunks.push(chunk(json!({ name: list }), None));
        }
    }
    let mut last = chunk(json!({ "content": "" }), Some(answer.finish));
    if let Some(error) = &answer.error {
        last["error"] = error.clone();
        chunks.push(last);
        return chunks;
    }
    chunks.push(last);
    let mut usage = base.clone();
    usage["choices"] = json!([]);
    usage["usage"] = answer.used.report(route.model);
    if explain {
        usage["openrouter_metadata"] = explanation(route);
    }
    chunks.push(usage);
    chunks
}
