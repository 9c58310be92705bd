//! Ask: a prompt with files in, a text or a typed object out.

use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serde_with::skip_serializing_none;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    answer::{AnswerExtras, GenerationFacts, note_use},
    message::{self, Role},
    options::{JsonText, WithOptions},
    structured::{AnswerSchema, AskResponseFormat, Mismatch, find_json, without_nulls},
};
use crate::{
    actions::file::FileInput,
    endpoint::{
        ActionErrors, Generate, Generation, GoesOn, LinkedFile, Overlay, Run, Services,
        overlay::{At, Dropdown, Set, Source},
    },
    error::{Error, Kind, Result},
    openrouter::{
        chat::{ChatRequest, ChatResponse, Message},
        models::Model,
    },
};

pub(crate) const OVERLAY: &[Overlay] = &[
    Overlay {
        at: At::Items("AskRequest", "supported_parameters"),
        set: &[PARAMETERS],
    },
    Overlay::property("AskRequest", "model", &[MODELS]),
    Overlay::property("AskRequest", "supported_parameters", &[Set::Advanced]),
    Overlay::property("AskRequest", "messages", &[Set::Advanced]),
    Overlay {
        at: At::Schema("AskFormat"),
        set: &[Set::Names(&[
            ("SIMPLE", "Simple"),
            ("ADVANCED", "Advanced"),
        ])],
    },
    Overlay {
        at: At::Schema("AskResponseFormat"),
        set: &[Set::Names(&[("TEXT", "Text"), ("JSON", "JSON")])],
    },
    Overlay {
        at: At::Schema("AskRequest"),
        set: &[Set::Flatten(
            "GenerationOptions",
            &["response_format", "response_schema"],
        )],
    },
    Overlay {
        at: At::Success("Ask"),
        set: &[Set::DynamicSchema(
            "GetAskSchema",
            &["response_format", "response_schema"],
        )],
    },
];

const PARAMETERS: Set = Set::Dropdown(Dropdown {
    operation: "ListSupportedParameters",
    parameters: &[],
});

const MODELS: Set = Set::Dropdown(Dropdown {
    operation: "ListModelChoices",
    parameters: &[
        ("output_modality", Source::Text("text")),
        ("supported_parameters", Source::Body("supported_parameters")),
    ],
});

/// The field whose schema the answer must fit.
const SCHEMA_FIELD: &str = "response_schema";

/// What the model is asked.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "openai/gpt-4o-mini", "user_prompt": "Say hello in French."}))]
pub struct AskRequest {
    /// Model
    ///
    /// The model to use. Choose from the list, or type an id such as openai/gpt-4o-mini.
    #[validate(length(min = 1, max = 256))]
    #[schema(min_length = 1, max_length = 256)]
    pub model: String,
    /// Format
    ///
    /// Simple for one prompt, Advanced for a list of messages. Default Simple.
    #[schema(default = "SIMPLE")]
    pub format: Option<AskFormat>,
    /// Prompt
    ///
    /// Your question or task. Required with the format Simple.
    pub user_prompt: Option<String>,
    /// System Prompt
    ///
    /// Instructions for the model, such as its role, tone and language. Sent before all messages.
    pub system_prompt: Option<String>,
    /// Attachments
    ///
    /// Files for the model: text, images, PDF, audio or video. Fill in File Content or File URL of each.
    #[serde(default)]
    #[validate(nested)]
    pub attachments: Vec<FileInput>,
    /// Response Format
    ///
    /// Text, or JSON for an answer whose fields are ready to use. Default Text.
    pub response_format: Option<AskResponseFormat>,
    /// Response Schema
    ///
    /// A JSON Schema of an object, as fixed text. Set Response Format to JSON; its fields then appear under Output.
    #[schema(value_type = Option<String>)]
    pub response_schema: Option<JsonText>,
    /// Messages
    ///
    /// The conversation, oldest first. Required with the format Advanced.
    #[serde(default)]
    #[validate(nested)]
    pub messages: Vec<AskMessage>,
    /// Supported Parameters
    ///
    /// Shortens the list of models to those that support all of these options. It is not sent.
    #[serde(default)]
    pub supported_parameters: Vec<String>,
}

/// Whether one prompt is sent or a list of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum AskFormat {
    /// One prompt.
    #[default]
    #[serde(alias = "simple")]
    Simple,
    /// A list of messages.
    #[serde(alias = "advanced")]
    Advanced,
}

/// A turn of the conversation.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AskMessage {
    /// Role
    ///
    /// Who said it: system, user or assistant.
    pub role: Role,
    /// Content
    ///
    /// What was said.
    pub content: String,
    /// Attachments
    ///
    /// Files that belong to this message.
    #[serde(default)]
    #[validate(nested)]
    pub attachments: Vec<FileInput>,
}

/// What the model answered.
#[skip_serializing_none]
#[derive(Debug, Serialize, ToSchema)]
pub struct AskResponse {
    /// Text
    ///
    /// The answer's text.
    pub text: String,
    /// Output
    ///
    /// The answer as an object.
    #[schema(ignore)]
    pub output: Option<Value>,
    /// What else a chat's answer may hold.
    #[serde(flatten)]
    pub extras: AnswerExtras,
    /// What every generated answer carries.
    #[serde(flatten)]
    pub facts: GenerationFacts,
}

