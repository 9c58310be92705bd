//! What was asked in a chat: the checks of the real service, and the conversation taken apart.

use data_encoding::BASE64;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::super::errors::Refusal;
use super::super::incoming::{JsonBody, invalid};
use super::super::usage::{count, tokens};

/// A conversation, taken apart.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub(super) system: String,
    /// What the user said last.
    pub(super) prompt: String,
    /// How often the user spoke before that.
    pub(super) earlier: usize,
    pub(super) attachments: Vec<Attachment>,
    /// What a tool said, when that is the last message.
    pub(super) tool_result: Option<String>,
    /// Whether the model has answered before: then this may be a request to do better.
    pub(super) answered_before: bool,
    /// The tokens of all text in it.
    text_tokens: u64,
}

/// A picture, file, recording or film that came along.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attachment {
    pub(super) kind: &'static str,
    pub(super) name: Option<String>,
    pub(super) media_type: String,
    /// The size, where it is known: what is only linked is not fetched.
    pub(super) size: Option<usize>,
    /// The first line of a text file.
    pub(super) begins: Option<String>,
}

impl Conversation {
    /// Reads `messages`, or `prompt` in its place.
    pub(super) fn read(body: &JsonBody) -> Result<Self, Refusal> {
        let mut conversation = Self::default();
        match (body.get("messages"), body.get("prompt")) {
            (Some(Value::Array(messages)), _) if !messages.is_empty() => {
                for (index, message) in messages.iter().enumerate() {
                    conversation.add(message, &format!("messages.{index}"))?;
                }
            }
            (None | Some(Value::Null), Some(Value::String(prompt))) => conversation.hear(prompt),
            (None | Some(Value::Null), _) => {
                let message = "Input required: specify \"prompt\" or \"messages\"";
                return Err(Refusal::bad_request(message));
            }
            _ => {
                return Err(invalid(
                    "messages",
                    "expected an array of at least 1 message",
                ));
            }
        }
        Ok(conversation)
    }

    /// The tokens the model is charged for reading.
    pub(super) fn tokens(&self) -> u64 {
        let attached: u64 = self.attachments.iter().map(Attachment::tokens).sum();
        self.text_tokens + attached
    }

    pub(super) fn audio_tokens(&self) -> u64 {
        let heard = self.attachments.iter().filter(|part| part.kind == "audio");
        heard.map(Attachment::tokens).sum()
    }

    fn add(&mut self, message: &Value, place: &str) -> Result<(), Refusal> {
        // Every message costs a few tokens for its role.
        self.text_tokens += 3;
        let text = self.content(message.get("content"), place)?;
        self.text_tokens += tokens(&text);
        match message.get("role").and_then(Value::as_str) {
            Some("system" | "developer") => {
                if !self.system.is_empty() {
                    self.system.push('\n');
                }
                self.system.push_str(&text);
            }
            Some("user") => {
                self.earlier += usize::from(!self.prompt.is_empty());
                self.prompt = text;
                self.tool_result = None;
            }
            Some("assistant") => {
                self.answered_before = true;
                self.tool_result = None;
            }
            Some("tool") => {
                if message
                    .get("tool_call_id")
                    .and_then(Value::as_str)
                    .is_none()
                {
                    return Err(invalid(&format!("{place}.tool_call_id"), "Required"));
                }
                self.tool_result = Some(text);
            }
            Some(_) => return Err(invalid(&format!("{place}.role"), "Invalid option")),
            None => return Err(invalid(&format!("{place}.role"), "Required")),
        }
        Ok(())
    }

    fn hear(&mut self, prompt: &str) {
        self.text_tokens += tokens(prompt);
        prompt.clone_into(&mut self.prompt);
    }

