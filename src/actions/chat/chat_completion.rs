//! Chat completion: one prompt or a whole conversation in, the model's answer out.

use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    answer::{AnswerExtras, GenerationFacts},
    message::{self, EarlierMessage, Role},
    options::{OPTIONS, TEXT_MODELS, WithOptions},
};
use crate::{
    actions::file::FileInput,
    endpoint::{
        ActionErrors, Generate, Generation, GoesOn, LinkedFile, Overlay, Run, Services,
        overlay::{At, Set},
    },
    error::{Error, Result},
    openrouter::{
        chat::{AnswerMessage, ChatRequest, ChatResponse, Choice},
        models::Model,
    },
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay::property("ChatCompletionRequest", "model", &[TEXT_MODELS]),
    Overlay::property("ChatCompletionRequest", "messages", &[Set::Advanced]),
    Overlay::property("ChatCompletionRequest", "attachments", &[Set::Advanced]),
    Overlay {
        at: At::Schema("ChatCompletionRequest"),
        set: &[OPTIONS],
    },
];

/// What the model is asked.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "openai/gpt-4o-mini", "role": "user", "content": "Say hello in French."}))]
pub struct ChatCompletionRequest {
    /// Model
    ///
    /// The model to use. Choose from the list, or type an id such as openai/gpt-4o-mini.
    #[validate(length(min = 1, max = 256))]
    #[schema(min_length = 1, max_length = 256)]
    pub model: String,
    /// Role
    ///
    /// Who the Content is from: User for a question, System for instructions. Default User.
    #[serde(default)]
    #[schema(required = true, nullable = false, default = "user")]
    pub role: Option<Role>,
    /// Content
    ///
    /// Your message to the model.
    #[serde(default)]
    #[schema(required = true, nullable = false)]
    pub content: Option<String>,
    /// System Prompt
    ///
    /// Instructions for the model, such as its role, tone and language. Sent before all messages.
    #[serde(default)]
    pub system_prompt: Option<String>,
    /// Messages
    ///
    /// Earlier turns of the conversation, oldest first. Sent between the System Prompt and the Content.
    #[serde(default)]
    #[validate(nested)]
    pub messages: Vec<EarlierMessage>,
    /// Attachments
    ///
    /// Files for the model: text, images, PDF, audio or video. Fill in File Content or File URL of each.
    #[serde(default)]
    #[validate(nested)]
    pub attachments: Vec<FileInput>,
}

/// What the model answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatCompletionResponse {
    /// Content
    ///
    /// The answer's text.
    pub content: String,
    /// Role
    ///
    /// Who answered: assistant.
    pub role: String,
    /// Choices
    ///
    /// All answers in OpenRouter's nested form, usually one. Content above holds the first.
    pub choices: Vec<ChatChoice>,
    /// What else a chat's answer may hold.
    #[serde(flatten)]
    pub extras: AnswerExtras,
    /// What every generated answer carries.
    #[serde(flatten)]
    pub facts: GenerationFacts,
}

/// One of the answers.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatChoice {
    /// Index
    ///
    /// The number of the answer, from 0.
    pub index: i32,
    /// Message
    ///
    /// The answer.
    pub message: ChatChoiceMessage,
    /// Finish Reason
    ///
    /// Why the answer ended.
    pub finish_reason: Option<String>,
    /// Native Finish Reason
    ///
    /// Why the answer ended, in the provider's own word.
    pub native_finish_reason: Option<String>,
}

/// The message of one of the answers.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatChoiceMessage {
    /// Role
    ///
    /// Who answered: assistant.
    pub role: String,
    /// Content
    ///
    /// The answer's text.
    pub content: String,
    /// Reasoning
    ///
    /// The model's reasoning, if it gives it.
    pub reasoning: Option<String>,
    /// Refusal
    ///
    /// The model's reason for refusing, if it refused.
    pub refusal: Option<String>,
}

/// Chat completion
///
/// Sends a message with a role to a model, in the form of OpenRouter's chat, and returns the answer with its cost. For most tasks use Ask instead.
#[utoipa::path(
    operation_id = "ChatCompletion", tag = "Text",
    request_body(content = ChatCompletionRequest, description = "What the model is asked."),
    responses((status = 200, description = "The model's answer.", body = ChatCompletionResponse), GoesOn, ActionErrors),
    extensions(("x-ms-visibility" = json!("important")))
)]
#[post("/chat/completions")]
pub(crate) async fn chat_completion(call: Generate<ChatCompletion>) -> Result<HttpResponse> {
    call.answer().await
}

