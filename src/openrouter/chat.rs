//! `/chat/completions`: what is sent, what comes back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;

use super::{
    ApiKey, Client,
    client::Call,
    tolerant::{integer, list, number, object, text},
};
use crate::error::{Error, Kind, Result};

/// A chat to be continued. What is `None` or empty is not sent.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChatRequest {
    /// The model's id.
    pub model: String,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// Everything else.
    #[serde(flatten)]
    pub options: Options,
}

/// What chat and text completions share. What is `None` is not sent, so that the model's own
/// default holds.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Options {
    pub models: Option<Vec<String>>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u32>,
    pub min_p: Option<f64>,
    pub top_a: Option<f64>,
    pub frequency_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    pub repetition_penalty: Option<f64>,
    pub seed: Option<i64>,
    pub stop: Option<Vec<String>>,
    pub logit_bias: Option<BTreeMap<String, f64>>,
    pub logprobs: Option<bool>,
    pub top_logprobs: Option<u8>,
    pub max_tokens: Option<u32>,
    pub max_completion_tokens: Option<u32>,
    pub reasoning: Option<Reasoning>,
    pub verbosity: Option<String>,
    pub response_format: Option<Value>,
    pub tools: Option<Value>,
    pub tool_choice: Option<Value>,
    pub modalities: Option<Vec<String>>,
    pub image_config: Option<serde_json::Map<String, Value>>,
    pub provider: Option<ProviderPreferences>,
    pub plugins: Option<Vec<Value>>,
    pub service_tier: Option<String>,
    pub session_id: Option<String>,
    pub user: Option<String>,
    pub metadata: Option<BTreeMap<String, String>>,
}

/// How much the model may think.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Reasoning {
    pub effort: Option<String>,
    pub max_tokens: Option<u32>,
    pub exclude: Option<bool>,
}

/// Which providers may serve the call.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct ProviderPreferences {
    pub order: Option<Vec<String>>,
    pub only: Option<Vec<String>>,
    pub ignore: Option<Vec<String>>,
    pub sort: Option<String>,
    pub allow_fallbacks: Option<bool>,
    pub require_parameters: Option<bool>,
    pub data_collection: Option<String>,
    pub zdr: Option<bool>,
    pub max_price: Option<MaxPrice>,
}

/// The highest price, in USD per million tokens, written as decimal texts.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct MaxPrice {
    pub prompt: Option<String>,
    pub completion: Option<String>,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// What was said.
    pub content: Content,
}

/// A text alone, or parts of several kinds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Content {
    /// A text alone.
    Text(String),
    /// Texts, images, files, sound and film.
    Parts(Vec<Part>),
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub enum Part {
    Text { text: String },
    ImageUrl { image_url: Url },
    File { file: FilePart },
    InputAudio { input_audio: AudioPart },
    VideoUrl { video_url: Url },
}

/// An address, or a file as a `data:` URI.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Url {
    pub url: String,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct FilePart {
    pub filename: String,
    pub file_data: String,
}

/// A sound as bare base64, which is the only form that upstream takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct AudioPart {
    pub data: String,
    pub format: String,
}

/// An answer of a model.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct ChatResponse {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub model: Option<String>,
    #[serde(deserialize_with = "text")]
    pub provider: Option<String>,
    #[serde(deserialize_with = "integer")]
    pub created: Option<i64>,
    #[serde(deserialize_with = "list")]
    pub choices: Vec<Choice>,
    #[serde(deserialize_with = "object")]
    pub usage: Usage,
}

/// One of the answers. `text` is set by text completions, `message` by chats.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Choice {
    #[serde(deserialize_with = "integer")]
    pub index: Option<i64>,
    #[serde(deserialize_with = "text")]
    pub finish_reason: Option<String>,
    #[serde(deserialize_with = "text")]
    pub native_finish_reason: Option<String>,
    #[serde(deserialize_with = "object")]
    pub message: AnswerMessage,
    #[serde(deserialize_with = "text")]
    pub text: Option<String>,
    #[serde(deserialize_with = "text")]
    pub reasoning: Option<String>,
    #[serde(deserialize_with = "object")]
    pub logprobs: Logprobs,
}

/// The probabilities of a choice's tokens.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Logprobs {
    #[serde(deserialize_with = "list")]
    pub content: Vec<TokenLogprob>,
}

/// The probability of one token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct TokenLogprob {
    #[serde(deserialize_with = "text")]
    pub token: Option<String>,
    #[serde(deserialize_with = "number")]
    pub logprob: Option<f64>,
    #[serde(deserialize_with = "list")]
    pub top_logprobs: Vec<Value>,
}

/// What the model said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct AnswerMessage {
    #[serde(deserialize_with = "text")]
    pub role: Option<String>,
    pub content: Value,
    #[serde(deserialize_with = "text")]
    pub reasoning: Option<String>,
    #[serde(deserialize_with = "text")]
    pub refusal: Option<String>,
    #[serde(deserialize_with = "list")]
    pub tool_calls: Vec<ToolCall>,
    #[serde(deserialize_with = "list")]
    pub images: Vec<Image>,
    #[serde(deserialize_with = "list")]
    pub annotations: Vec<Annotation>,
}

