//! What every generated answer carries, flat: who answered, why it ended, what it used and cost.

use serde::Serialize;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

use crate::{
    openrouter::chat::{ChatResponse, Choice},
    telemetry,
};

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
    /// Why the answer ended, such as stop, length (cut off), tool_calls or content_filter.
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
    /// The tokens that the model thought with.
    pub reasoning_tokens: Option<i64>,
    /// Cached Tokens
    ///
    /// The tokens of the prompt that came from the provider's cache.
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
    /// The facts of an answer that is complete.
    #[must_use]
    pub fn of(answer: &ChatResponse, warnings: Vec<String>) -> Self {
        let none = Choice::default();
        let choice = answer.choices.first().unwrap_or(&none);
        let usage = &answer.usage;
        let sum = || Some(usage.prompt_tokens? + usage.completion_tokens?);
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
        telemetry::note(|call| {
            call.model.clone_from(&facts.model);
            call.tokens = facts.total_tokens;
            call.cost = facts.cost;
        });
        if let Some(id) = &facts.id {
            telemetry::note_generation(id);
        }
        facts
    }
}