/// The action.
pub(crate) struct ChatCompletion;

impl Generation for ChatCompletion {
    const OPERATION: &'static str = "ChatCompletion";
    type Input = WithOptions<ChatCompletionRequest>;
    type Prepared = (ChatRequest, Vec<String>);
    type Output = ChatCompletionResponse;

    async fn prepare(services: &Services, request: Self::Input) -> Result<Self::Prepared> {
        let model = services.model(&request.own.model).await;
        let mut warnings = Vec::new();
        let upstream = into_upstream(request, model.as_ref(), &mut warnings)?;
        Ok((upstream, warnings))
    }

    async fn run(run: Run, (upstream, warnings): Self::Prepared) -> Result<Self::Output> {
        let answer = run.services.openrouter.chat(&run.key, &upstream).await?;
        Ok(ChatCompletionResponse::from_upstream(&answer, warnings))
    }

    fn background(request: &Self::Input) -> bool {
        request.options.background_run == Some(true)
    }

    fn running(job_id: String) -> Self::Output {
        ChatCompletionResponse {
            content: String::new(),
            role: "assistant".to_owned(),
            choices: Vec::new(),
            extras: AnswerExtras::default(),
            facts: GenerationFacts::running(job_id),
        }
    }

    fn files(answer: &mut Self::Output) -> Vec<&mut dyn LinkedFile> {
        answer.extras.files()
    }
}

fn into_upstream(
    WithOptions { own, options }: WithOptions<ChatCompletionRequest>,
    model: Option<&Model>,
    warnings: &mut Vec<String>,
) -> Result<ChatRequest> {
    let mut messages: Vec<_> = own
        .messages
        .into_iter()
        .map(|turn| message::text(turn.role, turn.content))
        .collect();
    match own.content {
        Some(content) => {
            let role = own.role.unwrap_or_default();
            messages.push(message::with_files(
                role,
                content,
                "attachments",
                own.attachments,
                model,
                warnings,
            )?);
        }
        // The nested body of the published connector: the conversation alone.
        None if !messages.is_empty() && own.attachments.is_empty() => {
            if own.role.is_some() {
                warnings.push("role is ignored, because content is not set.".to_owned());
            }
        }
        None if own.attachments.is_empty() => {
            return Err(Error::invalid("content", "content is required."));
        }
        None => {
            let role = own.role.unwrap_or_default();
            messages.push(message::with_files(
                role,
                String::new(),
                "attachments",
                own.attachments,
                model,
                warnings,
            )?);
        }
    }
    if let Some(prompt) = own.system_prompt {
        messages.insert(0, message::text(Role::System, prompt));
    }
    options.check_cost(
        model,
        messages.iter().map(message::text_bytes).sum(),
        warnings,
    )?;
    Ok(ChatRequest {
        model: own.model,
        messages,
        options: options.to_upstream(model, warnings)?,
    })
}

impl ChatCompletionResponse {
    fn from_upstream(answer: &ChatResponse, warnings: Vec<String>) -> Self {
        let none = AnswerMessage::default();
        let first = answer
            .choices
            .first()
            .map_or(&none, |choice| &choice.message);
        Self {
            content: first.content_text(),
            role: role(first),
            extras: AnswerExtras::of(answer),
            choices: answer.choices.iter().enumerate().map(choice).collect(),
            facts: GenerationFacts::of(answer, warnings),
        }
    }
}

fn choice((place, choice): (usize, &Choice)) -> ChatChoice {
    let index = choice.index.and_then(|index| i32::try_from(index).ok());
    ChatChoice {
        index: index
            .or_else(|| i32::try_from(place).ok())
            .unwrap_or_default(),
        message: ChatChoiceMessage {
            role: role(&choice.message),
            content: choice.message.content_text(),
            reasoning: choice.message.reasoning.clone(),
            refusal: choice.message.refusal.clone(),
        },
        finish_reason: choice.finish_reason.clone(),
        native_finish_reason: choice.native_finish_reason.clone(),
    }
}

fn role(message: &AnswerMessage) -> String {
    message
        .role
        .clone()
        .unwrap_or_else(|| "assistant".to_owned())
}