/// Ask
///
/// Answers a question, writes, summarizes or extracts data with an AI model, from text and files. Use this for most tasks; it returns text, or fields of your own schema.
#[utoipa::path(
    operation_id = "Ask", tag = "Text",
    request_body(content = AskRequest, description = "What the model is asked."),
    responses((status = 200, description = "The model's answer.", body = AskResponse), GoesOn, ActionErrors),
    extensions(("x-ms-visibility" = json!("important")))
)]
#[post("/ask")]
pub(crate) async fn ask(call: Generate<Ask>) -> Result<HttpResponse> {
    call.answer().await
}

/// The action.
pub(crate) struct Ask;

impl Generation for Ask {
    const OPERATION: &'static str = "Ask";
    type Input = WithOptions<AskRequest>;
    type Prepared = (Wanted, ChatRequest, Vec<String>);
    type Output = AskResponse;

    async fn prepare(services: &Services, request: Self::Input) -> Result<Self::Prepared> {
        let model = services.model(&request.own.model).await;
        let mut warnings = Vec::new();
        let wanted = Wanted::of(&request.own, &mut warnings)?;
        let mut upstream = into_upstream(request, model.as_ref(), &mut warnings)?;
        upstream.options.response_format = wanted.response_format(&mut warnings);
        wanted.warn_unsupported(model.as_ref(), &mut warnings);
        Ok((wanted, upstream, warnings))
    }

    async fn run(
        run: Run,
        (wanted, mut upstream, mut warnings): Self::Prepared,
    ) -> Result<Self::Output> {
        let fetched = wanted.fetch(&run, &mut upstream, &mut warnings);
        let (answer, output) = fetched.await?;
        Ok(AskResponse::from_upstream(&answer, output, warnings))
    }

    fn background(request: &Self::Input) -> bool {
        request.options.background_run == Some(true)
    }

    fn running(job_id: String) -> Self::Output {
        AskResponse {
            text: String::new(),
            output: None,
            extras: AnswerExtras::default(),
            facts: GenerationFacts::running(job_id),
        }
    }

    fn files(answer: &mut Self::Output) -> Vec<&mut dyn LinkedFile> {
        answer.extras.files()
    }
}

fn into_upstream(
    WithOptions { own, options }: WithOptions<AskRequest>,
    model: Option<&Model>,
    warnings: &mut Vec<String>,
) -> Result<ChatRequest> {
    let mut messages = Vec::new();
    if let Some(prompt) = own.system_prompt {
        messages.push(message::text(Role::System, prompt));
    }
    match own.format.unwrap_or_default() {
        AskFormat::Simple => {
            if !own.messages.is_empty() {
                warnings.push("messages is ignored, because the format is SIMPLE.".to_owned());
            }
            let prompt = own.user_prompt.unwrap_or_default();
            if prompt.is_empty() && own.attachments.is_empty() {
                return Err(Error::invalid(
                    "user_prompt",
                    "user_prompt is required with the format SIMPLE.",
                ));
            }
            messages.push(message::with_files(
                Role::User,
                prompt,
                "attachments",
                own.attachments,
                model,
                warnings,
            )?);
        }
        AskFormat::Advanced => {
            if own.messages.is_empty() {
                return Err(Error::invalid(
                    "messages",
                    "messages is required with the format ADVANCED.",
                ));
            }
            for (index, turn) in own.messages.into_iter().enumerate() {
                let path = format!("messages[{index}].attachments");
                messages.push(message::with_files(
                    turn.role,
                    turn.content,
                    &path,
                    turn.attachments,
                    model,
                    warnings,
                )?);
            }
            // A prompt or files beside the conversation are its newest message.
            if own.user_prompt.is_some() || !own.attachments.is_empty() {
                messages.push(message::with_files(
                    Role::User,
                    own.user_prompt.unwrap_or_default(),
                    "attachments",
                    own.attachments,
                    model,
                    warnings,
                )?);
            }
        }
    }
    let bytes = messages.iter().map(message::text_bytes).sum();
    options.check_cost(model, bytes, warnings)?;
    Ok(ChatRequest {
        model: own.model,
        messages,
        options: options.to_upstream(model, warnings)?,
    })
}

/// What the answer shall be.
pub(crate) enum Wanted {
    Text,
    Json,
    Fitting(Box<AnswerSchema>),
}

impl Wanted {
    fn of(request: &AskRequest, warnings: &mut Vec<String>) -> Result<Self> {
        match (request.response_format, &request.response_schema) {
            (Some(AskResponseFormat::Text), Some(_)) => {
                warnings.push(
                    "response_schema is ignored, because the response format is TEXT.".to_owned(),
                );
                Ok(Self::Text)
            }
            // A schema alone can only mean that the answer shall fit it.
            (_, Some(schema)) => AnswerSchema::read(SCHEMA_FIELD, schema)
                .map(Box::new)
                .map(Self::Fitting),
            (Some(AskResponseFormat::Json), None) => Ok(Self::Json),
            (_, None) => Ok(Self::Text),
        }
    }

