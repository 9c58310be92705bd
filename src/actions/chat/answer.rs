//! What every generated answer carries, flat: who answered, why it ended, what it used and cost.

use serde::Serialize;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

use crate::{
    actions::file::FileOutput,
    endpoint::LinkedFile,
    openrouter::chat::{AnswerMessage, ChatResponse, Choice, TokenLogprob},
    telemetry,
};

/// What a chat's answer may hold beside its text.
#[skip_serializing_none]
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct AnswerExtras {
    /// Reasoning
    ///
    /// The model's reasoning, if it gives it.
    pub reasoning: Option<String>,
    /// Refusal
    ///
    /// The model's reason for refusing, if it refused.
    pub refusal: Option<String>,
    /// Tool Calls
    ///
    /// The tools that the model wants called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub tool_calls: Vec<AnswerToolCall>,
    /// Citations
    ///
    /// The sources of a web search.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub citations: Vec<AnswerCitation>,
    /// Images
    ///
    /// The images of the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub images: Vec<FileOutput>,
    /// Logprobs
    ///
    /// The answer's tokens with their probabilities, if Logprobs was set.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub logprobs: Vec<AnswerLogprob>,
}

/// A tool that the model wants called.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerToolCall {
    /// Tool Call ID
    ///
    /// The id of this call.
    pub id: Option<String>,
    /// Tool Name
    ///
    /// The name of the tool.
    pub name: Option<String>,
    /// Arguments
    ///
    /// The arguments of the tool, as JSON text.
    pub arguments: String,
}

/// A source on the web.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerCitation {
    /// URL
    ///
    /// The address of the source.
    pub url: Option<String>,
    /// Title
    ///
    /// The title of the source.
    pub title: Option<String>,
    /// Excerpt
    ///
    /// What the source says.
    pub content: Option<String>,
}

/// A token of the answer with its probability.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerLogprob {
    /// Token
    ///
    /// The token's text.
    pub token: String,
    /// Logprob
    ///
    /// The natural logarithm of the token's probability; 0 is certain.
    pub logprob: Option<f64>,
    /// Alternatives
    ///
    /// The other tokens that were likely here, with their probabilities, as JSON text.
    pub alternatives: Option<String>,
}

impl AnswerExtras {
    /// The files of the answer.
    pub(crate) fn files(&mut self) -> Vec<&mut dyn LinkedFile> {
        let files = self.images.iter_mut();
        files.map(|file| file as &mut dyn LinkedFile).collect()
    }

    /// What the first choice of `answer` holds.
    #[must_use]
    pub fn of(answer: &ChatResponse) -> Self {
        let (none, no_message) = (Choice::default(), AnswerMessage::default());
        let choice = answer.choices.first().unwrap_or(&none);
        let first = answer
            .choices
            .first()
            .map_or(&no_message, |choice| &choice.message);
        let tool_calls = first.tool_calls.iter().map(|call| AnswerToolCall {
            id: call.id.clone(),
            name: call.function.name.clone(),
            arguments: call.function.arguments_text(),
        });
        let citations = first.annotations.iter().map(|note| &note.url_citation);
        let citations = citations
            .filter(|source| source.url.is_some())
            .map(|source| AnswerCitation {
                url: source.url.clone(),
                title: source.title.clone(),
                content: source.content.clone(),
            });
        let images = first
            .image_urls()
            .enumerate()
            .map(|(index, url)| FileOutput::from_url(url, &format!("image-{}", index + 1)));
        Self {
            reasoning: first.reasoning.clone().or_else(|| choice.reasoning.clone()),
            refusal: first.refusal.clone(),
            tool_calls: tool_calls.collect(),
            citations: citations.collect(),
            images: images.collect(),
            logprobs: choice.logprobs.content.iter().map(logprob).collect(),
        }
    }
}

