//! Tools in a chat: the caller's functions, and the searches that are made for the model.

use serde_json::{Value, json};

use super::super::catalogue::Model;
use super::super::errors::Refusal;
use super::super::incoming::{JsonBody, invalid};
use super::super::schema_filler::fill;
use super::super::usage::{first_words, hash, tokens};
use super::request::Conversation;

const SHORTHANDS: [&str; 4] = [
    "web_search",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "web_search_2025_08_26",
];

/// A plugin of the request that is not switched off.
pub(super) fn plugin<'a>(body: &'a JsonBody, id: &str) -> Option<&'a Value> {
    let plugins = body.get("plugins")?.as_array()?;
    plugins.iter().find(|plugin| {
        plugin.get("id").is_some_and(|own| own == id)
            && plugin.get("enabled") != Some(&false.into())
    })
}

/// How many pages are to be found on the web; `None` when nothing is searched.
pub(super) fn searches(
    body: &JsonBody,
    model: &Model,
    online: bool,
) -> Result<Option<usize>, Refusal> {
    let mut asked =
        online || model.author() == "perplexity" || body.contains_key("web_search_options");
    for (index, tool) in listed(body).enumerate() {
        let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
        asked |= kind == "openrouter:web_search" || SHORTHANDS.contains(&kind);
        let known =
            kind == "function" || kind.starts_with("openrouter:") || SHORTHANDS.contains(&kind);
        if !known {
            return Err(invalid(&format!("tools.{index}.type"), "Invalid option"));
        }
    }
    let web = plugin(body, "web");
    let most = web
        .and_then(|web| web.get("max_results"))
        .and_then(Value::as_u64);
    let most = most
        .and_then(|most| usize::try_from(most).ok())
        .unwrap_or(5);
    Ok((asked || web.is_some()).then_some(most.min(3)))
}

/// Adds the pages found to a text, and says where in the text they are cited.
pub(super) fn cite(content: &mut String, conversation: &Conversation, pages: usize) -> Vec<Value> {
    let about = first_words(&conversation.prompt, 6);
    let mut cited = Vec::new();
    for page in 1..=pages {
        let url = format!(
            "https://example.com/search/{:08x}",
            hash(&[&about]) >> 32 ^ page as u64
        );
        let link = format!(" [example.com]({url})");
        let start = content.chars().count() + 1;
        content.push_str(&link);
        cited.push(json!({ "type": "url_citation", "url_citation": {
            "url": url,
            "title": format!("Page {page} about {about}"),
            "content": "A simulated excerpt of the page.",
            "start_index": start,
            "end_index": content.chars().count(),
        } }));
    }
    cited
}

/// The calls the model makes: when it must, or when the prompt names a tool.
pub(super) fn calls(
    body: &JsonBody,
    conversation: &Conversation,
    model: &Model,
) -> Result<Vec<Value>, Refusal> {
    let mut functions = Vec::new();
    for (index, tool) in listed(body).enumerate() {
        if tool.get("type").is_some_and(|kind| kind == "function") {
            let name = tool.pointer("/function/name").and_then(Value::as_str);
            let missing = || invalid(&format!("tools.{index}.function.name"), "Required");
            functions.push((name.ok_or_else(missing)?, tool));
        }
    }
    let choice = body.get("tool_choice").unwrap_or(&Value::Null);
    let chosen = choice.pointer("/function/name").and_then(Value::as_str);
    if let Some(chosen) = chosen
        && !functions.iter().any(|(name, _)| *name == chosen)
    {
        return Err(invalid(
            "tool_choice",
            &format!("no tool is called {chosen}"),
        ));
    }
    // Whoever has just been given a result answers with it instead of calling on and on.
    if functions.is_empty()
        || *choice == "none"
        || conversation.tool_result.is_some()
        || !model.supports("tools")
    {
        return Ok(Vec::new());
    }
    let prompt = conversation.prompt.to_lowercase();
    let named = |name: &str| {
        let name = name.to_lowercase();
        prompt.contains(&name) || prompt.contains(&name.replace(['_', '-'], " "))
    };
    let mut called: Vec<_> = functions
        .iter()
        .filter(|(name, _)| match chosen {
            Some(chosen) => *name == chosen,
            None => named(name),
        })
        .collect();
    if called.is_empty() && *choice == "required" {
        called.extend(functions.first());
    }
    if body.get("parallel_tool_calls") == Some(&false.into()) {
        called.truncate(1);
    }
    let calls = called.iter().enumerate().map(|(index, (name, tool))| {
        let anything = json!({ "type": "object" });
        let parameters = tool.pointer("/function/parameters").unwrap_or(&anything);
        let arguments = fill(parameters, &conversation.prompt);
        let id = hash(&[name, &conversation.prompt, &index.to_string()]);
        json!({
            "index": index,
            "id": format!("call_{id:016x}"),
            "type": "function",
            "function": { "name": name, "arguments": arguments.to_string() },
        })
    });
    Ok(calls.collect())
}

/// What describing the tools to the model costs.
pub(super) fn tokens_of(body: &JsonBody) -> u64 {
    body.get("tools")
        .map_or(0, |tools| tokens(&tools.to_string()))
}

fn listed(body: &JsonBody) -> impl Iterator<Item = &Value> {
    body.get("tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