    fn content(&mut self, content: Option<&Value>, place: &str) -> Result<String, Refusal> {
        match content {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Null) | None => Ok(String::new()),
            Some(Value::Array(parts)) => {
                let mut texts = Vec::new();
                for (index, part) in parts.iter().enumerate() {
                    let place = format!("{place}.content.{index}");
                    match part.get("type").and_then(Value::as_str) {
                        Some("text") => {
                            let text = part.get("text").and_then(Value::as_str);
                            let missing = || invalid(&format!("{place}.text"), "Required");
                            texts.push(text.ok_or_else(missing)?);
                        }
                        Some(kind) => self.attachments.push(attachment(kind, part, &place)?),
                        None => return Err(invalid(&format!("{place}.type"), "Required")),
                    }
                }
                Ok(texts.join("\n"))
            }
            Some(_) => Err(invalid(
                &format!("{place}.content"),
                "expected string or array",
            )),
        }
    }
}

impl Attachment {
    /// Roughly what providers count; what is only linked counts like something small.
    fn tokens(&self) -> u64 {
        let size = self.size.unwrap_or(4_000);
        match self.kind {
            "image" => 258,
            "file" => 20 + count(size) / 40,
            "audio" => 10 + count(size) / 500,
            _ => 100 + count(size) / 1_000,
        }
    }
}

fn attachment(kind: &str, part: &Value, place: &str) -> Result<Attachment, Refusal> {
    let inside = part.get(if kind == "input_video" {
        "video_url"
    } else {
        kind
    });
    let word = |key: &str| {
        inside
            .and_then(|inside| inside.get(key))
            .and_then(Value::as_str)
    };
    let required =
        |key: &str| word(key).ok_or_else(|| invalid(&format!("{place}.{kind}.{key}"), "Required"));
    match kind {
        "image_url" => linked("image", required("url")?, None, place),
        "video_url" | "input_video" => linked("video", required("url")?, None, place),
        "file" => {
            let name = word("filename").map(str::to_owned);
            if let Some(data) = word("file_data") {
                return linked("file", data, name, place);
            }
            word("file_id")
                .map(|_| Attachment {
                    kind: "file",
                    name,
                    media_type: "application/octet-stream".into(),
                    size: None,
                    begins: None,
                })
                .ok_or_else(|| {
                    invalid(&format!("{place}.file"), "file_data or file_id is required")
                })
        }
        "input_audio" => {
            let (data, format) = (required("data")?, required("format")?);
            // Neither links nor data URLs are taken here, and the real service says little about it.
            let bytes = BASE64.decode(data.as_bytes()).map_err(|_| {
                Refusal::bad_request(format!("{place}: the audio data is not valid base64"))
            })?;
            Ok(known("audio", None, &format!("audio/{format}"), &bytes))
        }
        _ => Err(invalid(&format!("{place}.type"), "Invalid option")),
    }
}

fn linked(
    kind: &'static str,
    url: &str,
    name: Option<String>,
    place: &str,
) -> Result<Attachment, Refusal> {
    let unreadable = || {
        let message = format!("{place}: the {kind} is neither a URL nor a base64 data URL");
        let error_type = if kind == "image" {
            "invalid_image"
        } else {
            "invalid_request"
        };
        Refusal::new(400, message).kind(error_type)
    };
    if let Some(data) = url.strip_prefix("data:") {
        let (head, data) = data.split_once(',').ok_or_else(unreadable)?;
        let bytes = match head.strip_suffix(";base64") {
            Some(_) => BASE64.decode(data.as_bytes()).map_err(|_| unreadable())?,
            None => percent_decode_str(data).collect(),
        };
        if bytes.is_empty() {
            return Err(unreadable());
        }
        let media_type = head.split(';').next().unwrap_or_default();
        if kind == "image" && !media_type.starts_with("image/") {
            return Err(
                Refusal::new(400, format!("{place}: {media_type} is not an image"))
                    .kind("unsupported_image_format"),
            );
        }
        return Ok(known(kind, name, media_type, &bytes));
    }
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(unreadable());
    }
    Ok(Attachment {
        kind,
        name,
        media_type: "link".into(),
        size: None,
        begins: None,
    })
}

/// An attachment whose bytes are here; what they are counts for more than what they are called.
fn known(kind: &'static str, name: Option<String>, declared: &str, bytes: &[u8]) -> Attachment {
    let sniffed = infer::get(bytes).map(|kind| kind.mime_type());
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|_| sniffed.is_none());
    let line = text.and_then(|text| text.lines().next());
    Attachment {
        kind,
        name,
        media_type: sniffed.unwrap_or(declared).to_owned(),
        size: Some(bytes.len()),
        begins: line.filter(|_| kind == "file").map(str::to_owned),
    }
}