fn logprob(token: &TokenLogprob) -> AnswerLogprob {
    let alternatives = (!token.top_logprobs.is_empty())
        .then(|| serde_json::to_string(&token.top_logprobs).unwrap_or_default());
    AnswerLogprob {
        token: token.token.clone().unwrap_or_default(),
        logprob: token.logprob,
        alternatives,
    }
}

/// Who answered, why the answer ended, what it used and cost.
#[skip_serializing_none]
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct GenerationFacts {
    /// ID
    ///
    /// The id of the generation; Get generation takes it.
    pub id: Option<String>,
    /// Model
    ///
    /// The model that answered, which may be another than the one asked.
    pub model: Option<String>,
    /// Provider
    ///
    /// The company that ran the model.
    pub provider: Option<String>,
    /// Created
    ///
    /// When the answer was made, in seconds since 1970 (UTC).
    pub created: Option<i64>,
    /// Finish Reason
    ///
    /// Why the answer ended, such as stop, or length if it was cut off.
    pub finish_reason: Option<String>,
    /// Native Finish Reason
    ///
    /// Why the answer ended, in the provider's own word.
    pub native_finish_reason: Option<String>,
    /// Truncated
    ///
    /// Yes if the answer was cut off at its length limit.
    pub truncated: bool,
    /// Prompt Tokens
    ///
    /// The tokens of everything that was sent.
    pub prompt_tokens: Option<i64>,
    /// Completion Tokens
    ///
    /// The tokens of the answer, reasoning included.
    pub completion_tokens: Option<i64>,
    /// Reasoning Tokens
    ///
    /// The tokens used for reasoning.
    pub reasoning_tokens: Option<i64>,
    /// Cached Tokens
    ///
    /// The tokens of the prompt that came from the provider's cache, which cost less.
    pub cached_tokens: Option<i64>,
    /// Total Tokens
    ///
    /// The tokens of prompt and answer together.
    pub total_tokens: Option<i64>,
    /// Cost
    ///
    /// What the call cost, in USD.
    pub cost: Option<f64>,
    /// Warnings
    ///
    /// What was ignored, adjusted or is not supported by the model; empty if nothing.
    pub warnings: Vec<String>,
    /// Status
    ///
    /// The state of the call: completed, or running while it goes on in the background.
    pub status: String,
    /// Job ID
    ///
    /// The id of the background job, if the call goes on in the background.
    pub job_id: Option<String>,
}

impl GenerationFacts {
    /// What is known while the job `job_id` goes on.
    #[must_use]
    pub fn running(job_id: String) -> Self {
        Self {
            status: "running".to_owned(),
            job_id: Some(job_id),
            ..Self::default()
        }
    }

    /// The facts of an answer that is complete.
    #[must_use]
    pub fn of(answer: &ChatResponse, warnings: Vec<String>) -> Self {
        let none = Choice::default();
        let choice = answer.choices.first().unwrap_or(&none);
        let usage = &answer.usage;
        let sum = || usage.prompt_tokens?.checked_add(usage.completion_tokens?);
        let facts = Self {
            id: answer.id.clone(),
            model: answer.model.clone(),
            provider: answer.provider.clone(),
            created: answer.created,
            finish_reason: choice.finish_reason.clone(),
            native_finish_reason: choice.native_finish_reason.clone(),
            truncated: choice.finish_reason.as_deref() == Some("length"),
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            reasoning_tokens: usage.completion_tokens_details.reasoning_tokens,
            cached_tokens: usage.prompt_tokens_details.cached_tokens,
            total_tokens: usage.total_tokens.or_else(sum),
            cost: usage.cost,
            warnings,
            status: "completed".to_owned(),
            job_id: None,
        };
        note_use(answer, facts.total_tokens);
        facts
    }
}

/// Notes for the log what an answer used and cost.
pub fn note_use(answer: &ChatResponse, tokens: Option<i64>) {
    telemetry::note_model(answer.model.as_deref().unwrap_or_default());
    telemetry::note(|call| {
        call.tokens = tokens;
        call.cost = answer.usage.cost;
    });
    if let Some(id) = &answer.id {
        telemetry::note_generation(id);
    }
}
