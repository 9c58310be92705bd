//! Completion: a text in, its continuation out.

use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    answer::{AnswerExtras, GenerationFacts},
    message::{self, Role},
    options::{OPTIONS, TEXT_MODELS, WithOptions},
};
use crate::{
    endpoint::{
        ActionErrors, Generate, Generation, GoesOn, LinkedFile, Overlay, Run, Services, overlay::At,
    },
    error::Result,
    openrouter::{
        chat::{ChatRequest, ChatResponse, Choice},
        completions::CompletionRequest as UpstreamRequest,
    },
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay::property("CompletionRequest", "model", &[TEXT_MODELS]),
    Overlay {
        at: At::Schema("CompletionRequest"),
        set: &[OPTIONS],
    },
];

/// The text to continue.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "openai/gpt-4o-mini", "prompt": "Once upon a time"}))]
pub struct CompletionRequest {
    /// Model
    ///
    /// The model to use. Choose from the list, or type an id such as openai/gpt-4o-mini.
    #[validate(length(min = 1, max = 256))]
    #[schema(min_length = 1, max_length = 256)]
    pub model: String,
    /// Prompt
    ///
    /// The text that the model continues.
    #[validate(length(min = 1))]
    #[schema(min_length = 1)]
    pub prompt: String,
}

/// The continuation.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompletionResponse {
    /// Text
    ///
    /// The generated text.
    pub text: String,
    /// Choices
    ///
    /// All continuations in OpenRouter's nested form, usually one. Text above holds the first.
    pub choices: Vec<CompletionChoice>,
    /// What else an answer may hold.
    #[serde(flatten)]
    pub extras: AnswerExtras,
    /// What every generated answer carries.
    #[serde(flatten)]
    pub facts: GenerationFacts,
}

/// One of the continuations.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct CompletionChoice {
    /// Text
    ///
    /// The generated text.
    pub text: String,
    /// Index
    ///
    /// The number of the continuation, from 0.
    pub index: i32,
    /// Finish Reason
    ///
    /// Why the text ended.
    pub finish_reason: Option<String>,
}

/// Completion
///
/// Lets a model continue a text and returns the continuation with its cost. For questions, use Ask instead.
#[utoipa::path(
    operation_id = "Completion", tag = "Text",
    request_body(content = CompletionRequest, description = "The text to continue."),
    responses((status = 200, description = "The continuation.", body = CompletionResponse), GoesOn, ActionErrors)
)]
#[post("/completions")]
pub(crate) async fn completion(call: Generate<Completion>) -> Result<HttpResponse> {
    call.answer().await
}

/// The action.
pub(crate) struct Completion;

impl Generation for Completion {
    const OPERATION: &'static str = "Completion";
    type Input = WithOptions<CompletionRequest>;
    type Prepared = (UpstreamRequest, Vec<String>);
    type Output = CompletionResponse;

    async fn prepare(services: &Services, request: Self::Input) -> Result<Self::Prepared> {
        let WithOptions { own, options } = request;
        let model = services.model(&own.model).await;
        let mut warnings = Vec::new();
        options.check_cost(model.as_ref(), own.prompt.len(), &mut warnings)?;
        let options = options.to_upstream(model.as_ref(), &mut warnings)?;
        let legacy = UpstreamRequest {
            model: own.model,
            prompt: own.prompt,
            options,
        };
        Ok((legacy, warnings))
    }

    async fn run(run: Run, (legacy, mut warnings): Self::Prepared) -> Result<Self::Output> {
        let client = &run.services.openrouter;
        let answer = if let Some(answer) = client.complete(&run.key, &legacy).await? {
            answer
        } else {
            warnings.push(
                "OpenRouter has no text completion for this; the prompt was sent as a chat message."
                    .to_owned(),
            );
            client.chat(&run.key, &as_chat(legacy)).await?
        };
        Ok(CompletionResponse::from_upstream(&answer, warnings))
    }

    fn background(request: &Self::Input) -> bool {
        request.options.background_run == Some(true)
    }

    fn running(job_id: String) -> Self::Output {
        CompletionResponse {
            text: String::new(),
            choices: Vec::new(),
            extras: AnswerExtras::default(),
            facts: GenerationFacts::running(job_id),
        }
    }

    fn files(answer: &mut Self::Output) -> Vec<&mut dyn LinkedFile> {
        answer.extras.files()
    }
}

fn as_chat(request: UpstreamRequest) -> ChatRequest {
    ChatRequest {
        model: request.model,
        messages: vec![message::text(Role::User, request.prompt)],
        options: request.options,
    }
}

impl CompletionResponse {
    fn from_upstream(answer: &ChatResponse, warnings: Vec<String>) -> Self {
        let choices: Vec<_> = answer.choices.iter().enumerate().map(choice).collect();
        Self {
            text: choices
                .first()
                .map(|choice| choice.text.clone())
                .unwrap_or_default(),
            choices,
            extras: AnswerExtras::of(answer),
            facts: GenerationFacts::of(answer, warnings),
        }
    }
}

fn choice((place, choice): (usize, &Choice)) -> CompletionChoice {
    let index = choice.index.and_then(|index| i32::try_from(index).ok());
    CompletionChoice {
        text: choice
            .text
            .clone()
            .unwrap_or_else(|| choice.message.content_text()),
        index: index
            .or_else(|| i32::try_from(place).ok())
            .unwrap_or_default(),
        finish_reason: choice.finish_reason.clone(),
    }
}