/// Refuses values out of the ranges that are documented.
pub(super) fn check_ranges(body: &JsonBody) -> Result<(), Refusal> {
    for (field, low, high) in [
        ("temperature", 0.0, 2.0),
        ("top_p", 0.0, 1.0),
        ("min_p", 0.0, 1.0),
        ("top_a", 0.0, 1.0),
        ("top_k", 0.0, f64::MAX),
        ("frequency_penalty", -2.0, 2.0),
        ("presence_penalty", -2.0, 2.0),
        ("repetition_penalty", 0.0, 2.0),
        ("max_tokens", 1.0, f64::MAX),
        ("max_completion_tokens", 1.0, f64::MAX),
        ("top_logprobs", 0.0, 20.0),
    ] {
        body.number(field, low, high)?;
    }
    let efforts = ["max", "xhigh", "high", "medium", "low", "minimal", "none"];
    body.word("reasoning_effort", &efforts)?;
    body.word(
        "service_tier",
        &["auto", "default", "fast", "flex", "priority", "scale"],
    )?;
    if body.contains_key("top_logprobs") && body.get("logprobs") != Some(&Value::Bool(true)) {
        return Err(invalid("top_logprobs", "needs logprobs to be true"));
    }
    if body
        .get("session_id")
        .and_then(Value::as_str)
        .is_some_and(|id| id.len() > 256)
    {
        return Err(invalid(
            "session_id",
            "Too big: expected at most 256 characters",
        ));
    }
    if let Some(Value::Array(stops)) = body.get("stop")
        && stops.len() > 4
    {
        return Err(invalid("stop", "Too big: expected at most 4 items"));
    }
    check_metadata(body)?;
    check_format(body)?;
    check_provider(body)
}

fn check_metadata(body: &JsonBody) -> Result<(), Refusal> {
    let Some(Value::Object(metadata)) = body.get("metadata") else {
        return Ok(());
    };
    let short = metadata.iter().all(|(key, value)| {
        key.len() <= 64 && value.as_str().is_some_and(|value| value.len() <= 512)
    });
    if metadata.len() > 16 || !short {
        return Err(invalid(
            "metadata",
            "expected at most 16 pairs of short strings",
        ));
    }
    Ok(())
}

fn check_format(body: &JsonBody) -> Result<(), Refusal> {
    let Some(Value::Object(format)) = body.get("response_format") else {
        return Ok(());
    };
    match format.get("type").and_then(Value::as_str) {
        Some("text" | "json_object" | "grammar" | "python") => Ok(()),
        Some("json_schema") => {
            let described = format.get("json_schema");
            let name = described
                .and_then(|described| described.get("name"))
                .and_then(Value::as_str);
            let proper = |name: &str| {
                (1..=64).contains(&name.len())
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
            };
            match name {
                Some(name) if proper(name) => Ok(()),
                _ => Err(invalid(
                    "response_format.json_schema.name",
                    "expected 1 to 64 letters, digits, dashes and underscores",
                )),
            }
        }
        _ => Err(invalid("response_format.type", "Invalid option")),
    }
}

/// The one object upstream that takes no unknown keys.
fn check_provider(body: &JsonBody) -> Result<(), Refusal> {
    const KNOWN: [&str; 13] = [
        "order",
        "only",
        "ignore",
        "allow_fallbacks",
        "require_parameters",
        "data_collection",
        "zdr",
        "enforce_distillable_text",
        "quantizations",
        "sort",
        "max_price",
        "preferred_min_throughput",
        "preferred_max_latency",
    ];
    let Some(provider) = body.get("provider").filter(|provider| !provider.is_null()) else {
        return Ok(());
    };
    let provider: &Map<String, Value> = provider
        .as_object()
        .ok_or_else(|| invalid("provider", "expected object"))?;
    match provider.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        Some(key) => Err(invalid("provider", &format!("Unrecognized key: \"{key}\""))),
        None => Ok(()),
    }
}
