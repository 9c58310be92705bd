//! Which model and which provider answer, and whether they can do what was asked.

use serde_json::Value;

use super::super::catalogue::{DEFAULT_MODEL, Found, Model, Provider, find, providers_of, serves};
use super::super::errors::Refusal;
use super::super::incoming::{JsonBody, invalid};
use super::super::misbehaviour::Fault;
use super::request::Conversation;

/// Who answers.
#[derive(Debug)]
pub(super) struct Route {
    /// The name as it was asked for.
    pub(super) requested: String,
    pub(super) model: &'static Model,
    pub(super) provider: Provider,
    pub(super) online: bool,
    /// Which model of the list answers: above 0 those before it have failed.
    pub(super) attempt: usize,
}

impl Route {
    /// The router that was asked to choose, if one was.
    pub(super) fn router(&self) -> Option<&'static str> {
        let listed = find(&self.requested)?.listed;
        listed.is_router().then_some(listed.id)
    }
}

/// Picks the model, then its provider.
pub(super) fn route(body: &JsonBody, conversation: &Conversation) -> Result<Route, Refusal> {
    let names = candidates(body)?;
    let mut found = Vec::new();
    for name in &names {
        let candidate = find(name).ok_or_else(|| Refusal::unknown_model(name))?;
        let talks = ["text", "image", "audio"]
            .iter()
            .any(|modality| candidate.model.gives(modality));
        if !talks {
            return Err(Refusal::wrong_endpoint(name, "chat/completions"));
        }
        found.push(candidate);
    }
    let fails = |candidate: &Found| candidate.model.fault.is_some_and(Fault::falls_back);
    // If all of them fail, the failure of the last one is the answer.
    let attempt = found
        .iter()
        .position(|candidate| !fails(candidate))
        .unwrap_or(found.len() - 1);
    let Found { model, online, .. } = found[attempt];
    check_abilities(model, body, conversation)?;
    Ok(Route {
        requested: names[attempt].clone(),
        model,
        provider: provider(model, body)?,
        online,
        attempt,
    })
}

fn candidates(body: &JsonBody) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    match body.get("model") {
        Some(Value::String(name)) => names.push(name.clone()),
        Some(Value::Null) | None => {}
        Some(_) => return Err(invalid("model", "Invalid input: expected string")),
    }
    if let Some(Value::Array(models)) = body.get("models") {
        for model in models {
            let name = model
                .as_str()
                .ok_or_else(|| invalid("models", "expected strings"))?;
            names.push(name.to_owned());
        }
    }
    if names.is_empty() {
        names.push(DEFAULT_MODEL.to_owned());
    }
    Ok(names)
}

fn check_abilities(
    model: &Model,
    body: &JsonBody,
    conversation: &Conversation,
) -> Result<(), Refusal> {
    for part in &conversation.attachments {
        // Files are read by a parser where the model cannot.
        if part.kind != "file" && !model.takes(part.kind) {
            let what = match part.kind {
                "image" => "image input",
                "audio" => "input audio",
                _ => "input video",
            };
            return Err(Refusal::no_endpoints(format!(
                "No endpoints found that support {what}"
            )));
        }
    }
    if let Some(Value::Array(wanted)) = body.get("modalities") {
        let wanted: Vec<&str> = wanted.iter().filter_map(Value::as_str).collect();
        if wanted.iter().any(|modality| !model.gives(modality)) {
            let message = format!(
                "No endpoints found that support the requested output modalities: {}",
                wanted.join(", ")
            );
            return Err(Refusal::no_endpoints(message));
        }
        let streamed = body.get("stream") == Some(&Value::Bool(true));
        if wanted.contains(&"audio") && !streamed {
            return Err(Refusal::bad_request("Audio output requires stream: true"));
        }
    }
    let tools = body
        .get("tools")
        .and_then(Value::as_array)
        .filter(|tools| !tools.is_empty());
    if tools.is_some_and(|tools| tools.iter().any(is_function)) && !model.supports("tools") {
        let message = "No endpoints found that support tool use. Try disabling tools.";
        return Err(Refusal::no_endpoints(message));
    }
    let (read, written) = (conversation.tokens(), asked_tokens(body).unwrap_or(0));
    if let Some(window) = model
        .context
        .filter(|window| read.saturating_add(written) > *window)
    {
        return Err(Refusal::new(
            400,
            format!(
                "This endpoint's maximum context length is {window} tokens. However, you requested \
                 about {} tokens ({read} of text input, {written} in the output). Please reduce the \
                 length of either one.",
                read.saturating_add(written)
            ),
        )
        .kind("context_length_exceeded"));
    }
    Ok(())
}

/// The limit the request sets on the answer.
pub(super) fn asked_tokens(body: &JsonBody) -> Option<u64> {
    let limit = |field: &str| body.get(field).and_then(Value::as_u64);
    limit("max_completion_tokens").or_else(|| limit("max_tokens"))
}

fn is_function(tool: &Value) -> bool {
    tool.get("type").is_some_and(|kind| kind == "function")
}

/// The first provider left after the preferences of the request.
fn provider(model: &Model, body: &JsonBody) -> Result<Provider, Refusal> {
    let preferences = body.get("provider");
    let wish = |key: &str| preferences.and_then(|preferences| preferences.get(key));
    let slugs = |key: &str| -> Vec<&str> {
        let list = wish(key).and_then(Value::as_array);
        list.map_or_else(Vec::new, |list| {
            list.iter().filter_map(Value::as_str).collect()
        })
    };
    let is = |slug: &str, provider: &Provider| {
        let base = slug.split_once('/').map_or(slug, |(base, _)| base);
        provider.slug == base || provider.name.eq_ignore_ascii_case(base)
    };
    let all = providers_of(model);
    let (only, ignore) = (slugs("only"), slugs("ignore"));
    let mut left = all.clone();
    left.retain(|provider| {
        (only.is_empty() || only.iter().any(|slug| is(slug, provider)))
            && !ignore.iter().any(|slug| is(slug, provider))
    });
    if wish("data_collection").is_some_and(|wish| wish == "deny") && model.id.ends_with(":free") {
        let message = format!("No endpoints for {} match your data policy.", model.id);
        return Err(Refusal::new(404, message).availability(
            "not_found",
            "privacy_restricted",
            model.id,
            None,
        ));
    }
    if wish("require_parameters") == Some(&Value::Bool(true)) {
        let needed = [
            "temperature",
            "top_k",
            "seed",
            "tools",
            "response_format",
            "logprobs",
        ];
        if let Some(missing) = needed
            .iter()
            .find(|name| body.contains_key(**name) && !model.supports(name))
        {
            let message =
                format!("No endpoints found that can handle the requested parameters: {missing}");
            return Err(Refusal::no_endpoints(message));
        }
    }
    let preferred = slugs("order").into_iter().find(|slug| serves(slug, model));
    let first = preferred.and_then(|slug| left.iter().find(|provider| is(slug, provider)));
    first.or_else(|| left.first()).copied().ok_or_else(|| {
        let serving: Vec<&str> = all.iter().map(|provider| provider.slug).collect();
        Refusal::new(
            404,
            format!(
                "No allowed providers are available for the selected model. Providers serving {}: {}.",
                model.id,
                serving.join(", ")
            ),
        )
    })
}