    fn response_format(&self, warnings: &mut Vec<String>) -> Option<Value> {
        match self {
            Self::Text => None,
            Self::Json => Some(json!({"type": "json_object"})),
            Self::Fitting(schema) => Some(schema.response_format(warnings)),
        }
    }

    fn warn_unsupported(&self, model: Option<&Model>, warnings: &mut Vec<String>) {
        let Some(model) = model.filter(|model| !model.supported_parameters.is_empty()) else {
            return;
        };
        let supports = |name: &str| model.supported_parameters.iter().any(|known| known == name);
        let unsupported = match self {
            Self::Text => false,
            Self::Json => !supports("response_format"),
            Self::Fitting(..) => !supports("structured_outputs") && !supports("response_format"),
        };
        if unsupported {
            warnings.push(format!(
                "{} is not made for JSON answers; the answer is checked here all the same.",
                model.id.as_deref().unwrap_or_default()
            ));
        }
    }

    /// Asks the model; once more if its answer is not what is wanted.
    async fn fetch(
        &self,
        run: &Run,
        request: &mut ChatRequest,
        warnings: &mut Vec<String>,
    ) -> Result<(ChatResponse, Option<Value>)> {
        let client = &run.services.openrouter;
        let mut answer = client.chat(&run.key, request).await?;
        // Noted at once: what follows may end in an error, and this was paid for.
        note_use(&answer, answer.usage.total_tokens);
        let mismatch = match self.output(&answer)? {
            Ok(output) => return Ok((answer, output)),
            Err(mismatch) => mismatch,
        };
        warnings.push(format!(
            "The first answer did not fit at {}; the model was asked once more, which is part of the cost.",
            mismatch.place()
        ));
        request.messages.extend(repair(&answer, &mismatch));
        let first = std::mem::take(&mut answer.usage);
        answer = match client.chat(&run.key, request).await {
            Ok(answer) => answer,
            // The first answer was paid for: a failure that invites a repeat would have the
            // platform pay for it again.
            Err(error) if error.kind().retryable() => return Err(mismatch.into_error()),
            Err(error) => return Err(error),
        };
        answer.usage = first.plus(&answer.usage);
        note_use(&answer, answer.usage.total_tokens);
        match self.output(&answer)? {
            Ok(output) => Ok((answer, output)),
            Err(mismatch) => Err(mismatch.into_error()),
        }
    }

    /// The object in the answer, or why there is none; an error if asking again cannot help.
    fn output(&self, answer: &ChatResponse) -> Result<Result<Option<Value>, Mismatch>> {
        let schema = match self {
            Self::Text => return Ok(Ok(None)),
            Self::Json => None,
            Self::Fitting(schema) => Some(schema),
        };
        let Some(choice) = answer.choices.first() else {
            return Ok(Err(Mismatch::not_json()));
        };
        let text = choice.message.content_text();
        if let Some(refusal) = choice.message.refusal.as_ref().filter(|_| text.is_empty()) {
            return Err(Error::refused("The model refused:", refusal));
        }
        // The model wants a tool first; its JSON comes once the flow has run it.
        if text.is_empty() && !choice.message.tool_calls.is_empty() {
            return Ok(Ok(None));
        }
        let found = find_json(&text).filter(Value::is_object);
        let checked = match (found, schema) {
            (None, _) => Err(Mismatch::not_json()),
            (Some(value), None) => return Ok(Ok(Some(without_nulls(value)))),
            (Some(value), Some(schema)) => schema.check(&value).map(|()| schema.normalised(value)),
        };
        match checked {
            Ok(value) => Ok(Ok(Some(value))),
            Err(_) if choice.finish_reason.as_deref() == Some("length") => Err(Error::new(
                Kind::SchemaMismatch,
                "The model's answer was cut off before its JSON was complete; raise max_tokens or ask for less.",
            )),
            Err(mismatch) => Ok(Err(mismatch)),
        }
    }
}

/// The turns that ask the model to mend its answer.
fn repair(answer: &ChatResponse, mismatch: &Mismatch) -> [Message; 2] {
    let said = answer
        .choices
        .first()
        .map(|choice| choice.message.content_text())
        .unwrap_or_default();
    let request = format!(
        "Your answer does not fit the required JSON: at {}, {}. Answer again with the corrected JSON only.",
        mismatch.place(),
        mismatch.reason
    );
    [
        message::text(Role::Assistant, said),
        message::text(Role::User, request),
    ]
}

impl AskResponse {
    fn from_upstream(answer: &ChatResponse, output: Option<Value>, warnings: Vec<String>) -> Self {
        let text = answer
            .choices
            .first()
            .map(|choice| choice.message.content_text());
        Self {
            text: text.unwrap_or_default(),
            output,
            extras: AnswerExtras::of(answer),
            facts: GenerationFacts::of(answer, warnings),
        }
    }
}