/// A tool that the model wants called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct ToolCall {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "object")]
    pub function: ToolFunction,
}

/// The tool's name and arguments.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct ToolFunction {
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    pub arguments: Value,
}

/// An image in an answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Image {
    pub image_url: Value,
}

/// A remark on the answer; citations are of type `url_citation`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Annotation {
    #[serde(deserialize_with = "object")]
    pub url_citation: Citation,
}

/// A source on the web.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Citation {
    #[serde(deserialize_with = "text")]
    pub url: Option<String>,
    #[serde(deserialize_with = "text")]
    pub title: Option<String>,
    #[serde(deserialize_with = "text")]
    pub content: Option<String>,
}

/// What a call used and cost.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct Usage {
    #[serde(deserialize_with = "integer")]
    pub prompt_tokens: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub completion_tokens: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub total_tokens: Option<i64>,
    #[serde(deserialize_with = "number")]
    pub cost: Option<f64>,
    #[serde(deserialize_with = "object")]
    pub prompt_tokens_details: PromptDetails,
    #[serde(deserialize_with = "object")]
    pub completion_tokens_details: CompletionDetails,
}

impl Usage {
    /// This use and another one together.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        let sum = |a: Option<i64>, b: Option<i64>| {
            a.map_or(b, |a| Some(a.saturating_add(b.unwrap_or_default())))
        };
        Self {
            prompt_tokens: sum(self.prompt_tokens, other.prompt_tokens),
            completion_tokens: sum(self.completion_tokens, other.completion_tokens),
            total_tokens: sum(self.total_tokens, other.total_tokens),
            cost: self.cost.map_or(other.cost, |cost| {
                Some(cost + other.cost.unwrap_or_default())
            }),
            prompt_tokens_details: PromptDetails {
                cached_tokens: sum(
                    self.prompt_tokens_details.cached_tokens,
                    other.prompt_tokens_details.cached_tokens,
                ),
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: sum(
                    self.completion_tokens_details.reasoning_tokens,
                    other.completion_tokens_details.reasoning_tokens,
                ),
            },
        }
    }
}

/// What the prompt's tokens were.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct PromptDetails {
    #[serde(deserialize_with = "integer")]
    pub cached_tokens: Option<i64>,
}

/// What the answer's tokens were.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(
    missing_docs,
    reason = "the names and meanings are those of OpenRouter's API"
)]
pub struct CompletionDetails {
    #[serde(deserialize_with = "integer")]
    pub reasoning_tokens: Option<i64>,
}

impl Client {
    /// Continues a chat.
    ///
    /// # Errors
    ///
    /// Whatever upstream refuses, and [`Kind::UpstreamError`] for an answer with nothing in it.
    pub async fn chat(&self, key: &ApiKey, request: &ChatRequest) -> Result<ChatResponse> {
        let call = Call::post("/chat/completions", key, request)?;
        let answer: ChatResponse = self.ask(call).await?;
        answer.not_empty()
    }
}

impl ChatResponse {
    /// Refuses an answer that has no choice, or only one that never started: a model that is
    /// still being loaded answers like this, and it is not billed.
    pub(super) fn not_empty(self) -> Result<Self> {
        if self.choices.iter().any(Choice::says_something) {
            return Ok(self);
        }
        Err(Error::new(
            Kind::UpstreamError,
            "The model answered nothing; it may be starting up.",
        ))
    }
}

impl Choice {
    fn says_something(&self) -> bool {
        let message = &self.message;
        let finished = self
            .finish_reason
            .as_deref()
            .is_some_and(|reason| !reason.is_empty());
        finished
            || !message.content_text().is_empty()
            || self.text.as_deref().is_some_and(|text| !text.is_empty())
            || message.refusal.is_some()
            || !message.tool_calls.is_empty()
            || !message.images.is_empty()
    }
}

impl AnswerMessage {
    /// The text of the answer, put together from its parts; empty if there is none.
    #[must_use]
    pub fn content_text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts
                .iter()
                .filter_map(|part| part.as_str().or_else(|| part["text"].as_str()))
                .collect(),
            _ => String::new(),
        }
    }

    /// The addresses or `data:` URIs of the answer's images, wherever they stand.
    pub fn image_urls(&self) -> impl Iterator<Item = &str> {
        let in_parts = self
            .content
            .as_array()
            .into_iter()
            .flatten()
            .map(|part| &part["image_url"]);
        self.images
            .iter()
            .map(|image| &image.image_url)
            .chain(in_parts)
            .filter_map(|image| {
                image["url"]
                    .as_str()
                    .or_else(|| image.as_str())
                    .filter(|url| !url.is_empty())
            })
    }
}

impl ToolFunction {
    /// The arguments as JSON text, also where upstream sends an object.
    #[must_use]
    pub fn arguments_text(&self) -> String {
        match &self.arguments {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }
}
